//! One forward step.

use super::place::{Place, Valid};
use crate::memory::LINE;
use crate::noise::Zoneout;
use crate::norm::ForwardNorm;
use crate::product::{Epilogue, Panels, Product, Rows};
use crate::saved::SavedRows;
use crate::simd::Simd;

/// One forward step of a thread's rows. Every pointer covers what its field says, and no other
/// thread accesses what this one writes.
pub(crate) struct ForwardStep<'a> {
    pub rows: usize,
    pub hidden: usize,
    /// Input parts of the gates, `[rows][panel][gate][lane]`, rows `x_ld` apart. Read; normalised
    /// in place before the step.
    pub x: *mut f32,
    pub x_ld: usize,
    /// Packed hidden weights, one per product.
    pub weights: &'a [Panels],
    /// Hidden bias that is not folded into `x`, `[H]` padded to whole vectors. Read.
    pub bias: *const f32,
    /// State before the step, `[rows][K][unit_ld]`. Read.
    pub state: *const f32,
    /// State after the step, `[rows][K][unit_ld]`. Written.
    pub next: *mut f32,
    /// Between the vectors of a state, and between rows of `extra`.
    pub unit_ld: usize,
    /// What the hidden weights multiply: h before the step, perhaps masked, `[rows]` of H padded
    /// to whole vectors, `seen_ld` apart. Read.
    pub seen: *const f32,
    pub seen_ld: usize,
    /// Room for one more value a unit, `[rows][unit_ld]`. Written and read.
    pub extra: *mut f32,
    /// Whether `state` is all zero, so that its product can be left out.
    pub zero_state: bool,
    /// `[rows][H]`, written.
    pub y: *mut f32,
    /// `[rows][saved_ld]`, blocks of H, written and read; or null.
    pub saved: *mut f32,
    pub saved_ld: usize,
    pub valid: Valid<'a>,
    /// What the candidates are multiplied with where they join the state, `[rows][unit_ld]`,
    /// read; or null.
    pub candidate: *const f32,
    pub zoneout: Option<Zoneout>,
    pub norm: Option<ForwardNorm>,
}

/// A product of a cell with hidden weights.
#[derive(Clone, Copy)]
pub(crate) struct HiddenProduct {
    /// Which of the cell's products.
    pub index: usize,
    /// First of its gates.
    pub gate: usize,
    pub a: Rows,
}

