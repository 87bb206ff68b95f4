//! What a cell has to say about itself; everything else about a sequence stands once, in `forward`
//! and `backward`.
//!
//! A step is one or two products, each with the gates' arithmetic as its epilogue. Forward, the left operand
//! is the state, row by row; backward, it is the gate gradients of the step visited before.
//!
//! Saved values lie as `[T, B, S, H]`: S blocks of H values for each step and row. First those of the cell; the
//! backward pass overwrites each with the gradient of its gate, so that the weight gradients become products of
//! these blocks with x and with the states. Then ([`Blocks`]) what the layer's regularisers need.

use crate::Cell;
use crate::memory::LINE;
use crate::norm::{BackwardNorm, ForwardNorm};
use crate::product::{Epilogue, Panels, Rows, product};
use crate::simd::{Isa, Kernel, Simd};

/// Gates (rows of the weights, in units of H) whose gradients lie in consecutive blocks.
#[derive(Clone, Copy)]
pub(crate) struct Run {
    /// First gate.
    pub gate: usize,
    /// How many.
    pub gates: usize,
    /// Block of the first.
    pub block: usize,
}

/// Gates whose hidden weights multiply the same right operand.
#[derive(Clone, Copy)]
pub(crate) struct HiddenRun {
    pub run: Run,
    /// The block that holds the right operand; none: the state before the step.
    pub operand: Option<usize>,
}

/// Where the blocks behind the cell's own begin.
#[derive(Clone, Copy)]
pub(crate) struct Blocks {
    /// The masked state that the hidden weights saw at this step.
    pub seen: Option<usize>,
    /// Input and hidden parts of the gates, normalised, before their gains; backward, the gradients of what they
    /// were before. And what they were divided by, `1 / √(var + ε)` of each, input gates first.
    pub norm: Option<[usize; 3]>,
    /// All blocks.
    pub count: usize,
}

impl Blocks {
    pub fn new(cell: Cell, hidden: usize, masks_state: bool, norm: bool) -> Self {
        let mut count = cell.saved();
        let mut take = |wanted: bool, blocks: usize| {
            let first = count;
            count += if wanted { blocks } else { 0 };
            wanted.then_some(first)
        };
        let seen = take(masks_state, 1);
        let ih = take(norm, cell.gates());
        let hh = take(norm, cell.hidden_gates());
        let scales = take(norm, (cell.gates() + cell.hidden_gates()).div_ceil(hidden.max(1)));
        let norm = ih.zip(hh).zip(scales).map(|((ih, hh), scales)| [ih, hh, scales]);
        Self { seen, norm, count }
    }
}

/// The recurrence of a cell with G gates and S saved blocks.
pub(crate) trait Recurrence {
    const CELL: Cell;
    const GATES: usize = Self::CELL.gates();
    const STATES: usize = Self::CELL.states();
    /// Gates of the forward products with the hidden weights, in order: those of one product are interleaved.
    const PRODUCTS: &'static [usize];
    /// Where the gradients of the input weights come from.
    const INPUT: &'static [Run];
    /// Where the gradients of the hidden weights come from.
    const HIDDEN: &'static [HiddenRun];
    /// The products of the backward pass, gate gradients times hidden weights; the first carries the gradient
    /// from step to step.
    const BACK: &'static [Run];
    /// Block `b` of the gradients, b < G, belongs to gate `ORDER[b]`: the order in which dx sums.
    const ORDER: &'static [usize];
    /// Whether the gate's hidden bias joins its input bias before the step (all but those inside a reset).
    fn folds_bias(gate: usize) -> bool;

