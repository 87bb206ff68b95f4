//! The recurrence as one backend operation over the kernels: Flex, and its hand-written gradient.
use super::call::{Settings, Weights, stream};
use super::memory::Buffer;
use super::memory::Memory;
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
use gruvy_kernels::{self as kernels, Isa, Sequence};

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
    #[extension_type]
    w_hh: Maybe<B>,
    #[extension_type]
    b_ih: Maybe<B>,
    #[extension_type]
    b_hh: Maybe<B>,
    #[extension_type]
    gain_ih: Maybe<B>,
    #[extension_type]
    gain_hh: Maybe<B>,
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

/// [`super::recurrence`] for tensors on Flex, shapes checked: y `[T, B, H]`, and behind it the
/// LSTM's last c.
pub(super) fn recurrence(
    settings: &Settings,
    x: Tensor<3>,
    h0: Option<Tensor<2>>,
    weights: Weights,
) -> Tensor<3> {
    fn maybe<const D: usize>(tensor: Option<Tensor<D>>) -> Maybe<Dispatch> {
        Maybe::from(tensor.map(Tensor::into_dispatch))
    }
    Tensor::from_dispatch(<Dispatch as Recurrence>::recurrence(
        Operands {
            x: x.into_dispatch(),
            w_ih: weights.w_ih.into_dispatch(),
            w_hh: maybe(weights.w_hh),
            b_ih: maybe(weights.b_ih),
            b_hh: maybe(weights.b_hh),
            gain_ih: maybe(weights.gain_ih),
            gain_hh: maybe(weights.gain_hh),
            h0: maybe(h0),
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
            2 => record::<C, 2>(call, nodes),
            3 => record::<C, 3>(call, nodes),
            4 => record::<C, 4>(call, nodes),
            5 => record::<C, 5>(call, nodes),
            6 => record::<C, 6>(call, nodes),
            7 => record::<C, 7>(call, nodes),
            _ => record::<C, 8>(call, nodes),
        }
    }
}

/// The tensors without their graph, and the nodes of those that are given, in the order of the
/// fields.
fn split<C: CheckpointStrategy>(
    operands: Operands<Autodiff<Flex, C>>,
) -> (Operands<Flex>, Vec<NodeGuard>) {
    let mut nodes = Vec::with_capacity(8);
    let mut take = |tensor: FloatTensor<Autodiff<Flex, C>>| {
        let (tensor, node) = tensor.into_parts();
        nodes.push(node);
        tensor
    };
    let x = take(operands.x);
    let w_ih = take(operands.w_ih);
    let mut maybe = |tensor: Maybe<_>| Maybe::from(tensor.into_option().map(&mut take));
    let operands = Operands {
        x,
        w_ih,
        w_hh: maybe(operands.w_hh),
        b_ih: maybe(operands.b_ih),
        b_hh: maybe(operands.b_hh),
        gain_ih: maybe(operands.gain_ih),
        gain_hh: maybe(operands.gain_hh),
        h0: maybe(operands.h0),
    };
    (operands, nodes)
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
            let out = call.forward(Some(saved.as_mut_slice()));
            prep.finish(State { call, out: out.clone(), saved }, out)
        }
        OpsKind::UnTracked(prep) => prep.finish(call.forward(None)),
    }
}

/// The gradient of the operation. Its parents are the given tensors, in the order of [`Operands`].
#[derive(Debug)]
struct RecurrenceBackward;

/// What the backward pass needs. It is moved out of the graph, so `saved` may be used up without a
/// copy.
#[derive(Clone, Debug)]
struct State {
    call: Call,
    /// `[T + K − 1, B, H]`
    out: FlexTensor,
    saved: Buffer,
}

/// The gradients of a call's operands, those of x and h0 only if they are wanted.
struct Found {
    dx: Option<Buffer>,
    dw_ih: Vec<f32>,
    /// In the order of [`Operands::optional`].
    optional: [Option<Vec<f32>>; 6],
}

impl<const N: usize> Backward<Flex, N> for RecurrenceBackward {
    type State = State;

