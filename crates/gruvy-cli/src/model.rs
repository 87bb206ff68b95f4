//! Opening what the user calls a model: a run folder or a model file.

use anyhow::{Context, Result};
use gruvy_runtime::model::{ModelFile, members};
use std::fs;
use std::path::{Path, PathBuf};

/// A model and the file it came from.
pub struct Opened {
    /// The model.
    pub model: ModelFile,
    /// Its file.
    pub path: PathBuf,
    /// The size of that file.
    pub bytes: u64,
}

/// Reads a model file, or the best model of a run folder; of an ensemble its first member's.
///
/// # Errors
/// When there is none or it is damaged.
pub fn open(path: &Path) -> Result<Opened> {
    let file = members(path)?.swap_remove(0);
    let model = ModelFile::read(&file)?;
    let bytes =
        fs::metadata(&file).with_context(|| format!("cannot read {}", file.display()))?.len();
    Ok(Opened { model, path: file, bytes })
}
