//! The settings of a run, each task's own among them.
pub(crate) mod run;
pub(crate) mod split;

pub use gruvy_data::settings::{Kind, Range, Setting, Settings};
pub use run::{DataConfig, Metric, RunSettings, TaskConfig, task_of};
pub use split::Split;
