//! What a cell has to say about itself. Everything else about a sequence stands once, in
//! `sequence/`.
//!
//! A step is one or two products, each with the gates' arithmetic as its epilogue. Forward, the
//! left operand is the state, row by row; backward, it is the gate gradients of the step visited
//! before.

use crate::dims::Cell;
use crate::saved::{HiddenRun, Run};
use crate::simd::Simd;
use crate::step::{BackwardStep, ForwardStep};

/// The recurrence of a cell with G gates and S saved blocks.
pub(crate) trait Recurrence {
    const CELL: Cell;
    const GATES: usize = Self::CELL.gates();
    const HIDDEN_GATES: usize = Self::CELL.hidden_gates();
    const STATES: usize = Self::CELL.states();
    /// Gates of the forward products with the hidden weights, in order: those of one product are
    /// interleaved.
    const PRODUCTS: &'static [usize];
    /// Where the gradients of the input weights come from.
    const INPUT: &'static [Run];
    /// Where the gradients of the hidden weights come from.
    const HIDDEN: &'static [HiddenRun];
    /// The products of the backward pass, gate gradients times hidden weights; the first carries
    /// the gradient from step to step.
    const BACK: &'static [Run];
    /// Block `b` of the gradients, b < G, belongs to gate `ORDER[b]`: the order in which dx sums.
    const ORDER: &'static [usize];
    /// Whether the gate's hidden bias joins its input bias before the step (all but those inside a
    /// reset).
    fn folds_bias(gate: usize) -> bool;

    /// The next state of all rows.
    ///
    /// # Safety
    /// - `weights`: the packed hidden weights of every entry of [`PRODUCTS`](Self::PRODUCTS)
    /// - `x`: `[rows][⌈H / LANES⌉][G][LANES]` readable, rows `x_ld` apart
    /// - `bias`: `[H]` padded to whole vectors, readable
    /// - `state`: `[rows][K][unit_ld]` readable
    /// - `seen`: `[rows]` rows of H padded to whole vectors, `seen_ld` apart, readable
    /// - `next`: `[rows][K][unit_ld]`, `extra`: `[rows][unit_ld]` writable
    /// - `y`: `[rows][H]` writable
    /// - `saved`: `[rows]` rows of at least S blocks of H writable, `saved_ld` apart; or null
    /// - `candidate`: `[rows][unit_ld]` readable, or null
    /// - `norm`: as the [product](ForwardStep::product) asks for it
    /// - no other thread accesses what is written
    unsafe fn forward<S: Simd>(s: S, step: &ForwardStep<'_>);

    /// Gate gradients of all rows at one step, and the gradient carried to the step before.
    ///
    /// # Safety
    /// - `weights`: the packed hidden weights of every entry of [`BACK`](Self::BACK)
    /// - `after`: `[rows]` rows of all blocks readable, `saved_ld` apart, with complete gradients;
    ///   or null
    /// - `saved`: `[rows]` rows of all blocks readable and writable, `saved_ld` apart
    /// - `dy`: `[rows][H]` readable
    /// - `carry`: `[rows][K][unit_ld]` readable and writable
    /// - `mask` and `candidate`: `[rows][unit_ld]` readable, or null
    /// - `before`: as [`Before::h`](crate::step::Before::h) and
    ///   [`Before::c`](crate::step::Before::c) ask for it
    /// - `norm`: as [`through_norm`](BackwardStep::through_norm) asks for it
    /// - no other thread accesses what is written
    unsafe fn backward<S: Simd>(s: S, step: &BackwardStep<'_>);
}