    fn backward(self, ops: Ops<State, N>, grads: &mut Gradients, _: &mut Checkpointer) {
        let State { call, out, mut saved } = ops.state;
        let dout = dense("dy", grads.consume::<Flex>(&ops.node));

        // The ids of the parents that want a gradient.
        let mut parents = ops.parents.into_iter().map(|node| node.map(|node| node.id));
        let mut wanted = |given: bool| if given { parents.next().flatten() } else { None };
        let (x_id, w_ih_id) = (wanted(true), wanted(true));
        let given = call.operands.optional();
        let ids = given.map(|tensor| wanted(tensor.is_some()));

        let zeros = |t: &FlexTensor| vec![0.0f32; t.shape().num_elements()];
        let mut found = Found {
            dx: x_id.map(|_| call.memory().buffer(call.operands.x.shape().num_elements())),
            dw_ih: zeros(&call.operands.w_ih),
            optional: given.map(|tensor| tensor.map(zeros)),
        };
        if ids[5].is_none() {
            found.optional[5] = None;
        }
        call.backward(&out, &mut saved, &dout, &mut found);

        let mut register = |id, gradient: Option<Vec<f32>>, like: Option<&FlexTensor>| {
            if let (Some(id), Some(gradient), Some(like)) = (id, gradient, like) {
                grads.register::<Flex>(id, tensor(gradient, &like.shape().to_vec()));
            }
        };
        register(w_ih_id, Some(found.dw_ih), Some(&call.operands.w_ih));
        for ((id, gradient), like) in ids.into_iter().zip(found.optional).zip(given) {
            register(id, gradient, like);
        }
        if let (Some(id), Some(dx)) = (x_id, found.dx) {
            grads.register::<Flex>(id, dx.into_tensor(&call.operands.x.shape().to_vec()));
        }
    }
}

impl Operands<Flex> {
    /// The tensors that may be missing, in the order of the fields.
    fn optional(&self) -> [Option<&FlexTensor>; 6] {
        let Self { w_hh, b_ih, b_hh, gain_ih, gain_hh, h0, .. } = self;
        [w_hh, b_ih, b_hh, gain_ih, gain_hh, h0].map(Maybe::as_option)
    }
}

/// The masks that are laid over whole buffers.
struct Drops {
    input: Vec<kernels::Dropout>,
    weights: Option<kernels::Dropout>,
}

