//! Four lanes on aarch64 with NEON, which every such machine with floating point has.

use super::isa::Isa;
use super::vector::Simd;
use core::arch::aarch64::*;

/// Proof that the machine has NEON: the module is compiled only where the target has it.
#[derive(Clone, Copy)]
pub(super) struct Neon;

const LANES: usize = 4;

impl Simd for Neon {
    const ISA: Isa = Isa::Neon;
    type V = float32x4_t;
    const LANES: usize = LANES;
    const REGISTERS: usize = 32;
    const BLOCK: usize = LANES;

    // SAFETY (all below): the target has the instruction set; memory is the caller's contract.
    #[inline(always)]
    fn splat(self, x: f32) -> float32x4_t {
        // SAFETY: as above.
        unsafe { vdupq_n_f32(x) }
    }
    #[inline(always)]
    fn add(self, a: float32x4_t, b: float32x4_t) -> float32x4_t {
        // SAFETY: as above.
        unsafe { vaddq_f32(a, b) }
    }
    #[inline(always)]
    fn sub(self, a: float32x4_t, b: float32x4_t) -> float32x4_t {
        // SAFETY: as above.
        unsafe { vsubq_f32(a, b) }
    }
    #[inline(always)]
    fn mul(self, a: float32x4_t, b: float32x4_t) -> float32x4_t {
        // SAFETY: as above.
        unsafe { vmulq_f32(a, b) }
    }
    #[inline(always)]
    fn div(self, a: float32x4_t, b: float32x4_t) -> float32x4_t {
        // SAFETY: as above.
        unsafe { vdivq_f32(a, b) }
    }
    #[inline(always)]
    fn min(self, a: float32x4_t, b: float32x4_t) -> float32x4_t {
        // SAFETY: as above.
        unsafe { vbslq_f32(vcltq_f32(a, b), a, b) }
    }
    #[inline(always)]
    fn max(self, a: float32x4_t, b: float32x4_t) -> float32x4_t {
        // SAFETY: as above.
        unsafe { vbslq_f32(vcgtq_f32(a, b), a, b) }
    }
    #[inline(always)]
    fn fma(self, a: float32x4_t, b: float32x4_t, c: float32x4_t) -> float32x4_t {
        // SAFETY: as above.
        unsafe { vfmaq_f32(c, a, b) }
    }
    #[inline(always)]
    fn sqrt(self, a: float32x4_t) -> float32x4_t {
        // SAFETY: as above.
        unsafe { vsqrtq_f32(a) }
    }
    #[inline(always)]
    fn sum(self, a: float32x4_t) -> f32 {
        // SAFETY: as above.
        unsafe {
            let a = vadd_f32(vget_low_f32(a), vget_high_f32(a));
            vget_lane_f32::<0>(a) + vget_lane_f32::<1>(a)
        }
    }
    #[inline(always)]
    fn where_less(
        self,
        a: float32x4_t,
        b: float32x4_t,
        yes: float32x4_t,
        no: float32x4_t,
    ) -> float32x4_t {
        // SAFETY: as above.
        unsafe { vbslq_f32(vcltq_f32(a, b), yes, no) }
    }
    #[inline(always)]
    fn uniform(self, key: u64, first: u32) -> float32x4_t {
        const PLACES: [u32; LANES] = [0, 1, 2, 3];
        // SAFETY: as above; the array holds a vector.
        unsafe {
            let start = vdupq_n_u32(first.wrapping_add(key as u32));
            let v = vaddq_u32(start, vld1q_u32(PLACES.as_ptr()));
            let v = veorq_u32(v, vshrq_n_u32::<16>(v));
            let v = vmulq_n_u32(v, 0x7feb_352d);
            let v = veorq_u32(v, vdupq_n_u32((key >> 32) as u32));
            let v = veorq_u32(v, vshrq_n_u32::<15>(v));
            let v = vmulq_n_u32(v, 0x846c_a68b);
            let v = vshrq_n_u32::<8>(veorq_u32(v, vshrq_n_u32::<16>(v)));
            vmulq_n_f32(vcvtq_f32_u32(v), 1.0 / (1 << 24) as f32)
        }
    }
    #[inline(always)]
    fn scale_by_power(self, p: float32x4_t, biased: float32x4_t) -> float32x4_t {
        // SAFETY: as above.
        unsafe {
            let n = vshlq_n_u32::<23>(vreinterpretq_u32_f32(biased));
            vreinterpretq_f32_u32(vaddq_u32(vreinterpretq_u32_f32(p), n))
        }
    }
    #[inline(always)]
    unsafe fn load(self, from: *const f32) -> float32x4_t {
        // SAFETY: as above.
        unsafe { vld1q_f32(from) }
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut f32, v: float32x4_t) {
        // SAFETY: as above.
        unsafe { vst1q_f32(to, v) }
    }
    #[inline(always)]
    unsafe fn load_part(self, from: *const f32, n: usize) -> float32x4_t {
        // SAFETY: as above; the array holds a vector.
        unsafe { vld1q_f32(super::vector::first_of(from, n).as_ptr()) }
    }
    #[inline(always)]
    unsafe fn store_part(self, to: *mut f32, v: float32x4_t, n: usize) {
        let mut lanes = [0.0; LANES];
        // SAFETY: as above; the array holds a vector.
        unsafe {
            vst1q_f32(lanes.as_mut_ptr(), v);
            super::vector::store_first(to, lanes, n);
        }
    }
    #[inline(always)]
    unsafe fn transpose(self, from: *const f32, ld: usize, to: *mut f32, to_ld: usize) {
        // SAFETY: as above.
        unsafe {
            let [a, b, c, d] = [0, 1, 2, 3].map(|i| vld1q_f32(from.add(i * ld)));
            // Columns 0 and 2, 1 and 3 of two rows; then their halves side by side.
            let (ab, cd) = (vtrnq_f32(a, b), vtrnq_f32(c, d));
            vst1q_f32(to, vcombine_f32(vget_low_f32(ab.0), vget_low_f32(cd.0)));
            vst1q_f32(to.add(to_ld), vcombine_f32(vget_low_f32(ab.1), vget_low_f32(cd.1)));
            vst1q_f32(to.add(2 * to_ld), vcombine_f32(vget_high_f32(ab.0), vget_high_f32(cd.0)));
            vst1q_f32(to.add(3 * to_ld), vcombine_f32(vget_high_f32(ab.1), vget_high_f32(cd.1)));
        }
    }
}
