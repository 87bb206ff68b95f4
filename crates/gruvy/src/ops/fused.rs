//! The recurrence as one backend operation over the kernels: Flex, and its hand-written gradient.
use super::pool::{Buffer, with_packed, with_workspace};
use super::{Settings, Weights};
use burn::backend::autodiff::{
    checkpoint::{base::Checkpointer, strategy::CheckpointStrategy},
    grads::Gradients,
    ops::{Backward, NodeGuard, Ops, OpsKind},
};
use burn::backend::flex::{FlexTensor, Layout};
use burn::backend::tensor::FloatTensor;
use burn::backend::{
    Autodiff, Backend, Dispatch, ExtensionType, Flex, TensorMetadata, backend_extension,
};
use burn::tensor::{Bytes, DType, Shape, Tensor};
use gruvy_kernels::{self as kernels, Sequence};

/// A tensor that may be missing (the extension macro has no `Option`).
#[derive(Debug, Clone, ExtensionType)]
pub enum Maybe<B: Backend> {
    Given(FloatTensor<B>),
    Missing,
}

/// The tensors of the operation.
#[derive(Debug, Clone, ExtensionType)]
pub struct Operands<B: Backend> {
    x: FloatTensor<B>,
    w_ih: FloatTensor<B>,
    w_hh: FloatTensor<B>,
    #[extension_type]
    b_ih: Maybe<B>,
    #[extension_type]
    b_hh: Maybe<B>,
    #[extension_type]
    h0: Maybe<B>,
}

#[backend_extension(Flex, Autodiff)]
pub trait Recurrence: Backend {
    fn recurrence(
        #[extension_type] operands: Operands<Self>,
        settings: Settings,
    ) -> FloatTensor<Self>;
}

/// [`super::recurrence`] for tensors on Flex, shapes checked.
pub(super) fn recurrence(
    settings: &Settings,
    x: Tensor<3>,
    h0: Option<Tensor<2>>,
    weights: Weights,
) -> Tensor<3> {
    let bias = |b: Option<Tensor<1>>| Maybe::from(b.map(Tensor::into_dispatch));
    Tensor::from_dispatch(<Dispatch as Recurrence>::recurrence(
        Operands {
            x: x.into_dispatch(),
            w_ih: weights.w_ih.into_dispatch(),
            w_hh: weights.w_hh.into_dispatch(),
            b_ih: bias(weights.b_ih),
            b_hh: bias(weights.b_hh),
            h0: Maybe::from(h0.map(Tensor::into_dispatch)),
        },
        settings.clone(),
    ))
}

impl Recurrence for Flex {
    fn recurrence(operands: Operands<Self>, settings: Settings) -> FlexTensor {
        Call::new(operands, settings).forward(None)
    }
}

impl<C: CheckpointStrategy> Recurrence for Autodiff<Flex, C> {
    fn recurrence(operands: Operands<Self>, settings: Settings) -> FloatTensor<Self> {
        let (operands, nodes) = split(operands);
        let call = Call::new(operands, settings);
        match nodes.len() {
            3 => record::<C, 3>(call, nodes),
            4 => record::<C, 4>(call, nodes),
            5 => record::<C, 5>(call, nodes),
            _ => record::<C, 6>(call, nodes),
        }
    }
}

/// The tensors without their graph, and the nodes of those that are given, in the order of the fields.
fn split<C: CheckpointStrategy>(
    operands: Operands<Autodiff<Flex, C>>,
) -> (Operands<Flex>, Vec<NodeGuard>) {
    let mut nodes = Vec::with_capacity(6);
    let mut take = |tensor: FloatTensor<Autodiff<Flex, C>>| {
        let (tensor, node) = tensor.into_parts();
        nodes.push(node);
        tensor
    };
    let x = take(operands.x);
    let w_ih = take(operands.w_ih);
    let w_hh = take(operands.w_hh);
    let [b_ih, b_hh, h0] = [operands.b_ih, operands.b_hh, operands.h0]
        .map(|tensor| Maybe::from(tensor.into_option().map(&mut take)));
    (Operands { x, w_ih, w_hh, b_ih, b_hh, h0 }, nodes)
}

