//! Word vectors in the text formats of GloVe and word2vec, perhaps packed.
//!
//! ```text
//! 400000 100           word2vec's first line: words, numbers of each; GloVe has none
//! the 0.418 0.24968 …  a word and its numbers
//! ```
use crate::error::{Error, Result};
use std::io::{self, BufRead, Read};
use std::path::Path;

/// Bytes of the longest line that is read: a hundred thousand numbers.
const MOST_LINE: u64 = 1 << 20;

/// Words and their vectors.
#[derive(Debug, Default)]
pub(super) struct Vectors {
    /// `E`
    pub dim: usize,
    /// In the order of the file.
    pub words: Vec<String>,
    /// `[words, E]`
    pub values: Vec<f32>,
}

impl Vectors {
    /// Reads the words of a file that `wanted` says yes to.
    ///
    /// # Errors
    /// If it cannot be read, or a line has another number of numbers than the first, or what is
    /// none: with file and line.
    pub fn read(path: &Path, wanted: impl FnMut(&str) -> bool) -> Result<Self> {
        Self::parse(path, gruvy_data::open(path)?, wanted)
    }

    fn parse(
        path: &Path,
        mut file: impl BufRead,
        mut wanted: impl FnMut(&str) -> bool,
    ) -> Result<Self> {
        let mut all = Self::default();
        let (mut line, mut number) = (Vec::new(), 0u64);
        loop {
            line.clear();
            number += 1;
            let mut some = file.by_ref().take(MOST_LINE + 1);
            if some.read_until(b'\n', &mut line).map_err(|error| unreadable(path, error))? == 0 {
                break;
            }
            // Words of another encoding are nobody's words here.
            let text = String::from_utf8_lossy(&line);
            let text = text.trim_end();
            let wrong =
                |what: String| Error::Data(format!("{}, line {number}: {what}", path.display()));
            if line.len() as u64 > MOST_LINE {
                return Err(wrong(format!(
                    "the line is longer than {MOST_LINE} bytes; these are no word vectors in \
                     GloVe's or word2vec's text format"
                )));
            }
            if text.is_empty() || number == 1 && header(text) {
                continue;
            }
            let fields = text.split(' ').count() - 1;
            if all.dim == 0 {
                all.dim = fields;
            }
            if fields < all.dim || all.dim == 0 {
                return Err(wrong(format!(
                    "expected a word and {} numbers with blanks between them, got {fields} \
                     numbers; these are no word \
                     vectors in GloVe's or word2vec's text format, or the file is cut off",
                    all.dim.max(1)
                )));
            }
            // From the right, as some words of GloVe have blanks in them.
            let mut parts: Vec<&str> = text.rsplitn(all.dim + 1, ' ').collect();
            let Some(word) = parts.pop() else { continue };
            if !wanted(word) {
                continue;
            }
            for part in parts.iter().rev() {
                let value = part.parse().ok().filter(|value: &f32| value.is_finite());
                all.values
                    .push(value.ok_or_else(|| wrong(format!("`{part}` is no finite number")))?);
            }
            all.words.push(word.to_owned());
        }
        match all.dim {
            0 => Err(Error::Data(format!("{} holds no word vectors", path.display()))),
            _ => Ok(all),
        }
    }
}

fn unreadable(path: &Path, error: io::Error) -> Error {
    match error.kind() {
        // Unpacking says so of what it cannot unpack.
        io::ErrorKind::UnexpectedEof
        | io::ErrorKind::InvalidData
        | io::ErrorKind::InvalidInput
        | io::ErrorKind::Other => Error::Data(format!(
            "{}: the packed file is cut off or damaged ({error}); fetch it or pack it again",
            path.display()
        )),
        _ => Error::io("read", path)(error),
    }
}

/// Whether a line is word2vec's first: two whole numbers.
fn header(line: &str) -> bool {
    let mut fields = line.split(' ');
    let whole = |field: Option<&str>| field.is_some_and(|f| f.parse::<u64>().is_ok());
    whole(fields.next()) && whole(fields.next()) && fields.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Vectors> {
        Vectors::parse(Path::new("v.txt"), text.as_bytes(), |word| word != "no")
    }

    #[test]
    fn both_formats_are_read() {
        for head in ["", "4 2\n"] {
            let vectors =
                parse(&format!("{head}a 1 2.5\nno 0 0\n. . . -1 3e-1\nb 4 5 \n")).unwrap();
            assert_eq!(
                (vectors.dim, &vectors.words[..]),
                (2, &["a", ". . .", "b"].map(String::from)[..])
            );
            assert_eq!(vectors.values, [1.0, 2.5, -1.0, 0.3, 4.0, 5.0]);
        }
    }

    #[test]
    fn damage_is_named_with_its_line() {
        for (text, want) in [
            ("a 1 2\nb 1\n", "line 2"),
            ("a 1 2\nb 1 x\n", "`x`"),
            ("a 1 2\nb 1 nan\n", "`nan`"),
            ("a\n", "line 1"),
            ("", "no word vectors"),
        ] {
            let error = parse(text).unwrap_err().to_string();
            assert!(error.contains(want) && error.contains("v.txt"), "{text:?}: {error}");
        }
    }

    /// `2 2`, `cat 1 0.5`, `dog -1 3`, a line each: packed with gzip and with Zstandard.
    const GZIP: &[u8] =
        b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x033R0\xe2JN,Q0T0\xd03\xe5J\xc9OW\xd05T0\
        \xe6\x02\x00\xca\xb2\x91\xa7\x17\x00\x00\x00";
    const ZSTANDARD: &[u8] =
        b"(\xb5/\xfd$\x17\xb9\x00\x002\x202\x0acat\x201\x200.5\x0adog\x20-1\x203\x0a\xcf\
        \x86\x08o";

    #[test]
    fn packed_files_are_read_as_they_are_inside() {
        let folder = tempfile::tempdir().unwrap();
        for (name, bytes) in [("v.txt.gz", GZIP), ("v.txt.zst", ZSTANDARD), ("v.txt", GZIP)] {
            let path = folder.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            let vectors = Vectors::read(&path, |_| true).unwrap();
            assert_eq!(vectors.words, ["cat", "dog"], "{name}");
            assert_eq!((vectors.dim, &vectors.values[..]), (2, &[1.0, 0.5, -1.0, 3.0][..]));
            std::fs::write(&path, &bytes[..bytes.len() - 3]).unwrap();
            let error = Vectors::read(&path, |_| true).unwrap_err().to_string();
            assert!(error.contains(name) && error.contains("cut off or damaged"), "{error}");
        }
    }

    #[test]
    fn a_line_without_end_is_no_word() {
        let endless = io::BufReader::new(io::repeat(b'0'));
        let error = Vectors::parse(Path::new("v.txt"), endless, |_| true).unwrap_err().to_string();
        assert!(error.contains("v.txt, line 1: the line is longer than"), "{error}");
    }

    proptest::proptest! {
        #[test]
        fn any_bytes(
            bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200),
            text in "[a-c0-9. \n-]{0,80}",
        ) {
            for bytes in [&bytes[..], text.as_bytes()] {
                match Vectors::parse(Path::new("v.txt"), bytes, |_| true) {
                    Ok(all) => assert_eq!(all.values.len(), all.words.len() * all.dim),
                    Err(error) => assert!(error.to_string().contains("v.txt"), "{error}"),
                }
            }
        }
    }
}
