//! What a forward pass saves for the backward pass, and where it lies.
//!
//! Saved values lie as `[T, B, S, H]`: S blocks of H values for each step and row. The first blocks
//! are the cell's own. The backward pass overwrites each of them with the gradient of its gate, so
//! that the gradients of the weights become products of these blocks ([`Run`]) with x and with the
//! states. The blocks after them ([`Blocks`]) hold what the layer's regularisers need.

use crate::dims::{Cell, Layer, Pass, Sequence};
use crate::noise::Noise;

/// Gates (rows of the weights, in units of H) whose gradients lie in consecutive blocks.
#[derive(Clone, Copy)]
pub(crate) struct Run {
    /// First gate.
    pub gate: usize,
    /// How many.
    pub gates: usize,
    /// Block of the first.
    pub block: usize,
}

/// Gates whose hidden weights multiply the same right operand.
#[derive(Clone, Copy)]
pub(crate) struct HiddenRun {
    pub run: Run,
    /// The block that holds the right operand; none: the state before the step.
    pub operand: Option<usize>,
}

/// Where the blocks of the regularisers begin, behind the cell's own.
#[derive(Clone, Copy)]
pub(crate) struct Blocks {
    /// The masked state that the hidden weights saw at this step.
    pub seen: Option<usize>,
    /// What layer normalisation needs.
    pub norm: Option<NormBlocks>,
    /// All blocks.
    pub count: usize,
}

/// The first blocks of each kind that layer normalisation saves.
#[derive(Clone, Copy)]
pub(crate) struct NormBlocks {
    /// The input parts of the gates, normalised, before their gains. The backward pass overwrites
    /// them with the gradients of the parts before normalisation.
    pub ih: usize,
    /// Likewise the hidden parts.
    pub hh: usize,
    /// What the parts were divided by, `1 / √(var + ε)` of each, input gates first.
    pub scales: usize,
}

/// Saved values of some rows.
#[derive(Clone, Copy)]
pub(crate) struct SavedRows {
    /// `[rows]` rows of all blocks of H values, `ld` apart.
    pub ptr: *mut f32,
    pub ld: usize,
    pub rows: usize,
}

impl Blocks {
    pub fn new(cell: Cell, hidden: usize, noise: &Noise, normed: bool) -> Self {
        let mut count = cell.saved();
        let mut take = |blocks: usize| {
            let first = count;
            count += blocks;
            first
        };
        let seen = noise.state().map(|_| take(1));
        let norm = normed.then(|| {
            let (gates, hidden_gates) = (cell.gates(), cell.hidden_gates());
            let (ih, hh) = (take(gates), take(hidden_gates));
            NormBlocks { ih, hh, scales: take((gates + hidden_gates).div_ceil(hidden.max(1))) }
        });
        Self { seen, norm, count }
    }
}

impl Layer<'_> {
    /// Blocks of H values that a forward pass saves for the backward pass, per step and row: those
    /// of the [cell](Cell::saved) first.
    pub fn saved(&self, noise: &Noise) -> usize {
        Blocks::new(self.cell, self.hidden, noise, self.weights.norm.is_some()).count
    }

    /// Values that a forward pass saves for the backward pass.
    pub fn saved_values(&self, pass: &Pass<'_>) -> usize {
        saved_values(pass, self.saved(&pass.noise) * self.hidden, self.cell.states() * self.hidden)
    }
}

/// Values that a forward pass saves: `row` values per step and row of the batch, or in a pass that
/// recomputes, `state` values per window and row.
pub(crate) fn saved_values(pass: &Pass<'_>, row: usize, state: usize) -> usize {
    let Sequence { seq_len, batch, .. } = pass.seq;
    match pass.recompute {
        false => seq_len * batch * row,
        true => seq_len.div_ceil(window(&pass.seq)) * batch * state,
    }
}

/// Steps of a window whose saved values are recomputed: √T, so that the states before the windows
/// and the values of one window grow alike, but enough rows for the products.
pub(crate) fn window(seq: &Sequence<'_>) -> usize {
    let root = seq.seq_len.isqrt();
    let root = root + (root * root < seq.seq_len) as usize;
    root.max(256usize.div_ceil(seq.batch.max(1))).max(1)
}
