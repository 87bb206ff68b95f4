//! Four lanes on WebAssembly with the fixed-width vectors of its 2.0 standard (`simd128`).
//!
//! There is no fused multiply-add. A module with vectors runs only where they are supported, so the
//! choice is made at compile time (`-C target-feature=+simd128`).

use super::isa::Isa;
use super::vector::Simd;
use core::arch::wasm32::*;

/// Proof that the machine has the vectors: the module is compiled only where the target has them.
#[derive(Clone, Copy)]
pub(super) struct Simd128;

const LANES: usize = 4;

impl Simd for Simd128 {
    const ISA: Isa = Isa::Simd128;
    type V = v128;
    const LANES: usize = LANES;
    // What the engine has on x86-64; a tile for more would spill there.
    const REGISTERS: usize = 16;
    const BLOCK: usize = LANES;

    #[inline(always)]
    fn splat(self, x: f32) -> v128 {
        f32x4_splat(x)
    }
    #[inline(always)]
    fn add(self, a: v128, b: v128) -> v128 {
        f32x4_add(a, b)
    }
    #[inline(always)]
    fn sub(self, a: v128, b: v128) -> v128 {
        f32x4_sub(a, b)
    }
    #[inline(always)]
    fn mul(self, a: v128, b: v128) -> v128 {
        f32x4_mul(a, b)
    }
    #[inline(always)]
    fn div(self, a: v128, b: v128) -> v128 {
        f32x4_div(a, b)
    }
    // These instructions return their first operand if either is NaN, ours the second.
    #[inline(always)]
    fn min(self, a: v128, b: v128) -> v128 {
        f32x4_pmin(b, a)
    }
    #[inline(always)]
    fn max(self, a: v128, b: v128) -> v128 {
        f32x4_pmax(b, a)
    }
    #[inline(always)]
    fn fma(self, a: v128, b: v128, c: v128) -> v128 {
        f32x4_add(f32x4_mul(a, b), c)
    }
    #[inline(always)]
    fn sqrt(self, a: v128) -> v128 {
        f32x4_sqrt(a)
    }
    #[inline(always)]
    fn sum(self, a: v128) -> f32 {
        let a = f32x4_add(a, i32x4_shuffle::<2, 3, 0, 1>(a, a));
        f32x4_extract_lane::<0>(a) + f32x4_extract_lane::<1>(a)
    }
    #[inline(always)]
    fn where_less(self, a: v128, b: v128, yes: v128, no: v128) -> v128 {
        v128_bitselect(yes, no, f32x4_lt(a, b))
    }
    #[inline(always)]
    fn uniform(self, key: u64, first: u32) -> v128 {
        let start = u32x4_splat(first.wrapping_add(key as u32));
        let v = u32x4_add(start, u32x4(0, 1, 2, 3));
        let v = v128_xor(v, u32x4_shr(v, 16));
        let v = u32x4_mul(v, u32x4_splat(0x7feb_352d));
        let v = v128_xor(v, u32x4_splat((key >> 32) as u32));
        let v = v128_xor(v, u32x4_shr(v, 15));
        let v = u32x4_mul(v, u32x4_splat(0x846c_a68b));
        let v = u32x4_shr(v128_xor(v, u32x4_shr(v, 16)), 8);
        f32x4_mul(f32x4_convert_u32x4(v), f32x4_splat(1.0 / (1 << 24) as f32))
    }
    #[inline(always)]
    fn scale_by_power(self, p: v128, biased: v128) -> v128 {
        u32x4_add(p, u32x4_shl(biased, 23))
    }
    #[inline(always)]
    unsafe fn load(self, from: *const f32) -> v128 {
        // SAFETY: readable for a whole vector, by the caller.
        unsafe { v128_load(from.cast()) }
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut f32, v: v128) {
        // SAFETY: writable for a whole vector, by the caller.
        unsafe { v128_store(to.cast(), v) }
    }
    #[inline(always)]
    unsafe fn load_part(self, from: *const f32, n: usize) -> v128 {
        // SAFETY: readable for `n` values, by the caller.
        let [a, b, c, d] = unsafe { super::vector::first_of(from, n) };
        f32x4(a, b, c, d)
    }
    #[inline(always)]
    unsafe fn store_part(self, to: *mut f32, v: v128, n: usize) {
        let mut lanes = [0.0; LANES];
        // SAFETY: the array holds a vector; writable for `n` values, by the caller.
        unsafe {
            v128_store(lanes.as_mut_ptr().cast(), v);
            super::vector::store_first(to, lanes, n);
        }
    }
    #[inline(always)]
    unsafe fn transpose(self, from: *const f32, ld: usize, to: *mut f32, to_ld: usize) {
        // SAFETY: the caller's contract.
        unsafe {
            let [a, b, c, d] = [0, 1, 2, 3].map(|i| self.load(from.add(i * ld)));
            // Columns 0 and 1, 2 and 3 of two rows; then their halves side by side.
            let low = [i32x4_shuffle::<0, 4, 1, 5>(a, b), i32x4_shuffle::<0, 4, 1, 5>(c, d)];
            let high = [i32x4_shuffle::<2, 6, 3, 7>(a, b), i32x4_shuffle::<2, 6, 3, 7>(c, d)];
            for (i, [ab, cd]) in [low, high].into_iter().enumerate() {
                let to = to.add(2 * i * to_ld);
                self.store(to, i64x2_shuffle::<0, 2>(ab, cd));
                self.store(to.add(to_ld), i64x2_shuffle::<1, 3>(ab, cd));
            }
        }
    }
}
