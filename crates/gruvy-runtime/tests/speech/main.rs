//! Speech: labels and texts, decoding, alignment, scores, and a model as sound comes.
#![allow(clippy::unwrap_used)]
#[path = "../common/mod.rs"]
mod common;
mod decoding;
mod scores;
mod texts;
mod transcribing;

use gruvy_runtime::random::SplitMix64;
use gruvy_runtime::speech::log_softmax;

/// ln p `[T, V]` of noise.
fn log_probabilities(steps: usize, classes: usize, seed: u64) -> Vec<f32> {
    let mut random = SplitMix64::new(seed);
    let mut values: Vec<f32> =
        (0..steps * classes).map(|_| 6.0 * random.unit() as f32 - 3.0).collect();
    log_softmax(&mut values, classes);
    values
}
