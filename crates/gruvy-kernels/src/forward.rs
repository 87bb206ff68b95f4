//! A layer over a whole sequence, or one step of it, for any cell.
//!
//! ```text
//! each thread, its rows of the batch:
//!     for each chunk of steps:  X · W_ih + b for the chunk, then step by step the cell
//! ```

use crate::cell::{Blocks, ForwardStep, Recurrence, Valid};
use crate::memory::{Arena, Buffer, Shared, lines};
use crate::noise::{Mask, Stream, key};
use crate::norm::{ForwardNorm, Interleaved, Save, normalise};
use crate::product::{Panels, Rows, Store, multiply};
use crate::sequence::{Input, Share, shares, unit_ld};
use crate::simd::{Isa, Kernel, Simd};
use crate::{Noise, Pass, Sequence, Workspace};
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
    pub zoneout: f32,
    /// Gains of the input's and the state's part, `[gate][units]`; none: no normalisation.
    pub gains: Option<[*const f32; 2]>,
}

/// Where a forward pass writes.
#[derive(Clone, Copy)]
pub(crate) struct Targets {
    /// `[T, B, H]`
    pub y: *mut f32,
    /// `[B, K * H]`, or null.
    pub last: *mut f32,
    /// `[T, B, S, H]`, or null.
    pub saved: *mut f32,
    /// `[windows, B, K * H]`: the states before each window of steps, or null.
    pub states: *mut f32,
}

/// Steps of a sequence that a pass goes through.
#[derive(Clone)]
pub(crate) struct Span {
    /// In the order in which they are visited.
    pub steps: Range<usize>,
    /// Time of the first row of the targets y and saved.
    pub first: usize,
}

/// The sizes of one worker's forward scratch memory.
struct ForwardPlan {
    /// Steps of a chunk.
    chunk: usize,
    /// Values of a row's input part.
    x_ld: usize,
    /// Values of all gates of a product, for its normalisation; 0 without.
    raw_ld: usize,
    blocks: Blocks,
    len: usize,
}

impl ForwardPlan {
    fn new<C: Recurrence>(isa: Isa, call: &Input<'_>, normed: bool, rows: usize) -> Self {
        let units = call.hidden.next_multiple_of(isa.lanes());
        let x_ld = units * C::GATES;
        let chunk = (CHUNK / (rows * x_ld).max(1)).clamp(1, call.steps().max(1));
        let gates = if normed { C::PRODUCTS.iter().copied().max().unwrap_or(0) } else { 0 };
        let blocks = Blocks::new(C::CELL, call.hidden, call.noise.masks_state(), normed);
        // Mask, masked state, and what the cell needs between its products.
        let extra = 2 * blocks.seen.iter().len() + (C::PRODUCTS.len() > 1) as usize;
        let vectors = 2 * C::STATES + extra;
        let len = lines(chunk * rows * x_ld)
            + lines(rows * gates * units)
            + vectors * rows * unit_ld(call.hidden);
        Self { chunk, x_ld, raw_ld: gates * units, blocks, len }
    }
}

pub(crate) fn forward<C: Recurrence>(
    isa: Isa,
    call: &Input<'_>,
    parts: &Parts,
    (targets, span): (Targets, Span),
    scratch: &mut Buffer,
) {
    let normed = parts.gains.is_some();
    let workers = if call.team::<C>(normed) > 1 { 1 } else { call.workers() };
    let most = (0..workers).map(|w| call.rows(w, workers).len()).max().unwrap_or(0);
    let plan = ForwardPlan::new::<C>(isa, call, normed, most);
    let scratch = scratch.get(workers * plan.len).as_mut_ptr();
    let shared = Shared((parts, (targets, &span), &plan, scratch));
    shares::<C>(call, isa, normed, |part, share| {
        let Shared((parts, (targets, span), plan, scratch)) = *{ &shared };
        // SAFETY: each has its own part of the scratch memory, or shares it with those with other units.
        let scratch = unsafe { scratch.add(part * plan.len) };
        let cell = PhantomData;
        isa.dispatch(ForwardRows::<C> { call, parts, targets, span, plan, share, scratch, cell });
    });
}

struct ForwardRows<'a, C> {
    call: &'a Input<'a>,
    parts: &'a Parts,
    targets: Targets,
    span: &'a Span,
    plan: &'a ForwardPlan,
    share: Share<'a>,
    /// `plan.len` values, for all shares of the same rows.
    scratch: *mut f32,
    cell: PhantomData<C>,
}

