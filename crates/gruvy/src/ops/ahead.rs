//! Gradients that are computed together with a loss: a graph ends at it, so they are known as soon
//! as it is, up to the factor that the backward pass brings.
use super::fused::{dense, floats};
use super::memory::{Buffer, Memory};
use burn::backend::autodiff::{
    checkpoint::base::Checkpointer,
    grads::Gradients,
    ops::{Backward, Ops},
};
use burn::backend::flex::FlexTensor;
use burn::backend::{Flex, TensorMetadata};

/// The backward pass of a loss whose `N` parents' gradients are the state.
#[derive(Debug)]
pub(super) struct Ahead<const N: usize>;

/// A gradient of the loss.
#[derive(Clone, Debug)]
pub(super) struct Gradient {
    pub values: Buffer,
    shape: Vec<usize>,
}

impl Gradient {
    /// Of a loss in `of`, its values yet to be set.
    pub fn of(of: &FlexTensor, memory: &Memory) -> Self {
        let shape = of.shape();
        Self { values: memory.buffer(shape.num_elements()), shape: shape.to_vec() }
    }
}

impl<const N: usize> Backward<Flex, N> for Ahead<N> {
    type State = [Gradient; N];

    fn backward(self, ops: Ops<Self::State, N>, grads: &mut Gradients, _: &mut Checkpointer) {
        let dloss = dense("dloss", grads.consume::<Flex>(&ops.node));
        let factor = floats(&dloss)[0];
        for (node, Gradient { mut values, shape }) in ops.parents.into_iter().zip(ops.state) {
            let Some(node) = node else { continue };
            if factor != 1.0 {
                values.as_mut_slice().iter_mut().for_each(|v| *v *= factor);
            }
            grads.register::<Flex>(node.id, values.into_tensor(&shape));
        }
    }
}
