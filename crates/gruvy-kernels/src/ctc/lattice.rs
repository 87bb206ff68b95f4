//! The states of one sequence over its steps.

use super::Ctc;
use crate::math::{exp, ln_1_to_3};
use crate::memory::{Arena, lines};
use crate::simd::{Isa, Kernel, Simd};

/// Impossible, as a logarithm: finite, so that differences are numbers. What is added to it on the
/// way stays far below every possible value.
const NEVER: f32 = -1e30;
/// States before the first that never are, so that each has two before it.
const BEFORE: usize = 2;

/// The logits of one sequence, a row of `classes` a step, `ld` apart.
#[derive(Clone, Copy)]
pub(super) struct Rows {
    pub from: *const f32,
    pub ld: usize,
    pub classes: usize,
    /// Rows there are, past the end of the sequence too.
    pub steps: usize,
}

/// The work for one sequence.
pub(super) struct Lattice<'a> {
    pub rows: Rows,
    pub labels: &'a [u32],
    /// Steps of the sequence.
    pub length: usize,
    /// What the loss counts, and `[steps]` rows as `rows` has them; none: no gradient.
    pub gradient: Option<(f32, *mut f32)>,
    /// [`floats`] values.
    pub scratch: *mut f32,
}

/// Values of a row of states: with those before the first, two behind the last, and room for whole
/// vectors.
fn row(isa: Isa, labels: usize) -> usize {
    lines(BEFORE + (2 * labels + 1).next_multiple_of(isa.lanes()) + isa.lanes())
}

/// Scratch memory of a sequence.
pub(super) fn floats(isa: Isa, length: usize, labels: usize, gradient: bool) -> usize {
    let alphas = if gradient { length.max(1) } else { 2 };
    (alphas + 5) * row(isa, labels) + 3 * lines(length)
}

/// Scratch memory, divided. All rows are `[row]`, their states from [`BEFORE`] on.
struct Memory {
    /// `[length]` rows, or two that take turns.
    alpha: *mut f32,
    /// The largest logit of each row, `[length]`.
    largest: *mut f32,
    /// ln of the sum of the exponentials of a row of logits less the largest, `[length]`.
    norm: *mut f32,
    /// β of a step and of the one before.
    beta: [*mut f32; 2],
    /// ln p_t of each state's label.
    said: *mut f32,
    /// 0 where a state can be skipped to, [`NEVER`] elsewhere.
    skip: *mut f32,
    /// Posteriors of the states of a step.
    gamma: *mut f32,
}

impl Kernel for Lattice<'_> {
    type Output = f64;

    #[inline(always)]
    fn run<S: Simd>(self, s: S) -> f64 {
        let size = row(S::ISA, self.labels.len());
        let total = floats(S::ISA, self.length, self.labels.len(), self.gradient.is_some());
        let alphas = if self.gradient.is_some() { self.length.max(1) } else { 2 };
        // SAFETY: `Ctc::loss` gives each lattice so many values of its own.
        let mut arena = unsafe { Arena::shared(self.scratch, total) };
        let memory = Memory {
            alpha: arena.take(alphas * size),
            norm: arena.take(self.length),
            largest: arena.take(self.length),
            beta: [arena.take(size), arena.take(size)],
            said: arena.take(size),
            skip: arena.take(size),
            gamma: arena.take(size),
        };
        // SAFETY: the memory was sized for these labels and this length; rows and gradients are
        // there for each step, by the contract of `Ctc::loss`.
        unsafe {
            self.normalize(s, &memory);
            self.prepare(&memory, size);
            let loss = self.forward(s, &memory, size, alphas);
            if self.gradient.is_some() {
                self.backward(s, &memory, size);
            }
            loss
        }
    }
}

