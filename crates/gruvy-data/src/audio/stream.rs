//! Recordings as one channel at the rate that is wanted.
use super::reader::SoundReader;
use super::resample::Resampler;
use crate::error::{Error, Result, problem_at};
use crate::input::Input;
use crate::packed::room;
use gruvy_runtime::audio::Audio;

/// No sample is larger, whatever its unit: 32-bit integers that were stored as numbers are not.
const LARGEST: f32 = 1e10;
/// A part may end so many seconds behind the end of its file, as lengths in lists are rounded.
const ROUNDED_S: f64 = 0.05;

/// What is wanted of a recording; by default all of it at its own rate.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Wanted {
    /// Samples a second; none: the file's own.
    pub sample_rate_hz: Option<u32>,
    /// Where the part begins, in seconds.
    pub offset_s: Option<f64>,
    /// How long it lasts, in seconds; none: to the end.
    pub duration_s: Option<f64>,
}

impl Wanted {
    /// All of a recording at a rate, in samples a second.
    pub fn at(sample_rate_hz: u32) -> Self {
        Self { sample_rate_hz: Some(sample_rate_hz), ..Self::default() }
    }
}

/// A recording as one channel, a block at a time: the mean of its channels, resampled. Samples
/// that are no finite numbers are read as silence, and counted.
pub struct AudioStream {
    sound: SoundReader,
    resampler: Resampler,
    wanted: Wanted,
    sample_rate_hz: u32,
    /// Frames of the part that are still to be read.
    left: u64,
    /// Frames that were read while looking for the beginning of the part.
    begun: Vec<f32>,
    block: Vec<f32>,
    mono: Vec<f32>,
    out: Vec<f32>,
    strange: Strange,
    ended: bool,
}

/// Samples that are no finite numbers.
#[derive(Default)]
struct Strange {
    count: u64,
    /// The frame of the first.
    first: u64,
    /// Samples that are as they should be.
    good: u64,
}

impl AudioStream {
    /// Opens a recording.
    ///
    /// # Errors
    /// As of [`SoundReader::open`]; [`Error::Setting`] for a rate that is not possible; for a part
    /// that begins behind the end.
    pub fn open(input: &Input, wanted: &Wanted) -> Result<Self> {
        let sound = SoundReader::open(input)?;
        let own = sound.sample_rate_hz();
        let sample_rate_hz = wanted.sample_rate_hz.unwrap_or(own);
        let mut stream = Self {
            resampler: Resampler::new(own, sample_rate_hz)?,
            sound,
            wanted: *wanted,
            sample_rate_hz,
            left: u64::MAX,
            begun: Vec::new(),
            block: Vec::new(),
            mono: Vec::new(),
            out: Vec::new(),
            strange: Strange::default(),
            ended: false,
        };
        stream.go_to_part()?;
        Ok(stream)
    }

    fn go_to_part(&mut self) -> Result<()> {
        let frames = |name, seconds: f64| match seconds.is_finite() && seconds >= 0.0 {
            true => Ok((seconds * f64::from(self.sound.sample_rate_hz())).round() as u64),
            false => Err(Error::setting(name, seconds, "seconds, 0 or more")),
        };
        if let Some(seconds) = self.wanted.duration_s {
            self.left = frames("the duration", seconds)?;
        }
        let Some(seconds) = self.wanted.offset_s else { return Ok(()) };
        let first = frames("the offset", seconds)?;
        if first == 0 {
            return Ok(());
        }
        self.begun = self.sound.skip(first)?;
        if self.sound.position() < first || self.begun.is_empty() && !self.peek()? {
            let all = self.sound.position() as f64 / f64::from(self.sound.sample_rate_hz());
            let problem = format!(
                "the part begins at {seconds} s, but the recording has {all:.2} s; correct the \
                 offset, or leave the part out"
            );
            return Err(problem_at(self.sound.path(), None, problem));
        }
        Ok(())
    }

    /// Whether there are frames here.
    fn peek(&mut self) -> Result<bool> {
        self.sound.read(&mut self.begun)
    }

    /// What is read, as it is.
    pub fn sound(&self) -> &SoundReader {
        &self.sound
    }

    /// Samples a second of what is given.
    pub fn sample_rate_hz(&self) -> u32 {
        self.sample_rate_hz
    }

