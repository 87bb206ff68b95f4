//! Gradients of a layer over a whole sequence, for any cell.
//!
//! ```text
//! each thread, its rows of the batch:  step by step in reverse, gate gradients over the saved values
//! then each thread, its share:         dW_ih, dW_hh and their biases (rows of the weights), dx (rows of x)
//! ```

use crate::cell::{BackwardStep, Before, HiddenRun, Recurrence, Run, Store, Valid};
use crate::memory::{Arena, Buffer, Shared, lines};
use crate::product::{
    Packing, Panels, Rows, Source, Target, grad_product, grad_scratch, pack, product,
};
use crate::sequence::{Input, TILE, state_ld};
use crate::simd::{Isa, Kernel, Simd};
use crate::{Gradients, Weights, Workspace, threads};
use core::marker::PhantomData;
use core::ops::Range;

/// Everything a backward pass reads and writes, for all its threads.
struct Backward<'a> {
    call: &'a Input<'a>,
    steps: usize,
    y: &'a [f32],
    dy: &'a [f32],
    /// `[T, B, S, H]`: saved values, then gate gradients.
    saved: *mut f32,
    /// `[H]` zeros, the state before a sequence without h0.
    zeros: *const f32,
    /// `[B, S, H]`: the gate gradients of each row's first step.
    first: *mut f32,
    /// `[G * H]`: sums that nobody asked for.
    spare: *mut f32,
    /// Hidden weights for each product of the cell, and input weights for dx.
    back: [Panels; 2],
    back_input: Panels,
    dx: *mut f32,
    dh0: *mut f32,
    dw_ih: *mut f32,
    dw_hh: *mut f32,
    db_ih: *mut f32,
    db_hh: *mut f32,
    carry: *mut f32,
    /// Scratch of the weight gradients, one part a worker.
    scratch: *mut f32,
}

#[allow(clippy::too_many_arguments)]
pub(crate) fn backward<C: Recurrence>(
    isa: Isa,
    call: &Input<'_>,
    weights: &Weights<'_>,
    y: &[f32],
    saved: &mut [f32],
    dy: &[f32],
    grads: Gradients<'_>,
    ws: &mut Workspace,
) {
    let Input { seq, input, hidden, .. } = *call;
    let workers = call.workers();
    let shares = call.shares();
    let Workspace { scratch, packed } = ws;
    let sizes = [input, hidden];
    let pack = PackBackward::<C> { weights, sizes, memory: packed, cell: PhantomData };
    let (back, back_input) = isa.dispatch(pack);

    let bias = C::GATES * hidden;
    let first = seq.batch * C::SAVED * hidden;
    let carry = seq.batch * state_ld(hidden);
    let part = lines(grad_scratch(input.max(hidden)));
    let total = lines(hidden) + lines(bias) + lines(first) + lines(carry) + shares * part;
    let mut arena = Arena::new(scratch.get(total));
    let (zeros, spare) = (arena.take(hidden), arena.take(bias));
    // SAFETY: both were just taken with these lengths.
    unsafe {
        core::ptr::write_bytes(zeros, 0, hidden);
        core::ptr::write_bytes(spare, 0, bias);
    }
    let pointer = |slice: Option<&mut [f32]>, or| slice.map_or(or, <[f32]>::as_mut_ptr);
    let job = Backward {
        call,
        steps: call.steps(),
        y,
        dy,
        saved: saved.as_mut_ptr(),
        zeros,
        first: arena.take(first),
        spare,
        back,
        back_input,
        dx: pointer(grads.dx, core::ptr::null_mut()),
        dh0: pointer(grads.dh0, core::ptr::null_mut()),
        dw_ih: grads.dw_ih.as_mut_ptr(),
        dw_hh: grads.dw_hh.as_mut_ptr(),
        // A layer without bias: its sums go where nobody looks.
        db_ih: pointer(grads.db_ih, spare),
        db_hh: pointer(grads.db_hh, spare),
        carry: arena.take(carry),
        scratch: arena.take(shares * part),
    };
    let job = Shared(&job);
    threads::run(workers, |worker| {
        let Shared(job) = *{ &job };
        let rows = job.call.rows(worker, workers);
        isa.dispatch(BackwardRows::<C> { job, rows, cell: PhantomData });
    });
    // SAFETY: the recurrence is done, and nobody else uses the gradients and `first` now.
    unsafe { gather_first(job.0, C::SAVED * hidden) };
    threads::run(shares, |share| {
        let Shared(job) = *{ &job };
        // SAFETY: the scratch memory has one part for each share.
        let scratch = unsafe { job.scratch.add(share * part) };
        isa.dispatch(WeightGradients::<C> { job, share, shares, scratch, cell: PhantomData });
    });
}

