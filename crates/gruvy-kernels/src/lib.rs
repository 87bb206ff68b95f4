//! Fused kernels for gated recurrent networks. Slices in, slices out.
#![cfg_attr(not(feature = "std"), no_std)]
extern crate alloc;

mod dims;
mod layer;
pub mod reference;

pub use dims::{Cell, Gradients, Sequence, Weights};
pub use layer::{Packed, Workspace, backward, last_state};
