//! One recurrent layer and direction over a whole sequence, as a single Burn operation.
//!
//! ```text
//! y[t] = cell(x[t], y[t − 1]),  y[−1] = h0          (reverse: from the last valid step to the first)
//! ```
//!
//! * x `[T, B, I]`, h0 `[B, H]`, y `[T, B, H]`, all time-major; weights in PyTorch's layout.
//! * The last state is a view of y ([`last_state`]), so that the operation has one output.
//! * On Flex, [`recurrence`] calls the kernels of `gruvy_kernels` forward and backward: one node of the
//!   autodiff graph, with the activated gates as its state. On any other backend it is [`plain`], the
//!   same function in ordinary tensor operations.

mod fused;
mod plain;
mod pool;

pub use plain::plain;

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
}

/// The weights of one layer and direction. `G` is [`Cell::gates`].
#[derive(Clone, Debug)]
pub struct Weights {
    /// `[G * H, I]`
    pub w_ih: Tensor<2>,
    /// `[G * H, H]`
    pub w_hh: Tensor<2>,
    /// `[G * H]`, or none for zero.
    pub b_ih: Option<Tensor<1>>,
    /// `[G * H]`, or none for zero.
    pub b_hh: Option<Tensor<1>>,
}

/// Runs one layer and direction: x `[T, B, I]`, h0 `[B, H]` (none: zeros) → y `[T, B, H]`.
///
/// Differentiable in `x`, `h0` and every weight.
///
/// # Panics
/// If shapes, lengths or data types do not fit each other.
pub fn recurrence(
    settings: &Settings,
    x: Tensor<3>,
    h0: Option<Tensor<2>>,
    weights: Weights,
) -> Tensor<3> {
    check(settings, &x, h0.as_ref(), &weights);
    if has_kernels(&x.device()) {
        fused::recurrence(settings, x, h0, weights)
    } else {
        plain(settings, x, h0, weights)
    }
}

/// The final state `[B, H]` of each sequence in `y [T, B, H]`: at its last valid step, or at its first
/// when `settings.reverse`. A sequence of length 0 keeps its row of `h0` (zeros if none).
pub fn last_state(settings: &Settings, y: &Tensor<3>, h0: Option<&Tensor<2>>) -> Tensor<2> {
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
            last.mask_where(empty.expand([batch, hidden]), h0.clone())
        }
        _ => last,
    }
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
    let [_, hidden] = weights.w_hh.dims();
    let rows = settings.cell.gates() * hidden;
    assert!(seq_len > 0, "recurrence: x [T, B, I] needs at least one step, got {:?}", x.dims());
    expect("x", x, [seq_len, batch, input]);
    expect("w_ih [G * H, I]", &weights.w_ih, [rows, input]);
    expect("w_hh [G * H, H]", &weights.w_hh, [rows, hidden]);
    for (name, bias) in [("b_ih [G * H]", &weights.b_ih), ("b_hh [G * H]", &weights.b_hh)] {
        if let Some(bias) = bias {
            expect(name, bias, [rows]);
        }
    }
    if let Some(h0) = h0 {
        expect("h0 [B, H]", h0, [batch, hidden]);
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

fn expect<const D: usize>(name: &str, tensor: &Tensor<D>, shape: [usize; D]) {
    let (got, dtype) = (tensor.dims(), tensor.dtype());
    assert!(got == shape, "recurrence: expected {name} of shape {shape:?}, got {got:?}");
    assert!(dtype == DType::F32, "recurrence: expected {name} in f32, got {dtype:?}");
}
