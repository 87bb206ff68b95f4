//! The recurrence of some rows, forward in time.

use super::call::Call;
use super::job::Forward;
use super::plan::{ForwardScratch, Share};
use crate::cell::Recurrence;
use crate::memory::Arena;
use crate::noise::Mask;
use crate::norm::{ForwardNorm, Gains, Interleaved, Save, normalise};
use crate::product::{Product, Rows, Store};
use crate::simd::{Isa, Kernel, Simd};
use crate::step::{ForwardStep, Valid};
use core::marker::PhantomData;
use core::ops::Range;

/// All steps of a pass over some rows, or over some units of them.
pub(super) struct ForwardRows<'a, C> {
    pub job: &'a Forward<'a>,
    pub share: Share<'a>,
    /// `[plan.forward.len]`, for all shares of the same rows.
    pub scratch: *mut f32,
    pub cell: PhantomData<C>,
}

/// The parts of the scratch memory of `n` rows.
struct Memory {
    /// Input parts of the gates, `[chunk][n][x_ld]`.
    x: *mut f32,
    /// Room for a product that is to be normalised, `[n][raw_ld]`.
    raw: *mut f32,
    /// State before and after a step, `[n][K][unit_ld]`.
    state: *mut f32,
    next: *mut f32,
    /// Room for one more value a unit, `[n][unit_ld]`, for a cell of two products.
    extra: *mut f32,
    masked: Option<Masked>,
    /// The mask of the candidates, and its values at a step, `[n][unit_ld]`.
    candidate: Option<(Mask, *mut f32)>,
}

/// What recurrent dropout needs.
#[derive(Clone, Copy)]
struct Masked {
    /// The saved block of the masked state.
    block: usize,
    /// `[n][unit_ld]`
    mask: *mut f32,
    /// The masked state, `[n][unit_ld]`.
    seen: *mut f32,
}

impl<C: Recurrence> Kernel for ForwardRows<'_, C> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { job, ref share, scratch, .. } = self;
        let Forward { call, ref steps, .. } = *job;
        let ForwardScratch { chunk, .. } = call.plan.forward;
        // SAFETY: `Forward::run` and `step` alone make this kernel.
        // - the buffers of the call, the packed weights and the targets: as they were promised
        //   there
        // - `scratch`: `[plan.forward.len]`
        // - the rows and units of the share are written by this thread alone
        unsafe {
            let mut memory = self.divide(scratch);
            let mut weights = job.parts.w_hh;
            if share.team.is_some() {
                let gates = C::PRODUCTS.first().copied().unwrap_or(0);
                weights[0] = weights[0].part(&share.panels, gates * call.hidden * S::LANES);
            }
            self.begin::<S>(&memory);
            for first in steps.clone().step_by(chunk) {
                let visited = first..steps.end.min(first + chunk);
                let times = call.times(&visited);
                self.input_part(S::ISA, times.clone(), memory.x);
                for i in visited {
                    self.keep_state::<S>(&memory, i);
                    let mut step = self.step(&memory, i, times.start);
                    step.weights = &weights;
                    self.regularise(s, &memory, &mut step);
                    if let Some((drawn, mask)) = memory.candidate {
                        call.draw(drawn, share, call.time(i) * call.seq.batch, mask);
                        step.candidate = mask;
                    }
                    C::forward(s, &step);
                    // Without a product no unit needs another.
                    if !C::PRODUCTS.is_empty() {
                        share.wait();
                    }
                    core::mem::swap(&mut memory.state, &mut memory.next);
                }
            }
            self.end::<S>(&memory);
        }
    }
}