    /// The next samples `[n]`, with `n > 0`; none: there are no more.
    ///
    /// # Errors
    /// As of [`SoundReader::read`]; [`Error::File`] if the recording has no samples at all, or none
    /// that is a finite number.
    // An iterator could not lend its block.
    #[allow(clippy::should_implement_trait)]
    pub fn next(&mut self) -> Result<Option<&[f32]>> {
        self.out.clear();
        while self.out.is_empty() && !self.ended {
            let more = self.left > 0 && self.frames()?;
            if more {
                self.mix();
                self.resampler.push(&self.mono, &mut self.out);
            } else {
                self.ended = true;
                self.check()?;
                self.resampler.finish(&mut self.out);
            }
        }
        Ok(Some(&self.out[..]).filter(|out| !out.is_empty()))
    }

    /// The next frames into `block`, up to the end of the part.
    fn frames(&mut self) -> Result<bool> {
        match self.begun.is_empty() {
            true => {
                if !self.sound.read(&mut self.block)? {
                    return Ok(false);
                }
            }
            false => self.block = std::mem::take(&mut self.begun),
        }
        let channels = self.sound.channels();
        let frames = (self.block.len() / channels) as u64;
        let taken = frames.min(self.left);
        self.block.truncate(taken as usize * channels);
        if self.wanted.duration_s.is_some() {
            self.left -= taken;
        }
        Ok(true)
    }

    /// The mean of the channels into `mono`.
    fn mix(&mut self) {
        let channels = self.sound.channels();
        let frames = (self.block.len() / channels) as u64;
        let begin = self.sound.position().saturating_sub(frames);
        self.mono.clear();
        for (at, frame) in self.block.chunks_exact(channels).enumerate() {
            let mut sum = 0.0;
            for sample in frame {
                if sample.abs() <= LARGEST {
                    sum += f64::from(*sample);
                    self.strange.good += 1;
                } else {
                    if self.strange.count == 0 {
                        self.strange.first = begin + at as u64;
                    }
                    self.strange.count += 1;
                }
            }
            self.mono.push((sum / channels as f64) as f32);
        }
    }

    /// Checks that there was sound.
    fn check(&self) -> Result<()> {
        let problem = match (self.strange.good, self.strange.count) {
            (0, 0) => "the recording has no samples; leave it out, or record it again",
            (0, _) => {
                "no sample of the recording is a finite number; write it again from its source"
            }
            _ => return Ok(()),
        };
        Err(problem_at(self.sound.path(), None, problem.into()))
    }

    /// What was mended so far: sentences without a full stop.
    pub fn remarks(&self) -> Vec<String> {
        let mut all = self.sound.mended();
        let rate = f64::from(self.sound.sample_rate_hz());
        if self.strange.count > 0 {
            let one = self.strange.count == 1;
            all.push(format!(
                "{} {} no finite {}, the first at {:.3} s, read as silence",
                self.strange.count,
                if one { "sample is" } else { "samples are" },
                if one { "number" } else { "numbers" },
                self.strange.first as f64 / rate
            ));
        }
        let missing = self.left as f64 / rate;
        if let (Some(wanted), true) = (self.wanted.duration_s, self.ended && missing > ROUNDED_S) {
            all.push(format!(
                "the part should have {wanted:.2} s, but the recording ends {missing:.2} s before"
            ));
        }
        all
    }
}

/// Reads a recording, or a part of it, as one channel; also says what was mended, in sentences
/// without a full stop.
///
/// # Errors
/// As of [`AudioStream`]; [`Error::File`] for a recording that does not fit into a quarter of the
/// free memory.
pub fn read_audio(input: &Input, wanted: &Wanted) -> Result<(Audio, Vec<String>)> {
    let mut stream = AudioStream::open(input, wanted)?;
    let (rate, most) = (stream.sample_rate_hz(), room() / size_of::<f32>() as u64);
    let mut samples = Vec::new();
    while let Some(block) = stream.next()? {
        samples.extend(block);
        if samples.len() as u64 > most {
            let problem = format!(
                "the recording is longer than the {:.1} hours that fit into a quarter of the free \
                 memory; cut it into parts: `ffmpeg -i IN -f segment -segment_time 600 OUT%03d.wav`",
                most as f64 / f64::from(rate) / 3600.0
            );
            return Err(problem_at(input.name(), None, problem));
        }
    }
    let audio = Audio::new(samples, rate)
        .map_err(|error| problem_at(input.name(), None, error.to_string()))?;
    Ok((audio, stream.remarks()))
}
