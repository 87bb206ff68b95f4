//! Sixteen lanes on x86-64 with AVX-512F.

use super::isa::Isa;
use super::vector::{Kernel, Simd};
use core::arch::x86_64::*;

/// Proof that the machine has AVX-512F: made by [`run`] only.
#[derive(Clone, Copy)]
pub(super) struct Avx512(());

/// # Safety
/// The machine has AVX-512F.
#[inline(never)]
#[target_feature(enable = "avx512f")]
pub(super) unsafe fn run<K: Kernel>(kernel: K) -> K::Output {
    kernel.run(Avx512(()))
}

#[inline(always)]
fn mask(n: usize) -> __mmask16 {
    debug_assert!(n <= 16);
    ((1u32 << n) - 1) as __mmask16
}

impl Simd for Avx512 {
    const ISA: Isa = Isa::Avx512;
    type V = __m512;
    const LANES: usize = 16;
    const REGISTERS: usize = 32;
    const BLOCK: usize = 8;

    // SAFETY (all below): `self` proves the instruction set; memory is the caller's contract.
    #[inline(always)]
    fn call<K: Kernel>(self, kernel: K) -> K::Output {
        // SAFETY: as above.
        unsafe { run(kernel) }
    }
    #[inline(always)]
    fn splat(self, x: f32) -> __m512 {
        // SAFETY: as above.
        unsafe { _mm512_set1_ps(x) }
    }
    #[inline(always)]
    fn add(self, a: __m512, b: __m512) -> __m512 {
        // SAFETY: as above.
        unsafe { _mm512_add_ps(a, b) }
    }
    #[inline(always)]
    fn sub(self, a: __m512, b: __m512) -> __m512 {
        // SAFETY: as above.
        unsafe { _mm512_sub_ps(a, b) }
    }
    #[inline(always)]
    fn mul(self, a: __m512, b: __m512) -> __m512 {
        // SAFETY: as above.
        unsafe { _mm512_mul_ps(a, b) }
    }
    #[inline(always)]
    fn div(self, a: __m512, b: __m512) -> __m512 {
        // SAFETY: as above.
        unsafe { _mm512_div_ps(a, b) }
    }
    #[inline(always)]
    fn min(self, a: __m512, b: __m512) -> __m512 {
        // SAFETY: as above.
        unsafe { _mm512_min_ps(a, b) }
    }
    #[inline(always)]
    fn max(self, a: __m512, b: __m512) -> __m512 {
        // SAFETY: as above.
        unsafe { _mm512_max_ps(a, b) }
    }
    #[inline(always)]
    fn fma(self, a: __m512, b: __m512, c: __m512) -> __m512 {
        // SAFETY: as above.
        unsafe { _mm512_fmadd_ps(a, b, c) }
    }
    #[inline(always)]
    fn sqrt(self, a: __m512) -> __m512 {
        // SAFETY: as above.
        unsafe { _mm512_sqrt_ps(a) }
    }
    #[inline(always)]
    fn sum(self, a: __m512) -> f32 {
        // SAFETY: as above.
        unsafe {
            let upper = _mm512_shuffle_f32x4::<0b_00_00_11_10>(a, a);
            super::avx2::sum(_mm512_castps512_ps256(_mm512_add_ps(a, upper)))
        }
    }
    #[inline(always)]
    fn where_less(self, a: __m512, b: __m512, yes: __m512, no: __m512) -> __m512 {
        // SAFETY: as above.
        unsafe { _mm512_mask_blend_ps(_mm512_cmp_ps_mask::<_CMP_LT_OQ>(a, b), no, yes) }
    }
    #[inline(always)]
    fn uniform(self, key: u64, first: u32) -> __m512 {
        let start = first.wrapping_add(key as u32) as i32;
        // SAFETY: as above.
        unsafe {
            let v = _mm512_add_epi32(
                _mm512_set1_epi32(start),
                _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15),
            );
            let v = _mm512_xor_si512(v, _mm512_srli_epi32::<16>(v));
            let v = _mm512_mullo_epi32(v, _mm512_set1_epi32(0x7feb_352d));
            let v = _mm512_xor_si512(v, _mm512_set1_epi32((key >> 32) as i32));
            let v = _mm512_xor_si512(v, _mm512_srli_epi32::<15>(v));
            let v = _mm512_mullo_epi32(v, _mm512_set1_epi32(0x846c_a68bu32 as i32));
            let v = _mm512_srli_epi32::<8>(_mm512_xor_si512(v, _mm512_srli_epi32::<16>(v)));
            _mm512_mul_ps(_mm512_cvtepi32_ps(v), _mm512_set1_ps(1.0 / (1 << 24) as f32))
        }
    }
    #[inline(always)]
    fn scale_by_power(self, p: __m512, biased: __m512) -> __m512 {
        // SAFETY: as above.
        unsafe {
            let n = _mm512_slli_epi32::<23>(_mm512_castps_si512(biased));
            _mm512_castsi512_ps(_mm512_add_epi32(_mm512_castps_si512(p), n))
        }
    }
    #[inline(always)]
    fn prefetch<const W: bool>(self, at: *const f32) {
        // SAFETY: no address can fault.
        unsafe {
            if W {
                _mm_prefetch::<_MM_HINT_ET0>(at.cast());
            } else {
                _mm_prefetch::<_MM_HINT_T0>(at.cast());
            }
        }
    }
    #[inline(always)]
    unsafe fn load(self, from: *const f32) -> __m512 {
        // SAFETY: as above.
        unsafe { _mm512_loadu_ps(from) }
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut f32, v: __m512) {
        // SAFETY: as above.
        unsafe { _mm512_storeu_ps(to, v) }
    }
    #[inline(always)]
    unsafe fn load_part(self, from: *const f32, n: usize) -> __m512 {
        // SAFETY: `from`: `[n]` readable; masked lanes are not read.
        unsafe { _mm512_maskz_loadu_ps(mask(n), from) }
    }
    #[inline(always)]
    unsafe fn store_part(self, to: *mut f32, v: __m512, n: usize) {
        // SAFETY: `to`: `[n]` writable; masked lanes are not written.
        unsafe { _mm512_mask_storeu_ps(to, mask(n), v) }
    }
    #[inline(always)]
    unsafe fn transpose(self, from: *const f32, ld: usize, to: *mut f32, to_ld: usize) {
        // SAFETY: as above.
        unsafe { super::avx2::transpose_8x8(from, ld, to, to_ld) }
    }
}
