//! `exp`, `sigmoid` and `tanh` over the SIMD trait.
//!
//! | function | largest error against `f64` |
//! | --- | --- |
//! | [`exp`] on [-86, 88] | 1.3 ulp |
//! | [`sigmoid`] on [-86, 88] | 2.5 ulp; outside, 1e-37 absolute |
//! | [`tanh`] everywhere | 2.5 ulp |
//! | [`ln_1_to_3`] on [1, 3] | 1.5e-7 absolute |
//!
//! The first three split `x = n ln 2 + r`, |r| <= ln 2 / 2, and evaluate `e^r - 1` by a
//! polynomial (fitted in the Chebyshev sense to relative error 3.6e-9). The bounds hold with a
//! fused multiply-add; without it (scalar path, WebAssembly) they are 1 ulp wider. Several values
//! at once go through each stage side by side, so that their chains of operations overlap and share
//! the constants.

use crate::simd::Simd;

/// `1.5 * 2^23`: adding it to a small number leaves the nearest integer in the low bits.
const ROUND: f32 = 12_582_912.0;
const LN2_HI: f32 = 0.693_359_4;
const LN2_LO: f32 = -2.121_944_4e-4;

/// P of `e^r - 1 = r + r^2 P(r)`, lowest power first.
const EXPM1: [f32; 5] = [0.49999994, 0.16666521, 0.04166839, 0.008368745, 0.0013814539];

/// `x = n ln 2 + r`: returns `n + ROUND` and `e^r - 1`.
#[inline(always)]
fn split<S: Simd, const N: usize>(s: S, x: [S::V; N]) -> ([S::V; N], [S::V; N]) {
    // This file has plain loops, because a closure that is not inlined would be compiled without
    // the vector instructions.
    let (mut biased, mut r, mut p) = (x, x, x);
    for v in &mut biased {
        *v = s.fma(*v, s.splat(core::f32::consts::LOG2_E), s.splat(ROUND));
    }
    for i in 0..N {
        let n = s.sub(biased[i], s.splat(ROUND));
        r[i] = s.fma(n, s.splat(-LN2_HI), r[i]);
        r[i] = s.fma(n, s.splat(-LN2_LO), r[i]);
    }
    // e^r - 1 = r + r^2 P(r)
    for i in 0..N {
        p[i] = s.fma(s.splat(EXPM1[4]), r[i], s.splat(EXPM1[3]));
    }
    for c in [EXPM1[2], EXPM1[1], EXPM1[0]] {
        for i in 0..N {
            p[i] = s.fma(p[i], r[i], s.splat(c));
        }
    }
    for i in 0..N {
        p[i] = s.fma(s.mul(r[i], r[i]), p[i], r[i]);
    }
    (biased, p)
}

/// `e^x`, with `x` clamped to [-86, 88].
#[inline(always)]
pub(crate) fn exp<S: Simd, const N: usize>(s: S, mut x: [S::V; N]) -> [S::V; N] {
    for v in &mut x {
        // With the operands in this order a NaN stays a NaN.
        *v = s.min(s.splat(88.0), s.max(s.splat(-86.0), *v));
    }
    let (biased, mut em1) = split(s, x);
    for i in 0..N {
        em1[i] = s.scale_by_power(s.add(em1[i], s.splat(1.0)), biased[i]);
    }
    em1
}

/// `1 / (1 + e^-x)`
#[inline(always)]
pub(crate) fn sigmoid<S: Simd, const N: usize>(s: S, mut x: [S::V; N]) -> [S::V; N] {
    for v in &mut x {
        *v = s.sub(s.splat(0.0), *v);
    }
    let mut e = exp(s, x);
    for v in &mut e {
        *v = s.div(s.splat(1.0), s.add(s.splat(1.0), *v));
    }
    e
}

/// `tanh x = m / (m + 2)` with `m = e^2x - 1`, which keeps small results exact.
#[inline(always)]
pub(crate) fn tanh<S: Simd, const N: usize>(s: S, mut x: [S::V; N]) -> [S::V; N] {
    for v in &mut x {
        // Beyond 9.1 the result rounds to one.
        let x = s.min(s.splat(9.1), s.max(s.splat(-9.1), *v));
        *v = s.add(x, x);
    }
    let (biased, mut m) = split(s, x);
    for i in 0..N {
        let power = s.scale_by_power(s.splat(1.0), biased[i]);
        m[i] = s.fma(power, m[i], s.sub(power, s.splat(1.0)));
    }
    for v in &mut m {
        *v = s.div(*v, s.add(*v, s.splat(2.0)));
    }
    m
}

