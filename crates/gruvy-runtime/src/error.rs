//! The one error of the crate. Every message says what, where, expected, got and what to do.
use crate::task::TaskName;
use std::path::{Path, PathBuf};

/// The crate's result.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Everything that can go wrong while reading, writing or running a model.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A problem found in the file at `path`.
    #[error("{}: {error}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        error: Box<Error>,
    },
    /// The operating system refused.
    #[error("cannot {action} {}: {error}{}", path.display(), what_to_do(error))]
    Io {
        /// What was tried, as a verb.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's answer.
        error: std::io::Error,
    },

    /// The file ends too early.
    #[error(
        "the file is truncated: expected at least {expected} bytes, got {got}; copy or train it \
         again"
    )]
    Truncated {
        /// Bytes needed, as far as can be told.
        expected: u64,
        /// Bytes there.
        got: u64,
    },
    /// The file is of another kind.
    #[error("not a safetensors file ({reason}); expected a model written by gruvy")]
    NotSafetensors {
        /// What gave it away.
        reason: String,
    },
    /// A safetensors file, but not of gruvy.
    #[error(
        "a safetensors file without gruvy's header (key `gruvy` in `__metadata__`); \
         expected a model written by gruvy"
    )]
    NoHeader,
    /// A folder in which there is no model.
    #[error(
        "{} holds no model (model.safetensors): give a run folder in which a model was trained, or a \
         model file",
        path.display()
    )]
    NoModel {
        /// The folder.
        path: PathBuf,
    },
    /// gruvy's header cannot be understood.
    #[error("the model header is invalid: {reason}")]
    Header {
        /// What is wrong.
        reason: String,
    },
    /// The file is from another version of the format.
    #[error(
        "model format version {got} is unknown; this program reads versions 1 to {expected}: \
         update it"
    )]
    Version {
        /// The version of the file.
        got: u64,
        /// The latest version that this program reads.
        expected: u64,
    },
    /// A tensor that the spec asks for is not there.
    #[error("tensor `{name}` is missing; expected it with shape {shape:?}")]
    MissingTensor {
        /// The tensor.
        name: String,
        /// Its shape.
        shape: Vec<usize>,
    },
    /// A tensor that the spec does not know.
    #[error("tensor `{name}` does not belong to this model's spec; remove it or correct the spec")]
    ExtraTensor {
        /// The tensor.
        name: String,
    },
    /// A tensor does not have the shape that the spec asks for.
    #[error("tensor `{name}` has shape {got:?}; the model's spec asks for {expected:?}")]
    TensorShape {
        /// The tensor.
        name: String,
        /// The shape by the spec.
        expected: Vec<usize>,
        /// The shape there.
        got: Vec<usize>,
    },
    /// A tensor's element type is not `f32`.
    #[error("tensor `{name}` is of type {got}; expected F32: convert the weights first")]
    TensorType {
        /// The tensor.
        name: String,
        /// The element type there.
        got: String,
    },
    /// A tensor's data does not fill its shape.
    #[error("tensor `{name}` holds {got} values; its shape asks for {expected}")]
    TensorLength {
        /// The tensor.
        name: String,
        /// The product of the shape.
        expected: usize,
        /// Values there.
        got: usize,
    },
    /// The tensors are not those that were written.
    #[error(
        "the weights are damaged: their checksum is {got}, the header says {expected}; copy or \
         train the \
         model again"
    )]
    Checksum {
        /// What the header says.
        expected: String,
        /// That of the tensors.
        got: String,
    },
    /// A weight is NaN or infinite.
    #[error(
        "tensor `{name}` holds {value} at position {index}; expected finite weights: \
         training diverged, train again with a lower learning rate"
    )]
    NonFinite {
        /// The tensor.
        name: String,
        /// Position in the flat data.
        index: usize,
        /// The value there.
        value: f32,
    },

    /// A setting of the model is impossible.
    #[error("`{field}` is {got}; expected {expected}")]
    Spec {
        /// The setting, as a path in the spec.
        field: &'static str,
        /// Its value.
        got: String,
        /// What it can be.
        expected: String,
    },
    /// Something is larger than the memory.
    #[error(
        "{what} takes at least {} of memory, and {} are available",
        in_words(*needed),
        in_words(*available)
    )]
    Memory {
        /// What would be done.
        what: &'static str,
        /// Bytes for it.
        needed: u64,
        /// Bytes there are.
        available: u64,
    },
    /// Text is not valid UTF-8.
    #[error(
        "invalid UTF-8 at byte {offset} (line {line}); the units `char` and `bpe` need UTF-8 text: \
         convert it or use the unit `byte`"
    )]
    Utf8 {
        /// Position of the first invalid byte, from 0.
        offset: usize,
        /// Its line, from 1.
        line: usize,
    },
    /// A tokenizer that cannot be used.
    #[error("the tokenizer cannot be used: {reason}")]
    Tokenizer {
        /// What is wrong.
        reason: String,
    },

    /// What a model needs was not built in.
    #[error("{what} is not in this program: build it with the feature `{feature}`")]
    NotBuiltIn {
        /// What is needed.
        what: &'static str,
        /// The feature of this crate that has it.
        feature: &'static str,
    },

    /// A model of another task.
    #[error("the model is of the task `{got}`; expected one of the task `{expected}`")]
    Task {
        /// The task that was expected.
        expected: TaskName,
        /// The task of the model.
        got: TaskName,
    },
    /// A label that a classifier does not know.
    #[error("no label `{label}`: there are {known}")]
    Label {
        /// The label.
        label: String,
        /// The labels that it knows, or the first of many.
        known: String,
    },
    /// An argument is impossible.
    #[error("{name} is {got}; expected {expected}")]
    Setting {
        /// The argument.
        name: &'static str,
        /// Its value.
        got: String,
        /// What it can be.
        expected: String,
    },
    /// A token is not in the vocabulary.
    #[error(
        "token {token} is not in the vocabulary of {vocab} tokens; encode with the model's codec"
    )]
    Token {
        /// The token.
        token: u32,
        /// `V`, the size of the vocabulary.
        vocab: usize,
    },
    /// A bidirectional network needs whole sequences.
    #[error(
        "a bidirectional network cannot {action}: it needs the whole sequence at once; \
         expected a model trained without `bidirectional`"
    )]
    Bidirectional {
        /// What was asked of it.
        action: &'static str,
    },
    /// A text is too short to measure anything.
    #[error("the text has {got} tokens; expected at least {expected}")]
    TooShort {
        /// Tokens needed.
        expected: usize,
        /// Tokens there.
        got: usize,
    },
    /// A series that a model cannot take.
    #[error("series `{id}`: {problem}")]
    Series {
        /// Its name.
        id: String,
        /// What is wrong with it, and what to do.
        problem: String,
    },
    /// A text that a model of speech cannot say.
    #[error(
        "the model cannot say `{what}` in `{text}`: leave it out, write it differently, or train with \
         recordings of it"
    )]
    Unspoken {
        /// The character or word.
        what: String,
        /// Where it stands.
        text: String,
    },
    /// A language model that cannot be read.
    #[error("the language model, line {line}: {problem}")]
    LanguageModel {
        /// Where, counted from 1.
        line: usize,
        /// What is wrong.
        problem: String,
    },
    /// Sound that cannot be used.
    #[error("{problem}")]
    Audio {
        /// What is wrong with it, and what to do.
        problem: String,
    },
}

