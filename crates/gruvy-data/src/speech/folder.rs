//! Folders of recordings: what is said in them stands in names of folders or files, or beside.
use super::format::{Layout, SpeechFormat};
use super::pattern::Pattern;
use super::sound::is_sound;
use super::{Clip, Clips, Like, counted, manifest};
use crate::decode::decode;
use crate::error::{Result, problem_at};
use crate::examples::Encoding;
use crate::examples::part::listed;
use crate::examples::places::Places;
use crate::input::{Input, files_below, has_end, read_file};
use gruvy_runtime::Remark;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// How texts beside recordings end.
const TEXTS: [&str; 2] = ["txt", "lab"];
/// LibriSpeech's texts: a name and what is said, a line each, for all recordings of a folder.
const OF_FOLDER: &str = ".trans.txt";
/// How lists of recordings end.
const LISTS: [&str; 7] = ["jsonl", "ndjson", "json", "tsv", "csv", "parquet", "manifest"];

/// A recording alone: with a text beside it, or none.
pub(super) fn single(input: &Input, like: &Like<'_>) -> Result<Clips> {
    let path = input.name().to_owned();
    let text = match TEXTS.iter().map(|end| path.with_extension(end)).find(|text| text.is_file()) {
        Some(text) => text_of(&text)?,
        None if like.labelled => {
            let problem = "a recording without a text; put what is said in it into a file beside \
                           it that ends in .txt, or give a list of recordings";
            return Err(problem_at(&path, None, problem.into()));
        }
        None => String::new(),
    };
    let mut places = Places::default();
    places.push_file(path.clone());
    let format = SpeechFormat { layout: Layout::Beside, ..like.asked.clone() };
    Ok(Clips { clips: vec![Clip::whole(path, text)], places, notes: Vec::new(), format })
}

/// Reads a folder with all folders below.
pub(super) fn read(folder: &Path, like: &Like<'_>) -> Result<Clips> {
    let files = files_below(folder)?;
    let inside = Inside::of(folder, &files);
    if inside.sounds.is_empty() || matches!(like.asked.layout, Layout::Table | Layout::JsonLines) {
        return inside.list(like);
    }
    // A list that says nothing of recordings is something else.
    if inside.may_be_listed(like)
        && let Ok(clips) = inside.list(like)
    {
        return Ok(clips);
    }
    let pattern = like.asked.pattern.as_ref();
    let layout = match like.asked.layout {
        Layout::Auto if pattern.is_some() => Layout::Names,
        Layout::Auto => inside.guessed(like),
        layout => layout,
    };
    let (clips, notes) = match layout {
        Layout::Names => inside.by_names(like)?,
        Layout::Folders => inside.by_folders()?,
        Layout::Beside => inside.beside(like.labelled)?,
        _ if like.labelled => return Err(inside.no_texts()),
        _ => {
            let whole = |path: &&Path| Clip::whole(path.to_path_buf(), String::new());
            (inside.sounds.iter().map(whole).collect(), Vec::new())
        }
    };
    let mut places = Places::default();
    clips.iter().for_each(|clip| places.push_file(clip.path.clone()));
    let names = layout == Layout::Names;
    let base = if pattern.is_some() { like.asked } else { like.known };
    let format = SpeechFormat {
        layout,
        pattern: base.pattern.clone().filter(|_| names),
        words: if names { base.words.clone() } else { Vec::new() },
        ..SpeechFormat::default()
    };
    Ok(Clips { clips, places, notes, format })
}

/// What is in a folder, and in those below.
struct Inside<'a> {
    folder: &'a Path,
    sounds: Vec<&'a Path>,
    /// Texts that stand beside recordings.
    beside: BTreeMap<PathBuf, &'a Path>,
    /// Texts of all recordings of a folder.
    of_folders: Vec<&'a Path>,
    /// Lists, in the folder itself.
    lists: Vec<&'a Path>,
}

type Found = Result<(Vec<Clip>, Vec<Remark>)>;

