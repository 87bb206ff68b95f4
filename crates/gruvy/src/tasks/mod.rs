//! The training half of each task: its settings, data, model, loss and metrics.
pub mod classify;
pub mod forecast;
pub mod memory;
mod settings;
mod split;
pub mod text;

pub use settings::{DataConfig, Metric, RunSettings, TaskConfig, task_of};
pub use split::Split;
