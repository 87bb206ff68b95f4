//! What is heard of sound: settings of the front end, kept in the model file.
//!
//! ```text
//! samples ─ frames of window_ms every hop_ms ─ power spectrum ─ mel filters ─ ln ─[ DCT ]─ deltas
//!         ─ normalisation ─ stack frames, a step every stride frames ─> [T, width]
//! ```
//! The first frame begins at the first sample; nothing is padded but a recording that is shorter
//! than a frame (with zeros), and the last step (with its last frame). So a stream needs no future
//! but that of the deltas, two frames each.
use super::Audio;
use super::stream::FeatureStream;
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};

/// What is heard of sound.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FrontEnd {
    /// Of the sound that is heard, samples a second.
    pub sample_rate_hz: u32,
    /// Of a frame, in milliseconds.
    pub window_ms: f32,
    /// From frame to frame, in milliseconds.
    pub hop_ms: f32,
    /// What a frame becomes.
    pub kind: FeatureKind,
    /// Filters of the mel scale.
    pub mels: usize,
    /// Where the lowest filter begins.
    pub low_hz: f32,
    /// Where the highest filter ends: at most half the rate.
    pub high_hz: f32,
    /// How frequencies are divided.
    pub scale: MelScale,
    /// Whether each frame is taken less its mean, so that a constant offset is not heard.
    #[serde(default)]
    pub remove_offset: bool,
    /// Orders of differences that stand behind a frame's values: 0, 1 or 2.
    #[serde(default)]
    pub deltas: usize,
    /// Frames that are joined to one step.
    pub stack: usize,
    /// Frames from step to step.
    pub stride: usize,
    /// How the values of a frame are shifted and scaled.
    pub normalisation: Normalisation,
}

/// What a frame becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FeatureKind {
    /// ln of the power in each mel filter.
    LogMel,
    /// The first coefficients of the orthonormal DCT-II of these: MFCC.
    Mfcc {
        /// How many.
        coefficients: usize,
    },
}

/// A scale of equal steps in pitch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MelScale {
    /// `2595 log10(1 + f / 700)`, filters of height 1 (HTK, torchaudio's default).
    Htk,
    /// Linear below 1 kHz, logarithmic above, filters of equal area (Slaney's Auditory Toolbox,
    /// librosa's default).
    Slaney,
}

/// How the values of a frame are shifted and scaled.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Normalisation {
    /// Not at all.
    None,
    /// By the mean and the deviation of each value over the training data.
    Training {
        /// `[frame_width]`
        mean: Vec<f32>,
        /// `[frame_width]`
        deviation: Vec<f32>,
    },
    /// By the mean of the recording so far, which begins as that of the training data and weighs
    /// so many frames, and by the deviation over the training data.
    Running {
        /// `[frame_width]`
        mean: Vec<f32>,
        /// `[frame_width]`
        deviation: Vec<f32>,
        /// Frames that the beginning weighs.
        weight: f32,
    },
    /// By the mean and the deviation of each value over the recording, which has to be there.
    Utterance,
}

/// Power below this is heard as this: about what the rounding to 16 bits leaves in a filter, so that
/// digital silence is heard as a quiet room.
pub(super) const FLOOR: f32 = 1e-8;

impl FrontEnd {
    /// What suits speech at this rate: 40 log-mel values of 25 ms every 10 ms, three frames a step.
    pub fn new(sample_rate_hz: u32) -> Self {
        Self {
            sample_rate_hz,
            window_ms: 25.0,
            hop_ms: 10.0,
            kind: FeatureKind::LogMel,
            mels: 40,
            low_hz: 60.0,
            high_hz: sample_rate_hz as f32 / 2.0,
            scale: MelScale::Htk,
            remove_offset: true,
            deltas: 0,
            stack: 3,
            stride: 3,
            normalisation: Normalisation::None,
        }
    }

    /// Refuses what makes no sense, or is too large for sound.
    ///
    /// # Errors
    /// [`Error::Setting`] naming it.
    pub fn check(&self) -> Result<()> {
        let within = |name, value: f32, low: f32, high: f32| match (low..=high).contains(&value) {
            true => Ok(()),
            false => Err(Error::setting(name, value, format!("{low} to {high}"))),
        };
        let whole = |name, value: usize, low: usize, high: usize| {
            within(name, value as f32, low as f32, high as f32)
        };
        let rate = self.sample_rate_hz as f32;
        within("sample_rate", rate, 100.0, 768_000.0)?;
        within("window_ms", self.window_ms, 1.0, 1000.0)?;
        within("hop_ms", self.hop_ms, 0.5, 1000.0)?;
        if self.window() < 2 || self.hop() < 1 {
            let why = "windows of at least two samples and hops of at least one";
            return Err(Error::setting("window_ms", self.window_ms, why));
        }
        whole("mels", self.mels, 1, 256)?;
        if let FeatureKind::Mfcc { coefficients } = self.kind {
            whole("coefficients", coefficients, 1, self.mels)?;
        }
        within("high_hz", self.high_hz, 1.0, rate / 2.0)?;
        within("low_hz", self.low_hz, 0.0, self.high_hz - 1.0)?;
        whole("deltas", self.deltas, 0, 2)?;
        whole("stack", self.stack, 1, 64)?;
        whole("stride", self.stride, 1, 64)?;
        self.normalisation.check(self.frame_width())
    }