/// `ln x` of `x` in [1, 3]: `ln x = ln √3 + 2 atanh w` with `w = (x − √3) / (x + √3)`, |w| <= 0.268.
#[inline(always)]
pub(crate) fn ln_1_to_3<S: Simd>(s: S, x: S::V) -> S::V {
    const ROOT: f32 = 1.732_050_8;
    const LN_ROOT: f32 = 0.549_306_15;
    let w = s.div(s.sub(x, s.splat(ROOT)), s.add(x, s.splat(ROOT)));
    let square = s.mul(w, w);
    // 2 atanh w = 2 w (1 + w²/3 + w⁴/5 + …)
    let mut p = s.splat(2.0 / 11.0);
    for c in [2.0 / 9.0, 2.0 / 7.0, 2.0 / 5.0, 2.0 / 3.0, 2.0] {
        p = s.fma(p, square, s.splat(c));
    }
    s.fma(p, w, s.splat(LN_ROOT))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::{Isa, Kernel};
    use alloc::vec::Vec;

    #[derive(Clone, Copy, Debug)]
    enum Function {
        Exp,
        Sigmoid,
        Tanh,
    }

    struct Map<'a>(Function, &'a mut [f32]);

    impl Kernel for Map<'_> {
        type Output = ();
        #[inline(always)]
        fn run<S: Simd>(self, s: S) {
            for chunk in self.1.chunks_mut(S::LANES) {
                // SAFETY: the part is within the chunk.
                unsafe {
                    let x = s.load_n(chunk.as_ptr(), chunk.len());
                    let y = match self.0 {
                        Function::Exp => exp(s, [x])[0],
                        Function::Sigmoid => sigmoid(s, [x])[0],
                        Function::Tanh => tanh(s, [x])[0],
                    };
                    s.store_n(chunk.as_mut_ptr(), y, chunk.len());
                }
            }
        }
    }

    /// Largest error over a fine grid of [-limit, limit] and small values, in ulp of the true
    /// result.
    fn largest_error(isa: Isa, f: Function, low: f32, high: f32) -> f64 {
        let truth = |x: f64| match f {
            Function::Exp => libm::exp(x),
            Function::Sigmoid => 1.0 / (1.0 + libm::exp(-x)),
            Function::Tanh => libm::tanh(x),
        };
        let count = 400_003;
        let mut x: Vec<f32> =
            (0..count).map(|i| low + (high - low) * (i as f32 / (count - 1) as f32)).collect();
        x.extend((0..2000).map(|i| (i as f32 - 1000.0) * 1e-5));
        x.extend((0..60).map(|i| libm::ldexpf(1.1, -i)));
        let mut y = x.clone();
        isa.dispatch(Map(f, &mut y));
        let errors = x.iter().zip(&y).map(|(&x, &y)| {
            let expected = truth(f64::from(x));
            let ulp = libm::ldexp(1.0, libm::ilogb(expected).max(-126) - 23);
            (f64::from(y) - expected).abs() / ulp
        });
        errors.fold(0.0, f64::max)
    }

    #[test]
    fn errors_are_as_stated() {
        for isa in Isa::available() {
            let fused = !matches!(isa, Isa::Scalar | Isa::Simd128);
            let slack = if fused { 0.0 } else { 1.0 };
            for (f, low, high, bound) in [
                (Function::Exp, -86.0, 88.0, 1.3),
                (Function::Sigmoid, -86.0, 88.0, 2.5),
                (Function::Tanh, -30.0, 30.0, 2.5),
            ] {
                let error = largest_error(isa, f, low, high);
                assert!(error <= bound + slack, "{isa:?} {f:?}: {error} ulp");
                assert!(error > 0.1, "{isa:?} {f:?}: nothing was measured");
            }
        }
    }

    #[test]
    fn extremes_saturate_and_nan_stays() {
        for isa in Isa::available() {
            let mut v = [f32::NEG_INFINITY, -1e9, -88.0, 88.0, 1e9, f32::INFINITY, 0.0];
            isa.dispatch(Map(Function::Sigmoid, &mut v));
            assert!(v[..3].iter().all(|&v| (0.0..1e-37).contains(&v)), "{isa:?} {v:?}");
            assert_eq!((&v[3..6], v[6]), (&[1.0; 3][..], 0.5), "{isa:?}");
            for f in [Function::Exp, Function::Sigmoid, Function::Tanh] {
                let mut v = [f32::NAN, -f32::NAN];
                isa.dispatch(Map(f, &mut v));
                assert!(v.iter().all(|v| v.is_nan()), "{isa:?} {f:?} {v:?}");
            }
            let mut v = [f32::NEG_INFINITY, -1e9, -20.0, 20.0, 1e9, f32::INFINITY, 0.0];
            isa.dispatch(Map(Function::Tanh, &mut v));
            assert_eq!(v, [-1.0, -1.0, -1.0, 1.0, 1.0, 1.0, 0.0], "{isa:?}");
        }
    }
}
