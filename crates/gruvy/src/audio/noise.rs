//! Noise under a recording: from recordings of background, or made.
use super::resample::resample;
use gruvy_runtime::audio::Audio;
use gruvy_runtime::random::SplitMix64;
use std::f64::consts::PI;

/// Adds noise to samples at `rate`, so that their mean power is `snr_db` above that of the noise.
pub(super) fn add(samples: &mut [f32], rate: u32, background: &[Audio], snr_db: f64, seed: u64) {
    let signal = power(samples);
    if signal == 0.0 {
        return;
    }
    let mut random = SplitMix64::new(seed);
    let mut noise = excerpt(background, samples.len(), rate, &mut random);
    if power(&noise) == 0.0 {
        noise = made(samples.len(), rate, &mut random);
    }
    let gain = (signal / power(&noise) / 10f64.powf(snr_db / 10.0)).sqrt();
    samples.iter_mut().zip(noise).for_each(|(s, n)| *s += (gain * f64::from(n)) as f32);
}

/// Mean square.
fn power(samples: &[f32]) -> f64 {
    let sum: f64 = samples.iter().map(|sample| f64::from(*sample).powi(2)).sum();
    sum / samples.len().max(1) as f64
}

/// `n` samples at `rate` from a random place of a random recording, again from its start at its
/// end; nothing if there is none.
fn excerpt(background: &[Audio], n: usize, rate: u32, random: &mut SplitMix64) -> Vec<f32> {
    let heard: Vec<&Audio> = background.iter().filter(|one| !one.samples().is_empty()).collect();
    if heard.is_empty() {
        return Vec::new();
    }
    let one = heard[random.below(heard.len() as u64) as usize];
    let start = random.below(one.samples().len() as u64) as usize;
    let ratio = f64::from(one.sample_rate_hz()) / f64::from(rate);
    let from = one.samples().iter().cycle().skip(start);
    let from: Vec<f32> = from.take((n as f64 * ratio).ceil() as usize).copied().collect();
    match ratio == 1.0 {
        true => from,
        false => resample(&from, ratio, n),
    }
}

/// `n` samples of white, pink (power falls by 3 dB an octave) or brown noise (6 dB, above 20 Hz).
fn made(n: usize, rate: u32, random: &mut SplitMix64) -> Vec<f32> {
    let mut filters = match random.below(3) {
        0 => Vec::new(),
        1 => (0..PINK).map(pink).collect(),
        _ => vec![Filter::new((-2.0 * PI * 20.0 / f64::from(rate)).exp(), 0.0)],
    };
    let mut white = || 2.0 * random.unit() - 1.0;
    let mut next = || filters.iter_mut().fold(white(), |value, filter| filter.next(value)) as f32;
    let mut all: Vec<f32> = (0..WARM_UP + n).map(|_| next()).collect();
    all.split_off(WARM_UP)
}

/// Samples until the slowest filters have forgotten that they began at 0.
const WARM_UP: usize = 2048;

/// Filters of pink noise, two octaves each: ten octaves below half the rate.
const PINK: i32 = 5;

/// A fall of 6 dB through the lower of two octaves, so 3 dB an octave through all of them
/// (Keshner, "1/f noise", 1982), within 0.9 dB over seven octaves.
fn pink(i: i32) -> Filter {
    let pole = 0.5 * PI / 4f64.powi(i);
    Filter::new((-pole).exp(), (-2.0 * pole).exp())
}

/// `y[t] = pole y[t-1] + x[t] - zero x[t-1]`.
struct Filter {
    pole: f64,
    zero: f64,
    x: f64,
    y: f64,
}

impl Filter {
    fn new(pole: f64, zero: f64) -> Self {
        Self { pole, zero, x: 0.0, y: 0.0 }
    }

    fn next(&mut self, x: f64) -> f64 {
        self.y = self.pole * self.y + x - self.zero * self.x;
        self.x = x;
        self.y
    }
}
