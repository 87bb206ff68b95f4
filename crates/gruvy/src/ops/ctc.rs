//! Connectionist temporal classification as a single Burn operation.
//!
//! ```text
//! loss = Σ_b weight_b · −ln P(labels_b | softmax(logits[.., b, ..]))
//! ```
//! On Flex the kernel computes the gradient together with the loss, and the graph holds it in place
//! of probabilities. On any other backend the kernel works on a copy of the logits in memory.
use super::ahead::{Ahead, Gradient};
use super::call::{expect, has_kernels};
use super::fused::{dense, floats, tensor};
use super::memory::Memory;
use burn::backend::autodiff::{
    checkpoint::strategy::CheckpointStrategy,
    ops::{Backward, OpsKind},
};
use burn::backend::flex::FlexTensor;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Dispatch, Flex, TensorMetadata, backend_extension};
use burn::tensor::{Tensor, TensorData};
use gruvy_kernels::{Ctc, CtcTargets, Isa};
use std::sync::Arc;

/// What the sequences of a batch are to say, and what the loss of each counts.
#[derive(Clone, Debug)]
pub struct CtcAsked {
    /// Labels of all sequences one after another, each in `1..V`.
    pub labels: Arc<[u32]>,
    /// `[B]`, how many of them are each sequence's.
    pub label_counts: Arc<[usize]>,
    /// `[B]`, steps of each sequence, at most T.
    pub lengths: Arc<[usize]>,
    /// `[B]`
    pub weights: Arc<[f32]>,
    /// Where the call finds its scratch.
    pub memory: Memory,
}

/// The weighted sum `[1]` over a batch of what `logits [T, B, V]` say of its labels, in nats, class 0
/// being the blank: [`gruvy_kernels::Ctc`].
///
/// Differentiable in `logits`.
///
/// # Panics
/// If shapes do not fit each other, a label is the blank or no class, or a sequence has too few
/// steps for its labels ([`Ctc::fewest_steps`]).
pub fn ctc_loss(logits: Tensor<3>, asked: CtcAsked) -> Tensor<1> {
    let [seq_len, _, classes] = logits.dims();
    expect("logits [T, B, V]", &logits, [seq_len, asked.lengths.len(), classes]);
    if has_kernels(&logits.device()) {
        return Tensor::from_dispatch(<Dispatch as CtcLoss>::ctc_loss(
            logits.into_dispatch(),
            asked,
        ));
    }
    let device = logits.device();
    let values: Vec<f32> = logits.clone().inner().into_data().iter::<f32>().collect();
    let mut gradient = vec![0.0; values.len()];
    let loss = kernel(&values, classes, &asked, Some(&mut gradient));
    let gradient = TensorData::new(gradient, logits.dims());
    // The value of the loss with the gradient of a product.
    let product = (logits * Tensor::from_data(gradient, &device)).sum();
    let rest = Tensor::<1>::from_data([loss], &device) - product.clone().detach();
    product + rest
}

#[backend_extension(Flex, Autodiff)]
pub trait CtcLoss: Backend {
    fn ctc_loss(logits: FloatTensor<Self>, asked: CtcAsked) -> FloatTensor<Self>;
}

impl CtcLoss for Flex {
    fn ctc_loss(logits: FlexTensor, asked: CtcAsked) -> FlexTensor {
        loss(logits, &asked, None)
    }
}

impl<C: CheckpointStrategy> CtcLoss for Autodiff<Flex, C> {
    fn ctc_loss(logits: FloatTensor<Self>, asked: CtcAsked) -> FloatTensor<Self> {
        let (logits, node) = logits.into_parts();
        match Ahead::<1>.prepare::<C>([node]).compute_bound().stateful() {
            OpsKind::Tracked(prep) => {
                let mut saved = [Gradient::of(&logits, &asked.memory)];
                let out = loss(logits, &asked, Some(saved[0].values.as_mut_slice()));
                prep.finish(saved, out)
            }
            OpsKind::UnTracked(prep) => prep.finish(loss(logits, &asked, None)),
        }
    }
}

/// The loss `[1]` of logits, and their gradient.
fn loss(logits: FlexTensor, asked: &CtcAsked, gradient: Option<&mut [f32]>) -> FlexTensor {
    let classes = logits.shape()[2];
    let logits = dense("logits", logits);
    tensor(vec![kernel(floats(&logits), classes, asked, gradient)], &[1])
}

fn kernel(logits: &[f32], classes: usize, asked: &CtcAsked, gradient: Option<&mut [f32]>) -> f32 {
    let CtcAsked { labels, label_counts, lengths, weights, memory } = asked;
    let targets = CtcTargets { labels, label_counts, lengths };
    let gradient = gradient.map(|to| (&weights[..], to));
    let losses = memory.with_workspace(|workspace| {
        Ctc { classes }.loss(Isa::best(), logits, targets, gradient, workspace)
    });
    losses.iter().zip(weights.iter()).map(|(loss, w)| loss * f64::from(*w)).sum::<f64>() as f32
}
