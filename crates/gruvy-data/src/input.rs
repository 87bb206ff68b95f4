//! What is read: a file, or bytes that a caller has already.
use crate::error::{Error, Result, problem_at};
use crate::packed::unpacked;
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

    /// All of it, unpacked where it is packed with gzip or Zstandard.
    ///
    /// # Errors
    /// [`Error::Io`], and for a packed file that is damaged, or unpacks to more than fits.
    pub fn read(&self) -> Result<Cow<'_, [u8]>> {
        match self {
            Self::Path(path) => read_file(path).map(Cow::Owned),
            Self::Bytes { name, bytes } => unpacked(name, Cow::Borrowed(bytes)),
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

/// All of a file, unpacked where it is packed.
pub(crate) fn read_file(path: &Path) -> Result<Vec<u8>> {
    if path.is_dir() {
        let problem = "a folder, where a file is expected; give the files in it";
        return Err(problem_at(path, None, problem.into()));
    }
    let bytes = std::fs::read(path).map_err(|error| Error::Io {
        action: "read",
        path: path.to_owned(),
        error,
    })?;
    unpacked(path, Cow::Owned(bytes)).map(Cow::into_owned)
}

/// Whether a name ends in one of these, in any case; what it is packed with does not count.
pub(crate) fn has_end(file: &Path, ends: &[&str]) -> bool {
    let ends_in = |file: &Path, ends: &[&str]| {
        let known =
            |end: &std::ffi::OsStr| ends.iter().any(|known| end.eq_ignore_ascii_case(known));
        file.extension().is_some_and(known)
    };
    match ends_in(file, &["gz", "zst"]) {
        true => ends_in(&file.with_extension(""), ends),
        false => ends_in(file, ends),
    }
}

/// The line of a byte, from 1.
pub(crate) fn line_at(bytes: &[u8], at: usize) -> u64 {
    1 + bytes[..at].iter().filter(|byte| **byte == b'\n').count() as u64
}

/// Files in and below `folder`, by path. Hidden entries are left out, and folders behind links,
/// which may go round in circles.
pub fn files_below(folder: &Path) -> Result<Vec<PathBuf>> {
    let io = |error| Error::Io { action: "read", path: folder.to_owned(), error };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(io)? {
        let entry = entry.map_err(io)?;
        let (path, kind) = (entry.path(), entry.file_type().map_err(io)?);
        if entry.file_name().as_encoded_bytes().starts_with(b".") {
            continue;
        }
        if kind.is_dir() {
            files.extend(files_below(&path)?);
        } else if path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
