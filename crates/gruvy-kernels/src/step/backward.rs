//! One backward step.

use super::place::{Place, Valid};
use crate::noise::Zoneout;
use crate::norm::BackwardNorm;
use crate::product::{Epilogue, Panels, Product, Rows};
use crate::saved::{Run, SavedRows};
use crate::simd::{Isa, Simd};

/// A gradient below this is zero. One that vanishes over a long sequence would otherwise go on in
/// numbers so small (below 2^-126) that the machine takes many times longer for each: a training
/// step of `adding` over 600 steps took 0.48 s of one core, and 0.05 s where gradients did not
/// vanish.
const VANISHED: f32 = 1e-30;

/// One backward step of a thread's rows. Every pointer covers what its field says, and no other
/// thread accesses what this one writes.
pub(crate) struct BackwardStep<'a> {
    pub rows: usize,
    pub hidden: usize,
    /// Packed hidden weights, one per backward product of the cell.
    pub weights: &'a [Panels],
    /// Gate gradients of the step visited after this one, `[rows][saved_ld]`, read; or null at the
    /// last step.
    pub after: *const f32,
    /// Saved values of this step, to be overwritten with the gate gradients, `[rows][saved_ld]`.
    pub saved: *mut f32,
    pub saved_ld: usize,
    /// `[rows][H]`, read.
    pub dy: *const f32,
    /// The parts of the state's gradient that do not go through a product, `[rows][K][unit_ld]`;
    /// read and replaced.
    pub carry: *mut f32,
    pub unit_ld: usize,
    /// What h was multiplied with before the hidden weights saw it, `[rows][unit_ld]`, read; or
    /// null.
    pub mask: *const f32,
    /// What the candidates were multiplied with where they joined the state, `[rows][unit_ld]`,
    /// read; or null.
    pub candidate: *const f32,
    pub before: Before<'a>,
    pub valid: Valid<'a>,
    pub zoneout: Option<Zoneout>,
    pub norm: Option<BackwardNorm>,
}

/// Where the state before a step lies: h in y and c among the saved values, or both in h0 if the
/// row starts here.
#[derive(Clone, Copy)]
pub(crate) struct Before<'a> {
    /// `[rows][H]`, y at the step visited before.
    pub y: *const f32,
    /// Saved values of the step visited before, `[rows][saved_ld]`.
    pub saved: *const f32,
    pub saved_ld: usize,
    /// `[rows]` states of K vectors of H, `h0_ld` apart.
    pub h0: *const f32,
    pub h0_ld: usize,
    pub hidden: usize,
    /// Whether all rows start here; with lengths and in reverse, those whose last valid step this
    /// is.
    pub all_start: bool,
    pub starts_at_end: Option<Valid<'a>>,
}

impl Before<'_> {
    #[inline(always)]
    fn starts(&self, row: usize) -> bool {
        self.all_start || self.starts_at_end.is_some_and(|v| v.is_last(row))
    }

    /// h of a row, `[H]` readable.
    ///
    /// # Safety
    /// - `row`: of the step
    /// - `h0`: `[rows]` states readable, `h0_ld` apart, if the row starts here
    /// - `y`: `[rows][H]` readable, if it does not
    #[inline(always)]
    pub unsafe fn h(&self, row: usize) -> *const f32 {
        // SAFETY: the caller's contract.
        unsafe {
            match self.starts(row) {
                true => self.h0.add(row * self.h0_ld),
                false => self.y.add(row * self.hidden),
            }
        }
    }

    /// c of a row, `[H]` readable, which the step before saved in block `block`.
    ///
    /// # Safety
    /// - `row`: of the step, and the cell has two states
    /// - `h0`: `[rows]` states readable, `h0_ld` apart, if the row starts here
    /// - `saved`: `[rows]` rows with that block readable, `saved_ld` apart, if it does not
    #[inline(always)]
    pub unsafe fn c(&self, row: usize, block: usize) -> *const f32 {
        // SAFETY: the caller's contract.
        unsafe {
            match self.starts(row) {
                true => self.h0.add(row * self.h0_ld + self.hidden),
                false => self.saved.add(row * self.saved_ld + block * self.hidden),
            }
        }
    }
}

