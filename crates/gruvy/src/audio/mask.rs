//! Masks over features: SpecAugment (Park et al., 1904.08779) without its warp in time.
use super::augment::{AugmentConfig, MASKS};
use gruvy_runtime::random::{SplitMix64, mix};
use std::ops::Range;

/// A mask over time covers at most this share of a recording: `p` of the paper's policies for
/// small data.
const LONGEST: f64 = 0.2;

impl AugmentConfig {
    /// Masks normalised features `[frames, frame_width]`: sets them to 0, their mean. `values` is
    /// how many values of a frame stand for frequencies; a band is masked in each run of so many
    /// (the differences behind them, and the frames of a stacked step). A frame comes every
    /// `hop_ms`. Widths are drawn from 0 to the widest, as in the paper.
    ///
    /// # Panics
    /// If the features are no whole frames, or a frame no whole runs of `values`.
    pub fn mask(
        &self,
        features: &mut [f32],
        frame_width: usize,
        values: usize,
        hop_ms: f64,
        seed: u64,
    ) {
        assert!(
            features.len().is_multiple_of(frame_width) && frame_width.is_multiple_of(values),
            "{} features are no frames of {frame_width} in runs of {values}",
            features.len()
        );
        let frames = features.len() / frame_width;
        let mut random = SplitMix64::new(mix(seed, MASKS));
        let longest = (self.time_mask_ms / hop_ms).min(LONGEST * frames as f64) as usize;
        for _ in 0..self.time_masks {
            let place = part(frames, longest, &mut random);
            features[place.start * frame_width..place.end * frame_width].fill(0.0);
        }
        let widest = (self.freq_mask * values as f64) as usize;
        for _ in 0..self.freq_masks {
            let band = part(values, widest, &mut random);
            features.chunks_exact_mut(values).for_each(|run| run[band.clone()].fill(0.0));
        }
    }
}

/// A random part of `0..n` of random length, at most `longest`.
fn part(n: usize, longest: usize, random: &mut SplitMix64) -> Range<usize> {
    let length = random.below(longest as u64 + 1) as usize;
    let start = random.below((n - length) as u64 + 1) as usize;
    start..start + length
}
