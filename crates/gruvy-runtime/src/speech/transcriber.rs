//! A model of speech at work.
//!
//! ```no_run
//! use gruvy_runtime::audio::Audio;
//! use gruvy_runtime::speech::Transcriber;
//!
//! let transcriber = Transcriber::open("runs/mine")?;
//! let second = Audio::new(vec![0.0; 16_000], 16_000)?;
//! println!("{}", transcriber.transcribe(&second, &Default::default())?.text);
//! # Ok::<(), gruvy_runtime::Error>(())
//! ```
use super::beam::{Decoding, Search};
use super::codec::{Hears, SpeechCodec};
use super::path::{Greedy, Spoken, align, log_softmax};
use super::transcript::Transcript;
use crate::audio::Audio;
use crate::codec::Codec;
use crate::error::{Error, Result};
use crate::model::{file::ModelFile, network::Network, session::Session, steps::Steps};
use crate::task::TaskName;
use serde_json::Value;
use std::path::Path;
use std::sync::Arc;

/// Steps that a network without a look ahead takes at once: bounds the memory.
const CHUNK: usize = 512;

/// A model of speech, ready to run. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Transcriber {
    pub(super) network: Arc<Network>,
    pub(super) codec: Arc<SpeechCodec>,
    source: Value,
}

impl Transcriber {
    /// Makes a network ready.
    ///
    /// # Errors
    /// [`Error::Spec`] if network and codec do not fit.
    pub fn new(network: Arc<Network>, codec: SpeechCodec) -> Result<Self> {
        codec.fits(network.spec())?;
        Ok(Self { network, codec: Arc::new(codec), source: Value::Null })
    }

    /// Opens a model file, or the model of a run folder.
    ///
    /// # Errors
    /// As [`ModelFile::open`] and [`Transcriber::from_file`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Self::from_file(&ModelFile::open(path)?)
    }

    /// Makes the model of a file ready.
    ///
    /// # Errors
    /// [`Error::Task`] for a model of another task, and as [`Network::new`].
    pub fn from_file(file: &ModelFile) -> Result<Self> {
        let Codec::Speech(codec) = &file.codec else {
            return Err(Error::Task { expected: TaskName::Speech, got: file.task() });
        };
        let transcriber = Self::new(Arc::new(Network::new(file)?), (**codec).clone())?;
        Ok(Self { source: file.source.clone(), ..transcriber })
    }

    /// How the training data were read; for those who read data.
    pub fn source(&self) -> &Value {
        &self.source
    }

    /// The codec.
    pub fn codec(&self) -> &SpeechCodec {
        &self.codec
    }

    /// The network.
    pub fn network(&self) -> &Arc<Network> {
        &self.network
    }

    /// Seconds from step to step; 1 for a model of numbers.
    pub fn step_seconds(&self) -> f64 {
        match &self.codec.hears {
            Hears::Sound(front_end) => front_end.step_seconds(),
            Hears::Numbers(_) => 1.0,
        }
    }

    /// What is said in a recording, at the front end's rate.
    ///
    /// # Errors
    /// [`Error::Audio`] for another rate; as [`Decoding::check`].
    pub fn transcribe(&self, audio: &Audio, how: &Decoding) -> Result<Transcript> {
        let steps = self.codec.front_end()?.features(audio)?;
        self.transcribe_steps(&steps, how)
    }

    /// What the steps `[T, I]` say, as the network reads them.
    ///
    /// # Errors
    /// As [`Session::run`] and [`Decoding::check`].
    pub fn transcribe_steps(&self, steps: &[f32], how: &Decoding) -> Result<Transcript> {
        how.check()?;
        self.decode(&self.log_probabilities(steps)?, how)
    }

    /// What [log probabilities](Self::log_probabilities) `[T, V]` say.
    ///
    /// # Errors
    /// As [`Decoding::check`].
    pub fn decode(&self, log_p: &[f32], how: &Decoding) -> Result<Transcript> {
        let spoken = decode(log_p, &self.codec, how)?;
        Ok(Transcript::of(&self.codec.labels, &spoken, self.step_seconds()))
    }

    /// ln of the probability of each class at each step, `[T, V]`, of steps `[T, I]`.
    ///
    /// # Errors
    /// As [`Session::run`].
    pub fn log_probabilities(&self, steps: &[f32]) -> Result<Vec<f32>> {
        let (width, classes) = (self.codec.hears.width(), self.codec.labels.classes());
        let mut session = Session::new(self.network.clone(), 1)?;
        let both = self.network.spec().rnn.bidirectional;
        let chunk = if both { steps.len().max(1) } else { CHUNK * width };
        let mut log_p = Vec::with_capacity(steps.len() / width * classes);
        for part in steps.chunks(chunk) {
            log_p.extend_from_slice(session.run(Steps::Features(part))?);
        }
        log_softmax(&mut log_p, classes);
        Ok(log_p)
    }

    /// When each word of a known text is said.
    ///
    /// # Errors
    /// [`Error::Unspoken`] for a text that the model cannot say, [`Error::Audio`] for one that is
    /// too long for the recording.
    pub fn align(&self, audio: &Audio, text: &str) -> Result<Transcript> {
        let steps = self.codec.front_end()?.features(audio)?;
        let labels = self.codec.labels.encode(&self.codec.plain(text))?;
        let log_p = self.log_probabilities(&steps)?;
        let classes = self.codec.labels.classes();
        let Some((spoken, _)) = align(&log_p, classes, &labels) else {
            return Err(Error::audio(format!(
                "the recording has {} steps of {:.0} ms, and the text {} labels: the text \
                 does not belong to this recording, or the recording is cut off",
                log_p.len() / classes,
                1000.0 * self.step_seconds(),
                labels.len()
            )));
        };
        Ok(Transcript::of(&self.codec.labels, &spoken, self.step_seconds()))
    }
}

/// The best text of log probabilities `[T, V]`, with its places.
fn decode(log_p: &[f32], codec: &SpeechCodec, how: &Decoding) -> Result<Vec<Spoken>> {
    how.check()?;
    let classes = codec.labels.classes();
    if how.beam == 1 {
        let mut greedy = Greedy::default();
        log_p.chunks_exact(classes).for_each(|step| greedy.push(step));
        return Ok(greedy.spoken().to_vec());
    }
    let mut search = Search::new(how, &codec.labels, codec.lowercase)?;
    log_p.chunks_exact(classes).for_each(|step| search.push(step));
    let best = align(log_p, classes, &search.best());
    Ok(best.map_or_else(Vec::new, |(spoken, _)| spoken))
}
