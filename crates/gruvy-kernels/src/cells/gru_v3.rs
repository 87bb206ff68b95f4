//! GRU with the reset gate before the product (Cho et al., 1406.1078v3; ONNX's default).
//!
//! ```text
//! r = σ(x_r + W_hr h)    z = σ(x_z + W_hz h)    s = r h    n = tanh(x_n + W_hn s)
//! h' = m + z (h − m),  m = d n
//!
//! dn = dh d (1 − z)(1 − n²)    dz = dh (h − m) z (1 − z)
//! ds = W_hnᵀ dn    dr = ds h r (1 − r)
//! dh_prev = dh z + ds r + W_hrᵀ dr + W_hzᵀ dz
//! ```
//! where d is the candidate's dropout (else 1), and the h of the products is masked if there is
//! recurrent dropout. A step has two products, as the second needs all of s (forward) or dn
//! (backward). Blocks: n, r, z, s; s stays as it is, the right operand of W_hn's gradient.

use super::gru::blend_gradients;
use crate::cell::Recurrence;
use crate::dims::Cell;
use crate::math::{sigmoid, tanh};
use crate::product::{Epilogue, Rows};
use crate::saved::{HiddenRun, Run};
use crate::simd::Simd;
use crate::step::{BackwardStep, ForwardStep, HiddenProduct, Place};

pub(crate) struct GruV3;

impl Recurrence for GruV3 {
    const CELL: Cell = Cell::GruV3;
    const PRODUCTS: &'static [usize] = &[2, 1];
    const INPUT: &'static [Run] =
        &[Run { gate: 0, gates: 2, block: 1 }, Run { gate: 2, gates: 1, block: 0 }];
    const HIDDEN: &'static [HiddenRun] = &[
        HiddenRun { run: Run { gate: 0, gates: 2, block: 1 }, operand: None },
        HiddenRun { run: Run { gate: 2, gates: 1, block: 0 }, operand: Some(3) },
    ];
    const BACK: &'static [Run] =
        &[Run { block: 1, gate: 0, gates: 2 }, Run { block: 0, gate: 2, gates: 1 }];
    const ORDER: &'static [usize] = &[2, 0, 1];

    fn folds_bias(_: usize) -> bool {
        true
    }

    #[inline(always)]
    unsafe fn forward<S: Simd>(s: S, step: &ForwardStep<'_>) {
        let reset = Rows { ptr: step.extra, ld: step.unit_ld, count: step.rows };
        let new = HiddenProduct { index: 1, gate: 2, a: reset };
        // SAFETY: the caller's contract, and the epilogues are those of this step. The first has
        // written all of `extra` before the second product reads it.
        unsafe {
            step.first_product(s, &Gates(step));
            step.product(s, new, &New(step));
        }
    }

    #[inline(always)]
    unsafe fn backward<S: Simd>(s: S, step: &BackwardStep<'_>) {
        let [gates, new] = [Self::BACK[0], Self::BACK[1]];
        // SAFETY: the caller's contract, and the epilogues are those of this step. dn is complete
        // before the second product reads it.
        unsafe {
            step.product_after(s, Some(&gates), &BackwardNew(step));
            step.through_norm(S::ISA, new);
            step.product_now(s, 1, new, &BackwardReset(step));
            step.through_norm(S::ISA, gates);
        }
    }
}

/// r and z: leaves s = r h (h as the hidden weights see it) in `extra` and z in `next`; saves r.
struct Gates<'a>(&'a ForwardStep<'a>);

