//! What the models of a cross-validation have together.
use super::judge::{metrics::ClassMetrics, report::Report};
use crate::compare::Spread;
use serde::Serialize;
use std::collections::BTreeMap;

/// What is said of all folds: metrics, and what they are called.
pub const FOLD_METRICS: [(&str, &str); 3] =
    [("accuracy", "accuracy"), ("macro_f1", "macro F1"), ("log_loss", "log loss")];

/// Mean and deviation of the [metrics](FOLD_METRICS) over the folds, by name.
pub type OverFolds = BTreeMap<&'static str, Option<Spread>>;

/// What the folds have together.
#[derive(Clone, Debug, Serialize)]
pub struct Folds {
    /// The models.
    pub model: OverFolds,
    /// The baseline on the same items.
    pub baseline: OverFolds,
}

impl Folds {
    /// Of the reports on each fold.
    pub fn of(reports: &[&Report]) -> Self {
        let model = |report: &Report| Some(report.model.metrics.clone());
        let baseline = |report: &Report| Some(report.baseline.as_ref()?.metrics.clone());
        Self { model: over(reports, model), baseline: over(reports, baseline) }
    }
}

fn over(reports: &[&Report], of: impl Fn(&Report) -> Option<ClassMetrics>) -> OverFolds {
    let metrics: Vec<ClassMetrics> = reports.iter().filter_map(|report| of(report)).collect();
    let spread = |name: &str| {
        Spread::of(metrics.iter().map(|metrics| match name {
            "accuracy" => metrics.accuracy,
            "macro_f1" => metrics.macro_f1,
            _ => metrics.log_loss,
        }))
    };
    FOLD_METRICS.into_iter().map(|(name, _)| (name, spread(name))).collect()
}
