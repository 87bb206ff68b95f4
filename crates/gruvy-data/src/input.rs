//! What is read: a file, or bytes that a caller has already.
use crate::error::{Error, Result};
use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where data come from.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    /// A file, or a folder of them.
    Path(PathBuf),
    /// The content of a file.
    Bytes {
        /// What stands for the file in messages; what its name ends in says what kind of file it
        /// is.
        name: PathBuf,
        /// The content.
        bytes: Arc<[u8]>,
    },
}

impl Input {
    /// Bytes under a name.
    pub fn bytes(name: impl Into<PathBuf>, bytes: impl Into<Arc<[u8]>>) -> Self {
        Self::Bytes { name: name.into(), bytes: bytes.into() }
    }

    /// The path, or what stands for it.
    pub fn name(&self) -> &Path {
        match self {
            Self::Path(path) => path,
            Self::Bytes { name, .. } => name,
        }
    }

    /// The path, if it is a folder's.
    pub(crate) fn folder(&self) -> Option<&Path> {
        match self {
            Self::Path(path) if path.is_dir() => Some(path),
            _ => None,
        }
    }

    /// All of it.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn read(&self) -> Result<Cow<'_, [u8]>> {
        match self {
            Self::Path(path) => read_file(path).map(Cow::Owned),
            Self::Bytes { bytes, .. } => Ok(Cow::Borrowed(bytes)),
        }
    }
}

impl From<&Path> for Input {
    fn from(path: &Path) -> Self {
        Self::Path(path.to_owned())
    }
}

impl From<PathBuf> for Input {
    fn from(path: PathBuf) -> Self {
        Self::Path(path)
    }
}

impl From<&str> for Input {
    fn from(path: &str) -> Self {
        Self::Path(path.into())
    }
}

/// All of a file.
pub(crate) fn read_file(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(|error| Error::Io { action: "read", path: path.to_owned(), error })
}

/// The line of a byte, from 1.
pub(crate) fn line_at(bytes: &[u8], at: usize) -> u64 {
    1 + bytes[..at].iter().filter(|byte| **byte == b'\n').count() as u64
}
