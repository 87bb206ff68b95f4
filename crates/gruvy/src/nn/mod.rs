//! Recurrent modules for Burn over the fused operation of [`crate::ops`].

mod config;
mod dropout;
mod gru;
mod weights;

pub use config::GruConfig;
pub use dropout::dropout;
pub use gru::Gru;
pub use weights::LayerWeights;

pub use gruvy_kernels::Cell;