impl Epilogue<2> for Gates<'_> {
    #[inline(always)]
    unsafe fn apply<S: Simd>(&self, s: S, row: usize, panel: usize, acc: [S::V; 2]) {
        let step = self.0;
        let at = Place::new::<S>(row, panel, step.hidden);
        // SAFETY: a place of the step; `Recurrence::forward` lists what its pointers cover.
        unsafe {
            let x = step.x.add(row * step.x_ld + panel * 3 * S::LANES);
            let [r, z] = [0, 1].map(|g| s.add(acc[g], s.load(x.add(g * S::LANES))));
            let [r, z] = sigmoid(s, [r, z]);
            let unit = row * step.unit_ld + at.j;
            let seen = s.load(step.seen.add(row * step.seen_ld + at.j));
            s.store(step.extra.add(unit), s.mul(r, seen));
            s.store(step.next.add(unit), z);
            if !step.saved.is_null() {
                s.store_n(step.saved.add(row * step.saved_ld + step.hidden + at.j), r, at.n);
            }
        }
    }
}

struct New<'a>(&'a ForwardStep<'a>);

impl Epilogue<1> for New<'_> {
    #[inline(always)]
    unsafe fn apply<S: Simd>(&self, s: S, row: usize, panel: usize, [acc]: [S::V; 1]) {
        let step = self.0;
        let at = Place::new::<S>(row, panel, step.hidden);
        // SAFETY: a place of the step; `Recurrence::forward` lists what its pointers cover.
        unsafe {
            if step.skip::<S, 1>(s, at) {
                return;
            }
            let x = step.x.add(row * step.x_ld + (panel * 3 + 2) * S::LANES);
            let [n] = tanh(s, [s.add(acc, s.load(x))]);
            let unit = row * step.unit_ld + at.j;
            let z = s.load(step.next.add(unit));
            let h = step.state::<S, 1>(s, at, 0);
            let reset = s.load(step.extra.add(unit));
            let r = match step.saved.is_null() {
                true => z,
                false => s.load_n(step.saved.add(row * step.saved_ld + step.hidden + at.j), at.n),
            };
            let new = step.dropped(s, at, n);
            let h = s.fma(z, s.sub(h, new), new);
            step.finish::<S, 1, 4>(s, at, h, [n, r, z, reset]);
        }
    }
}

struct BackwardNew<'a>(&'a BackwardStep<'a>);

impl Epilogue<1> for BackwardNew<'_> {
    #[inline(always)]
    unsafe fn apply<S: Simd>(&self, s: S, row: usize, panel: usize, [acc]: [S::V; 1]) {
        let step = self.0;
        let at = Place::new::<S>(row, panel, step.hidden);
        // SAFETY: a place of the step; `Recurrence::backward` lists what its pointers cover.
        unsafe {
            let Some([dh, kept]) = step.incoming::<S, 1, 4>(s, at, acc) else {
                return;
            };
            let first = step.saved_at(at);
            let block = |b: usize| first.add(b * step.hidden);
            let [n, z] = [0, 2].map(|b| s.load_n(block(b), at.n));
            let h = s.load_n(step.before.h(row).add(at.j), at.n);
            s.store(step.carry::<1>(at, 0), s.fma(dh, z, kept));
            let (dn, dz) = blend_gradients(s, step, at, [dh, n, z, h]);
            s.store_n(block(0), dn, at.n);
            s.store_n(block(2), dz, at.n);
        }
    }
}

struct BackwardReset<'a>(&'a BackwardStep<'a>);

impl Epilogue<1> for BackwardReset<'_> {
    #[inline(always)]
    unsafe fn apply<S: Simd>(&self, s: S, row: usize, panel: usize, [ds]: [S::V; 1]) {
        let step = self.0;
        let at = Place::new::<S>(row, panel, step.hidden);
        // SAFETY: a place of the step; `Recurrence::backward` lists what its pointers cover. A row
        // past its length has r = 0 here, so that nothing changes.
        unsafe {
            let carry = step.carry::<1>(at, 0);
            let reset = step.saved_at(at).add(step.hidden);
            let r = s.load_n(reset, at.n);
            let h = step.masked(s, at, s.load_n(step.before.h(row).add(at.j), at.n));
            s.store(carry, s.add(step.masked(s, at, s.mul(ds, r)), s.load(carry)));
            let dr = s.mul(s.mul(ds, h), s.mul(r, s.sub(s.splat(1.0), r)));
            s.store_n(reset, dr, at.n);
        }
    }
}
