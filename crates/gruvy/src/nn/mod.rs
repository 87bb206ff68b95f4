//! Recurrent modules for Burn over the fused operation of [`crate::ops`].

pub mod chrono;
pub(crate) mod config;
pub(crate) mod dropout;
pub(crate) mod key;
pub(crate) mod loss;
pub(crate) mod model;
pub(crate) mod pool;
pub(crate) mod recurrent;
pub(crate) mod weights;

pub use config::RecurrentConfig;
pub use dropout::dropout;
pub use key::Key;
pub use loss::{binary_cross_entropy, cross_entropy, mean_squared_error};
pub use model::SequenceModel;
pub use recurrent::Recurrent;
pub use weights::LayerWeights;

pub use gruvy_kernels::Cell;