    /// Samples of a frame.
    pub fn window(&self) -> usize {
        (f64::from(self.window_ms) * f64::from(self.sample_rate_hz) / 1000.0).round() as usize
    }

    /// Samples from frame to frame.
    pub fn hop(&self) -> usize {
        (f64::from(self.hop_ms) * f64::from(self.sample_rate_hz) / 1000.0).round() as usize
    }

    /// Values of a frame, differences among them.
    pub fn frame_width(&self) -> usize {
        let values = match self.kind {
            FeatureKind::LogMel => self.mels,
            FeatureKind::Mfcc { coefficients } => coefficients,
        };
        values * (1 + self.deltas)
    }

    /// Values of a step.
    pub fn width(&self) -> usize {
        self.frame_width() * self.stack
    }

    /// Frames of so many samples.
    pub fn frame_count(&self, samples: usize) -> usize {
        match samples {
            0 => 0,
            _ => 1 + samples.saturating_sub(self.window()) / self.hop(),
        }
    }

    /// Steps of so many samples.
    pub fn steps(&self, samples: usize) -> usize {
        self.frame_count(samples).div_ceil(self.stride)
    }

    /// Seconds from step to step.
    pub fn step_seconds(&self) -> f64 {
        (self.hop() * self.stride) as f64 / f64::from(self.sample_rate_hz)
    }

    /// A recording as the network reads it, `[steps, width]`.
    ///
    /// # Errors
    /// [`Error::Audio`] for another rate, and as [`check`](Self::check).
    pub fn features(&self, audio: &Audio) -> Result<Vec<f32>> {
        self.check()?;
        self.of_frames(self.frames(audio, 1.0)?)
    }

    /// The frames of a recording, `[frames, frame_width]`, not normalised: what normalisation is
    /// measured on. `warp` stretches the frequencies that filters stand at, as a longer or shorter
    /// vocal tract does (Jaitly & Hinton 2013); 1: not.
    ///
    /// # Errors
    /// As [`features`](Self::features).
    pub fn frames(&self, audio: &Audio, warp: f32) -> Result<Vec<f32>> {
        self.check()?;
        if audio.sample_rate_hz() != self.sample_rate_hz {
            return Err(Error::audio(format!(
                "the sound has {} samples a second; the model hears {}: resample it",
                audio.sample_rate_hz(),
                self.sample_rate_hz
            )));
        }
        let bare = Self { normalisation: Normalisation::None, stack: 1, stride: 1, ..self.clone() };
        let mut stream = FeatureStream::new(&bare, warp);
        let mut frames = Vec::with_capacity(bare.steps(audio.samples().len()) * bare.width());
        stream.push(audio.samples(), &mut frames);
        stream.finish(&mut frames);
        Ok(frames)
    }

    /// Steps `[steps, width]` of [`frames`](Self::frames).
    ///
    /// # Errors
    /// As [`check`](Self::check).
    pub fn of_frames(&self, mut frames: Vec<f32>) -> Result<Vec<f32>> {
        self.normalisation.check(self.frame_width())?;
        let width = self.frame_width();
        let normalisation = match self.normalisation {
            Normalisation::Utterance => {
                let mut moments = super::Moments::new(width);
                moments.add(&frames);
                moments.training()
            }
            ref other => other.clone(),
        };
        let mut stage = super::steps::Normaliser::new(&normalisation);
        frames.chunks_exact_mut(width).for_each(|frame| stage.apply(frame));
        let mut stack = super::steps::Stack::new(width, self.stack, self.stride);
        let mut steps = Vec::with_capacity(frames.len() / self.stride * self.stack);
        frames.chunks_exact(width).for_each(|frame| stack.push(frame, &mut steps));
        stack.finish(&mut steps);
        Ok(steps)
    }

    /// Hears sound as it comes: the same steps as [`features`](Self::features), to the bit.
    ///
    /// # Errors
    /// [`Error::Setting`] for a normalisation by the whole recording, and as
    /// [`check`](Self::check).
    pub fn stream(&self) -> Result<FeatureStream> {
        self.check()?;
        if self.normalisation == Normalisation::Utterance {
            let why = "`training` or `running` where sound is heard as it comes: train again with \
                       one of these";
            return Err(Error::setting("normalisation", "utterance", why));
        }
        Ok(FeatureStream::new(self, 1.0))
    }
}

impl Normalisation {
    fn check(&self, width: usize) -> Result<()> {
        let (Self::Training { mean, deviation } | Self::Running { mean, deviation, .. }) = self
        else {
            return Ok(());
        };
        if mean.len() != width || deviation.len() != width {
            let got = format!("{} means and {} deviations", mean.len(), deviation.len());
            return Err(Error::setting("normalisation", got, format!("{width} of each")));
        }
        let weight = if let Self::Running { weight, .. } = self { *weight } else { 1.0 };
        let fine = mean.iter().all(|m| m.is_finite())
            && deviation.iter().all(|d| d.is_normal() && *d > 0.0)
            && weight > 0.0
            && weight.is_finite();
        match fine {
            true => Ok(()),
            false => Err(Error::setting(
                "normalisation",
                "a value that is none",
                "finite means, positive deviations and a positive weight",
            )),
        }
    }
}