/// Runs the call and enters it into the graph with its `N` given tensors as parents.
fn record<C: CheckpointStrategy, const N: usize>(
    call: Call,
    nodes: Vec<NodeGuard>,
) -> FloatTensor<Autodiff<Flex, C>> {
    let nodes: [NodeGuard; N] = nodes.try_into().expect("N nodes");
    match RecurrenceBackward.prepare::<C>(nodes).compute_bound().stateful() {
        OpsKind::Tracked(prep) => {
            let mut saved = call.saved();
            let y = call.forward(Some(saved.as_mut_slice()));
            prep.finish(State { call, y: y.clone(), saved }, y)
        }
        OpsKind::UnTracked(prep) => prep.finish(call.forward(None)),
    }
}

/// The gradient of the operation. Its parents are the given tensors, in the order of [`Operands`].
#[derive(Debug)]
struct RecurrenceBackward;

/// What the backward pass needs. It is moved out of the graph, so `saved` may be used up without a copy.
#[derive(Clone, Debug)]
struct State {
    call: Call,
    /// `[T, B, H]`
    y: FlexTensor,
    /// `[T, B, S, H]`
    saved: Buffer,
}

impl<const N: usize> Backward<Flex, N> for RecurrenceBackward {
    type State = State;

    fn backward(self, ops: Ops<State, N>, grads: &mut Gradients, _: &mut Checkpointer) {
        let State { call, y, mut saved } = ops.state;
        let dy = dense("dy", grads.consume::<Flex>(&ops.node));
        let Operands { b_ih, b_hh, h0, .. } = &call.operands;
        let [b_ih, b_hh, h0] = [b_ih, b_hh, h0].map(Maybe::as_option);

        // The ids of the parents that want a gradient.
        let mut parents = ops.parents.into_iter().map(|node| node.map(|node| node.id));
        let mut parent = |given: bool| if given { parents.next().flatten() } else { None };
        let [x_id, w_ih_id, w_hh_id] = [true; 3].map(&mut parent);
        let [b_ih_id, b_hh_id, h0_id] = [b_ih, b_hh, h0].map(|t| parent(t.is_some()));

        let zeros = |t: &FlexTensor| vec![0.0f32; t.shape().num_elements()];
        let mut dx = x_id.map(|_| zeros(&call.operands.x));
        let mut dh0 = h0.filter(|_| h0_id.is_some()).map(zeros);
        let mut dw_ih = zeros(&call.operands.w_ih);
        let mut dw_hh = zeros(&call.operands.w_hh);
        let [mut db_ih, mut db_hh] = [b_ih, b_hh].map(|b| b.map(zeros));
        with_workspace(|workspace| {
            kernels::backward(
                call.settings.cell,
                [call.input, call.hidden],
                &call.weights(),
                &call.sequence(),
                floats(&call.operands.x),
                h0.map(floats),
                floats(&y),
                saved.as_mut_slice(),
                floats(&dy),
                kernels::Gradients {
                    dx: dx.as_deref_mut(),
                    dh0: dh0.as_deref_mut(),
                    dw_ih: &mut dw_ih,
                    dw_hh: &mut dw_hh,
                    db_ih: db_ih.as_deref_mut(),
                    db_hh: db_hh.as_deref_mut(),
                },
                workspace,
            )
        });

        let Call { seq_len, batch, input, hidden, .. } = call;
        let rows = call.settings.cell.gates() * hidden;
        let mut register = |id, gradient: Option<Vec<f32>>, shape: &[usize]| {
            if let (Some(id), Some(gradient)) = (id, gradient) {
                grads.register::<Flex>(id, tensor(gradient, shape));
            }
        };
        register(x_id, dx, &[seq_len, batch, input]);
        register(w_ih_id, Some(dw_ih), &[rows, input]);
        register(w_hh_id, Some(dw_hh), &[rows, hidden]);
        register(b_ih_id, db_ih, &[rows]);
        register(b_hh_id, db_hh, &[rows]);
        register(h0_id, dh0, &[batch, hidden]);
    }
}

/// One call of the operation: dense tensors on Flex and their sizes.
#[derive(Clone, Debug)]
struct Call {
    operands: Operands<Flex>,
    settings: Settings,
    seq_len: usize,
    batch: usize,
    input: usize,
    hidden: usize,
}

