//! `gruvy train classify --folds N`: cross-validation.

use crate::screen::Screen;
use crate::task::door::Member;
use anyhow::Result;
use gruvy::compare::Spread;
use serde_json::{Value, json};
use std::path::Path;

/// What is said of all folds together: metrics, and what they are called.
const METRICS: [(&str, &str); 3] =
    [("accuracy", "accuracy"), ("macro_f1", "macro F1"), ("log_loss", "log loss")];

/// Shows what the models of all folds have together.
///
/// # Errors
/// When it cannot be shown.
pub fn report(all: &[Member], folds: usize, out: &Path, screen: &Screen) -> Result<()> {
    let reports: Vec<&Value> = all.iter().map(|member| &member.report).collect();
    let name = reports.first().and_then(|report| report["judgement"]["name"].as_str());
    let of = |who: &str, metric: &str| {
        let value = |report: &Value| report["judgement"][who]["metrics"][metric].as_f64();
        Spread::of(reports.iter().copied().filter_map(value))
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
                line(name.unwrap_or("model"), "model"),
                line(gruvy::classify::judge::BASELINE, "baseline")
            )
        },
    )
}
