//! Sound: a plain value, one channel of samples at one rate, and what a network hears of it.
mod front_end;
mod mel;
mod moments;
mod steps;
mod stream;

use crate::error::{Error, Result};
pub use front_end::{FeatureKind, FrontEnd, MelScale, Normalisation};
pub use moments::Moments;
pub use stream::FeatureStream;

/// One channel of sound.
#[derive(Clone, Debug, PartialEq)]
pub struct Audio {
    samples: Vec<f32>,
    sample_rate_hz: u32,
}

impl Audio {
    /// Samples `[N]`, of which ±1 is full scale, at a rate in samples a second.
    ///
    /// # Errors
    /// [`Error::Audio`] for a rate of 0, and for a sample that is no finite number.
    pub fn new(samples: Vec<f32>, sample_rate_hz: u32) -> Result<Self> {
        if sample_rate_hz == 0 {
            return Err(Error::audio("the sample rate is 0; expected samples a second"));
        }
        if let Some(place) = samples.iter().position(|sample| !sample.is_finite()) {
            return Err(Error::audio(format!(
                "sample {} of {} is {}; expected finite numbers, -1 to 1 at full scale",
                place + 1,
                samples.len(),
                samples[place]
            )));
        }
        Ok(Self { samples, sample_rate_hz })
    }

    /// `[N]`; ±1 is full scale.
    pub fn samples(&self) -> &[f32] {
        &self.samples
    }

    /// Samples a second.
    pub fn sample_rate_hz(&self) -> u32 {
        self.sample_rate_hz
    }

    /// How long it lasts.
    pub fn seconds(&self) -> f64 {
        self.samples.len() as f64 / f64::from(self.sample_rate_hz)
    }
}
