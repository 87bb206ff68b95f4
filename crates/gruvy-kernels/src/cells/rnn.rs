//! Plain RNN (Elman, 1990), PyTorch's.
//!
//! ```text
//! h' = a(x + W_h h),  a = tanh or max(·, 0)
//!
//! da = dh (1 − h'²)    or    dh where h' > 0        dh_prev = W_hᵀ da
//! ```
//! where x holds the input's part with both biases. One block: h', before zoneout.

use crate::cell::Recurrence;
use crate::dims::Cell;
use crate::math::tanh;
use crate::product::Epilogue;
use crate::saved::{HiddenRun, Run};
use crate::simd::Simd;
use crate::step::{BackwardStep, ForwardStep, Place};

/// With max(·, 0) if `RELU`, else with tanh.
pub(crate) struct Rnn<const RELU: bool>;

const ALL: Run = Run { gate: 0, gates: 1, block: 0 };

impl<const RELU: bool> Recurrence for Rnn<RELU> {
    const CELL: Cell = if RELU { Cell::RnnRelu } else { Cell::Rnn };
    const PRODUCTS: &'static [usize] = &[1];
    const INPUT: &'static [Run] = &[ALL];
    const HIDDEN: &'static [HiddenRun] = &[HiddenRun { run: ALL, operand: None }];
    const BACK: &'static [Run] = &[ALL];
    const ORDER: &'static [usize] = &[0];

    fn folds_bias(_: usize) -> bool {
        true
    }

    #[inline(always)]
    unsafe fn forward<S: Simd>(s: S, step: &ForwardStep<'_>) {
        // SAFETY: the caller's contract, and the epilogue is that of this step.
        unsafe { step.first_product(s, &Forward::<RELU>(step)) }
    }

    #[inline(always)]
    unsafe fn backward<S: Simd>(s: S, step: &BackwardStep<'_>) {
        // SAFETY: the caller's contract, and the epilogue is that of this step.
        unsafe {
            step.product_after(s, Some(&ALL), &Backward::<RELU>(step));
            step.through_norm(S::ISA, ALL);
        }
    }
}

struct Forward<'a, const RELU: bool>(&'a ForwardStep<'a>);

impl<const RELU: bool> Epilogue<1> for Forward<'_, RELU> {
    #[inline(always)]
    unsafe fn apply_rows<S: Simd, const R: usize>(
        &self,
        s: S,
        row: usize,
        panel: usize,
        acc: [[S::V; 1]; R],
    ) {
        let step = self.0;
        let at = Place::new::<S>(row, panel, step.hidden);
        // SAFETY: places of the step; `Recurrence::forward` lists what its pointers cover.
        unsafe {
            let v = step.sums(s, row, panel, 0, &acc);
            let mut h = if RELU { v } else { tanh(s, v) };
            for m in 0..R {
                if step.skip::<S, 1>(s, at.below(m)) {
                    continue;
                }
                if RELU {
                    // In this order a NaN stays one.
                    h[m] = s.max(s.splat(0.0), h[m]);
                }
                step.finish::<S, 1, 1>(s, at.below(m), h[m], [h[m]]);
            }
        }
    }
}

struct Backward<'a, const RELU: bool>(&'a BackwardStep<'a>);

impl<const RELU: bool> Epilogue<1> for Backward<'_, RELU> {
    #[inline(always)]
    unsafe fn apply<S: Simd>(&self, s: S, row: usize, panel: usize, [acc]: [S::V; 1]) {
        let step = self.0;
        let at = Place::new::<S>(row, panel, step.hidden);
        // SAFETY: a place of the step; `Recurrence::backward` lists what its pointers cover.
        unsafe {
            let Some([dh, kept]) = step.incoming::<S, 1, 1>(s, at, acc) else {
                return;
            };
            s.store(step.carry::<1>(at, 0), kept);
            let block = step.saved_at(at);
            let (h, zero) = (s.load_n(block, at.n), s.splat(0.0));
            let d = match RELU {
                true => s.where_less(zero, h, dh, zero),
                false => s.mul(dh, s.sub(s.splat(1.0), s.mul(h, h))),
            };
            s.store_n(block, d, at.n);
        }
    }
}