impl<'a, C: Recurrence> ForwardRows<'a, C> {
    /// Divides the scratch memory.
    ///
    /// # Safety
    /// - `scratch`: `[plan.forward.len]` writable
    unsafe fn divide(&self, scratch: *mut f32) -> Memory {
        let call = self.job.call;
        let ForwardScratch { chunk, x_ld, raw_ld, len } = call.plan.forward;
        let n = self.share.rows.len();
        // SAFETY: the caller's contract.
        let mut arena = unsafe { Arena::shared(scratch, len) };
        let x = arena.take(chunk * n * x_ld);
        let raw = arena.take(n * raw_ld);
        let mut vectors = |count: usize| arena.take(n * call.plan.unit_ld * count);
        let (state, next) = (vectors(C::STATES), vectors(C::STATES));
        let extra = if C::PRODUCTS.len() > 1 { vectors(1) } else { next };
        let masked =
            call.blocks.seen.map(|block| Masked { block, mask: vectors(1), seen: vectors(1) });
        let candidate = call.candidate.map(|drawn| (drawn, vectors(1)));
        Memory { x, raw, state, next, extra, masked, candidate }
    }

    /// The share's units of the vectors of all states, in scratch memory.
    fn vectors(&self, state: *mut f32, lanes: usize) -> Vectors {
        let Self { job: Forward { call, .. }, ref share, .. } = *self;
        let units = share.units(call.hidden, lanes);
        Vectors { ptr: state, ld: call.plan.unit_ld, count: share.rows.len() * C::STATES, units }
    }

    /// The state before the first step, and the mask of recurrent dropout.
    ///
    /// # Safety
    /// - `memory.state`: `[n][K][unit_ld]` writable
    /// - `memory.masked.mask`: `[n][unit_ld]` writable, if there is one
    /// - the call's `h0`: `[B, K * H]`, if there is one
    #[inline(always)]
    unsafe fn begin<S: Simd>(&self, memory: &Memory) {
        let Self { job: Forward { call, .. }, ref share, .. } = *self;
        let Share { ref rows, ref panels, .. } = *share;
        let (ld, width) = (call.plan.unit_ld, C::STATES * call.hidden);
        // SAFETY: the caller's contract. Whole vectors lie within the padding.
        unsafe {
            for i in 0..rows.len() * C::STATES {
                let to = memory.state.add(i * ld + panels.start * S::LANES);
                core::ptr::write_bytes(to, 0, panels.len() * S::LANES);
            }
            if let Some(h0) = call.h0 {
                let from = h0.as_ptr().add(rows.start * width);
                self.vectors(memory.state, S::LANES).set(from, call.hidden);
            }
            share.wait();
            if let (Some(Masked { mask, .. }), Some(drawn)) = (memory.masked, call.state) {
                call.draw(drawn, share, 0, mask);
            }
        }
    }

    /// Writes the state before step `i` to the targets, if a window begins there.
    ///
    /// # Safety
    /// - `memory.state`: `[n][K][unit_ld]` readable
    /// - `targets.states`: `[windows, B, K * H]` writable, or null
    #[inline(always)]
    unsafe fn keep_state<S: Simd>(&self, memory: &Memory, i: usize) {
        let Forward { call, targets, .. } = *self.job;
        let Some(window) = call.window else { return };
        if targets.states.is_null() || !i.is_multiple_of(window) {
            return;
        }
        let row = i / window * call.seq.batch + self.share.rows.start;
        // SAFETY: the caller's contract.
        unsafe {
            let to = targets.states.get().add(row * C::STATES * call.hidden);
            self.vectors(memory.state, S::LANES).copy_to(to, call.hidden);
        }
    }

