//! What the forward and the backward pass over a sequence share: the order of the steps, the threads' rows.
//!
//! Each thread runs all steps on its rows of the batch, with no barrier. Rows past their length are carried
//! along and masked; steps past the longest length are left out.

use crate::cell::Recurrence;
use crate::cell::Zoneout;
use crate::memory::{LINE, lines};
use crate::noise::{Stream, key};
use crate::simd::Isa;
use crate::threads::Member;
use crate::{Noise, Pass, Sequence, threads};
use core::ops::Range;

/// Rows of a register tile on the widest machine: threads get multiples of it.
pub(crate) const TILE: usize = 8;

/// What one thread does of a recurrence.
#[derive(Clone)]
pub(crate) struct Share<'a> {
    pub rows: Range<usize>,
    /// Vectors of units.
    pub panels: Range<usize>,
    /// Where it waits for those with other units of the same rows; none: it has all units.
    pub team: Option<&'a Member<'a>>,
}

impl Share<'_> {
    /// The units of its panels.
    pub fn units(&self, hidden: usize, lanes: usize) -> Range<usize> {
        self.panels.start * lanes..hidden.min(self.panels.end * lanes)
    }

    /// Waits for those with other units.
    pub fn wait(&self) {
        if let Some(team) = self.team {
            team.wait();
        }
    }
}

/// Runs the shares of a recurrence side by side: rows each, or where they are few, units each. `work` also gets the number of
/// the share's scratch memory.
pub(crate) fn shares<C: Recurrence>(
    call: &Input<'_>,
    isa: Isa,
    normed: bool,
    work: impl Fn(usize, Share<'_>) + Sync,
) {
    let all = call.hidden.div_ceil(isa.lanes());
    let team = call.team::<C>(normed);
    if team > 1 {
        return threads::together(team, |part, member| {
            let panels = threads::split(all, 1, part, team);
            work(0, Share { rows: 0..call.seq.batch, panels, team: Some(member) });
        });
    }
    let workers = call.workers();
    threads::run(workers, |worker| {
        let rows = call.rows(worker, workers);
        work(worker, Share { rows, panels: 0..all, team: None });
    });
}

/// What goes into a layer.
#[derive(Clone, Copy)]
pub(crate) struct Input<'a> {
    pub seq: &'a Sequence<'a>,
    pub input: usize,
    pub hidden: usize,
    pub x: &'a [f32],
    pub h0: Option<&'a [f32]>,
    pub noise: Noise,
    pub recompute: bool,
    /// Threads worth using for the large products, for the whole call.
    pub threads: usize,
}

impl<'a> Input<'a> {
    pub fn new(pass: &'a Pass<'a>, input: usize, hidden: usize) -> Self {
        let Pass { ref seq, x, h0, noise, recompute } = *pass;
        let threads = threads::worth(seq.seq_len * seq.batch * hidden * (input + hidden));
        Self { seq, input, hidden, x, h0, noise, recompute, threads }
    }

    /// Steps of a window whose saved values are computed again, from the state before it.
    pub fn window(&self) -> usize {
        window(self.seq)
    }

    /// Whether rows start at steps of their own: at their last valid ones.
    pub fn starts_vary(&self) -> bool {
        self.seq.reverse && self.seq.lengths.is_some()
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

    /// The times of some steps visited one after the other, of `steps` in all.
    pub fn times(&self, visited: &Range<usize>, steps: usize) -> Range<usize> {
        match self.seq.reverse {
            false => visited.clone(),
            true => steps - visited.end..steps - visited.start,
        }
    }

    /// Lengths of some rows.
    pub fn lengths(&self, rows: &Range<usize>) -> Option<&[usize]> {
        self.seq.lengths.map(|l| &l[rows.clone()])
    }

    /// Threads that share the units of all rows and wait for each other after every step: where rows are too few for a tile
    /// each, and a step is long beside the wait. Else 1.
    pub fn team<C: Recurrence>(&self, normed: bool) -> usize {
        /// Multiply-adds of a step, some 5 µs.
        const LONG: usize = 1 << 17;
        let Self { seq, hidden, threads, .. } = *self;
        let gates = C::CELL.hidden_gates();
        let long = gates == 0 || seq.batch * hidden * hidden * gates >= LONG;
        // Normalised or masked, a unit needs whole rows; with two products, another wait.
        let free = !normed && !self.noise.masks_state() && C::PRODUCTS.len() <= 1;
        match long && free && seq.seq_len >= 16 && seq.batch < threads * TILE / 2 {
            true => threads.min(hidden / 64).max(1),
            false => 1,
        }
    }

    /// Threads worth using for the recurrence: each needs rows.
    pub fn workers(&self) -> usize {
        self.threads.min(self.seq.batch).max(1)
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

/// Steps of a window whose saved values are computed again: √T, so that the states before the windows and one window's
/// values grow alike; but enough rows for the products.
pub(crate) fn window(seq: &Sequence<'_>) -> usize {
    let root = seq.seq_len.isqrt();
    let root = root + (root * root < seq.seq_len) as usize;
    root.max(256usize.div_ceil(seq.batch.max(1))).max(1)
}
