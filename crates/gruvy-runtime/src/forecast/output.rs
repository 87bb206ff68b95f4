//! What the head's numbers say about the next values: a distribution, in units of the window's
//! scale.
//!
//! ```text
//! quantile            q_1 … q_K, at the codec's levels
//! normal              μ, σ = softplus(b)
//! student-t           μ, σ = softplus(b), ν = 2 + softplus(c) degrees of freedom
//! negative-binomial   mean m = scale · softplus(a), dispersion α = softplus(b) / √scale; variance m + α m²
//! ```
//! The negative binomial is for counts, with its parameters as in DeepAR (1704.04110).
use gruvy_kernels::random::SplitMix64;
use rand_distr::{Distribution, Gamma, Normal, Poisson, StudentT};
use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, DiscreteCDF};
use statrs::function::gamma::ln_gamma;

/// Least σ and α, so that a distribution never closes to a point.
pub const LEAST_SPREAD: f64 = 1e-4;

/// A kind of distribution.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Output {
    /// Its quantiles, and nothing assumed about its form.
    #[default]
    Quantile,
    /// Normal.
    Normal,
    /// Student's t: as the normal one, with heavier tails.
    StudentT,
    /// Negative binomial: whole numbers from 0 on.
    NegativeBinomial,
}

impl Output {
    /// All of them, with the names they are written as.
    pub const ALL: [(&'static str, Self); 4] = [
        ("quantile", Self::Quantile),
        ("normal", Self::Normal),
        ("student-t", Self::StudentT),
        ("negative-binomial", Self::NegativeBinomial),
    ];

    /// The name it is written as.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, other)| *other == self).map_or("", |(name, _)| name)
    }

    /// `P`, numbers that describe a distribution; `levels`: how many quantiles are asked for.
    pub fn parameters(self, levels: usize) -> usize {
        match self {
            Self::Quantile => levels,
            Self::Normal | Self::NegativeBinomial => 2,
            Self::StudentT => 3,
        }
    }

    /// The distribution that `head [P]` describes, of a window with this scale.
    pub(crate) fn distribution(self, head: &[f32], scale: f64) -> Law {
        let at = |i: usize| f64::from(head[i]);
        match self {
            Self::Quantile => {
                let mut values: Vec<f64> = head.iter().map(|v| f64::from(*v)).collect();
                // Learned one by one, neighbours may cross.
                values.sort_by(f64::total_cmp);
                Law::Quantiles(values)
            }
            Self::Normal => Law::Normal(at(0), softplus(at(1)) + LEAST_SPREAD),
            Self::StudentT => {
                Law::StudentT(at(0), softplus(at(1)) + LEAST_SPREAD, 2.0 + softplus(at(2)))
            }
            Self::NegativeBinomial => {
                let mean = scale * (softplus(at(0)) + LEAST_SPREAD);
                let dispersion = (softplus(at(1)) + LEAST_SPREAD) / scale.sqrt();
                Law::NegativeBinomial { mean, dispersion, scale }
            }
        }
    }
}

/// A distribution, in units of its window's scale.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Law {
    /// Rising values at the codec's levels.
    Quantiles(Vec<f64>),
    /// μ, σ
    Normal(f64, f64),
    /// μ, σ, ν
    StudentT(f64, f64, f64),
    /// Of the counts themselves; what is given out is over `scale`.
    NegativeBinomial { mean: f64, dispersion: f64, scale: f64 },
}

impl Law {
    /// The quantile at `level`, in (0, 1). `levels` belong to [`Law::Quantiles`], which are joined
    /// by lines and go on level beyond the outermost.
    pub fn quantile(&self, level: f64, levels: &[f64]) -> f64 {
        match *self {
            Law::Quantiles(ref values) => between(levels, values, level),
            Law::Normal(mean, std) => mean + std * standard_normal(level),
            Law::StudentT(mean, std, freedom) => {
                let t = statrs::distribution::StudentsT::new(0.0, 1.0, freedom);
                t.map_or(mean, |t| mean + std * t.inverse_cdf(level))
            }
            Law::NegativeBinomial { mean, dispersion, scale } => {
                let (r, p) = (1.0 / dispersion, 1.0 / (1.0 + dispersion * mean));
                let counts = statrs::distribution::NegativeBinomial::new(r, p);
                counts.map_or(mean / scale, |counts| counts.inverse_cdf(level) as f64 / scale)
            }
        }
    }

    /// What is minimised while learning, at the value `z`: twice the mean pinball loss over
    /// `levels`, or the negative log-likelihood in nats (of the counts themselves, for those).
    pub fn loss(&self, z: f64, levels: &[f64]) -> f64 {
        match *self {
            Law::Quantiles(ref values) => {
                let pinball =
                    |(q, level): (&f64, &f64)| ((z - q) * level).max((z - q) * (level - 1.0));
                2.0 * values.iter().zip(levels).map(pinball).sum::<f64>() / levels.len() as f64
            }
            Law::Normal(mean, std) => {
                let e = (z - mean) / std;
                0.5 * e * e + std.ln() + 0.5 * std::f64::consts::TAU.ln()
            }
            Law::StudentT(mean, std, freedom) => {
                let e = (z - mean) / std;
                let half = 0.5 * (freedom + 1.0);
                ln_gamma(0.5 * freedom) - ln_gamma(half)
                    + 0.5 * (freedom * std::f64::consts::PI).ln()
                    + std.ln()
                    + half * (e * e / freedom).ln_1p()
            }
            Law::NegativeBinomial { mean, dispersion, scale } => {
                let (y, r) = ((z * scale).round(), 1.0 / dispersion);
                let spread = (dispersion * mean).ln_1p();
                ln_gamma(r) + ln_gamma(y + 1.0) - ln_gamma(y + r) + r * spread
                    - y * ((dispersion * mean).ln() - spread)
            }
        }
    }

