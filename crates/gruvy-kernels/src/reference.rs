//! The executable specification: plain `f64` loops, written to be read, not to be fast.
//!
//! Every kernel is tested against these functions, and these against central differences. Layouts
//! are those of the fast kernels: `x [T, B, I]`, `y [T, B, H]`, `h0 [B, H]`, weights as PyTorch
//! keeps them (`w_ih [3H, I]`, `w_hh [3H, H]`, gates r, z, n), all row-major.

use crate::{Cell, Sequence};
use alloc::{vec, vec::Vec};

/// Parameters of one layer and direction, all present (a layer without bias has zeros).
#[derive(Clone, Debug)]
pub struct Params {
    /// `[3H, I]`
    pub w_ih: Vec<f64>,
    /// `[3H, H]`
    pub w_hh: Vec<f64>,
    /// `[3H]`
    pub b_ih: Vec<f64>,
    /// `[3H]`
    pub b_hh: Vec<f64>,
}

/// What [`backward`] returns.
#[derive(Clone, Debug)]
pub struct Grads {
    /// Gradients of the parameters, in their layout.
    pub params: Params,
    /// `[T, B, I]`
    pub dx: Vec<f64>,
    /// `[B, H]`
    pub dh0: Vec<f64>,
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + libm::exp(-x))
}

/// `w[row] · v`
fn row_dot(w: &[f64], row: usize, v: &[f64]) -> f64 {
    w[row * v.len()..][..v.len()].iter().zip(v).map(|(a, b)| a * b).sum()
}

/// The values of one step that its backward pass needs, each `[H]`.
struct Step {
    r: Vec<f64>,
    z: Vec<f64>,
    n: Vec<f64>,
    /// What the new gate adds to its input part: `r ⊙ q` (reset after), `W_hn (r ⊙ h) + b_hn` (before).
    q: Vec<f64>,
    h: Vec<f64>,
}

fn step(cell: Cell, p: &Params, x: &[f64], h: &[f64]) -> Step {
    let hidden = h.len();
    let ih = |row: usize| row_dot(&p.w_ih, row, x) + p.b_ih[row];
    let hh = |row: usize, v: &[f64]| row_dot(&p.w_hh, row, v) + p.b_hh[row];
    let r: Vec<f64> = (0..hidden).map(|j| sigmoid(ih(j) + hh(j, h))).collect();
    let z: Vec<f64> = (0..hidden).map(|j| sigmoid(ih(hidden + j) + hh(hidden + j, h))).collect();
    let reset: Vec<f64> = r.iter().zip(h).map(|(r, h)| r * h).collect();
    let q: Vec<f64> = (0..hidden)
        .map(|j| match cell {
            Cell::Gru => hh(2 * hidden + j, h),
            Cell::GruV3 => hh(2 * hidden + j, &reset),
        })
        .collect();
    let n: Vec<f64> = (0..hidden)
        .map(|j| {
            let gated = if cell == Cell::Gru { r[j] * q[j] } else { q[j] };
            libm::tanh(ih(2 * hidden + j) + gated)
        })
        .collect();
    let next = (0..hidden).map(|j| (1.0 - z[j]) * n[j] + z[j] * h[j]).collect();
    Step { r, z, n, q, h: next }
}

/// The valid time steps of row `b` in the order in which the recurrence visits them.
fn order(seq: &Sequence<'_>, b: usize) -> Vec<usize> {
    let len = seq.lengths.map_or(seq.seq_len, |l| l[b]);
    if seq.reverse { (0..len).rev().collect() } else { (0..len).collect() }
}

/// Outputs `y [T, B, H]`, zero past each sequence's length.
///
/// # Panics
/// If a buffer is shorter than `seq` and the sizes say.
pub fn forward(
    cell: Cell,
    seq: &Sequence<'_>,
    sizes: [usize; 2],
    p: &Params,
    x: &[f64],
    h0: &[f64],
) -> Vec<f64> {
    let [input, hidden] = sizes;
    let mut y = vec![0.0; seq.seq_len * seq.batch * hidden];
    for b in 0..seq.batch {
        let mut h = h0[b * hidden..][..hidden].to_vec();
        for t in order(seq, b) {
            let at = t * seq.batch + b;
            h = step(cell, p, &x[at * input..][..input], &h).h;
            y[at * hidden..][..hidden].copy_from_slice(&h);
        }
    }
    y
}

