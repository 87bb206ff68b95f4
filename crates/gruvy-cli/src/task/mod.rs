//! What the command has of each task.
pub mod classify;
pub mod forecast;
pub mod text;
