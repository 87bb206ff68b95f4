//! Fused kernels for gated recurrent networks. Slices in, slices out.
//!
//! [`Packed`] holds the weights of one layer and direction and runs it over whole sequences or step
//! by step; [`backward`] gives its gradients. Shapes are time-major, `[T, B, ·]`, and weights lie
//! as PyTorch keeps them. The instruction set is chosen at run time ([`Isa`]), threads are those of
//! the current rayon pool, and no result depends on their number. [`reference`](mod@reference) is
//! the specification in plain `f64` loops.
#![cfg_attr(not(feature = "std"), no_std)]
// Indices are the notation of the equations.
#![allow(clippy::needless_range_loop)]
extern crate alloc;

mod cell;
#[cfg(feature = "serde")]
mod cell_name;
mod cells;
mod checks;
mod cross_entropy;
mod ctc;
mod dims;
mod hash;
mod layer;
mod linear;
#[cfg(feature = "std")]
mod load;
mod math;
mod memory;
mod noise;
mod norm;
mod packed;
mod product;
#[doc(hidden)]
pub mod random;
pub mod reference;
mod saved;
mod sequence;
mod simd;
mod step;
mod threads;
mod workspace;

pub use cross_entropy::{LinearCrossEntropy, LinearGradients};
pub use ctc::{Ctc, CtcTargets};
pub use dims::{Cell, Gradients, Layer, NORM_EPSILON, Norm, Output, Pass, Sequence, Tape, Weights};
pub use layer::backward;
pub use linear::Linear;
pub use noise::{Dropout, Noise};
pub use packed::Packed;
pub use simd::Isa;
pub use workspace::Workspace;
