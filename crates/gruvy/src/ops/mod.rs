//! Fused kernels as Burn operations: one recurrent layer and direction over a whole sequence, and a head with its loss
//! ([`linear_cross_entropy`]).
//!
//! ```text
//! y[t] = cell(x[t], y[t − 1]),  y[−1] = h0          (reverse: from the last valid step to the first)
//! ```
//!
//! * x `[T, B, I]`, states `[B, K * H]` (K = 2 for the LSTM: h, then c; else 1), y `[T, B, H]`, all time-major;
//!   weights in PyTorch's layout.
//! * The operation has one output: y, and the LSTM's last c behind it. The last h is a view of y.
//! * Regularisers are part of the operation, forward and backward ([`Noise`], [`Settings::zoneout`], the gains of
//!   [`Weights`]): no tensor of the graph holds a mask.
//! * On Flex, [`recurrence`] calls the kernels of `gruvy_kernels` forward and backward: one node of the
//!   autodiff graph, with the activated gates as its state. On any other backend it is [`plain`], the
//!   same function in ordinary tensor operations.

pub(crate) mod fused;
pub(crate) mod head;
pub(crate) mod memory;
pub(crate) mod plain;

pub use gruvy_kernels::Dropout;
pub use head::{Head, linear_cross_entropy};
pub use memory::Memory;
pub use plain::{plain, plain_head};

use burn::backend::DispatchDevice;
use burn::tensor::{Bool, DType, Device, Int, Tensor, TensorData};
use gruvy_kernels::Cell;
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
    /// Zoneout (Krueger et al., 1606.01305): the probability with which a unit keeps its state at a step, drawn
    /// with noise; without, its mean. In `[0, 1)`.
    pub zoneout: f32,
    /// What a training pass draws; none: inference.
    pub noise: Option<Noise>,
    /// Save only the states before every √T steps for the backward pass, which computes the rest again (gradient
    /// checkpointing; Chen et al., 1604.06174).
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
    fn kernel_noise(&self) -> gruvy_kernels::Noise {
        let Some(noise) = self.noise else { return Default::default() };
        let seed = stream(noise.seed, 4 + u64::from(self.reverse));
        let recurrent_dropout = noise.recurrent_dropout;
        gruvy_kernels::Noise { seed: Some(seed), recurrent_dropout }
    }
}

/// The seed of mask `n` under a layer's.
fn stream(seed: u64, n: u64) -> u64 {
    seed.wrapping_add(n.wrapping_mul(0x9e37_79b9_7f4a_7c15))
}

/// What a training pass draws: rates in `[0, 1)`, 0 for none.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Noise {
    /// Seed of all masks. Directions of a layer with the same seed see the same input.
    pub seed: u64,
    /// Dropout of the input, each value on its own.
    pub dropout: f32,
    /// Variational dropout of the input (Gal and Ghahramani, 1512.05287): the same features at all steps.
    pub input_dropout: f32,
    /// Variational dropout of what the hidden weights see of the state: the same units at all steps.
    pub recurrent_dropout: f32,
    /// DropConnect (Wan et al., 2013; Merity et al., 1708.02182): dropout of the hidden weights, the same at all
    /// steps and in all rows.
    pub weight_dropout: f32,
}

/// The weights of one layer and direction. `G` is [`Cell::gates`], for the hidden weights [`Cell::hidden_gates`].
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
    /// `[G * H]`, gains of the input part's layer normalisation; none: the layer is not normalised.
    pub gain_ih: Option<Tensor<1>>,
    /// `[G * H]`, gains of the hidden part's; given where `gain_ih` is, for a cell with hidden gates.
    pub gain_hh: Option<Tensor<1>>,
}

