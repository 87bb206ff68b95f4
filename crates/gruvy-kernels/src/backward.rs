//! Gradients of a layer over a whole sequence, for any cell.
//!
//! ```text
//! for each window of steps, the last first:       (one window; many where the saved values are computed again)
//!     each thread, its rows of the batch:         step by step in reverse, gate gradients over the saved values
//!     each thread, its share:                     weight gradients (rows of the weights) and dx (rows of x)
//! ```

use crate::cell::{BackwardStep, Before, Blocks, FirstState, Recurrence, Valid};
use crate::forward::{self, Span, Targets, state_mask};
use crate::memory::{Arena, Buffer, Shared, lines};
use crate::norm::BackwardNorm;
use crate::product::{Packing, Panels, Source, grad_scratch, pack};
use crate::sequence::{Input, Share, shares, unit_ld};
use crate::simd::{Isa, Kernel, Simd};
use crate::weight_gradients::WeightGradients;
use crate::{Gradients, Layer, Packed, Tape, Workspace, threads};
use core::marker::PhantomData;
use core::ops::Range;

/// Everything a backward pass reads and writes, for all its threads.
pub(crate) struct Backward<'a> {
    pub call: &'a Input<'a>,
    pub layer: &'a Layer<'a>,
    pub steps: usize,
    pub blocks: Blocks,
    pub y: &'a [f32],
    dy: &'a [f32],
    dlast: Option<&'a [f32]>,
    /// `[K * H]` zeros, the state before a sequence without h0.
    zeros: *const f32,
    /// Gradients of the gains of each row, `[B, gates of both parts, H]`.
    dgain: *mut f32,
    /// Hidden weights for each product of the cell, and input weights for dx.
    back: [Panels; 2],
    pub back_input: Panels,
    pub dx: *mut f32,
    dh0: *mut f32,
    pub dw_ih: *mut f32,
    pub dw_hh: *mut f32,
    /// Null for a layer without bias.
    pub db_ih: *mut f32,
    pub db_hh: *mut f32,
    /// `[B, K, unit_ld]`
    carry: *mut f32,
    /// `[B, unit_ld]`, or null.
    mask: *mut f32,
}

/// Consecutive steps whose saved values are at hand, to become gate gradients.
#[derive(Clone)]
pub(crate) struct Window {
    /// The steps, in the order of the forward pass.
    pub span: Range<usize>,
    /// `[steps, B, S, H]`, in the order of time.
    saved: *mut f32,
    /// States before the first step, `ld` apart.
    state: (*const f32, usize),
    /// Gate gradients of the step visited after the last, `[B, S, H]`, or null.
    after: *const f32,
}

impl Window {
    /// The times of the steps.
    pub fn times(&self, job: &Backward<'_>) -> Range<usize> {
        job.call.times(&self.span, job.steps)
    }

    /// A row at a time.
    ///
    /// # Safety
    /// The window holds the time.
    pub unsafe fn at(&self, job: &Backward<'_>, t: usize, row: usize) -> *mut f32 {
        let row = (t - self.times(job).start) * job.call.seq.batch + row;
        // SAFETY: as the caller's.
        unsafe { self.saved.add(row * job.blocks.count * job.call.hidden) }
    }

    /// Gate gradients of the step that the forward pass visits first.
    ///
    /// # Safety
    /// The window has steps.
    unsafe fn first(&self, job: &Backward<'_>) -> *const f32 {
        // SAFETY: as the caller's.
        unsafe { self.at(job, job.call.time(self.span.start, job.steps), 0) }
    }
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
    let Workspace { scratch, packed, again } = ws;
    let (back, back_input) = pack_backward::<C>(isa, layer, packed);
    let blocks = layer.blocks(&call.noise);
    let gates = C::GATES + C::CELL.hidden_gates();
    let (steps, shares) = (call.steps(), call.threads);

