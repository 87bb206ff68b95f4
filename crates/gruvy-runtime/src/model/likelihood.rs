//! What an answer says of a class.

/// `− ln softmax(logits)[target]`, in `f64`.
pub(crate) fn negative_log_likelihood(logits: &[f32], target: usize) -> f64 {
    let max = f64::from(logits.iter().copied().fold(f32::NEG_INFINITY, f32::max));
    let sum: f64 = logits.iter().map(|l| (f64::from(*l) - max).exp()).sum();
    max + sum.ln() - f64::from(logits[target])
}
