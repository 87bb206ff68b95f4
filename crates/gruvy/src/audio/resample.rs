//! Samples at another rate, by any factor: a windowed sinc between the samples (Smith & Gossett,
//! "A flexible sampling-rate conversion method", ICASSP 1984).
//!
//! ```text
//! y[i] = Σ_j x[j] c h(c (j - i step)),  c = cutoff min(1, 1 / step),  h = sinc · Kaiser window
//! ```
use std::{f64::consts::PI, sync::LazyLock};

/// Zero crossings of the sinc either side.
const CROSSINGS: usize = 16;
/// Entries of the table from crossing to crossing; linear between them, which is right to 5e-6.
const ENTRIES: usize = 512;
/// Of the Kaiser window: side lobes at -63 dB.
const BETA: f64 = 6.0;
/// Of half the lower rate; what lies between this and its mirror fades out.
const CUTOFF: f64 = 0.94;

/// `h` from 0 to its last crossing, with a 0 behind it.
static TABLE: LazyLock<Vec<f32>> = LazyLock::new(|| {
    let h = |i: usize| {
        let x = i as f64 / ENTRIES as f64;
        let sinc = if i == 0 { 1.0 } else { (PI * x).sin() / (PI * x) };
        let inside = (1.0 - (x / CROSSINGS as f64).powi(2)).max(0.0);
        (sinc * bessel(BETA * inside.sqrt()) / bessel(BETA)) as f32
    };
    (0..=CROSSINGS * ENTRIES).map(h).chain([0.0]).collect()
});

/// The modified Bessel function of order 0, by its series.
fn bessel(x: f64) -> f64 {
    let mut term = 1.0;
    let terms = (1..40).map(|k| {
        term *= (x / (2.0 * f64::from(k))).powi(2);
        term
    });
    1.0 + terms.sum::<f64>()
}

/// `length` samples, `step` of the given ones apart; zeros stand around these.
pub(super) fn resample(samples: &[f32], step: f64, length: usize) -> Vec<f32> {
    let scale = CUTOFF * (1.0 / step).min(1.0);
    let reach = CROSSINGS as f64 / scale;
    let entries = scale * ENTRIES as f64;
    let table = TABLE.as_slice();
    let value = |i: usize| {
        let at = i as f64 * step;
        let first = ((at - reach).ceil().max(0.0) as usize).min(samples.len());
        let end = ((at + reach) as usize + 1).clamp(first, samples.len());
        let mut distance = ((first as f64 - at) * entries) as f32;
        let mut sum = 0.0;
        for sample in &samples[first..end] {
            let place = distance.abs().min((CROSSINGS * ENTRIES) as f32);
            let entry = place as usize;
            let (left, right) = (table[entry], table[entry + 1]);
            sum += sample * (left + (right - left) * (place - entry as f32));
            distance += entries as f32;
        }
        sum * scale as f32
    };
    (0..length).map(value).collect()
}
