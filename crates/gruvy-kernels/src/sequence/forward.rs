//! The forward pass over a whole sequence, or one step of it.

use super::call::Call;
use super::forward_rows::ForwardRows;
use super::job::{Forward, Targets};
use crate::cell::Recurrence;
use crate::memory::{Buffer, Shared, lines};
use crate::packed::Parts;
use core::marker::PhantomData;

impl Forward<'_> {
    /// Runs the pass.
    ///
    /// # Safety
    /// - `call`: its buffers have the lengths that its sizes ask for
    /// - `parts`: packed for the call's cell, sizes and instruction set, and still readable
    /// - `targets.y`, from time `first` on: the rows of all steps, `[steps, B, H]`, writable
    /// - `targets.saved`: likewise `[steps, B, S, H]`, or null
    /// - `targets.last`: `[B, K * H]` writable, or null
    /// - `targets.states`: `[windows, B, K * H]` writable, for the windows of the steps, or null
    /// - nothing else accesses the targets during the call
    pub unsafe fn run<C: Recurrence>(&self, scratch: &mut Buffer) {
        let plan = &self.call.plan;
        let len = plan.forward.len;
        let scratch = Shared::new(scratch.get(plan.memories() * len).as_mut_ptr());
        plan.run(|share| {
            // SAFETY: there is a memory for every share, or one for those with other units.
            let scratch = unsafe { scratch.get().add(share.memory * len) };
            let rows = ForwardRows::<C> { job: self, share, scratch, cell: PhantomData };
            self.call.isa.dispatch(rows);
        });
    }
}

/// One step on the calling thread, of a call with one step and [one thread](Call::on_threads).
/// Returns the next state, `[B, K * H]`.
///
/// # Safety
/// - `call`: its buffers have the lengths that its sizes ask for
/// - `parts`: packed for the call's cell, sizes and instruction set, and still readable
pub(crate) unsafe fn step<'s, C: Recurrence>(
    call: &Call<'_>,
    parts: Parts,
    scratch: &'s mut Buffer,
) -> &'s [f32] {
    let (len, y) = (lines(call.plan.forward.len), lines(call.seq.batch * call.hidden));
    let width = call.seq.batch * C::STATES * call.hidden;
    let scratch = scratch.get(len + y + lines(width));
    let (scratch, out) = scratch.split_at_mut(len);
    let (y, last) = out.split_at_mut(y);
    let null = Shared::NULL;
    let (y, to) = (Shared::of(Some(y)), Shared::of(Some(&mut *last)));
    let targets = Targets { first: 0, y, last: to, saved: null, states: null };
    let job = &Forward { call, parts, steps: 0..1, targets };
    let (share, scratch) = (call.plan.whole(), scratch.as_mut_ptr());
    call.isa.dispatch(ForwardRows::<C> { job, share, scratch, cell: PhantomData });
    &last[..width]
}
