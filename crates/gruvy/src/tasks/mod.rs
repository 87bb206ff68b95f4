//! The training half of each task: its settings, data, model, loss and metrics.
pub mod text;
