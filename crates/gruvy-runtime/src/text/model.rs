//! A text model at work.
//!
//! ```no_run
//! use gruvy_runtime::text::{Sampling, TextModel};
//!
//! let model = TextModel::open("runs/shakespeare")?;
//! println!("{}", model.write("ROMEO:", 200, &Sampling::default())?);
//! # Ok::<(), gruvy_runtime::Error>(())
//! ```
use super::codec::TextCodec;
use super::eval::{TextMetrics, evaluate_text};
use super::generate::Generator;
use super::sampler::Sampling;
use crate::codec::Codec;
use crate::error::{Error, Result};
use crate::model::{file::ModelFile, network::Network};
use crate::task::TaskName;
use serde_json::Value;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

/// A model of text, ready to run. Cheap to clone.
#[derive(Clone, Debug)]
pub struct TextModel {
    network: Arc<Network>,
    codec: TextCodec,
    source: Value,
}

impl TextModel {
    /// Opens a model file, or the model of a run folder.
    ///
    /// # Errors
    /// As [`ModelFile::open`] and [`TextModel::from_file`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Self::from_file(&ModelFile::open(path)?)
    }

    /// Makes the model of a file ready.
    ///
    /// # Errors
    /// [`Error::Task`] for a model of another task, and as [`Network::new`].
    pub fn from_file(file: &ModelFile) -> Result<Self> {
        let Codec::Text(codec) = &file.codec else {
            return Err(Error::Task { expected: TaskName::Text, got: file.task() });
        };
        let network = Arc::new(Network::new(file)?);
        Ok(Self { network, codec: codec.clone(), source: file.source.clone() })
    }

    /// Text to tokens and back.
    pub fn codec(&self) -> &TextCodec {
        &self.codec
    }

    /// The network.
    pub fn network(&self) -> &Arc<Network> {
        &self.network
    }

    /// How the training data were read; for those who read data.
    pub fn source(&self) -> &Value {
        &self.source
    }

    /// The text that follows `prompt`, `length` tokens long.
    ///
    /// # Errors
    /// As [`Generator::new`] and [`Generator::prompt`].
    pub fn write(&self, prompt: &str, length: usize, sampling: &Sampling) -> Result<String> {
        Ok(self.write_many(prompt, length, sampling, 1)?.remove(0))
    }

    /// Several texts that follow `prompt`, drawn with the seeds `sampling.seed`, `sampling.seed +
    /// 1`, …
    ///
    /// # Errors
    /// As [`Generator::new`] and [`Generator::prompt`].
    pub fn write_many(
        &self,
        prompt: &str,
        length: usize,
        sampling: &Sampling,
        count: usize,
    ) -> Result<Vec<String>> {
        let mut generator = self.stream(sampling, count)?;
        generator.prompt(prompt)?;
        let mut texts = vec![String::new(); count];
        generator.generate(length, |row, text| {
            texts[row].push_str(text);
            ControlFlow::Continue(())
        })?;
        Ok(texts)
    }

    /// Writes token by token, `count` texts side by side.
    ///
    /// # Errors
    /// As [`Generator::new`].
    pub fn stream(&self, sampling: &Sampling, count: usize) -> Result<Generator> {
        Generator::new(self.network.clone(), &self.codec, sampling, count)
    }

    /// How well the model predicts `text` from start to end.
    ///
    /// # Errors
    /// As [`evaluate_text`].
    pub fn evaluate(&self, text: impl AsRef<[u8]>) -> Result<TextMetrics> {
        evaluate_text(&self.network, &self.codec, text)
    }
}