impl ForwardStep<'_> {
    /// What the hidden weights multiply, as a left operand.
    pub fn operand(&self) -> Rows {
        Rows { ptr: self.seen, ld: self.seen_ld, count: self.rows }
    }

    pub fn saved_rows(&self) -> SavedRows {
        SavedRows { ptr: self.saved, ld: self.saved_ld, rows: self.rows }
    }

    /// The first product of a cell, of the state. See [`product`](Self::product).
    ///
    /// # Safety
    /// As there, with `seen` in the place of `a`.
    #[inline(always)]
    pub unsafe fn first_product<S: Simd, const G: usize, E: Epilogue<G>>(
        &self,
        s: S,
        epilogue: &E,
    ) {
        let product = HiddenProduct { index: 0, gate: 0, a: self.operand() };
        // SAFETY: the caller's contract.
        unsafe { self.product(s, product, epilogue) }
    }

    /// A product of `G` gates, normalised if the layer is, with the gates' arithmetic as its
    /// epilogue.
    ///
    /// # Safety
    /// - `product.a`: `[rows]` rows of `[H]` readable
    /// - `weights[product.index]`: packed panels of `G` gates and depth H
    /// - `norm`: [`ForwardNorm::product`]'s pointers cover the rows and these gates
    /// - `epilogue`: [applicable](Epilogue::apply) to all rows and panels
    #[inline(always)]
    pub unsafe fn product<S: Simd, const G: usize, E: Epilogue<G>>(
        &self,
        s: S,
        product: HiddenProduct,
        epilogue: &E,
    ) {
        let HiddenProduct { index, gate, a } = product;
        let k = if self.zero_state { 0 } else { self.hidden };
        let product = Product { a, b: self.weights[index], k };
        // SAFETY: the caller's contract.
        unsafe {
            match &self.norm {
                None => product.run(s, epilogue),
                Some(norm) => {
                    norm.product::<G>(S::ISA, product, gate);
                    for row in 0..self.rows {
                        for panel in 0..self.hidden.div_ceil(S::LANES) {
                            let at = norm.raw.add(row * norm.ld + panel * G * S::LANES);
                            let acc = core::array::from_fn(|g| s.load(at.add(g * S::LANES)));
                            epilogue.apply(s, row, panel, acc);
                        }
                    }
                }
            }
        }
    }

    /// The epilogue of every row and panel, for a cell without a product.
    ///
    /// # Safety
    /// - `epilogue`: [applicable](Epilogue::apply) to all rows and panels
    #[inline(always)]
    pub unsafe fn each<S: Simd, E: Epilogue<1>>(&self, s: S, epilogue: &E) {
        // SAFETY: nothing is read for a product of no terms.
        unsafe { Product { a: self.operand(), b: self.weights[0], k: 0 }.run(s, epilogue) }
    }

    /// Asks for what a row's epilogue reads and writes: the input parts of `G` gates, and `N` saved
    /// blocks. Any row and panel will do.
    #[inline(always)]
    pub fn prefetch<S: Simd, const G: usize, const N: usize>(
        &self,
        s: S,
        row: usize,
        panel: usize,
    ) {
        let (x, at) = (row * self.x_ld + panel * G * S::LANES, panel * S::LANES);
        for line in 0..(G * S::LANES).div_ceil(LINE) {
            s.prefetch::<false>(self.x.wrapping_add(x + line * LINE));
        }
        s.prefetch::<true>(self.y.wrapping_add(row * self.hidden + at));
        if !self.saved.is_null() {
            for block in 0..N {
                let at = row * self.saved_ld + block * self.hidden + at;
                s.prefetch::<true>(self.saved.wrapping_add(at));
            }
        }
    }

    /// Ends a row that is past its length: output zero, state as it was. `true` if it was one.
    ///
    /// # Safety
    /// - `at`: a row and units of the step
    /// - `state`: `[rows][K][unit_ld]` readable
    /// - `next`: `[rows][K][unit_ld]` writable
    /// - `y`: `[rows][H]` writable
    #[inline(always)]
    pub unsafe fn skip<S: Simd, const K: usize>(&self, s: S, at: Place) -> bool {
        let Place { row, j, n } = at;
        if self.valid.row(row) {
            return false;
        }
        // SAFETY: the caller's contract; the states are padded to whole vectors.
        unsafe {
            for part in 0..K {
                let at = (row * K + part) * self.unit_ld + j;
                s.store(self.next.add(at), s.load(self.state.add(at)));
            }
            s.store_n(self.y.add(row * self.hidden + j), s.splat(0.0), n);
        }
        true
    }

    /// The input part of a gate, of `G`.
    ///
    /// # Safety
    /// - `row`, `panel`, `gate`: of the step
    /// - `x`: `[rows][⌈H / LANES⌉][G][LANES]` readable, rows `x_ld` apart
    #[inline(always)]
    pub unsafe fn input<S: Simd, const G: usize>(
        &self,
        s: S,
        row: usize,
        panel: usize,
        gate: usize,
    ) -> S::V {
        // SAFETY: the caller's contract.
        unsafe { s.load(self.x.add(row * self.x_ld + (panel * G + gate) * S::LANES)) }
    }

    /// Both parts of a gate, of `G`, for the rows from `row` on.
    ///
    /// # Safety
    /// As [`input`](Self::input), for `R` rows.
    #[inline(always)]
    pub unsafe fn sums<S: Simd, const G: usize, const R: usize>(
        &self,
        s: S,
        row: usize,
        panel: usize,
        gate: usize,
        acc: &[[S::V; G]; R],
    ) -> [S::V; R] {
        let mut sums = [s.splat(0.0); R];
        for m in 0..R {
            // SAFETY: the caller's contract.
            sums[m] = unsafe { s.add(acc[m][gate], self.input::<S, G>(s, row + m, panel, gate)) };
        }
        sums
    }

    /// Vector `part` of the state before the step, of `K`.
    ///
    /// # Safety
    /// - `at` and `part < K`: a row, units and a vector of the state
    /// - `state`: `[rows][K][unit_ld]` readable
    #[inline(always)]
    pub unsafe fn state<S: Simd, const K: usize>(&self, s: S, at: Place, part: usize) -> S::V {
        // SAFETY: the caller's contract; the states are padded to whole vectors.
        unsafe { s.load(self.state.add((at.row * K + part) * self.unit_ld + at.j)) }
    }

    /// The candidates of some units as they join the state: with their dropout, if there is one.
    ///
    /// # Safety
    /// - `at`: a row and units of the step
    /// - `candidate`: `[rows][unit_ld]` readable, or null
    #[inline(always)]
    pub unsafe fn dropped<S: Simd>(&self, s: S, at: Place, v: S::V) -> S::V {
        if self.candidate.is_null() {
            return v;
        }
        // SAFETY: the caller's contract; the mask is padded to whole vectors.
        unsafe { s.mul(v, s.load(self.candidate.add(at.row * self.unit_ld + at.j))) }
    }

    /// Vector `part` of the next state, of `K`, zoned out: stores it for the next step.
    ///
    /// # Safety
    /// - `at` and `part < K`: a row, units and a vector of the state
    /// - `state`: `[rows][K][unit_ld]` readable
    /// - `next`: `[rows][K][unit_ld]` writable
    #[inline(always)]
    pub unsafe fn next<S: Simd, const K: usize>(
        &self,
        s: S,
        at: Place,
        part: usize,
        new: S::V,
    ) -> S::V {
        let Place { row, j, .. } = at;
        let at = (row * K + part) * self.unit_ld + j;
        // SAFETY: the caller's contract; the states are padded to whole vectors.
        unsafe {
            let mut v = new;
            if let Some(zoneout) = &self.zoneout {
                let old = s.load(self.state.add(at));
                v = zoneout.choose(s, part, row * self.hidden + j, old, new);
            }
            s.store(self.next.add(at), v);
            v
        }
    }

    /// Stores the new h, zoned out, in y and for the next step, and the cell's `N` saved
    /// blocks.
    ///
    /// # Safety
    /// - `at`: a row and units of the step
    /// - `state`: `[rows][K][unit_ld]` readable
    /// - `next`: `[rows][K][unit_ld]` writable
    /// - `y`: `[rows][H]` writable
    /// - `saved`: `[rows]` rows of at least `N` blocks of H writable, `saved_ld` apart; or null
    #[inline(always)]
    pub unsafe fn finish<S: Simd, const K: usize, const N: usize>(
        &self,
        s: S,
        at: Place,
        new: S::V,
        saved: [S::V; N],
    ) {
        let Place { row, j, n } = at;
        // SAFETY: the caller's contract.
        unsafe {
            let h = self.next::<S, K>(s, at, 0, new);
            s.store_n(self.y.add(row * self.hidden + j), h, n);
            if !self.saved.is_null() {
                let to = self.saved.add(row * self.saved_ld + j);
                for (block, v) in saved.into_iter().enumerate() {
                    s.store_n(to.add(block * self.hidden), v, n);
                }
            }
        }
    }
}
