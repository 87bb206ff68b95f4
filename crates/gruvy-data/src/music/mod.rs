//! Files of music: MIDI, and piano rolls in JSON; each with a verdict.
mod rolls;

use crate::error::{Error, Result, problem_at};
use crate::input::{Input, files_below, has_end};
use crate::midi;
use gruvy_runtime::music::Piece;
pub use rolls::Rolls;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// No larger file is read, in bytes: music of a day is much smaller.
const MOST_BYTES: usize = 64 << 20;

/// All that was found in files, in the order of their paths.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Music {
    /// Every file, also those that are no music.
    pub files: Vec<MusicFile>,
}

/// A file, and what was read of it.
#[derive(Clone, Debug, PartialEq)]
pub struct MusicFile {
    /// Where it is.
    pub path: PathBuf,
    /// Its music; none: it was refused.
    pub content: Option<Content>,
    /// What was mended, or why the file was refused: sentences without a full stop.
    pub reasons: Vec<String>,
}

/// The music of a file.
#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    /// Of a MIDI file.
    Piece(Piece),
    /// Of a JSON file.
    Rolls(Rolls),
}

/// How a file was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// As it is.
    Ok,
    /// After faults were mended.
    Mended,
    /// As it is, but that may not be what is wanted: silence, say.
    Doubtful,
    /// Not at all.
    Refused,
}

impl Verdict {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Mended => "mended",
            Self::Doubtful => "doubtful",
            Self::Refused => "refused",
        }
    }
}

impl MusicFile {
    /// How it was read.
    pub fn verdict(&self) -> Verdict {
        match (&self.content, self.reasons.is_empty()) {
            (None, _) => Verdict::Refused,
            (Some(_), true) => Verdict::Ok,
            (Some(_), false) => Verdict::Mended,
        }
    }

    fn new(path: PathBuf, read: Result<(Content, Vec<String>), String>) -> Self {
        match read {
            Ok((content, reasons)) => Self { path, content: Some(content), reasons },
            Err(reason) => Self { path, content: None, reasons: vec![reason] },
        }
    }
}

impl Music {
    /// The pieces of MIDI files.
    pub fn pieces(&self) -> impl Iterator<Item = &Piece> {
        self.files.iter().filter_map(|file| match &file.content {
            Some(Content::Piece(piece)) => Some(piece),
            _ => None,
        })
    }

    /// The rolls of JSON files.
    pub fn rolls(&self) -> impl Iterator<Item = &Rolls> {
        self.files.iter().filter_map(|file| match &file.content {
            Some(Content::Rolls(rolls)) => Some(rolls),
            _ => None,
        })
    }

    /// Checks that there is music.
    ///
    /// # Errors
    /// [`Error::File`] with the reason of every file if all were refused.
    pub fn require(&self) -> Result<()> {
        let Some(first) = self.files.first() else { return Ok(()) };
        if self.files.iter().any(|file| file.content.is_some()) {
            return Ok(());
        }
        if let [file] = &self.files[..] {
            return Err(problem_at(&file.path, None, file.reasons.join("; ")));
        }
        let line =
            |file: &MusicFile| format!("\n  {}: {}", file.path.display(), file.reasons.join("; "));
        let lines: String = self.files.iter().map(line).collect();
        let folder = first.path.parent().unwrap_or(&first.path);
        let problem = format!("none of {} files can be read as music:{lines}", self.files.len());
        Err(problem_at(folder, None, problem))
    }
}

/// Reads files of music, and folders of them with all folders below. Each file is judged by its
/// content, whatever its name: one that is no music is refused with its reason. Hidden files are
/// left out.
///
/// # Errors
/// [`Error::Io`] for a path that is not there or a folder that cannot be listed, and
/// [`Error::File`] for a folder without files.
pub fn read_music(inputs: &[Input]) -> Result<Music> {
    let mut music = Music::default();
    for input in inputs {
        match input.folder() {
            None => music.files.push(file(input)?),
            Some(folder) => {
                let paths = files_below(folder)?;
                if paths.is_empty() {
                    let problem = "the folder has no files; expected MIDI files, or a JSON file \
                                   of piano rolls";
                    return Err(problem_at(folder, None, problem.into()));
                }
                let read = |path: PathBuf| {
                    file(&Input::Path(path.clone()))
                        .unwrap_or_else(|error| MusicFile::new(path, Err(reason(error))))
                };
                music.files.extend(paths.into_iter().map(read));
            }
        }
    }
    Ok(music)
}

/// An error without the path, which stands beside it.
fn reason(error: Error) -> String {
    match error {
        Error::Io { error, .. } => format!("the file cannot be read: {error}"),
        Error::File { problem, .. } => problem,
        other => other.to_string(),
    }
}

fn file(input: &Input) -> Result<MusicFile> {
    let path = input.name().to_owned();
    let size = match input {
        Input::Path(path) => std::fs::metadata(path).map_or(0, |data| data.len()),
        Input::Bytes { bytes, .. } => bytes.len() as u64,
    };
    if size > MOST_BYTES as u64 {
        return Ok(MusicFile::new(path, Err(too_large(size, MOST_BYTES))));
    }
    let read = content(&path, &input.read()?);
    Ok(MusicFile::new(path, read))
}

fn content(path: &Path, bytes: &[u8]) -> Result<(Content, Vec<String>), String> {
    let json = bytes.trim_ascii_start().starts_with(b"{") || has_end(path, &["json"]);
    if json && !midi::is_midi(bytes) {
        let (rolls, mended) = rolls::parse(bytes)?;
        return Ok((Content::Rolls(rolls), mended));
    }
    // Packed, it was small enough.
    if bytes.len() > MOST_BYTES {
        return Err(too_large(bytes.len() as u64, MOST_BYTES));
    }
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let (piece, mended) = midi::parse(&stem, bytes)?;
    Ok((Content::Piece(piece), mended))
}

fn too_large(got: u64, most: usize) -> String {
    format!(
        "the file has {} MB; expected at most {}: divide it, if it is music",
        got.div_ceil(1 << 20),
        most >> 20
    )
}
