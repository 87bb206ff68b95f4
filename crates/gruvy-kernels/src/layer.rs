//! One layer and direction over a whole sequence (interim body over the `f64` reference).
use crate::{Cell, Gradients, Sequence, Weights, reference};
use alloc::{vec, vec::Vec};

/// Scratch memory that grows to what the largest call needs and is then reused. Its content between
/// calls does not matter.
#[derive(Debug, Default)]
pub struct Workspace {}

impl Workspace {
    /// An empty workspace.
    pub const fn new() -> Self {
        Self {}
    }
}

/// The weights of one layer and direction, laid out for the forward kernels.
#[derive(Clone, Debug)]
pub struct Packed {
    cell: Cell,
    input: usize,
    hidden: usize,
    params: reference::Params,
}

fn to64(v: &[f32]) -> Vec<f64> {
    v.iter().map(|&v| f64::from(v)).collect()
}

fn params(cell: Cell, hidden: usize, w: &Weights<'_>) -> reference::Params {
    let zero = vec![0.0; cell.gates() * hidden];
    reference::Params {
        w_ih: to64(w.w_ih),
        w_hh: to64(w.w_hh),
        b_ih: w.b_ih.map_or(zero.clone(), to64),
        b_hh: w.b_hh.map_or(zero, to64),
    }
}

impl Packed {
    /// Packs the weights of a layer with `input` features and `hidden` units.
    ///
    /// # Panics
    /// If a weight's length does not fit `cell`, `input` and `hidden`.
    pub fn new(cell: Cell, input: usize, hidden: usize, weights: &Weights<'_>) -> Self {
        Self { cell, input, hidden, params: params(cell, hidden, weights) }
    }

    /// The recurrence.
    pub fn cell(&self) -> Cell {
        self.cell
    }
    /// `I`
    pub fn input(&self) -> usize {
        self.input
    }
    /// `H`
    pub fn hidden(&self) -> usize {
        self.hidden
    }

    /// Runs the layer over a batch of sequences.
    ///
    /// * `x [T, B, I]`; `h0 [B, H]` or none for zeros; `y [T, B, H]` is overwritten.
    /// * `saved [T, B, S, H]` with S = [`Cell::saved`]: overwritten with what [`backward`] needs.
    pub fn forward(
        &self,
        seq: &Sequence<'_>,
        x: &[f32],
        h0: Option<&[f32]>,
        y: &mut [f32],
        _saved: Option<&mut [f32]>,
        _ws: &mut Workspace,
    ) {
        let h0 = h0.map_or(vec![0.0; seq.batch * self.hidden], to64);
        let out = reference::forward(
            self.cell,
            seq,
            [self.input, self.hidden],
            &self.params,
            &to64(x),
            &h0,
        );
        for (y, v) in y.iter_mut().zip(out) {
            *y = v as f32;
        }
    }

    /// One step of `batch` rows: `x [B, I]`, `h [B, H]` is replaced by the next state.
    pub fn step(&self, batch: usize, x: &[f32], h: &mut [f32], ws: &mut Workspace) {
        let seq = Sequence { seq_len: 1, batch, lengths: None, reverse: false };
        let h0 = h.to_vec();
        self.forward(&seq, x, Some(&h0), h, None, ws);
    }
}

/// Gradients of a layer, after [`Packed::forward`] with the same arguments.
///
/// * `y [T, B, H]` and `saved [T, B, S, H]` as the forward pass left them; `saved` is used up.
/// * `dy [T, B, H]`: gradient with respect to `y`; a gradient with respect to the last state is added to
///   the steps it is a view of.
#[allow(clippy::too_many_arguments)]
pub fn backward(
    cell: Cell,
    sizes: [usize; 2],
    weights: &Weights<'_>,
    seq: &Sequence<'_>,
    x: &[f32],
    h0: Option<&[f32]>,
    _y: &[f32],
    _saved: &mut [f32],
    dy: &[f32],
    grads: Gradients<'_>,
    _ws: &mut Workspace,
) {
    let hidden = sizes[1];
    let h0 = h0.map_or(vec![0.0; seq.batch * hidden], to64);
    let g = reference::backward(
        cell,
        seq,
        sizes,
        &params(cell, hidden, weights),
        &to64(x),
        &h0,
        &to64(dy),
    );
    let set = |to: Option<&mut [f32]>, from: &[f64]| {
        if let Some(to) = to {
            to.iter_mut().zip(from).for_each(|(t, f)| *t = *f as f32);
        }
    };
    let add = |to: Option<&mut [f32]>, from: &[f64]| {
        if let Some(to) = to {
            to.iter_mut().zip(from).for_each(|(t, f)| *t += *f as f32);
        }
    };
    set(grads.dx, &g.dx);
    set(grads.dh0, &g.dh0);
    add(Some(grads.dw_ih), &g.params.w_ih);
    add(Some(grads.dw_hh), &g.params.w_hh);
    add(grads.db_ih, &g.params.b_ih);
    add(grads.db_hh, &g.params.b_hh);
}

/// Copies each sequence's final state out of `y [T, B, H]` into `out [B, H]`. A sequence of length 0
/// keeps its row of `h0` (zeros if none).
pub fn last_state(
    seq: &Sequence<'_>,
    hidden: usize,
    y: &[f32],
    h0: Option<&[f32]>,
    out: &mut [f32],
) {
    for b in 0..seq.batch {
        let len = seq.lengths.map_or(seq.seq_len, |l| l[b]);
        let row = &mut out[b * hidden..][..hidden];
        if len == 0 {
            match h0 {
                Some(h0) => row.copy_from_slice(&h0[b * hidden..][..hidden]),
                None => row.fill(0.0),
            }
            continue;
        }
        let t = if seq.reverse { 0 } else { len - 1 };
        row.copy_from_slice(&y[(t * seq.batch + b) * hidden..][..hidden]);
    }
}