/// Copies the gate gradients of each row's first step, zero for a row without steps.
///
/// # Safety
/// The gate gradients are complete, `job.first` is writable for a row of `ld` values for each sequence.
unsafe fn gather_first(job: &Backward<'_>, ld: usize) {
    let seq = job.call.seq;
    for b in 0..seq.batch {
        let len = seq.lengths.map_or(job.steps, |lengths| lengths[b]);
        // SAFETY: as the caller's; `t < len <= T`.
        unsafe {
            let to = job.first.add(b * ld);
            if len == 0 {
                core::ptr::write_bytes(to, 0, ld);
                continue;
            }
            let t = if seq.reverse { len - 1 } else { 0 };
            core::ptr::copy_nonoverlapping(job.saved.add((t * seq.batch + b) * ld), to, ld);
        }
    }
}

/// Packs the weights as right operands of the backward products.
struct PackBackward<'a, C> {
    weights: &'a Weights<'a>,
    sizes: [usize; 2],
    memory: &'a mut Buffer,
    cell: PhantomData<C>,
}

impl<C: Recurrence> Kernel for PackBackward<'_, C> {
    /// The hidden weights of each product, and the input weights.
    type Output = ([Panels; 2], Panels);

    #[inline(always)]
    fn run<S: Simd>(self, s: S) -> Self::Output {
        let Self { weights, sizes: [input, hidden], memory, .. } = self;
        let width = S::LANES;
        let gates = C::GATES * hidden;
        let (units, columns) = (hidden.next_multiple_of(width), input.next_multiple_of(width));
        let mut arena = Arena::new(memory.get(lines(gates * columns) + lines(gates * units)));
        let mut to = arena.take(gates * units);
        let mut back = [Panels { ptr: to, count: units / width, depth: 0 }; 2];
        for (panels, run) in back.iter_mut().zip(C::BACK) {
            let depth = run.gates * hidden;
            let ptr = weights.w_hh[run.gate * hidden * hidden..].as_ptr();
            let source = Source { ptr, k_step: hidden, j_step: 1 };
            let packing = Packing { ptr: to, width, k_step: width, panel_step: depth * width };
            // SAFETY: the run's rows lie within w_hh, and its panels within what was taken.
            unsafe {
                pack(s, source, depth, hidden, packing);
                *panels = Panels { ptr: to, depth, ..*panels };
                to = to.add(depth * units);
            }
        }
        let to = arena.take(gates * columns);
        for (block, &gate) in C::ORDER.iter().enumerate() {
            let ptr = weights.w_ih[gate * hidden * input..].as_ptr();
            let source = Source { ptr, k_step: input, j_step: 1 };
            // SAFETY: the gate's rows lie within w_ih, and block `block` within the panels.
            unsafe {
                let ptr = to.add(block * hidden * width);
                let panel_step = gates * width;
                pack(s, source, hidden, input, Packing { ptr, width, k_step: width, panel_step });
            }
        }
        (back, Panels { ptr: to, count: columns / width, depth: gates })
    }
}

/// The recurrence of some rows, backward in time: gate gradients, and dh0.
struct BackwardRows<'a, C> {
    job: &'a Backward<'a>,
    rows: Range<usize>,
    cell: PhantomData<C>,
}

impl<C: Recurrence> Kernel for BackwardRows<'_, C> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { job, rows, .. } = self;
        let Input { seq, hidden, h0, .. } = *job.call;
        let (n, ld, steps) = (rows.len(), state_ld(hidden), job.steps);
        let lengths = job.call.lengths(&rows);
        // SAFETY: rows and steps lie within the checked buffers.
        unsafe {
            let carry = job.carry.add(rows.start * ld);
            core::ptr::write_bytes(carry, 0, n * ld);
            let (h0, h0_ld) = match h0 {
                Some(h0) => (h0.as_ptr().add(rows.start * hidden), hidden),
                None => (job.zeros, 0),
            };
            let at = |i: usize| (job.call.time(i, steps) * seq.batch + rows.start) * hidden;
            let mut after = core::ptr::null::<f32>();
            let mut step = None;
            for i in (0..steps).rev() {
                let t = job.call.time(i, steps);
                let saved = job.saved.add(at(i) * C::SAVED);
                let before = if i == 0 { 0 } else { at(i - 1) };
                let now = BackwardStep {
                    rows: n,
                    hidden,
                    weights: &job.back,
                    after,
                    saved,
                    dy: job.dy.as_ptr().add(at(i)),
                    carry,
                    carry_ld: ld,
                    before: Before {
                        y: job.y.as_ptr().add(before),
                        h0,
                        h0_ld,
                        hidden,
                        all_start: i == 0,
                        starts_at_end: seq.reverse.then_some(Valid { t, lengths }),
                    },
                    valid: Valid { t, lengths },
                };
                C::backward(s, &now);
                after = saved;
                step = Some(BackwardStep { after, ..now });
            }
            if job.dh0.is_null() {
                return;
            }
            let to = job.dh0.add(rows.start * hidden);
            let Some(step) = step else {
                core::ptr::write_bytes(to, 0, n * hidden);
                return;
            };
            let (a, k) = step.after(C::BACK[0], C::SAVED);
            let store = Store { to, ld: hidden, columns: hidden, add: carry, add_ld: ld };
            product(s, a, job.back[0], k, &store);
        }
    }
}

