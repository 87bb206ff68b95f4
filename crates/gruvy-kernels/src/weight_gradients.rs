//! Gradients of the weights and of x: a few large products, when the gate gradients are complete.
//!
//! ```text
//! dW_ih += dgᵀ x      dW_hh += dgᵀ h_prev      db += Σ dg      dx = dg W_ih
//! ```
//! Each share owns rows of the weights, and rows of x. The gate gradients are packed once for all their right operands.

use crate::backward::{Backward, Window};
use crate::cell::{HiddenRun, Recurrence, Run};
use crate::product::{GradProduct, Right, Rows, Store, grad_product, multiply};
use crate::sequence::{Input, TILE};
use crate::simd::Isa;
use crate::threads;
use core::ops::Range;

/// One share of the products.
pub(crate) struct WeightGradients<'a> {
    pub isa: Isa,
    pub job: &'a Backward<'a>,
    /// None for what does not belong to one.
    pub window: Option<&'a Window>,
    pub share: usize,
    pub shares: usize,
    /// Room for [`grad_scratch`](crate::product::grad_scratch) values of all right operands.
    pub scratch: *mut f32,
}

/// Right operands of one product: x, one for each hidden run, and as many for the sums behind a normalisation.
const MOST: usize = 6;

impl WeightGradients<'_> {
    /// # Safety
    /// The window's gate gradients are complete, and no other share is the same.
    pub unsafe fn run<C: Recurrence>(&self) {
        let Input { seq, input, .. } = *self.job.call;
        let Some(window) = self.window else { return };
        let times = window.times(self.job);
        // The step where all rows start, whose h is h0, and all others.
        let edge = match (window.span.start == 0, seq.reverse) {
            (false, _) => times.start..times.start,
            (true, false) => times.start..times.start + 1,
            (true, true) => times.end - 1..times.end,
        };
        let rest =
            if seq.reverse { times.start..times.end - edge.len() } else { edge.end..times.end };
        // SAFETY: as the caller's; the shares write disjoint rows.
        unsafe {
            self.weights::<C>(window, edge, true);
            self.weights::<C>(window, rest, false);
            if self.job.dx.is_null() {
                return;
            }
            let rows = threads::split(times.len() * seq.batch, 64, self.share, self.shares);
            let (ptr, ld) = self.gates(window, times.start);
            let block = self.job.blocks.norm.map_or(0, |[ih, ..]| ih);
            let ptr = ptr.add(rows.start * ld + block * self.job.call.hidden);
            let to = self.job.dx.add((times.start * seq.batch + rows.start) * input);
            let store = Store { to, ld: input, columns: input, add: core::ptr::null() };
            let depth = C::GATES * self.job.call.hidden;
            let a = Rows { ptr, ld, count: rows.len() };
            multiply(self.isa, a, self.job.back_input, depth, &store);
        }
    }

    /// Gate gradients at a time, and the distance of their rows.
    ///
    /// # Safety
    /// The window holds the time.
    unsafe fn gates(&self, window: &Window, t: usize) -> (*const f32, usize) {
        // SAFETY: as the caller's.
        (unsafe { window.at(self.job, t, 0) }, self.job.blocks.count * self.job.call.hidden)
    }

    /// Weight and bias gradients of some times; `starts`: they are where all rows start.
    ///
    /// # Safety
    /// As for [`Self::run`].
    unsafe fn weights<C: Recurrence>(&self, window: &Window, times: Range<usize>, starts: bool) {
        let Backward { call, blocks, .. } = *self.job;
        let Input { input, hidden, seq, x, h0, .. } = *call;
        let count = times.len() * seq.batch;
        if count == 0 {
            return;
        }
        // SAFETY: the operands are rows of the call's matrices.
        unsafe {
            let (gates, ld) = self.gates(window, times.start);
            let row = times.start * seq.batch;
            let mut rights = Rights::new(self);
            let of_x = (x[row * input..].as_ptr(), input, input);
            rights.add(
                C::INPUT,
                blocks.norm.map(|[ih, ..]| ih),
                of_x,
                (self.job.dw_ih, self.job.db_ih),
            );
            for HiddenRun { run, operand } in C::HIDDEN {
                let right = if let Some(block) = operand.or(blocks.seen) {
                    (gates.add(block * hidden), ld, hidden)
                } else if !starts {
                    // The state of the step visited before: y, one step off. A row that starts here finds y zero, past
                    // its end, and h0 is added at last.
                    let before = if seq.reverse { row + seq.batch } else { row - seq.batch };
                    (self.job.y[before * hidden..].as_ptr(), hidden, hidden)
                } else if let Some(h0) = h0.filter(|_| !call.starts_vary()) {
                    (h0.as_ptr(), C::STATES * hidden, hidden)
                } else {
                    (gates, ld, 0)
                };
                let to = (self.job.dw_hh, self.job.db_hh);
                let behind = blocks.norm.map(|[_, hh, _]| hh);
                rights.add(core::slice::from_ref(run), behind, right, to);
            }
            rights.multiply(Rows { ptr: gates, ld, count });
        }
    }

    /// What the rows that start somewhere within the sequences owe to h0: `first [B, S, H]` are their gate gradients there.
    ///
    /// # Safety
    /// As for [`Self::run`], and `first` is complete.
    pub unsafe fn start_states<C: Recurrence>(&self, first: *const f32) {
        let Backward { call, blocks, .. } = *self.job;
        let Some(h0) = call.h0 else { return };
        let (hidden, count) = (call.hidden, call.seq.batch);
        for HiddenRun { run, operand } in C::HIDDEN {
            if operand.or(blocks.seen).is_some() {
                continue;
            }
            // SAFETY: there is a row for each sequence.
            unsafe {
                let mut rights = Rights::new(self);
                let right = (h0.as_ptr(), C::STATES * hidden, hidden);
                let to = (self.job.dw_hh, core::ptr::null_mut());
                let behind = blocks.norm.map(|[_, hh, _]| hh);
                rights.add(core::slice::from_ref(run), behind, right, to);
                rights.multiply(Rows { ptr: first, ld: blocks.count * hidden, count });
            }
        }
    }
}

