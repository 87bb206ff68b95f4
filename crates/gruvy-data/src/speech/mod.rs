//! Lists of recordings with what is said in them.
//!
//! ```text
//! JSON Lines, CSV, TSV, Parquet ──manifest─┐
//! a folder per label, names by a pattern, ─┼─> Clips
//! texts beside, *.trans.txt ───────folder──┘
//! ```
//!
//! A path in a list is meant from the folder of the list. What a file or folder is shows in its
//! names and its first lines, and is said in [`Clips::notes`]; [`SpeechFormat`] says otherwise. No
//! recording is opened here.
mod folder;
mod format;
mod manifest;
mod pattern;
mod sound;

use crate::error::{Error, Result, problem_at};
use crate::examples::Places;
use crate::input::Input;
pub use format::{Layout, SpeechFormat};
use gruvy_runtime::Remark;
use gruvy_runtime::names::{in_words, listed};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A recording, or a part of one, and what is said in it.
#[derive(Clone, Debug, PartialEq)]
pub struct Clip {
    /// Where it is.
    pub path: PathBuf,
    /// Where the part begins, in seconds.
    pub offset_s: Option<f64>,
    /// How long it lasts, in seconds.
    pub duration_s: Option<f64>,
    /// What is said, or its label; empty: nothing, or nothing is known.
    pub text: String,
    /// Who says it.
    pub speaker: Option<String>,
}

impl Clip {
    fn whole(path: PathBuf, text: String) -> Self {
        Self { path, offset_s: None, duration_s: None, text, speaker: None }
    }
}

/// Recordings in the order of their lists, those of folders by path.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Clips {
    /// `[N]` the recordings.
    pub clips: Vec<Clip>,
    /// `[N]` where each stands: in a list, or the recording itself.
    pub places: Places,
    /// What was guessed and found, sentences for a person.
    pub notes: Vec<Remark>,
    /// How they were read: what was said and what was found, of the first file or folder. Others
    /// are read like these with [`Like`].
    pub format: SpeechFormat,
}

/// How other data were read, which these must be like.
#[derive(Clone, Copy, Debug)]
pub struct Like<'a> {
    /// What was found when the other data were read: [`Clips::format`].
    pub known: &'a SpeechFormat,
    /// What is said of these data. It counts more than what is known.
    pub asked: &'a SpeechFormat,
    /// Whether texts are needed. Without, recordings may have none.
    pub labelled: bool,
}

/// Reads lists of recordings, and folders of them, one behind the other. Recordings whose text is
/// empty stay, and are counted.
///
/// # Errors
/// [`Error::File`] with file and line for what cannot be used, for recordings that are not there
/// (naming the first), and for recordings of which nothing says what is said in them;
/// [`Error::Setting`] for a pattern that makes no sense; [`Error::Io`].
pub fn read_clips(inputs: &[Input], format: &SpeechFormat) -> Result<Clips> {
    read_clips_like(
        inputs,
        &Like { known: &SpeechFormat::default(), asked: format, labelled: true },
    )
}

/// Reads recordings that are like others: of their columns and keys, those that are there are read;
/// what their names said, these names say.
///
/// # Errors
/// As [`read_clips`]. Without [`Like::labelled`], recordings need no text.
pub fn read_clips_like(inputs: &[Input], like: &Like<'_>) -> Result<Clips> {
    let mut all: Option<Clips> = None;
    for input in inputs {
        let mut clips = match input.folder() {
            Some(folder) => folder::read(folder, like)?,
            None if sound::is_sound(input.name()) => folder::single(input, like)?,
            None => manifest::read(input, like)?,
        };
        clips.check(input.name(), like.labelled)?;
        all = Some(match all {
            None => clips,
            Some(mut all) => {
                all.clips.extend(clips.clips);
                all.places.append(clips.places);
                all.notes.extend(clips.notes);
                all
            }
        });
    }
    all.ok_or_else(|| Error::setting("data", "no file", "at least one"))
}

impl Clips {
    /// `N`, how many there are.
    pub fn len(&self) -> usize {
        self.clips.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.clips.is_empty()
    }

    /// Checks that recordings are there, and counts those without a text.
    fn check(&mut self, input: &Path, labelled: bool) -> Result<()> {
        let missing: Vec<usize> =
            (0..self.len()).filter(|at| !self.clips[*at].path.is_file()).collect();
        if let [first, ..] = missing[..] {
            let names: Vec<String> =
                missing.iter().map(|at| self.clips[*at].path.display().to_string()).collect();
            let problem = format!(
                "{} of {} recordings are not there: {}; paths are meant from the folder of the \
                 list, `{}`: correct them, or move the list there",
                missing.len(),
                self.len(),
                in_words(&names),
                input
                    .parent()
                    .filter(|folder| folder != &Path::new(""))
                    .unwrap_or(Path::new("."))
                    .display()
            );
            return Err(self.places.get(first).error(problem));
        }
        let empty: Vec<usize> =
            (0..self.len()).filter(|at| self.clips[*at].text.is_empty()).collect();
        if let (Some(first), true) = (empty.first(), labelled) {
            let problem = format!(
                "{} of {} recordings have an empty text, the first is {}",
                empty.len(),
                self.len(),
                self.places.get(*first)
            );
            if empty.len() == self.len() {
                return Err(problem_at(input, None, problem + "; give what is said in them"));
            }
            self.notes.push(problem.into());
        }
        Ok(())
    }
}

/// `` `yes` (30), `no` (28)``: how often each comes, by name.
fn counted<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    names.for_each(|name| *counts.entry(name).or_default() += 1);
    let shown: Vec<String> = counts.keys().map(|name| format!("`{name}`")).collect();
    let counts: Vec<usize> = counts.into_values().collect();
    listed(&shown, |at| format!(" ({})", counts[at]))
}
