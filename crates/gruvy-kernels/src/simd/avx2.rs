//! Eight lanes on x86-64 with AVX2 and FMA.

use super::isa::Isa;
use super::vector::{Kernel, Operand, Simd};
use core::arch::x86_64::*;

/// Proof that the machine has AVX2 and FMA: made by [`run`] only.
#[derive(Clone, Copy)]
pub(super) struct Avx2(());

/// # Safety
/// The machine has AVX2 and FMA.
#[inline(never)]
#[target_feature(enable = "avx2,fma")]
pub(super) unsafe fn run<K: Kernel>(kernel: K) -> K::Output {
    kernel.run(Avx2(()))
}

#[inline(always)]
fn mask(n: usize) -> __m256i {
    const ONES: [i32; 16] = [-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0];
    debug_assert!(n <= 8);
    // SAFETY: 8 values from `8 - n` on lie within the 16; an `Avx2` exists.
    unsafe { _mm256_loadu_si256(ONES.as_ptr().add(8 - n).cast()) }
}

/// [`Simd::tile_4x3`], written by hand: the compiler's own register allocation keeps one of the
/// sums in memory, and its loop takes twice the time.
///
/// # Safety
/// - the machine has AVX2 and FMA
/// - `left`: readable for 4 rows and `k` steps
/// - `right`: readable for 3 vectors and `k` steps
#[inline]
#[target_feature(enable = "avx2,fma")]
unsafe fn tile_4x3(k: usize, left: Operand, right: Operand) -> [[__m256; 3]; 4] {
    let mut acc = [[_mm256_setzero_ps(); 3]; 4];
    let (row, step) = (4 * left.step, 4 * right.step);
    // SAFETY: the caller's contract.
    unsafe {
        core::arch::asm!(
            "test {k}, {k}",
            "je 3f",
            "2:",
            "vmovups {r0}, [{b}]",
            "vmovups {r1}, [{b} + {step}]",
            "vmovups {r2}, [{b} + 2*{step}]",
            "vbroadcastss {l}, [{a}]",
            "vfmadd231ps {x00}, {l}, {r0}",
            "vfmadd231ps {x01}, {l}, {r1}",
            "vfmadd231ps {x02}, {l}, {r2}",
            "vbroadcastss {l}, [{a} + {row}]",
            "vfmadd231ps {x10}, {l}, {r0}",
            "vfmadd231ps {x11}, {l}, {r1}",
            "vfmadd231ps {x12}, {l}, {r2}",
            "vbroadcastss {l}, [{a} + 2*{row}]",
            "vfmadd231ps {x20}, {l}, {r0}",
            "vfmadd231ps {x21}, {l}, {r1}",
            "vfmadd231ps {x22}, {l}, {r2}",
            "vbroadcastss {l}, [{a} + {row3}]",
            "vfmadd231ps {x30}, {l}, {r0}",
            "vfmadd231ps {x31}, {l}, {r1}",
            "vfmadd231ps {x32}, {l}, {r2}",
            "add {a}, {left}",
            "add {b}, {right}",
            "dec {k}",
            "jne 2b",
            "3:",
            k = inout(reg) k => _,
            a = inout(reg) left.ptr => _,
            b = inout(reg) right.ptr => _,
            row = in(reg) row,
            row3 = in(reg) 3 * row,
            step = in(reg) step,
            left = in(reg) 4 * left.next,
            right = in(reg) 4 * right.next,
            r0 = out(ymm_reg) _,
            r1 = out(ymm_reg) _,
            r2 = out(ymm_reg) _,
            l = out(ymm_reg) _,
            x00 = inout(ymm_reg) acc[0][0],
            x01 = inout(ymm_reg) acc[0][1],
            x02 = inout(ymm_reg) acc[0][2],
            x10 = inout(ymm_reg) acc[1][0],
            x11 = inout(ymm_reg) acc[1][1],
            x12 = inout(ymm_reg) acc[1][2],
            x20 = inout(ymm_reg) acc[2][0],
            x21 = inout(ymm_reg) acc[2][1],
            x22 = inout(ymm_reg) acc[2][2],
            x30 = inout(ymm_reg) acc[3][0],
            x31 = inout(ymm_reg) acc[3][1],
            x32 = inout(ymm_reg) acc[3][2],
            options(pure, readonly, nostack),
        );
    }
    acc
}