    let units = seq.batch * unit_ld(hidden);
    let row = blocks.count * hidden;
    let sizes = [
        C::STATES * hidden,
        if blocks.norm.is_some() { seq.batch * gates * hidden } else { 0 },
        C::STATES * units,
        if blocks.seen.is_some() { units } else { 0 },
        if call.starts_vary() { seq.batch * row } else { 0 },
    ];
    let columns = || core::iter::once(input).chain(C::HIDDEN.iter().map(|_| hidden));
    let part = lines(grad_scratch(columns()));
    let total = sizes.map(lines).iter().sum::<usize>() + shares * part;
    let mut arena = Arena::new(scratch.get(total));
    let [zeros, dgain, carry, mask, first] = sizes.map(|len| arena.take(len));
    let products = arena.take(shares * part);
    // SAFETY: all were just taken with these lengths.
    unsafe {
        for (memory, len) in [(zeros, sizes[0]), (dgain, sizes[1]), (first, sizes[4])] {
            core::ptr::write_bytes(memory, 0, len);
        }
    }
    let pointer =
        |slice: Option<&mut [f32]>| slice.map_or(core::ptr::null_mut(), <[f32]>::as_mut_ptr);
    let Gradients { mut dgain_ih, mut dgain_hh, .. } = grads;
    let job = Backward {
        call,
        layer,
        steps,
        blocks,
        y: tape.y,
        dy: tape.dy,
        dlast: tape.dlast,
        zeros,
        dgain,
        back,
        back_input,
        dx: pointer(grads.dx),
        dh0: pointer(grads.dh0),
        dw_ih: grads.dw_ih.as_mut_ptr(),
        dw_hh: grads.dw_hh.as_mut_ptr(),
        db_ih: pointer(grads.db_ih),
        db_hh: pointer(grads.db_hh),
        carry,
        mask: if blocks.seen.is_some() { mask } else { core::ptr::null_mut() },
    };
    let first = if call.starts_vary() { first } else { core::ptr::null_mut() };
    let work = Work { isa, job: &job, shares, products, part, first };
    let state = call.h0.map_or((zeros.cast_const(), 0), |h0| (h0.as_ptr(), C::STATES * hidden));
    if call.recompute {
        work.windows_again::<C>(tape.saved, again.get_or_insert_default());
    } else {
        let (saved, after) = (tape.saved.as_mut_ptr(), core::ptr::null());
        work.window::<C>(&Window { span: 0..steps, saved, state, after });
    }
    if !first.is_null() && steps > 0 {
        let first = Shared(first);
        work.share(None, |share| {
            let Shared(first) = *{ &first };
            // SAFETY: all gate gradients of first steps were gathered.
            unsafe { share.start_states::<C>(first) }
        });
    }
    if !job.dx.is_null() {
        let done = steps * seq.batch * input;
        // SAFETY: dx holds all steps.
        unsafe {
            core::ptr::write_bytes(job.dx.add(done), 0, seq.seq_len * seq.batch * input - done)
        };
    }
    if blocks.norm.is_some() {
        // SAFETY: taken with this length, and complete.
        let rows = unsafe { core::slice::from_raw_parts(dgain, sizes[1]) };
        for row in rows.chunks_exact(gates * hidden) {
            let (ih, hh) = row.split_at(C::GATES * hidden);
            for (to, from) in [(&mut dgain_ih, ih), (&mut dgain_hh, hh)] {
                let to = to.as_deref_mut().unwrap_or_default();
                to.iter_mut().zip(from).for_each(|(to, from)| *to += from);
            }
        }
    }
}

/// How the threads go through the steps.
struct Work<'a> {
    isa: Isa,
    job: &'a Backward<'a>,
    shares: usize,
    /// Scratch of the weight gradients, `part` values a share.
    products: *mut f32,
    part: usize,
    /// `[B, S, H]`: the gate gradients of each row's first step, where rows start at different steps; or null.
    first: *mut f32,
}

