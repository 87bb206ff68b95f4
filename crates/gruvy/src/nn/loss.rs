//! What heads are trained with, as means over everything that is predicted.
use burn::tensor::{Int, Tensor, activation::log_softmax};

/// Mean cross entropy `[1]`, in nats, of `logits [N, V]` against the classes `targets [N]`.
///
/// ```text
/// loss = −(1 − s) · log p(target) − s · mean over all v of log p(v),   p = softmax(logits)
/// ```
/// s = `smoothing` spreads that share of each target over all classes (label smoothing, 1512.00567); 0 is the
/// plain loss.
pub fn cross_entropy(logits: Tensor<2>, targets: Tensor<1, Int>, smoothing: f64) -> Tensor<1> {
    let [count, _] = logits.dims();
    let log_p = log_softmax(logits, 1);
    let plain = log_p.clone().gather(1, targets.reshape([count, 1])).mean().neg();
    if smoothing == 0.0 {
        return plain;
    }
    plain.mul_scalar(1.0 - smoothing) - log_p.mean().mul_scalar(smoothing)
}

/// Mean squared error `[1]` of `answers` against `targets`, both `[N, V]`.
pub fn mean_squared_error(answers: Tensor<2>, targets: Tensor<2>) -> Tensor<1> {
    (answers - targets).square().mean()
}
