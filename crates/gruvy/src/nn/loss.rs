//! What heads are trained with, as means over everything that is predicted.
use burn::tensor::{
    Int, Tensor,
    activation::{log_sigmoid, log_softmax},
};

/// Mean cross entropy `[1]`, in nats, of `logits [N, V]` against the classes `targets [N]`.
///
/// ```text
/// loss = −(1 − s) · log p(target) − s · mean over all v of log p(v),   p = softmax(logits)
/// ```
/// s = `smoothing` spreads that share of each target over all classes (label smoothing,
/// 1512.00567); 0 is the plain loss. With `weights [V]` the mean is weighted: each item counts as
/// much as its class.
pub fn cross_entropy(
    logits: Tensor<2>,
    targets: Tensor<1, Int>,
    smoothing: f64,
    weights: Option<Tensor<1>>,
) -> Tensor<1> {
    let [count, _] = logits.dims();
    let log_p = log_softmax(logits, 1);
    let of_target = log_p.clone().gather(1, targets.clone().reshape([count, 1])).neg();
    let losses = match smoothing {
        0.0 => of_target,
        _ => of_target.mul_scalar(1.0 - smoothing) - log_p.mean_dim(1).mul_scalar(smoothing),
    };
    let Some(weights) = weights else { return losses.mean() };
    let weights = weights.select(0, targets);
    (losses.reshape([count]) * weights.clone()).sum() / weights.sum()
}

/// Mean binary cross entropy `[1]`, in nats, of `logits [N, V]` against `targets [N, V]` of 0 and
/// 1: a yes or no to each class by itself.
///
/// ```text
/// loss = mean of −(w y log σ(x) + (1 − y) log(1 − σ(x))),   w = weights [V], of a yes
/// ```
/// s = `smoothing` moves each target by s towards ½: y (1 − s) + s / 2.
pub fn binary_cross_entropy(
    logits: Tensor<2>,
    targets: Tensor<2>,
    smoothing: f64,
    weights: Option<Tensor<1>>,
) -> Tensor<1> {
    let targets = targets.mul_scalar(1.0 - smoothing).add_scalar(smoothing / 2.0);
    // log(1 − σ(x)) = log σ(x) − x
    let yes = match weights {
        Some(weights) => targets.clone() * weights.sub_scalar(1.0).unsqueeze() + 1.0,
        None => targets.ones_like(),
    };
    ((targets.neg() + 1.0) * logits.clone() - yes * log_sigmoid(logits)).mean()
}

/// Mean squared error `[1]` of `answers` against `targets`, both `[N, V]`.
pub fn mean_squared_error(answers: Tensor<2>, targets: Tensor<2>) -> Tensor<1> {
    (answers - targets).square().mean()
}