/// The right operands of one product.
struct Rights<'a> {
    of: &'a WeightGradients<'a>,
    all: [Right<'static>; MOST],
    len: usize,
}

impl<'a> Rights<'a> {
    fn new(of: &'a WeightGradients<'a>) -> Self {
        Self { of, all: [Right::NONE; MOST], len: 0 }
    }

    /// The gradients of some runs: `(rows, distance, columns)` of the right operand, `(weight, bias)` to add to. The bias takes the
    /// gates' own gradients, the weight those `behind` a normalisation, whose first gate's block that is.
    fn add(
        &mut self,
        runs: &'static [Run],
        behind: Option<usize>,
        (ptr, ld, columns): (*const f32, usize, usize),
        (weight, bias): (*mut f32, *mut f32),
    ) {
        let right = Right { ptr, ld, columns, runs, behind, weight, bias };
        if behind.is_some() && columns > 0 {
            self.push(Right { bias: core::ptr::null_mut(), ..right });
            self.push(Right { columns: 0, behind: None, ..right });
        } else {
            self.push(Right { behind: None, ..right });
        }
    }

    fn push(&mut self, right: Right<'static>) {
        self.all[self.len] = right;
        self.len += 1;
    }

    /// # Safety
    /// The rows of `a` and of the right operands are readable, the targets this share's to write.
    unsafe fn multiply(&self, a: Rows) {
        let WeightGradients { isa, job, share, shares, scratch, .. } = *self.of;
        let hidden = job.call.hidden;
        let units = threads::split(hidden, TILE, share, shares);
        let rights = &self.all[..self.len];
        let blocks = job.blocks.count;
        // SAFETY: as the caller's.
        unsafe { grad_product(isa, &GradProduct { a, hidden, blocks, units, rights, scratch }) }
    }
}
