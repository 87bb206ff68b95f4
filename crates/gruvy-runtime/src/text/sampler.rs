//! From logits to a token: temperature, top-k, top-p, and a seeded draw.
//!
//! ```text
//! p_v ∝ exp(logit_v / temperature), among the top_k most likely tokens, and of these the fewest whose
//! probabilities reach top_p
//! ```
//! The token that stands for unknown characters is never drawn.
//!
//! Top-p is "nucleus sampling" (Holtzman et al., 1904.09751).
use crate::{
    error::{Error, Result},
    random::SplitMix64,
};
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;

/// How tokens are drawn.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Sampling {
    /// Below 1 favours likely tokens; 0 always takes the likeliest, the first of equals.
    pub temperature: f64,
    /// Draw only among so many of the likeliest tokens.
    pub top_k: Option<usize>,
    /// Draw only among the fewest likeliest tokens whose probabilities add up to this; in (0, 1].
    pub top_p: Option<f64>,
    /// The same seed gives the same tokens.
    pub seed: u64,
}

impl Default for Sampling {
    /// The model's own distribution, seed 0.
    fn default() -> Self {
        Self { temperature: 1.0, top_k: None, top_p: None, seed: 0 }
    }
}

impl Sampling {
    /// Checks the settings.
    ///
    /// # Errors
    /// [`Error::Setting`] for a temperature that is negative or not finite, a `top_k` of 0, and a
    /// `top_p` outside (0, 1].
    pub fn validate(&self) -> Result<()> {
        if !(self.temperature.is_finite() && self.temperature >= 0.0) {
            let expected = "a number of at least 0 (0 takes the likeliest token)";
            return Err(Error::setting("temperature", self.temperature, expected));
        }
        if self.top_k == Some(0) {
            return Err(Error::setting("top_k", 0, "at least 1; leave it out for all tokens"));
        }
        match self.top_p {
            Some(p) if !(p > 0.0 && p <= 1.0) => {
                Err(Error::setting("top_p", p, "above 0 and at most 1"))
            }
            _ => Ok(()),
        }
    }
}

/// Draws tokens from logits.
#[derive(Clone, Debug)]
pub struct Sampler {
    sampling: Sampling,
    random: SplitMix64,
    /// `(logit, then weight; token)`, reused.
    candidates: Vec<(f64, u32)>,
}

impl Sampler {
    /// A sampler at the start of its seed's sequence.
    ///
    /// # Errors
    /// As [`Sampling::validate`].
    pub fn new(sampling: &Sampling) -> Result<Self> {
        sampling.validate()?;
        let random = SplitMix64::new(sampling.seed);
        Ok(Self { sampling: sampling.clone(), random, candidates: Vec::new() })
    }

    /// Draws a token from `logits [V]`, but never this one: as if its probability were 0. One that
    /// stands for what is not known is no text.
    pub fn sample_but(&mut self, never: Option<u32>, logits: &[f32]) -> u32 {
        let token = self.sample(logits);
        let Some(never) = never.filter(|never| *never == token && logits.len() > 1) else {
            return token;
        };
        let mut others = logits.to_vec();
        others[never as usize] = f32::NEG_INFINITY;
        match self.sample(&others) {
            // No other has any probability.
            again if again == never => u32::from(never == 0),
            token => token,
        }
    }

    /// Draws a token from `logits [V]`. Uses one random number, or none if the temperature is 0.
    pub fn sample(&mut self, logits: &[f32]) -> u32 {
        let likeliest = argmax(logits);
        let max = f64::from(logits.get(likeliest as usize).copied().unwrap_or_default());
        if self.sampling.temperature == 0.0 || !max.is_finite() {
            return likeliest;
        }
        self.candidates.clear();
        self.candidates.extend((0u32..).zip(logits).map(|(token, l)| (f64::from(*l), token)));
        self.keep_top_k();
        for (value, _) in &mut self.candidates {
            // A NaN has no weight.
            *value = ((*value - max) / self.sampling.temperature).exp().max(0.0);
        }
        self.keep_top_p();
        let total: f64 = self.candidates.iter().map(|(weight, _)| weight).sum();
        let mut left = self.random.unit() * total;
        for (weight, token) in &self.candidates {
            left -= weight;
            if left < 0.0 {
                return *token;
            }
        }
        // Rounding can leave a little of the total.
        likeliest
    }