impl<C: Recurrence> Kernel for ForwardRows<'_, C> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { call, parts, targets, span, plan, ref share, scratch, .. } = self;
        let Share { ref rows, ref panels, .. } = *share;
        let Input { seq, hidden, .. } = *call;
        let units = share.units(hidden, S::LANES);
        let (n, ld, steps) = (rows.len(), unit_ld(hidden), call.steps());
        let (width, blocks) = (C::STATES * hidden, plan.blocks);
        // SAFETY: the memory is the plan's.
        let mut arena = unsafe { Arena::shared(scratch, plan.len) };
        let x_part = arena.take(plan.chunk * n * plan.x_ld);
        let raw = arena.take(n * plan.raw_ld);
        let mut vectors = |count: usize| arena.take(n * ld * count);
        let (mut state, mut next) = (vectors(C::STATES), vectors(C::STATES));
        let extra = if C::PRODUCTS.len() > 1 { vectors(1) } else { next };
        let masked = blocks.seen.map(|block| (block, vectors(1), vectors(1)));
        // SAFETY: rows and steps lie within the checked buffers; the states have n rows of K vectors.
        unsafe {
            let gates = C::PRODUCTS.first().copied().unwrap_or(0);
            let mut weights = parts.w_hh;
            if share.team.is_some() {
                weights[0] = weights[0].part(panels, gates * hidden * S::LANES);
            }
            for i in 0..n * C::STATES {
                let len = panels.len() * S::LANES;
                core::ptr::write_bytes(state.add(i * ld + panels.start * S::LANES), 0, len);
            }
            if let Some(h0) = call.h0 {
                let from = h0.as_ptr().add(rows.start * width);
                copy_units((from, hidden), (state, ld), n * C::STATES, &units);
            }
            share.wait();
            if let Some((_, mask, _)) = masked {
                state_mask(s, call, rows.clone(), mask);
            }
            for first in span.steps.clone().step_by(plan.chunk) {
                let chunk = plan.chunk.min(span.steps.end - first);
                let (a, b) = (call.time(first, steps), call.time(first + chunk - 1, steps));
                let low = a.min(b);
                input_part::<C>(S::ISA, call, parts, share, low..low + chunk, (x_part, plan.x_ld));
                for i in first..first + chunk {
                    let t = call.time(i, steps);
                    let at = (t * seq.batch + rows.start) * hidden;
                    let x = x_part.add((t - low) * n * plan.x_ld);
                    let to = at - span.first * seq.batch * hidden;
                    let saved = match targets.saved.is_null() {
                        true => targets.saved,
                        false => targets.saved.add(to * blocks.count),
                    };
                    if !targets.states.is_null() && i % call.window() == 0 {
                        let row = i / call.window() * seq.batch + rows.start;
                        let to = targets.states.add(row * width);
                        copy_units((state, ld), (to, hidden), n * C::STATES, &units);
                    }
                    let mut step = ForwardStep {
                        rows: n,
                        hidden,
                        x,
                        x_ld: plan.x_ld,
                        weights: &weights,
                        bias: parts.b_hh,
                        state,
                        next,
                        unit_ld: ld,
                        seen: state,
                        seen_ld: C::STATES * ld,
                        extra,
                        zero_state: i == 0 && call.h0.is_none(),
                        y: targets.y.add(to),
                        saved,
                        saved_ld: blocks.count * hidden,
                        valid: Valid { t, lengths: call.lengths(rows) },
                        zoneout: call.zoneout(parts.zoneout, at),
                        norm: None,
                    };
                    if let (Some(gains), Some([ih, hh, scales])) = (parts.gains, blocks.norm) {
                        input_norm::<C>(S::ISA, &step, (gains[0], parts.b_ih), [ih, scales]);
                        let units = plan.x_ld / C::GATES;
                        let gain = gains[1];
                        step.norm = Some(ForwardNorm {
                            raw,
                            ld: plan.raw_ld,
                            gain,
                            units,
                            gates: C::GATES,
                            blocks: [hh, scales],
                        });
                    }
                    if let Some((block, mask, seen)) = masked {
                        mask_state(s, &step, mask, (seen, block));
                        (step.seen, step.seen_ld) = (seen, ld);
                    }
                    C::forward(s, &step);
                    // Without a product no unit needs another.
                    if !C::PRODUCTS.is_empty() {
                        share.wait();
                    }
                    core::mem::swap(&mut state, &mut next);
                }
            }
            if !targets.last.is_null() {
                let to = targets.last.add(rows.start * width);
                copy_units((state, ld), (to, hidden), n * C::STATES, &units);
            }
        }
    }
}

/// Copies some units of `count` vectors of states between places at their distances.
///
/// # Safety
/// As for `copy_nonoverlapping`.
unsafe fn copy_units(
    (from, from_ld): (*const f32, usize),
    (to, to_ld): (*mut f32, usize),
    count: usize,
    units: &Range<usize>,
) {
    for i in 0..count {
        // SAFETY: as the caller's.
        unsafe {
            let (from, to) = (from.add(i * from_ld), to.add(i * to_ld));
            core::ptr::copy_nonoverlapping(from.add(units.start), to.add(units.start), units.len());
        }
    }
}

