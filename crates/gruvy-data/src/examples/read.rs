//! From files to examples.
use super::{
    decode::{decode, latin_note},
    folders::{self, Found},
    format::{ExampleFormat, FileFormat},
    json, lines,
    part::{Part, join},
    set::Examples,
    table::{self, has_end, is_tab_separated},
};
use crate::error::Result;
use crate::error::problem_at;
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
/// [`Error::File`](crate::Error::File) with file and line for what cannot be used; [`Error::Io`](crate::Error::Io).
pub fn read_examples(inputs: &[Input], format: &ExampleFormat) -> Result<Examples> {
    let mut parts = Vec::new();
    for input in inputs {
        let Some(folder) = input.folder() else {
            parts.push(part(input.name(), &input.read()?, format)?);
            continue;
        };
        match folders::open(folder, format)? {
            Found::Texts(part) => parts.push(part),
            Found::Files(files, notes) => {
                for inside in files {
                    parts.push(part(&inside, &read_file(&inside)?, format)?);
                }
                if let Some(last) = parts.last_mut() {
                    last.notes.extend(notes);
                }
            }
        }
    }
    join(parts)
}

/// The items of a file.
fn part(file: &Path, bytes: &[u8], format: &ExampleFormat) -> Result<Part> {
    let layout = format.file_format;
    let tables = [FileFormat::Auto, FileFormat::Table, FileFormat::Sequences];
    if tables.contains(&layout) && is_parquet(file, bytes) {
        return table::read(&Table::parquet(file, bytes.to_vec())?, format, Vec::new());
    }
    let npz = has_end(file, &["npz"]) || bytes.starts_with(b"PK\x03\x04");
    if layout == FileFormat::Npz || (layout == FileFormat::Auto && npz) {
        no_columns(file, "a file of arrays", format)?;
        return npz_file(file, bytes);
    }
    if layout == FileFormat::Folders {
        let problem = "a file; expected a folder with a folder per label (--file-format folders)";
        return Err(problem_at(file, None, problem.into()));
    }
    let decoded = decode(file, bytes, format.encoding)?;
    let text = &*decoded.text;
    if text.is_empty() || (text.trim().is_empty() && layout != FileFormat::Lines) {
        return Err(problem_at(file, None, "the file is empty; expected examples".into()));
    }
    let mut part = match layout {
        FileFormat::Auto => guessed(file, text, format),
        layout => Ok(layout),
    }
    .and_then(|layout| read_as(layout, file, text, format))?;
    if let Some(line) = decoded.latin {
        part.notes.push(latin_note(file, line));
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

fn read_as(layout: FileFormat, file: &Path, text: &str, format: &ExampleFormat) -> Result<Part> {
    match layout {
        FileFormat::JsonLines => json::read(file, text, format),
        FileFormat::FastText => {
            no_columns(file, "fastText's lines", format)?;
            lines::fast_text(file, text)
        }
        FileFormat::Lines => {
            no_columns(file, "a text per line", format)?;
            Ok(lines::plain(file, text))
        }
        _ => {
            let mut notes = Vec::new();
            let table = table::parse(file, text, format, &mut notes)?;
            table::read(&table, format, notes)
        }
    }
}

/// What a text looks like, by the file's name and its first lines.
fn guessed(file: &Path, text: &str, format: &ExampleFormat) -> Result<FileFormat> {
    if has_end(file, &["csv", "tsv", "tab"]) {
        return Ok(FileFormat::Table);
    }
    let json = has_end(file, &["json"]);
    let start = text.trim_start().chars().next();
    if json && start == Some('[') {
        return Err(json::array(file));
    }
    if json || has_end(file, &["jsonl", "ndjson"]) {
        return Ok(FileFormat::JsonLines);
    }
    Ok(if start == Some('{') && json::looks_like(text) {
        FileFormat::JsonLines
    } else if lines::has_label(text) {
        FileFormat::FastText
    } else if is_tab_separated(text) || format.named().next().is_some() || has_usual_header(text) {
        FileFormat::Table
    } else {
        FileFormat::Lines
    })
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
fn no_columns(file: &Path, kind: &str, format: &ExampleFormat) -> Result<()> {
    let Some((flag, name)) = format.named().next() else { return Ok(()) };
    let problem = format!(
        "{kind} has no column `{name}` ({flag}); leave it out, or say what the file is with --file-format"
    );
    Err(problem_at(file, None, problem))
}
