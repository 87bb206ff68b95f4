//! The one error of this crate. Every message says what happened, where, and what to do.
use gruvy_runtime::what_to_do;
use std::{
    io,
    path::{Path, PathBuf},
};

/// What can go wrong while training.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file or folder could not be read or written.
    #[error("cannot {action} {}: {source}{}", path.display(), what_to_do(source))]
    Io {
        /// A verb: "read", "write", "create".
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A setting has a value that makes no sense.
    #[error("{name} = {value}: {expected}")]
    Setting {
        /// The setting, named as in `run.toml` and on the command line.
        name: &'static str,
        /// What was given.
        value: String,
        /// What would be right.
        expected: String,
    },
    /// A settings file does not parse; the parser's text names key and line.
    #[error("{}: {source}", path.display())]
    Settings {
        /// The file.
        path: PathBuf,
        /// Key, line and column.
        source: Box<toml::de::Error>,
    },
    /// The data cannot be learned from as asked.
    #[error("{0}")]
    Data(String),
    /// The data are not those that the run was started with.
    #[error(
        "the data changed since this run was started (fingerprint {found}, the run has \
         {expected}): \
         restore the data, or start a new run in another folder"
    )]
    DataChanged {
        /// The run's.
        expected: String,
        /// That of the data now.
        found: String,
    },
    /// The run folder is in use by an earlier run.
    #[error("{} already holds a run: resume it, replace it, or choose another folder", .0.display())]
    RunExists(PathBuf),
    /// Another training writes into the folder.
    #[error(
        "{} is in use by {}: wait until that has ended, or choose another folder",
        path.display(),
        holder.map_or("another process".to_owned(), |id| format!("process {id}"))
    )]
    InUse {
        /// The folder.
        path: PathBuf,
        /// The process, if it is known.
        holder: Option<u32>,
    },
    /// There is no run to go on with.
    #[error("{} holds no run: no run.toml in it", .0.display())]
    NoRun(PathBuf),
    /// A checkpoint is damaged or belongs to another model.
    #[error("{}: {why}", path.display())]
    Checkpoint {
        /// The file.
        path: PathBuf,
        /// What is wrong and what to do.
        why: String,
    },
    /// The loss or a gradient is not a number any more.
    #[error(
        "training diverged at step {step}: {what} is {value} at learning rate {lr:.3e}. {}; start \
         again \
         with a lower value of the setting `lr` or of the setting `clip`",
        match kept {
            Some(step) => format!("The best model so far, of step {step}, is kept"),
            None => "There was no evaluation before, so no model is kept".to_owned(),
        }
    )]
    Diverged {
        /// Optimizer steps done before the one that failed.
        step: u64,
        /// "the loss" or "the gradient's norm".
        what: &'static str,
        /// NaN or infinite.
        value: f64,
        /// Learning rate of that step.
        lr: f64,
        /// The step of the best model so far, if there is one.
        kept: Option<u64>,
    },
    /// The folder of a comparison holds something else, or a file in it is damaged.
    #[error("{}: {why}", path.display())]
    Comparison {
        /// The folder or file.
        path: PathBuf,
        /// What is wrong and what to do.
        why: String,
    },
    /// The picture of the curves could not be drawn.
    #[error("cannot draw {}: {why}", path.display())]
    Curves {
        /// The picture.
        path: PathBuf,
        /// What the plotting library said.
        why: String,
    },
    /// A picture could not be drawn.
    #[error("cannot draw the picture: {why}")]
    Picture {
        /// What the drawing library said.
        why: String,
    },
    /// Data that cannot be read.
    #[error(transparent)]
    Read(gruvy_data::Error),
    /// Model files, codecs and evaluation.
    #[error(transparent)]
    Runtime(#[from] gruvy_runtime::Error),
}

/// Result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl From<gruvy_data::Error> for Error {
    fn from(error: gruvy_data::Error) -> Self {
        match error {
            gruvy_data::Error::Setting { name, got, expected } => {
                Self::Setting { name, value: got, expected: format!("expected {expected}") }
            }
            other => Self::Read(other),
        }
    }
}

impl Error {
    /// For `map_err` on input and output: what was tried, and on which file.
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { action, path, source }
    }

    /// A setting out of range.
    pub(crate) fn setting(
        name: &'static str,
        value: impl ToString,
        expected: impl Into<String>,
    ) -> Self {
        Self::Setting { name, value: value.to_string(), expected: expected.into() }
    }
}
