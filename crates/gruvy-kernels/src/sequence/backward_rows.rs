//! The recurrence of some rows, backward in time.

use super::call::Call;
use super::job::{Backward, States, Window};
use super::plan::Share;
use crate::cell::Recurrence;
use crate::memory::Shared;
use crate::norm::BackwardNorm;
use crate::product::{Epilogue, Panels};
use crate::saved::Run;
use crate::simd::{Kernel, Simd};
use crate::step::{BackwardStep, Before, Place, Valid};
use core::marker::PhantomData;

/// The steps of a window for some rows, or for some units of them: gate gradients over the saved
/// values, and in the end dh0.
pub(super) struct BackwardRows<'a, C> {
    pub job: &'a Backward<'a>,
    pub window: &'a Window,
    pub share: Share<'a>,
    pub cell: PhantomData<C>,
}

/// What all steps of a share have in common. The pointers are to its first row.
struct Common<'a> {
    weights: &'a [Panels],
    /// `[rows][K][unit_ld]`
    carry: *mut f32,
    /// `[rows][unit_ld]`, or null, as `candidate`.
    mask: *const f32,
    candidate: *const f32,
    norm: Option<BackwardNorm>,
    /// The states before the window's first step, and those before the sequence.
    before_window: (*const f32, usize),
    start: (*const f32, usize),
}

impl<C: Recurrence> Kernel for BackwardRows<'_, C> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { job, window, ref share, .. } = self;
        let Backward { call, ref scratch, .. } = *job;
        let Call { hidden, ref plan, h0, .. } = *call;
        let (first, width) = (share.rows.start, C::STATES * hidden);
        let saved_ld = call.saved_ld();
        let mut weights = job.weights.hidden;
        if share.team.is_some() {
            let gates = C::BACK.first().map_or(0, |run| run.gates);
            weights[0] = weights[0].part(&share.panels, gates * hidden * S::LANES);
        }
        // SAFETY: `Backward::window` alone makes this kernel.
        // - the pointers of the job and of the window: as they were promised there
        // - the rows and units of the share are written by this thread alone
        unsafe {
            let carry = scratch.carry.get().add(first * C::STATES * plan.unit_ld);
            let [mask, candidate] =
                [scratch.mask, scratch.candidate].map(|of_batch| match of_batch.is_null() {
                    true => core::ptr::null_mut(),
                    false => of_batch.get().add(first * plan.unit_ld),
                });
            if window.span.end == call.steps {
                self.fill_carry(carry, S::LANES);
                if let Some(drawn) = call.state {
                    call.draw(drawn, share, 0, mask);
                }
            }
            let zeros = States { ptr: Shared::new(scratch.zeros.get()), ld: 0 };
            let start = h0.map_or(zeros, |h0| States { ptr: Shared::new(h0.as_ptr()), ld: width });
            let common = Common {
                weights: &weights,
                carry,
                mask,
                candidate,
                norm: job.norm(C::CELL, first),
                before_window: window.state.at_row(first),
                start: start.at_row(first),
            };
            let mut after = match window.after.get().is_null() {
                true => window.after.get(),
                false => window.after.get().add(first * saved_ld),
            };
            for i in window.span.clone().rev() {
                let step = self.step(&common, i, after);
                if let Some(drawn) = call.candidate {
                    call.draw(drawn, share, call.time(i) * call.seq.batch, candidate);
                }
                C::backward(s, &step);
                if !C::BACK.is_empty() {
                    share.wait();
                }
                after = step.saved;
                if let Some(norm) = &step.norm {
                    for run in C::INPUT {
                        norm.input_part(S::ISA, step.saved_rows(), *run);
                    }
                }
            }
            if !job.to.dh0.is_null() && window.span.start == 0 {
                self.first_state::<S>(&common, after);
            }
        }
    }
}

