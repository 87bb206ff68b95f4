//! The product itself: rows times packed panels, with an epilogue.

use super::epilogue::{Epilogue, Store};
use super::operands::{Panels, Rows};
use super::tile::tile;
use crate::simd::{Isa, Kernel, Operand, Simd};
use core::ops::Range;

/// Rows whose left operand stays in the cache while all panels pass by.
const ROW_BLOCK: usize = 64;

/// `A · B`, in sums over `k` terms. Without terms the sums are zero and nothing is read.
#[derive(Clone, Copy)]
pub(crate) struct Product {
    pub a: Rows,
    pub b: Panels,
    pub k: usize,
}

impl Product {
    /// Computes all rows and panels and hands each result to `epilogue`.
    ///
    /// # Safety
    /// - `a.ptr`: `[a.count]` rows of `[k]` readable, `a.ld` apart
    /// - `b.ptr`: `[b.count][b.depth][G][LANES]` readable, and `k <= b.depth`
    /// - `epilogue`: [applicable](Epilogue::apply) to all rows of `a` and all panels of `b`
    #[inline(always)]
    pub unsafe fn run<S: Simd, const G: usize, E: Epilogue<G>>(self, s: S, epilogue: &E) {
        let count = self.a.count;
        let mut block = 0;
        while block < count {
            let end = (block + ROW_BLOCK).min(count);
            let mut row = block;
            // SAFETY: the caller's contract; the segments lie within the block.
            unsafe {
                // As many rows as leave their sums, the operands of all gates and one value in
                // the registers.
                if const { S::REGISTERS >= 32 && G <= 3 } {
                    row = self.segment::<S, G, 8, E>(s, row..end, epilogue);
                } else if const { S::REGISTERS >= 32 } {
                    row = self.segment::<S, G, 6, E>(s, row..end, epilogue);
                }
                if const { S::REGISTERS >= 32 || G <= 3 } {
                    row = self.segment::<S, G, 4, E>(s, row..end, epilogue);
                } else {
                    row = self.segment::<S, G, 3, E>(s, row..end, epilogue);
                }
                row = self.segment::<S, G, 2, E>(s, row..end, epilogue);
                self.segment::<S, G, 1, E>(s, row..end, epilogue);
            }
            block = end;
        }
    }

    /// Stores the product in memory. It is a kernel of its own.
    ///
    /// # Safety
    /// - `a.ptr`: `[a.count]` rows of `[k]` readable, `a.ld` apart
    /// - `b.ptr`: `[b.count][b.depth][LANES]` readable, and `k <= b.depth`
    /// - `store.to`: `[a.count]` rows of `[store.columns]` writable, `store.ld` apart, by this
    ///   thread alone; with some of the panels, only their columns
    /// - `store.add`: `[store.columns]` padded to whole vectors readable, or null
    pub unsafe fn store(self, isa: Isa, store: &Store) {
        isa.dispatch(StoreProduct { product: self, store });
    }

    /// As many tiles of `M` rows as fit; returns the first row left.
    ///
    /// # Safety
    /// As [`run`](Self::run); `rows` lie within `a`.
    #[inline(always)]
    unsafe fn segment<S: Simd, const G: usize, const M: usize, E: Epilogue<G>>(
        self,
        s: S,
        rows: Range<usize>,
        epilogue: &E,
    ) -> usize {
        let b = self.b;
        let end = rows.start + rows.len() / M * M;
        if end == rows.start {
            return end;
        }
        let mut panel = 0;
        macro_rules! panels {
            ($p:literal) => {
                if const { panels_per_tile(M, G, S::REGISTERS) >= $p } {
                    // Four left: two and two, not three and one.
                    while b.count - panel >= $p && !($p == 3 && b.count - panel == 4) {
                        // SAFETY: the rows and `panel..panel + $p` lie within the operands.
                        unsafe {
                            self.column::<S, G, $p, M, E>(s, rows.start..end, panel, epilogue)
                        }
                        panel += $p;
                    }
                }
            };
        }
        panels!(8);
        panels!(4);
        panels!(3);
        panels!(2);
        panels!(1);
        end
    }