    /// The next state of all rows.
    ///
    /// # Safety
    /// The step's pointers hold what its fields say.
    unsafe fn forward<S: Simd>(s: S, step: &ForwardStep<'_>);
    /// Gate gradients of all rows at one step, and the gradient carried to the step before.
    ///
    /// # Safety
    /// The step's pointers hold what its fields say.
    unsafe fn backward<S: Simd>(s: S, step: &BackwardStep<'_>);
}

/// One forward step of a thread's rows.
pub(crate) struct ForwardStep<'a> {
    pub rows: usize,
    pub hidden: usize,
    /// Input parts of the gates, `[rows][panel][gate][lane]`.
    pub x: *const f32,
    pub x_ld: usize,
    /// Packed hidden weights, one per product.
    pub weights: &'a [Panels],
    /// Hidden bias that is not folded into `x`, `[H]` padded to whole vectors.
    pub bias: *const f32,
    /// State before and after, `[rows][K][unit_ld]`.
    pub state: *const f32,
    pub next: *mut f32,
    /// Between the vectors of a state, and between rows of `seen` and `extra`.
    pub unit_ld: usize,
    /// What the hidden weights multiply: h before the step, perhaps masked; rows `seen_ld` apart.
    pub seen: *const f32,
    pub seen_ld: usize,
    /// Room for one more value a unit, `[rows][unit_ld]`.
    pub extra: *mut f32,
    /// Whether `state` is all zero, so that its product can be left out.
    pub zero_state: bool,
    /// `[rows][H]`
    pub y: *mut f32,
    /// `[rows][saved_ld]`, blocks of H, or null.
    pub saved: *mut f32,
    pub saved_ld: usize,
    pub valid: Valid<'a>,
    pub zoneout: Zoneout,
    pub norm: Option<ForwardNorm>,
}

/// A gradient below this is zero. One that vanishes over a long sequence would otherwise go on in numbers so
/// small (below 2^-126) that the machine takes many times longer for each: a training step of `adding` over 600
/// steps took 0.48 s of one core, and 0.05 s where gradients did not vanish.
const VANISHED: f32 = 1e-30;

/// One backward step of a thread's rows.
pub(crate) struct BackwardStep<'a> {
    pub rows: usize,
    pub hidden: usize,
    /// Packed hidden weights, one per entry of [`Recurrence::BACK`].
    pub weights: &'a [Panels],
    /// Gate gradients of the step visited after this one, `[rows][saved_ld]`, or null at the last step.
    pub after: *const f32,
    /// Saved values of this step, to be overwritten with the gate gradients; `[rows][saved_ld]`.
    pub saved: *mut f32,
    pub saved_ld: usize,
    /// `[rows][H]`
    pub dy: *const f32,
    /// The parts of the state's gradient that do not go through a product, `[rows][K][unit_ld]`; read and replaced.
    pub carry: *mut f32,
    pub unit_ld: usize,
    /// What h was multiplied with before the hidden weights saw it, `[rows][unit_ld]`, or null.
    pub mask: *const f32,
    pub before: Before<'a>,
    pub valid: Valid<'a>,
    pub zoneout: Zoneout,
    pub norm: Option<BackwardNorm>,
}

/// Which rows have this time step.
#[derive(Clone, Copy)]
pub(crate) struct Valid<'a> {
    pub t: usize,
    pub lengths: Option<&'a [usize]>,
}

impl Valid<'_> {
    #[inline(always)]
    pub fn row(&self, row: usize) -> bool {
        self.lengths.is_none_or(|lengths| self.t < lengths[row])
    }
}

/// Where the state before a step lies: h in y and c among the saved values, or both in h0 if the row starts here.
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
    /// Whether all rows start here; with lengths and in reverse, those whose last valid step this is.
    pub all_start: bool,
    pub starts_at_end: Option<Valid<'a>>,
}

impl Before<'_> {
    #[inline(always)]
    fn starts(&self, row: usize) -> bool {
        self.all_start
            || self
                .starts_at_end
                .is_some_and(|v| v.lengths.is_some_and(|lengths| v.t + 1 == lengths[row]))
    }

    /// h of a row.
    ///
    /// # Safety
    /// `row` is one of the step's rows.
    #[inline(always)]
    pub unsafe fn h(&self, row: usize) -> *const f32 {
        // SAFETY: both matrices have the step's rows.
        unsafe {
            match self.starts(row) {
                true => self.h0.add(row * self.h0_ld),
                false => self.y.add(row * self.hidden),
            }
        }
    }

    /// c of a row, which the step before saved in block `block`.
    ///
    /// # Safety
    /// `row` is one of the step's rows, and the cell has two states.
    #[inline(always)]
    pub unsafe fn c(&self, row: usize, block: usize) -> *const f32 {
        // SAFETY: both matrices have the step's rows.
        unsafe {
            match self.starts(row) {
                true => self.h0.add(row * self.h0_ld + self.hidden),
                false => self.saved.add(row * self.saved_ld + block * self.hidden),
            }
        }
    }
}

