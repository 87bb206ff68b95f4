//! Recurrent modules for Burn over the fused operation of [`crate::ops`].

pub mod chrono;
mod config;
mod dropout;
mod gru;
mod loss;
mod model;
mod weights;

pub use config::GruConfig;
pub use dropout::dropout;
pub use gru::Gru;
pub use loss::{cross_entropy, mean_squared_error};
pub use model::SequenceModel;
pub use weights::LayerWeights;

pub use gruvy_kernels::Cell;