/// One share of the large products after the loop.
struct WeightGradients<'a, C> {
    job: &'a Backward<'a>,
    share: usize,
    shares: usize,
    scratch: *mut f32,
    cell: PhantomData<C>,
}

impl<C: Recurrence> Kernel for WeightGradients<'_, C> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Backward { call, steps, .. } = *self.job;
        let Input { input, hidden, seq, .. } = *call;
        let (all, ld) = (steps * seq.batch, C::SAVED * hidden);
        // SAFETY: the operands are whole matrices of the call; shares write disjoint rows.
        unsafe {
            if steps > 0 {
                for run in C::INPUT {
                    let gates = Rows { ptr: self.job.saved, ld, count: all };
                    let x = Rows { ptr: call.x.as_ptr(), ld: input, count: all };
                    self.run_gradient(s, run, gates, x, (self.job.dw_ih, input), self.job.db_ih);
                }
                self.hidden_gradients(s);
            }
            if !self.job.dx.is_null() {
                let rows = threads::split(all, 64, self.share, self.shares);
                let ptr = self.job.saved.add(rows.start * ld);
                let to = self.job.dx.add(rows.start * input);
                let store =
                    Store { to, ld: input, columns: input, add: core::ptr::null(), add_ld: 0 };
                let a = Rows { ptr, ld, count: rows.len() };
                product(s, a, self.job.back_input, C::GATES * hidden, &store);
                if self.share == 0 {
                    let rest = (seq.seq_len * seq.batch - all) * input;
                    core::ptr::write_bytes(self.job.dx.add(all * input), 0, rest);
                }
            }
        }
    }
}

impl<C: Recurrence> WeightGradients<'_, C> {
    /// Adds this share's rows of one run's weight and bias gradient.
    ///
    /// # Safety
    /// `gates` are rows of S blocks, `right` as many right operands; `to` is the weight's whole gradient and
    /// its columns.
    #[inline(always)]
    unsafe fn run_gradient<S: Simd>(
        &self,
        s: S,
        run: &Run,
        gates: Rows,
        right: Rows,
        (to, columns): (*mut f32, usize),
        bias: *mut f32,
    ) {
        let hidden = self.job.call.hidden;
        let rows = threads::split(run.gates * hidden, TILE, self.share, self.shares);
        // SAFETY: as the caller's.
        unsafe {
            let a = Rows { ptr: gates.ptr.add(run.block * hidden + rows.start), ..gates };
            let row = run.gate * hidden + rows.start;
            let ptr = to.add(row * columns);
            let to = Target { ptr, rows: rows.len(), columns, sums: bias.add(row) };
            // Where there is nothing to multiply with, only the bias.
            match right.ptr.is_null() {
                true => grad_product(s, a, a, Target { columns: 0, ..to }, self.scratch),
                false => grad_product(s, a, right, to, self.scratch),
            }
        }
    }

    /// # Safety
    /// As for the whole backward pass.
    #[inline(always)]
    unsafe fn hidden_gradients<S: Simd>(&self, s: S) {
        let job = self.job;
        let Input { hidden, seq, h0, .. } = *job.call;
        let (all, ld, batch) = (job.steps * seq.batch, C::SAVED * hidden, seq.batch);
        let to = (job.dw_hh, hidden);
        // SAFETY: as the caller's.
        unsafe {
            for HiddenRun { run, operand } in C::HIDDEN {
                if let Some(block) = operand {
                    let gates = Rows { ptr: job.saved, ld, count: all };
                    let right = Rows { ptr: job.saved.add(block * hidden), ..gates };
                    self.run_gradient(s, run, gates, right, to, job.db_hh);
                    continue;
                }
                // Each step's gates with the state of the step visited before: y, one step off.
                // (A row that starts there finds y zero, past its end.)
                let count = all - batch;
                let (gates, states, edge) = match seq.reverse {
                    false => (batch, 0, 0),
                    true => (0, batch, count),
                };
                let rows = |row: usize, count| Rows { ptr: job.saved.add(row * ld), ld, count };
                let right = Rows { ptr: job.y.as_ptr().add(states * hidden), ld: hidden, count };
                self.run_gradient(s, run, rows(gates, count), right, to, job.db_hh);
                // The steps that this left out have a bias too, and first steps h0.
                let none = Rows { ptr: core::ptr::null(), ld: 0, count: 0 };
                self.run_gradient(s, run, rows(edge, batch), none, to, job.db_hh);
                if let Some(h0) = h0 {
                    let gates = Rows { ptr: job.first, ld, count: batch };
                    let right = Rows { ptr: h0.as_ptr(), ld: hidden, count: batch };
                    self.run_gradient(s, run, gates, right, to, job.spare);
                }
            }
        }
    }
}
