//! Language modelling: a recurrent network that predicts the next token of a text.
mod config;

pub use config::{DataConfig, Split, TaskName, TextConfig, TextRun};
