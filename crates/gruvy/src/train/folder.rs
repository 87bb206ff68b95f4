//! The run folder, whole at every moment.
//!
//! ```text
//! run.toml           what was asked                       replaced atomically
//! model.safetensors  the best model on validation         replaced atomically
//! last.ckpt          everything needed to go on           replaced atomically
//! metrics.jsonl      one line an evaluation               appended; cut to the checkpoint on resume
//! events.out.tfevents.gruvy   the same for TensorBoard    appended; cut to the checkpoint on resume
//! curves.svg         the same as a picture                replaced atomically
//! .lock              who is writing into the folder       there as long as somebody is
//! ```
use super::{curves, events, lock::FolderLock, report::Record};
use crate::error::{Error, Result};
use gruvy_runtime::model::{MODEL_FILE_NAME, remove_leftovers, write_atomic};
use serde::{Deserialize, Serialize};
use std::{
    fs::{self, File, OpenOptions},
    io::{ErrorKind, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

const SETTINGS: &str = "run.toml";
const CHECKPOINT: &str = "last.ckpt";
const METRICS: &str = "metrics.jsonl";
const EVENTS: &str = "events.out.tfevents.gruvy";
const CURVES: &str = "curves.svg";

/// Where a run keeps its files, locked for everybody else. Apart from the lock, nothing is written
/// before training starts.
#[derive(Debug)]
pub struct RunFolder {
    lock: FolderLock,
    settings: String,
    resume: bool,
}

impl RunFolder {
    /// A new run in `path`, with the text of its `run.toml`. With `force`, an old run there is
    /// replaced, but only once the new one has its data and model and is about to start.
    ///
    /// # Errors
    /// [`Error::RunExists`] if `path` holds a run and `force` is false; [`Error::InUse`] if
    /// somebody writes into it; [`Error::Io`] if `path` is a file, or cannot be made.
    pub fn create(path: impl Into<PathBuf>, settings: String, force: bool) -> Result<Self> {
        let path = path.into();
        if path.is_file() {
            let is_file = std::io::Error::from(ErrorKind::NotADirectory);
            return Err(Error::io("create the run folder", &path)(is_file));
        }
        Self::create_locked(FolderLock::take(path)?, settings, force)
    }

    /// As [`RunFolder::create`], in a folder that is locked already.
    ///
    /// # Errors
    /// [`Error::RunExists`] if it holds a run and `force` is false.
    pub fn create_locked(lock: FolderLock, settings: String, force: bool) -> Result<Self> {
        let path = lock.path();
        let used = [SETTINGS, CHECKPOINT, MODEL_FILE_NAME].iter().any(|f| path.join(f).exists());
        if used && !force {
            return Err(Error::RunExists(path.to_owned()));
        }
        Ok(Self { lock, settings, resume: false })
    }

    /// Goes on with the run in `path`. `settings` is the text of its `run.toml`, perhaps with other
    /// limits (`epochs`, `max_minutes`, `patience`).
    ///
    /// # Errors
    /// [`Error::NoRun`] if there is none; [`Error::InUse`] if somebody writes into it.
    pub fn resume(path: impl Into<PathBuf>, settings: String) -> Result<Self> {
        let path = path.into();
        Self::existing_settings(&path)?;
        Ok(Self { lock: FolderLock::take(path)?, settings, resume: true })
    }

    /// `run.toml` of the run in `path`, which is there.
    ///
    /// # Errors
    /// [`Error::NoRun`] if there is none; [`Error::Io`] if the folder may not be looked into.
    pub fn existing_settings(path: &Path) -> Result<PathBuf> {
        let file = Self::settings_path(path);
        match file.try_exists() {
            Ok(_) if file.is_file() => Ok(file),
            Ok(_) => Err(Error::NoRun(path.to_owned())),
            Err(error) if error.kind() == ErrorKind::NotADirectory => {
                Err(Error::NoRun(path.to_owned()))
            }
            Err(error) => Err(Error::io("read", &file)(error)),
        }
    }

    /// Where `run.toml` of the run in `path` is, or would be.
    pub fn settings_path(path: &Path) -> PathBuf {
        path.join(SETTINGS)
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        self.lock.path()
    }

    /// `model.safetensors`.
    pub fn model_path(&self) -> PathBuf {
        self.path().join(MODEL_FILE_NAME)
    }

    /// `last.ckpt`.
    pub fn checkpoint_path(&self) -> PathBuf {
        self.path().join(CHECKPOINT)
    }

    /// `curves.svg`.
    pub fn curves_path(&self) -> PathBuf {
        self.path().join(CURVES)
    }

    /// Whether there is a checkpoint to go on from. A run killed before its first one starts over.
    pub(crate) fn has_checkpoint(&self) -> bool {
        self.resume && self.checkpoint_path().exists()
    }

    /// Makes the folder ready: an old run's files go, this run's settings come, and the logs are
    /// cut to what the checkpoint knows (nothing for a new run).
    pub(crate) fn open(&self, kept: LogLengths) -> Result<Logs> {
        for name in [SETTINGS, CHECKPOINT, MODEL_FILE_NAME, CURVES] {
            remove_leftovers(&self.path().join(name))?;
        }
        if !self.resume {
            // The checkpoint goes first: without it, what a kill leaves behind cannot be resumed
            // wrongly.
            for name in [CHECKPOINT, MODEL_FILE_NAME, METRICS, EVENTS, CURVES] {
                let path = self.path().join(name);
                if path.exists() {
                    fs::remove_file(&path).map_err(Error::io("replace", &path))?;
                }
            }
        }
        write_atomic(&self.path().join(SETTINGS), self.settings.as_bytes())?;
        let whole_lines =
            |text: &[u8]| text.iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1);
        let metrics = Log::open(self.path().join(METRICS), kept.metrics, whole_lines)?;
        let mut events = Log::open(self.path().join(EVENTS), kept.events, |_| 0)?;
        if events.length == 0 {
            events.append(&events::header())?;
        }
        let lost = (metrics.length < kept.metrics).then(|| {
            format!(
                "{METRICS} is not what it was at the last checkpoint: earlier evaluations are \
                 missing in it and in \
                 {CURVES}; what is learned is not affected"
            )
        });
        Ok(Logs { metrics, events, curves: self.path().join(CURVES), lost })
    }

    /// The evaluations of a run, from its `metrics.jsonl`.
    ///
    /// # Errors
    /// [`Error::Io`] if it cannot be read; [`Error::Checkpoint`] naming a line that does not parse.
    pub fn records(path: &Path) -> Result<Vec<Record>> {
        let path = path.join(METRICS);
        let text = fs::read_to_string(&path).map_err(Error::io("read", &path))?;
        let parse = |(number, line): (usize, &str)| {
            serde_json::from_str(line).map_err(|e| Error::Checkpoint {
                path: path.clone(),
                why: format!("line {} is no metrics record: {e}", number + 1),
            })
        };
        text.lines().enumerate().map(parse).collect()
    }
}

/// Bytes of the logs that belong to a checkpoint.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LogLengths {
    pub metrics: u64,
    pub events: u64,
}

