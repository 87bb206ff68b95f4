//! Settings of the text task.
use super::{corpus::Corpus, task::TextTask};
use crate::{
    error::{Error, Result},
    settings::{
        run::{Metric, RunSettings, TaskConfig},
        split::Split,
    },
};
use gruvy_runtime::TaskName;
use gruvy_runtime::text::TextUnit;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Settings of the text task. The `[text]` table of `run.toml`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TextConfig {
    /// What a token is.
    pub unit: TextUnit,
    /// Most entries of the vocabulary when `unit` is `bpe`.
    pub vocab_size: usize,
    /// `E`, numbers in a token's embedding.
    pub embed: usize,
    /// Use the embedding as the head's matrix too; needs `embed` equal to `hidden`.
    pub tied: bool,
    /// `T`, steps that a gradient runs back through. The state itself runs on across batches.
    pub seq_len: usize,
    /// How the data are divided.
    pub split: Split,
    /// Validate on this file or folder instead of a part of the data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub valid: Option<PathBuf>,
    /// Test on this file or folder instead of a part of the data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub test: Option<PathBuf>,
}

impl Default for TextConfig {
    fn default() -> Self {
        Self {
            unit: TextUnit::Char,
            vocab_size: 2000,
            embed: 64,
            tied: false,
            seq_len: 64,
            split: Split::default(),
            valid: None,
            test: None,
        }
    }
}

/// All settings of a run of the text task.
pub type TextRun = RunSettings<TextConfig>;

impl TaskConfig for TextConfig {
    const TASK: TaskName = TaskName::Text;
    const UNIT: &'static str = "tokens";
    const METRICS: &'static [Metric] = &[
        Metric { name: "loss", title: "nats", decimals: 3 },
        Metric { name: "bits_per_char", title: "bits/char", decimals: 3 },
        Metric { name: "perplexity", title: "perplexity", decimals: 2 },
    ];
    type Task = TextTask;

    fn run_name(&self) -> String {
        "tales".to_owned()
    }

    fn follow_hidden(run: &mut TextRun) {
        if run.task.tied {
            run.task.embed = run.train.hidden;
        }
    }

    fn paths_mut(&mut self) -> Vec<&mut PathBuf> {
        self.valid.iter_mut().chain(&mut self.test).collect()
    }

    fn check(run: &TextRun) -> Result<()> {
        let (text, hidden) = (&run.task, run.train.hidden);
        for (name, value, least) in [
            ("embed", text.embed, 1),
            ("seq_len", text.seq_len, 1),
            ("vocab_size", text.vocab_size, 257),
        ] {
            if value < least {
                return Err(Error::setting(name, value, format!("expected at least {least}")));
            }
        }
        if text.tied && text.embed != hidden {
            let why = format!("tied needs embed equal to hidden, which is {hidden}");
            return Err(Error::setting("embed", text.embed, why));
        }
        Ok(())
    }

    fn load(run: TextRun) -> Result<TextTask> {
        run.check()?;
        let corpus = Corpus::load(&run)?;
        TextTask::new(run, corpus)
    }
}