/// The mask of recurrent dropout for some rows, `[rows][unit_ld]`.
///
/// # Safety
/// `to` is writable for the rows.
#[inline(always)]
pub(crate) unsafe fn state_mask<S: Simd>(s: S, call: &Input<'_>, rows: Range<usize>, to: *mut f32) {
    let Noise { seed, recurrent_dropout } = call.noise;
    let mask = Mask::new(s, recurrent_dropout, key(seed.unwrap_or(0), Stream::State));
    for (i, row) in rows.enumerate() {
        for j in (0..call.hidden).step_by(S::LANES) {
            let place = (row * call.hidden + j) as u32;
            // SAFETY: as the caller's; rows are padded to whole vectors.
            unsafe { s.store(to.add(i * unit_ld(call.hidden) + j), mask.at(s, place)) }
        }
    }
}

/// Multiplies h with the mask, into `seen` and its saved block.
///
/// # Safety
/// All have the step's rows.
#[inline(always)]
unsafe fn mask_state<S: Simd>(
    s: S,
    step: &ForwardStep<'_>,
    mask: *const f32,
    (seen, block): (*mut f32, usize),
) {
    for row in 0..step.rows {
        for j in (0..step.hidden).step_by(S::LANES) {
            let at = row * step.unit_ld + j;
            let n = S::LANES.min(step.hidden - j);
            // SAFETY: as the caller's; rows are padded to whole vectors.
            unsafe {
                let v = s.load(step.state.add(row * step.seen_ld + j));
                let v = s.mul(v, s.load(mask.add(at)));
                s.store(seen.add(at), v);
                if !step.saved.is_null() {
                    let to = step.saved.add(row * step.saved_ld + block * step.hidden + j);
                    s.store_n(to, v, n);
                }
            }
        }
    }
}

/// Normalises the input part of a step in place, adds the bias, and saves it in `blocks`: normalised
/// values, scales.
///
/// # Safety
/// As the step's fields say; gain and bias hold all gates.
unsafe fn input_norm<C: Recurrence>(
    isa: Isa,
    step: &ForwardStep<'_>,
    (gain, bias): (*const f32, *const f32),
    blocks: [usize; 2],
) {
    let rows = Interleaved {
        // The input part is this worker's scratch memory.
        at: step.x.cast_mut(),
        ld: step.x_ld,
        rows: step.rows,
        gates: C::GATES,
        hidden: step.hidden,
    };
    // SAFETY: as the caller's.
    unsafe {
        let [values, scales] = blocks.map(|block| step.block(block));
        let save = Save { values, scales, ld: step.saved_ld };
        normalise(isa, rows, (gain, step.x_ld / C::GATES), bias, save);
    }
}

/// `X · W_ih` (and the bias, unless it comes after a normalisation) of some steps and rows, `[steps][rows][unit
/// block][gate][lane]`.
///
/// # Safety
/// `rows` and `steps` lie within the call's buffers; `to` is writable for all results.
unsafe fn input_part<C: Recurrence>(
    isa: Isa,
    call: &Input<'_>,
    parts: &Parts,
    share: &Share<'_>,
    steps: Range<usize>,
    (to, ld): (*mut f32, usize),
) {
    let Input { seq, input, x, .. } = *call;
    let Share { ref rows, ref panels, .. } = *share;
    let panels = panels.start * C::GATES..panels.end * C::GATES;
    let weights = parts.w_ih.part(&panels, input * isa.lanes());
    let add = if parts.gains.is_none() { parts.b_ih } else { core::ptr::null() };
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
            let store = Store { to: to.add(i * count * ld), ld, columns: ld, add };
            multiply(isa, Rows { ptr, ld: input, count }, weights, input, &store);
        }
    }
}

/// One step on the calling thread; `sizes` are `[B, I, H]`, `state [B, K * H]` is replaced.
pub(crate) fn step<C: Recurrence>(
    isa: Isa,
    [batch, input, hidden]: [usize; 3],
    x: &[f32],
    state: &mut [f32],
    parts: &Parts,
    ws: &mut Workspace,
) {
    let seq = Sequence { seq_len: 1, batch, lengths: None, reverse: false };
    let pass = Pass { seq, x, h0: Some(state), noise: Noise::default(), recompute: false };
    let call = Input::new(&pass, input, hidden);
    let plan = ForwardPlan::new::<C>(isa, &call, parts.gains.is_some(), batch);
    let (y, last) = (batch * hidden, state.len());
    let scratch = ws.scratch.get(lines(plan.len) + lines(y) + lines(last));
    let (scratch, out) = scratch.split_at_mut(lines(plan.len));
    let (y, last) = out.split_at_mut(lines(y));
    let null = core::ptr::null_mut();
    let targets = Targets { y: y.as_mut_ptr(), last: last.as_mut_ptr(), saved: null, states: null };
    let panels = 0..hidden.div_ceil(isa.lanes());
    let share = Share { rows: 0..batch, panels, team: None };
    let (plan, scratch, cell) = (&plan, scratch.as_mut_ptr(), PhantomData);
    let span = &Span { steps: 0..1, first: 0 };
    isa.dispatch(ForwardRows::<C> {
        call: &call,
        parts,
        targets,
        span,
        plan,
        share,
        scratch,
        cell,
    });
    let len = state.len();
    state.copy_from_slice(&last[..len]);
}
