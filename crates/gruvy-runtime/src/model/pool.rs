//! One vector out of the outputs of a sequence, taken step by step.
//!
//! ```text
//! last        y_T
//! max         max over t of y_t, unit by unit
//! mean        1/T · Σ y_t
//! attention   Σ a_t y_t,   a_t = e_t / Σ e_t,   e_t = exp(w · tanh(y_t) − m),   m = the largest w · tanh(y_t) so far
//! ```
//! What is kept does not grow with the sequence, so that a stream has its answer after every step,
//! and the same one as the whole sequence at once.
use crate::model::spec::Pool;

/// A pool over the steps so far.
#[derive(Clone, Debug)]
pub(crate) struct Pooled {
    pool: Pool,
    /// `[D·H]`: y_T, the maxima, the sums, or the weighted sums.
    values: Vec<f32>,
    /// Steps, or `Σ e_t`.
    weight: f32,
    /// `m`
    largest: f32,
}

impl Pooled {
    /// Nothing yet, for outputs of `width` values.
    pub fn new(pool: Pool, width: usize) -> Self {
        Self { pool, values: vec![0.0; width], weight: 0.0, largest: f32::NEG_INFINITY }
    }

    /// Takes the outputs of a step, `y [D·H]`; `w [D·H]` is the attention's vector.
    pub fn push(&mut self, y: &[f32], w: &[f32]) {
        let first = self.weight == 0.0;
        let pairs = self.values.iter_mut().zip(y);
        match self.pool {
            Pool::Last => pairs.for_each(|(v, y)| *v = *y),
            Pool::Max => pairs.for_each(|(v, y)| *v = if first { *y } else { v.max(*y) }),
            Pool::Mean => pairs.for_each(|(v, y)| *v += *y),
            Pool::Attention => {
                let score: f32 = y.iter().zip(w).map(|(y, w)| w * y.tanh()).sum();
                let largest = self.largest.max(score);
                // Zero at the first step, as nothing is kept from before it.
                let keep = (self.largest - largest).exp();
                let e = (score - largest).exp();
                pairs.for_each(|(v, y)| *v = *v * keep + e * y);
                self.weight = self.weight * keep + e;
                self.largest = largest;
                return;
            }
        }
        self.weight += 1.0;
    }

    /// The pooled vector, into `to [D·H]`; zeros before the first step.
    pub fn read(&self, to: &mut [f32]) {
        to.copy_from_slice(&self.values);
        if matches!(self.pool, Pool::Mean | Pool::Attention) && self.weight > 0.0 {
            to.iter_mut().for_each(|v| *v /= self.weight);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const Y: [[f32; 2]; 3] = [[0.5, -1.0], [-0.25, 0.75], [0.1, 0.2]];
    const W: [f32; 2] = [2.0, -1.0];

    fn pooled(pool: Pool) -> [f32; 2] {
        let mut all = Pooled::new(pool, 2);
        Y.iter().for_each(|y| all.push(y, &W));
        let mut to = [f32::NAN; 2];
        all.read(&mut to);
        to
    }

    #[test]
    fn pools_are_what_their_equations_say() {
        assert_eq!(pooled(Pool::Last), Y[2]);
        assert_eq!(pooled(Pool::Max), [0.5, 0.75]);
        let mean = pooled(Pool::Mean);
        assert!((mean[0] - 0.35 / 3.0).abs() < 1e-6 && (mean[1] + 0.05 / 3.0).abs() < 1e-6);
        let scores = Y.map(|y| 2.0 * f64::from(y[0]).tanh() - f64::from(y[1]).tanh());
        let sum: f64 = scores.iter().map(|s| s.exp()).sum();
        let got = pooled(Pool::Attention);
        for unit in 0..2 {
            let want: f64 =
                Y.iter().zip(scores).map(|(y, s)| s.exp() / sum * f64::from(y[unit])).sum();
            assert!((f64::from(got[unit]) - want).abs() < 1e-6, "{} {want}", got[unit]);
        }
    }

    #[test]
    fn a_maximum_of_negative_values_is_negative() {
        let mut all = Pooled::new(Pool::Max, 1);
        all.push(&[-0.5], &[]);
        all.push(&[-0.75], &[]);
        let mut to = [0.0];
        all.read(&mut to);
        assert_eq!(to, [-0.5]);
    }
}
