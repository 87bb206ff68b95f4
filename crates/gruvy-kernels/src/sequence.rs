//! What the forward and the backward pass over a sequence share: the order of the steps, the threads' rows.
//!
//! Each thread runs all steps on its rows of the batch, with no barrier. Rows past their length are carried
//! along and masked; steps past the longest length are left out.

use crate::cell::Zoneout;
use crate::memory::{LINE, lines};
use crate::noise::{Stream, key};
use crate::{Noise, Pass, Sequence, threads};
use core::ops::Range;

/// Rows of a register tile on the widest machine: threads get multiples of it.
pub(crate) const TILE: usize = 8;

/// What goes into a layer.
#[derive(Clone, Copy)]
pub(crate) struct Input<'a> {
    pub seq: &'a Sequence<'a>,
    pub input: usize,
    pub hidden: usize,
    pub x: &'a [f32],
    pub h0: Option<&'a [f32]>,
    pub noise: Noise,
}

impl<'a> Input<'a> {
    pub fn new(pass: &'a Pass<'a>, input: usize, hidden: usize) -> Self {
        let Pass { ref seq, x, h0, noise } = *pass;
        Self { seq, input, hidden, x, h0, noise }
    }

    /// Zoneout at a step whose first value is number `first` of `[T, B, H]`.
    pub fn zoneout(&self, rate: f32, first: usize) -> Zoneout {
        let keys =
            self.noise.seed.map(|s| [Stream::Zoneout, Stream::ZoneoutCell].map(|k| key(s, k)));
        Zoneout { rate, keys, first: first as u32 }
    }

    /// Steps up to the longest length.
    pub fn steps(&self) -> usize {
        self.seq.lengths.map_or(self.seq.seq_len, |l| l.iter().copied().max().unwrap_or(0))
    }

    /// The time of the `i`-th step visited, of `steps`.
    pub fn time(&self, i: usize, steps: usize) -> usize {
        if self.seq.reverse { steps - 1 - i } else { i }
    }

    /// Lengths of some rows.
    pub fn lengths(&self, rows: &Range<usize>) -> Option<&[usize]> {
        self.seq.lengths.map(|l| &l[rows.clone()])
    }

    /// Threads worth using for the large products.
    pub fn shares(&self) -> usize {
        let Self { seq, input, hidden, .. } = self;
        threads::worth(seq.seq_len * seq.batch * hidden * (input + hidden))
    }

    /// Threads worth using for the recurrence: each needs rows.
    pub fn workers(&self) -> usize {
        self.shares().min(self.seq.batch).max(1)
    }

    /// Rows of one worker.
    pub fn rows(&self, worker: usize, workers: usize) -> Range<usize> {
        let unit = if self.seq.batch >= workers * TILE { TILE } else { 1 };
        threads::split(self.seq.batch, unit, worker, workers)
    }
}

/// Distance between vectors of states: whole lines, and off the powers of two that would map all rows of a tile to
/// the same cache set.
pub(crate) fn unit_ld(hidden: usize) -> usize {
    lines(hidden) + LINE
}
