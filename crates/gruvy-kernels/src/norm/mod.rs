//! Layer normalisation of the gates' arguments, of every gate on its own (Ba et al., 1607.06450).
//!
//! ```text
//! x̂ = (v − mean v) / √(var v + ε)      out = gain ⊙ x̂
//! dgain += d ⊙ x̂      u = d ⊙ gain      dv = (u − mean u − x̂ mean(u ⊙ x̂)) / √(var v + ε)
//! ```
//! v is one gate's part of a row, of the input or of the state. A row's mean needs the whole row,
//! so a step's product leaves its sums in memory first; then the cell's epilogue runs over them as
//! if they came out of the product. What is saved are x̂ and the scale `1 / √(var v + ε)`.

mod backward;
mod forward;

pub(crate) use backward::BackwardNorm;
pub(crate) use forward::{ForwardNorm, Gains, Interleaved, Save, normalise};
