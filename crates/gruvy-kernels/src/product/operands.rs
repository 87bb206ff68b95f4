//! Where the operands of a product lie.

use crate::memory::Shared;
use crate::simd::Simd;
use core::ops::Range;

/// A left operand: element (row, k) lies at `ptr[row * ld + k]`.
#[derive(Clone, Copy)]
pub(crate) struct Rows {
    pub ptr: *const f32,
    /// Distance between rows.
    pub ld: usize,
    pub count: usize,
}

/// A packed right operand, `[count][depth][G][LANES]`.
#[derive(Clone, Copy)]
pub(crate) struct Panels {
    pub ptr: Shared<*const f32>,
    pub count: usize,
    /// Rows that were packed: panels are `depth * G * LANES` values apart.
    pub depth: usize,
    /// What the epilogue calls the first panel.
    pub first: usize,
}

impl Panels {
    pub fn new(ptr: *const f32, count: usize, depth: usize) -> Self {
        Self { ptr: Shared::new(ptr), count, depth, first: 0 }
    }

    /// Some of the panels, which are `values` values each.
    pub fn part(self, panels: &Range<usize>, values: usize) -> Self {
        // In bounds if the panels are; without panels the address does not matter.
        let ptr = Shared::new(self.ptr.get().wrapping_add(panels.start * values));
        Self { ptr, count: panels.len(), first: self.first + panels.start, ..self }
    }
}

/// The lanes of one panel over `columns`: the column of the first lane, and how many there are.
#[inline(always)]
pub(crate) fn lanes<S: Simd>(panel: usize, columns: usize) -> (usize, usize) {
    let j = panel * S::LANES;
    (j, S::LANES.min(columns - j))
}
