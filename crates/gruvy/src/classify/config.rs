//! Settings of the classification task.
use super::task::ClassifyTask;
use crate::{
    error::{Error, Result},
    settings::{
        run::{Metric, RunSettings, TaskConfig},
        split::Split,
    },
    train::config::TrainConfig,
};
use gruvy_data::examples::ExampleFormat;
use gruvy_runtime::TaskName;
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

/// Settings of the classification task. The `[classify]` table of `run.toml`. What is none is chosen by the data, and said.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ClassifyConfig {
    /// What one step of a text is.
    pub unit: Unit,
    /// Most words or word pieces of the vocabulary.
    pub vocab_size: usize,
    /// Fewest times that a word must be there to get into the vocabulary.
    pub min_count: usize,
    /// Whether capitals are small letters; for words.
    pub lowercase: bool,
    /// Most steps that are read of an item; 0: all; none: 400 of a text, all of a sequence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_len: Option<usize>,
    /// `E`, numbers in a token's embedding; word vectors bring their own.
    pub embed: usize,
    /// Standard deviation of the embeddings at the start, where they do not come from word vectors.
    pub embed_std: f64,
    /// Word vectors to begin with, in GloVe's or word2vec's text format.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vectors: Option<PathBuf>,
    /// Leave the embeddings as they begin.
    pub freeze_vectors: bool,
    /// Share of words (or characters) that are made unknown while training; none: a tenth.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub word_dropout: Option<f64>,
    /// Read in both directions; none: texts, but not sequences, which can then be answered as they come.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bidirectional: Option<bool>,
    /// How all steps become one answer; none: the largest of each unit for texts, the last step for sequences.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pool: Option<Pool>,
    /// An item can have several labels, or none.
    pub multi_label: bool,
    /// Every class counts alike, however rare it is.
    pub class_weights: bool,
    /// How the data are divided, each label in these shares.
    pub split: Split,
    /// Validate on this file or folder instead of a part of the data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub valid: Option<PathBuf>,
    /// Test on this file or folder instead of a part of the data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub test: Option<PathBuf>,
    /// Divide the data into so many folds, and test on one of them; 0: none.
    pub folds: usize,
    /// Which of the folds is tested on, from 1.
    pub fold: usize,
    /// What stands where in the data.
    pub format: ExampleFormat,
}

impl Default for ClassifyConfig {
    fn default() -> Self {
        Self {
            unit: Unit::Word,
            vocab_size: 20_000,
            min_count: 1,
            lowercase: true,
            max_len: None,
            embed: 128,
            embed_std: 0.1,
            vectors: None,
            freeze_vectors: false,
            word_dropout: None,
            bidirectional: None,
            pool: None,
            multi_label: false,
            class_weights: false,
            split: Split { train: 80.0, valid: 10.0, test: 10.0 },
            valid: None,
            test: None,
            folds: 0,
            fold: 1,
            format: ExampleFormat::default(),
        }
    }
}

/// All settings of a run of the classification task.
pub type ClassifyRun = RunSettings<ClassifyConfig>;

impl TaskConfig for ClassifyConfig {
    const TASK: TaskName = TaskName::Classify;
    const UNIT: &'static str = "items";
    const METRICS: &'static [Metric] = &[
        Metric { name: "loss", title: "log loss", decimals: 4 },
        Metric { name: "accuracy", title: "accuracy", decimals: 4 },
        Metric { name: "macro_f1", title: "macro F1", decimals: 4 },
    ];
    type Task = ClassifyTask;

    fn train_defaults() -> TrainConfig {
        TrainConfig {
            hidden: 128,
            dropout: 0.5,
            batch: 32,
            epochs: 8,
            lr: 2e-3,
            ema: 0.998,
            label_smoothing: 0.1,
            patience: 10,
            ..TrainConfig::default()
        }
    }

    fn run_name(&self) -> String {
        "synthetic".to_owned()
    }

    fn paths_mut(&mut self) -> Vec<&mut PathBuf> {
        self.valid.iter_mut().chain(&mut self.test).chain(&mut self.vectors).collect()
    }

    fn check(run: &ClassifyRun) -> Result<()> {
        let task = &run.task;
        for (name, value) in [
            ("embed", task.embed),
            ("vocab_size", task.vocab_size),
            ("min_count", task.min_count),
            ("fold", task.fold),
        ] {
            if value == 0 {
                return Err(Error::setting(name, value, "expected at least 1"));
            }
        }
        if task.unit == Unit::Bpe && task.vocab_size < 257 {
            let why = "expected at least 257 for the unit bpe, which has all bytes";
            return Err(Error::setting("vocab_size", task.vocab_size, why));
        }
        if let Some(rate) = task.word_dropout.filter(|rate| !(0.0..1.0).contains(rate)) {
            return Err(Error::setting(
                "word_dropout",
                rate,
                "expected at least 0 and less than 1",
            ));
        }
        if !(task.embed_std > 0.0 && task.embed_std.is_finite()) {
            return Err(Error::setting("embed_std", task.embed_std, "expected a number above 0"));
        }
        if task.folds == 1 || task.folds > 0 && task.fold > task.folds {
            let why = "expected folds of at least 2 (0 for none), and fold from 1 to folds";
            let value = format!("{}, fold = {}", task.folds, task.fold);
            return Err(Error::setting("folds", value, why));
        }
        if task.folds > 0 && task.test.is_some() {
            let why = "expected no test data of their own beside folds, one of which is tested on";
            return Err(Error::setting("folds", task.folds, why));
        }
        if task.unit != Unit::Word && task.vectors.is_some() {
            let why = "word vectors need the unit word";
            return Err(Error::setting("vectors", show(task.vectors.as_deref()), why));
        }
        Ok(())
    }

    fn load(run: ClassifyRun) -> Result<ClassifyTask> {
        run.check()?;
        ClassifyTask::load(run)
    }
}

fn show(path: Option<&std::path::Path>) -> String {
    path.map(|path| path.display().to_string()).unwrap_or_default()
}
