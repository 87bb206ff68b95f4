//! Opening what the user calls a model: a run folder or a model file.

use anyhow::{Context, Result, bail};
use gruvy_runtime::{Codec, MODEL_FILE_NAME, ModelFile, Network, TextCodec};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

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
    let mut file = if path.is_dir() { path.join(MODEL_FILE_NAME) } else { path.to_owned() };
    if path.is_dir() && !file.exists() {
        file = path.join("1").join(MODEL_FILE_NAME);
    }
    if path.is_dir() && !file.exists() {
        bail!(
            "{} holds no model ({MODEL_FILE_NAME}): give a run folder in which a model was trained, or a \
             model file",
            path.display()
        );
    }
    let model = ModelFile::read(&file)?;
    let bytes =
        fs::metadata(&file).with_context(|| format!("cannot read {}", file.display()))?.len();
    Ok(Opened { model, path: file, bytes })
}

/// A text model, ready to run.
pub struct TextModel {
    /// The weights.
    pub network: Arc<Network>,
    /// Text to tokens and back.
    pub codec: TextCodec,
}

impl TextModel {
    /// Opens a model of the text task.
    ///
    /// # Errors
    /// As [`open`], and as [`TextModel::new`].
    pub fn open(path: &Path) -> Result<Self> {
        let opened = open(path)?;
        Self::new(opened.model).with_context(|| opened.path.display().to_string())
    }

    /// Makes a model ready to run.
    ///
    /// # Errors
    /// When it is of another task.
    pub fn new(model: ModelFile) -> Result<Self> {
        let network = Arc::new(Network::new(&model)?);
        match model.codec {
            Codec::Text(codec) => Ok(Self { network, codec }),
            other => bail!("a model of the task `{}`, not `text`", other.task()),
        }
    }
}