    /// Step `i`, without weights and regularisers. `memory.x` holds the input parts from time `low`
    /// on.
    ///
    /// # Safety
    /// - `memory.x`: `[chunk][n][x_ld]`, and `low` the time of its first step
    /// - `targets.y` and `targets.saved`: writable at the time of step `i`, or null
    #[inline(always)]
    unsafe fn step(&self, memory: &Memory, i: usize, low: usize) -> ForwardStep<'a> {
        let Self { job: &Forward { call, parts: ref packed, ref targets, .. }, ref share, .. } =
            *self;
        let Call { seq, hidden, h0, ref blocks, ref plan, .. } = *call;
        let (rows, t) = (&share.rows, call.time(i));
        let (n, x_ld) = (rows.len(), plan.forward.x_ld);
        let at = (t * seq.batch + rows.start) * hidden;
        let to = at - targets.first * seq.batch * hidden;
        // SAFETY: the caller's contract.
        let (x, y, saved) = unsafe {
            let saved = match targets.saved.is_null() {
                true => core::ptr::null_mut(),
                false => targets.saved.get().add(to * blocks.count),
            };
            (memory.x.add((t - low) * n * x_ld), targets.y.get().add(to), saved)
        };
        ForwardStep {
            rows: n,
            hidden,
            x,
            x_ld,
            weights: &[],
            bias: packed.b_hh.get(),
            state: memory.state,
            next: memory.next,
            unit_ld: plan.unit_ld,
            seen: memory.state,
            seen_ld: C::STATES * plan.unit_ld,
            extra: memory.extra,
            zero_state: i == 0 && h0.is_none(),
            y,
            saved,
            saved_ld: call.saved_ld(),
            valid: Valid { t, lengths: call.lengths(rows) },
            candidate: core::ptr::null(),
            zoneout: call.zoneout(packed.zoneout, at),
            norm: None,
        }
    }

    /// Normalises the input part of a step, prepares the normalisation of its products, and masks
    /// its state.
    ///
    /// # Safety
    /// - `memory.raw`: `[n][raw_ld]` writable
    /// - `memory.masked`: `mask [n][unit_ld]` readable and `seen [n][unit_ld]` writable, if there
    ///   is one
    /// - `step.x`: `[n][x_ld]` readable and writable
    /// - `step.state`: `[n][K][unit_ld]` readable
    /// - `step.saved`: `[n]` rows of all blocks writable, or null
    #[inline(always)]
    unsafe fn regularise<S: Simd>(&self, s: S, memory: &Memory, step: &mut ForwardStep<'_>) {
        let Forward { call, parts: ref packed, .. } = *self.job;
        if let (Some(gains), Some(blocks)) = (packed.gains, call.blocks.norm) {
            let units = step.x_ld / C::GATES;
            let [ih, hh] = gains.map(|gain| Gains { ptr: gain.get(), units });
            let Call { hidden, plan, .. } = *call;
            // SAFETY: the caller's contract; gains and bias hold all gates.
            let save = unsafe {
                let [save, hidden_part] = Save::parts(blocks, C::GATES, hidden, step.saved_rows());
                let (rows, gates) = (step.rows, C::GATES);
                let rows = Interleaved { at: step.x, ld: step.x_ld, rows, gates, hidden };
                normalise(S::ISA, rows, ih, packed.b_ih.get(), save);
                hidden_part
            };
            let (raw, ld) = (memory.raw, plan.forward.raw_ld);
            step.norm = Some(ForwardNorm { hidden, raw, ld, gains: hh, save });
        }
        if let Some(masked) = memory.masked {
            // SAFETY: the caller's contract.
            unsafe { masked.apply(s, step) }
            (step.seen, step.seen_ld) = (masked.seen, step.unit_ld);
        }
    }

    /// Writes the state after the last step.
    ///
    /// # Safety
    /// - `memory.state`: `[n][K][unit_ld]` readable
    /// - `targets.last`: `[B, K * H]` writable, or null
    #[inline(always)]
    unsafe fn end<S: Simd>(&self, memory: &Memory) {
        let Forward { call, targets, .. } = *self.job;
        if targets.last.is_null() {
            return;
        }
        // SAFETY: the caller's contract.
        unsafe {
            let row = self.share.rows.start * C::STATES * call.hidden;
            let to = targets.last.get().add(row);
            self.vectors(memory.state, S::LANES).copy_to(to, call.hidden);
        }
    }

    /// `X · W_ih` (and the bias, unless it comes after a normalisation) at some times,
    /// `[times][n][unit block][gate][lane]`.
    ///
    /// # Safety
    /// - the call's `x`: `[T, B, I]`, and `times` below T
    /// - `to`: `[times][n][x_ld]` writable, for the units of the share by this thread alone
    unsafe fn input_part(&self, isa: Isa, times: Range<usize>, to: *mut f32) {
        let Self { job: Forward { call, parts, .. }, ref share, .. } = *self;
        let Call { seq, input, x, ref plan, .. } = **call;
        let (rows, panels, ld) = (&share.rows, &share.panels, plan.forward.x_ld);
        let panels = panels.start * C::GATES..panels.end * C::GATES;
        let b = parts.w_ih.part(&panels, input * isa.lanes());
        let add = if parts.gains.is_none() { parts.b_ih.get() } else { core::ptr::null() };
        // All rows: the steps follow each other without a gap.
        let (count, products) = if rows.len() == seq.batch {
            (rows.len() * times.len(), 1)
        } else {
            (rows.len(), times.len())
        };
        for i in 0..products {
            // SAFETY: the caller's contract.
            unsafe {
                let ptr = x.as_ptr().add(((times.start + i) * seq.batch + rows.start) * input);
                let store = Store { to: to.add(i * count * ld), ld, columns: ld, add };
                Product { a: Rows { ptr, ld: input, count }, b, k: input }.store(isa, &store);
            }
        }
    }
}

