//! Text from files and folders, joined.
use crate::decode::{no_other_kind, unicode};
use crate::error::{Error, Result, problem_at};
use crate::input::{Input, files_below, line_at, read_file};
use gruvy_runtime::Remark;
use std::borrow::Cow;
use std::path::Path;

/// What text may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextKind {
    /// Any bytes.
    Bytes,
    /// UTF-8, or UTF-16 with its mark, which becomes UTF-8.
    Utf8,
}

/// A text, and what a person should know about how it was read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Text {
    /// The text.
    pub bytes: Vec<u8>,
    /// What was found, sentences for a person.
    pub notes: Vec<Remark>,
}

/// Reads text, one file behind the other with a line break between them.
///
/// A folder stands for all files in it and below that are UTF-8, sorted by path, hidden ones left
/// out.
///
/// # Errors
/// [`Error::File`] for an empty file, for one that is not UTF-8 although it must be, and for a
/// folder without text; [`Error::Io`].
pub fn read_text(inputs: &[Input], kind: TextKind) -> Result<Text> {
    let mut text = Text::default();
    for input in inputs {
        if let Some(folder) = input.folder() {
            read_folder(folder, &mut text)?;
            continue;
        }
        let bytes = input.read()?;
        if bytes.is_empty() {
            return Err(empty(input.name()));
        }
        let characters = characters(input.name(), &bytes, kind)?;
        if characters.is_empty() {
            return Err(empty(input.name()));
        }
        append(&mut text.bytes, &characters);
    }
    Ok(text)
}

fn empty(file: &Path) -> Error {
    problem_at(file, None, "the file is empty; expected text to learn from".into())
}

/// The text of a file. A mark of byte order at its beginning is none of its characters.
fn characters<'a>(file: &Path, bytes: &'a [u8], kind: TextKind) -> Result<Cow<'a, [u8]>> {
    match kind {
        TextKind::Utf8 => {
            no_other_kind(file, bytes, false, false)?;
            let text = unicode(file, bytes)?;
            check_utf8(file, &text)?;
            Ok(text)
        }
        // What begins like UTF-16 and is not is bytes like any other.
        TextKind::Bytes => Ok(unicode(file, bytes).unwrap_or(Cow::Borrowed(bytes))),
    }
}

fn append(text: &mut Vec<u8>, bytes: &[u8]) {
    if text.last().is_some_and(|last| *last != b'\n') {
        text.push(b'\n');
    }
    text.extend(bytes);
}

fn check_utf8(path: &Path, bytes: &[u8]) -> Result<()> {
    let Err(error) = std::str::from_utf8(bytes) else { return Ok(()) };
    let offset = error.valid_up_to();
    let line = line_at(bytes, offset);
    let problem = format!(
        "invalid UTF-8 at byte {offset} (line {line}); the units `char` and `bpe` need UTF-8 \
         text: convert it or use \
         the setting `unit=byte`"
    );
    Err(problem_at(path, None, problem))
}

fn read_folder(folder: &Path, text: &mut Text) -> Result<()> {
    let files = files_below(folder)?;
    let (mut used, mut other) = (0, 0);
    for path in &files {
        let bytes = read_file(path)?;
        match characters(path, &bytes, TextKind::Utf8) {
            Err(_) => other += 1,
            Ok(characters) if characters.is_empty() => {}
            Ok(characters) => {
                used += 1;
                append(&mut text.bytes, &characters);
            }
        }
    }
    if used == 0 {
        let problem = format!(
            "the folder holds no text: of {} files in it and below, none is UTF-8 and not empty",
            files.len()
        );
        return Err(problem_at(folder, None, problem));
    }
    let left_out =
        if other > 0 { format!(", {other} left out that are not UTF-8") } else { String::new() };
    text.notes.push(format!("{}: {used} files{left_out}", folder.display()).into());
    Ok(())
}
