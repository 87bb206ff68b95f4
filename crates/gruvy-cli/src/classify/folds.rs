//! `gruvy train classify --folds N`: cross-validation.

use crate::args::{ClassifyFlags, NewRun};
use crate::classify::report_run;
use crate::screen::Screen;
use crate::stop;
use crate::train::{free_name, one_of_several, work_with_task};
use anyhow::Result;
use serde_json::{Value, json};
use std::process::ExitCode;
use std::sync::atomic::Ordering;

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
    let out = new.out.unwrap_or_else(|| free_name(&settings.name()));
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
    let of = |who: &str, metric: &str| -> Vec<f64> {
        let value = |report: &Value| report["judgement"][who]["metrics"][metric].as_f64();
        reports.iter().filter_map(value).collect()
    };
    let summary = |who: &str| {
        let one = |metric: &str| {
            let (mean, sd) = mean_sd(&of(who, metric));
            (metric.to_owned(), json!({ "mean": mean, "sd": sd }))
        };
        Value::Object(["accuracy", "macro_f1", "log_loss"].map(one).into_iter().collect())
    };
    let line = |name: &str, who: &str| {
        let part = |title: &str, metric: &str| {
            let (mean, sd) = mean_sd(&of(who, metric));
            format!("{title} {mean:.4} ± {sd:.4}")
        };
        let parts = [
            part("accuracy", "accuracy"),
            part("macro F1", "macro_f1"),
            part("log loss", "log_loss"),
        ];
        format!("{name:<13} {}", parts.join(", "))
    };
    screen.result(
        || json!({ "folder": out, "model": summary("model"), "baseline": summary("baseline"), "folds": reports }),
        || {
            format!(
                "{} of {folds} folds, mean and deviation of the folds\n{}\n{}",
                reports.len(),
                line(settings.train.cell.name(), "model"),
                line(gruvy::classification::BASELINE, "baseline")
            )
        },
    )?;
    Ok(ExitCode::SUCCESS)
}

fn mean_sd(values: &[f64]) -> (f64, f64) {
    let n = values.len().max(1) as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (mean, (squares / (n - 1.0).max(1.0)).sqrt())
}