    fn keep_top_k(&mut self) {
        let Some(k) = self.sampling.top_k.filter(|k| *k < self.candidates.len()) else { return };
        self.candidates.select_nth_unstable_by(k - 1, likelier_first);
        self.candidates.truncate(k);
        // In the order of tokens, as without top-k.
        self.candidates.sort_unstable_by_key(|(_, token)| *token);
    }

    fn keep_top_p(&mut self) {
        let Some(p) = self.sampling.top_p.filter(|p| *p < 1.0) else { return };
        self.candidates.sort_unstable_by(likelier_first);
        let mut left = p * self.candidates.iter().map(|(weight, _)| weight).sum::<f64>();
        let enough = self.candidates.iter().position(|(weight, _)| {
            left -= weight;
            left <= 0.0
        });
        if let Some(last) = enough {
            self.candidates.truncate(last + 1);
        }
    }
}

/// By falling value, then by token; a NaN comes last.
fn likelier_first(a: &(f64, u32), b: &(f64, u32)) -> Ordering {
    let key = |value: f64| if value.is_nan() { f64::NEG_INFINITY } else { value };
    key(b.0).total_cmp(&key(a.0)).then(a.1.cmp(&b.1))
}

/// The first of the largest; 0 if there is none.
fn argmax(logits: &[f32]) -> u32 {
    let mut best = (f32::NEG_INFINITY, 0);
    for (token, logit) in (0..).zip(logits) {
        if *logit > best.0 {
            best = (*logit, token);
        }
    }
    best.1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draw(sampling: Sampling, logits: &[f32], count: usize) -> Vec<u32> {
        let mut sampler = Sampler::new(&sampling).unwrap();
        (0..count).map(|_| sampler.sample(logits)).collect()
    }

    fn shares(sampling: Sampling, logits: &[f32]) -> Vec<f64> {
        let count = 40_000;
        let mut shares = vec![0.0; logits.len()];
        for token in draw(sampling, logits, count) {
            shares[token as usize] += 1.0 / count as f64;
        }
        shares
    }

    fn close(got: &[f64], expected: &[f64]) {
        // Five standard deviations of a share of 40 000 draws are below 0.0125.
        for (g, e) in got.iter().zip(expected) {
            assert!((g - e).abs() < 0.0125 && (*e > 0.0 || *g == 0.0), "{got:?} {expected:?}");
        }
    }

    fn logits(probabilities: &[f64]) -> Vec<f32> {
        probabilities.iter().map(|p| p.ln() as f32 + 3.0).collect()
    }

    #[test]
    fn temperature_shapes_the_distribution() {
        let l = logits(&[0.1, 0.2, 0.7]);
        close(&shares(Sampling::default(), &l), &[0.1, 0.2, 0.7]);
        let squares = 0.01 + 0.04 + 0.49;
        let half = Sampling { temperature: 0.5, ..Default::default() };
        close(&shares(half, &l), &[0.01 / squares, 0.04 / squares, 0.49 / squares]);
        let tiny = Sampling { temperature: 1e-300, ..Default::default() };
        close(&shares(tiny, &l), &[0.0, 0.0, 1.0]);
    }

    #[test]
    fn zero_temperature_takes_the_first_of_the_likeliest() {
        let greedy = Sampling { temperature: 0.0, ..Default::default() };
        assert_eq!(draw(greedy, &[0.0, 2.0, 2.0, f32::NAN], 3), [1, 1, 1]);
    }

    #[test]
    fn top_k_and_top_p_drop_the_unlikely() {
        let l = logits(&[0.1, 0.4, 0.2, 0.3]);
        let k = Sampling { top_k: Some(2), ..Default::default() };
        close(&shares(k, &l), &[0.0, 4.0 / 7.0, 0.0, 3.0 / 7.0]);
        let p = Sampling { top_p: Some(0.65), ..Default::default() };
        close(&shares(p, &l), &[0.0, 4.0 / 7.0, 0.0, 3.0 / 7.0]);
        let p = Sampling { top_p: Some(0.75), ..Default::default() };
        close(&shares(p, &l), &[0.0, 4.0 / 9.0, 2.0 / 9.0, 3.0 / 9.0]);
        let both = Sampling { top_k: Some(2), top_p: Some(0.5), ..Default::default() };
        close(&shares(both, &l), &[0.0, 1.0, 0.0, 0.0]);
    }

    #[test]
    fn settings_that_change_nothing_draw_the_same() {
        let l = logits(&[0.1, 0.4, 0.2, 0.3]);
        let plain = draw(Sampling { seed: 7, ..Default::default() }, &l, 50);
        let wide = Sampling { seed: 7, top_k: Some(4), top_p: Some(1.0), ..Default::default() };
        assert_eq!(draw(wide, &l, 50), plain);
        assert_ne!(draw(Sampling { seed: 8, ..Default::default() }, &l, 50), plain);
    }

    #[test]
    fn a_token_that_is_no_text_is_never_drawn() {
        let l = logits(&[0.5, 0.1, 0.4]);
        for (temperature, top_k) in [(1.0, None), (1.0, Some(1)), (0.0, None), (9.0, Some(3))] {
            let sampling = Sampling { temperature, top_k, ..Default::default() };
            let mut sampler = Sampler::new(&sampling).unwrap();
            assert!((0..1000).all(|_| sampler.sample_but(Some(0), &l) != 0));
        }
        let mut sampler = Sampler::new(&Sampling::default()).unwrap();
        let mut shares = [0.0; 3];
        (0..40_000)
            .for_each(|_| shares[sampler.sample_but(Some(0), &l) as usize] += 1.0 / 40_000.0);
        close(&shares, &[0.0, 0.2, 0.8]);
        for l in [[f32::NAN; 3], [0.0, f32::NEG_INFINITY, f32::NEG_INFINITY]] {
            assert_ne!(sampler.sample_but(Some(0), &l), 0);
        }
        assert_eq!(sampler.sample_but(Some(0), &[1.0]), 0);
    }

    #[test]
    fn logits_that_are_not_finite_give_a_token() {
        for l in [[f32::NAN; 3], [f32::NEG_INFINITY; 3], [f32::INFINITY; 3], [f32::MAX; 3]] {
            let all = Sampling { top_k: Some(2), top_p: Some(0.5), ..Default::default() };
            assert!(draw(all, &l, 5).iter().all(|token| *token < 3));
        }
        assert_eq!(draw(Sampling::default(), &[f32::NAN, 1.0, f32::NEG_INFINITY], 5), [1; 5]);
        assert_eq!(draw(Sampling::default(), &[0.0, f32::INFINITY], 2), [1; 2]);
    }

    #[test]
    fn impossible_settings_are_named() {
        let name = |sampling: Sampling| match Sampler::new(&sampling) {
            Err(Error::Setting { name, .. }) => name,
            other => panic!("{other:?}"),
        };
        for temperature in [-0.1, f64::NAN, f64::INFINITY] {
            assert_eq!(name(Sampling { temperature, ..Default::default() }), "temperature");
        }
        assert_eq!(name(Sampling { top_k: Some(0), ..Default::default() }), "top_k");
        for p in [0.0, -1.0, 1.01, f64::NAN] {
            assert_eq!(name(Sampling { top_p: Some(p), ..Default::default() }), "top_p");
        }
    }
}
