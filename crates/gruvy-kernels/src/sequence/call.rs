//! One call over a batch of sequences: what goes in, and what follows from it.

use super::plan::{Facts, Plan};
use crate::cell::Recurrence;
use crate::dims::{Pass, Sequence, Shape};
use crate::hash::{Stream, key};
use crate::noise::{Mask, Noise, Zoneout};
use crate::saved::{Blocks, window};
use crate::simd::{Isa, Simd};
use crate::threads;
use core::ops::Range;

/// What goes into a layer, and how the call goes about it.
#[derive(Clone, Copy)]
pub(crate) struct Call<'a> {
    pub isa: Isa,
    pub seq: &'a Sequence<'a>,
    /// `I`
    pub input: usize,
    /// `H`
    pub hidden: usize,
    /// `[T, B, I]`
    pub x: &'a [f32],
    /// `[B, K * H]`, or none for zeros.
    pub h0: Option<&'a [f32]>,
    pub noise: Noise,
    /// Steps of a window whose saved values are recomputed; none: all are saved.
    pub window: Option<usize>,
    /// Steps up to the longest length.
    pub steps: usize,
    /// Where the saved values of a step and row lie.
    pub blocks: Blocks,
    pub(super) plan: Plan,
}

impl<'a> Call<'a> {
    /// A call on the threads that pay.
    pub fn new<C: Recurrence>(isa: Isa, pass: &'a Pass<'a>, shape: Shape, normed: bool) -> Self {
        let Shape { input, hidden, .. } = shape;
        let work = pass.seq.seq_len * pass.seq.batch * hidden * (input + hidden);
        Self::on_threads::<C>(isa, pass, shape, normed, threads::worth(work))
    }

    /// A call on so many threads.
    pub fn on_threads<C: Recurrence>(
        isa: Isa,
        pass: &'a Pass<'a>,
        shape: Shape,
        normed: bool,
        threads: usize,
    ) -> Self {
        let Pass { ref seq, x, h0, noise, recompute } = *pass;
        let Shape { input, hidden, .. } = shape;
        let window = recompute.then(|| window(seq));
        let blocks = Blocks::new(C::CELL, hidden, &noise, normed);
        let steps = seq.lengths.map_or(seq.seq_len, |l| l.iter().copied().max().unwrap_or(0));
        let facts = Facts { seq, hidden, lanes: isa.lanes(), steps, blocks, threads };
        let plan = Plan::new::<C>(facts);
        Self { isa, seq, input, hidden, x, h0, noise, window, steps, blocks, plan }
    }

    /// Values of a saved row, of all blocks.
    pub fn saved_ld(&self) -> usize {
        self.blocks.count * self.hidden
    }

    /// Whether rows start at steps of their own: at their last valid ones.
    pub fn starts_vary(&self) -> bool {
        self.seq.reverse && self.seq.lengths.is_some()
    }

    /// Zoneout at a step whose first value is number `first` of `[T, B, H]`.
    pub fn zoneout(&self, rate: f32, first: usize) -> Zoneout {
        Zoneout::new(rate, &self.noise, first)
    }

    /// The time of the `i`-th step visited.
    pub fn time(&self, i: usize) -> usize {
        if self.seq.reverse { self.steps - 1 - i } else { i }
    }

    /// The times of some steps visited one after the other.
    pub fn times(&self, visited: &Range<usize>) -> Range<usize> {
        match self.seq.reverse {
            false => visited.clone(),
            true => self.steps - visited.end..self.steps - visited.start,
        }
    }

    /// Lengths of some rows.
    pub fn lengths(&self, rows: &Range<usize>) -> Option<&'a [usize]> {
        self.seq.lengths.map(|l| &l[rows.clone()])
    }

    /// Writes the mask of recurrent dropout for some rows.
    ///
    /// # Safety
    /// - `to`: `[rows][unit_ld]` writable, by this thread alone
    #[inline(always)]
    pub unsafe fn state_mask<S: Simd>(&self, s: S, rows: Range<usize>, to: *mut f32) {
        let Noise { seed, recurrent_dropout } = self.noise;
        let mask = Mask::new(s, recurrent_dropout, key(seed.unwrap_or(0), Stream::State));
        for (i, row) in rows.enumerate() {
            for j in (0..self.hidden).step_by(S::LANES) {
                let place = (row * self.hidden + j) as u32;
                // SAFETY: the caller's contract; rows are padded to whole vectors.
                unsafe { s.store(to.add(i * self.plan.unit_ld + j), mask.at(s, place)) }
            }
        }
    }
}
