//! Files of sound.
use crate::error::Result;
use gruvy_data::Input;
use gruvy_data::audio::{AudioStream, SoundReader, Wanted, read_audio};
use gruvy_runtime::audio::Audio;
use gruvy_runtime::speech::{Decoding, Heard, Transcriber, Transcript};
use rayon::prelude::*;
use std::path::Path;

/// Samples of one channel as they are read, a block at a time: a recording of hours takes no more
/// memory than one of a second.
pub struct Blocks(AudioStream);

impl Blocks {
    /// Opens a recording; it is resampled to `rate`, in samples a second.
    ///
    /// # Errors
    /// If it cannot be read, or is no sound.
    pub fn open(input: &Input, rate: u32) -> Result<Self> {
        Ok(Self(AudioStream::open(input, &Wanted::at(rate))?))
    }

    /// The next samples; none at the end.
    ///
    /// # Errors
    /// If the recording cannot be read.
    #[allow(clippy::should_implement_trait)]
    pub fn next(&mut self) -> Result<Option<&[f32]>> {
        Ok(self.0.next()?)
    }

    /// What was mended, in sentences without a full stop.
    pub fn remarks(&self) -> Vec<String> {
        self.0.remarks()
    }
}

/// Samples a second of a recording.
///
/// # Errors
/// If it cannot be read, or is no sound.
pub(super) fn rate_of(path: &Path) -> Result<u32> {
    Ok(SoundReader::open(&Input::from(path))?.sample_rate_hz())
}

/// A whole recording, or the part of it that begins at `offset_s` and lasts `duration_s` seconds;
/// with what was mended.
///
/// # Errors
/// If it cannot be read, is no sound, or does not fit into memory.
pub fn audio(
    input: &Input,
    rate: Option<u32>,
    [offset_s, duration_s]: [Option<f64>; 2],
) -> Result<(Audio, Vec<String>)> {
    let wanted = Wanted { sample_rate_hz: rate, offset_s, duration_s };
    Ok(read_audio(input, &wanted)?)
}

/// A transcribed recording.
#[derive(Clone, Debug)]
pub struct Transcribed {
    /// What is said.
    pub transcript: Transcript,
    /// How long the recording is.
    pub seconds: f64,
    /// What was mended of the file, in sentences without a full stop.
    pub remarks: Vec<String>,
}

/// Transcribes a file. A model that reads in one direction, with the best label of each step, takes
/// no more memory for hours than for a second.
///
/// # Errors
/// If the file cannot be read or is no sound; as [`Transcriber::transcribe`].
pub fn transcribe_file(
    transcriber: &Transcriber,
    input: &Input,
    how: &Decoding,
) -> Result<Transcribed> {
    how.check()?;
    let rate = transcriber.codec().front_end()?.sample_rate_hz;
    let stream = match how.beam {
        1 => transcriber.stream(f64::MAX).ok(),
        _ => None,
    };
    let Some(mut stream) = stream else {
        let (audio, remarks) = audio(input, Some(rate), [None, None])?;
        let transcript = transcriber.transcribe(&audio, how)?;
        return Ok(Transcribed { transcript, seconds: audio.seconds(), remarks });
    };
    let mut blocks = Blocks::open(input, rate)?;
    let (mut transcript, mut samples) = (Transcript::default(), 0u64);
    let mut take = |heard: Vec<Heard>| {
        for one in heard {
            if let Heard::Final(said) = one {
                transcript = std::mem::take(&mut transcript).then(said);
            }
        }
    };
    while let Some(block) = blocks.next()? {
        samples += block.len() as u64;
        take(stream.push(block)?);
    }
    take(stream.finish()?);
    let seconds = samples as f64 / f64::from(rate);
    Ok(Transcribed { transcript, seconds, remarks: blocks.remarks() })
}

/// All recordings of a file or folder, resampled; each at most so long that many fit into memory.
///
/// # Errors
/// If there is none, or one cannot be read.
pub(super) fn read_background(path: &Path, rate: u32) -> Result<Vec<Audio>> {
    /// Of each recording, as noise is much alike.
    const SECONDS: f64 = 600.0;
    let inputs = match path.is_dir() {
        false => vec![Input::from(path)],
        true => gruvy_data::files_below(path)?.iter().map(|file| file.as_path().into()).collect(),
    };
    if inputs.is_empty() {
        let why = format!("{}: the folder has no recordings of noise", path.display());
        return Err(crate::Error::Data(why));
    }
    let one = |input: &Input| Ok(audio(input, Some(rate), [None, Some(SECONDS)])?.0);
    inputs.par_iter().map(one).collect()
}
