//! Gradients of a layer over a whole sequence, for any cell.
//!
//! ```text
//! each thread, its rows of the batch:  step by step in reverse, gate gradients over the saved values
//! then each thread, its share:         dW_ih, dW_hh and their biases (rows of the weights), dx (rows of x)
//! ```

use crate::cell::{BackwardStep, Before, Blocks, FirstState, HiddenRun, Recurrence, Run, Valid};
use crate::forward::state_mask;
use crate::memory::{Arena, Buffer, Shared, lines};
use crate::norm::BackwardNorm;
use crate::product::{
    Packing, Panels, Rows, Source, Store, Target, grad_product, grad_scratch, multiply, pack,
};
use crate::sequence::{Input, TILE, unit_ld};
use crate::simd::{Isa, Kernel, Simd};
use crate::{Gradients, Layer, Tape, Workspace, threads};
use core::marker::PhantomData;
use core::ops::Range;

/// Everything a backward pass reads and writes, for all its threads.
struct Backward<'a> {
    call: &'a Input<'a>,
    layer: &'a Layer<'a>,
    steps: usize,
    blocks: Blocks,
    y: &'a [f32],
    dy: &'a [f32],
    dlast: Option<&'a [f32]>,
    /// `[T, B, S, H]`: saved values, then gate gradients.
    saved: *mut f32,
    /// `[K * H]` zeros, the state before a sequence without h0.
    zeros: *const f32,
    /// `[B, S, H]`: the gate gradients of each row's first step.
    first: *mut f32,
    /// `[G * H]`: sums that nobody asked for.
    spare: *mut f32,
    /// Gradients of the gains of each row, `[B, gates of both parts, H]`.
    dgain: *mut f32,
    /// Hidden weights for each product of the cell, and input weights for dx.
    back: [Panels; 2],
    back_input: Panels,
    dx: *mut f32,
    dh0: *mut f32,
    dw_ih: *mut f32,
    dw_hh: *mut f32,
    db_ih: *mut f32,
    db_hh: *mut f32,
    /// `[B, K, unit_ld]`
    carry: *mut f32,
    /// `[B, unit_ld]`, or null.
    mask: *mut f32,
    /// Scratch of the weight gradients, one part a worker.
    scratch: *mut f32,
}

