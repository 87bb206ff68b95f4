//! Losses of rows of logits, and their gradients.

use crate::math::exp;
use crate::simd::{Kernel, Simd};

/// Losses of rows of logits, and dz in their place.
pub(super) struct Softmax<'a> {
    /// `[targets]` rows of whole vectors, `ld` apart: −∞ past the last class.
    pub logits: *mut f32,
    pub ld: usize,
    pub classes: usize,
    pub targets: &'a [u32],
    /// `[targets]`
    pub losses: *mut f32,
    pub smoothing: f32,
    /// `1 / N`; none: no gradients.
    pub scale: Option<f32>,
}

impl Kernel for Softmax<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        for (row, target) in self.targets.iter().enumerate() {
            // SAFETY: `Job::rows` alone makes this kernel.
            // - `logits` and `losses` have a place for each target, of this thread alone
            // - targets are below V
            unsafe {
                let z = self.logits.add(row * self.ld);
                *self.losses.add(row) = self.row(s, z, *target as usize);
            }
        }
    }
}

impl Softmax<'_> {
    /// The loss of a row.
    ///
    /// # Safety
    /// - `z`: `[ld]` readable and writable, by this thread alone
    /// - `target`: below `classes`
    #[inline(always)]
    unsafe fn row<S: Simd>(&self, s: S, z: *mut f32, target: usize) -> f32 {
        /// Terms below e^-64 of the largest one change no sum, and what they would leave in dz
        /// might be subnormal.
        const LEAST: f32 = -64.0;
        let vectors = (0..self.classes).step_by(S::LANES);
        // SAFETY: whole vectors of the row; parts of the last one for what must not see the
        // padding.
        unsafe {
            let mut lanes = s.splat(f32::NEG_INFINITY);
            for v in vectors.clone() {
                lanes = s.max(lanes, s.load(z.add(v)));
            }
            let mut highest = [f32::NEG_INFINITY; 16];
            s.store(highest.as_mut_ptr(), lanes);
            let max = highest.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let at_target = f64::from(*z.add(target));
            let spread = if self.smoothing > 0.0 { f64::from(self.mean(s, z)) } else { 0.0 };

            let mut sum = s.splat(0.0);
            for v in vectors.clone() {
                let d = s.sub(s.load(z.add(v)), s.splat(max));
                let [e] = exp(s, [d]);
                let e = s.where_less(d, s.splat(LEAST), s.splat(0.0), e);
                sum = s.add(sum, e);
                s.store(z.add(v), e);
            }
            let sum = s.sum(sum);
            let share = f64::from(self.smoothing);
            let loss = f64::from(max) + libm::log(f64::from(sum)) - (1.0 - share) * at_target;
            if let Some(scale) = self.scale {
                let (factor, all) = (s.splat(scale / sum), self.smoothing / self.classes as f32);
                for v in vectors {
                    let e = s.load(z.add(v));
                    s.store(z.add(v), s.fma(e, factor, s.splat(-all * scale)));
                }
                *z.add(target) -= (1.0 - self.smoothing) * scale;
            }
            (loss - share * spread) as f32
        }
    }

    /// Mean of a row's logits.
    ///
    /// # Safety
    /// - `z`: `[classes]` readable
    #[inline(always)]
    unsafe fn mean<S: Simd>(&self, s: S, z: *const f32) -> f32 {
        let mut sum = s.splat(0.0);
        for v in (0..self.classes).step_by(S::LANES) {
            // SAFETY: the classes of the row.
            sum = s.add(sum, unsafe { s.load_n(z.add(v), S::LANES.min(self.classes - v)) });
        }
        s.sum(sum) / self.classes as f32
    }
}
