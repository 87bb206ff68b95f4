//! A layer over a whole sequence, or one step of it, for any cell.
//!
//! ```text
//! each thread, its rows of the batch:
//!     for each chunk of steps:  X · W_ih + b for the chunk, then step by step the cell
//! ```

use crate::cell::{ForwardStep, Recurrence, Store, Valid};
use crate::memory::{Arena, Shared, lines};
use crate::product::{Panels, Rows, product};
use crate::sequence::{Input, state_ld};
use crate::simd::{Isa, Kernel, Simd};
use crate::{Sequence, Workspace, threads};
use core::marker::PhantomData;
use core::ops::Range;

/// Values of the input part that are computed ahead: 512 KB, which stays in the second cache beside a step's
/// weights.
const CHUNK: usize = 1 << 17;

/// Views of packed weights.
#[derive(Clone, Copy)]
pub(crate) struct Parts {
    pub w_ih: Panels,
    pub b_ih: *const f32,
    pub b_hh: *const f32,
    pub w_hh: [Panels; 2],
}

/// Where a forward pass writes.
#[derive(Clone, Copy)]
pub(crate) struct Output {
    /// `[T, B, H]`
    pub y: *mut f32,
    /// `[T, B, S, H]`, or null.
    pub saved: *mut f32,
}

/// The sizes of one worker's forward scratch memory.
struct ForwardPlan {
    /// Steps of a chunk.
    chunk: usize,
    /// Values of a row's input part.
    x_ld: usize,
    len: usize,
}

impl ForwardPlan {
    fn new<C: Recurrence>(isa: Isa, hidden: usize, rows: usize, steps: usize) -> Self {
        let x_ld = hidden.next_multiple_of(isa.lanes()) * C::GATES;
        let chunk = (CHUNK / (rows * x_ld).max(1)).clamp(1, steps.max(1));
        let states = if C::PRODUCTS.len() > 1 { 3 } else { 2 };
        let len = lines(chunk * rows * x_ld) + states * lines(rows * state_ld(hidden));
        Self { chunk, x_ld, len }
    }
}

pub(crate) fn forward<C: Recurrence>(
    isa: Isa,
    call: &Input<'_>,
    parts: &Parts,
    output: Output,
    ws: &mut Workspace,
) {
    let workers = call.workers();
    let most = (0..workers).map(|w| call.rows(w, workers).len()).max().unwrap_or(0);
    let steps = call.steps();
    let plan = ForwardPlan::new::<C>(isa, call.hidden, most, steps);
    let scratch = ws.scratch.get(workers * plan.len).as_mut_ptr();
    let shared = Shared((call, parts, output, &plan, scratch));
    threads::run(workers, |worker| {
        let Shared((call, parts, output, plan, scratch)) = *{ &shared };
        let rows = call.rows(worker, workers);
        // SAFETY: each worker has its own part of the scratch memory, which was sized for all.
        let scratch =
            unsafe { core::slice::from_raw_parts_mut(scratch.add(worker * plan.len), plan.len) };
        isa.dispatch(ForwardRows::<C> {
            call,
            parts,
            output,
            plan,
            rows,
            scratch,
            cell: PhantomData,
        });
    });
}

struct ForwardRows<'a, C> {
    call: &'a Input<'a>,
    parts: &'a Parts,
    output: Output,
    plan: &'a ForwardPlan,
    rows: Range<usize>,
    scratch: &'a mut [f32],
    cell: PhantomData<C>,
}

