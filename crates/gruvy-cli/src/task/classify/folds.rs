//! `gruvy train classify --folds N`: cross-validation.

use crate::args::{ClassifyFlags, NewRun};
use crate::command::train::{one_of_several, own_folder, work_with_task};
use crate::screen::Screen;
use crate::stop;
use crate::task::classify::report_run;
use anyhow::Result;
use gruvy::compare::Spread;
use serde_json::{Value, json};
use std::process::ExitCode;
use std::sync::atomic::Ordering;

/// What is said of all folds together: metrics, and what they are called.
const METRICS: [(&str, &str); 3] =
    [("accuracy", "accuracy"), ("macro_f1", "macro F1"), ("log_loss", "log loss")];

/// Trains a model for each fold, in folders `1`, `2`, … of one. Folds that are there are gone on with, or left as they are
/// where they are done.
///
/// # Errors
/// As a training.
pub fn folds(
    new: NewRun<ClassifyFlags>,
    folds: usize,
    seed: Option<u64>,
    screen: &Screen,
) -> Result<ExitCode> {
    let settings = new.settings.settings(seed)?;
    let lock = own_folder(new.out, &settings.name())?;
    let out = lock.path();
    let stop = stop::on_ctrl_c()?;
    let mut reports: Vec<Value> = Vec::new();
    for fold in 1..=folds {
        let mut settings = settings.clone();
        settings.task.fold = fold;
        let path = out.join(fold.to_string());
        let folder = one_of_several(&path, &settings, new.force)?;
        screen.note(format!("\nfold {fold} of {folds}: run folder {}", path.display()));
        let (_, task) = work_with_task(&settings, &folder, &stop, screen)?;
        if stop.load(Ordering::Relaxed) {
            screen.note("stopped; the same command goes on");
            break;
        }
        reports.push(report_run(&task, &folder, screen)?.0);
    }
    let of = |who: &str, metric: &str| {
        let value = |report: &Value| report["judgement"][who]["metrics"][metric].as_f64();
        Spread::of(reports.iter().filter_map(value))
    };
    let summary = |who: &str| {
        let one = |(metric, _): (&str, _)| (metric.to_owned(), json!(of(who, metric)));
        Value::Object(METRICS.map(one).into_iter().collect())
    };
    let line = |name: &str, who: &str| {
        let part = |(metric, title): (&str, &str)| {
            let Spread { mean, std, .. } = of(who, metric)?;
            let std = std.map(|std| format!(" ± {std:.4}")).unwrap_or_default();
            Some(format!("{title} {mean:.4}{std}"))
        };
        format!(
            "{name:<13} {}",
            METRICS.into_iter().filter_map(part).collect::<Vec<_>>().join(", ")
        )
    };
    screen.result(
        || json!({ "folder": out, "model": summary("model"), "baseline": summary("baseline"), "folds": reports }),
        || {
            format!(
                "{} of {folds} folds, mean and deviation of the folds\n{}\n{}",
                reports.len(),
                line(settings.train.cell.name(), "model"),
                line(gruvy::classify::judge::BASELINE, "baseline")
            )
        },
    )?;
    Ok(ExitCode::SUCCESS)
}
