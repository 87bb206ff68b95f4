//! Train gated recurrent networks: layers for Burn, tasks, one training loop, model files.
//!
//! Without default features there are the layers, `nn`, and their operations, `ops`. The rest is
//! the feature `tasks`, with `draw` (pictures and pages), `ets` (exponential smoothing beside
//! forecasts) and `bpe` (word pieces) on top.

#[cfg(feature = "tasks")]
pub mod audio;
#[cfg(feature = "tasks")]
pub mod bench;
#[cfg(feature = "tasks")]
pub mod classify;
#[cfg(feature = "tasks")]
pub mod compare;
#[cfg(feature = "tasks")]
pub mod doctor;
#[cfg(feature = "tasks")]
mod draw;
#[cfg(feature = "tasks")]
mod error;
#[cfg(feature = "tasks")]
pub mod forecast;
#[cfg(feature = "tasks")]
pub mod inspect;
#[cfg(feature = "tasks")]
mod mean;
#[cfg(feature = "tasks")]
pub mod memory;
#[cfg(feature = "tasks")]
pub mod music;
pub mod nn;
pub mod ops;
#[cfg(feature = "tasks")]
pub mod settings;
#[cfg(feature = "tasks")]
pub mod speech;
#[cfg(feature = "tasks")]
pub mod text;
#[cfg(feature = "tasks")]
pub mod train;

#[cfg(feature = "tasks")]
pub use error::{Error, Result};