    /// All tiles of `M` rows against `P` panels.
    ///
    /// # Safety
    /// As [`run`](Self::run); `rows`, a multiple of `M`, lie within `a`, and
    /// `panel..panel + P` within `b`.
    #[inline(always)]
    unsafe fn column<S: Simd, const G: usize, const P: usize, const M: usize, E: Epilogue<G>>(
        self,
        s: S,
        rows: Range<usize>,
        panel: usize,
        epilogue: &E,
    ) {
        let Self { a, b, k } = self;
        let stride = b.depth * G * S::LANES;
        let mut row = rows.start;
        while row < rows.end {
            // SAFETY: by the caller, the operands hold these rows and panels, and the epilogue
            // takes them.
            unsafe {
                let from = a.ptr.add(row * a.ld);
                let to = b.ptr.get().add(panel * stride);
                for m in 0..M {
                    // Panels share lines: the first and the last panel's are all.
                    epilogue.prefetch(s, row + m, b.first + panel);
                    if P > 2 {
                        epilogue.prefetch(s, row + m, b.first + panel + P - 1);
                    }
                }
                let left = Operand { ptr: from, step: a.ld, next: 1 };
                let acc = tile::<S, G, P, M>(s, k, left, to, stride);
                if E::SHORT {
                    for (m, acc) in acc.into_iter().enumerate() {
                        for (p, acc) in acc.into_iter().enumerate() {
                            epilogue.apply(s, row + m, b.first + panel + p, acc);
                        }
                    }
                } else {
                    finish(s, epilogue, row, b.first + panel, &acc);
                }
            }
            row += M;
        }
    }
}

/// Panels side by side in a tile of `m` rows: enough independent sums in flight when rows are few,
/// and no more than the registers hold beside the operands.
const fn panels_per_tile(m: usize, gates: usize, registers: usize) -> usize {
    let fit = (registers - if m >= 4 { 4 } else { 8 }) / (m * gates);
    match fit {
        0 | 1 => 1,
        2 => 2,
        3 => 3,
        _ if m >= 4 => 3,
        _ if fit < 8 => 4,
        _ => 8,
    }
}

/// The epilogue of `R` rows and a panel, as a function of its own.
struct Finish<'a, E, const G: usize, const R: usize> {
    epilogue: &'a E,
    row: usize,
    panel: usize,
    /// `[R]` rows of `[G][LANES]` sums, `ld` values apart.
    acc: *const f32,
    ld: usize,
}

impl<const G: usize, const R: usize, E: Epilogue<G>> Kernel for Finish<'_, E, G, R> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { epilogue, row, panel, acc, ld } = self;
        // SAFETY: `finish` makes it over sums that it holds, and its caller vouches for the
        // epilogue at these rows and this panel.
        unsafe {
            let mut sums = [[s.splat(0.0); G]; R];
            for (r, sums) in sums.iter_mut().enumerate() {
                for (g, sum) in sums.iter_mut().enumerate() {
                    *sum = s.load(acc.add(r * ld + g * S::LANES));
                }
            }
            epilogue.apply_rows::<S, R>(s, row, panel, sums);
        }
    }
}

/// The epilogue of a tile, several rows at a time.
///
/// # Safety
/// - `epilogue`: [applicable](Epilogue::apply) to the rows `row..row + M` and the panels
///   `panel..panel + P`
#[inline(always)]
unsafe fn finish<S: Simd, const G: usize, const P: usize, const M: usize, E: Epilogue<G>>(
    s: S,
    epilogue: &E,
    row: usize,
    panel: usize,
    acc: &[[[S::V; G]; P]; M],
) {
    let ld = P * G * S::LANES;
    let all = core::ptr::from_ref(acc).cast::<f32>();
    for p in 0..P {
        // As many rows as four, three, two or one divide the tile.
        let step = const {
            if M.is_multiple_of(4) {
                4
            } else if M.is_multiple_of(3) {
                3
            } else {
                M
            }
        };
        for m in (0..M).step_by(step) {
            let (row, panel) = (row + m, panel + p);
            // SAFETY: a place within the tile's sums. Those of the next rows are read from it too.
            let acc = unsafe { all.add((m * P + p) * G * S::LANES) };
            match step {
                4 => s.call(Finish::<E, G, 4> { epilogue, row, panel, acc, ld }),
                3 => s.call(Finish::<E, G, 3> { epilogue, row, panel, acc, ld }),
                2 => s.call(Finish::<E, G, 2> { epilogue, row, panel, acc, ld }),
                _ => s.call(Finish::<E, G, 1> { epilogue, row, panel, acc, ld }),
            }
        }
    }
}

/// See [`Product::store`].
struct StoreProduct<'a> {
    product: Product,
    store: &'a Store,
}

impl Kernel for StoreProduct<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        // SAFETY: the contract of `Product::store`, which alone makes this kernel.
        unsafe { self.product.run(s, self.store) }
    }
}
