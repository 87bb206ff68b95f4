//! From bytes to characters.
use super::format::Encoding;
use crate::error::Result;
use crate::error::problem_at;
use crate::input::line_at;
use encoding_rs::{UTF_8, WINDOWS_1252};
use std::{borrow::Cow, path::Path};

/// Text, and the line of the first byte that made it Latin-1, if one did.
pub(super) struct Decoded<'a> {
    pub text: Cow<'a, str>,
    pub latin: Option<u64>,
}

/// The characters of a file.
pub(super) fn decode<'a>(file: &Path, bytes: &'a [u8], encoding: Encoding) -> Result<Decoded<'a>> {
    let mark = encoding_rs::Encoding::for_bom(bytes);
    let bytes = match mark {
        Some((found, _)) if found != UTF_8 && encoding == Encoding::Auto => {
            return wide(file, bytes, found);
        }
        Some((found, length)) if found == UTF_8 => &bytes[length..],
        _ => bytes,
    };
    if let Some(at) = bytes.iter().position(|byte| *byte == 0) {
        let problem = "not a text file: it has a byte 0; expected text, or a file whose name ends in .parquet or .npz";
        return Err(problem_at(file, Some(line_at(bytes, at)), problem.into()));
    }
    let invalid = match std::str::from_utf8(bytes) {
        Ok(text) if encoding != Encoding::Latin1 || mark.is_some() => {
            return Ok(Decoded { text: text.into(), latin: None });
        }
        Ok(_) => None,
        Err(invalid) => Some(line_at(bytes, invalid.valid_up_to())),
    };
    if encoding == Encoding::Utf8 {
        let problem = "not valid UTF-8; save the file as UTF-8, or read it with the setting `encoding=latin-1`";
        return Err(problem_at(file, invalid, problem.into()));
    }
    let (text, _) = WINDOWS_1252.decode_without_bom_handling(bytes);
    Ok(Decoded { text, latin: invalid.filter(|_| encoding == Encoding::Auto) })
}

/// UTF-16.
fn wide<'a>(
    file: &Path,
    bytes: &'a [u8],
    encoding: &'static encoding_rs::Encoding,
) -> Result<Decoded<'a>> {
    let (text, odd) = encoding.decode_with_bom_removal(bytes);
    if odd || text.contains('\0') {
        let problem = format!("begins like {} and is not; save it as UTF-8", encoding.name());
        return Err(problem_at(file, None, problem));
    }
    Ok(Decoded { text, latin: None })
}

/// What is said of a file that was taken for Latin-1.
pub(super) fn latin_note(file: &Path, line: u64) -> String {
    format!(
        "{} is not valid UTF-8 (line {line}) and is read as Latin-1; the setting `encoding=utf-8` refuses that",
        file.display()
    )
}
