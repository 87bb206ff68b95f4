//! Settings of the classification task.
use crate::settings::{run::RunSettings, split::Split};
use gruvy_data::examples::ExampleFormat;
use gruvy_data::settings;
use gruvy_data::settings::{Kind, Range};
use gruvy_runtime::model::Pool;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// What one step of a text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Unit {
    /// A word or a mark.
    Word,
    /// A character.
    Char,
    /// A byte.
    Byte,
    /// A piece of a word, learned from the training texts.
    Bpe,
}

impl Unit {
    /// All of them, with the names they are written as.
    pub const ALL: [(&'static str, Self); 4] =
        [("word", Self::Word), ("char", Self::Char), ("byte", Self::Byte), ("bpe", Self::Bpe)];
}

settings! {
    /// Settings of the classification task. The `[classify]` table of `run.toml`. What is none is chosen by the data, and said.
    pub struct ClassifyConfig {
        unit: Unit = Unit::Word, Kind::Choice(|| Unit::ALL.map(|(name, _)| name).to_vec()), "",
            "What one step of a text is";
        vocab_size: usize = 20_000, Kind::Whole(1), "N",
            "Most words or word pieces of the vocabulary";
        min_count: usize = 1, Kind::Whole(1), "N",
            "Fewest times that a word must be there to be known";
        lowercase: bool = true, Kind::Switch, "BOOL", "Take capitals for small letters";
        #[serde(skip_serializing_if = "Option::is_none")]
        max_len: Option<usize> = None, Kind::Whole(0), "N",
            "Most steps that are read of an item; 0: all [default: 400 of a text, all of a \
             sequence]";
        /// `E`; word vectors bring their own.
        embed: usize = 128, Kind::Whole(1), "N", "Numbers in a token's embedding";
        /// Where they do not come from word vectors.
        embed_std: f64 = 0.1, Kind::Number(Range::Positive), "STD",
            "Standard deviation of the embeddings at the start";
        #[serde(skip_serializing_if = "Option::is_none")]
        vectors: Option<PathBuf> = None, Kind::Path, "FILE",
            "Word vectors to begin with, in GloVe's or word2vec's text format";
        freeze_vectors: bool = false, Kind::Switch, "BOOL", "Leave the embeddings as they begin";
        #[serde(skip_serializing_if = "Option::is_none")]
        word_dropout: Option<f64> = None, Kind::Number(Range::Share), "P",
            "Share of words that are made unknown while training [default: a tenth where there \
             are words or characters]";
        #[serde(skip_serializing_if = "Option::is_none")]
        bidirectional: Option<bool> = None, Kind::Switch, "BOOL",
            "Read in both directions [default: true for texts]";
        #[serde(skip_serializing_if = "Option::is_none")]
        pool: Option<Pool> = None, Kind::Choice(|| Pool::ALL.map(|(name, _)| name).to_vec()), "",
            "How all steps become one answer [default: max for texts, last for sequences]";
        multi_label: bool = false, Kind::Switch, "BOOL", "Items can have several labels, or none";
        class_weights: bool = false, Kind::Switch, "BOOL",
            "Let every class count alike, however rare it is";
        split: Split = Split { train: 80.0, valid: 10.0, test: 10.0 }, Kind::Text, "A/B/C",
            "Percent of the data to train, validate and test on, such as 80/10/10; every label in \
             these shares";
        #[serde(skip_serializing_if = "Option::is_none")]
        valid: Option<PathBuf> = None, Kind::Path, "PATH", "Validate on this file or folder instead";
        #[serde(skip_serializing_if = "Option::is_none")]
        test: Option<PathBuf> = None, Kind::Path, "PATH", "Test on this file or folder instead";
        /// 0: none.
        folds: usize = 0, Kind::Whole(0), "N",
            "Train so many models, each tested on another part of the data that it did not learn \
             from: cross-validation";
        fold: usize = 0, Kind::Whole(0), "N",
            "Train only the model that is tested on this one of the folds, from 1; 0: all of them";
        /// What stands where in the data.
        format: ExampleFormat = ExampleFormat::default();
    }
}

/// All settings of a run of the classification task.
pub type ClassifyRun = RunSettings<ClassifyConfig>;