impl<'a> Inside<'a> {
    fn of(folder: &'a Path, files: &'a [PathBuf]) -> Self {
        let all = || files.iter().map(PathBuf::as_path);
        let of_folder = |file: &Path| file.to_string_lossy().ends_with(OF_FOLDER);
        let text = |file: &&Path| has_end(file, &TEXTS) && !of_folder(file);
        Self {
            folder,
            sounds: all().filter(|file| is_sound(file)).collect(),
            beside: all().filter(text).map(|file| (file.with_extension(""), file)).collect(),
            of_folders: all().filter(|file| of_folder(file)).collect(),
            lists: all()
                .filter(|file| file.parent() == Some(folder) && has_end(file, &LISTS))
                .collect(),
        }
    }

    /// Whether a list in the folder may say what is in it.
    fn may_be_listed(&self, like: &Like<'_>) -> bool {
        let asked = like.asked;
        asked.layout == Layout::Auto && asked.pattern.is_none() && self.lists.len() == 1
    }

    /// Reads the one list of the folder.
    fn list(&self, like: &Like<'_>) -> Result<Clips> {
        let name =
            |path: &&Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let names: Vec<String> = self.lists.iter().map(name).collect();
        let problem = match self.lists[..] {
            [list] => {
                let mut clips = manifest::read(&list.into(), like)?;
                clips.notes.push(format!("the list of the folder is {}", names[0]).into());
                return Ok(clips);
            }
            [] => "the folder has no recordings; expected files that end in .wav, .flac, .mp3, \
                   .ogg, .m4a or .aiff, or a list of recordings"
                .into(),
            _ => format!("the folder has several lists; give one of them: {}", listed(&names)),
        };
        Err(problem_at(self.folder, None, problem))
    }

    fn guessed(&self, like: &Like<'_>) -> Layout {
        let has_text = |sound: &&Path| self.beside.contains_key(&sound.with_extension(""));
        if !self.of_folders.is_empty() || self.sounds.iter().any(has_text) {
            return Layout::Beside;
        }
        if like.known.pattern.is_some() {
            return Layout::Names;
        }
        let labels: Option<BTreeSet<_>> =
            self.sounds.iter().map(|sound| self.label(sound)).collect();
        // One folder is no label.
        match labels.is_some_and(|labels| labels.len() > 1) {
            true => Layout::Folders,
            false => Layout::Auto,
        }
    }

    /// The folder of a label in which a recording is.
    fn label(&self, sound: &Path) -> Option<String> {
        let below = sound.strip_prefix(self.folder).ok()?;
        let mut parts = below.components();
        let first = parts.next()?.as_os_str().to_string_lossy().trim().to_owned();
        parts.next().map(|_| first)
    }

    fn no_texts(&self) -> crate::Error {
        let name =
            |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let first = self.sounds.first().map(|path| name(path)).unwrap_or_default();
        problem_at(
            self.folder,
            None,
            format!(
                "nothing says what is said in {} recordings: put a text beside each ({first} and \
                 a file of the same name that ends in .txt), sort them into a folder per label, \
                 say what their names mean (the setting `pattern`, such as \
                 {{label}}_{{speaker}}_{{index}}.wav), or give a list (columns `path` and `text`)",
                self.sounds.len()
            ),
        )
    }

    fn by_folders(&self) -> Found {
        let mut clips = Vec::new();
        let mut left_out = Vec::new();
        for sound in &self.sounds {
            match self.label(sound) {
                Some(label) => clips.push(Clip::whole(sound.to_path_buf(), label)),
                None => left_out.push(sound.file_name().unwrap_or_default().to_string_lossy()),
            }
        }
        if clips.is_empty() {
            let problem = "the folder has no folder with recordings; expected one per label (the \
                           setting `layout=folders`)";
            return Err(problem_at(self.folder, None, problem.into()));
        }
        let labels = counted(clips.iter().map(|clip| clip.text.as_str()));
        let mut notes =
            vec![Remark::chosen("layout", "folders", format!("a folder per label: {labels}"))];
        if !left_out.is_empty() {
            notes.push(format!("left out beside the folders: {}", listed(&left_out)).into());
        }
        Ok((clips, notes))
    }

