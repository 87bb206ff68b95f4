//! From bytes to characters, and what files are that are no text.
use crate::error::Result;
use crate::error::problem_at;
use crate::examples::format::Encoding;
use crate::input::line_at;
use encoding_rs::{UTF_8, WINDOWS_1252};
use std::{borrow::Cow, path::Path};

/// Files that are no text: how they begin, what they are, and what to do about them.
const KINDS: [(&[u8], &str, &str); 15] = [
    (b"PAR1", PARQUET, "read it where tables are read, or save the table as CSV"),
    (b"\x1f\x8b", "packed twice, with gzip inside", "unpack it once (`gunzip`)"),
    (b"\x28\xb5\x2f\xfd", "packed twice, with Zstandard inside", "unpack it once (`unzstd`)"),
    (b"BZh91AY&SY", "a file packed with bzip2", "unpack it first (`bunzip2`)"),
    (b"\xfd7zXZ\0", "a file packed with xz", "unpack it first (`unxz`)"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", "unpack it first"),
    (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        "an old Office file (.xls, .doc)",
        "save it as CSV or text",
    ),
    (b"%PDF-", "a PDF file", "save its text, in UTF-8"),
    (b"{\\rtf", "an RTF file", "save it as plain text, in UTF-8"),
    (b"SQLite format 3\0", "an SQLite database", "save the table as CSV"),
    (b"\x93NUMPY", "a single NumPy array (.npy)", "save it with np.savez(…, x=x, y=y) as .npz"),
    (b"ARROW1", "an Arrow file (Feather)", "save the table as Parquet or CSV"),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file", "save the data as CSV or .npz"),
    (b"\x89PNG\r\n\x1a\n", "a picture (PNG)", "expected text or a table"),
    (b"\xff\xd8\xff", "a picture (JPEG)", "expected text or a table"),
];
const PARQUET: &str = "a Parquet file";
const NPZ: &str = "NumPy's arrays (.npz)";
/// How every zip file begins, of one and of no entry.
const ZIP: [&[u8]; 2] = [b"PK\x03\x04", b"PK\x05\x06"];
/// Bytes of a zip file in which the names are looked for that tell what it is.
const ZIP_START: usize = 1 << 16;

/// What a file is, by its first bytes, and what to do about it, if it is no text.
fn kind(bytes: &[u8]) -> Option<(&'static str, &'static str)> {
    if ZIP.iter().any(|start| bytes.starts_with(start)) {
        let start = &bytes[..bytes.len().min(ZIP_START)];
        let has = |name: &[u8]| start.windows(name.len()).any(|part| part == name);
        return Some(if has(b".npy") {
            (NPZ, "read it where labelled examples are read")
        } else if has(b"xl/") {
            ("an Excel workbook (.xlsx)", "save the sheet as CSV")
        } else if has(b"word/") {
            ("a Word document (.docx)", "save it as plain text, in UTF-8")
        } else if has(b"opendocument.spreadsheet") {
            ("an OpenDocument spreadsheet (.ods)", "save the sheet as CSV")
        } else {
            ("a zip archive", "unpack it first; of an Excel workbook, save the sheet as CSV")
        });
    }
    let kind = KINDS.iter().find(|(start, ..)| bytes.starts_with(start));
    kind.map(|(_, name, advice)| (*name, *advice))
}

/// An error for a file that is known to be no text, whatever its name says, unless it is one of
/// these: Parquet, .npz.
pub(crate) fn no_other_kind(file: &Path, bytes: &[u8], parquet: bool, npz: bool) -> Result<()> {
    match kind(bytes) {
        Some((PARQUET, _)) if parquet => Ok(()),
        Some((NPZ, _)) if npz => Ok(()),
        Some((name, advice)) => {
            Err(problem_at(file, None, format!("{name}, by its first bytes; {advice}")))
        }
        None => Ok(()),
    }
}

/// Whether these are NumPy's arrays.
pub(crate) fn is_npz(bytes: &[u8]) -> bool {
    kind(bytes).is_some_and(|(name, _)| name == NPZ)
}

/// Text that must be Unicode: UTF-8, or UTF-16 with its mark. Without the mark, which is no
/// character of the text.
///
/// Bytes that are not UTF-8 come back as they are.
pub(crate) fn unicode<'a>(file: &Path, bytes: &'a [u8]) -> Result<Cow<'a, [u8]>> {
    match encoding_rs::Encoding::for_bom(bytes) {
        Some((found, length)) if found == UTF_8 => Ok(Cow::Borrowed(&bytes[length..])),
        Some((found, _)) => {
            Ok(Cow::Owned(wide(file, bytes, found)?.text.into_owned().into_bytes()))
        }
        None => Ok(Cow::Borrowed(bytes)),
    }
}

/// Text, and the line of the first byte that made it Latin-1, if one did.
pub(crate) struct Decoded<'a> {
    pub text: Cow<'a, str>,
    pub latin: Option<u64>,
}

/// The characters of a file.
pub(crate) fn decode<'a>(file: &Path, bytes: &'a [u8], encoding: Encoding) -> Result<Decoded<'a>> {
    no_other_kind(file, bytes, false, false)?;
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
pub(crate) fn latin_note(file: &Path, line: u64) -> String {
    format!(
        "{} is not valid UTF-8 (line {line}) and is read as Latin-1; the setting `encoding=utf-8` \
         refuses that",
        file.display()
    )
}