pub(crate) fn backward<C: Recurrence>(
    isa: Isa,
    layer: &Layer<'_>,
    call: &Input<'_>,
    tape: Tape<'_>,
    grads: Gradients<'_>,
    ws: &mut Workspace,
) {
    let Input { seq, input, hidden, .. } = *call;
    let (workers, shares) = (call.workers(), call.shares());
    let Workspace { scratch, packed } = ws;
    let (back, back_input) = pack_backward::<C>(isa, layer, packed);
    let blocks = layer.blocks(&call.noise);
    let gates = C::GATES + C::CELL.hidden_gates();

    let units = seq.batch * unit_ld(hidden);
    let sizes = [
        C::STATES * hidden,
        C::GATES * hidden,
        if blocks.norm.is_some() { seq.batch * gates * hidden } else { 0 },
        seq.batch * blocks.count * hidden,
        C::STATES * units,
        if blocks.seen.is_some() { units } else { 0 },
    ];
    let part = lines(grad_scratch(input.max(hidden)));
    let total = sizes.map(lines).iter().sum::<usize>() + shares * part;
    let mut arena = Arena::new(scratch.get(total));
    let [zeros, spare, dgain, first, carry, mask] = sizes.map(|len| arena.take(len));
    // SAFETY: all three were just taken with these lengths.
    unsafe {
        for (memory, len) in [zeros, spare, dgain].into_iter().zip(sizes) {
            core::ptr::write_bytes(memory, 0, len);
        }
    }
    let pointer = |slice: Option<&mut [f32]>, or| slice.map_or(or, <[f32]>::as_mut_ptr);
    let Gradients { mut dgain_ih, mut dgain_hh, .. } = grads;
    let job = Backward {
        call,
        layer,
        steps: call.steps(),
        blocks,
        y: tape.y,
        dy: tape.dy,
        dlast: tape.dlast,
        saved: tape.saved.as_mut_ptr(),
        zeros,
        first,
        spare,
        dgain,
        back,
        back_input,
        dx: pointer(grads.dx, core::ptr::null_mut()),
        dh0: pointer(grads.dh0, core::ptr::null_mut()),
        dw_ih: grads.dw_ih.as_mut_ptr(),
        dw_hh: grads.dw_hh.as_mut_ptr(),
        // A layer without bias: its sums go where nobody looks.
        db_ih: pointer(grads.db_ih, spare),
        db_hh: pointer(grads.db_hh, spare),
        carry,
        mask: if blocks.seen.is_some() { mask } else { core::ptr::null_mut() },
        scratch: arena.take(shares * part),
    };
    let job = Shared(&job);
    threads::run(workers, |worker| {
        let Shared(job) = *{ &job };
        let rows = job.call.rows(worker, workers);
        isa.dispatch(BackwardRows::<C> { job, rows, cell: PhantomData });
    });
    // SAFETY: the recurrence is done, and nobody else uses the gradients and `first` now.
    unsafe { gather_first(job.0, blocks.count * hidden) };
    if blocks.norm.is_some() {
        // SAFETY: taken with this length, and complete.
        let rows = unsafe { core::slice::from_raw_parts(dgain, sizes[2]) };
        for row in rows.chunks_exact(gates * hidden) {
            let (ih, hh) = row.split_at(C::GATES * hidden);
            for (to, from) in [(&mut dgain_ih, ih), (&mut dgain_hh, hh)] {
                let to = to.as_deref_mut().unwrap_or_default();
                to.iter_mut().zip(from).for_each(|(to, from)| *to += from);
            }
        }
    }
    threads::run(shares, |share| {
        let Shared(job) = *{ &job };
        // SAFETY: the scratch memory has one part for each share.
        let scratch = unsafe { job.scratch.add(share * part) };
        let work = WeightGradients::<C> { isa, job, share, shares, scratch, cell: PhantomData };
        // SAFETY: the gate gradients are complete, and the shares write disjoint rows.
        unsafe { work.run() }
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

/// Packs the weights as right operands of the backward products: the hidden weights of each product, and the input
/// weights.
fn pack_backward<C: Recurrence>(
    isa: Isa,
    layer: &Layer<'_>,
    memory: &mut Buffer,
) -> ([Panels; 2], Panels) {
    let Layer { input, hidden, weights, .. } = *layer;
    let width = isa.lanes();
    let (gates, hidden_gates) = (C::GATES * hidden, C::CELL.hidden_gates() * hidden);
    let (units, columns) = (hidden.next_multiple_of(width), input.next_multiple_of(width));
    let mut arena = Arena::new(memory.get(lines(gates * columns) + lines(hidden_gates * units)));
    let mut to = arena.take(hidden_gates * units);
    // No terms, for a cell without products.
    let mut back = [Panels { ptr: to, count: units / width, depth: 0 }; 2];
    for (panels, run) in back.iter_mut().zip(C::BACK) {
        let depth = run.gates * hidden;
        let ptr = weights.w_hh[run.gate * hidden * hidden..].as_ptr();
        let source = Source { ptr, k_step: hidden, j_step: 1 };
        let packing = Packing { ptr: to, width, k_step: width, panel_step: depth * width };
        // SAFETY: the run's rows lie within w_hh, and its panels within what was taken.
        unsafe {
            pack(isa, source, depth, hidden, packing);
            *panels = Panels { ptr: to, depth, ..*panels };
            to = to.add(depth * units);
        }
    }
    let to = arena.take(gates * columns);
    for (block, &gate) in C::ORDER.iter().enumerate() {
        // Behind a normalisation the gradients lie in the order of the gates.
        let block = if weights.norm.is_some() { gate } else { block };
        let ptr = weights.w_ih[gate * hidden * input..].as_ptr();
        let source = Source { ptr, k_step: input, j_step: 1 };
        // SAFETY: the gate's rows lie within w_ih, and block `block` within the panels.
        unsafe {
            let ptr = to.add(block * hidden * width);
            let panel_step = gates * width;
            pack(isa, source, hidden, input, Packing { ptr, width, k_step: width, panel_step });
        }
    }
    (back, Panels { ptr: to, count: columns / width, depth: gates })
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
        let Self { job, ref rows, .. } = self;
        let Input { seq, hidden, h0, .. } = *job.call;
        let (n, ld, steps) = (rows.len(), unit_ld(hidden), job.steps);
        let (width, saved_ld) = (C::STATES * hidden, job.blocks.count * hidden);
        let lengths = job.call.lengths(rows);
        let norm = job.norm::<C>(rows.start);
        // SAFETY: rows and steps lie within the checked buffers.
        unsafe {
            let carry = job.carry.add(rows.start * C::STATES * ld);
            self.fill_carry(carry);
            let mask = match job.mask.is_null() {
                true => job.mask,
                false => job.mask.add(rows.start * ld),
            };
            if !mask.is_null() {
                state_mask(s, job.call, rows.clone(), mask);
            }
            let (h0, h0_ld) = match h0 {
                Some(h0) => (h0.as_ptr().add(rows.start * width), width),
                None => (job.zeros, 0),
            };
            let at = |i: usize| (job.call.time(i, steps) * seq.batch + rows.start) * hidden;
            let now = |i: usize, after: *const f32| {
                let t = job.call.time(i, steps);
                let before = if i == 0 { 0 } else { at(i - 1) };
                BackwardStep {
                    rows: n,
                    hidden,
                    weights: &job.back,
                    after,
                    saved: job.saved.add(at(i) * job.blocks.count),
                    saved_ld,
                    dy: job.dy.as_ptr().add(at(i)),
                    carry,
                    unit_ld: ld,
                    mask,
                    before: Before {
                        y: job.y.as_ptr().add(before),
                        saved: job.saved.add(before * job.blocks.count),
                        saved_ld,
                        h0,
                        h0_ld,
                        hidden,
                        all_start: i == 0,
                        starts_at_end: seq.reverse.then_some(Valid { t, lengths }),
                    },
                    valid: Valid { t, lengths },
                    zoneout: job.call.zoneout(job.layer.zoneout, at(i)),
                    norm,
                }
            };
            let mut after = core::ptr::null::<f32>();
            for i in (0..steps).rev() {
                let step = now(i, after);
                C::backward(s, &step);
                after = step.saved;
                if let Some(norm) = &step.norm {
                    for run in C::INPUT {
                        norm.input_part(S::ISA, (step.saved, saved_ld, n), *run);
                    }
                }
            }
            if job.dh0.is_null() {
                return;
            }
            let to = job.dh0.add(rows.start * width);
            if steps == 0 {
                match job.dlast {
                    Some(d) => {
                        to.copy_from_nonoverlapping(d[rows.start * width..].as_ptr(), n * width)
                    }
                    None => core::ptr::write_bytes(to, 0, n * width),
                }
                return;
            }
            let step = now(0, after);
            let (step, run, states) = (&step, C::BACK.first(), C::STATES);
            S::ISA.dispatch(FirstState { step, run, states, to });
        }
    }
}

impl<C: Recurrence> BackwardRows<'_, C> {
    /// The carried gradient before any step: what comes back to the states after the last ones.
    ///
    /// # Safety
    /// `carry` is writable for the rows.
    unsafe fn fill_carry(&self, carry: *mut f32) {
        let hidden = self.job.call.hidden;
        let (ld, width) = (unit_ld(hidden), C::STATES * hidden);
        // SAFETY: as the caller's; dlast was checked.
        unsafe {
            core::ptr::write_bytes(carry, 0, self.rows.len() * C::STATES * ld);
            let Some(dlast) = self.job.dlast else { return };
            for (i, row) in self.rows.clone().enumerate() {
                for part in 0..C::STATES {
                    let from = dlast[row * width + part * hidden..][..hidden].as_ptr();
                    let to = carry.add((i * C::STATES + part) * ld);
                    core::ptr::copy_nonoverlapping(from, to, hidden);
                }
            }
        }
    }
}

impl Backward<'_> {
    /// The normalisation for rows from `row` on.
    fn norm<C: Recurrence>(&self, row: usize) -> Option<BackwardNorm> {
        let [ih, hh, scales] = self.blocks.norm?;
        let weights = self.layer.weights.norm?;
        let hidden = self.call.hidden;
        let dgain_ld = (C::GATES + C::CELL.hidden_gates()) * hidden;
        Some(BackwardNorm {
            ih,
            hh,
            scales,
            gain_ih: weights.gain_ih.as_ptr(),
            gain_hh: weights.gain_hh.as_ptr(),
            // SAFETY: there is a place for every row of the batch.
            dgain: unsafe { self.dgain.add(row * dgain_ld) },
            dgain_ld,
            gates: C::GATES,
            hidden,
        })
    }

    /// Where the gradients of a run's input parts lie.
    fn input_run(&self, run: &Run) -> Run {
        match self.blocks.norm {
            Some([ih, ..]) => Run { block: ih + run.gate, ..*run },
            None => *run,
        }
    }

    /// Where the gradients of a run's hidden parts lie.
    fn hidden_run(&self, run: &Run) -> Run {
        match self.blocks.norm {
            Some([_, hh, _]) => Run { block: hh + run.gate, ..*run },
            None => *run,
        }
    }
}