/// The files that grow.
pub(crate) struct Logs {
    metrics: Log,
    events: Log,
    curves: PathBuf,
    /// A sentence if evaluations that the checkpoint knows are not in the logs any more.
    pub lost: Option<String>,
}

impl Logs {
    /// Adds one evaluation to both logs.
    pub fn append(&mut self, record: &Record) -> Result<()> {
        let mut line = serde_json::to_vec(record).expect("a record is finite numbers and names");
        line.push(b'\n');
        self.metrics.append(&line)?;
        self.events.append(&events::scalars(record))
    }

    /// Draws the picture anew, where pictures are built in.
    pub fn draw(&self, records: &[Record]) -> Result<()> {
        curves::write(&self.curves, records)
    }

    pub fn lengths(&self) -> LogLengths {
        LogLengths { metrics: self.metrics.length, events: self.events.length }
    }
}

/// A file that is only appended to, and whose length is known.
struct Log {
    path: PathBuf,
    file: File,
    length: u64,
}

impl Log {
    /// Opens with exactly `keep` bytes: what came after is a torn line or belongs to steps that
    /// will be done again. Of a file that is shorter stay the bytes that `usable` counts.
    fn open(path: PathBuf, keep: u64, usable: impl Fn(&[u8]) -> usize) -> Result<Self> {
        let open = || -> std::io::Result<(File, u64)> {
            let mut options = OpenOptions::new();
            let mut file = options.create(true).write(true).truncate(false).open(&path)?;
            let short = file.metadata()?.len() < keep;
            let keep = if short { usable(&fs::read(&path)?) as u64 } else { keep };
            file.set_len(keep)?;
            file.seek(SeekFrom::End(0))?;
            Ok((file, keep))
        };
        let (file, length) = open().map_err(Error::io("continue", &path))?;
        Ok(Self { path, file, length })
    }

    fn append(&mut self, bytes: &[u8]) -> Result<()> {
        self.file
            .write_all(bytes)
            .and_then(|()| self.file.sync_data())
            .map_err(Error::io("write", &self.path))?;
        self.length += bytes.len() as u64;
        Ok(())
    }
}
