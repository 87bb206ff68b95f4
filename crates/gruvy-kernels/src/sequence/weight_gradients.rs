//! Gradients of the weights and of x: a few large products, when the gate gradients are complete.
//!
//! ```text
//! dW_ih += dgᵀ x      dW_hh += dgᵀ h_prev      db += Σ dg      dx = dg W_ih
//! ```
//! Each share owns rows of the weights, and rows of x. The gate gradients are packed once for all
//! their right operands.

use super::call::Call;
use super::job::{Backward, Window};
use super::plan::TILE;
use crate::cell::Recurrence;
use crate::memory::Shared;
use crate::product::{GradProduct, Product, Right, Rows, Store, grad_product};
use crate::saved::{HiddenRun, NormBlocks};
use crate::threads;
use core::ops::Range;

/// One share of the products.
pub(super) struct WeightGradients<'a> {
    pub job: &'a Backward<'a>,
    pub share: usize,
    pub shares: usize,
    /// Room for [`grad_scratch`](crate::product::grad_scratch) values of all right operands.
    pub scratch: *mut f32,
}

/// Right operands of one product: x, one for each hidden run, and as many for the sums behind a
/// normalisation.
const MOST: usize = 6;

impl WeightGradients<'_> {
    /// Adds the gradients of the weights, and sets dx, for the steps of a window.
    ///
    /// # Safety
    /// - `window.saved`: `[steps, B, S, H]` readable, with complete gate gradients
    /// - the job's `x`: `[T, B, I]`, `y`: `[T, B, H]`, `h0`: `[B, K * H]`, if there is one
    /// - `weights.input`: the packed input weights, readable
    /// - `to.dw_ih`: `[G * H, I]`, `to.dw_hh`: `[hidden gates * H, H]` writable
    /// - `to.db_ih`: `[G * H]`, `to.db_hh`: `[hidden gates * H]`, `to.dx`: `[T, B, I]` writable, or
    ///   null
    /// - no other thread has the same share
    pub unsafe fn run<C: Recurrence>(&self, window: &Window) {
        let call = self.job.call;
        let (reverse, times) = (call.seq.reverse, window.times(call));
        // The step where all rows start, whose h is h0, and all others.
        let edge = match (window.span.start == 0, reverse) {
            (false, _) => times.start..times.start,
            (true, false) => times.start..times.start + 1,
            (true, true) => times.end - 1..times.end,
        };
        let rest = if reverse { times.start..times.end - edge.len() } else { edge.end..times.end };
        // SAFETY: the caller's contract; the shares write disjoint rows.
        unsafe {
            self.weights::<C>(window, edge, true);
            self.weights::<C>(window, rest, false);
            if !self.job.to.dx.is_null() {
                self.input::<C>(window, times);
            }
        }
    }

    /// Sets this share's rows of dx.
    ///
    /// # Safety
    /// As [`run`](Self::run), and dx is not null.
    unsafe fn input<C: Recurrence>(&self, window: &Window, times: Range<usize>) {
        let Backward { call, weights, to, .. } = self.job;
        let Call { seq, input, hidden, ref blocks, .. } = **call;
        let rows = threads::split(times.len() * seq.batch, 64, self.share, self.shares);
        // SAFETY: the caller's contract.
        unsafe {
            let Rows { ptr, ld, .. } = self.gates(window, times.clone());
            let block = blocks.norm.map_or(0, |NormBlocks { ih, .. }| ih);
            let ptr = ptr.add(rows.start * ld + block * hidden);
            let a = Rows { ptr, ld, count: rows.len() };
            let to = to.dx.get().add((times.start * seq.batch + rows.start) * input);
            let store = Store { to, ld: input, columns: input, add: core::ptr::null() };
            Product { a, b: weights.input, k: C::GATES * hidden }.store(call.isa, &store);
        }
    }

    /// Gate gradients at some times, as rows of all blocks.
    ///
    /// # Safety
    /// - `times`: of the window's steps, or empty at its start
    unsafe fn gates(&self, window: &Window, times: Range<usize>) -> Rows {
        let call = self.job.call;
        // SAFETY: the caller's contract.
        let ptr = unsafe { window.at(call, times.start, 0) };
        Rows { ptr, ld: call.saved_ld(), count: times.len() * call.seq.batch }
    }

    /// Weight and bias gradients of some times; `starts`: they are where all rows start.
    ///
    /// # Safety
    /// As [`run`](Self::run); `times` are of the window's steps.
    unsafe fn weights<C: Recurrence>(&self, window: &Window, times: Range<usize>, starts: bool) {
        let Backward { call, ref to, y, .. } = *self.job;
        let Call { input, hidden, seq, x, h0, ref blocks, .. } = *call;
        if times.is_empty() || seq.batch == 0 {
            return;
        }
        let row = times.start * seq.batch;
        // SAFETY: the operands are rows of the call's matrices and of the window.
        unsafe {
            let gates = self.gates(window, times);
            let mut rights = Rights::new(self);
            rights.add(Right {
                ptr: x[row * input..].as_ptr(),
                ld: input,
                columns: input,
                runs: C::INPUT,
                behind: blocks.norm.map(|norm| norm.ih),
                weight: to.dw_ih.get(),
                bias: to.db_ih.get(),
            });
            for HiddenRun { run, operand } in C::HIDDEN {
                let (ptr, ld, columns) = if let Some(block) = operand.or(blocks.seen) {
                    (gates.ptr.add(block * hidden), gates.ld, hidden)
                } else if !starts {
                    // The state of the step visited before: y, one step off. A row that starts here
                    // finds y zero, past its end, and h0 is added at last.
                    let before = if seq.reverse { row + seq.batch } else { row - seq.batch };
                    (y[before * hidden..].as_ptr(), hidden, hidden)
                } else if let Some(h0) = h0.filter(|_| !call.starts_vary()) {
                    (h0.as_ptr(), C::STATES * hidden, hidden)
                } else {
                    (gates.ptr, gates.ld, 0)
                };
                rights.add(Right {
                    ptr,
                    ld,
                    columns,
                    runs: core::slice::from_ref(run),
                    behind: blocks.norm.map(|norm| norm.hh),
                    weight: to.dw_hh.get(),
                    bias: to.db_hh.get(),
                });
            }
            rights.multiply(gates);
        }
    }

    /// What the rows that start somewhere within the sequences owe to h0, by the gate gradients of
    /// their first steps.
    ///
    /// # Safety
    /// - the job's `scratch.first`: `[B, S, H]` readable, and complete
    /// - `to.dw_hh`: `[hidden gates * H, H]` writable; no other thread has the same share
    pub unsafe fn start_states<C: Recurrence>(&self) {
        let Backward { call, ref to, ref scratch, .. } = *self.job;
        let Call { hidden, h0, seq, ref blocks, .. } = *call;
        let Some(h0) = h0 else { return };
        let first = Rows { ptr: scratch.first.get(), ld: call.saved_ld(), count: seq.batch };
        for HiddenRun { run, operand } in C::HIDDEN {
            if operand.or(blocks.seen).is_some() {
                continue;
            }
            let mut rights = Rights::new(self);
            rights.add(Right {
                ptr: h0.as_ptr(),
                ld: C::STATES * hidden,
                columns: hidden,
                runs: core::slice::from_ref(run),
                behind: blocks.norm.map(|norm| norm.hh),
                weight: to.dw_hh.get(),
                bias: Shared::NULL.get(),
            });
            // SAFETY: the caller's contract; there is a row for each sequence.
            unsafe { rights.multiply(first) }
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

    /// Adds a right operand. Behind a normalisation it is two: the bias takes the gates' own
    /// gradients, the weight those behind the normalisation.
    fn add(&mut self, right: Right<'static>) {
        if right.behind.is_some() && right.columns > 0 {
            self.push(Right { bias: Shared::NULL.get(), ..right });
            self.push(Right { columns: 0, behind: None, ..right });
        } else {
            self.push(Right { behind: None, ..right });
        }
    }

    fn push(&mut self, right: Right<'static>) {
        self.all[self.len] = right;
        self.len += 1;
    }

    /// Multiplies the gate gradients `a` with all right operands.
    ///
    /// # Safety
    /// - `a.ptr`: `[a.count]` rows of all blocks readable, `a.ld` apart
    /// - of each right operand, `ptr`: `[a.count]` rows of `[columns]` readable, `ld` apart
    /// - `weight` and `bias`: writable at this share's units, by this thread alone; `bias` or null
    unsafe fn multiply(&self, a: Rows) {
        let WeightGradients { job, share, shares, scratch } = *self.of;
        let Call { isa, hidden, ref blocks, .. } = *job.call;
        let units = threads::split(hidden, TILE, share, shares);
        let (rights, blocks) = (&self.all[..self.len], blocks.count);
        // SAFETY: the caller's contract; the scratch memory is large enough for all right operands.
        unsafe { grad_product(isa, &GradProduct { a, hidden, blocks, units, rights, scratch }) }
    }
}
