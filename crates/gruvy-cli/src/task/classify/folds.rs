//! `gruvy train classify --folds N`: cross-validation.

use crate::screen::Screen;
use crate::task::door::Member;
use anyhow::Result;
use gruvy::classify::{FOLD_METRICS, Folds, PartReport};
use gruvy::compare::Spread;
use serde_json::json;
use std::path::Path;

/// Shows what the models of all folds have together.
///
/// # Errors
/// When it cannot be shown.
pub fn report(all: &[Member<PartReport>], folds: usize, out: &Path, screen: &Screen) -> Result<()> {
    let reports: Vec<&PartReport> = all.iter().filter_map(|one| one.report.as_ref()).collect();
    let judged: Vec<_> = reports.iter().map(|report| &report.judgement).collect();
    let together = Folds::of(&judged);
    let line = |name: &str, of: &std::collections::BTreeMap<&str, Option<Spread>>| {
        let part = |(metric, title): (&str, &str)| {
            let Spread { mean, std, .. } = of.get(metric)?.as_ref()?;
            let std = std.map(|std| format!(" ± {std:.4}")).unwrap_or_default();
            Some(format!("{title} {mean:.4}{std}"))
        };
        let parts: Vec<String> = FOLD_METRICS.into_iter().filter_map(part).collect();
        format!("{name:<13} {}", parts.join(", "))
    };
    let name = judged.first().map_or("model", |report| report.name.as_str());
    screen.result(
        || json!({ "folder": out, "model": together.model, "baseline": together.baseline, "folds": reports }),
        || {
            format!(
                "{} of {folds} folds, mean and deviation of the folds\n{}\n{}",
                reports.len(),
                line(name, &together.model),
                line(gruvy::classify::judge::BASELINE, &together.baseline)
            )
        },
    )
}
