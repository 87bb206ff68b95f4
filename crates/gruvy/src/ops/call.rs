//! What a call of an operation takes, and what is checked of it.
use super::memory::Memory;
use burn::backend::DispatchDevice;
use burn::tensor::{Bool, DType, Device, Tensor, TensorData};
use gruvy_kernels::Cell;
use gruvy_kernels::Dropout;
use std::sync::Arc;

/// What a recurrence computes, apart from its tensors.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The cell.
    pub cell: Cell,
    /// Run from the last valid step of each sequence to its first.
    pub reverse: bool,
    /// `[B]` valid steps of each sequence, each at most T; none: all are full. Outputs past a
    /// sequence's length are zero, and what `x` holds there has no effect.
    pub lengths: Option<Arc<[usize]>>,
    /// Zoneout (Krueger et al., 1606.01305): the probability with which a unit keeps its state at
    /// a step, drawn with noise; without, its mean. In `[0, 1)`.
    pub zoneout: f32,
    /// What a training pass draws; none: inference.
    pub noise: Option<Noise>,
    /// Save only the states before every √T steps for the backward pass, which computes the rest
    /// again (gradient checkpointing; Chen et al., 1604.06174).
    pub recompute: bool,
    /// Where the call finds its scratch: that of earlier calls, where they had the same.
    pub memory: Memory,
}

impl Settings {
    /// A cell forward in time over full sequences, nothing regularised.
    pub fn new(cell: Cell) -> Self {
        let (lengths, noise, memory) = (None, None, Memory::default());
        Self { cell, reverse: false, lengths, zoneout: 0.0, noise, recompute: false, memory }
    }
}

impl Settings {
    /// What is drawn inside the recurrence.
    pub(super) fn kernel_noise(&self) -> gruvy_kernels::Noise {
        let Some(noise) = self.noise else { return Default::default() };
        let seed = stream(noise.seed, 4 + u64::from(self.reverse));
        let Noise { recurrent_dropout, candidate_dropout, .. } = noise;
        gruvy_kernels::Noise { seed: Some(seed), recurrent_dropout, candidate_dropout }
    }
}

/// The seed of mask `n` under a layer's.
pub(super) fn stream(seed: u64, n: u64) -> u64 {
    seed.wrapping_add(n.wrapping_mul(0x9e37_79b9_7f4a_7c15))
}

/// What a training pass draws: rates in `[0, 1)`, 0 for none.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Noise {
    /// Seed of all masks. Directions of a layer with the same seed see the same input.
    pub seed: u64,
    /// Dropout of the input, each value on its own.
    pub dropout: f32,
    /// Variational dropout of the input (Gal and Ghahramani, 1512.05287): the same features at all
    /// steps.
    pub input_dropout: f32,
    /// Variational dropout of what the hidden weights see of the state: the same units at all
    /// steps.
    pub recurrent_dropout: f32,
    /// Dropout of the candidate (Semeniuta et al., 1603.05118): of the new values where they join
    /// the state, drawn anew at each step. For a cell that [has one](Cell::has_candidate).
    pub candidate_dropout: f32,
    /// DropConnect (Wan et al., 2013; Merity et al., 1708.02182): dropout of the hidden weights,
    /// the same at all steps and in all rows.
    pub weight_dropout: f32,
}

/// The weights of one layer and direction. `G` is [`Cell::gates`], for the hidden weights
/// [`Cell::hidden_gates`].
#[derive(Clone, Debug)]
pub struct Weights {
    /// `[G * H, I]`
    pub w_ih: Tensor<2>,
    /// `[G * H, H]`; none for a cell whose gates do not see the state.
    pub w_hh: Option<Tensor<2>>,
    /// `[G * H]`, or none for zero.
    pub b_ih: Option<Tensor<1>>,
    /// `[G * H]`, or none for zero.
    pub b_hh: Option<Tensor<1>>,
    /// `[G * H]`, gains of the input part's layer normalisation; none: the layer is not
    /// normalised.
    pub gain_ih: Option<Tensor<1>>,
    /// `[G * H]`, gains of the hidden part's; given where `gain_ih` is, for a cell with hidden
    /// gates.
    pub gain_hh: Option<Tensor<1>>,
}

/// H of a layer of these weights.
pub(super) fn hidden_size(cell: Cell, weights: &Weights) -> usize {
    weights.w_ih.dims()[0] / cell.gates()
}

