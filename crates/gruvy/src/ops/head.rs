//! A linear head with dropout and softmax cross entropy, as a single Burn operation.
//!
//! ```text
//! loss = mean over rows of the cross entropy of softmax((x ⊙ mask) Wᵀ + b) against the targets
//! ```
//! On Flex the kernel computes all gradients together with the loss, and the graph holds them in
//! place of logits, probabilities and mask. On any other backend it is [`plain_head`], the same
//! function in ordinary tensor operations.
use super::ahead::{Ahead, Gradient};
use super::call::{Head, expect, has_kernels};
use super::fused::{dense, floats, tensor};
use super::memory::Memory;
use super::plain::plain_head;
use burn::backend::autodiff::{
    checkpoint::strategy::CheckpointStrategy,
    ops::{Backward, OpsKind},
};
use burn::backend::flex::FlexTensor;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Dispatch, Flex, backend_extension};
use burn::tensor::{Int, Tensor};
use gruvy_kernels::{Dropout, Isa, LinearCrossEntropy, LinearGradients};
use std::sync::Arc;

/// Mean cross entropy `[1]`, in nats, of a head's logits against the classes `targets [N]`, a share
/// `smoothing` of each target spread over all classes:
/// [`nn::cross_entropy`](crate::nn::cross_entropy) of the head's logits, which are never all in
/// memory.
///
/// Differentiable in `x`, `weight` and `bias`.
///
/// # Panics
/// If shapes or data types do not fit each other, a target is no class, or a rate is out of range.
pub fn linear_cross_entropy(head: Head, targets: Tensor<1, Int>, smoothing: f64) -> Tensor<1> {
    let ([rows], [classes], [_, inputs]) = (targets.dims(), head.bias.dims(), head.x.dims());
    expect("x [N, I]", &head.x, [rows, inputs]);
    expect("weight [V, I]", &head.weight, [classes, inputs]);
    expect("bias [V]", &head.bias, [classes]);
    if !has_kernels(&head.x.device()) {
        return plain_head(head, targets, smoothing);
    }
    // A target that is none stays none.
    let target = |target: i64| u32::try_from(target).unwrap_or(u32::MAX);
    let asked = Asked {
        targets: targets.into_data().iter::<i64>().map(target).collect(),
        smoothing: smoothing as f32,
        dropout: head.dropout,
        memory: head.memory,
    };
    Tensor::from_dispatch(<Dispatch as HeadLoss>::head_loss(
        head.x.into_dispatch(),
        head.weight.into_dispatch(),
        head.bias.into_dispatch(),
        asked,
    ))
}

/// What a loss is asked for, apart from tensors.
#[derive(Clone, Debug)]
pub struct Asked {
    targets: Arc<[u32]>,
    smoothing: f32,
    dropout: Option<Dropout>,
    memory: Memory,
}

#[backend_extension(Flex, Autodiff)]
pub trait HeadLoss: Backend {
    fn head_loss(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        asked: Asked,
    ) -> FloatTensor<Self>;
}

impl HeadLoss for Flex {
    fn head_loss(x: FlexTensor, weight: FlexTensor, bias: FlexTensor, asked: Asked) -> FlexTensor {
        loss([x, weight, bias], &asked, None)
    }
}

impl<C: CheckpointStrategy> HeadLoss for Autodiff<Flex, C> {
    fn head_loss(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        asked: Asked,
    ) -> FloatTensor<Self> {
        let parts = [x, weight, bias].map(|tensor| tensor.into_parts());
        let [(x, x_node), (weight, weight_node), (bias, bias_node)] = parts;
        let (operands, nodes) = ([x, weight, bias], [x_node, weight_node, bias_node]);
        match Ahead::<3>.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(prep) => {
                let all = [&operands[0], &operands[1], &operands[2]];
                let mut saved = all.map(|of| Gradient::of(of, &asked.memory));
                // The kernel sets dx and adds to the others.
                saved[1..].iter_mut().for_each(|g| g.values.as_mut_slice().fill(0.0));
                let out = loss(operands, &asked, Some(&mut saved));
                prep.finish(saved, out)
            }
            OpsKind::UnTracked(prep) => prep.finish(loss(operands, &asked, None)),
        }
    }
}

/// The loss `[1]` of x, weight and bias, and their gradients.
fn loss(
    operands: [FlexTensor; 3],
    asked: &Asked,
    gradients: Option<&mut [Gradient; 3]>,
) -> FlexTensor {
    let [x, weight, bias] = operands.map(|tensor| dense("head", tensor));
    let Asked { ref targets, smoothing, dropout, ref memory } = *asked;
    let (weight, bias) = (floats(&weight), floats(&bias));
    let head = LinearCrossEntropy { weight, bias, smoothing, dropout };
    let gradients = gradients.map(|[dx, dweight, dbias]| LinearGradients {
        dx: dx.values.as_mut_slice(),
        dweight: dweight.values.as_mut_slice(),
        dbias: dbias.values.as_mut_slice(),
    });
    let loss =
        memory.with_workspace(|ws| head.loss(Isa::best(), floats(&x), targets, gradients, ws));
    tensor(vec![loss as f32], &[1])
}
