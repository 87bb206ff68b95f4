//! The recurrence in ordinary tensor operations: differentiable by composition, on any backend.
use super::{Settings, Weights, steps_past_end};
use burn::tensor::{Tensor, activation::sigmoid};
use gruvy_kernels::Cell;

/// The same function as [`recurrence`](super::recurrence), one tensor operation at a time. It runs where
/// there are no kernels, and the tests hold the kernels against it.
///
/// # Panics
/// If shapes do not fit each other.
pub fn plain(
    settings: &Settings,
    x: Tensor<3>,
    h0: Option<Tensor<2>>,
    weights: Weights,
) -> Tensor<3> {
    let [seq_len, batch, input] = x.dims();
    let [rows, hidden] = weights.w_hh.dims();
    let device = x.device();
    let past = settings.lengths.as_deref().map(|l| steps_past_end(l, seq_len, &device));
    let x = match &past {
        Some(past) => x.mask_fill(past.clone().expand([seq_len, batch, input]), 0.0),
        None => x,
    };
    let gates = x.reshape([seq_len * batch, input]).matmul(weights.w_ih.transpose());
    let gates = add_bias(gates, weights.b_ih).reshape([seq_len, batch, rows]);
    let w_hh = weights.w_hh.transpose();
    let at = |step: usize| gates.clone().narrow(0, step, 1).squeeze_dim::<2>(0);

    let mut h = h0.unwrap_or_else(|| Tensor::zeros([batch, hidden], &device));
    let mut y = Vec::with_capacity(seq_len);
    for step in 0..seq_len {
        let t = if settings.reverse { seq_len - 1 - step } else { step };
        let next = next_state(settings.cell, at(t), h.clone(), &w_hh, weights.b_hh.clone());
        match &past {
            None => {
                h = next;
                y.push(h.clone());
            }
            Some(past) => {
                let past = past.clone().narrow(0, t, 1).squeeze_dim::<2>(0);
                let past = past.expand([batch, hidden]);
                h = next.mask_where(past.clone(), h);
                y.push(h.clone().mask_fill(past, 0.0));
            }
        }
    }
    if settings.reverse {
        y.reverse();
    }
    Tensor::stack(y, 0)
}

/// One step: gates `x · W_ih + b_ih [B, G * H]`, h `[B, H]`, w_hh `[H, G * H]` → the next h `[B, H]`.
fn next_state(
    cell: Cell,
    gates: Tensor<2>,
    h: Tensor<2>,
    w_hh: &Tensor<2>,
    b_hh: Option<Tensor<1>>,
) -> Tensor<2> {
    let hidden = h.dims()[1];
    let part = |v: &Tensor<2>, gate: usize| v.clone().narrow(1, gate * hidden, hidden);
    let (r, z, n);
    match cell {
        Cell::Gru => {
            let from_h = add_bias(h.clone().matmul(w_hh.clone()), b_hh);
            r = sigmoid(part(&gates, 0) + part(&from_h, 0));
            z = sigmoid(part(&gates, 1) + part(&from_h, 1));
            n = (part(&gates, 2) + r * part(&from_h, 2)).tanh();
        }
        Cell::GruV3 => {
            let product = |h: Tensor<2>, gate: usize| {
                let bias = b_hh.clone().map(|b| b.narrow(0, gate * hidden, hidden));
                add_bias(h.matmul(part(w_hh, gate)), bias)
            };
            r = sigmoid(part(&gates, 0) + product(h.clone(), 0));
            z = sigmoid(part(&gates, 1) + product(h.clone(), 1));
            n = (part(&gates, 2) + product(r * h.clone(), 2)).tanh();
        }
        other => panic!("recurrence: no plain form of the cell {}", other.name()),
    }
    n.clone() + z * (h - n)
}

fn add_bias(v: Tensor<2>, bias: Option<Tensor<1>>) -> Tensor<2> {
    match bias {
        Some(bias) => v + bias.unsqueeze(),
        None => v,
    }
}