/// [`Simd::tile_3x4`], written by hand: the compiler's own register allocation keeps one of the
/// sums in memory, and its loop takes twice the time.
///
/// # Safety
/// - the machine has AVX2 and FMA
/// - `left`: readable for 3 rows and `k` steps
/// - `right`: readable for 4 vectors and `k` steps
#[inline]
#[target_feature(enable = "avx2,fma")]
unsafe fn tile_3x4(k: usize, left: Operand, right: Operand) -> [[__m256; 4]; 3] {
    let mut acc = [[_mm256_setzero_ps(); 4]; 3];
    let (row, step) = (4 * left.step, 4 * right.step);
    // SAFETY: the caller's contract.
    unsafe {
        core::arch::asm!(
            "test {k}, {k}",
            "je 3f",
            "2:",
            "vbroadcastss {r0}, [{a}]",
            "vbroadcastss {r1}, [{a} + {row}]",
            "vbroadcastss {r2}, [{a} + 2*{row}]",
            "vmovups {l}, [{b}]",
            "vfmadd231ps {x00}, {l}, {r0}",
            "vfmadd231ps {x10}, {l}, {r1}",
            "vfmadd231ps {x20}, {l}, {r2}",
            "vmovups {l}, [{b} + {step}]",
            "vfmadd231ps {x01}, {l}, {r0}",
            "vfmadd231ps {x11}, {l}, {r1}",
            "vfmadd231ps {x21}, {l}, {r2}",
            "vmovups {l}, [{b} + 2*{step}]",
            "vfmadd231ps {x02}, {l}, {r0}",
            "vfmadd231ps {x12}, {l}, {r1}",
            "vfmadd231ps {x22}, {l}, {r2}",
            "vmovups {l}, [{b} + {step3}]",
            "vfmadd231ps {x03}, {l}, {r0}",
            "vfmadd231ps {x13}, {l}, {r1}",
            "vfmadd231ps {x23}, {l}, {r2}",
            "add {a}, {left}",
            "add {b}, {right}",
            "dec {k}",
            "jne 2b",
            "3:",
            k = inout(reg) k => _,
            a = inout(reg) left.ptr => _,
            b = inout(reg) right.ptr => _,
            row = in(reg) row,
            step = in(reg) step,
            step3 = in(reg) 3 * step,
            left = in(reg) 4 * left.next,
            right = in(reg) 4 * right.next,
            r0 = out(ymm_reg) _,
            r1 = out(ymm_reg) _,
            r2 = out(ymm_reg) _,
            l = out(ymm_reg) _,
            x00 = inout(ymm_reg) acc[0][0],
            x01 = inout(ymm_reg) acc[0][1],
            x02 = inout(ymm_reg) acc[0][2],
            x03 = inout(ymm_reg) acc[0][3],
            x10 = inout(ymm_reg) acc[1][0],
            x11 = inout(ymm_reg) acc[1][1],
            x12 = inout(ymm_reg) acc[1][2],
            x13 = inout(ymm_reg) acc[1][3],
            x20 = inout(ymm_reg) acc[2][0],
            x21 = inout(ymm_reg) acc[2][1],
            x22 = inout(ymm_reg) acc[2][2],
            x23 = inout(ymm_reg) acc[2][3],
            options(pure, readonly, nostack),
        );
    }
    acc
}