impl BackwardStep<'_> {
    /// Asks for what a row's epilogue reads and writes: `N` saved blocks, dy, and h before. Any row
    /// and panel will do.
    #[inline(always)]
    pub fn prefetch<S: Simd, const N: usize>(&self, s: S, row: usize, panel: usize) {
        let at = panel * S::LANES;
        for block in 0..N {
            let at = row * self.saved_ld + block * self.hidden + at;
            s.prefetch::<true>(self.saved.wrapping_add(at));
        }
        s.prefetch::<false>(self.dy.wrapping_add(row * self.hidden + at));
        s.prefetch::<false>(self.before.y.wrapping_add(row * self.hidden + at));
    }

    /// The gradients of a run's hidden products in a step's saved values, as a left operand.
    ///
    /// # Safety
    /// - `saved`: `[rows]` rows of all blocks, `saved_ld` apart
    unsafe fn gradients(&self, saved: *const f32, run: Run) -> Rows {
        let block = self.norm.as_ref().map_or(run.block, |norm| norm.blocks.hh + run.gate);
        // SAFETY: a row holds the run's blocks.
        let ptr = unsafe { saved.add(block * self.hidden) };
        Rows { ptr, ld: self.saved_ld, count: self.rows }
    }

    /// What the steps visited after this one send back through the hidden weights of `run`, product
    /// 0 of the cell.
    ///
    /// # Safety
    /// - `after`: `[rows]` rows of all blocks readable, `saved_ld` apart, in which the gradients of
    ///   `run` are complete; or null
    /// - `weights[0]`: packed panels of the run's weights
    /// - `epilogue`: [applicable](Epilogue::apply) to all rows and panels
    #[inline(always)]
    pub unsafe fn product_after<S: Simd, E: Epilogue<1>>(
        &self,
        s: S,
        run: Option<&Run>,
        epilogue: &E,
    ) {
        let b = self.weights[0];
        let product = match run {
            Some(run) if !self.after.is_null() => {
                // SAFETY: the caller's contract.
                let a = unsafe { self.gradients(self.after, *run) };
                Product { a, b, k: run.gates * self.hidden }
            }
            _ => Product { a: Rows { ptr: self.carry, ld: 0, count: self.rows }, b, k: 0 },
        };
        // SAFETY: the caller's contract; a product of no terms reads nothing.
        unsafe { product.run(s, epilogue) }
    }

    /// The product of this step's own gradients of `run`, product `index` of the cell.
    ///
    /// # Safety
    /// - `saved`: `[rows]` rows of all blocks readable, `saved_ld` apart, in which the gradients of
    ///   `run` are complete
    /// - `weights[index]`: packed panels of the run's weights
    /// - `epilogue`: [applicable](Epilogue::apply) to all rows and panels, without writing to the
    ///   blocks of `run`
    #[inline(always)]
    pub unsafe fn product_now<S: Simd, E: Epilogue<1>>(
        &self,
        s: S,
        index: usize,
        run: Run,
        epilogue: &E,
    ) {
        // SAFETY: the caller's contract.
        unsafe {
            let a = self.gradients(self.saved, run);
            Product { a, b: self.weights[index], k: run.gates * self.hidden }.run(s, epilogue);
        }
    }

    /// The gradients of `run`'s gates, now complete, go back through the normalisation of the
    /// hidden part.
    ///
    /// # Safety
    /// - `saved`: `[rows]` rows of all blocks readable and writable, `saved_ld` apart
    /// - `norm`: as [`BackwardNorm::hidden_part`] asks for it
    pub unsafe fn through_norm(&self, isa: Isa, run: Run) {
        if let Some(norm) = &self.norm {
            // SAFETY: the caller's contract.
            unsafe { norm.hidden_part(isa, self.saved_rows(), run) }
        }
    }

    pub fn saved_rows(&self) -> SavedRows {
        SavedRows { ptr: self.saved, ld: self.saved_ld, rows: self.rows }
    }

    /// `v` as the hidden weights see it, or their gradient as the state sees it.
    ///
    /// # Safety
    /// - `at`: a row and units of the step
    /// - `mask`: `[rows][unit_ld]` readable, or null
    #[inline(always)]
    pub unsafe fn masked<S: Simd>(&self, s: S, at: Place, v: S::V) -> S::V {
        if self.mask.is_null() {
            return v;
        }
        // SAFETY: the caller's contract; the mask is padded to whole vectors.
        unsafe { s.mul(v, s.load(self.mask.add(at.row * self.unit_ld + at.j))) }
    }

    /// Candidates of some units as they joined the state, or gradients that come back to them: with
    /// their dropout, if there is one.
    ///
    /// # Safety
    /// - `at`: a row and units of the step
    /// - `candidate`: `[rows][unit_ld]` readable, or null
    #[inline(always)]
    pub unsafe fn dropped<S: Simd, const N: usize>(
        &self,
        s: S,
        at: Place,
        values: [S::V; N],
    ) -> [S::V; N] {
        if self.candidate.is_null() {
            return values;
        }
        // SAFETY: the caller's contract; the mask is padded to whole vectors.
        let mask = unsafe { s.load(self.candidate.add(at.row * self.unit_ld + at.j)) };
        values.map(|v| s.mul(v, mask))
    }

    /// The carried gradient of vector `part` of a row's state, of `K`.
    ///
    /// # Safety
    /// - `at` and `part < K`: a row, units and a vector of the state
    /// - `carry`: `[rows][K][unit_ld]`
    #[inline(always)]
    pub unsafe fn carry<const K: usize>(&self, at: Place, part: usize) -> *mut f32 {
        // SAFETY: the caller's contract.
        unsafe { self.carry.add((at.row * K + part) * self.unit_ld + at.j) }
    }

    /// Saved block 0 at some units of a row. The others follow, H values apart.
    ///
    /// # Safety
    /// - `at`: a row and units of the step
    /// - `saved`: `[rows]` rows of all blocks, `saved_ld` apart
    #[inline(always)]
    pub unsafe fn saved_at(&self, at: Place) -> *mut f32 {
        // SAFETY: the caller's contract.
        unsafe { self.saved.add(at.row * self.saved_ld + at.j) }
    }

    /// The gradient of a row's new h: what the product (`acc`) and the carry bring, and dy; divided
    /// between what the cell computes and, by zoneout, the state before. A row past its length
    /// passes it on, with `N` blocks of zero gradients, and gives none.
    ///
    /// # Safety
    /// - `at`: a row and units of the step
    /// - `carry`: `[rows][K][unit_ld]` readable and writable
    /// - `mask`: `[rows][unit_ld]` readable, or null
    /// - `dy`: `[rows][H]` readable
    /// - `saved`: `[rows]` rows of at least `N` blocks of H writable, `saved_ld` apart
    #[inline(always)]
    pub unsafe fn incoming<S: Simd, const K: usize, const N: usize>(
        &self,
        s: S,
        at: Place,
        acc: S::V,
    ) -> Option<[S::V; 2]> {
        // SAFETY: the caller's contract; the carry is padded to whole vectors.
        unsafe {
            let carry = self.carry::<K>(at, 0);
            let dh = s.add(self.masked(s, at, acc), s.load(carry));
            if self.valid.row(at.row) {
                let dy = s.load_n(self.dy.add(at.row * self.hidden + at.j), at.n);
                return Some(self.divide(s, at, 0, s.add(dh, dy)));
            }
            s.store(carry, dh);
            for block in 0..N {
                s.store_n(self.saved_at(at).add(block * self.hidden), s.splat(0.0), at.n);
            }
            None
        }
    }

    /// A gradient of state vector `part`, zero if it has [vanished](VANISHED) and divided by
    /// zoneout: the share of what the cell computes, and that of the state before.
    #[inline(always)]
    pub fn divide<S: Simd>(&self, s: S, at: Place, part: usize, d: S::V) -> [S::V; 2] {
        let zero = s.splat(0.0);
        let size = s.max(d, s.sub(zero, d));
        let d = s.where_less(size, s.splat(VANISHED), zero, d);
        if let Some(zoneout) = &self.zoneout {
            let place = at.row * self.hidden + at.j;
            let kept = zoneout.choose(s, part, place, d, zero);
            return [s.sub(d, kept), kept];
        }
        [d, zero]
    }
}
