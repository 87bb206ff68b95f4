//! Lists of recordings: a JSON object or a row of a table each.
use super::format::{Layout, SpeechFormat};
use super::{Clip, Clips, Like};
use crate::decode::{decode, latin_note, no_other_kind};
use crate::error::{Error, Result, problem_at};
use crate::examples::columns::by_name;
use crate::examples::json::{self, Object, scalar, shown};
use crate::examples::part::listed;
use crate::examples::places::{Places, Unit};
use crate::examples::table;
use crate::examples::wanted::Wanted;
use crate::examples::{Encoding, ExampleFormat};
use crate::input::{Input, has_end};
use crate::table::rows::{Table, is_parquet, missing};
use gruvy_runtime::Remark;
use std::collections::HashSet;
use std::path::{Path, PathBuf};

const AUDIO: [&str; 10] = [
    "audio_filepath",
    "audio",
    "path",
    "audio_path",
    "file",
    "filename",
    "file_name",
    "filepath",
    "wav",
    "wav_filename",
];
const TEXTS: [&str; 8] =
    ["text", "sentence", "transcript", "transcription", "label", "command", "word", "phrase"];
const SPEAKERS: [&str; 6] = ["speaker", "speaker_id", "client_id", "spk", "spk_id", "user_id"];
const OFFSETS: [&str; 3] = ["offset", "start", "start_s"];
const DURATIONS: [&str; 3] = ["duration", "duration_s", "seconds"];
/// Where Common Voice has the recordings of its tables.
const CLIPS: &str = "clips";

/// Reads a list.
pub(super) fn read(input: &Input, like: &Like<'_>) -> Result<Clips> {
    let (file, bytes) = (input.name(), input.read()?);
    no_other_kind(file, &bytes, true, false)?;
    if is_parquet(file, &bytes) {
        let table = Table::parquet(file, bytes.into_owned())?;
        return List::of_table(&table).clips(like, Layout::Table, Vec::new());
    }
    let decoded = decode(file, &bytes, Encoding::Auto)?;
    let mut notes = Vec::new();
    if let Some(line) = decoded.latin {
        notes.push(latin_note(file, line).into());
    }
    if decoded.text.trim().is_empty() {
        let problem = "the file is empty; expected a list of recordings";
        return Err(problem_at(file, None, problem.into()));
    }
    let json = match like.asked.layout {
        Layout::JsonLines => true,
        Layout::Table => false,
        Layout::Auto => {
            has_end(file, &["json", "jsonl", "ndjson"]) || json::looks_like(&decoded.text)
        }
        layout => {
            let problem = format!(
                "a file; expected a folder of recordings (the setting `layout={}`)",
                layout.name()
            );
            return Err(problem_at(file, None, problem));
        }
    };
    if json {
        let objects = json::objects(file, &decoded.text)?;
        return List::of_objects(file, &objects).clips(like, Layout::JsonLines, notes);
    }
    let header = ExampleFormat { header: Some(true), ..ExampleFormat::default() };
    let table = table::parse(file, &decoded.text, &Wanted::new(&header), &mut notes)?;
    List::of_table(&table).clips(like, Layout::Table, notes)
}

/// A cell by row and name; none: it is not there. The error says what it is instead.
type Cell<'a> = Box<dyn Fn(usize, &str) -> Result<Option<String>, String> + 'a>;

/// A list of either kind: cells by row and name.
struct List<'a> {
    file: &'a Path,
    names: Vec<&'a str>,
    lines: Vec<u64>,
    cell: Cell<'a>,
    /// What a name is called in messages.
    noun: &'static str,
}

/// The names that are read.
struct Roles {
    audio: String,
    text: Option<String>,
    speaker: Option<String>,
    offset: Option<String>,
    duration: Option<String>,
}

impl<'a> List<'a> {
    fn of_table(table: &'a Table) -> Self {
        Self {
            file: &table.file,
            names: table.names.iter().map(String::as_str).collect(),
            lines: table.lines.clone(),
            cell: Box::new(|row, name| {
                Ok(table.find(name).map(|column| table.cell(row, column).to_owned()))
            }),
            noun: "column",
        }
    }

    fn of_objects(file: &'a Path, objects: &'a [(u64, Object)]) -> Self {
        let mut seen = HashSet::new();
        let keys = objects.iter().flat_map(|(_, object)| object.keys()).map(String::as_str);
        let names = keys.filter(|name| seen.insert(*name)).collect();
        Self {
            file,
            names,
            lines: objects.iter().map(|(line, _)| *line).collect(),
            cell: Box::new(|row, name| match objects[row].1.get(name) {
                None | Some(serde_json::Value::Null) => Ok(None),
                Some(value) => scalar(value)
                    .map(Some)
                    .ok_or_else(|| format!("is {}; expected a string or a number", shown(value))),
            }),
            noun: "key",
        }
    }

    fn problem(&self, row: Option<usize>, problem: String) -> Error {
        problem_at(self.file, row.map(|row| self.lines[row]), problem)
    }