    fn by_names(&self, like: &Like<'_>) -> Found {
        let format = if like.asked.pattern.is_some() { like.asked } else { like.known };
        let Some(said) = &format.pattern else {
            let problem = "the names of recordings are asked for (the setting `layout=names`); say \
                           what they mean with the setting `pattern`, such as \
                           {label}_{speaker}_{index}.wav";
            return Err(problem_at(self.folder, None, problem.into()));
        };
        let pattern = Pattern::new(said, &format.words)?;
        let clip = |sound: &&Path| {
            let parts: Vec<_> = sound.iter().map(|part| part.to_string_lossy()).collect();
            let name = parts[parts.len().saturating_sub(pattern.folders() + 1)..].join("/");
            let said = pattern.read(&name).map_err(|problem| {
                problem_at(
                    sound,
                    None,
                    problem + "; move the file elsewhere, or correct the setting",
                )
            })?;
            let whole = Clip::whole(sound.to_path_buf(), said.text);
            Ok(Clip { speaker: said.speaker, ..whole })
        };
        let clips: Vec<Clip> = self.sounds.iter().map(clip).collect::<Result<_>>()?;
        let texts: BTreeSet<&str> = clips.iter().map(|clip| clip.text.as_str()).collect();
        let example = match clips.first() {
            // Labels come again, sentences seldom do.
            Some(first) if 2 * texts.len() > clips.len() => {
                let name = first.path.file_name().unwrap_or_default().to_string_lossy();
                format!("{name} says `{}`", first.text)
            }
            _ => counted(clips.iter().map(|clip| clip.text.as_str())),
        };
        let why = format!("what is said stands in the names of recordings: {example}");
        Ok((clips, vec![Remark::chosen("layout", "names", why)]))
    }

    fn beside(&self, labelled: bool) -> Found {
        let mut of_folders = BTreeMap::new();
        for file in &self.of_folders {
            of_folders.extend(lines_of(file)?);
        }
        let (mut clips, mut without) = (Vec::new(), Vec::new());
        for sound in &self.sounds {
            let stem = sound.with_extension("");
            let listed = of_folders.remove(&stem);
            let speaker = listed.as_ref().and_then(|_| speaker_of(&stem));
            let text = match (self.beside.get(&stem), listed) {
                (Some(text), _) => text_of(text)?,
                (None, Some(text)) => text,
                (None, None) if !labelled => String::new(),
                (None, None) => {
                    without.push(sound.file_name().unwrap_or_default().to_string_lossy());
                    continue;
                }
            };
            clips.push(Clip { speaker, ..Clip::whole(sound.to_path_buf(), text) });
        }
        if clips.is_empty() {
            return Err(self.no_texts());
        }
        let mut notes = vec![Remark::chosen(
            "layout",
            "beside",
            "what is said stands in texts beside the recordings",
        )];
        if !without.is_empty() {
            let (count, names) = (without.len(), listed(&without));
            notes.push(
                format!("left out {count} recordings without a text beside them: {names}").into(),
            );
        }
        Ok((clips, notes))
    }
}

/// Who speaks in a recording of LibriSpeech: `SPEAKER-CHAPTER-NUMBER`.
fn speaker_of(stem: &Path) -> Option<String> {
    let name = stem.file_name()?.to_string_lossy();
    let mut parts = name.split('-');
    let speaker = parts.next()?.to_owned();
    (parts.count() == 2).then_some(speaker)
}

/// What stands in a file, its lines joined.
fn text_of(file: &Path) -> Result<String> {
    let bytes = read_file(file)?;
    let text = decode(file, &bytes, Encoding::Auto)?.text;
    Ok(text.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// Lines of a name and what is said, by the recording without its end.
fn lines_of(file: &Path) -> Result<Vec<(PathBuf, String)>> {
    let bytes = read_file(file)?;
    let text = decode(file, &bytes, Encoding::Auto)?.text;
    let folder = file.parent().unwrap_or(Path::new(""));
    let lines = text.lines().zip(1..).filter(|(line, _)| !line.trim().is_empty());
    let read = |(line, number): (&str, u64)| {
        let (name, text) = line.trim().split_once(char::is_whitespace).unwrap_or((line.trim(), ""));
        match name.contains('/') {
            true => {
                let problem = format!("`{name}` is no name; expected a name and a text a line");
                Err(problem_at(file, Some(number), problem))
            }
            false => Ok((folder.join(name), text.trim().to_owned())),
        }
    };
    lines.map(read).collect()
}