/// One share of the large products after the loop.
struct WeightGradients<'a, C> {
    isa: Isa,
    job: &'a Backward<'a>,
    share: usize,
    shares: usize,
    scratch: *mut f32,
    cell: PhantomData<C>,
}

impl<C: Recurrence> WeightGradients<'_, C> {
    /// # Safety
    /// The gate gradients are complete.
    unsafe fn run(&self) {
        let Backward { call, steps, blocks, .. } = *self.job;
        let Input { input, hidden, seq, .. } = *call;
        let (all, ld) = (steps * seq.batch, blocks.count * hidden);
        // SAFETY: the operands are whole matrices of the call; shares write disjoint rows.
        unsafe {
            if steps > 0 {
                for run in C::INPUT {
                    let gates = Rows { ptr: self.job.saved, ld, count: all };
                    let x = Rows { ptr: call.x.as_ptr(), ld: input, count: all };
                    let to = (self.job.dw_ih, input);
                    self.gradient(run, &self.job.input_run(run), gates, x, to, self.job.db_ih);
                }
                self.hidden_gradients();
            }
            if !self.job.dx.is_null() {
                let rows = threads::split(all, 64, self.share, self.shares);
                let block = blocks.norm.map_or(0, |[ih, ..]| ih);
                let ptr = self.job.saved.add(rows.start * ld + block * hidden);
                let to = self.job.dx.add(rows.start * input);
                let store = Store { to, ld: input, columns: input, add: core::ptr::null() };
                let a = Rows { ptr, ld, count: rows.len() };
                multiply(self.isa, a, self.job.back_input, C::GATES * hidden, &store);
                if self.share == 0 {
                    let rest = (seq.seq_len * seq.batch - all) * input;
                    core::ptr::write_bytes(self.job.dx.add(all * input), 0, rest);
                }
            }
        }
    }

    /// Adds this share's rows of one run's weight and bias gradient. The bias takes the gates' gradients (`run`), the
    /// weight those behind a normalisation (`behind`); without one they are the same.
    ///
    /// # Safety
    /// As for [`Self::product`].
    #[allow(clippy::too_many_arguments)]
    unsafe fn gradient(
        &self,
        run: &Run,
        behind: &Run,
        gates: Rows,
        right: Rows,
        to: (*mut f32, usize),
        bias: *mut f32,
    ) {
        // SAFETY: as the caller's.
        unsafe {
            if run.block == behind.block {
                return self.product(run, gates, Some(right), to, bias);
            }
            self.product(behind, gates, Some(right), to, self.job.spare);
            self.product(run, gates, None, to, bias);
        }
    }

    /// Adds this share's rows of one run's product with `right`, and of its sums; without `right` the sums alone.
    ///
    /// # Safety
    /// `gates` are rows of S blocks, `right` as many right operands; `to` is the weight's whole gradient and
    /// its columns.
    unsafe fn product(
        &self,
        run: &Run,
        gates: Rows,
        right: Option<Rows>,
        (to, columns): (*mut f32, usize),
        sums: *mut f32,
    ) {
        let hidden = self.job.call.hidden;
        let rows = threads::split(run.gates * hidden, TILE, self.share, self.shares);
        // SAFETY: as the caller's.
        unsafe {
            let a = Rows { ptr: gates.ptr.add(run.block * hidden + rows.start), ..gates };
            let row = run.gate * hidden + rows.start;
            let columns = if right.is_some() { columns } else { 0 };
            let to = Target {
                ptr: to.add(row * columns),
                rows: rows.len(),
                columns,
                sums: sums.add(row),
            };
            grad_product(self.isa, a, right.unwrap_or(a), to, self.scratch);
        }
    }

    /// # Safety
    /// As for the whole backward pass.
    unsafe fn hidden_gradients(&self) {
        let job = self.job;
        let Input { hidden, seq, h0, .. } = *job.call;
        let (ld, batch) = (job.blocks.count * hidden, seq.batch);
        let all = job.steps * batch;
        let to = (job.dw_hh, hidden);
        // SAFETY: as the caller's.
        unsafe {
            for HiddenRun { run, operand } in C::HIDDEN {
                let behind = job.hidden_run(run);
                let gates = Rows { ptr: job.saved, ld, count: all };
                if let Some(block) = operand.or(job.blocks.seen) {
                    let right = Rows { ptr: job.saved.add(block * hidden), ..gates };
                    self.gradient(run, &behind, gates, right, to, job.db_hh);
                    continue;
                }
                // Each step's gates with the state of the step visited before: y, one step off.
                // (A row that starts there finds y zero, past its end.)
                let count = all - batch;
                let (shifted, states, edge) = match seq.reverse {
                    false => (batch, 0, 0),
                    true => (0, batch, count),
                };
                let rows = |row: usize, count| Rows { ptr: job.saved.add(row * ld), ld, count };
                let right = Rows { ptr: job.y.as_ptr().add(states * hidden), ld: hidden, count };
                self.gradient(run, &behind, rows(shifted, count), right, to, job.db_hh);
                // The steps that this left out have a bias too, and first steps h0.
                self.product(run, rows(edge, batch), None, to, job.db_hh);
                if let Some(h0) = h0 {
                    let gates = Rows { ptr: job.first, ld, count: batch };
                    let right = Rows { ptr: h0.as_ptr(), ld: C::STATES * hidden, count: batch };
                    self.product(&behind, gates, Some(right), to, job.spare);
                }
            }
        }
    }
}