/// Zoneout at one step.
#[derive(Clone, Copy)]
pub(crate) struct Zoneout {
    pub rate: f32,
    /// Keys of the masks of h and c; none: their mean.
    pub keys: Option<[u64; 2]>,
    /// Place of the first row's first unit in `[T, B, H]`.
    pub first: u32,
}

impl Zoneout {
    /// `kept` with the probability of keeping, else `new`: of state vector `part` (0: h, 1: c), `at` values after the
    /// first.
    #[inline(always)]
    fn choose<S: Simd>(&self, s: S, part: usize, at: usize, kept: S::V, new: S::V) -> S::V {
        let rate = s.splat(self.rate);
        match self.keys {
            Some(keys) => {
                let u = s.uniform(keys[part], self.first.wrapping_add(at as u32));
                s.where_less(u, rate, kept, new)
            }
            None => s.fma(rate, s.sub(kept, new), new),
        }
    }
}

/// The lanes of one panel: where it starts and how many units it holds.
#[inline(always)]
pub(crate) fn lanes<S: Simd>(panel: usize, hidden: usize) -> (usize, usize) {
    let j = panel * S::LANES;
    (j, S::LANES.min(hidden - j))
}

impl ForwardStep<'_> {
    /// What the hidden weights multiply, as a left operand.
    pub fn operand(&self) -> Rows {
        Rows { ptr: self.seen, ld: self.seen_ld, count: self.rows }
    }

    /// Product `index` of the cell, of `a` with the hidden weights of `G` gates from `gate` on, normalised if the
    /// layer is, with the gates' arithmetic as its epilogue.
    ///
    /// # Safety
    /// `a` holds the step's rows; the rest as the step's fields say.
    #[inline(always)]
    pub unsafe fn product<S: Simd, const G: usize, E: Epilogue<G>>(
        &self,
        s: S,
        (index, gate): (usize, usize),
        a: Rows,
        epilogue: &E,
    ) {
        let k = if self.zero_state { 0 } else { self.hidden };
        // SAFETY: as the caller's.
        unsafe {
            match &self.norm {
                None => product(s, a, self.weights[index], k, epilogue),
                Some(norm) => {
                    norm.product::<G>(S::ISA, self, (a, self.weights[index], k), gate);
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

    /// Saved block `block` of the first row, or null.
    ///
    /// # Safety
    /// A row has that block.
    pub unsafe fn block(&self, block: usize) -> *mut f32 {
        match self.saved.is_null() {
            true => self.saved,
            // SAFETY: as the caller's.
            false => unsafe { self.saved.add(block * self.hidden) },
        }
    }

    /// The epilogue of every row and panel, for a cell without a product.
    ///
    /// # Safety
    /// As the step's fields say.
    #[inline(always)]
    pub unsafe fn each<S: Simd, E: Epilogue<1>>(&self, s: S, epilogue: &E) {
        // SAFETY: nothing is read for a product of no terms.
        unsafe { product(s, self.operand(), self.weights[0], 0, epilogue) }
    }

    /// Asks for what a row's epilogue reads and writes: the input parts of `G` gates, and `N` saved blocks.
    ///
    /// # Safety
    /// `row` and `panel` lie within the step.
    #[inline(always)]
    pub unsafe fn prefetch<S: Simd, const G: usize, const N: usize>(
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
    /// `row`, `j` and `n` lie within the step, and a state has `K` vectors.
    #[inline(always)]
    pub unsafe fn skip<S: Simd, const K: usize>(
        &self,
        s: S,
        row: usize,
        j: usize,
        n: usize,
    ) -> bool {
        if self.valid.row(row) {
            return false;
        }
        // SAFETY: as the caller's; the states are padded to whole vectors.
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
    /// `row`, `panel` and `gate` lie within the step.
    #[inline(always)]
    pub unsafe fn input<S: Simd, const G: usize>(
        &self,
        s: S,
        row: usize,
        panel: usize,
        gate: usize,
    ) -> S::V {
        // SAFETY: as the caller's.
        unsafe { s.load(self.x.add(row * self.x_ld + (panel * G + gate) * S::LANES)) }
    }

    /// Both parts of a gate, of `G`, for some rows.
    ///
    /// # Safety
    /// Rows, `panel` and `gate` lie within the step.
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
            // SAFETY: as the caller's.
            sums[m] = unsafe { s.add(acc[m][gate], self.input::<S, G>(s, row + m, panel, gate)) };
        }
        sums
    }

    /// Vector `part` of the state before the step.
    ///
    /// # Safety
    /// `row` and `j` lie within the step, and a state has `K` vectors.
    #[inline(always)]
    pub unsafe fn state<S: Simd, const K: usize>(
        &self,
        s: S,
        row: usize,
        part: usize,
        j: usize,
    ) -> S::V {
        // SAFETY: as the caller's; the states are padded to whole vectors.
        unsafe { s.load(self.state.add((row * K + part) * self.unit_ld + j)) }
    }

    /// Vector `part` of the next state from the cell's candidate: stores it for the next step.
    ///
    /// # Safety
    /// `row` and `j` lie within the step, and a state has `K` vectors.
    #[inline(always)]
    pub unsafe fn next<S: Simd, const K: usize>(
        &self,
        s: S,
        (row, part, j): (usize, usize, usize),
        candidate: S::V,
    ) -> S::V {
        let at = (row * K + part) * self.unit_ld + j;
        // SAFETY: as the caller's; the states are padded to whole vectors.
        unsafe {
            let mut v = candidate;
            if self.zoneout.rate > 0.0 {
                let old = s.load(self.state.add(at));
                v = self.zoneout.choose(s, part, row * self.hidden + j, old, candidate);
            }
            s.store(self.next.add(at), v);
            v
        }
    }

    /// Stores the candidate of h, zoned out, in y and for the next step, and the saved blocks.
    ///
    /// # Safety
    /// `row`, `j` and `n` lie within the step, and a state has `K` vectors.
    #[inline(always)]
    pub unsafe fn finish<S: Simd, const K: usize, const N: usize>(
        &self,
        s: S,
        row: usize,
        (j, n): (usize, usize),
        candidate: S::V,
        saved: [S::V; N],
    ) {
        // SAFETY: as the caller's.
        unsafe {
            let h = self.next::<S, K>(s, (row, 0, j), candidate);
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

impl BackwardStep<'_> {
    /// Asks for what a row's epilogue reads and writes: `N` saved blocks, dy, and h before.
    ///
    /// # Safety
    /// `row` and `panel` lie within the step.
    #[inline(always)]
    pub unsafe fn prefetch<S: Simd, const N: usize>(&self, s: S, row: usize, panel: usize) {
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
    /// `saved` has the step's rows.
    unsafe fn gradients(&self, saved: *const f32, run: Run) -> Rows {
        let block = self.norm.as_ref().map_or(run.block, |norm| norm.hh + run.gate);
        // SAFETY: a row holds the run's blocks.
        let ptr = unsafe { saved.add(block * self.hidden) };
        Rows { ptr, ld: self.saved_ld, count: self.rows }
    }

    /// What the steps visited after this one send back through the hidden weights of `run`, product 0 of the cell.
    ///
    /// # Safety
    /// As the step's fields say.
    #[inline(always)]
    pub unsafe fn product_after<S: Simd, E: Epilogue<1>>(
        &self,
        s: S,
        run: Option<&Run>,
        epilogue: &E,
    ) {
        // SAFETY: as the caller's.
        unsafe {
            let (a, k) = self.after(run);
            product(s, a, self.weights[0], k, epilogue);
        }
    }

    /// The gradients of `run` at the step visited after this one as a left operand, and how many values of it count.
    ///
    /// # Safety
    /// As the step's fields say.
    pub unsafe fn after(&self, run: Option<&Run>) -> (Rows, usize) {
        match run {
            // SAFETY: as the caller's.
            Some(run) if !self.after.is_null() => unsafe {
                (self.gradients(self.after, *run), run.gates * self.hidden)
            },
            _ => (Rows { ptr: self.carry, ld: 0, count: self.rows }, 0),
        }
    }

    /// The product of this step's own gradients of `run`, product `index` of the cell.
    ///
    /// # Safety
    /// As the step's fields say; the run's gradients are complete.
    #[inline(always)]
    pub unsafe fn product_now<S: Simd, E: Epilogue<1>>(
        &self,
        s: S,
        index: usize,
        run: Run,
        epilogue: &E,
    ) {
        // SAFETY: as the caller's.
        unsafe {
            let a = self.gradients(self.saved, run);
            product(s, a, self.weights[index], run.gates * self.hidden, epilogue);
        }
    }

    /// The gradients of `run`'s gates, now complete, go back through the normalisation of the hidden part.
    ///
    /// # Safety
    /// As the step's fields say.
    pub unsafe fn through_norm(&self, isa: Isa, run: Run) {
        if let Some(norm) = &self.norm {
            // SAFETY: as the caller's.
            unsafe { norm.hidden_part(isa, (self.saved, self.saved_ld, self.rows), run) }
        }
    }

    /// `v` as the hidden weights see it, or their gradient as the state sees it.
    ///
    /// # Safety
    /// `row` and `j` lie within the step.
    #[inline(always)]
    pub unsafe fn masked<S: Simd>(&self, s: S, row: usize, j: usize, v: S::V) -> S::V {
        if self.mask.is_null() {
            return v;
        }
        // SAFETY: as the caller's; the mask is padded to whole vectors.
        unsafe { s.mul(v, s.load(self.mask.add(row * self.unit_ld + j))) }
    }

    /// The carried gradient of vector `part` of a row's state.
    ///
    /// # Safety
    /// `row`, `part` and `j` lie within the step, and a state has `K` vectors.
    #[inline(always)]
    pub unsafe fn carry<const K: usize>(&self, row: usize, part: usize, j: usize) -> *mut f32 {
        // SAFETY: as the caller's.
        unsafe { self.carry.add((row * K + part) * self.unit_ld + j) }
    }

    /// The gradient of a row's new h: what the product (`acc`) and the carry bring, and dy; divided between the
    /// cell's candidate and, by zoneout, the state before. A row past its length passes it on, with `N` blocks of
    /// zero gradients, and gives none.
    ///
    /// # Safety
    /// `row`, `j` and `n` lie within the step, and a state has `K` vectors.
    #[inline(always)]
    pub unsafe fn incoming<S: Simd, const K: usize, const N: usize>(
        &self,
        s: S,
        row: usize,
        (j, n): (usize, usize),
        acc: S::V,
    ) -> Option<[S::V; 2]> {
        // SAFETY: as the caller's; the carry is padded to whole vectors.
        unsafe {
            let carry = self.carry::<K>(row, 0, j);
            let dh = s.add(self.masked(s, row, j, acc), s.load(carry));
            if self.valid.row(row) {
                let dh = s.add(dh, s.load_n(self.dy.add(row * self.hidden + j), n));
                return Some(self.divide(s, row, 0, j, dh));
            }
            s.store(carry, dh);
            for block in 0..N {
                let to = self.saved.add(row * self.saved_ld + block * self.hidden + j);
                s.store_n(to, s.splat(0.0), n);
            }
            None
        }
    }

    /// A gradient of state vector `part`, [cut](VANISHED) and divided by zoneout: the candidate's share, and the share
    /// of the state before.
    #[inline(always)]
    pub fn divide<S: Simd>(&self, s: S, row: usize, part: usize, j: usize, d: S::V) -> [S::V; 2] {
        let zero = s.splat(0.0);
        let size = s.max(d, s.sub(zero, d));
        let d = s.where_less(size, s.splat(VANISHED), zero, d);
        if self.zoneout.rate > 0.0 {
            let kept = self.zoneout.choose(s, part, row * self.hidden + j, d, zero);
            return [s.sub(d, kept), kept];
        }
        [d, zero]
    }
}

/// The gradient of h0: what the first step sends back, and its carry. A kernel of its own.
pub(crate) struct FirstState<'a> {
    pub step: &'a BackwardStep<'a>,
    /// The run that carries the gradient; none: no product does.
    pub run: Option<&'a Run>,
    /// `K`
    pub states: usize,
    /// `[rows][K][H]`
    pub to: *mut f32,
}

impl Kernel for FirstState<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        // SAFETY: as the step's fields say; `to` holds the step's rows.
        unsafe { self.step.product_after(s, self.run, &self) }
    }
}

impl Epilogue<1> for FirstState<'_> {
    #[inline(always)]
    unsafe fn apply<S: Simd>(&self, s: S, row: usize, panel: usize, [acc]: [S::V; 1]) {
        let step = self.step;
        let (j, n) = lanes::<S>(panel, step.hidden);
        // SAFETY: row and lanes lie within the step's buffers.
        unsafe {
            for part in 0..self.states {
                let vector = row * self.states + part;
                let mut d = s.load(step.carry.add(vector * step.unit_ld + j));
                if part == 0 {
                    d = s.add(step.masked(s, row, j, acc), d);
                }
                s.store_n(self.to.add(vector * step.hidden + j), d, n);
            }
        }
    }
}
