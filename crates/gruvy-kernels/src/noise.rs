//! Noise of training: masks that are drawn but never stored.
//!
//! ```text
//! u(key, i) ∈ [0, 1)      a hash of the value's place i and a key
//! keep(i) = u(key, i) ≥ rate,      mask(i) = keep(i) / (1 − rate)
//! ```
//! The mask is the same forward and backward, on every instruction set, and for any number of
//! threads.

use crate::hash::{Stream, key, uniform};
use crate::memory::Shared;
use crate::simd::{Isa, Kernel, Simd};
use crate::threads;
use alloc::vec::Vec;

/// What a pass draws inside the recurrence.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Noise {
    /// The seed of all masks; none: there is no noise, as in inference.
    pub seed: Option<u64>,
    /// Variational dropout (Gal and Ghahramani, 1512.05287): the share of the state, in `[0, 1)`,
    /// that is hidden from the hidden weights, the same at all steps of a sequence.
    pub recurrent_dropout: f32,
    /// Dropout of the candidate (Semeniuta et al., 1603.05118): the share, in `[0, 1)`, of the new
    /// values (n; an LSTM's g) that is zero where they join the state, drawn anew at each step.
    /// Nothing of the state itself is lost. For a cell that [has a
    /// candidate](crate::Cell::has_candidate).
    pub candidate_dropout: f32,
}

impl Noise {
    /// The mask that the state is multiplied with before the hidden weights see it, `[B, H]` of
    /// `len` values: 0, or `1 / (1 − recurrent_dropout)`. None: the state is not masked.
    #[doc(hidden)]
    pub fn state_mask(&self, len: usize) -> Option<Vec<f32>> {
        self.state().map(|mask| mask.values(len))
    }

    /// The mask that the candidates are multiplied with where they join the state, `[T, B, H]` of
    /// `len` values: 0, or `1 / (1 − candidate_dropout)`. None: they are not masked.
    #[doc(hidden)]
    pub fn candidate_mask(&self, len: usize) -> Option<Vec<f32>> {
        self.candidate().map(|mask| mask.values(len))
    }

    /// The units that zoneout keeps in vector `part` of the states (0: h, 1: an LSTM's c),
    /// `[T, B, H]` of `len` values: 0 or 1. None: nothing is drawn.
    #[doc(hidden)]
    pub fn zoneout_mask(&self, rate: f32, part: usize, len: usize) -> Option<Vec<f32>> {
        let key = key(self.seed?, [Stream::Zoneout, Stream::ZoneoutCell][part]);
        Some((0..len).map(|i| if uniform(key, i as u32) < rate { 1.0 } else { 0.0 }).collect())
    }

    /// What the state is multiplied with before the hidden weights see it, counted as `[B, H]`.
    pub(crate) fn state(&self) -> Option<Mask> {
        self.mask(Stream::State, self.recurrent_dropout)
    }

    /// What the candidates are multiplied with, counted as `[T, B, H]`.
    pub(crate) fn candidate(&self) -> Option<Mask> {
        self.mask(Stream::Candidate, self.candidate_dropout)
    }

    fn mask(&self, stream: Stream, rate: f32) -> Option<Mask> {
        let seed = self.seed.filter(|_| rate > 0.0)?;
        Some(Mask::new(rate, key(seed, stream)))
    }
}

/// Inverted dropout of a buffer: `v ⊙ mask`, with `mask = 1 / (1 − rate)` or 0.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dropout {
    /// The share that becomes zero, in `[0, 1)`.
    pub rate: f32,
    /// The seed of the mask.
    pub seed: u64,
    /// Values after which the mask repeats: `B * I` for one mask at all steps of `[T, B, I]`;
    /// none: it never repeats.
    pub period: Option<usize>,
}

/// Values of a piece of work.
const PIECE: usize = 1 << 14;

impl Dropout {
    /// Multiplies `values` with the mask. The same call on their gradients is the backward pass.
    ///
    /// # Panics
    /// If `rate` is outside `[0, 1)`.
    pub fn apply(&self, values: &mut [f32]) {
        self.check();
        let (isa, len) = (Isa::best(), values.len());
        // The pieces do not depend on the number of threads, though no result depends on them.
        let workers = threads::worth(len * 64);
        let values = Shared::new(values.as_mut_ptr());
        threads::run(workers, |worker| {
            let part = threads::split(len, PIECE, worker, workers);
            // SAFETY: the workers' parts lie within the buffer, which is borrowed for the call, and
            // do not overlap.
            let values = unsafe {
                core::slice::from_raw_parts_mut(values.get().add(part.start), part.len())
            };
            self.apply_part(isa, values, part.start);
        });
    }

    /// [`Dropout::apply`] to a part of the buffer, whose values count from `start` on.
    pub(crate) fn apply_part(&self, isa: Isa, values: &mut [f32], start: usize) {
        if self.rate > 0.0 {
            let period = self.period.unwrap_or(usize::MAX).max(1);
            isa.dispatch(Apply { dropout: self, values, start, period });
        }
    }

    pub(crate) fn check(&self) {
        let rate = self.rate;
        assert!((0.0..1.0).contains(&rate), "dropout: expected a rate in [0, 1), got {rate}");
    }
}

struct Apply<'a> {
    dropout: &'a Dropout,
    values: &'a mut [f32],
    /// Place of the first value in the whole buffer.
    start: usize,
    period: usize,
}

