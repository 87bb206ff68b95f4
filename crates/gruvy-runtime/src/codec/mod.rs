//! The half of a task that *uses* a model: raw input to numbers, numbers to an answer.
//!
//! A task adds one file here and one variant to [`Codec`].
mod bpe;
pub mod classify;
pub mod forecast;
pub mod memory;
pub mod text;
mod utf8;

use crate::{Result, Spec};
use classify::ClassifyCodec;
use forecast::ForecastCodec;
use memory::{Adding, Copying};
use serde::{Deserialize, Serialize};
use text::TextCodec;

/// The codec of a model file, one variant a task.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "task", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Codec {
    /// Text to tokens and back.
    Text(TextCodec),
    /// Two marked numbers of a sequence, to be added.
    Adding(Adding),
    /// Digits, to be repeated after a long pause.
    Copy(Copying),
    /// Series to windows, answers to distributions.
    Forecast(Box<ForecastCodec>),
    /// Texts and sequences to steps, answers to probabilities of labels.
    Classify(Box<ClassifyCodec>),
}

impl Codec {
    /// The task, as on the command line.
    pub fn task(&self) -> &'static str {
        match self {
            Codec::Text(_) => "text",
            Codec::Adding(_) => Adding::NAME,
            Codec::Copy(_) => Copying::NAME,
            Codec::Forecast(_) => ForecastCodec::NAME,
            Codec::Classify(_) => ClassifyCodec::NAME,
        }
    }

    /// Checks that a model of this spec takes what the codec gives, and gives what it takes.
    ///
    /// # Errors
    /// [`Error::Spec`](crate::Error::Spec) naming the part of the spec that does not fit.
    pub fn fits(&self, spec: &Spec) -> Result<()> {
        match self {
            Codec::Text(codec) => codec.fits(spec),
            Codec::Adding(codec) => codec.fits(spec),
            Codec::Copy(codec) => codec.fits(spec),
            Codec::Forecast(codec) => codec.fits(spec),
            Codec::Classify(codec) => codec.fits(spec),
        }
    }
}
