//! Connectionist temporal classification (Graves et al. 2006): the loss of a sequence of labels that
//! is shorter than the steps which say it, and its gradient, in one pass.
//!
//! ```text
//! p_t   = softmax(z_t)                                   over V classes, of which 0 is the blank
//! l'    = blank, l_1, blank, l_2, …, l_L, blank          S = 2 L + 1 states
//! α_t,s = p_t[l'_s] · (α_t-1,s + α_t-1,s-1 + [may skip] α_t-1,s-2)
//! β_t,s = Σ over the states r that may follow s of p_t+1[l'_r] · β_t+1,r
//! loss  = −ln(α_T,S + α_T,S-1)
//! dz_t  = p_t − γ_t,   γ_t[v] = Σ over s with l'_s = v of α_t,s · β_t,s, divided by its sum
//! ```
//! A label may be skipped to from the label before if the two differ; between equal labels there
//! has to be a blank. All of it is computed in log space, relative to the largest value of a step,
//! whose sum is kept in `f64`: 10,000 steps lose no more digits than one.

mod call;
mod lattice;

pub use call::{Ctc, CtcTargets};
