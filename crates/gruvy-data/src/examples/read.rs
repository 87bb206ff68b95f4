//! From files to examples.
use super::{
    folders::{self, Found},
    format::{Encoding, ExampleFormat, FileFormat},
    json, lines,
    part::{Part, join},
    set::Examples,
    table::{self, is_tab_separated},
    wanted::{Like, Wanted},
};
use crate::decode::{decode, is_npz, latin_note, no_other_kind};
use crate::error::Result;
use crate::error::problem_at;
use crate::input::has_end;
use crate::input::{Input, read_file};
use crate::table::delimited::delimiter;
use crate::table::rows::Table;
use crate::table::rows::is_parquet;
use std::path::Path;

/// Reads examples from files and folders, one behind the other.
///
/// All must hold the same kind of item, and all must have labels or none.
///
/// # Errors
/// [`Error::File`](crate::Error::File) with file and line for what cannot be used;
/// [`Error::Io`](crate::Error::Io).
pub fn read_examples(inputs: &[Input], format: &ExampleFormat) -> Result<Examples> {
    read(inputs, &Wanted::new(format))
}

/// Reads examples that are like others: their columns and keys have the names that these had,
/// wherever they stand. Others beside them are left out, which [`Examples::notes`] tells. Files
/// without columns (lines, folders, arrays) are read as [`read_examples`] does.
///
/// # Errors
/// As [`read_examples`], and for a column that is missing, with its name. Without
/// [`Like::labelled`] those of the labels may be missing.
pub fn read_examples_like(inputs: &[Input], like: &Like<'_>) -> Result<Examples> {
    let read_as = |wanted: Wanted| read(inputs, &wanted);
    match read_as(Wanted::like(like)) {
        // What somebody said of other data may not be true of these: files of another kind have no
        // such columns.
        Err(error) if !like.known.is_found() && like.known != &ExampleFormat::default() => {
            read_as(Wanted::unlike(like)).map_err(|_| error)
        }
        read => read,
    }
}

fn read(inputs: &[Input], wanted: &Wanted) -> Result<Examples> {
    let mut parts = Vec::new();
    for input in inputs {
        let Some(folder) = input.folder() else {
            parts.push(part(input.name(), &input.read()?, wanted)?);
            continue;
        };
        match folders::open(folder, &wanted.of_folder())? {
            Found::Texts(part) => parts.push(*part),
            Found::Files(files, notes) => {
                for inside in files {
                    parts.push(part(&inside, &read_file(&inside)?, wanted)?);
                }
                if let Some(last) = parts.last_mut() {
                    last.notes.extend(notes);
                }
            }
        }
    }
    if !wanted.labelled {
        parts.iter_mut().for_each(|part| part.labels = None);
    }
    join(parts)
}

/// The items of a file.
fn part(file: &Path, bytes: &[u8], wanted: &Wanted) -> Result<Part> {
    let layout = wanted.file_format();
    let tables = [FileFormat::Auto, FileFormat::Table, FileFormat::Sequences];
    if tables.contains(&layout) && is_parquet(file, bytes) {
        no_other_kind(file, bytes, true, false)?;
        return table::read(&Table::parquet(file, bytes.to_vec())?, wanted, Vec::new());
    }
    let npz = has_end(file, &["npz"]) || is_npz(bytes);
    if layout == FileFormat::Npz || (layout == FileFormat::Auto && npz) {
        no_columns(file, "a file of arrays", wanted)?;
        return npz_file(file, bytes);
    }
    if layout == FileFormat::Folders {
        let problem =
            "a file; expected a folder with a folder per label (the setting `file_format=folders`)";
        return Err(problem_at(file, None, problem.into()));
    }
    let decoded = decode(file, bytes, wanted.encoding())?;
    let text = &*decoded.text;
    if text.is_empty() || (text.trim().is_empty() && layout != FileFormat::Lines) {
        return Err(problem_at(file, None, "the file is empty; expected examples".into()));
    }
    let mut part = match layout {
        FileFormat::Auto => read_as(guessed(file, text, wanted), file, text, wanted),
        layout => read_as(layout, file, text, wanted),
    }?;
    if let Some(line) = decoded.latin {
        part.notes.push(latin_note(file, line).into());
        part.format.encoding = Encoding::Latin1;
    }
    Ok(part)
}