impl Work<'_> {
    /// The steps of a window.
    fn window<C: Recurrence>(&self, window: &Window) {
        let shared = Shared((self, window));
        shares::<C>(self.job.call, self.isa, self.job.blocks.norm.is_some(), |_, share| {
            let Shared((&Work { isa, job, .. }, window)) = *{ &shared };
            isa.dispatch(BackwardRows::<C> { job, window, share, cell: PhantomData });
        });
        if !self.first.is_null() {
            // SAFETY: the window's gradients are complete.
            unsafe { self.gather_first(window) };
        }
        if !window.span.is_empty() {
            // SAFETY: the gate gradients are complete, and the shares write disjoint rows.
            self.share(Some(window), |share| unsafe { share.run::<C>() });
        }
    }

    /// Runs the products' shares.
    fn share(&self, window: Option<&Window>, run: impl Fn(WeightGradients<'_>) + Sync) {
        let shared = Shared((self, window));
        threads::run(self.shares, |share| {
            let Shared((&Work { isa, job, shares, products, part, .. }, window)) = *{ &shared };
            // SAFETY: there is a part for each share.
            let scratch = unsafe { products.add(share * part) };
            run(WeightGradients { isa, job, window, share, shares, scratch });
        });
    }

    /// Copies the gate gradients of the rows whose first step lies in the window.
    ///
    /// # Safety
    /// They are complete.
    unsafe fn gather_first(&self, window: &Window) {
        let job = self.job;
        let (ld, times) = (job.blocks.count * job.call.hidden, window.times(job));
        for (b, &len) in job.call.seq.lengths.unwrap_or_default().iter().enumerate() {
            if times.contains(&len.wrapping_sub(1)) {
                // SAFETY: the window holds the row, `first` one for each sequence.
                unsafe {
                    let from = window.at(job, len - 1, b);
                    core::ptr::copy_nonoverlapping(from, self.first.add(b * ld), ld);
                }
            }
        }
    }

    /// All steps, window by window, whose saved values are computed again from the states before each
    /// (`states [windows, B, K * H]`).
    fn windows_again<C: Recurrence>(&self, states: &[f32], again: &mut Again) {
        let job = self.job;
        let Input { seq, hidden, .. } = *job.call;
        let (length, width) = (job.call.window(), C::STATES * hidden);
        let row = job.blocks.count * hidden;
        let most = length.min(job.steps) * seq.batch;
        let Again { packed, memory, scratch } = again;
        let packed = Packed::renew(packed, self.isa, job.layer);
        let sizes = [most * row, most * hidden, seq.batch * row];
        let mut arena = Arena::new(memory.get(sizes.map(lines).iter().sum()));
        let [saved, y, kept] = sizes.map(|len| arena.take(len));
        let (mut after, null) = (core::ptr::null(), core::ptr::null_mut());
        if job.steps == 0 {
            self.window::<C>(&Window { span: 0..0, saved, state: (job.zeros, 0), after });
        }
        let before = states.chunks_exact((seq.batch * width).max(1));
        for (i, before) in before.enumerate().take(job.steps.div_ceil(length)).rev() {
            let span = i * length..job.steps.min((i + 1) * length);
            let part = Span { steps: span.clone(), first: job.call.times(&span, job.steps).start };
            let targets = Targets { y, saved, last: null, states: null };
            let call = Input { h0: Some(before), ..*job.call };
            forward::forward::<C>(self.isa, &call, &packed.parts(), (targets, part), scratch);
            let window = Window { span, saved, state: (before.as_ptr(), width), after };
            self.window::<C>(&window);
            // SAFETY: the window has steps, `kept` a row for each sequence.
            unsafe { core::ptr::copy_nonoverlapping(window.first(job), kept, sizes[2]) };
            after = kept;
        }
    }
}

/// What is needed to compute saved values again.
#[derive(Debug, Default)]
pub(crate) struct Again {
    packed: Option<Packed>,
    memory: Buffer,
    scratch: Buffer,
}

impl Again {
    /// Memory whose content does not matter between calls.
    pub fn buffers(&mut self) -> [&mut Buffer; 2] {
        [&mut self.memory, &mut self.scratch]
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
    let mut back = [Panels { ptr: to, count: units / width, depth: 0, first: 0 }; 2];
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
    (back, Panels { ptr: to, count: columns / width, depth: gates, first: 0 })
}

/// The recurrence of some rows over a window, backward in time: gate gradients, and in the end dh0.
struct BackwardRows<'a, C> {
    job: &'a Backward<'a>,
    window: &'a Window,
    share: Share<'a>,
    cell: PhantomData<C>,
}