/// [`Simd::sum`]
///
/// # Safety
/// The machine has AVX2.
#[inline(always)]
pub(super) unsafe fn sum(a: __m256) -> f32 {
    // SAFETY: the caller's contract.
    unsafe {
        let a = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps::<1>(a));
        let a = _mm_add_ps(a, _mm_movehl_ps(a, a));
        _mm_cvtss_f32(_mm_add_ss(a, _mm_movehdup_ps(a)))
    }
}

/// [`Simd::transpose`] of an 8 by 8 block in registers: pairs, then quadruples, then halves.
///
/// # Safety
/// - the machine has AVX2
/// - `from`: `[8]` rows of `[8]` readable, `ld` apart
/// - `to`: `[8]` rows of `[8]` writable, `to_ld` apart
#[inline(always)]
pub(super) unsafe fn transpose_8x8(from: *const f32, ld: usize, to: *mut f32, to_ld: usize) {
    // SAFETY: the caller's contract.
    unsafe {
        let r: [__m256; 8] = core::array::from_fn(|i| _mm256_loadu_ps(from.add(i * ld)));
        for half in 0..2 {
            // Columns 0, 1, 4, 5 of the rows, or columns 2, 3, 6, 7.
            let pair = |i: usize| match half {
                0 => _mm256_unpacklo_ps(r[i], r[i + 1]),
                _ => _mm256_unpackhi_ps(r[i], r[i + 1]),
            };
            let [a, b, c, d] = [pair(0), pair(2), pair(4), pair(6)];
            let low = [_mm256_shuffle_ps::<0x44>(a, b), _mm256_shuffle_ps::<0xEE>(a, b)];
            let high = [_mm256_shuffle_ps::<0x44>(c, d), _mm256_shuffle_ps::<0xEE>(c, d)];
            for (i, (low, high)) in low.into_iter().zip(high).enumerate() {
                let column = half * 2 + i;
                let first = _mm256_permute2f128_ps::<0x20>(low, high);
                let second = _mm256_permute2f128_ps::<0x31>(low, high);
                _mm256_storeu_ps(to.add(column * to_ld), first);
                _mm256_storeu_ps(to.add((column + 4) * to_ld), second);
            }
        }
    }
}

impl Simd for Avx2 {
    const ISA: Isa = Isa::Avx2;
    type V = __m256;
    const LANES: usize = 8;
    const REGISTERS: usize = 16;
    const HAS_TILES: bool = true;
    const BLOCK: usize = 8;

