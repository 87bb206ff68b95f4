//! What a cell has to say about itself; everything else about a sequence stands once, in `forward`
//! and `backward`.
//!
//! A step is one or two products, each with the gates' arithmetic as its epilogue. Forward, the left operand
//! is the state, row by row; backward, it is the gate gradients of the step visited before.
//!
//! Saved values lie as `[T, B, S, H]`: S blocks of H values for each step and row. The backward pass
//! overwrites each block with the gradient of its gate, so that the weight gradients become products of
//! these blocks with x and with the states.

use crate::Cell;
use crate::product::{Epilogue, Panels, Rows};
use crate::simd::Simd;

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

/// The recurrence of a cell with G gates and S saved blocks.
pub(crate) trait Recurrence {
    const CELL: Cell;
    const GATES: usize = Self::CELL.gates();
    const SAVED: usize = Self::CELL.saved();
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
    /// State before and after, and room for one more value a unit, each `[rows][state_ld]`.
    pub state: *const f32,
    pub next: *mut f32,
    pub extra: *mut f32,
    pub state_ld: usize,
    /// Whether `state` is all zero, so that its product can be left out.
    pub zero_state: bool,
    /// `[rows][H]`
    pub y: *mut f32,
    /// `[rows][S][H]`, or null.
    pub saved: *mut f32,
    pub valid: Valid<'a>,
}

/// One backward step of a thread's rows.
pub(crate) struct BackwardStep<'a> {
    pub rows: usize,
    pub hidden: usize,
    /// Packed hidden weights, one per entry of [`Recurrence::BACK`].
    pub weights: &'a [Panels],
    /// Gate gradients of the step visited after this one, `[rows][S][H]`, or null at the last step.
    pub after: *const f32,
    /// Saved values of this step, to be overwritten with the gate gradients; `[rows][S][H]`.
    pub saved: *mut f32,
    /// `[rows][H]`
    pub dy: *const f32,
    /// The part of dh that does not go through a product, `[rows][carry_ld]`; read and replaced.
    pub carry: *mut f32,
    pub carry_ld: usize,
    pub before: Before<'a>,
    pub valid: Valid<'a>,
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

/// Where the state before a step lies: in y, or in h0 if the row starts here.
#[derive(Clone, Copy)]
pub(crate) struct Before<'a> {
    /// `[rows][H]`, y at the step visited before.
    pub y: *const f32,
    /// `[rows]` states `h0_ld` apart.
    pub h0: *const f32,
    pub h0_ld: usize,
    pub hidden: usize,
    /// Whether all rows start here; with lengths and in reverse, those whose last valid step this is.
    pub all_start: bool,
    pub starts_at_end: Option<Valid<'a>>,
}

impl Before<'_> {
    /// # Safety
    /// `row` is one of the step's rows.
    #[inline(always)]
    pub unsafe fn row(&self, row: usize) -> *const f32 {
        let start = self.all_start
            || self
                .starts_at_end
                .is_some_and(|v| v.lengths.is_some_and(|lengths| v.t + 1 == lengths[row]));
        // SAFETY: both matrices have the step's rows.
        unsafe { if start { self.h0.add(row * self.h0_ld) } else { self.y.add(row * self.hidden) } }
    }
}

/// The lanes of one panel: where it starts and how many units it holds.
#[inline(always)]
pub(crate) fn lanes<S: Simd>(panel: usize, hidden: usize) -> (usize, usize) {
    let j = panel * S::LANES;
    (j, S::LANES.min(hidden - j))
}