/// True at the steps past each sequence's end, `[T, B, 1]`.
pub(super) fn steps_past_end(
    lengths: &[usize],
    seq_len: usize,
    device: &Device,
) -> Tensor<3, Bool> {
    let past: Vec<bool> =
        (0..seq_len).flat_map(|t| lengths.iter().map(move |&len| t >= len)).collect();
    Tensor::from_data(TensorData::new(past, [seq_len, lengths.len(), 1]), device)
}

/// Whether there are kernels for the tensors of a device.
pub(super) fn has_kernels(device: &Device) -> bool {
    matches!(device.clone().without_autodiff().as_dispatch(), DispatchDevice::Flex(_))
}

pub(super) fn check(settings: &Settings, x: &Tensor<3>, h0: Option<&Tensor<2>>, weights: &Weights) {
    let [seq_len, batch, input] = x.dims();
    let cell = settings.cell;
    let hidden = hidden_size(cell, weights);
    let (rows, hidden_rows) = (cell.gates() * hidden, cell.hidden_gates() * hidden);
    assert!(seq_len > 0, "recurrence: x [T, B, I] needs at least one step, got {:?}", x.dims());
    expect("x", x, [seq_len, batch, input]);
    expect("w_ih [G * H, I]", &weights.w_ih, [rows, input]);
    given("w_hh", weights.w_hh.is_some(), hidden_rows > 0, cell);
    let norm = weights.gain_ih.is_some();
    given("gain_hh", weights.gain_hh.is_some(), norm && hidden_rows > 0, cell);
    if let Some(w_hh) = &weights.w_hh {
        expect("w_hh [G * H, H]", w_hh, [hidden_rows, hidden]);
    }
    for (name, vector, rows) in [
        ("b_ih [G * H]", &weights.b_ih, rows),
        ("b_hh [G * H]", &weights.b_hh, hidden_rows),
        ("gain_ih [G * H]", &weights.gain_ih, rows),
        ("gain_hh [G * H]", &weights.gain_hh, hidden_rows),
    ] {
        if let Some(vector) = vector {
            expect(name, vector, [rows]);
        }
    }
    if let Some(h0) = h0 {
        expect("h0 [B, K * H]", h0, [batch, cell.states() * hidden]);
    }
    let noise = settings.noise.unwrap_or_default();
    for (name, rate) in [
        ("zoneout", settings.zoneout),
        ("dropout", noise.dropout),
        ("input_dropout", noise.input_dropout),
        ("recurrent_dropout", noise.recurrent_dropout),
        ("candidate_dropout", noise.candidate_dropout),
        ("weight_dropout", noise.weight_dropout),
    ] {
        assert!((0.0..1.0).contains(&rate), "recurrence: expected {name} in [0, 1), got {rate}");
    }
    assert!(
        noise.candidate_dropout == 0.0 || cell.has_candidate(),
        "recurrence: expected candidate_dropout 0 for the cell {}, which has no candidate",
        cell.name()
    );
    if let Some(lengths) = &settings.lengths {
        assert!(
            lengths.len() == batch,
            "recurrence: expected one length for each of {batch} sequences, got {}",
            lengths.len()
        );
        if let Some((row, len)) = lengths.iter().enumerate().find(|(_, len)| **len > seq_len) {
            panic!("recurrence: sequence {row} has length {len}, but x has only {seq_len} steps");
        }
    }
}

pub(super) fn given(name: &str, got: bool, expected: bool, cell: Cell) {
    let is = |given| if given { "a" } else { "no" };
    assert!(
        got == expected,
        "recurrence: expected {} {name} for the cell {}, got {} tensor",
        is(expected),
        cell.name(),
        is(got)
    );
}

pub(super) fn expect<const D: usize>(name: &str, tensor: &Tensor<D>, shape: [usize; D]) {
    let (got, dtype) = (tensor.dims(), tensor.dtype());
    assert!(got == shape, "expected {name} of shape {shape:?}, got {got:?}");
    assert!(dtype == DType::F32, "expected {name} in f32, got {dtype:?}");
}

/// A linear head and what it sees.
#[derive(Clone, Debug)]
pub struct Head {
    /// `[N, I]`
    pub x: Tensor<2>,
    /// Dropout of x, its values counted as `[N, I]`; none in inference.
    pub dropout: Option<Dropout>,
    /// `[V, I]`
    pub weight: Tensor<2>,
    /// `[V]`
    pub bias: Tensor<1>,
    /// Where the call finds its scratch: that of earlier calls, where they had the same.
    pub memory: Memory,
}