    // SAFETY (all below): `self` proves the instruction set; memory is the caller's contract.
    #[inline(always)]
    fn call<K: Kernel>(self, kernel: K) -> K::Output {
        // SAFETY: as above.
        unsafe { run(kernel) }
    }
    #[inline(always)]
    fn splat(self, x: f32) -> __m256 {
        // SAFETY: as above.
        unsafe { _mm256_set1_ps(x) }
    }
    #[inline(always)]
    fn add(self, a: __m256, b: __m256) -> __m256 {
        // SAFETY: as above.
        unsafe { _mm256_add_ps(a, b) }
    }
    #[inline(always)]
    fn sub(self, a: __m256, b: __m256) -> __m256 {
        // SAFETY: as above.
        unsafe { _mm256_sub_ps(a, b) }
    }
    #[inline(always)]
    fn mul(self, a: __m256, b: __m256) -> __m256 {
        // SAFETY: as above.
        unsafe { _mm256_mul_ps(a, b) }
    }
    #[inline(always)]
    fn div(self, a: __m256, b: __m256) -> __m256 {
        // SAFETY: as above.
        unsafe { _mm256_div_ps(a, b) }
    }
    #[inline(always)]
    fn min(self, a: __m256, b: __m256) -> __m256 {
        // SAFETY: as above.
        unsafe { _mm256_min_ps(a, b) }
    }
    #[inline(always)]
    fn max(self, a: __m256, b: __m256) -> __m256 {
        // SAFETY: as above.
        unsafe { _mm256_max_ps(a, b) }
    }
    #[inline(always)]
    fn fma(self, a: __m256, b: __m256, c: __m256) -> __m256 {
        // SAFETY: as above.
        unsafe { _mm256_fmadd_ps(a, b, c) }
    }
    #[inline(always)]
    fn sqrt(self, a: __m256) -> __m256 {
        // SAFETY: as above.
        unsafe { _mm256_sqrt_ps(a) }
    }
    #[inline(always)]
    fn sum(self, a: __m256) -> f32 {
        // SAFETY: as above.
        unsafe { sum(a) }
    }
    #[inline(always)]
    fn where_less(self, a: __m256, b: __m256, yes: __m256, no: __m256) -> __m256 {
        // SAFETY: as above.
        unsafe { _mm256_blendv_ps(no, yes, _mm256_cmp_ps::<_CMP_LT_OQ>(a, b)) }
    }
    #[inline(always)]
    fn uniform(self, key: u64, first: u32) -> __m256 {
        let start = first.wrapping_add(key as u32) as i32;
        // SAFETY: as above.
        unsafe {
            let v = _mm256_add_epi32(
                _mm256_set1_epi32(start),
                _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7),
            );
            let v = _mm256_xor_si256(v, _mm256_srli_epi32::<16>(v));
            let v = _mm256_mullo_epi32(v, _mm256_set1_epi32(0x7feb_352d));
            let v = _mm256_xor_si256(v, _mm256_set1_epi32((key >> 32) as i32));
            let v = _mm256_xor_si256(v, _mm256_srli_epi32::<15>(v));
            let v = _mm256_mullo_epi32(v, _mm256_set1_epi32(0x846c_a68bu32 as i32));
            let v = _mm256_srli_epi32::<8>(_mm256_xor_si256(v, _mm256_srli_epi32::<16>(v)));
            _mm256_mul_ps(_mm256_cvtepi32_ps(v), _mm256_set1_ps(1.0 / (1 << 24) as f32))
        }
    }
    #[inline(always)]
    fn scale_by_power(self, p: __m256, biased: __m256) -> __m256 {
        // SAFETY: as above.
        unsafe {
            let n = _mm256_slli_epi32::<23>(_mm256_castps_si256(biased));
            _mm256_castsi256_ps(_mm256_add_epi32(_mm256_castps_si256(p), n))
        }
    }
    #[inline(always)]
    unsafe fn tile_4x3(self, k: usize, left: Operand, right: Operand) -> [[__m256; 3]; 4] {
        // SAFETY: as above.
        unsafe { tile_4x3(k, left, right) }
    }
    #[inline(always)]
    unsafe fn tile_3x4(self, k: usize, left: Operand, right: Operand) -> [[__m256; 4]; 3] {
        // SAFETY: as above.
        unsafe { tile_3x4(k, left, right) }
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
    unsafe fn load(self, from: *const f32) -> __m256 {
        // SAFETY: as above.
        unsafe { _mm256_loadu_ps(from) }
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut f32, v: __m256) {
        // SAFETY: as above.
        unsafe { _mm256_storeu_ps(to, v) }
    }
    #[inline(always)]
    unsafe fn load_part(self, from: *const f32, n: usize) -> __m256 {
        // SAFETY: `from`: `[n]` readable; masked lanes are not read.
        unsafe { _mm256_maskload_ps(from, mask(n)) }
    }
    #[inline(always)]
    unsafe fn store_part(self, to: *mut f32, v: __m256, n: usize) {
        // SAFETY: `to`: `[n]` writable; masked lanes are not written.
        unsafe { _mm256_maskstore_ps(to, mask(n), v) }
    }
    #[inline(always)]
    unsafe fn transpose(self, from: *const f32, ld: usize, to: *mut f32, to_ld: usize) {
        // SAFETY: as above.
        unsafe { transpose_8x8(from, ld, to, to_ld) }
    }
}