impl<C: Recurrence> Kernel for ForwardRows<'_, C> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { call, parts, output, plan, rows, scratch, .. } = self;
        let Input { seq, hidden, .. } = *call;
        let (n, ld, steps) = (rows.len(), state_ld(hidden), call.steps());
        let mut arena = Arena::new(scratch);
        let x_part = arena.take(plan.chunk * n * plan.x_ld);
        let (mut state, mut next) = (arena.take(n * ld), arena.take(n * ld));
        let extra = if C::PRODUCTS.len() > 1 { arena.take(n * ld) } else { next };
        // SAFETY: rows and steps lie within the checked buffers; the states have n rows of ld values.
        unsafe {
            core::ptr::write_bytes(state, 0, n * ld);
            if let Some(h0) = call.h0 {
                for (i, row) in rows.clone().enumerate() {
                    let from = h0[row * hidden..][..hidden].as_ptr();
                    core::ptr::copy_nonoverlapping(from, state.add(i * ld), hidden);
                }
            }
            for first in (0..steps).step_by(plan.chunk) {
                let chunk = plan.chunk.min(steps - first);
                let (a, b) = (call.time(first, steps), call.time(first + chunk - 1, steps));
                let low = a.min(b);
                input_part(s, call, parts, &rows, low..low + chunk, (x_part, plan.x_ld));
                for i in first..first + chunk {
                    let t = call.time(i, steps);
                    let at = (t * seq.batch + rows.start) * hidden;
                    C::forward(
                        s,
                        &ForwardStep {
                            rows: n,
                            hidden,
                            x: x_part.add((t - low) * n * plan.x_ld),
                            x_ld: plan.x_ld,
                            weights: &parts.w_hh,
                            bias: parts.b_hh,
                            state,
                            next,
                            extra,
                            state_ld: ld,
                            zero_state: i == 0 && call.h0.is_none(),
                            y: output.y.add(at),
                            saved: match output.saved.is_null() {
                                true => output.saved,
                                false => output.saved.add(at * C::SAVED),
                            },
                            valid: Valid { t, lengths: call.lengths(&rows) },
                        },
                    );
                    core::mem::swap(&mut state, &mut next);
                }
            }
            for t in steps..seq.seq_len {
                let at = (t * seq.batch + rows.start) * hidden;
                core::ptr::write_bytes(output.y.add(at), 0, n * hidden);
            }
        }
    }
}

/// `X · W_ih + b` of some steps and rows, `[steps][rows][unit block][gate][lane]`.
///
/// # Safety
/// `rows` and `steps` lie within the call's buffers; `to` is writable for all results.
#[inline(always)]
unsafe fn input_part<S: Simd>(
    s: S,
    call: &Input<'_>,
    parts: &Parts,
    rows: &Range<usize>,
    steps: Range<usize>,
    (to, ld): (*mut f32, usize),
) {
    let Input { seq, input, x, .. } = *call;
    // All rows: the steps follow each other without a gap.
    let (count, times) = if rows.len() == seq.batch {
        (rows.len() * steps.len(), 1)
    } else {
        (rows.len(), steps.len())
    };
    for i in 0..times {
        // SAFETY: as the caller's.
        unsafe {
            let ptr = x.as_ptr().add(((steps.start + i) * seq.batch + rows.start) * input);
            let to = to.add(i * count * ld);
            let store = Store { to, ld, columns: ld, add: parts.b_ih, add_ld: 0 };
            product(s, Rows { ptr, ld: input, count }, parts.w_ih, input, &store);
        }
    }
}

/// One step on the calling thread; `sizes` are `[B, I, H]`.
pub(crate) fn step<C: Recurrence>(
    isa: Isa,
    [batch, input, hidden]: [usize; 3],
    x: &[f32],
    h: &mut [f32],
    parts: &Parts,
    ws: &mut Workspace,
) {
    let plan = ForwardPlan::new::<C>(isa, hidden, batch, 1);
    let scratch = ws.scratch.get(plan.len + batch * hidden);
    let (y, scratch) = scratch.split_at_mut(batch * hidden);
    let seq = Sequence { seq_len: 1, batch, lengths: None, reverse: false };
    let call = Input { seq: &seq, input, hidden, x, h0: Some(h) };
    let output = Output { y: y.as_mut_ptr(), saved: core::ptr::null_mut() };
    let (call, plan, rows) = (&call, &plan, 0..batch);
    isa.dispatch(ForwardRows::<C> { call, parts, output, plan, rows, scratch, cell: PhantomData });
    h.copy_from_slice(y);
}