/// Gradients of a loss whose gradient with respect to `y` is `dy [T, B, H]`.
///
/// # Panics
/// If a buffer is shorter than `seq` and the sizes say.
pub fn backward(
    cell: Cell,
    seq: &Sequence<'_>,
    sizes: [usize; 2],
    p: &Params,
    x: &[f64],
    h0: &[f64],
    dy: &[f64],
) -> Grads {
    let [input, hidden] = sizes;
    let mut g = Grads {
        params: Params {
            w_ih: vec![0.0; p.w_ih.len()],
            w_hh: vec![0.0; p.w_hh.len()],
            b_ih: vec![0.0; p.b_ih.len()],
            b_hh: vec![0.0; p.b_hh.len()],
        },
        dx: vec![0.0; x.len()],
        dh0: vec![0.0; h0.len()],
    };
    for b in 0..seq.batch {
        let order = order(seq, b);
        let mut h = h0[b * hidden..][..hidden].to_vec();
        let mut steps = Vec::new();
        for &t in &order {
            let s = step(cell, p, &x[(t * seq.batch + b) * input..][..input], &h);
            let before = core::mem::replace(&mut h, s.h.clone());
            steps.push((before, s));
        }
        let mut dh = vec![0.0; hidden];
        for (&t, (h, s)) in order.iter().zip(&steps).rev() {
            let at = t * seq.batch + b;
            for j in 0..hidden {
                dh[j] += dy[at * hidden + j];
            }
            let x = &x[at * input..][..input];
            let dx = &mut g.dx[at * input..][..input];
            dh = step_backward(cell, p, &mut g.params, x, h, s, &dh, dx);
        }
        g.dh0[b * hidden..][..hidden].copy_from_slice(&dh);
    }
    g
}

/// Gradient with respect to the step's previous state; adds to `g`, sets `dx`.
#[allow(clippy::too_many_arguments)]
fn step_backward(
    cell: Cell,
    p: &Params,
    g: &mut Params,
    x: &[f64],
    h: &[f64],
    s: &Step,
    dh: &[f64],
    dx: &mut [f64],
) -> Vec<f64> {
    let (input, hidden) = (x.len(), h.len());
    let reset: Vec<f64> = s.r.iter().zip(h).map(|(r, h)| r * h).collect();
    // Gradients of the gates' arguments; for the new gate, of its input part (a) and of its hidden
    // product (q).
    let (mut da_r, mut da_z) = (vec![0.0; hidden], vec![0.0; hidden]);
    let (mut da_n, mut dq) = (vec![0.0; hidden], vec![0.0; hidden]);
    let mut dh_prev = vec![0.0; hidden];
    for j in 0..hidden {
        da_n[j] = dh[j] * (1.0 - s.z[j]) * (1.0 - s.n[j] * s.n[j]);
        da_z[j] = dh[j] * (h[j] - s.n[j]) * s.z[j] * (1.0 - s.z[j]);
        dq[j] = if cell == Cell::Gru { da_n[j] * s.r[j] } else { da_n[j] };
        dh_prev[j] = dh[j] * s.z[j];
    }
    for j in 0..hidden {
        let column = |v: &[f64], gate: usize| -> f64 {
            (0..hidden).map(|k| v[k] * p.w_hh[(gate * hidden + k) * hidden + j]).sum()
        };
        let dr = match cell {
            Cell::Gru => da_n[j] * s.q[j],
            Cell::GruV3 => column(&dq, 2) * h[j],
        };
        da_r[j] = dr * s.r[j] * (1.0 - s.r[j]);
        dh_prev[j] += column(&dq, 2) * if cell == Cell::Gru { 1.0 } else { s.r[j] };
        dh_prev[j] += column(&da_z, 1);
    }
    for j in 0..hidden {
        dh_prev[j] += (0..hidden).map(|k| da_r[k] * p.w_hh[k * hidden + j]).sum::<f64>();
    }
    dx.fill(0.0);
    let new_input = if cell == Cell::Gru { h } else { &reset };
    for (gate, (da, dhh, v)) in
        [(&da_r, &da_r, h), (&da_z, &da_z, h), (&da_n, &dq, new_input)].into_iter().enumerate()
    {
        for k in 0..hidden {
            let row = gate * hidden + k;
            g.b_ih[row] += da[k];
            g.b_hh[row] += dhh[k];
            for i in 0..input {
                g.w_ih[row * input + i] += da[k] * x[i];
                dx[i] += da[k] * p.w_ih[row * input + i];
            }
            for j in 0..hidden {
                g.w_hh[row * hidden + j] += dhh[k] * v[j];
            }
        }
    }
    dh_prev
}
