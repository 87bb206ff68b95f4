//! Places within a step.

use crate::product::lanes;
use crate::simd::Simd;

/// Some units of a row, as many as one vector holds.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    pub row: usize,
    /// First unit.
    pub j: usize,
    /// Units; fewer than lanes where H ends.
    pub n: usize,
}

impl Place {
    #[inline(always)]
    pub fn new<S: Simd>(row: usize, panel: usize, hidden: usize) -> Self {
        let (j, n) = lanes::<S>(panel, hidden);
        Self { row, j, n }
    }

    /// The same units of the `m`-th row after this one.
    #[inline(always)]
    pub fn below(self, m: usize) -> Self {
        Self { row: self.row + m, ..self }
    }
}

/// Which rows have this time step.
#[derive(Clone, Copy)]
pub(crate) struct Valid<'a> {
    pub t: usize,
    /// `[rows]`; none: all have it.
    pub lengths: Option<&'a [usize]>,
}

impl Valid<'_> {
    #[inline(always)]
    pub fn row(&self, row: usize) -> bool {
        self.lengths.is_none_or(|lengths| self.t < lengths[row])
    }

    /// Whether it is the last valid step of a row.
    #[inline(always)]
    pub fn is_last(&self, row: usize) -> bool {
        self.lengths.is_some_and(|lengths| self.t + 1 == lengths[row])
    }
}
