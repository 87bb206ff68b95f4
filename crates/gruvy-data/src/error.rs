//! The one error of the crate. Every message says what, where, expected, got and what to do.
use gruvy_runtime::what_to_do;
use std::path::{Path, PathBuf};

/// The crate's result.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Everything that can go wrong while reading data.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
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
    /// Something in a file that cannot be used.
    #[error("{}: {problem}", place(file, *line, part.as_deref()))]
    File {
        /// The file.
        file: PathBuf,
        /// The line, from 1, where there is one.
        line: Option<u64>,
        /// The part of the file, where one is known: ``series `a` ``, ``sequence `a` ``.
        part: Option<String>,
        /// What is wrong, what was expected, what to do.
        problem: String,
    },
    /// There is no setting of that name.
    #[error("there is no setting `{name}`{}", did_you_mean(near))]
    Unknown {
        /// What was asked for.
        name: String,
        /// Names that are like it, the likest first.
        near: Vec<String>,
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
}

fn did_you_mean(near: &[String]) -> String {
    match near {
        [] => String::new(),
        near => {
            let names: Vec<String> = near.iter().map(|name| format!("`{name}`")).collect();
            format!("; did you mean {}?", names.join(" or "))
        }
    }
}

/// `FILE, line 3, series `a``.
fn place(file: &Path, line: Option<u64>, part: Option<&str>) -> String {
    let line = line.map(|line| format!(", line {line}")).unwrap_or_default();
    let part = part.map(|part| format!(", {part}")).unwrap_or_default();
    format!("{}{line}{part}", file.display())
}

impl Error {
    pub(crate) fn setting(
        name: &'static str,
        got: impl ToString,
        expected: impl Into<String>,
    ) -> Self {
        Error::Setting { name, got: got.to_string(), expected: expected.into() }
    }
}

/// A problem of a file.
pub(crate) fn problem_at(file: &Path, line: Option<u64>, problem: String) -> Error {
    Error::File { file: file.to_owned(), line, part: None, problem }
}