    /// One value drawn.
    pub fn draw(&self, levels: &[f64], random: &mut SplitMix64) -> f64 {
        match *self {
            Law::Quantiles(ref values) => between(levels, values, random.unit()),
            Law::Normal(mean, std) => Normal::new(mean, std).map_or(mean, |law| law.sample(random)),
            Law::StudentT(mean, std, freedom) => {
                StudentT::new(freedom).map_or(mean, |law| mean + std * law.sample(random))
            }
            Law::NegativeBinomial { mean, dispersion, scale } => {
                // A Poisson whose rate is drawn from a gamma with the same mean.
                let rate = Gamma::new(1.0 / dispersion, dispersion * mean)
                    .map_or(mean, |gamma| gamma.sample(random));
                Poisson::new(rate).map_or(0.0, |counts| counts.sample(random)) / scale
            }
        }
    }
}

/// `ln(1 + eˣ)`
fn softplus(x: f64) -> f64 {
    if x > 30.0 { x } else { x.exp().ln_1p() }
}

fn standard_normal(level: f64) -> f64 {
    statrs::distribution::Normal::standard().inverse_cdf(level)
}

/// The value at `at` on the lines through (`xs`, `ys`), `xs` rising; level beyond the ends.
pub(crate) fn between(xs: &[f64], ys: &[f64], at: f64) -> f64 {
    let above = xs.partition_point(|x| *x < at);
    if above == 0 {
        return ys[0];
    }
    if above == xs.len() {
        return ys[above - 1];
    }
    let share = (at - xs[above - 1]) / (xs[above] - xs[above - 1]);
    ys[above - 1] + share * (ys[above] - ys[above - 1])
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEVELS: [f64; 3] = [0.1, 0.5, 0.9];

    /// Mean and variance of 40,000 draws.
    fn moments(law: &Law) -> (f64, f64) {
        let mut random = SplitMix64::new(7);
        let drawn: Vec<f64> = (0..40_000).map(|_| law.draw(&LEVELS, &mut random)).collect();
        let mean = drawn.iter().sum::<f64>() / drawn.len() as f64;
        let variance =
            drawn.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / drawn.len() as f64;
        (mean, variance)
    }

    /// ln(e^x − 1): the head's number for a softplus of x.
    fn head(x: f64) -> f32 {
        x.exp_m1().ln() as f32
    }

    #[test]
    fn draws_have_the_moments_of_their_law() {
        let (mean, variance) = moments(&Output::Normal.distribution(&[3.0, head(2.0)], 5.0));
        assert!((mean - 3.0).abs() < 0.05 && (variance - 4.0).abs() < 0.15, "{mean} {variance}");
        let law = Output::StudentT.distribution(&[3.0, head(2.0), head(6.0)], 5.0);
        let (mean, variance) = moments(&law);
        // σ² ν / (ν − 2) with ν = 8
        assert!((mean - 3.0).abs() < 0.05 && (variance - 16.0 / 3.0).abs() < 0.4, "{variance}");
        let law = Output::NegativeBinomial.distribution(&[head(1.5), head(0.8)], 4.0);
        let (mean, variance) = moments(&law);
        // In counts: mean 6, α = 0.8 / 2 = 0.4, variance 6 + 0.4 · 36 = 20.4; over the scale 4, 1.5
        // and 1.275.
        assert!((mean - 1.5).abs() < 0.03 && (variance - 1.275).abs() < 0.08, "{mean} {variance}");
    }

    #[test]
    fn quantiles_are_those_of_the_tables() {
        let near = |got: f64, expected: f64| assert!((got - expected).abs() < 2e-3, "{got}");
        let law = Output::Normal.distribution(&[0.0, head(1.0)], 1.0);
        near(law.quantile(0.975, &LEVELS), 1.960);
        let law = Output::StudentT.distribution(&[1.0, head(2.0), head(8.0)], 1.0);
        near(law.quantile(0.95, &LEVELS), 1.0 + 2.0 * 1.8125);
        // Of 100,000 draws of counts, as many lie at or below the quantile as its level says, or
        // more.
        let law = Output::NegativeBinomial.distribution(&[head(1.5), head(0.8)], 4.0);
        let mut random = SplitMix64::new(3);
        let quantile = law.quantile(0.9, &LEVELS);
        let below = (0..100_000).filter(|_| law.draw(&LEVELS, &mut random) <= quantile).count();
        let under = (0..100_000).filter(|_| law.draw(&LEVELS, &mut random) < quantile).count();
        assert!(below as f64 > 0.895e5 && (under as f64) < 0.905e5, "{under} {below}");
    }

    #[test]
    fn crossed_quantiles_are_put_in_order_and_joined() {
        let law = Output::Quantile.distribution(&[2.0, 1.0, 5.0], 9.0);
        let values: Vec<f64> =
            [0.05, 0.1, 0.3, 0.5, 0.7, 0.95].iter().map(|l| law.quantile(*l, &LEVELS)).collect();
        let expected = [1.0, 1.0, 1.5, 2.0, 3.5, 5.0];
        let off = values.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        assert!(off < 1e-12, "{values:?}");
    }
}
