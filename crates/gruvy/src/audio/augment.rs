//! What may be changed in a recording, and one change drawn from that.
use super::{noise, resample::resample, stretch::stretch};
use crate::error::{Error, Result};
use gruvy_data::settings;
use gruvy_data::settings::{Kind, Range, Settings};
use gruvy_runtime::audio::Audio;
use gruvy_runtime::random::{SplitMix64, mix};
use serde_json::json;
use std::path::PathBuf;

settings! {
    /// How far recordings are changed while a network learns from them. Each change is drawn
    /// uniformly, up to the setting either way; 0 leaves it out.
    pub struct AugmentConfig {
        /// Ko et al., "Audio augmentation for speech recognition", 2015, take 0.1.
        speed: f64 = 0.1, Kind::Number(Range::Share), "SHARE",
            "Play recordings faster or slower by up to this share, tempo and pitch together";
        /// Formants move along, as those of a shorter or longer vocal tract do.
        pitch: f64 = 2.0, Kind::Number(Range::NotNegative), "SEMITONES",
            "Move the pitch up or down by up to so many semitones at the same tempo";
        tempo: f64 = 0.1, Kind::Number(Range::Share), "SHARE",
            "Make recordings faster or slower by up to this share at the same pitch";
        /// Jaitly & Hinton, "Vocal tract length perturbation improves speech recognition", 2013.
        warp: f64 = 0.1, Kind::Number(Range::Share), "SHARE",
            "Stretch the frequencies of the mel filters by up to this share, as another vocal tract does";
        gain_db: f64 = 6.0, Kind::Number(Range::NotNegative), "DB",
            "Make recordings louder or softer by up to so many decibels";
        /// At most a quarter of the recording; its length stays, with zeros at the edge.
        shift_ms: f64 = 50.0, Kind::Number(Range::NotNegative), "MS",
            "Move recordings in time by up to so many milliseconds";
        noise: f64 = 0.5, Kind::Number(Range::Unit), "SHARE",
            "Share of the recordings that get noise";
        /// Mean power of the recording over that of the noise.
        snr_db: f64 = 5.0, Kind::Number(Range::NotNegative), "DB",
            "Lowest signal-to-noise ratio in decibels; the highest is 30 above it";
        #[serde(skip_serializing_if = "Option::is_none")]
        background: Option<PathBuf> = None, Kind::Path, "PATH",
            "File or folder of noise recordings [default: white, pink and brown noise]";
        /// SpecAugment, Park et al., 1904.08779.
        time_masks: usize = 1, Kind::Whole(0), "N", "Masks over a stretch of time";
        /// At most a fifth of the recording.
        time_mask_ms: f64 = 100.0, Kind::Number(Range::NotNegative), "MS",
            "Longest mask over time, in milliseconds";
        freq_masks: usize = 1, Kind::Whole(0), "N", "Masks over a band of frequencies";
        freq_mask: f64 = 0.15, Kind::Number(Range::Unit), "SHARE",
            "Widest mask over frequencies, as a share of a frame's values";
    }
}

/// One change of a recording, drawn from an [`AugmentConfig`].
#[derive(Clone, Debug, PartialEq)]
pub struct Augmentation {
    /// Tempo and frequencies are multiplied by this.
    pub speed: f64,
    /// Semitones that the frequencies move up, at the same tempo.
    pub pitch: f64,
    /// The tempo is multiplied by this, at the same frequencies.
    pub tempo: f64,
    /// Milliseconds that the sound begins later; at most a quarter of the recording.
    pub shift_ms: f64,
    /// Decibels that it gets louder.
    pub gain_db: f64,
    /// The signal-to-noise ratio in decibels, if it gets noise.
    pub snr_db: Option<f64>,
    /// For [`FrontEnd::frames`](gruvy_runtime::audio::FrontEnd::frames).
    pub warp: f32,
    /// Of the noise.
    pub seed: u64,
}

/// Streams of random numbers under a seed.
const CHANGES: u64 = 0;
const NOISE: u64 = 1;
pub(super) const MASKS: u64 = 2;

/// Decibels between the lowest and the highest signal-to-noise ratio.
const SNR_SPAN_DB: f64 = 30.0;

impl AugmentConfig {
    /// No change at all.
    pub fn none() -> Self {
        Self {
            speed: 0.0,
            pitch: 0.0,
            tempo: 0.0,
            warp: 0.0,
            gain_db: 0.0,
            shift_ms: 0.0,
            noise: 0.0,
            snr_db: 0.0,
            background: None,
            time_masks: 0,
            time_mask_ms: 0.0,
            freq_masks: 0,
            freq_mask: 0.0,
        }
    }

