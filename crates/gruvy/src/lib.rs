//! Train gated recurrent networks: layers for Burn, tasks, one training loop, model files.
#![forbid(unsafe_code)]

pub mod bench;
pub mod classify;
pub mod compare;
mod draw;
mod error;
pub mod forecast;
pub mod inspect;
mod mean;
pub mod memory;
pub mod nn;
pub mod ops;
pub mod settings;
pub mod text;
pub mod train;

pub use error::{Error, Result};
