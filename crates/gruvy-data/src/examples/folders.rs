//! A folder per label, a file per text.
use super::{
    format::{ExampleFormat, FileFormat},
    part::{Part, listed},
    places::Places,
};
use crate::decode::decode;
use crate::error::problem_at;
use crate::error::{Error, Result};
use crate::input::{has_end, read_file};
use gruvy_runtime::Remark;
use gruvy_runtime::items::Items;
use std::path::{Path, PathBuf};

/// How the names of files end that are read of a folder.
const KNOWN: [&str; 11] =
    ["csv", "tsv", "tab", "jsonl", "ndjson", "json", "parquet", "parq", "pq", "npz", "txt"];

/// What is in a folder, by name; hidden things are not there.
#[derive(Default)]
struct Inside {
    folders: Vec<PathBuf>,
    files: Vec<PathBuf>,
}

/// What a folder stands for.
pub(super) enum Found {
    /// A folder per label.
    Texts(Box<Part>),
    /// Files to be read, and what is said of the others.
    Files(Vec<PathBuf>, Vec<Remark>),
}

/// Reads a folder, or says which files of it are to be read.
pub(super) fn open(folder: &Path, format: &ExampleFormat) -> Result<Found> {
    let inside = Inside::of(folder)?;
    let labelled = match format.file_format {
        FileFormat::Auto => !inside.folders.is_empty(),
        FileFormat::Folders => true,
        _ => false,
    };
    if labelled {
        return Ok(Found::Texts(Box::new(texts(folder, &inside, format)?)));
    }
    let auto = format.file_format == FileFormat::Auto;
    let (files, others): (Vec<PathBuf>, Vec<PathBuf>) =
        inside.files.into_iter().partition(|file| !auto || has_end(file, &KNOWN));
    if files.is_empty() {
        let problem = format!(
            "the folder has nothing to read; expected a folder per label with a file per text, or \
             files that end in {}",
            KNOWN.join(", ")
        );
        return Err(problem_at(folder, None, problem));
    }
    let left_out = others.iter().chain(&inside.folders).map(|path| name(path)).collect::<Vec<_>>();
    let notes = match &left_out[..] {
        [] => Vec::new(),
        names => vec![format!("{}: left out {}", folder.display(), listed(names)).into()],
    };
    Ok(Found::Files(files, notes))
}

/// What is found on the way through a folder per label.
#[derive(Default)]
struct Walk {
    texts: Vec<String>,
    labels: Vec<Vec<String>>,
    places: Places,
    /// The labels with their numbers of texts.
    found: Vec<String>,
    /// Files that are not valid UTF-8.
    latin: Vec<String>,
    left_out: Vec<String>,
}

impl Walk {
    /// Reads all files of the folder of one label.
    fn label(&mut self, path: &Path, label: &str, format: &ExampleFormat) -> Result<()> {
        let inside = Inside::of(path)?;
        if inside.files.is_empty() {
            let problem = "the folder has no file; expected a file per text, or leave the folder \
                           out (the setting `ignore_columns`)";
            return Err(problem_at(path, None, problem.into()));
        }
        self.left_out.extend(inside.folders.iter().map(|inner| format!("{label}/{}", name(inner))));
        self.found.push(format!("`{label}` ({})", inside.files.len()));
        for file in inside.files {
            let bytes = read_file(&file)?;
            let decoded = decode(&file, &bytes, format.encoding)?;
            if decoded.latin.is_some() {
                self.latin.push(file.display().to_string());
            }
            self.texts.push(decoded.text.trim().to_owned());
            self.labels.push(vec![label.trim().to_owned()]);
            self.places.push_file(file);
        }
        Ok(())
    }

    /// What is said of it.
    fn notes(&self, folder: &Path) -> Vec<Remark> {
        let why = format!("a folder per label: {}", self.found.join(", "));
        let mut notes = vec![Remark::chosen("file_format", "folders", why)];
        if !self.left_out.is_empty() {
            let left_out = listed(&self.left_out);
            notes.push(format!("{}: left out {left_out}", folder.display()).into());
        }
        if let [first, ..] = &self.latin[..] {
            let latin = self.latin.len();
            notes.push(
                format!(
                    "{latin} files are not valid UTF-8 and are read as Latin-1, the first is \
                     {first}"
                )
                .into(),
            );
        }
        notes
    }
}

/// The texts of a folder per label.
fn texts(folder: &Path, inside: &Inside, format: &ExampleFormat) -> Result<Part> {
    let names: Vec<String> = inside.folders.iter().map(|path| name(path)).collect();
    if let Some(unknown) = format.ignore_columns.iter().find(|known| !names.contains(known)) {
        let problem = match &names[..] {
            [] => format!("there is no folder `{unknown}` to ignore; there is none"),
            names => {
                format!("there is no folder `{unknown}` to ignore; there are {}", listed(names))
            }
        };
        return Err(problem_at(folder, None, problem));
    }
    let left_out = inside.files.iter().map(|path| name(path)).collect();
    let mut walk = Walk { left_out, ..Walk::default() };
    for (path, label) in inside.folders.iter().zip(&names) {
        if !format.ignore_columns.contains(label) {
            walk.label(path, label, format)?;
        }
    }
    if walk.texts.is_empty() {
        let problem =
            "the folder has no folder to read; expected one per label, with a file per text";
        return Err(problem_at(folder, None, problem.into()));
    }
    let notes = walk.notes(folder);
    let Walk { texts, labels, places, .. } = walk;
    let (items, labels) = (Items::Text(texts), Some(labels));
    let format = ExampleFormat { file_format: FileFormat::Folders, ..format.clone() };
    Ok(Part { file: folder.to_owned(), items, labels, ids: None, places, notes, format })
}

impl Inside {
    fn of(folder: &Path) -> Result<Self> {
        let io = |error| Error::Io { action: "read", path: folder.to_owned(), error };
        let mut inside = Self::default();
        for entry in std::fs::read_dir(folder).map_err(io)? {
            let path = entry.map_err(io)?.path();
            if name(&path).starts_with('.') {
                continue;
            }
            // A link counts as what it leads to.
            if path.is_dir() { inside.folders.push(path) } else { inside.files.push(path) }
        }
        inside.folders.sort();
        inside.files.sort();
        Ok(inside)
    }
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