    /// Refuses values that make no sense.
    ///
    /// # Errors
    /// [`Error::Setting`] with the name of the first such setting.
    pub fn check(&self) -> Result<()> {
        settings::check(&json!(self), Self::SETTINGS)?;
        for (name, value, most, unit) in [
            ("speed", self.speed, 0.5, ""),
            ("pitch", self.pitch, 12.0, " semitones"),
            ("tempo", self.tempo, 0.5, ""),
            ("warp", self.warp, 0.5, ""),
            ("gain_db", self.gain_db, 60.0, " decibels"),
            ("shift_ms", self.shift_ms, 10_000.0, " milliseconds"),
            ("snr_db", self.snr_db, 100.0, " decibels"),
            ("time_masks", self.time_masks as f64, 100.0, ""),
            ("time_mask_ms", self.time_mask_ms, 10_000.0, " milliseconds"),
            ("freq_masks", self.freq_masks as f64, 100.0, ""),
        ] {
            if value > most {
                return Err(Error::setting(name, value, format!("expected at most {most}{unit}")));
            }
        }
        Ok(())
    }

    /// Draws a change from a seed. Each setting takes its own random number, so that another value
    /// of one leaves the others as they are.
    pub fn draw(&self, seed: u64) -> Augmentation {
        let mut random = SplitMix64::new(mix(seed, CHANGES));
        let mut within = |most: f64| most * (2.0 * random.unit() - 1.0);
        let speed = 1.0 + within(self.speed);
        let pitch = within(self.pitch);
        let tempo = 1.0 + within(self.tempo);
        let shift_ms = within(self.shift_ms);
        let gain_db = within(self.gain_db);
        let warp = (1.0 + within(self.warp)) as f32;
        let snr_db = self.snr_db + SNR_SPAN_DB * random.unit();
        let noisy = random.unit() < self.noise;
        let seed = mix(seed, NOISE);
        let snr_db = noisy.then_some(snr_db);
        Augmentation { speed, pitch, tempo, shift_ms, gain_db, snr_db, warp, seed }
    }

    /// A recording changed by what the seed draws, and the warp for
    /// [`FrontEnd::frames`](gruvy_runtime::audio::FrontEnd::frames): [`draw`](Self::draw), then
    /// [`Augmentation::apply`].
    pub fn apply(&self, audio: &Audio, background: &[Audio], seed: u64) -> (Audio, f32) {
        let change = self.draw(seed);
        (change.apply(audio, background), change.warp)
    }
}

impl Augmentation {
    /// The recording, changed, at the same rate; of `1 / (speed * tempo)` times its length. Noise
    /// comes from a random place of a random recording of `background`, whatever its rate, or is
    /// white, pink or brown where there is none, or only silence at that place. Silence stays
    /// silent: it has no signal-to-noise ratio. Nothing is clipped at full scale. A recording so
    /// loud that numbers overflow stays as it is.
    pub fn apply(&self, audio: &Audio, background: &[Audio]) -> Audio {
        let rate = audio.sample_rate_hz();
        let mut samples = self.timed(audio.samples(), rate);
        shift(&mut samples, self.shift_ms * f64::from(rate) / 1000.0);
        if self.gain_db != 0.0 {
            let gain = 10f64.powf(self.gain_db / 20.0) as f32;
            samples.iter_mut().for_each(|sample| *sample *= gain);
        }
        if let Some(snr_db) = self.snr_db {
            noise::add(&mut samples, rate, background, snr_db, self.seed);
        }
        Audio::new(samples, rate).unwrap_or_else(|_| audio.clone())
    }

    /// Speed, pitch and tempo: one resampling, which moves the frequencies, and one stretch, which
    /// brings the length to what is asked.
    fn timed(&self, samples: &[f32], rate: u32) -> Vec<f32> {
        let length = |factor: f64| (samples.len() as f64 / factor).round() as usize;
        let faster = self.speed * 2f64.powf(self.pitch / 12.0);
        let resampled = match faster == 1.0 {
            true => samples.to_vec(),
            false => resample(samples, faster, length(faster)),
        };
        match self.pitch == 0.0 && self.tempo == 1.0 {
            true => resampled,
            false => stretch(&resampled, length(self.speed * self.tempo), rate),
        }
    }
}

/// Moves samples later by `by` samples, or earlier, but by no more than a quarter of them.
fn shift(samples: &mut [f32], by: f64) {
    let n = samples.len();
    let places = (by.abs().round() as usize).min(n / 4);
    if by > 0.0 {
        samples.copy_within(..n - places, places);
        samples[..places].fill(0.0);
    } else {
        samples.copy_within(places.., 0);
        samples[n - places..].fill(0.0);
    }
}
