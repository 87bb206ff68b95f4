//! Gradients of a layer over a whole sequence.

use super::backward_rows::BackwardRows;
use super::call::Call;
use super::job::{Backward, Forward, GradientPointers, Scratch, States, Targets, Window};
use super::weight_gradients::WeightGradients;
use crate::cell::Recurrence;
use crate::dims::{Gradients, Layer, Tape};
use crate::memory::{Arena, Buffer, Shared, lines};
use crate::packed::{Packed, pack_backward};
use crate::product::grad_scratch;
use crate::threads;
use crate::workspace::{Again, Workspace};
use core::marker::PhantomData;

/// Runs the backward pass of a layer.
///
/// # Safety
/// - `call` and `layer`: their buffers have the lengths that their sizes ask for
/// - `tape.y`, `tape.dy`: `[T, B, H]`; `tape.dlast`: `[B, K * H]`
/// - `tape.saved`: as long as the forward pass of the call leaves it
/// - `grads`: `dx [T, B, I]`, `dh0 [B, K * H]`, and the others as long as the weights that they are
///   the gradients of
pub(crate) unsafe fn backward<C: Recurrence>(
    call: &Call<'_>,
    layer: &Layer<'_>,
    tape: Tape<'_>,
    mut grads: Gradients<'_>,
    ws: &mut Workspace,
) {
    let Tape { y, saved, dy, dlast } = tape;
    let job = Backward {
        call,
        norm: layer.weights.norm,
        zoneout: layer.zoneout,
        y,
        dy,
        dlast,
        weights: pack_backward::<C>(call.isa, layer, &mut ws.packed),
        scratch: Scratch::new::<C>(call, &mut ws.scratch),
        to: GradientPointers {
            dx: Shared::of(grads.dx.as_deref_mut()),
            dh0: Shared::of(grads.dh0.as_deref_mut()),
            dw_ih: Shared::of(Some(&mut *grads.dw_ih)),
            dw_hh: Shared::of(Some(&mut *grads.dw_hh)),
            db_ih: Shared::of(grads.db_ih.as_deref_mut()),
            db_hh: Shared::of(grads.db_hh.as_deref_mut()),
        },
    };
    // SAFETY: the caller's contract; the scratch memory was just made, the weights just packed.
    unsafe {
        match call.window {
            Some(length) => job.windows_again::<C>(layer, length, saved, &mut ws.again),
            None => {
                let zeros = States { ptr: Shared::new(job.scratch.zeros.get()), ld: 0 };
                let state = call.h0.map_or(zeros, |h0| States {
                    ptr: Shared::new(h0.as_ptr()),
                    ld: C::STATES * call.hidden,
                });
                let (saved, after) =
                    (Shared::of(Some(saved)), Shared::new(core::ptr::null::<f32>()));
                job.window::<C>(&Window { span: 0..call.steps, saved, state, after });
            }
        }
        job.finish::<C>(&mut grads);
    }
}

impl Scratch {
    fn new<C: Recurrence>(call: &Call<'_>, buffer: &mut Buffer) -> Self {
        let Call { seq, input, hidden, ref blocks, ref plan, .. } = *call;
        let units = seq.batch * plan.unit_ld;
        let gains = (C::GATES + C::HIDDEN_GATES) * hidden;
        let sizes = [
            C::STATES * hidden,
            if blocks.norm.is_some() { seq.batch * gains } else { 0 },
            C::STATES * units,
            if blocks.seen.is_some() { units } else { 0 },
            if call.candidate.is_some() { units } else { 0 },
            if call.starts_vary() { seq.batch * call.saved_ld() } else { 0 },
        ];
        let columns = core::iter::once(input).chain(C::HIDDEN.iter().map(|_| hidden));
        let product = lines(grad_scratch(columns));
        let total = sizes.map(lines).iter().sum::<usize>() + plan.threads * product;
        let mut arena = Arena::new(buffer.get(total));
        let parts = sizes.map(|len| arena.take(len));
        for part in [0, 1, 5] {
            // SAFETY: the part was just taken with this length.
            unsafe { core::ptr::write_bytes(parts[part], 0, sizes[part]) }
        }
        let [zeros, dgain, carry, mask, candidate, first] = parts.map(Shared::new);
        Self {
            zeros,
            dgain,
            carry,
            mask: if blocks.seen.is_some() { mask } else { Shared::NULL },
            candidate: if call.candidate.is_some() { candidate } else { Shared::NULL },
            first: if call.starts_vary() { first } else { Shared::NULL },
            products: Shared::new(arena.take(plan.threads * product)),
            product,
        }
    }
}

