//! Softmax cross entropy of a linear head, and all its gradients, a block of rows at a time.
//!
//! ```text
//! z    = (x ⊙ mask) Wᵀ + b                                      mask: dropout, if any
//! loss = mean over rows of lse(z) − (1 − s) · z[target] − s · mean over v of z[v]
//!                                                               lse(z) = ln Σ_v e^z[v]
//! dz   = (softmax(z) − (1 − s) · [v = target] − s / V) / N      in place of z
//! dx   = (dz W) ⊙ mask,   dW += dzᵀ (x ⊙ mask),   db += Σ dz
//! ```
//! A graph ends at the loss, so its gradients are known as soon as the loss is. They are computed
//! in the same pass, and neither logits nor probabilities outlive their block of rows. s is the
//! label smoothing (1512.00567).

mod head;
mod job;
mod packed;
mod plan;
mod softmax;

pub use head::{LinearCrossEntropy, LinearGradients};