    /// The names that are asked for, else those that other data had, else usual ones.
    fn roles(&self, like: &Like<'_>) -> Result<Roles> {
        let role = |setting: &str, of: fn(&SpeechFormat) -> &Option<String>, usual: &[&str]| {
            if let Some(name) = of(like.asked) {
                return match self.names.contains(&name.as_str()) {
                    true => Ok(Some(name.clone())),
                    false => Err(self.problem(
                        None,
                        format!(
                            "there is no {} `{name}` (the setting `{setting}`); there are {}",
                            self.noun,
                            listed(&self.names)
                        ),
                    )),
                };
            }
            let known = of(like.known).as_deref().filter(|name| self.names.contains(name));
            Ok(known.or_else(|| by_name(&self.names, usual)).map(str::to_owned))
        };
        let needed = |setting: &str, what: &str| {
            self.problem(None, format!(
            "no {} looks like {what}; there are {}: say which one it is with the setting `{setting}`",
            self.noun,
            listed(&self.names)
        ))
        };
        let text = role("text_column", |format| &format.text_column, &TEXTS)?;
        if text.is_none() && like.labelled {
            return Err(needed("text_column", "the text"));
        }
        let other = |usual: &[&str]| by_name(&self.names, usual).map(str::to_owned);
        Ok(Roles {
            audio: role("audio_column", |format| &format.audio_column, &AUDIO)?
                .ok_or_else(|| needed("audio_column", "the path of the recording"))?,
            text,
            speaker: role("speaker_column", |format| &format.speaker_column, &SPEAKERS)?,
            offset: other(&OFFSETS),
            duration: other(&DURATIONS),
        })
    }

    fn clips(&self, like: &Like<'_>, layout: Layout, mut notes: Vec<Remark>) -> Result<Clips> {
        let roles = self.roles(like)?;
        let folder = self.file.parent().unwrap_or(Path::new(""));
        let (mut clips, mut in_clips) = (Vec::new(), 0);
        for row in 0..self.lines.len() {
            let mut clip =
                self.clip(row, &roles).map_err(|problem| self.problem(Some(row), problem))?;
            let inside = folder.join(CLIPS).join(&clip.path);
            let beside = folder.join(&clip.path);
            let elsewhere = clip.path.is_relative() && !beside.is_file() && inside.is_file();
            in_clips += usize::from(elsewhere);
            clip.path = if elsewhere { inside } else { beside };
            clips.push(clip);
        }
        if in_clips > 0 {
            notes.push(format!("{in_clips} recordings lie in the folder `{CLIPS}`").into());
        }
        notes.extend(self.say(&roles));
        let format = SpeechFormat {
            layout,
            audio_column: Some(roles.audio),
            text_column: roles.text,
            speaker_column: roles.speaker,
            ..SpeechFormat::default()
        };
        let places = Places::of(self.file, Unit::Line, self.lines.iter().copied());
        Ok(Clips { clips, places, notes, format })
    }

    fn clip(&self, row: usize, roles: &Roles) -> Result<Clip, String> {
        let cell = |name: &str| {
            let of = |problem: String| format!("{} `{name}` {problem}", self.noun);
            (self.cell)(row, name).map_err(of)
        };
        let optional = |name: &Option<String>| match name {
            None => Ok(None),
            Some(name) => cell(name),
        };
        let seconds = |name: &Option<String>| {
            let Some(value) = optional(name)?.filter(|value| !missing(value)) else {
                return Ok(None);
            };
            match value.parse::<f64>() {
                Ok(seconds) if seconds >= 0.0 && seconds.is_finite() => Ok(Some(seconds)),
                _ => Err(format!(
                    "{} `{}` is `{value}`; expected seconds, 0 or more",
                    self.noun,
                    name.as_deref().unwrap_or_default()
                )),
            }
        };
        let path = cell(&roles.audio)?.filter(|path| !path.is_empty()).ok_or_else(|| {
            format!("there is no recording: {} `{}` is empty", self.noun, roles.audio)
        })?;
        Ok(Clip {
            path: PathBuf::from(path),
            offset_s: seconds(&roles.offset)?.filter(|offset| *offset > 0.0),
            duration_s: seconds(&roles.duration)?.filter(|duration| *duration > 0.0),
            text: optional(&roles.text)?.unwrap_or_default(),
            speaker: optional(&roles.speaker)?.filter(|speaker| !speaker.is_empty()),
        })
    }

    /// Says which names are read.
    fn say(&self, roles: &Roles) -> Vec<Remark> {
        let Roles { audio, text, speaker, offset, duration } = roles;
        let mut said = format!("recording in {} `{audio}`", self.noun);
        let others =
            [("text", text), ("speaker", speaker), ("begin", offset), ("length", duration)];
        for (what, name) in
            others.into_iter().filter_map(|(what, name)| Some((what, name.as_ref()?)))
        {
            said += &format!(", {what} in `{name}`");
        }
        let chosen = [
            ("audio_column", Some(audio)),
            ("text_column", text.as_ref()),
            ("speaker_column", speaker.as_ref()),
        ];
        let chosen = chosen.into_iter().filter_map(|(setting, name)| Some((setting, name?)));
        chosen.map(|(setting, name)| Remark::chosen(setting, name, said.as_str())).collect()
    }
}