impl<C: Recurrence> BackwardRows<'_, C> {
    /// The carried gradient before any step: what comes back to the states after the last ones.
    /// Padded to whole vectors of `width`.
    ///
    /// # Safety
    /// - `carry`: `[rows][K][unit_ld]` writable
    /// - the job's `dlast`: `[B, K * H]`, if there is one
    unsafe fn fill_carry(&self, carry: *mut f32, width: usize) {
        let Backward { call, dlast, .. } = *self.job;
        let (hidden, ld) = (call.hidden, call.plan.unit_ld);
        let units = self.share.units(hidden, width);
        for i in 0..self.share.rows.len() * C::STATES {
            // SAFETY: the caller's contract; whole vectors lie within the padding.
            unsafe {
                let to = carry.add(i * ld + units.start);
                core::ptr::write_bytes(to, 0, units.len().next_multiple_of(width));
                let Some(dlast) = dlast else { continue };
                let from = (self.share.rows.start * C::STATES + i) * hidden + units.start;
                core::ptr::copy_nonoverlapping(dlast[from..].as_ptr(), to, units.len());
            }
        }
    }

    /// Step `i`, of which the step visited before left its gate gradients in `after`.
    ///
    /// # Safety
    /// - `i`: a step of the window
    /// - the job's `y` and `dy`: `[T, B, H]`
    /// - the window's `saved`: `[steps, B, S, H]`
    #[inline(always)]
    unsafe fn step<'s>(
        &'s self,
        common: &Common<'s>,
        i: usize,
        after: *const f32,
    ) -> BackwardStep<'s> {
        let Self { job, window, ref share, .. } = *self;
        let Call { seq, hidden, ref plan, .. } = *job.call;
        let first = share.rows.start;
        let lengths = job.call.lengths(&share.rows);
        let at = |i: usize| (job.call.time(i) * seq.batch + first) * hidden;
        let t = job.call.time(i);
        // Nothing is read of a step before the first, which starts from a state.
        let starts = i == window.span.start;
        let before = i - !starts as usize;
        let (h0, h0_ld) = if starts { common.before_window } else { common.start };
        // SAFETY: the caller's contract.
        let [saved, saved_before] =
            unsafe { [i, before].map(|i| window.at(job.call, job.call.time(i), first)) };
        // SAFETY: the caller's contract.
        let [dy, y] = unsafe { [job.dy.as_ptr().add(at(i)), job.y.as_ptr().add(at(before))] };
        let saved_ld = job.call.saved_ld();
        BackwardStep {
            rows: share.rows.len(),
            hidden,
            weights: common.weights,
            after,
            saved,
            saved_ld,
            dy,
            carry: common.carry,
            unit_ld: plan.unit_ld,
            mask: common.mask,
            candidate: common.candidate,
            before: Before {
                y,
                saved: saved_before,
                saved_ld,
                h0,
                h0_ld,
                hidden,
                all_start: starts,
                starts_at_end: seq.reverse.then_some(Valid { t, lengths }),
            },
            valid: Valid { t, lengths },
            zoneout: job.call.zoneout(job.zoneout, at(i)),
            norm: common.norm,
        }
    }

    /// dh0: what the first step sends back, and its carry.
    ///
    /// # Safety
    /// - `after`: gate gradients of step 0, if there are steps
    /// - the job's `dh0`: `[B, K * H]` writable
    unsafe fn first_state<S: Simd>(&self, common: &Common<'_>, after: *const f32) {
        let Backward { call, dlast, .. } = *self.job;
        let (rows, states) = (&self.share.rows, C::STATES);
        let width = states * call.hidden;
        // SAFETY: the caller's contract; the rows of the share are written by this thread alone.
        unsafe {
            let to = self.job.to.dh0.get().add(rows.start * width);
            if call.steps == 0 {
                let len = rows.len() * width;
                match dlast {
                    Some(d) => to.copy_from_nonoverlapping(d[rows.start * width..].as_ptr(), len),
                    None => core::ptr::write_bytes(to, 0, len),
                }
                return;
            }
            let step = &self.step(common, 0, after);
            S::ISA.dispatch(FirstState { step, run: C::BACK.first(), states, to });
        }
    }
}

/// The gradient of h0: what the first step sends back, and its carry. A kernel of its own.
struct FirstState<'a> {
    step: &'a BackwardStep<'a>,
    /// The run that carries the gradient; none: no product does.
    run: Option<&'a Run>,
    /// `K`
    states: usize,
    /// `[rows][K][H]`
    to: *mut f32,
}

impl Kernel for FirstState<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        // SAFETY: `first_state` alone makes this kernel, over a step whose pointers cover what its
        // fields say, and whose gate gradients lie in `after`.
        unsafe { self.step.product_after(s, self.run, &self) }
    }
}

impl Epilogue<1> for FirstState<'_> {
    #[inline(always)]
    unsafe fn apply<S: Simd>(&self, s: S, row: usize, panel: usize, [acc]: [S::V; 1]) {
        let step = self.step;
        let at = Place::new::<S>(row, panel, step.hidden);
        // SAFETY: the place is one of the step; `carry` is padded to whole vectors, and `to` holds
        // the step's rows.
        unsafe {
            for part in 0..self.states {
                let vector = row * self.states + part;
                let mut d = s.load(step.carry.add(vector * step.unit_ld + at.j));
                if part == 0 {
                    d = s.add(step.masked(s, at, acc), d);
                }
                s.store_n(self.to.add(vector * step.hidden + at.j), d, at.n);
            }
        }
    }
}