/// Runs one layer and direction: x `[T, B, I]`, h0 `[B, K * H]` (none: zeros) → y `[T, B, H]` and the state
/// `[B, K * H]` of each sequence after its last step. A sequence of length 0 keeps its h0.
///
/// Differentiable in `x`, `h0` and every weight.
///
/// # Panics
/// If shapes, lengths, rates or data types do not fit each other.
pub fn recurrence(
    settings: &Settings,
    x: Tensor<3>,
    h0: Option<Tensor<2>>,
    weights: Weights,
) -> (Tensor<3>, Tensor<2>) {
    check(settings, &x, h0.as_ref(), &weights);
    if !has_kernels(&x.device()) {
        return plain(settings, x, h0, weights);
    }
    let [seq_len, batch, _] = x.dims();
    let out = fused::recurrence(settings, x, h0.clone(), weights);
    let hidden = out.dims()[2];
    if settings.cell.states() == 1 {
        let last = last_h(settings, &out, h0);
        return (out, last);
    }
    let y = out.clone().narrow(0, 0, seq_len);
    let h = last_h(settings, &y, h0.map(|h0| h0.narrow(1, 0, hidden)));
    let c = out.narrow(0, seq_len, 1).reshape([batch, hidden]);
    (y, Tensor::cat(vec![h, c], 1))
}

/// h `[B, H]` of each sequence in `y [T, B, H]` after its last step.
fn last_h(settings: &Settings, y: &Tensor<3>, h0: Option<Tensor<2>>) -> Tensor<2> {
    let [seq_len, batch, hidden] = y.dims();
    let at_step = |t| y.clone().narrow(0, t, 1).squeeze_dim::<2>(0);
    let Some(lengths) = &settings.lengths else {
        return at_step(if settings.reverse { 0 } else { seq_len - 1 });
    };
    let last = if settings.reverse {
        at_step(0)
    } else {
        let row = |(b, len): (usize, &usize)| (len.saturating_sub(1) * batch + b) as i64;
        let rows: Vec<i64> = lengths.iter().enumerate().map(row).collect();
        let rows = Tensor::<1, Int>::from_data(TensorData::new(rows, [batch]), &y.device());
        y.clone().reshape([seq_len * batch, hidden]).select(0, rows)
    };
    match h0 {
        Some(h0) if lengths.contains(&0) => {
            let empty = steps_past_end(lengths, 1, &y.device()).squeeze_dim::<2>(0);
            last.mask_where(empty.expand([batch, hidden]), h0)
        }
        _ => last,
    }
}

/// H of a layer of these weights.
fn hidden_size(cell: Cell, weights: &Weights) -> usize {
    weights.w_ih.dims()[0] / cell.gates()
}

/// True at the steps past each sequence's end, `[T, B, 1]`.
fn steps_past_end(lengths: &[usize], seq_len: usize, device: &Device) -> Tensor<3, Bool> {
    let past: Vec<bool> =
        (0..seq_len).flat_map(|t| lengths.iter().map(move |&len| t >= len)).collect();
    Tensor::from_data(TensorData::new(past, [seq_len, lengths.len(), 1]), device)
}

/// Whether there are kernels for the tensors of a device.
fn has_kernels(device: &Device) -> bool {
    matches!(device.clone().without_autodiff().as_dispatch(), DispatchDevice::Flex(_))
}

fn check(settings: &Settings, x: &Tensor<3>, h0: Option<&Tensor<2>>, weights: &Weights) {
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
        ("weight_dropout", noise.weight_dropout),
    ] {
        assert!((0.0..1.0).contains(&rate), "recurrence: expected {name} in [0, 1), got {rate}");
    }
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

fn given(name: &str, got: bool, expected: bool, cell: Cell) {
    let is = |given| if given { "a" } else { "no" };
    assert!(
        got == expected,
        "recurrence: expected {} {name} for the cell {}, got {} tensor",
        is(expected),
        cell.name(),
        is(got)
    );
}

fn expect<const D: usize>(name: &str, tensor: &Tensor<D>, shape: [usize; D]) {
    let (got, dtype) = (tensor.dims(), tensor.dtype());
    assert!(got == shape, "expected {name} of shape {shape:?}, got {got:?}");
    assert!(dtype == DType::F32, "expected {name} in f32, got {dtype:?}");
}
