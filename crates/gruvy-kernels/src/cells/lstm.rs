//! LSTM with a forget gate, PyTorch's (Hochreiter and Schmidhuber, 1997; Gers et al., 2000).
//!
//! ```text
//! i, f, o = σ(x_· + W_h· h)    g = tanh(x_g + W_hg h)
//! c' = f c + i d g    h' = o tanh c'
//!
//! do = dh tanh(c') o (1 − o)    dc' += dh o (1 − tanh² c')
//! di = dc' d g i (1 − i)    df = dc' c f (1 − f)    dg = dc' i d (1 − g²)    dc = dc' f
//! dh_prev = W_hiᵀ di + W_hfᵀ df + W_hgᵀ dg + W_hoᵀ do
//! ```
//! where x_· holds the input's part with all biases, d is the candidate's dropout (else 1), and d_·
//! is the gradient of the gate's argument. Blocks: i, f, g, o, c; c stays as it is, the state before
//! the next step. The c' of these equations is recomputed, since zoneout may have kept the old one.

use crate::cell::Recurrence;
use crate::dims::Cell;
use crate::math::{sigmoid, tanh};
use crate::product::Epilogue;
use crate::saved::{HiddenRun, Run};
use crate::simd::Simd;
use crate::step::{BackwardStep, ForwardStep, Place};

pub(crate) struct Lstm;

const ALL: Run = Run { gate: 0, gates: 4, block: 0 };
/// The block of c.
const CELL_STATE: usize = 4;

impl Recurrence for Lstm {
    const CELL: Cell = Cell::Lstm;
    const PRODUCTS: &'static [usize] = &[4];
    const INPUT: &'static [Run] = &[ALL];
    const HIDDEN: &'static [HiddenRun] = &[HiddenRun { run: ALL, operand: None }];
    const BACK: &'static [Run] = &[ALL];
    const ORDER: &'static [usize] = &[0, 1, 2, 3];

    fn folds_bias(_: usize) -> bool {
        true
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
            step.product_after(s, Some(&ALL), &Backward(step));
            step.through_norm(S::ISA, ALL);
        }
    }
}

struct Forward<'a>(&'a ForwardStep<'a>);

impl Epilogue<4> for Forward<'_> {
    #[inline(always)]
    fn prefetch<S: Simd>(&self, s: S, row: usize, panel: usize) {
        self.0.prefetch::<S, 4, 5>(s, row, panel)
    }

    #[inline(always)]
    unsafe fn apply_rows<S: Simd, const R: usize>(
        &self,
        s: S,
        row: usize,
        panel: usize,
        acc: [[S::V; 4]; R],
    ) {
        let step = self.0;
        let at = Place::new::<S>(row, panel, step.hidden);
        // SAFETY: places of the step; `Recurrence::forward` lists what its pointers cover.
        unsafe {
            let i = sigmoid(s, step.sums(s, row, panel, 0, &acc));
            let f = sigmoid(s, step.sums(s, row, panel, 1, &acc));
            let g = tanh(s, step.sums(s, row, panel, 2, &acc));
            let o = sigmoid(s, step.sums(s, row, panel, 3, &acc));
            let mut new = g;
            for m in 0..R {
                let at = at.below(m);
                let c = step.state::<S, 2>(s, at, 1);
                new[m] = s.fma(f[m], c, s.mul(i[m], step.dropped(s, at, g[m])));
            }
            let out = tanh(s, new);
            for m in 0..R {
                let at = at.below(m);
                if step.skip::<S, 2>(s, at) {
                    continue;
                }
                let c = step.next::<S, 2>(s, at, 1, new[m]);
                let h = s.mul(o[m], out[m]);
                step.finish::<S, 2, 5>(s, at, h, [i[m], f[m], g[m], o[m], c]);
            }
        }
    }
}

struct Backward<'a>(&'a BackwardStep<'a>);

impl Epilogue<1> for Backward<'_> {
    #[inline(always)]
    fn prefetch<S: Simd>(&self, s: S, row: usize, panel: usize) {
        self.0.prefetch::<S, 5>(s, row, panel)
    }

    #[inline(always)]
    unsafe fn apply<S: Simd>(&self, s: S, row: usize, panel: usize, [acc]: [S::V; 1]) {
        let step = self.0;
        let at = Place::new::<S>(row, panel, step.hidden);
        // SAFETY: a place of the step; `Recurrence::backward` lists what its pointers cover.
        unsafe {
            let Some([dh, dh_kept]) = step.incoming::<S, 2, 4>(s, at, acc) else {
                return;
            };
            s.store(step.carry::<2>(at, 0), dh_kept);
            let carry = step.carry::<2>(at, 1);
            let [dc, dc_kept] = step.divide(s, at, 1, s.load(carry));
            let first = step.saved_at(at);
            let block = |b: usize| first.add(b * step.hidden);
            let [i, f, g, o] = [0, 1, 2, 3].map(|b| s.load_n(block(b), at.n));
            let c = s.load_n(step.before.c(row, CELL_STATE).add(at.j), at.n);
            let [new, dnew] = step.dropped(s, at, [g, i]);
            let [out] = tanh(s, [s.fma(f, c, s.mul(i, new))]);
            let one = s.splat(1.0);
            let slope = |v: S::V| s.mul(v, s.sub(one, v));
            let bend = |v: S::V| s.sub(one, s.mul(v, v));
            let dc = s.fma(s.mul(dh, o), bend(out), dc);
            s.store(carry, s.fma(dc, f, dc_kept));
            s.store_n(block(0), s.mul(s.mul(dc, new), slope(i)), at.n);
            s.store_n(block(1), s.mul(s.mul(dc, c), slope(f)), at.n);
            s.store_n(block(2), s.mul(s.mul(dc, dnew), bend(g)), at.n);
            s.store_n(block(3), s.mul(s.mul(dh, out), slope(o)), at.n);
        }
    }
}
