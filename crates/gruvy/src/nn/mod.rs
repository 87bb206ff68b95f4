//! Recurrent modules for Burn over the fused operation of [`crate::ops`].

pub mod chrono;
mod config;
mod dropout;
mod loss;
mod model;
mod recurrent;
mod weights;

pub use config::RecurrentConfig;
pub use dropout::dropout;
pub use loss::{cross_entropy, mean_squared_error};
pub use model::SequenceModel;
pub use recurrent::Recurrent;
pub use weights::LayerWeights;

pub use gruvy_kernels::Cell;