impl Masked {
    /// Multiplies the state with the mask, into `seen` and the state's saved block.
    ///
    /// # Safety
    /// - `step.state`: `[n]` rows of H padded to whole vectors readable, `step.seen_ld` apart
    /// - `mask`: `[n][unit_ld]` readable
    /// - `seen`: `[n][unit_ld]` writable
    /// - `step.saved`: `[n]` rows of all blocks writable, `step.saved_ld` apart; or null
    #[inline(always)]
    unsafe fn apply<S: Simd>(&self, s: S, step: &ForwardStep<'_>) {
        for row in 0..step.rows {
            for j in (0..step.hidden).step_by(S::LANES) {
                let at = row * step.unit_ld + j;
                let n = S::LANES.min(step.hidden - j);
                // SAFETY: the caller's contract; rows are padded to whole vectors.
                unsafe {
                    let v = s.load(step.state.add(row * step.seen_ld + j));
                    let v = s.mul(v, s.load(self.mask.add(at)));
                    s.store(self.seen.add(at), v);
                    if !step.saved.is_null() {
                        let to = row * step.saved_ld + self.block * step.hidden + j;
                        s.store_n(step.saved.add(to), v, n);
                    }
                }
            }
        }
    }
}

/// Some units of vectors of states.
struct Vectors {
    /// `[count]` vectors, `ld` apart.
    ptr: *mut f32,
    ld: usize,
    count: usize,
    units: Range<usize>,
}

impl Vectors {
    /// Copies the units from vectors of H values.
    ///
    /// # Safety
    /// - `ptr`: `[count]` vectors writable at the units, `ld` apart
    /// - `from`: `[count, hidden]` readable, elsewhere
    unsafe fn set(&self, from: *const f32, hidden: usize) {
        let Self { ptr, ld, count, ref units } = *self;
        for i in 0..count {
            // SAFETY: the caller's contract; the units are below H.
            unsafe {
                let (from, to) = (from.add(i * hidden), ptr.add(i * ld));
                let from = from.add(units.start);
                core::ptr::copy_nonoverlapping(from, to.add(units.start), units.len());
            }
        }
    }

    /// Copies the units to vectors of H values.
    ///
    /// # Safety
    /// - `ptr`: `[count]` vectors readable at the units, `ld` apart
    /// - `to`: `[count, hidden]` writable at the units, elsewhere
    unsafe fn copy_to(&self, to: *mut f32, hidden: usize) {
        let Self { ptr, ld, count, ref units } = *self;
        for i in 0..count {
            // SAFETY: the caller's contract; the units are below H.
            unsafe {
                let (from, to) = (ptr.add(i * ld), to.add(i * hidden));
                let to = to.add(units.start);
                core::ptr::copy_nonoverlapping(from.add(units.start), to, units.len());
            }
        }
    }
}
