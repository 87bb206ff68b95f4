//! Recurrent modules for Burn over the fused operation of [`crate::ops`].

pub mod chrono;
mod config;
mod dropout;
mod key;
mod loss;
mod model;
mod pool;
mod recurrent;
mod weights;

pub use config::RecurrentConfig;
pub use dropout::dropout;
pub use key::Key;
pub use loss::{binary_cross_entropy, cross_entropy, mean_squared_error};
pub use model::SequenceModel;
pub use recurrent::Recurrent;
pub use weights::LayerWeights;

pub use gruvy_kernels::Cell;
