//! A layer over a whole sequence, for any cell: the order of the steps, and which thread does what.
//!
//! ```text
//! forward   each thread, its rows of the batch:
//!               for each chunk of steps:  X · W_ih + b for the chunk, then step by step the cell
//! backward  for each window of steps, the last first:   (one window, or many that are recomputed)
//!               each thread, its rows of the batch:     step by step in reverse, gate gradients
//!                                                       over the saved values
//!               each thread, its share:                 weight gradients (rows of the weights)
//!                                                       and dx (rows of x)
//! ```
//!
//! Each thread runs all steps on its rows of the batch, with no barrier. Rows past their length are
//! carried along and masked; steps past the longest length are left out.

mod backward;
mod backward_rows;
mod call;
mod forward;
mod forward_rows;
mod job;
mod plan;
mod weight_gradients;

pub(crate) use backward::backward;
pub(crate) use call::Call;
pub(crate) use forward::step;
pub(crate) use job::{Forward, Targets};
