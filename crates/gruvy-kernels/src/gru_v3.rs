//! GRU with the reset gate before the product (Cho et al., 1406.1078v3; ONNX's default).
//!
//! ```text
//! r = σ(x_r + W_hr h)    z = σ(x_z + W_hz h)    s = r h    n = tanh(x_n + W_hn s)
//! h' = n + z (h − n)
//!
//! dn = dh (1 − z)(1 − n²)    dz = dh (h − n) z (1 − z)
//! ds = W_hnᵀ dn    dr = ds h r (1 − r)
//! dh_prev = dh z + ds r + W_hrᵀ dr + W_hzᵀ dz
//! ```
//! where the h of the products is masked if there is recurrent dropout. Two products a step, as the second needs
//! all of s (forward) or dn (backward). Blocks: n, r, z, s; s stays as it is, the right operand of W_hn's gradient.

use crate::Cell;
use crate::cell::{BackwardStep, ForwardStep, HiddenRun, Recurrence, Run, lanes};
use crate::gru::blend_gradients;
use crate::math::{sigmoid, tanh};
use crate::product::{Epilogue, Rows};
use crate::simd::Simd;

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
        // SAFETY: the operands are the step's; the gates have written all of `extra` before it is read.
        unsafe {
            step.product(s, (0, 0), step.operand(), &Gates(step));
            step.product(s, (1, 2), reset, &New(step));
        }
    }

    #[inline(always)]
    unsafe fn backward<S: Simd>(s: S, step: &BackwardStep<'_>) {
        let [gates, new] = [Self::BACK[0], Self::BACK[1]];
        // SAFETY: the operands are the step's; dn is complete before the second product reads it.
        unsafe {
            step.product_after(s, Some(&gates), &BackwardNew(step));
            step.through_norm(S::ISA, new);
            step.product_now(s, 1, new, &BackwardReset(step));
            step.through_norm(S::ISA, gates);
        }
    }
}

/// r and z: leaves s = r m hin `extra` and z in `next`; saves r.
struct Gates<'a>(&'a ForwardStep<'a>);

impl Epilogue<2> for Gates<'_> {
    #[inline(always)]
    unsafe fn apply<S: Simd>(&self, s: S, row: usize, panel: usize, acc: [S::V; 2]) {
        let step = self.0;
        let (j, lanes) = lanes::<S>(panel, step.hidden);
        // SAFETY: row and lanes lie within the step's buffers.
        unsafe {
            let x = step.x.add(row * step.x_ld + panel * 3 * S::LANES);
            let [r, z] = [0, 1].map(|g| s.add(acc[g], s.load(x.add(g * S::LANES))));
            let [r, z] = sigmoid(s, [r, z]);
            let at = row * step.unit_ld + j;
            s.store(step.extra.add(at), s.mul(r, s.load(step.seen.add(row * step.seen_ld + j))));
            s.store(step.next.add(at), z);
            if !step.saved.is_null() {
                s.store_n(step.saved.add(row * step.saved_ld + step.hidden + j), r, lanes);
            }
        }
    }
}

struct New<'a>(&'a ForwardStep<'a>);

impl Epilogue<1> for New<'_> {
    #[inline(always)]
    unsafe fn apply<S: Simd>(&self, s: S, row: usize, panel: usize, [acc]: [S::V; 1]) {
        let step = self.0;
        let (j, lanes) = lanes::<S>(panel, step.hidden);
        // SAFETY: row and lanes lie within the step's buffers.
        unsafe {
            if step.skip::<S, 1>(s, row, j, lanes) {
                return;
            }
            let x = step.x.add(row * step.x_ld + (panel * 3 + 2) * S::LANES);
            let [n] = tanh(s, [s.add(acc, s.load(x))]);
            let at = row * step.unit_ld + j;
            let z = s.load(step.next.add(at));
            let h = step.state::<S, 1>(s, row, 0, j);
            let reset = s.load(step.extra.add(at));
            let r = match step.saved.is_null() {
                true => z,
                false => s.load_n(step.saved.add(row * step.saved_ld + step.hidden + j), lanes),
            };
            let h = s.fma(z, s.sub(h, n), n);
            step.finish::<S, 1, 4>(s, row, (j, lanes), h, [n, r, z, reset]);
        }
    }
}

struct BackwardNew<'a>(&'a BackwardStep<'a>);

impl Epilogue<1> for BackwardNew<'_> {
    #[inline(always)]
    unsafe fn apply<S: Simd>(&self, s: S, row: usize, panel: usize, [acc]: [S::V; 1]) {
        let step = self.0;
        let (j, lanes) = lanes::<S>(panel, step.hidden);
        // SAFETY: row and lanes lie within the step's buffers.
        unsafe {
            let Some([dh, kept]) = step.incoming::<S, 1, 4>(s, row, (j, lanes), acc) else {
                return;
            };
            let at = step.saved.add(row * step.saved_ld + j);
            let block = |b: usize| at.add(b * step.hidden);
            let [n, z] = [0, 2].map(|b| s.load_n(block(b), lanes));
            let h = s.load_n(step.before.h(row).add(j), lanes);
            s.store(step.carry::<1>(row, 0, j), s.fma(dh, z, kept));
            let (dn, dz) = blend_gradients(s, dh, n, z, h);
            s.store_n(block(0), dn, lanes);
            s.store_n(block(2), dz, lanes);
        }
    }
}

struct BackwardReset<'a>(&'a BackwardStep<'a>);

impl Epilogue<1> for BackwardReset<'_> {
    #[inline(always)]
    unsafe fn apply<S: Simd>(&self, s: S, row: usize, panel: usize, [ds]: [S::V; 1]) {
        let step = self.0;
        let (j, lanes) = lanes::<S>(panel, step.hidden);
        // SAFETY: row and lanes lie within the step's buffers. A row past its length has r = 0 here, so that
        // nothing changes.
        unsafe {
            let carry = step.carry::<1>(row, 0, j);
            let at = step.saved.add(row * step.saved_ld + step.hidden + j);
            let r = s.load_n(at, lanes);
            let h = step.masked(s, row, j, s.load_n(step.before.h(row).add(j), lanes));
            s.store(carry, s.add(step.masked(s, row, j, s.mul(ds, r)), s.load(carry)));
            let dr = s.mul(s.mul(ds, h), s.mul(r, s.sub(s.splat(1.0), r)));
            s.store_n(at, dr, lanes);
        }
    }
}
