//! Filters of a mel scale, and the DCT behind them.
use super::front_end::{FeatureKind, FrontEnd, MelScale};

impl MelScale {
    /// The pitch of a frequency.
    pub fn mel(self, hz: f64) -> f64 {
        match self {
            Self::Htk => 2595.0 * (1.0 + hz / 700.0).log10(),
            Self::Slaney if hz < 1000.0 => hz * 3.0 / 200.0,
            Self::Slaney => 15.0 + 27.0 * (hz / 1000.0).ln() / 6.4f64.ln(),
        }
    }

    /// The frequency of a pitch.
    pub fn hz(self, mel: f64) -> f64 {
        match self {
            Self::Htk => 700.0 * (10f64.powf(mel / 2595.0) - 1.0),
            Self::Slaney if mel < 15.0 => mel * 200.0 / 3.0,
            Self::Slaney => 1000.0 * ((mel - 15.0) * 6.4f64.ln() / 27.0).exp(),
        }
    }
}

/// A filter: its first bin, and what each bin from there on counts.
#[derive(Clone, Debug)]
pub(super) struct Filter {
    first: usize,
    weights: Vec<f32>,
}

impl Filter {
    /// The power in it, of a spectrum.
    pub fn of(&self, power: &[f32]) -> f32 {
        let bins = &power[self.first..self.first + self.weights.len()];
        bins.iter().zip(&self.weights).map(|(p, w)| p * w).sum()
    }
}

/// The filters for spectra of `bins` values from 0 to half the rate, their frequencies stretched by
/// `warp`.
pub(super) fn filters(front_end: &FrontEnd, bins: usize, warp: f32) -> Vec<Filter> {
    let FrontEnd { mels, scale, low_hz, high_hz, sample_rate_hz, .. } = *front_end;
    let half = f64::from(sample_rate_hz) / 2.0;
    let (low, high) = (scale.mel(f64::from(low_hz)), scale.mel(f64::from(high_hz)));
    let edge = |i: usize| {
        let hz = scale.hz(low + (high - low) * i as f64 / (mels + 1) as f64);
        warped(hz, f64::from(warp), f64::from(high_hz), half)
    };
    let filter = |m: usize| {
        let [left, top, right] = [edge(m), edge(m + 1), edge(m + 2)];
        let height = match scale {
            MelScale::Htk => 1.0,
            MelScale::Slaney => 2.0 / (right - left),
        };
        let weight = |bin: usize| {
            let hz = half * bin as f64 / (bins - 1) as f64;
            let slope = ((hz - left) / (top - left)).min((right - hz) / (right - top));
            (slope.max(0.0) * height) as f32
        };
        let inside = (0..bins).filter(|bin| weight(*bin) > 0.0).collect::<Vec<_>>();
        let (first, end) = match (inside.first(), inside.last()) {
            (Some(first), Some(last)) => (*first, last + 1),
            _ => (0, 0),
        };
        Filter { first, weights: (first..end).map(weight).collect() }
    };
    (0..mels).map(filter).collect()
}

/// Stretched by `warp` up to where it would leave the range, and from there straight to half the
/// rate.
fn warped(hz: f64, warp: f64, high: f64, half: f64) -> f64 {
    if warp == 1.0 {
        return hz;
    }
    let bend = 0.8 * high * warp.min(1.0) / warp;
    match hz <= bend {
        true => hz * warp,
        false => half - (half - bend * warp) / (half - bend) * (half - hz),
    }
}

/// The orthonormal DCT-II, `[coefficients, mels]`; none for log-mel values.
pub(super) fn dct(front_end: &FrontEnd) -> Option<Vec<f32>> {
    let FeatureKind::Mfcc { coefficients } = front_end.kind else { return None };
    let count = front_end.mels as f64;
    let value = |k: usize, m: usize| {
        let angle = std::f64::consts::PI / count * (m as f64 + 0.5) * k as f64;
        let norm = if k == 0 { (1.0 / count).sqrt() } else { (2.0 / count).sqrt() };
        (norm * angle.cos()) as f32
    };
    Some((0..coefficients).flat_map(|k| (0..front_end.mels).map(move |m| value(k, m))).collect())
}