impl Error {
    pub(crate) fn audio(problem: impl Into<String>) -> Self {
        Error::Audio { problem: problem.into() }
    }

    pub(crate) fn series(id: &str, problem: String) -> Self {
        Error::Series { id: id.to_owned(), problem }
    }

    pub(crate) fn setting(
        name: &'static str,
        got: impl ToString,
        expected: impl Into<String>,
    ) -> Self {
        Error::Setting { name, got: got.to_string(), expected: expected.into() }
    }

    /// The same error, found in the file at `path`.
    pub(crate) fn at(self, path: &Path) -> Self {
        Error::File { path: path.to_owned(), error: Box::new(self) }
    }
}

/// What to do about what the operating system refused, to stand behind its answer.
#[doc(hidden)]
pub fn what_to_do(error: &std::io::Error) -> &'static str {
    use std::io::ErrorKind::{PermissionDenied, QuotaExceeded, ReadOnlyFilesystem, StorageFull};
    match error.kind() {
        PermissionDenied => {
            "; get permission for it (`chmod`, `chown`), or choose another file or folder"
        }
        ReadOnlyFilesystem => "; choose a file or folder on another disk",
        StorageFull | QuotaExceeded => "; free some space on the disk, or choose another",
        _ => "",
    }
}

/// `1.5 GB`
pub(crate) fn in_words(bytes: u64) -> String {
    const UNITS: [&str; 7] = ["bytes", "kB", "MB", "GB", "TB", "PB", "EB"];
    let (mut value, mut unit) = (bytes as f64, 0);
    while value >= 999.5 && unit + 1 < UNITS.len() {
        (value, unit) = (value / 1e3, unit + 1);
    }
    match unit {
        0 => format!("{bytes} bytes"),
        _ => format!("{value:.1} {}", UNITS[unit]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::ErrorKind;

    #[test]
    fn what_the_system_refuses_has_a_next_step() {
        let said = |kind: ErrorKind| {
            let (action, path) = ("write", "a/b.csv".into());
            Error::Io { action, path, error: kind.into() }.to_string()
        };
        for (kind, step) in [
            (ErrorKind::PermissionDenied, "`chmod`"),
            (ErrorKind::ReadOnlyFilesystem, "another disk"),
            (ErrorKind::StorageFull, "free some space"),
        ] {
            let said = said(kind);
            assert!(said.starts_with("cannot write a/b.csv: ") && said.contains(step), "{said}");
        }
    }
}
