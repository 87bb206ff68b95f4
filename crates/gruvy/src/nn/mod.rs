//! Recurrent modules for Burn over the fused operation of [`crate::ops`].

pub mod chrono;
pub(crate) mod config;
pub(crate) mod dropout;
pub(crate) mod key;
pub(crate) mod loss;
#[cfg(feature = "tasks")]
pub(crate) mod model;
#[cfg(feature = "tasks")]
pub(crate) mod pool;
pub(crate) mod recurrent;
pub(crate) mod weights;

pub use config::RecurrentConfig;
pub use dropout::dropout;
pub use key::Key;
pub use loss::{binary_cross_entropy, cross_entropy, mean_squared_error};
#[cfg(feature = "tasks")]
pub use model::SequenceModel;
pub use recurrent::Recurrent;
pub use weights::LayerWeights;

pub use gruvy_kernels::Cell;
