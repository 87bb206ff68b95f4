//! Matrix products whose results never leave the registers unfinished.
//!
//! ```text
//! Product:        for each row block, for each panel of B, for each tile of rows:
//!                     acc[row][gate] = Σ_k A[row][k] · B[k][gate]      (in registers, k in order)
//!                     epilogue(row, panel, acc)                        (the gates' arithmetic)
//! GradProduct:    C[m][n] += Σ_k A[k][m] · B[k][n]           (weights' gradients, k in blocks)
//! ```
//!
//! B is packed in panels of one vector's width and `G` gates: `[panel][k][gate][lane]`, so that one
//! tile sees all gates of its hidden units. Columns past the last are zero. Every output value is
//! one chain of fused multiply-adds over k, whatever the tile: the partition of rows never changes
//! a bit.

mod epilogue;
mod gradients;
mod multiply;
mod operands;
mod pack;
mod tile;

pub(crate) use epilogue::{Epilogue, Store};
pub(crate) use gradients::{GradProduct, Right, grad_product, grad_scratch};
pub(crate) use multiply::Product;
pub(crate) use operands::{Panels, Rows, lanes};
pub(crate) use pack::{Packing, Source, pack};
