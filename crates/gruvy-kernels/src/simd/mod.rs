//! The small SIMD trait over which every kernel is written once, and its dispatch at run time.
//!
//! A kernel is a value with a generic [`Kernel::run`]; [`Isa::dispatch`] calls it inside a function
//! compiled for the chosen instruction set. Everything below `run` must be `#[inline(always)]`, so
//! that it is compiled with those instructions too. Work that is the same for all cells (packing,
//! plain products, the weight gradients, normalisation) is a kernel of its own and is dispatched
//! again from within: it is compiled once for each instruction set, and not once more for each
//! cell.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod dispatch;
mod isa;
#[cfg(all(target_arch = "aarch64", target_feature = "neon"))]
mod neon;
mod scalar;
mod vector;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod wasm;

pub use isa::Isa;
pub(crate) use vector::{Kernel, Operand, Simd};
