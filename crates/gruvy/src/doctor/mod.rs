//! What is in files of data, and what is wrong with them.
//!
//! ```text
//! paths ──kind──> music │ recordings ──examine──> a verdict, facts and a picture of each file
//!                                                   └──> table, page, JSON
//! ```
//! A kind of data is a variant of [`Kind`]: how its files are known, and how they are examined.
//! Tables, pages and JSON know no kind.
mod page;
#[cfg_attr(not(feature = "audio"), path = "no_recordings.rs")]
mod recordings;
#[cfg(feature = "audio")]
#[cfg_attr(not(feature = "draw"), path = "no_spectrogram.rs")]
mod spectrogram;

use crate::error::{Error, Result};
use crate::music;
use gruvy_data::Input;
pub use gruvy_data::music::Verdict;
use gruvy_data::music::read_music;
use serde_json::{Map, Value, json};
use std::path::PathBuf;

/// A kind of data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// MIDI files, and piano rolls in JSON.
    Music,
    /// Recordings, alone, in folders or in lists with their texts.
    Speech,
}

/// What is known of a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Fact {
    /// What it is, in a word.
    pub name: &'static str,
    /// For people.
    pub text: String,
    /// For programs.
    pub value: Value,
}

impl Fact {
    pub(crate) fn new(name: &'static str, text: String, value: impl Into<Value>) -> Self {
        Self { name, text, value: value.into() }
    }

    pub(crate) fn number(name: &'static str, value: usize) -> Self {
        Self::new(name, value.to_string(), value)
    }

    pub(crate) fn text(name: &'static str, text: String) -> Self {
        Self::new(name, text.clone(), text)
    }
}

/// A file, examined.
#[derive(Clone, Debug, PartialEq)]
pub struct Examined {
    /// Where it is.
    pub path: PathBuf,
    /// Whether it can be used.
    pub verdict: Verdict,
    /// What was mended, or why it is refused; empty for a file without fault.
    pub reason: String,
    /// What is in it.
    pub facts: Vec<Fact>,
    /// How it looks, as SVG.
    pub picture: Option<String>,
}

/// Files, examined.
#[derive(Clone, Debug, PartialEq)]
pub struct Examination {
    /// What they are.
    pub kind: Kind,
    /// All of them, in the order of their paths.
    pub files: Vec<Examined>,
}

/// What is examined, and what can be done with other data.
const EXAMINED: &str = "Only music (MIDI files, and piano rolls in JSON) and recordings (in files, \
                        folders and lists) are examined so far; texts, labelled items and tables of \
                        series are not yet: train on them, and what was read is said";

/// Examines files, and folders of them.
///
/// # Errors
/// [`Error::Read`] for paths that cannot be read; [`Error::Data`] for data of a kind that is not
/// examined yet.
pub fn examine(inputs: &[Input]) -> Result<Examination> {
    let why = match recordings::examine(inputs) {
        Ok(files) => return Ok(Examination { kind: Kind::Speech, files }),
        Err(why) => why,
    };
    let music = read_music(inputs).map_err(|error| match error {
        gruvy_data::Error::File { .. } => Error::Data(format!("{error}. {EXAMINED}")),
        other => other.into(),
    })?;
    let known = |path: &PathBuf| {
        let end = path.extension().unwrap_or_default().to_ascii_lowercase();
        ["mid", "midi", "rmi", "kar"].iter().any(|known| end == *known)
    };
    if !music.files.iter().any(|file| file.content.is_some() || known(&file.path)) {
        let names: Vec<String> =
            inputs.iter().map(|input| input.name().display().to_string()).collect();
        return Err(Error::Data(format!(
            "{}: no music among {} files. {EXAMINED}. As recordings: {why}",
            names.join(", "),
            music.files.len()
        )));
    }
    Ok(Examination { kind: Kind::Music, files: music::examine(&music) })
}

impl Kind {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Music => "music",
            Self::Speech => "sound",
        }
    }
}

impl Examination {
    /// How many files have a verdict.
    pub fn count(&self, verdict: Verdict) -> usize {
        self.files.iter().filter(|file| file.verdict == verdict).count()
    }

    /// Whether there is anything to learn from.
    pub fn usable(&self) -> bool {
        self.count(Verdict::Refused) < self.files.len()
    }

    /// How many files there are of each verdict, in words.
    pub fn summary(&self) -> String {
        let count = |verdict: &Verdict| format!("{} {}", self.count(*verdict), verdict.name());
        let counts: Vec<String> = self.verdicts().iter().map(count).collect();
        format!("{}: {}", self.title(), counts.join(", "))
    }

    /// The verdicts that are counted, the best first. Only recordings can be doubtful.
    fn verdicts(&self) -> Vec<Verdict> {
        let all = [Verdict::Ok, Verdict::Mended, Verdict::Doubtful, Verdict::Refused];
        let doubtful = self.kind == Kind::Speech;
        all.into_iter().filter(|verdict| doubtful || *verdict != Verdict::Doubtful).collect()
    }

    /// How many files there are.
    fn title(&self) -> String {
        let files = if self.files.len() == 1 { "file" } else { "files" };
        format!("{} {files} of {}", self.files.len(), self.kind.name())
    }

    /// The names of all facts, each once.
    pub fn facts(&self) -> Vec<&'static str> {
        let mut names = Vec::new();
        for fact in self.files.iter().flat_map(|file| &file.facts) {
            if !names.contains(&fact.name) {
                names.push(fact.name);
            }
        }
        names
    }

    /// `{"kind": …, "files": [{"path": …, "verdict": "ok" | "mended" | "doubtful" | "refused", "reason": …, …}]}`
    pub fn to_json(&self) -> Value {
        let file = |file: &Examined| {
            let mut object = Map::new();
            // A name that is no text has its bytes replaced.
            object.insert("path".into(), json!(file.path.to_string_lossy()));
            object.insert("verdict".into(), json!(file.verdict));
            object.insert("reason".into(), json!(file.reason));
            for fact in &file.facts {
                object.insert(fact.name.into(), fact.value.clone());
            }
            Value::Object(object)
        };
        let files: Vec<Value> = self.files.iter().map(file).collect();
        json!({ "kind": self.kind.name(), "files": files })
    }
}

impl Examined {
    /// A fact by its name.
    pub fn fact(&self, name: &str) -> Option<&Fact> {
        self.facts.iter().find(|fact| fact.name == name)
    }
}