impl Lattice<'_> {
    fn states(&self) -> usize {
        2 * self.labels.len() + 1
    }

    /// The class that a state says.
    fn class(&self, state: usize) -> usize {
        if state.is_multiple_of(2) { Ctc::BLANK as usize } else { self.labels[state / 2] as usize }
    }

    /// Sets `norm` and `largest`, and the gradient to the probabilities, times what the loss
    /// counts.
    ///
    /// # Safety
    /// - `self` and `memory`: as [`Kernel::run`] made them
    #[inline(always)]
    unsafe fn normalize<S: Simd>(&self, s: S, memory: &Memory) {
        let classes = self.rows.classes;
        // SAFETY: within the rows of this sequence.
        unsafe {
            for t in 0..self.length {
                let z = self.rows.from.add(t * self.rows.ld);
                let max = (0..classes).map(|v| *z.add(v)).fold(f32::NEG_INFINITY, f32::max);
                let mut sum = 0.0f32;
                let to = self.gradient.map(|(_, to)| to.add(t * self.rows.ld));
                for v in (0..classes).step_by(S::LANES) {
                    let n = S::LANES.min(classes - v);
                    let [e] = exp(s, [s.sub(s.load_n(z.add(v), n), s.splat(max))]);
                    if let Some(to) = to {
                        s.store_n(to.add(v), e, n);
                    }
                    let mut lanes = [0.0; 16];
                    s.store_n(lanes.as_mut_ptr(), e, n);
                    sum += s.sum(s.load(lanes.as_ptr()));
                }
                *memory.largest.add(t) = max;
                *memory.norm.add(t) = libm::logf(sum);
                if let (Some(to), Some((weight, _))) = (to, self.gradient) {
                    let factor = weight / sum;
                    (0..classes).for_each(|v| *to.add(v) *= factor);
                }
            }
            let Some((_, to)) = self.gradient else { return };
            for t in self.length..self.rows.steps {
                (0..classes).for_each(|v| *to.add(t * self.rows.ld + v) = 0.0);
            }
        }
    }

    /// Sets what is the same for all steps.
    ///
    /// # Safety
    /// - `memory`: as [`Kernel::run`] made it, rows of `size`
    unsafe fn prepare(&self, memory: &Memory, size: usize) {
        let never = |row: *mut f32| {
            // SAFETY: a row.
            (0..size).for_each(|i| unsafe { *row.add(i) = NEVER });
        };
        never(memory.skip);
        never(memory.said);
        never(memory.gamma);
        memory.beta.into_iter().for_each(never);
        for state in (3..self.states()).step_by(2) {
            if self.class(state) != self.class(state - 2) {
                // SAFETY: a state of the row.
                unsafe { *memory.skip.add(BEFORE + state) = 0.0 };
            }
        }
    }

    /// Sets `said` at step `t`.
    ///
    /// # Safety
    /// - as [`Lattice::normalize`], after it; `t < length`
    #[inline(always)]
    unsafe fn say(&self, memory: &Memory, t: usize) {
        // SAFETY: classes of the row, states of `said`.
        unsafe {
            let z = self.rows.from.add(t * self.rows.ld);
            let (max, norm) = (*memory.largest.add(t), *memory.norm.add(t));
            let said = memory.said.add(BEFORE);
            let blank = *z - max - norm;
            for (i, label) in self.labels.iter().enumerate() {
                *said.add(2 * i) = blank;
                *said.add(2 * i + 1) = *z.add(*label as usize) - max - norm;
            }
            *said.add(2 * self.labels.len()) = blank;
        }
    }

    /// α of all steps; the loss.
    ///
    /// # Safety
    /// - as [`Lattice::normalize`], after it and [`Lattice::prepare`]
    #[inline(always)]
    unsafe fn forward<S: Simd>(&self, s: S, memory: &Memory, size: usize, alphas: usize) -> f64 {
        let states = self.states();
        // What was taken from α so far.
        let mut taken = 0.0f64;
        let mut before = memory.gamma;
        let mut shift = 0.0f32;
        // SAFETY: rows of states within the memory; vectors stay within `size`.
        unsafe {
            for t in 0..self.length {
                self.say(memory, t);
                let row = memory.alpha.add(t % alphas * size);
                (0..size).for_each(|i| *row.add(i) = NEVER);
                let mut largest = s.splat(NEVER);
                if t == 0 {
                    for state in 0..states.min(2) {
                        *row.add(BEFORE + state) = *memory.said.add(BEFORE + state);
                    }
                    largest = s.splat((*row.add(BEFORE)).max(*row.add(BEFORE + 1)));
                } else {
                    for state in (0..states).step_by(S::LANES) {
                        let at = before.add(state);
                        let skip = s.load(memory.skip.add(BEFORE + state));
                        let from = [s.load(at.add(2)), s.load(at.add(1)), s.add(s.load(at), skip)];
                        let said = s.load(memory.said.add(BEFORE + state));
                        let v = s.add(log_sum(s, from), s.sub(said, s.splat(shift)));
                        let v = s.max(s.splat(NEVER), v);
                        s.store(row.add(BEFORE + state), v);
                        largest = s.max(largest, v);
                    }
                }
                taken += f64::from(shift);
                shift = max(s, largest);
                before = row;
            }
            if self.length == 0 {
                return 0.0;
            }
            let last = before.add(BEFORE + states - 1);
            let (a, b) = (f64::from(*last), f64::from(*last.sub(1)));
            let largest = a.max(b);
            let total = largest + libm::log(libm::exp(a - largest) + libm::exp(b - largest));
            -(taken + total)
        }
    }

    /// Takes the posteriors from the gradient, which holds the probabilities.
    ///
    /// # Safety
    /// - as [`Lattice::normalize`], after [`Lattice::forward`]
    #[inline(always)]
    unsafe fn backward<S: Simd>(&self, s: S, memory: &Memory, size: usize) {
        let Some((weight, to)) = self.gradient else { return };
        let states = self.states();
        let [mut beta, mut next] = memory.beta;
        // SAFETY: rows of states within the memory; vectors stay within `size`.
        unsafe {
            for state in states.saturating_sub(2)..states {
                *beta.add(BEFORE + state) = 0.0;
            }
            for t in (0..self.length).rev() {
                let alpha = memory.alpha.add(t * size);
                self.posteriors(s, memory, [alpha, beta]);
                let dz = to.add(t * self.rows.ld);
                for state in 0..states {
                    *dz.add(self.class(state)) -= weight * *memory.gamma.add(BEFORE + state);
                }
                if t == 0 {
                    break;
                }
                self.say(memory, t);
                self.back(s, memory, beta, next);
                core::mem::swap(&mut beta, &mut next);
            }
        }
    }

    /// Sets `gamma` to the posteriors of the states of a step, by α and β of it.
    ///
    /// # Safety
    /// - `[alpha, beta]`: rows of `memory`
    #[inline(always)]
    unsafe fn posteriors<S: Simd>(&self, s: S, memory: &Memory, [alpha, beta]: [*mut f32; 2]) {
        let states = self.states();
        let vectors = (0..states).step_by(S::LANES).map(|state| BEFORE + state);
        // SAFETY: states of the rows; what lies behind the last never is.
        unsafe {
            let mut largest = s.splat(NEVER);
            for at in vectors.clone() {
                let both = s.add(s.load(alpha.add(at)), s.load(beta.add(at)));
                s.store(memory.gamma.add(at), both);
                largest = s.max(largest, both);
            }
            let largest = s.splat(max(s, largest));
            let mut sum = s.splat(0.0);
            for at in vectors.clone() {
                let d = s.sub(s.load(memory.gamma.add(at)), largest);
                let [e] = exp(s, [d]);
                // What is smaller changes no gradient, and might be subnormal.
                let e = s.where_less(d, s.splat(-64.0), s.splat(0.0), e);
                s.store(memory.gamma.add(at), e);
                sum = s.add(sum, e);
            }
            let factor = s.splat(1.0 / s.sum(sum));
            for at in vectors {
                s.store(memory.gamma.add(at), s.mul(s.load(memory.gamma.add(at)), factor));
            }
        }
    }

    /// Sets `to` to β of the step before, from β of a step and what is said at it.
    ///
    /// # Safety
    /// - `beta` and `to`: the two rows of `memory`
    #[inline(always)]
    unsafe fn back<S: Simd>(&self, s: S, memory: &Memory, beta: *mut f32, to: *mut f32) {
        let states = self.states();
        // SAFETY: states of the rows, whose ends never are; a row has a vector to spare.
        unsafe {
            // β with what is said, in place: no other needs β of this step any more.
            for at in (0..states).step_by(S::LANES).map(|state| BEFORE + state) {
                let both = s.add(s.load(beta.add(at)), s.load(memory.said.add(at)));
                s.store(beta.add(at), s.max(s.splat(NEVER), both));
            }
            let mut largest = s.splat(NEVER);
            for at in (0..states).step_by(S::LANES).map(|state| BEFORE + state) {
                let skip = s.load(memory.skip.add(at + 2));
                let from = [
                    s.load(beta.add(at)),
                    s.load(beta.add(at + 1)),
                    s.add(s.load(beta.add(at + 2)), skip),
                ];
                let v = log_sum(s, from);
                s.store(to.add(at), v);
                largest = s.max(largest, v);
            }
            let largest = s.splat(max(s, largest));
            for at in (0..states).step_by(S::LANES).map(|state| BEFORE + state) {
                let v = s.sub(s.load(to.add(at)), largest);
                s.store(to.add(at), s.max(s.splat(NEVER), v));
            }
            // What lies behind the last state never is.
            for at in BEFORE + states..BEFORE + states.next_multiple_of(S::LANES) {
                *to.add(at) = NEVER;
            }
        }
    }
}

/// `ln(e^a + e^b + e^c)`
#[inline(always)]
fn log_sum<S: Simd>(s: S, [a, b, c]: [S::V; 3]) -> S::V {
    let largest = s.max(s.max(a, b), c);
    let [a, b, c] = exp(s, [s.sub(a, largest), s.sub(b, largest), s.sub(c, largest)]);
    s.add(largest, ln_1_to_3(s, s.add(s.add(a, b), c)))
}

/// The largest lane.
#[inline(always)]
fn max<S: Simd>(s: S, v: S::V) -> f32 {
    let mut lanes = [f32::NEG_INFINITY; 16];
    // SAFETY: no vector has more lanes.
    unsafe { s.store(lanes.as_mut_ptr(), v) };
    lanes.into_iter().fold(f32::NEG_INFINITY, f32::max)
}
