//! A recording, a block at a time.
use super::kind::{Kind, recognise};
use super::mend::Mended;
use super::packets::Packets;
use super::source::Source;
use super::wav::Wav;
use crate::error::{Error, Result, problem_at};
use crate::input::Input;
use std::path::PathBuf;

/// What a file says of its sound.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct About {
    pub(super) format: String,
    pub(super) sample_rate_hz: u32,
    pub(super) channels: usize,
    pub(super) frames: Option<u64>,
}

/// What gives samples of a file. Errors are sentences without the file.
pub(super) trait Decoder: Send {
    fn about(&self) -> &About;

    /// Adds samples, interleaved; false: these were the last.
    fn next(&mut self, block: &mut Vec<f32>, mended: &mut Mended) -> Result<bool, String>;

    /// Goes to a frame, counted from the first, or somewhat before it; says to which. None: the
    /// file can be read from its beginning alone.
    fn skip(&mut self, frames: u64) -> Result<Option<u64>, String>;
}

/// A recording that is read a block at a time, as it is: all channels, at its own rate.
///
/// ```no_run
/// # fn main() -> gruvy_data::Result<()> {
/// let mut sound = gruvy_data::audio::SoundReader::open(&"long.flac".into())?;
/// let mut block = Vec::new();
/// while sound.read(&mut block)? {
///     println!("{} frames", block.len() / sound.channels());
/// }
/// # Ok(())
/// # }
/// ```
pub struct SoundReader {
    path: PathBuf,
    decoder: Box<dyn Decoder>,
    mended: Mended,
    read: u64,
    ended: bool,
}

impl SoundReader {
    /// Opens a recording: WAV, FLAC, MP3, Ogg Vorbis, AIFF, M4A (AAC or ALAC), AAC. The content
    /// says which, not the name.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::File`] for what is no recording, is of a kind that is not supported,
    /// or has a header that makes no sense.
    pub fn open(input: &Input) -> Result<Self> {
        let path = input.name().to_owned();
        let mut source = Source::open(input)?;
        let io = |error| Error::Io { action: "read", path: path.clone(), error };
        let problem = |problem: String| problem_at(&path, None, problem);
        let kind = recognise(&mut source).map_err(io)?.map_err(problem)?;
        let mut mended = Mended::default();
        let decoder: Box<dyn Decoder> = match kind {
            Kind::Wav => Box::new(Wav::open(source, &mut mended).map_err(problem)?),
            kind => Box::new(Packets::open(kind, source, &mut mended).map_err(problem)?),
        };
        Ok(Self { path, decoder, mended, read: 0, ended: false })
    }

    /// Where it comes from.
    pub fn path(&self) -> &std::path::Path {
        &self.path
    }

    /// What the file is, in words: `WAV, 16 bits`.
    pub fn format(&self) -> &str {
        &self.decoder.about().format
    }

    /// Frames a second.
    pub fn sample_rate_hz(&self) -> u32 {
        self.decoder.about().sample_rate_hz
    }

    /// Samples of a frame.
    pub fn channels(&self) -> usize {
        self.decoder.about().channels
    }

    /// How many frames the file says that it has, if it does. Some kinds of files do not say, or
    /// guess.
    pub fn frames(&self) -> Option<u64> {
        self.decoder.about().frames
    }

    /// Frames read so far, those that were skipped among them.
    pub fn position(&self) -> u64 {
        self.read
    }

    /// The next samples `[frames, channels]`, ±1 is full scale; `block` is emptied first. False, and
    /// no samples: there are no more.
    ///
    /// # Errors
    /// [`Error::File`] where the file is damaged so that what follows would stand at a wrong time.
    pub fn read(&mut self, block: &mut Vec<f32>) -> Result<bool> {
        block.clear();
        while block.is_empty() && !self.ended {
            let next = self.decoder.next(block, &mut self.mended);
            self.ended = !next.map_err(|problem| problem_at(&self.path, None, problem))?;
        }
        self.read += (block.len() / self.channels()) as u64;
        Ok(!block.is_empty())
    }

    /// Steps over frames from the beginning of the file; what is read next begins there. Where the
    /// file is shorter, nothing is left.
    ///
    /// # Errors
    /// As of [`read`](Self::read).
    pub(super) fn skip(&mut self, frames: u64) -> Result<Vec<f32>> {
        let place = self.decoder.skip(frames);
        let place = place.map_err(|problem| problem_at(&self.path, None, problem))?;
        self.read = place.unwrap_or_default();
        let mut block = Vec::new();
        while self.read < frames && self.read(&mut block)? {}
        // What was read too far.
        let over = self.read.saturating_sub(frames) as usize * self.channels();
        Ok(block.split_off(block.len().saturating_sub(over)))
    }

    /// What had to be mended so far: sentences without a full stop.
    pub fn mended(&self) -> Vec<String> {
        self.mended.sentences()
    }
}