#[cfg(feature = "npz")]
fn npz_file(file: &Path, bytes: &[u8]) -> Result<Part> {
    super::npz::read(file, bytes)
}

#[cfg(not(feature = "npz"))]
fn npz_file(file: &Path, _bytes: &[u8]) -> Result<Part> {
    let problem = "a file of NumPy's arrays, and this program was built without them; build it with the feature `npz`, \
                   or save a table as CSV";
    Err(problem_at(file, None, problem.into()))
}

fn read_as(layout: FileFormat, file: &Path, text: &str, wanted: &Wanted) -> Result<Part> {
    match layout {
        FileFormat::JsonLines => json::read(file, text, wanted),
        FileFormat::FastText => {
            no_columns(file, "fastText's lines", wanted)?;
            lines::fast_text(file, text)
        }
        FileFormat::Lines => {
            no_columns(file, "a text per line", wanted)?;
            Ok(lines::plain(file, text))
        }
        _ => {
            let mut notes = Vec::new();
            let table = table::parse(file, text, wanted, &mut notes)?;
            table::read(&table, wanted, notes)
        }
    }
}

/// What a text looks like, by the file's name and its first lines.
fn guessed(file: &Path, text: &str, wanted: &Wanted) -> FileFormat {
    if has_end(file, &["csv", "tsv", "tab"]) {
        return FileFormat::Table;
    }
    if has_end(file, &["json", "jsonl", "ndjson"]) || json::looks_like(text) {
        return FileFormat::JsonLines;
    }
    let said = if wanted.known { &wanted.asked } else { &wanted.format };
    if lines::has_label(text) {
        FileFormat::FastText
    } else if is_tab_separated(text)
        || said.named().next().is_some()
        || has_usual_header(text)
        || wanted.known && has_known_columns(text, wanted)
    {
        FileFormat::Table
    } else {
        FileFormat::Lines
    }
}

/// Whether the first line names the column that has the text in the data that these are like, or
/// the one that has the names of the sequences; where those columns have numbers, whether there are
/// as many.
fn has_known_columns(text: &str, wanted: &Wanted) -> bool {
    let format = &wanted.format;
    let line = text.lines().find(|line| !line.is_empty()).unwrap_or_default();
    let known = if wanted.sequences() { &format.id_column } else { &format.text_column };
    let (Some(known), Some(delimiter)) = (known, delimiter(line.as_bytes(), b"\t;,")) else {
        return false;
    };
    let mut cells = line.split(char::from(delimiter)).map(|cell| cell.trim().trim_matches('"'));
    if wanted.by_name() {
        return cells.any(|cell| cell == known);
    }
    let labels = format.label_column.iter().filter(|_| wanted.labelled);
    let most = labels.chain([known]).filter_map(|name| name.parse().ok()).max();
    most.is_some_and(|most: usize| most > 1 && cells.count() >= most)
}

/// Whether the first line is a header: two names or more, one of which a table of examples has.
fn has_usual_header(text: &str) -> bool {
    let line = text.lines().find(|line| !line.is_empty()).unwrap_or_default();
    let Some(delimiter) = delimiter(line.as_bytes(), b"\t;,") else { return false };
    let mut cells = line.split(char::from(delimiter)).map(|cell| cell.trim().trim_matches('"'));
    cells.clone().count() > 1
        && cells.clone().all(|cell| !cell.is_empty() && !cell.contains(' '))
        && cells.any(super::columns::is_usual)
}

/// An error if a column is named where there are none.
fn no_columns(file: &Path, kind: &str, wanted: &Wanted) -> Result<()> {
    let format = if wanted.known { &wanted.asked } else { &wanted.format };
    let Some((setting, name)) = format.named().next() else { return Ok(()) };
    let problem = format!(
        "{kind} has no column `{name}` ({setting}); leave it out, or say what the file is with \
         the setting `file_format`"
    );
    Err(problem_at(file, None, problem))
}
