//! The codec of a model file: the list of tasks as far as a model is concerned.
use crate::classify::codec::ClassifyCodec;
use crate::error::Result;
use crate::forecast::codec::ForecastCodec;
use crate::memory::codec::{Adding, Copying};
use crate::model::spec::Spec;
use crate::music::codec::MusicCodec;
use crate::music::events::EventCodec;
use crate::speech::SpeechCodec;
use crate::task::TaskName;
use crate::text::codec::TextCodec;
use serde::{Deserialize, Serialize};

/// The codec of a model file, one variant a task; music has two.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "task", rename_all = "snake_case")]
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
    /// Frames of keys to steps and back.
    Music(MusicCodec),
    /// What is done on a keyboard, one thing after another.
    Events(EventCodec),
    /// Sound to steps, classes to text.
    Speech(Box<SpeechCodec>),
}

impl Codec {
    /// What the model is for.
    pub fn task(&self) -> TaskName {
        match self {
            Codec::Text(_) => TaskName::Text,
            Codec::Adding(_) => TaskName::Adding,
            Codec::Copy(_) => TaskName::Copy,
            Codec::Forecast(_) => TaskName::Forecast,
            Codec::Classify(_) => TaskName::Classify,
            Codec::Music(_) | Codec::Events(_) => TaskName::Music,
            Codec::Speech(_) => TaskName::Speech,
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
            Codec::Music(codec) => codec.fits(spec),
            Codec::Events(codec) => codec.fits(spec),
            Codec::Speech(codec) => codec.fits(spec),
        }
    }
}
