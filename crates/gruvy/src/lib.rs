//! Train gated recurrent networks: layers for Burn, tasks, one training loop, model files.
#![forbid(unsafe_code)]

pub mod bench;
pub mod classification;
pub mod compare;
mod error;
pub mod forecasts;
pub mod inspect;
mod mean;
pub mod nn;
pub mod ops;
mod page;
mod raster;
mod style;
pub mod tasks;
pub mod train;

pub use error::{Error, Result};
