//! One call over a batch of sequences: what goes in, and what follows from it.

use super::plan::{Facts, Plan, Share};
use crate::cell::Recurrence;
use crate::dims::{Pass, Sequence, Shape};
use crate::noise::{Mask, Noise, Zoneout};
use crate::saved::{Blocks, window};
use crate::simd::{Isa, Kernel, Simd};
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
    /// What the state is multiplied with before the hidden weights see it, counted as `[B, H]`.
    pub state: Option<Mask>,
    /// What the candidates are multiplied with, counted as `[T, B, H]`.
    pub candidate: Option<Mask>,
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
        let (state, candidate) = (noise.state(), noise.candidate());
        let (lanes, drops) = (isa.lanes(), candidate.is_some());
        let facts = Facts { seq, hidden, lanes, steps, blocks, drops, threads };
        let plan = Plan::new::<C>(facts);
        Self {
            isa,
            seq,
            input,
            hidden,
            x,
            h0,
            noise,
            state,
            candidate,
            window,
            steps,
            blocks,
            plan,
        }
    }

    /// Values of a saved row, of all blocks.
    pub fn saved_ld(&self) -> usize {
        self.blocks.count * self.hidden
    }

    /// Whether rows start at steps of their own: at their last valid ones.
    pub fn starts_vary(&self) -> bool {
        self.seq.reverse && self.seq.lengths.is_some()
    }

    /// Zoneout at a step whose first value is number `first` of `[T, B, H]`; none at rate 0.
    pub fn zoneout(&self, rate: f32, first: usize) -> Option<Zoneout> {
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

    /// Writes a mask for the units of a share, whose batch begins at row `row` of what the mask
    /// counts, `[rows, H]`.
    ///
    /// # Safety
    /// - `to`: `[rows of the share][unit_ld]` writable at its units, by this thread alone
    pub(super) unsafe fn draw(&self, mask: Mask, share: &Share<'_>, row: usize, to: *mut f32) {
        let (hidden, ld) = (self.hidden, self.plan.unit_ld);
        self.isa.dispatch(Draw { mask, share, row, hidden, to, ld });
    }
}

/// A mask on its way to memory. A kernel of its own, not inlined into the steps that seldom need
/// it: its constants would stand in their registers.
struct Draw<'a> {
    mask: Mask,
    share: &'a Share<'a>,
    row: usize,
    hidden: usize,
    to: *mut f32,
    ld: usize,
}

impl Kernel for Draw<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { mask, share, row, hidden, to, ld } = self;
        for (i, b) in share.rows.clone().enumerate() {
            for panel in share.panels.clone() {
                let j = panel * S::LANES;
                let place = ((row + b) * hidden + j) as u32;
                // SAFETY: the contract of `draw`, which alone makes this kernel; rows are padded to
                // whole vectors.
                unsafe { s.store(to.add(i * ld + j), mask.at(s, place)) }
            }
        }
    }
}