impl Call {
    fn new(operands: Operands<Flex>, settings: Settings) -> Self {
        let maybe =
            |name, tensor: Maybe<Flex>| Maybe::from(tensor.into_option().map(|t| dense(name, t)));
        let operands: Operands<Flex> = Operands {
            x: finite_past_end(dense("x", operands.x), settings.lengths.as_deref()),
            w_ih: dense("w_ih", operands.w_ih),
            w_hh: dense("w_hh", operands.w_hh),
            b_ih: maybe("b_ih", operands.b_ih),
            b_hh: maybe("b_hh", operands.b_hh),
            h0: maybe("h0", operands.h0),
        };
        let [seq_len, batch, input] = operands.x.shape().dims();
        let [_, hidden] = operands.w_hh.shape().dims();
        Self { operands, settings, seq_len, batch, input, hidden }
    }

    fn sequence(&self) -> Sequence<'_> {
        Sequence {
            seq_len: self.seq_len,
            batch: self.batch,
            lengths: self.settings.lengths.as_deref(),
            reverse: self.settings.reverse,
        }
    }

    fn weights(&self) -> kernels::Weights<'_> {
        kernels::Weights {
            w_ih: floats(&self.operands.w_ih),
            w_hh: floats(&self.operands.w_hh),
            b_ih: self.operands.b_ih.as_option().map(floats),
            b_hh: self.operands.b_hh.as_option().map(floats),
        }
    }

    /// A buffer for what a forward pass saves, `[T, B, S, H]`.
    fn saved(&self) -> Buffer {
        Buffer::new(self.seq_len * self.batch * self.settings.cell.saved() * self.hidden)
    }

    fn forward(&self, saved: Option<&mut [f32]>) -> FlexTensor {
        let mut y = vec![0.0; self.seq_len * self.batch * self.hidden];
        let (cell, sizes) = (self.settings.cell, [self.input, self.hidden]);
        let (x, h0) = (floats(&self.operands.x), self.operands.h0.as_option().map(floats));
        with_packed(cell, sizes, &self.weights(), |packed| {
            with_workspace(|workspace| {
                packed.forward(&self.sequence(), x, h0, &mut y, saved, workspace)
            })
        });
        tensor(y, &[self.seq_len, self.batch, self.hidden])
    }
}

impl<B: Backend> Maybe<B> {
    fn into_option(self) -> Option<FloatTensor<B>> {
        match self {
            Maybe::Given(tensor) => Some(tensor),
            Maybe::Missing => None,
        }
    }

    fn as_option(&self) -> Option<&FloatTensor<B>> {
        match self {
            Maybe::Given(tensor) => Some(tensor),
            Maybe::Missing => None,
        }
    }

    fn from(tensor: Option<FloatTensor<B>>) -> Self {
        tensor.map_or(Maybe::Missing, Maybe::Given)
    }
}

/// x `[T, B, I]` itself, or a copy with zeros past the sequences' ends where something there is not
/// finite: the weight gradients are products over all steps, and zero times NaN would reach them.
fn finite_past_end(x: FlexTensor, lengths: Option<&[usize]>) -> FlexTensor {
    let [seq_len, batch, input] = x.shape().dims();
    let past = |lengths: &[usize]| -> Vec<_> {
        let rows = (0..seq_len * batch).filter(|row| row / batch >= lengths[row % batch]);
        rows.map(|row| row * input..(row + 1) * input).collect()
    };
    let past = lengths.map(past).unwrap_or_default();
    if past.iter().all(|row| floats(&x)[row.clone()].iter().all(|v| v.is_finite())) {
        return x;
    }
    let mut clean = floats(&x).to_vec();
    past.into_iter().for_each(|row| clean[row].fill(0.0));
    tensor(clean, &[seq_len, batch, input])
}

/// The tensor in row-major order without gaps.
fn dense(name: &str, tensor: FlexTensor) -> FlexTensor {
    let dtype = tensor.dtype();
    assert!(dtype == DType::F32, "recurrence: expected {name} in f32, got {dtype:?}");
    if tensor.as_slice::<f32>().is_some() { tensor } else { tensor.to_contiguous() }
}

/// The values of a [dense] tensor.
fn floats(tensor: &FlexTensor) -> &[f32] {
    tensor.as_slice().expect("a dense f32 tensor")
}

fn tensor(values: Vec<f32>, shape: &[usize]) -> FlexTensor {
    let layout = Layout::contiguous(Shape::from(shape.to_vec()));
    FlexTensor::new(Bytes::from_elems(values), layout, DType::F32)
}