impl ForwardStep<'_> {
    /// The state before the step as a left operand.
    pub fn operand(&self) -> Rows {
        Rows { ptr: self.state, ld: self.state_ld, count: self.rows }
    }

    /// Ends a row that is past its length: output zero, state as it was. `true` if it was one.
    ///
    /// # Safety
    /// `row`, `j` and `n` lie within the step.
    #[inline(always)]
    pub unsafe fn skip<S: Simd>(&self, s: S, row: usize, j: usize, n: usize) -> bool {
        if self.valid.row(row) {
            return false;
        }
        let at = row * self.state_ld + j;
        // SAFETY: as the caller's; the states are padded to whole vectors.
        unsafe {
            s.store(self.next.add(at), s.load(self.state.add(at)));
            s.store_n(self.y.add(row * self.hidden + j), s.splat(0.0), n);
        }
        true
    }

    /// Stores the next state in y and for the next step, and the saved blocks.
    ///
    /// # Safety
    /// `row`, `j` and `n` lie within the step.
    #[inline(always)]
    pub unsafe fn finish<S: Simd, const N: usize>(
        &self,
        s: S,
        row: usize,
        (j, n): (usize, usize),
        h: S::V,
        saved: [S::V; N],
    ) {
        // SAFETY: as the caller's.
        unsafe {
            s.store(self.next.add(row * self.state_ld + j), h);
            s.store_n(self.y.add(row * self.hidden + j), h, n);
            if !self.saved.is_null() {
                let to = self.saved.add(row * N * self.hidden + j);
                for (block, v) in saved.into_iter().enumerate() {
                    s.store_n(to.add(block * self.hidden), v, n);
                }
            }
        }
    }
}

impl BackwardStep<'_> {
    /// Blocks of the gate gradients at the step visited after, as a left operand, and how many values of it
    /// count.
    pub fn after(&self, back: Run, saved: usize) -> (Rows, usize) {
        let ld = saved * self.hidden;
        if self.after.is_null() {
            return (Rows { ptr: self.carry, ld: 0, count: self.rows }, 0);
        }
        // SAFETY: a row holds `saved` blocks.
        let ptr = unsafe { self.after.add(back.block * self.hidden) };
        (Rows { ptr, ld, count: self.rows }, back.gates * self.hidden)
    }

    /// The gradient of a row's new state: what the product and the carry bring, and dy. A row past its length
    /// passes it on, with `N` blocks of zero gradients, and gives none.
    ///
    /// # Safety
    /// `row`, `j` and `n` lie within the step.
    #[inline(always)]
    pub unsafe fn incoming<S: Simd, const N: usize>(
        &self,
        s: S,
        row: usize,
        (j, n): (usize, usize),
        acc: S::V,
    ) -> Option<S::V> {
        // SAFETY: as the caller's; the carry is padded to whole vectors.
        unsafe {
            let carry = self.carry.add(row * self.carry_ld + j);
            let dh = s.add(acc, s.load(carry));
            if self.valid.row(row) {
                return Some(s.add(dh, s.load_n(self.dy.add(row * self.hidden + j), n)));
            }
            s.store(carry, dh);
            for block in 0..N {
                let to = self.saved.add((row * N + block) * self.hidden + j);
                s.store_n(to, s.splat(0.0), n);
            }
            None
        }
    }
}

/// Stores a product, after adding a row that is the same for all (a bias) or one of its own (a carry).
pub(crate) struct Store {
    pub to: *mut f32,
    pub ld: usize,
    pub columns: usize,
    /// What is added: `add[row * add_ld + column]`, padded to whole vectors; or null.
    pub add: *const f32,
    pub add_ld: usize,
}

impl Epilogue<1> for Store {
    #[inline(always)]
    unsafe fn apply<S: Simd>(&self, s: S, row: usize, panel: usize, [acc]: [S::V; 1]) {
        let (j, n) = lanes::<S>(panel, self.columns);
        // SAFETY: the target and the addend hold the product's rows and columns.
        unsafe {
            let v = if self.add.is_null() {
                acc
            } else {
                s.add(acc, s.load(self.add.add(row * self.add_ld + j)))
            };
            s.store_n(self.to.add(row * self.ld + j), v, n);
        }
    }
}
