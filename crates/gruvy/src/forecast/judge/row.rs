//! The rows of a backtest.
use super::metrics::Metrics;
use serde::Serialize;

/// A method and what it comes to.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// The model's name or a simple method's.
    pub method: String,
    /// Over all series.
    pub metrics: Metrics,
    /// `[H]` the mean error at each step of the horizon, in units of MASE.
    pub by_step: Vec<Option<f64>>,
}

/// A series and what every method comes to on it.
#[derive(Clone, Debug, Serialize)]
pub struct SeriesRow {
    /// Which series.
    pub id: String,
    /// Origins it was forecast from.
    pub origins: Vec<usize>,
    /// In the order of [`Backtest::rows`](super::Backtest::rows).
    pub metrics: Vec<Metrics>,
}
