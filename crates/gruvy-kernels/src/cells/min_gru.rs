//! minGRU (Feng et al., 2410.01201): gates that see the input alone.
//!
//! ```text
//! z = σ(x_z)    n = g(x_n),  g(v) = v + ½ if v ≥ 0, else σ(v)
//! h' = h + z (d n − h)
//!
//! dz = dh (d n − h) z (1 − z)    dn = dh d z g'(x_n),  g' = 1 if n ≥ ½, else n (1 − n)
//! dh_prev = dh (1 − z)
//! ```
//! z is the share of the new here, as in the paper; d is the candidate's dropout (else 1). Blocks:
//! z, n.
//!
//! The paper trains it by a parallel scan in log space, since on a GPU T steps one after the other
//! are slow and the cumulative products of a scan underflow. Here a step is two multiply-adds on
//! values that are already in registers, and nearly all work is in the input's product, which sees
//! all steps at once. So the steps go one after the other, at no cost in accuracy. The scan is in
//! the plain form for other backends.

use crate::cell::Recurrence;
use crate::dims::Cell;
use crate::math::sigmoid;
use crate::product::Epilogue;
use crate::saved::{HiddenRun, Run};
use crate::simd::Simd;
use crate::step::{BackwardStep, ForwardStep, Place};

pub(crate) struct MinGru;

impl Recurrence for MinGru {
    const CELL: Cell = Cell::MinGru;
    const PRODUCTS: &'static [usize] = &[];
    const INPUT: &'static [Run] = &[Run { gate: 0, gates: 2, block: 0 }];
    const HIDDEN: &'static [HiddenRun] = &[];
    const BACK: &'static [Run] = &[];
    const ORDER: &'static [usize] = &[0, 1];

    fn folds_bias(_: usize) -> bool {
        true
    }

    #[inline(always)]
    unsafe fn forward<S: Simd>(s: S, step: &ForwardStep<'_>) {
        // SAFETY: the caller's contract, and the epilogue is that of this step.
        unsafe { step.each(s, &Forward(step)) }
    }

    #[inline(always)]
    unsafe fn backward<S: Simd>(s: S, step: &BackwardStep<'_>) {
        // SAFETY: the caller's contract, and the epilogue is that of this step.
        unsafe { step.product_after(s, None, &Backward(step)) }
    }
}

struct Forward<'a>(&'a ForwardStep<'a>);

impl Epilogue<1> for Forward<'_> {
    #[inline(always)]
    unsafe fn apply<S: Simd>(&self, s: S, row: usize, panel: usize, _: [S::V; 1]) {
        let step = self.0;
        let at = Place::new::<S>(row, panel, step.hidden);
        // SAFETY: a place of the step; `Recurrence::forward` lists what its pointers cover.
        unsafe {
            if step.skip::<S, 1>(s, at) {
                return;
            }
            let x = step.x.add(row * step.x_ld + panel * 2 * S::LANES);
            let v = s.load(x.add(S::LANES));
            let [z, low] = sigmoid(s, [s.load(x), v]);
            let n = s.where_less(v, s.splat(0.0), low, s.add(v, s.splat(0.5)));
            let h = step.state::<S, 1>(s, at, 0);
            let join = |n| s.fma(z, s.sub(n, h), h);
            // Once before it is known whether the candidate is dropped: else the compiler puts z
            // behind that branch, where its sigmoid is no longer computed beside the other (5 %
            // more instructions).
            let mut h = join(n);
            if !step.candidate.is_null() {
                h = join(step.dropped(s, at, n));
            }
            step.finish::<S, 1, 2>(s, at, h, [z, n]);
        }
    }
}

struct Backward<'a>(&'a BackwardStep<'a>);

impl Epilogue<1> for Backward<'_> {
    #[inline(always)]
    unsafe fn apply<S: Simd>(&self, s: S, row: usize, panel: usize, [acc]: [S::V; 1]) {
        let step = self.0;
        let at = Place::new::<S>(row, panel, step.hidden);
        // SAFETY: a place of the step; `Recurrence::backward` lists what its pointers cover.
        unsafe {
            let Some([dh, kept]) = step.incoming::<S, 1, 2>(s, at, acc) else {
                return;
            };
            let first = step.saved_at(at);
            let [z, n] = [0, 1].map(|b| s.load_n(first.add(b * step.hidden), at.n));
            let h = s.load_n(step.before.h(row).add(at.j), at.n);
            let one = s.splat(1.0);
            let keep = s.sub(one, z);
            s.store(step.carry::<1>(at, 0), s.fma(dh, keep, kept));
            let [new, dnew] = step.dropped(s, at, [n, dh]);
            let dz = s.mul(s.mul(dh, s.sub(new, h)), s.mul(z, keep));
            let slope = s.where_less(n, s.splat(0.5), s.mul(n, s.sub(one, n)), one);
            s.store_n(first, dz, at.n);
            s.store_n(first.add(step.hidden), s.mul(s.mul(dnew, z), slope), at.n);
        }
    }
}
