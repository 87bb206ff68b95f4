//! Settings of the text task and the file that keeps a whole run's settings, `run.toml`.
use crate::{
    error::{Error, Result},
    train::TrainConfig,
};
use gruvy_runtime::TextUnit;
use serde::{Deserialize, Serialize};
use std::{
    fmt, fs,
    path::{Path, PathBuf},
    str::FromStr,
};

/// Shares of the data in percent: the first part trains, the next validates, the last tests.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Split {
    /// Percent to train on, above 0.
    pub train: f64,
    /// Percent to validate on; 0 for none.
    pub valid: f64,
    /// Percent to test on; 0 for none.
    pub test: f64,
}

impl Default for Split {
    fn default() -> Self {
        Self { train: 90.0, valid: 5.0, test: 5.0 }
    }
}

impl FromStr for Split {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "{text:?} is no split: expected three percentages that sum to 100, the first above 0, \
                 like 90/5/5"
            )
        };
        let parts: Vec<f64> = text
            .split('/')
            .map(|p| p.trim().parse().map_err(|_| wrong()))
            .collect::<Result<_, _>>()?;
        let [train, valid, test] = parts[..] else { return Err(wrong()) };
        let good = train > 0.0 && valid >= 0.0 && test >= 0.0;
        if !good || (train + valid + test - 100.0).abs() > 1e-6 {
            return Err(wrong());
        }
        Ok(Self { train, valid, test })
    }
}

impl fmt::Display for Split {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.train, self.valid, self.test)
    }
}

impl TryFrom<String> for Split {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Split> for String {
    fn from(split: Split) -> Self {
        split.to_string()
    }
}

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

/// Where the text comes from. The `[data]` table of `run.toml`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DataConfig {
    /// Files and folders, `-` for standard input. None: the embedded tales.
    pub paths: Vec<PathBuf>,
}

/// All settings of a run of the text task: `run.toml`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TextRun {
    /// Always `text`.
    pub task: TaskName,
    /// The loop and the network.
    pub train: TrainConfig,
    /// The task.
    pub text: TextConfig,
    /// The data.
    pub data: DataConfig,
}

/// The name of this task, so that a settings file of another is refused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TaskName {
    /// `text`
    #[default]
    Text,
}

impl TextRun {
    /// Reads a settings file. What it does not mention keeps its default.
    ///
    /// # Errors
    /// If it cannot be read, or has an unknown key or a wrong value: the message names key and line.
    pub fn read(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path).map_err(Error::io("read", path))?;
        toml::from_str(&text)
            .map_err(|e| Error::Settings { path: path.to_owned(), source: Box::new(e) })
    }

    /// The text of a settings file. Paths are written from the root, so that a run can be resumed from any
    /// folder.
    ///
    /// # Errors
    /// [`Error::Io`] if a path cannot be completed, as the current folder is gone.
    pub fn to_toml(&self) -> Result<String> {
        let mut run = self.clone();
        let named = run.text.valid.iter_mut().chain(run.text.test.iter_mut());
        for path in run.data.paths.iter_mut().chain(named) {
            if path.as_os_str() != "-" {
                *path = std::path::absolute(&*path).map_err(Error::io("find", path))?;
            }
        }
        toml::to_string(&run)
            .map_err(|e| Error::Data(format!("a path cannot be written to run.toml: {e}")))
    }

    /// Refuses values that make no sense, before any work is done.
    ///
    /// # Errors
    /// [`Error::Setting`] with the name of the first such setting.
    pub fn check(&self) -> Result<()> {
        self.train.check()?;
        let text = &self.text;
        for (name, value, least) in [
            ("embed", text.embed, 1),
            ("seq_len", text.seq_len, 1),
            ("vocab_size", text.vocab_size, 257),
        ] {
            if value < least {
                return Err(Error::setting(name, value, format!("expected at least {least}")));
            }
        }
        if text.tied && text.embed != self.train.hidden {
            let why = format!("tied needs embed equal to hidden, which is {}", self.train.hidden);
            return Err(Error::setting("embed", text.embed, why));
        }
        Ok(())
    }
}
