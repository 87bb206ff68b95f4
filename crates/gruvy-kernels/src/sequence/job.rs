//! What a pass works on, for all its threads.

use super::call::Call;
use crate::dims::{Cell, Norm};
use crate::memory::Shared;
use crate::norm::BackwardNorm;
use crate::packed::{BackPanels, Parts};
use core::ops::Range;

/// A forward pass over some steps of a sequence, for all its threads.
pub(crate) struct Forward<'a> {
    pub call: &'a Call<'a>,
    pub parts: Parts,
    /// The steps, in the order in which they are visited.
    pub steps: Range<usize>,
    pub targets: Targets,
}

/// Where a forward pass writes.
#[derive(Clone, Copy)]
pub(crate) struct Targets {
    /// Time of the first row of `y` and `saved`.
    pub first: usize,
    /// `[T, B, H]`
    pub y: Shared<*mut f32>,
    /// `[B, K * H]`, or null.
    pub last: Shared<*mut f32>,
    /// `[T, B, S, H]`, or null.
    pub saved: Shared<*mut f32>,
    /// `[windows, B, K * H]`: the states before each window of steps, or null.
    pub states: Shared<*mut f32>,
}

/// Everything a backward pass reads and writes, for all its threads. Every pointer covers what its
/// field says, until the pass is over.
pub(super) struct Backward<'a> {
    pub call: &'a Call<'a>,
    /// The gains of layer normalisation; none: the layer has none.
    pub norm: Option<Norm<'a>>,
    pub zoneout: f32,
    /// `[T, B, H]`
    pub y: &'a [f32],
    /// `[T, B, H]`
    pub dy: &'a [f32],
    /// `[B, K * H]`, or none for zero.
    pub dlast: Option<&'a [f32]>,
    pub weights: BackPanels,
    pub scratch: Scratch,
    pub to: GradientPointers,
}

/// Scratch memory of a backward pass.
#[derive(Clone, Copy)]
pub(super) struct Scratch {
    /// `[K * H]` zeros, the state before a sequence without h0.
    pub zeros: Shared<*mut f32>,
    /// Gradients of the gains of each row, `[B, gates of both parts, H]`; empty without
    /// normalisation.
    pub dgain: Shared<*mut f32>,
    /// The gradient of the state that does not go through a product, `[B, K, unit_ld]`.
    pub carry: Shared<*mut f32>,
    /// The mask of recurrent dropout, `[B, unit_ld]`, or null.
    pub mask: Shared<*mut f32>,
    /// The mask of the candidates at a step, `[B, unit_ld]`, or null.
    pub candidate: Shared<*mut f32>,
    /// `[B, S, H]`: the gate gradients of each row's first step, where rows start at different
    /// steps; or null.
    pub first: Shared<*mut f32>,
    /// Of the weight gradients, `[threads, product]`.
    pub products: Shared<*mut f32>,
    pub product: usize,
}

/// Where the gradients go; null for those that are not wanted.
#[derive(Clone, Copy)]
pub(super) struct GradientPointers {
    /// `[T, B, I]`, or null.
    pub dx: Shared<*mut f32>,
    /// `[B, K * H]`, or null.
    pub dh0: Shared<*mut f32>,
    /// `[G * H, I]`
    pub dw_ih: Shared<*mut f32>,
    /// `[hidden gates * H, H]`
    pub dw_hh: Shared<*mut f32>,
    /// `[G * H]`, or null.
    pub db_ih: Shared<*mut f32>,
    /// `[hidden gates * H]`, or null.
    pub db_hh: Shared<*mut f32>,
}

/// Consecutive steps whose saved values are at hand, to become gate gradients.
#[derive(Clone)]
pub(super) struct Window {
    /// The steps, in the order of the forward pass.
    pub span: Range<usize>,
    /// `[steps, B, S, H]`, in the order of time; readable and writable.
    pub saved: Shared<*mut f32>,
    /// States before the first step, `[B]` of `[K * H]`.
    pub state: States,
    /// Gate gradients of the step visited after the last, `[B, S, H]`, readable; or null.
    pub after: Shared<*const f32>,
}

/// States of all rows.
#[derive(Clone, Copy)]
pub(super) struct States {
    /// `[B]` states of `[K * H]`, `ld` apart; readable.
    pub ptr: Shared<*const f32>,
    /// 0 if all rows have the same.
    pub ld: usize,
}

impl States {
    /// The states of the rows from `row` on.
    ///
    /// # Safety
    /// - `row`: of the batch
    pub unsafe fn at_row(self, row: usize) -> (*const f32, usize) {
        // SAFETY: the caller's contract.
        (unsafe { self.ptr.get().add(row * self.ld) }, self.ld)
    }
}

impl Window {
    /// The times of the steps.
    pub fn times(&self, call: &Call<'_>) -> Range<usize> {
        call.times(&self.span)
    }

    /// Saved values of a row at a time, and of those after it.
    ///
    /// # Safety
    /// - `t`: a time of the window's steps
    /// - `row`: of the batch
    pub unsafe fn at(&self, call: &Call<'_>, t: usize, row: usize) -> *mut f32 {
        let row = (t - self.times(call).start) * call.seq.batch + row;
        // SAFETY: the caller's contract.
        unsafe { self.saved.get().add(row * call.saved_ld()) }
    }
}

impl Backward<'_> {
    /// The normalisation for rows from `row` on.
    ///
    /// # Safety
    /// - `row`: of the batch
    pub unsafe fn norm(&self, cell: Cell, row: usize) -> Option<BackwardNorm> {
        let blocks = self.call.blocks.norm?;
        let Norm { gain_ih, gain_hh } = self.norm?;
        let (gates, hidden) = (cell.gates(), self.call.hidden);
        let dgain_ld = (gates + cell.hidden_gates()) * hidden;
        Some(BackwardNorm {
            blocks,
            gain_ih: gain_ih.as_ptr(),
            gain_hh: gain_hh.as_ptr(),
            // SAFETY: the caller's contract; there is a place for every row of the batch.
            dgain: unsafe { self.scratch.dgain.get().add(row * dgain_ld) },
            dgain_ld,
            gates,
            hidden,
        })
    }
}
