//! How good forecasts are, beside simple methods that cost nothing.
//!
//! ```text
//! series [N] ┐
//!            ├─> judge ─> Backtest: a table, a sentence, notes ─> page (HTML), JSON
//! Forecasts ─┘                  └─> series worth a look ─> fan charts (SVG, PNG)
//! ```
//! All methods forecast from the same origins, and none sees what comes after one.
//!
//! ```
//! use gruvy::forecast::judge::{JudgeConfig, Observed, judge};
//! use gruvy_runtime::forecast::Forecast;
//!
//! let y = [3.0, 5.0, 4.0, 6.0, 5.0, 7.0, 6.0, 8.0];
//! let quantiles = vec![vec![5.0, 7.0], vec![6.0, 8.0], vec![7.0, 9.0]];
//! let levels = vec![0.1, 0.5, 0.9];
//! let forecast =
//!     Forecast { id: "sales".into(), origin: 6, mean: vec![6.0, 8.0], levels, quantiles };
//! let config = JudgeConfig { season: 2, ..JudgeConfig::default() };
//! let backtest = judge(&[Observed { id: "sales", y: &y }], &[forecast], &config)?;
//! assert_eq!(backtest.rows[0].metrics.mase, Some(0.0));
//! println!("{}", backtest.verdict);
//! # Ok::<(), gruvy::Error>(())
//! ```
pub(crate) mod ask;
pub(crate) mod backtest;
pub(crate) mod baselines;
#[cfg_attr(not(feature = "ets"), path = "no_ets.rs")]
pub(crate) mod ets;
#[cfg(feature = "draw")]
pub(crate) mod lines;
pub(crate) mod metrics;
#[cfg(feature = "draw")]
pub(crate) mod picture;
#[cfg(feature = "draw")]
pub(crate) mod report;
pub(crate) mod row;
pub(crate) mod seasonal;
#[cfg(feature = "draw")]
pub(crate) mod ticks;
pub(crate) mod verdict;

pub use ask::{Ask, Observed};
pub use backtest::{Backtest, JudgeConfig, judge};
pub use baselines::Baseline;
pub use metrics::{Coverage, Metrics};
#[cfg(feature = "draw")]
pub use picture::{FanChart, fan_png, fan_svg};
#[cfg(feature = "draw")]
pub use report::PageConfig;
pub use row::{Row, SeriesRow};
