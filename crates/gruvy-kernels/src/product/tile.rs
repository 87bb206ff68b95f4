//! The register tile: the innermost loop of every product.

use crate::simd::{Operand, Simd};

/// `acc[m][p][g] = Σ_k left[m][k] · right[p][k][g]`, for `M` rows and `P` panels of `G` gates.
///
/// # Safety
/// - `left`: readable for `M` rows of `k` steps
/// - `right`: `[P]` panels of `[k][G][LANES]` readable, `stride` values apart
#[inline(always)]
pub(super) unsafe fn tile<S: Simd, const G: usize, const P: usize, const M: usize>(
    s: S,
    k: usize,
    left: Operand,
    right: *const f32,
    stride: usize,
) -> [[[S::V; G]; P]; M] {
    let step = if G > 1 && P == 1 { S::LANES } else { stride };
    let right = Operand { ptr: right, step, next: G * S::LANES };
    // SAFETY: the caller's contract; with one panel or one gate the vectors are evenly spaced.
    unsafe {
        if const { S::HAS_TILES && M == 4 && G * P == 3 && (G == 1 || P == 1) } {
            let acc = s.tile_4x3(k, left, right);
            return core::array::from_fn(|m| {
                core::array::from_fn(|p| core::array::from_fn(|g| acc[m % 4][(p * G + g) % 3]))
            });
        }
        if const { S::HAS_TILES && M == 3 && G * P == 4 && (G == 1 || P == 1) } {
            let acc = s.tile_3x4(k, left, right);
            return core::array::from_fn(|m| {
                core::array::from_fn(|p| core::array::from_fn(|g| acc[m % 3][(p * G + g) % 4]))
            });
        }
    }
    let mut acc = [[[s.splat(0.0); G]; P]; M];
    let (mut a, mut b) = (left, right);
    for _ in 0..k {
        // SAFETY: the caller's contract, `k` times; one past the end is never read.
        unsafe {
            let mut right = [[s.splat(0.0); G]; P];
            for (p, right) in right.iter_mut().enumerate() {
                for (g, right) in right.iter_mut().enumerate() {
                    *right = s.load(b.ptr.add(p * stride + g * S::LANES));
                }
            }
            for (m, acc) in acc.iter_mut().enumerate() {
                let left = s.splat(*a.ptr.add(m * a.step));
                for (acc, right) in acc.iter_mut().zip(&right) {
                    for (acc, right) in acc.iter_mut().zip(right) {
                        *acc = s.fma(left, *right, *acc);
                    }
                }
            }
            a.ptr = a.ptr.add(a.next);
            b.ptr = b.ptr.add(b.next);
        }
    }
    acc
}