/// One call of the operation: dense tensors on Flex and their sizes.
#[derive(Clone, Debug)]
struct Call {
    operands: Operands<Flex>,
    /// x and w_hh with their masks, where they have some.
    masked_x: Option<Buffer>,
    masked_w_hh: Option<Buffer>,
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
            w_hh: maybe("w_hh", operands.w_hh),
            b_ih: maybe("b_ih", operands.b_ih),
            b_hh: maybe("b_hh", operands.b_hh),
            gain_ih: maybe("gain_ih", operands.gain_ih),
            gain_hh: maybe("gain_hh", operands.gain_hh),
            h0: maybe("h0", operands.h0),
        };
        let [seq_len, batch, input] = operands.x.shape().dims();
        let [rows, _] = operands.w_ih.shape().dims();
        let hidden = rows / settings.cell.gates();
        let (masked_x, masked_w_hh) = (None, None);
        let memory = settings.memory.clone();
        let mut call =
            Self { operands, masked_x, masked_w_hh, settings, seq_len, batch, input, hidden };
        let masked = |tensor: &FlexTensor, drops: &[kernels::Dropout]| {
            let values = floats(tensor);
            let mut copy = memory.buffer(values.len());
            copy.as_mut_slice().copy_from_slice(values);
            drops.iter().for_each(|drop| drop.apply(copy.as_mut_slice()));
            copy
        };
        let drops = call.drops();
        call.masked_x = (!drops.input.is_empty()).then(|| masked(&call.operands.x, &drops.input));
        call.masked_w_hh = (drops.weights.zip(call.operands.w_hh.as_option()))
            .map(|(drop, w_hh)| masked(w_hh, &[drop]));
        call
    }

    fn memory(&self) -> &Memory {
        &self.settings.memory
    }

    /// The masks over x and w_hh.
    fn drops(&self) -> Drops {
        let noise = self.settings.noise.unwrap_or_default();
        let drop = |rate: f32, n: u64, period| {
            let seed = stream(noise.seed, n);
            (rate > 0.0).then_some(kernels::Dropout { rate, seed, period })
        };
        let row = Some(self.batch * self.input);
        let input = [drop(noise.dropout, 0, None), drop(noise.input_dropout, 1, row)];
        let direction = u64::from(self.settings.reverse);
        Drops {
            input: input.into_iter().flatten().collect(),
            weights: drop(noise.weight_dropout, 2 + direction, None),
        }
    }

    fn layer(&self) -> kernels::Layer<'_> {
        let [w_hh, b_ih, b_hh, gain_ih, gain_hh, _] =
            self.operands.optional().map(|tensor| tensor.map(floats));
        let w_hh = self.masked_w_hh.as_ref().map(Buffer::as_slice).or(w_hh).unwrap_or_default();
        let gain_hh = gain_hh.unwrap_or_default();
        kernels::Layer {
            cell: self.settings.cell,
            input: self.input,
            hidden: self.hidden,
            zoneout: self.settings.zoneout,
            weights: kernels::Weights {
                w_ih: floats(&self.operands.w_ih),
                w_hh,
                b_ih,
                b_hh,
                norm: gain_ih.map(|gain_ih| kernels::Norm { gain_ih, gain_hh }),
            },
        }
    }

    fn pass(&self) -> kernels::Pass<'_> {
        let seq = Sequence {
            seq_len: self.seq_len,
            batch: self.batch,
            lengths: self.settings.lengths.as_deref(),
            reverse: self.settings.reverse,
        };
        let x = self.masked_x.as_ref().map_or(floats(&self.operands.x), Buffer::as_slice);
        let h0 = self.operands.h0.as_option().map(floats);
        let Settings { recompute, .. } = self.settings;
        kernels::Pass { seq, x, h0, noise: self.settings.kernel_noise(), recompute }
    }

    /// A buffer for what a forward pass saves.
    fn saved(&self) -> Buffer {
        self.memory().buffer(self.layer().saved_values(&self.pass()))
    }

    /// y `[T, B, H]`, and behind it the vectors of the last states after h.
    fn forward(&self, saved: Option<&mut [f32]>) -> FlexTensor {
        let (states, hidden) = (self.settings.cell.states(), self.hidden);
        let steps = self.seq_len * self.batch * hidden;
        let mut out = self.memory().buffer(steps + (states - 1) * self.batch * hidden);
        let mut last = (states > 1).then(|| vec![0.0; self.batch * states * hidden]);
        let (y, behind) = out.as_mut_slice().split_at_mut(steps);
        self.memory().with_packed(&self.layer(), |packed| {
            self.memory().with_workspace(|workspace| {
                let output = kernels::Output { y, last: last.as_deref_mut(), saved };
                packed.forward(&self.pass(), output, workspace)
            })
        });
        if let Some(last) = last {
            let rows = last.chunks_exact(2 * hidden).zip(behind.chunks_exact_mut(hidden));
            rows.for_each(|(state, c)| c.copy_from_slice(&state[hidden..]));
        }
        out.into_tensor(&[self.seq_len + states - 1, self.batch, hidden])
    }

    /// The gradients of the operands, from that of what the forward pass gave and saved.
    fn backward(&self, out: &FlexTensor, saved: &mut Buffer, dout: &FlexTensor, found: &mut Found) {
        let steps = self.seq_len * self.batch * self.hidden;
        let (dy, dc) = floats(dout).split_at(steps);
        let dlast = self.last_from(dc);
        let Found { dx, dw_ih, optional: [dw_hh, db_ih, db_hh, dgain_ih, dgain_hh, dh0] } = found;
        self.memory().with_workspace(|workspace| {
            kernels::backward(
                Isa::best(),
                &self.layer(),
                &self.pass(),
                kernels::Tape {
                    y: &floats(out)[..steps],
                    saved: saved.as_mut_slice(),
                    dy,
                    dlast: dlast.as_deref(),
                },
                kernels::Gradients {
                    dx: dx.as_mut().map(Buffer::as_mut_slice),
                    dh0: dh0.as_deref_mut(),
                    dw_ih,
                    dw_hh: dw_hh.as_deref_mut().unwrap_or_default(),
                    db_ih: db_ih.as_deref_mut(),
                    db_hh: db_hh.as_deref_mut(),
                    dgain_ih: dgain_ih.as_deref_mut(),
                    dgain_hh: dgain_hh.as_deref_mut(),
                },
                workspace,
            )
        });
        let drops = self.drops();
        if let Some(dx) = dx {
            drops.input.iter().for_each(|drop| drop.apply(dx.as_mut_slice()));
        }
        if let Some(dw_hh) = dw_hh {
            drops.weights.iter().for_each(|drop| drop.apply(dw_hh));
        }
    }

    /// The gradient `[B, K * H]` of the last states from that of the vectors behind y; the last h
    /// is a part of y.
    fn last_from(&self, behind: &[f32]) -> Option<Vec<f32>> {
        if behind.is_empty() {
            return None;
        }
        let hidden = self.hidden;
        let mut last = vec![0.0; 2 * behind.len()];
        let rows = last.chunks_exact_mut(2 * hidden).zip(behind.chunks_exact(hidden));
        rows.for_each(|(state, c)| state[hidden..].copy_from_slice(c));
        Some(last)
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
pub(super) fn dense(name: &str, tensor: FlexTensor) -> FlexTensor {
    let dtype = tensor.dtype();
    assert!(dtype == DType::F32, "expected {name} in f32, got {dtype:?}");
    if tensor.as_slice::<f32>().is_some() { tensor } else { tensor.to_contiguous() }
}

/// The values of a [dense] tensor.
pub(super) fn floats(tensor: &FlexTensor) -> &[f32] {
    tensor.as_slice().expect("a dense f32 tensor")
}

pub(super) fn tensor(values: Vec<f32>, shape: &[usize]) -> FlexTensor {
    let layout = Layout::contiguous(Shape::from(shape.to_vec()));
    FlexTensor::new(Bytes::from_elems(values), layout, DType::F32)
}