impl<C: Recurrence> Kernel for BackwardRows<'_, C> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { job, window, ref share, .. } = self;
        let Share { ref rows, ref panels, .. } = *share;
        let Input { seq, hidden, h0, .. } = *job.call;
        let (n, ld, steps) = (rows.len(), unit_ld(hidden), job.steps);
        let (width, saved_ld) = (C::STATES * hidden, job.blocks.count * hidden);
        let lengths = job.call.lengths(rows);
        let norm = job.norm::<C>(rows.start);
        // SAFETY: rows and steps lie within the checked buffers.
        unsafe {
            let carry = job.carry.add(rows.start * C::STATES * ld);
            let mask = match job.mask.is_null() {
                true => job.mask,
                false => job.mask.add(rows.start * ld),
            };
            let mut weights = job.back;
            if share.team.is_some() {
                let gates = C::BACK.first().map_or(0, |run| run.gates);
                weights[0] = weights[0].part(panels, gates * hidden * S::LANES);
            }
            if window.span.end == steps {
                self.fill_carry(carry, share.units(hidden, S::LANES), S::LANES);
                if !mask.is_null() {
                    state_mask(s, job.call, rows.clone(), mask);
                }
            }
            let states = |(ptr, ld): (*const f32, usize)| (ptr.add(rows.start * ld), ld);
            let start = states(h0.map_or((job.zeros, 0), |h0| (h0.as_ptr(), width)));
            let before_window = states(window.state);
            let at = |i: usize| (job.call.time(i, steps) * seq.batch + rows.start) * hidden;
            let saved = |i: usize| window.at(job, job.call.time(i, steps), rows.start);
            let now = |i: usize, after: *const f32| {
                let t = job.call.time(i, steps);
                // Nothing is read of a step before the first, which starts from a state.
                let starts = i == window.span.start;
                let before = i - !starts as usize;
                let (h0, h0_ld) = if starts { before_window } else { start };
                BackwardStep {
                    rows: n,
                    hidden,
                    weights: &weights,
                    after,
                    saved: saved(i),
                    saved_ld,
                    dy: job.dy.as_ptr().add(at(i)),
                    carry,
                    unit_ld: ld,
                    mask,
                    before: Before {
                        y: job.y.as_ptr().add(at(before)),
                        saved: saved(before),
                        saved_ld,
                        h0,
                        h0_ld,
                        hidden,
                        all_start: starts,
                        starts_at_end: seq.reverse.then_some(Valid { t, lengths }),
                    },
                    valid: Valid { t, lengths },
                    zoneout: job.call.zoneout(job.layer.zoneout, at(i)),
                    norm,
                }
            };
            let mut after = match window.after.is_null() {
                true => window.after,
                false => window.after.add(rows.start * saved_ld),
            };
            for i in window.span.clone().rev() {
                let step = now(i, after);
                C::backward(s, &step);
                if !C::BACK.is_empty() {
                    share.wait();
                }
                after = step.saved;
                if let Some(norm) = &step.norm {
                    for run in C::INPUT {
                        norm.input_part(S::ISA, (step.saved, saved_ld, n), *run);
                    }
                }
            }
            if job.dh0.is_null() || window.span.start > 0 {
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
    /// The carried gradient before any step: what comes back to the states after the last ones. Padded to whole vectors of
    /// `width`.
    ///
    /// # Safety
    /// `carry` is writable for the rows.
    unsafe fn fill_carry(&self, carry: *mut f32, units: Range<usize>, width: usize) {
        let hidden = self.job.call.hidden;
        let (ld, vectors) = (unit_ld(hidden), self.share.rows.len() * C::STATES);
        for i in 0..vectors {
            // SAFETY: as the caller's; dlast was checked.
            unsafe {
                let to = carry.add(i * ld + units.start);
                core::ptr::write_bytes(to, 0, units.len().next_multiple_of(width));
                let Some(dlast) = self.job.dlast else { continue };
                let from = (self.share.rows.start * C::STATES + i) * hidden + units.start;
                core::ptr::copy_nonoverlapping(dlast[from..].as_ptr(), to, units.len());
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
}
