//! GRU with the reset gate after the product (PyTorch, cuDNN; Cho et al., 1406.1078v1).
//!
//! ```text
//! r = σ(x_r + W_hr h)    z = σ(x_z + W_hz h)    q = W_hn h + b_hn    n = tanh(x_n + r q)
//! h' = m + z (h − m),  m = d n
//!
//! dn = dh d (1 − z)(1 − n²)    dz = dh (h − m) z (1 − z)    dq = dn r    dr = dn q r (1 − r)
//! dh_prev = dh z + W_hrᵀ dr + W_hzᵀ dz + W_hnᵀ dq
//! ```
//! where x_· holds the input's part with all biases but b_hn, d is the candidate's dropout (else 1),
//! and d_· is the gradient of the gate's argument. Blocks: n, r, z, q. So dx needs blocks 0 to 2 and
//! dh blocks 1 to 3, both consecutive.

use crate::cell::Recurrence;
use crate::dims::Cell;
use crate::math::{sigmoid, tanh};
use crate::product::Epilogue;
use crate::saved::{HiddenRun, Run};
use crate::simd::Simd;
use crate::step::{BackwardStep, ForwardStep, Place};

pub(crate) struct Gru;

impl Recurrence for Gru {
    const CELL: Cell = Cell::Gru;
    const PRODUCTS: &'static [usize] = &[3];
    const INPUT: &'static [Run] =
        &[Run { gate: 0, gates: 2, block: 1 }, Run { gate: 2, gates: 1, block: 0 }];
    const HIDDEN: &'static [HiddenRun] =
        &[HiddenRun { run: Run { gate: 0, gates: 3, block: 1 }, operand: None }];
    const BACK: &'static [Run] = &[Run { block: 1, gate: 0, gates: 3 }];
    const ORDER: &'static [usize] = &[2, 0, 1];

    fn folds_bias(gate: usize) -> bool {
        gate != 2
    }

    #[inline(always)]
    unsafe fn forward<S: Simd>(s: S, step: &ForwardStep<'_>) {
        // SAFETY: the caller's contract, and the epilogue is that of this step.
        unsafe { step.first_product(s, &Forward(step)) }
    }

    #[inline(always)]
    unsafe fn backward<S: Simd>(s: S, step: &BackwardStep<'_>) {
        // SAFETY: the caller's contract, and the epilogue is that of this step.
        unsafe {
            step.product_after(s, Self::BACK.first(), &Backward(step));
            step.through_norm(S::ISA, Self::BACK[0]);
        }
    }
}

struct Forward<'a>(&'a ForwardStep<'a>);

impl Epilogue<3> for Forward<'_> {
    #[inline(always)]
    fn prefetch<S: Simd>(&self, s: S, row: usize, panel: usize) {
        self.0.prefetch::<S, 3, 4>(s, row, panel)
    }

    #[inline(always)]
    unsafe fn apply_rows<S: Simd, const R: usize>(
        &self,
        s: S,
        row: usize,
        panel: usize,
        acc: [[S::V; 3]; R],
    ) {
        let step = self.0;
        let at = Place::new::<S>(row, panel, step.hidden);
        // SAFETY: places of the step; `Recurrence::forward` lists what its pointers cover.
        unsafe {
            let r = sigmoid(s, step.sums(s, row, panel, 0, &acc));
            let z = sigmoid(s, step.sums(s, row, panel, 1, &acc));
            let bias = s.load(step.bias.add(at.j));
            let (mut q, mut n) = (r, r);
            for m in 0..R {
                q[m] = s.add(acc[m][2], bias);
                n[m] = s.fma(r[m], q[m], step.input::<S, 3>(s, row + m, panel, 2));
            }
            let n = tanh(s, n);
            for m in 0..R {
                let at = at.below(m);
                if step.skip::<S, 1>(s, at) {
                    continue;
                }
                let h = step.state::<S, 1>(s, at, 0);
                let new = step.dropped(s, at, n[m]);
                let h = s.fma(z[m], s.sub(h, new), new);
                step.finish::<S, 1, 4>(s, at, h, [n[m], r[m], z[m], q[m]]);
            }
        }
    }
}

struct Backward<'a>(&'a BackwardStep<'a>);

impl Epilogue<1> for Backward<'_> {
    #[inline(always)]
    fn prefetch<S: Simd>(&self, s: S, row: usize, panel: usize) {
        self.0.prefetch::<S, 4>(s, row, panel)
    }

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
            let [n, r, z, q] = [0, 1, 2, 3].map(|b| s.load_n(block(b), at.n));
            let h = s.load_n(step.before.h(row).add(at.j), at.n);
            s.store(step.carry::<1>(at, 0), s.fma(dh, z, kept));
            let (dn, dz) = blend_gradients(s, step, at, [dh, n, z, h]);
            let dq = s.mul(dn, r);
            let dr = s.mul(s.mul(dq, q), s.sub(s.splat(1.0), r));
            for (b, d) in [dn, dr, dz, dq].into_iter().enumerate() {
                s.store_n(block(b), d, at.n);
            }
        }
    }
}

/// Gradients of the arguments of n and z in `h' = m + z (h − m)`, m = d n: n with its dropout.
///
/// # Safety
/// As [`dropped`](BackwardStep::dropped).
#[inline(always)]
pub(crate) unsafe fn blend_gradients<S: Simd>(
    s: S,
    step: &BackwardStep<'_>,
    at: Place,
    [dh, n, z, h]: [S::V; 4],
) -> (S::V, S::V) {
    let one = s.splat(1.0);
    let keep = s.sub(one, z);
    // SAFETY: the caller's contract.
    let [new, dnew] = unsafe { step.dropped(s, at, [n, dh]) };
    let dn = s.mul(s.mul(dnew, keep), s.sub(one, s.mul(n, n)));
    let dz = s.mul(s.mul(dh, s.sub(h, new)), s.mul(z, keep));
    (dn, dz)
}
