//! What happens to the sums of a product while they are still in registers.

use super::operands::lanes;
use crate::simd::Simd;

/// What happens to the sums of a row and panel.
pub(crate) trait Epilogue<const G: usize> {
    /// Takes the sums of one row and panel.
    ///
    /// # Safety
    /// - `row` and `panel`: of the product that the epilogue was made for
    /// - the pointers behind the epilogue: readable and writable at that row and panel, as the
    ///   fields of its type say; no other thread accesses what is written there
    #[inline(always)]
    unsafe fn apply<S: Simd>(&self, s: S, row: usize, panel: usize, acc: [S::V; G]) {
        // SAFETY: the caller's contract.
        unsafe { self.apply_rows(s, row, panel, [acc]) }
    }

    /// Takes the sums of several rows, from `row` on. An epilogue with long chains of operations
    /// computes them side by side: one after the other, each would wait for its own results.
    ///
    /// # Safety
    /// As [`apply`](Self::apply), for the rows `row..row + R`.
    #[inline(always)]
    unsafe fn apply_rows<S: Simd, const R: usize>(
        &self,
        s: S,
        row: usize,
        panel: usize,
        acc: [[S::V; G]; R],
    ) {
        // A loop that the compiler must not unroll.
        for m in 0..core::hint::black_box(R) {
            // SAFETY: the caller's contract.
            unsafe { self.apply(s, row + m, panel, acc[m]) }
        }
    }

    /// Whether the epilogue is short enough to stand behind every tile, and not in a function of
    /// its own.
    const SHORT: bool = false;

    /// Asks for what [`apply`](Self::apply) will read and write, while the product goes on.
    #[inline(always)]
    fn prefetch<S: Simd>(&self, _s: S, _row: usize, _panel: usize) {}
}

/// Stores a product, after adding a row (a bias).
pub(crate) struct Store {
    /// `[rows]` of `columns` values, `ld` apart.
    pub to: *mut f32,
    pub ld: usize,
    pub columns: usize,
    /// What is added to every row, `[columns]` padded to whole vectors; or null.
    pub add: *const f32,
}

impl Epilogue<1> for Store {
    const SHORT: bool = true;

    #[inline(always)]
    unsafe fn apply<S: Simd>(&self, s: S, row: usize, panel: usize, [acc]: [S::V; 1]) {
        let (j, n) = lanes::<S>(panel, self.columns);
        // SAFETY: by the caller,
        // - `add`: a whole vector is readable at `j`, a multiple of the lanes
        // - `to`: `n` values are writable at (row, j)
        unsafe {
            let v = if self.add.is_null() { acc } else { s.add(acc, s.load(self.add.add(j))) };
            s.store_n(self.to.add(row * self.ld + j), v, n);
        }
    }
}
