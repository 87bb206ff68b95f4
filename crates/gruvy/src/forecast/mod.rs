//! Forecasting time series: distributions of what comes next, learned from one or many series.
//!
//! [`gruvy_runtime::forecast`] says what a model reads and answers. All windows of context
//! and horizon that lie in the training part of a series are learned from, in an order drawn anew
//! for each epoch; the end of each series is held back to validate and to test on.
//!
//! ```no_run
//! use gruvy::{forecast::{ForecastConfig, ForecastRun}, settings::TaskConfig, train::{RunFolder, Silent, train}};
//!
//! let mut run = ForecastRun::default();
//! run.data.paths = vec!["air.csv".into()];
//! run.task.horizon = 12;
//! let task = ForecastConfig::load(run.clone())?;
//! let folder = RunFolder::create("runs/air", run.to_toml()?, false)?;
//! train(&task, &run.train, &folder, &mut Silent, &false.into())?;
//! # Ok::<(), gruvy::Error>(())
//! ```
pub(crate) mod applied;
pub(crate) mod choose;
pub(crate) mod config;
pub(crate) mod data;
pub(crate) mod evaluate;
pub mod judge;
pub(crate) mod loss;
pub(crate) mod past;
#[cfg(feature = "draw")]
mod pictures;
pub(crate) mod rows;
pub(crate) mod task;

pub use applied::{Applied, trained_on};
pub use config::{DecoderKind, ForecastConfig, ForecastRun};
pub use evaluate::{Origins, evaluate, last_origins};
pub use loss::{Targets, loss};
pub use past::{Evaluated, PastForecasts};
pub use rows::{Anomalies, Row, Rows, short};
pub use task::{EMBEDDED_AIRLINE, ForecastTask, embedded_airline};