impl Kernel for Apply<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { dropout: Dropout { rate, seed, .. }, values, start, period } = self;
        let mask = Mask::new(*rate, key(*seed, Stream::Values));
        // A division for each vector would cost more than all else.
        let (mut at, mut place) = (0, start % period);
        while at < values.len() {
            // Up to the end of the period.
            let n = S::LANES.min(values.len() - at).min(period - place);
            // SAFETY: `at + n` is at most the length.
            unsafe {
                let p = values.as_mut_ptr().add(at);
                s.store_n(p, s.mul(s.load_n(p, n), mask.at(s, place as u32)), n);
            }
            at += n;
            place = if place + n == period { 0 } else { place + n };
        }
    }
}

/// Zoneout at one step: units keep their old state, or, without noise, a mean of old and new.
#[derive(Clone, Copy)]
pub(crate) struct Zoneout {
    rate: f32,
    /// Keys of the masks of h and c; none: the mean is taken.
    keys: Option<[u64; 2]>,
    /// Place of the first row's first unit in `[T, B, H]`.
    first: u32,
}

impl Zoneout {
    /// Zoneout at a step whose first value is number `first` of `[T, B, H]`; none at rate 0.
    pub fn new(rate: f32, noise: &Noise, first: usize) -> Option<Self> {
        let keys = || noise.seed.map(|s| [Stream::Zoneout, Stream::ZoneoutCell].map(|k| key(s, k)));
        (rate > 0.0).then(|| Self { rate, keys: keys(), first: first as u32 })
    }

    /// Chooses `kept` with the probability of keeping, else `new`, for state vector `part` (0: h,
    /// 1: c), `at` values after the first.
    #[inline(always)]
    pub fn choose<S: Simd>(&self, s: S, part: usize, at: usize, kept: S::V, new: S::V) -> S::V {
        let rate = s.splat(self.rate);
        match self.keys {
            Some(keys) => {
                let u = s.uniform(keys[part], self.first.wrapping_add(at as u32));
                s.where_less(u, rate, kept, new)
            }
            None => s.fma(rate, s.sub(kept, new), new),
        }
    }
}

/// A mask of inverted dropout.
#[derive(Clone, Copy)]
pub(crate) struct Mask {
    key: u64,
    rate: f32,
    scale: f32,
}

impl Mask {
    fn new(rate: f32, key: u64) -> Self {
        Self { key, rate, scale: 1.0 / (1.0 - rate) }
    }

    /// The values for places `first..`.
    #[inline(always)]
    pub fn at<S: Simd>(&self, s: S, first: u32) -> S::V {
        let u = s.uniform(self.key, first);
        s.where_less(u, s.splat(self.rate), s.splat(0.0), s.splat(self.scale))
    }

    /// The values for the first `len` places.
    fn values(&self, len: usize) -> Vec<f32> {
        let value = |i| if uniform(self.key, i as u32) < self.rate { 0.0 } else { self.scale };
        (0..len).map(value).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    extern crate std;
    use std::{vec, vec::Vec};

    fn masks(rate: f32, seed: u64, len: usize) -> Vec<f32> {
        let mut values = vec![1.0; len];
        Dropout { rate, seed, period: None }.apply(&mut values);
        values
    }

    #[test]
    fn every_instruction_set_draws_the_same() {
        for isa in Isa::available() {
            let mut got = vec![1.0; 1000];
            let dropout = Dropout { rate: 0.3, seed: 5, period: Some(77) };
            isa.dispatch(Apply { dropout: &dropout, values: &mut got, start: 10, period: 77 });
            for (i, got) in got.into_iter().enumerate() {
                let keep = uniform(key(5, Stream::Values), ((i + 10) % 77) as u32) >= 0.3;
                assert_eq!(got, if keep { 1.0 / 0.7 } else { 0.0 }, "{isa:?} {i}");
            }
        }
    }

    #[test]
    fn masks_keep_their_share() {
        for (seed, keep) in [(1, 0.1), (2, 0.5), (3, 0.75), (u64::MAX, 0.999)] {
            let values = masks(1.0 - keep, seed, 1_000_003);
            let kept = values.iter().filter(|v| **v > 0.0).count() as f64 / values.len() as f64;
            // Five standard deviations.
            let slack = 5.0 * f64::from(keep * (1.0 - keep) / 1e6).sqrt();
            assert!((kept - f64::from(keep)).abs() < slack, "{keep}: {kept}");
        }
    }

    #[test]
    fn neighbours_and_seeds_are_independent() {
        let keep = |v: &f32| if *v > 0.0 { 1.0 } else { 0.0 };
        let both = |a: &[f32], b: &[f32]| {
            let pairs: f64 = a.iter().zip(b).map(|(a, b)| keep(a) * keep(b)).sum();
            pairs / a.len().min(b.len()) as f64
        };
        let values = masks(0.5, 7, 1 << 20);
        for distance in [1, 2, 3, 4, 8, 16, 64, 512, PIECE, PIECE + 1] {
            let share = both(&values, &values[distance..]);
            assert!((share - 0.25).abs() < 5.0 * 0.44 / 1000.0, "{distance}: {share}");
        }
        for seed in [8, 7 + (1 << 32), 7 << 32] {
            let share = both(&values, &masks(0.5, seed, 1 << 20));
            assert!((share - 0.25).abs() < 5.0 * 0.44 / 1000.0, "{seed}: {share}");
        }
    }

    #[test]
    fn the_number_of_threads_changes_nothing() {
        let on = |n| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(n).build().unwrap();
            pool.install(|| masks(0.4, 3, 7 * PIECE + 5))
        };
        assert_eq!(on(1), on(3));
    }
}