impl Backward<'_> {
    /// The steps of a window, and then their part of the weights' gradients and of dx.
    ///
    /// # Safety
    /// - `window.saved`: `[steps, B, S, H]` readable and writable
    /// - `window.state`: `[B]` states of `[K * H]` readable
    /// - `window.after`: `[B, S, H]` readable, or null
    /// - `y`, `dy`: `[T, B, H]`; `dlast`: `[B, K * H]`, if there is one
    /// - `weights`: packed for the call's cell and sizes, and still readable
    /// - `scratch`, `to`: as long as [`Scratch`] and [`GradientPointers`] say, and accessed by
    ///   nothing else
    /// - windows are run from the last to the first
    unsafe fn window<C: Recurrence>(&self, window: &Window) {
        self.call.plan.run(|share| {
            let rows = BackwardRows::<C> { job: self, window, share, cell: PhantomData };
            self.call.isa.dispatch(rows);
        });
        // SAFETY: the caller's contract; the window's gate gradients are complete.
        unsafe {
            if !self.scratch.first.is_null() {
                self.gather_first(window);
            }
            if !window.span.is_empty() {
                self.share(|share| share.run::<C>(window));
            }
        }
    }

    /// Runs the products' shares.
    fn share(&self, run: impl Fn(WeightGradients<'_>) + Sync) {
        let (Scratch { products, product, .. }, shares) = (self.scratch, self.call.plan.threads);
        threads::run(shares, |share| {
            // SAFETY: there is a part for each share.
            let scratch = unsafe { products.get().add(share * product) };
            run(WeightGradients { job: self, share, shares, scratch });
        });
    }

    /// Copies the gate gradients of the rows whose first step lies in the window.
    ///
    /// # Safety
    /// - `window.saved`: `[steps, B, S, H]` readable
    /// - `scratch.first`: `[B, S, H]` writable
    unsafe fn gather_first(&self, window: &Window) {
        let (call, times) = (self.call, window.times(self.call));
        let ld = call.saved_ld();
        for (b, &len) in call.seq.lengths.unwrap_or_default().iter().enumerate() {
            if times.contains(&len.wrapping_sub(1)) {
                // SAFETY: the window holds the row, `first` one for each sequence.
                unsafe {
                    let from = window.at(call, len - 1, b);
                    core::ptr::copy_nonoverlapping(from, self.scratch.first.get().add(b * ld), ld);
                }
            }
        }
    }

    /// All steps, by windows of `length`, whose saved values are recomputed from the states before
    /// each.
    ///
    /// # Safety
    /// - `y`, `dy`, `dlast`, `weights`, `scratch`, `to`: as [`window`](Self::window) asks for them
    /// - `layer`: the layer of the call, whose weights were checked
    /// - `states`: `[windows, B, K * H]`
    unsafe fn windows_again<C: Recurrence>(
        &self,
        layer: &Layer<'_>,
        length: usize,
        states: &[f32],
        again: &mut Again,
    ) {
        let call = self.call;
        let (batch, hidden, width) = (call.seq.batch, call.hidden, C::STATES * call.hidden);
        let Again { packed, memory, scratch } = again;
        let packed = Packed::renew(packed, call.isa, layer);
        let row = call.saved_ld();
        let most = length.min(call.steps) * batch;
        let sizes = [most * row, most * hidden, batch * row];
        let mut arena = Arena::new(memory.get(sizes.map(lines).iter().sum()));
        let [saved, y, kept] = sizes.map(|len| Shared::new(arena.take(len)));
        let mut after = Shared::new(core::ptr::null::<f32>());
        // SAFETY: the caller's contract, and the memory taken has room for the longest window.
        unsafe {
            if call.steps == 0 {
                let state = States { ptr: Shared::new(self.scratch.zeros.get()), ld: 0 };
                self.window::<C>(&Window { span: 0..0, saved, state, after });
            }
            let before = states.chunks_exact((batch * width).max(1));
            for (i, before) in before.enumerate().take(call.steps.div_ceil(length)).rev() {
                let span = i * length..call.steps.min((i + 1) * length);
                let first = call.times(&span).start;
                let null = Shared::NULL;
                let targets = Targets { first, y, saved, last: null, states: null };
                let steps = span.clone();
                let from = &Call { h0: Some(before), ..*call };
                let forward = Forward { call: from, parts: packed.parts(), steps, targets };
                forward.run::<C>(scratch);
                let state = States { ptr: Shared::new(before.as_ptr()), ld: width };
                let window = Window { span, saved, state, after };
                self.window::<C>(&window);
                // The gate gradients of the step that the forward pass visits first.
                let first = window.at(call, call.time(window.span.start), 0);
                core::ptr::copy_nonoverlapping(first, kept.get(), sizes[2]);
                after = Shared::new(kept.get());
            }
        }
    }

    /// What remains when all windows are done: the part of the weights' gradients that h0 has,
    /// zeros past the last step, and the gradients of the gains.
    ///
    /// # Safety
    /// - `scratch.first`: `[B, S, H]`, with the gate gradients of all first steps; or null
    /// - `scratch.dgain`: `[B, gates of both parts, H]`, and all windows have been run
    /// - `to.dw_hh`: `[hidden gates * H, H]` writable
    unsafe fn finish<C: Recurrence>(&self, grads: &mut Gradients<'_>) {
        let Call { seq, input, hidden, steps, .. } = *self.call;
        if !self.scratch.first.is_null() && steps > 0 {
            // SAFETY: the gate gradients of all first steps were gathered.
            self.share(|share| unsafe { share.start_states::<C>() });
        }
        if let Some(dx) = &mut grads.dx {
            dx[steps * seq.batch * input..].fill(0.0);
        }
        if self.norm.is_some() {
            let gains = (C::GATES + C::HIDDEN_GATES) * hidden;
            let dgain = self.scratch.dgain.get();
            // SAFETY: taken with this length, and complete.
            let rows = unsafe { core::slice::from_raw_parts(dgain, seq.batch * gains) };
            for row in rows.chunks_exact(gains) {
                let (ih, hh) = row.split_at(C::GATES * hidden);
                for (to, from) in [(&mut grads.dgain_ih, ih), (&mut grads.dgain_hh, hh)] {
                    let to = to.as_deref_mut().unwrap_or_default();
                    to.iter_mut().zip(from).for_each(|(to, from)| *to += from);
                }
            }
        }
    }
}
