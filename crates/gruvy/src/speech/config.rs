//! Settings of the speech task.
use crate::audio::AugmentConfig;
use crate::settings::{run::RunSettings, split::Split};
use gruvy_data::settings;
use gruvy_data::settings::{Kind, Range};
use gruvy_data::speech::SpeechFormat;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// What a label is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Unit {
    /// A character.
    Char,
    /// A word.
    Word,
    /// A piece of a word, learned from the training texts.
    Bpe,
}

impl Unit {
    /// All of them, with the names they are written as.
    pub const ALL: [(&'static str, Self); 3] =
        [("char", Self::Char), ("word", Self::Word), ("bpe", Self::Bpe)];
}

/// What the values of a frame are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Features {
    /// ln of the power in each mel filter.
    LogMel,
    /// The first 13 coefficients of the DCT of these.
    Mfcc,
}

impl Features {
    /// All of them, with the names they are written as.
    pub const ALL: [(&'static str, Self); 2] = [("logmel", Self::LogMel), ("mfcc", Self::Mfcc)];
}

/// How values are normalised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Normalise {
    /// By mean and deviation over the training data.
    Training,
    /// By the mean of the recording so far.
    Running,
    /// By mean and deviation over the recording.
    Utterance,
}

impl Normalise {
    /// All of them, with the names they are written as.
    pub const ALL: [(&'static str, Self); 3] =
        [("training", Self::Training), ("running", Self::Running), ("utterance", Self::Utterance)];
}

settings! {
    /// Settings of the speech task. The `[speech]` table of `run.toml`. What is none is chosen by
    /// the data, and said.
    pub struct SpeechConfig {
        #[serde(skip_serializing_if = "Option::is_none")]
        unit: Option<Unit> = None, Kind::Choice(|| Unit::ALL.map(|(name, _)| name).to_vec()), "",
            "Unit of the labels [default: word if there are at most 100 different words, else char]";
        vocab_size: usize = 500, Kind::Whole(257), "N", "Size of the vocabulary of the unit bpe";
        lowercase: bool = true, Kind::Switch, "BOOL", "Write all texts in lowercase";
        bidirectional: bool = false, Kind::Switch, "BOOL",
            "Read in both directions: fewer errors, but the model cannot transcribe live";
        #[serde(skip_serializing_if = "Option::is_none")]
        rate: Option<u32> = None, Kind::Whole(1), "HZ",
            "Sample rate of the model, to which recordings are resampled [default: that of most \
             recordings, at most 16000]";
        features: Features = Features::LogMel,
            Kind::Choice(|| Features::ALL.map(|(name, _)| name).to_vec()), "",
            "Features of a frame";
        mels: usize = 40, Kind::Whole(1), "N", "Filters of the mel scale";
        deltas: usize = 0, Kind::Whole(0), "N",
            "Orders of differences behind the values of a frame, at most 2";
        stack: usize = 3, Kind::Whole(1), "N", "Frames of 10 ms that are joined to a step";
        stride: usize = 3, Kind::Whole(1), "N", "Frames of 10 ms from step to step";
        normalise: Normalise = Normalise::Training,
            Kind::Choice(|| Normalise::ALL.map(|(name, _)| name).to_vec()), "",
            "What features are normalised by";
        #[serde(skip_serializing_if = "Option::is_none")]
        repeats: Option<usize> = None, Kind::Whole(1), "N",
            "How often each recording is heard in an epoch, augmented differently each time \
             [default: often enough to hear 200]";
        /// As a share of the batch.
        silence: f64 = 0.1, Kind::Number(Range::Share), "SHARE",
            "Recordings of silence and noise added to each batch, as a share of it";
        split: Split = Split { train: 80.0, valid: 10.0, test: 10.0 }, Kind::Text, "A/B/C",
            "Percent of the recordings to train, validate and test on, such as 80/10/10";
        #[serde(skip_serializing_if = "Option::is_none")]
        valid: Option<PathBuf> = None, Kind::Path, "PATH", "Validate on these recordings instead";
        #[serde(skip_serializing_if = "Option::is_none")]
        test: Option<PathBuf> = None, Kind::Path, "PATH", "Test on these recordings instead";
        /// How recordings and texts lie in their files.
        format: SpeechFormat = SpeechFormat::default();
        /// How recordings are changed while they are learned from.
        augment: AugmentConfig = AugmentConfig::default();
    }
}

/// All settings of a run of the speech task.
pub type SpeechRun = RunSettings<SpeechConfig>;
