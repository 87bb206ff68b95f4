//! SoundFonts, read with `rustysynth` once it is sure that it can.
use crate::error::{Error, Result};
use rustysynth::SoundFont;
use std::io::Cursor;
use std::path::Path;
use std::sync::Arc;

/// Lists of a SoundFont whose records say where their parts of the next list begin: name, bytes of a
/// record, the byte at which it says so, and the next list with the bytes of its records.
type List = (&'static [u8; 4], usize, usize, (&'static [u8; 4], usize));
const LISTS: [List; 4] = [
    (b"phdr", 38, 24, (b"pbag", 4)),
    (b"pbag", 4, 0, (b"pgen", 4)),
    (b"inst", 22, 20, (b"ibag", 4)),
    (b"ibag", 4, 0, (b"igen", 4)),
];

/// A SoundFont.
#[derive(Clone)]
pub struct Font(pub(super) Arc<SoundFont>);

impl std::fmt::Debug for Font {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        to.debug_tuple("Font").field(&self.0.get_info().get_bank_name()).finish()
    }
}

impl Font {
    /// Reads a SoundFont file (`.sf2`).
    ///
    /// # Errors
    /// [`Error::Io`], and [`Error::Data`] for a file of another kind or a damaged one.
    pub fn open(path: &Path) -> Result<Self> {
        let bytes = std::fs::read(path).map_err(Error::io("read", path))?;
        let wrong = |problem: String| Err(Error::Data(format!("{}: {problem}", path.display())));
        if let Some([b'R', b'I', b'F', b'F', length @ ..]) = bytes.first_chunk::<8>() {
            let (length, got) = (u64::from(u32::from_le_bytes(*length)) + 8, bytes.len() as u64);
            if got < length {
                let problem = format!("the SoundFont is cut off, with {got} of {length} bytes");
                return wrong(format!("{problem}: copy it again"));
            }
        }
        if let Some((name, ..)) = LISTS.iter().find(|list| !leads_on(&bytes, list)) {
            let name = String::from_utf8_lossy(&name[..]);
            return wrong(format!("the SoundFont is damaged, in the list `{name}`: copy it again"));
        }
        match SoundFont::new(&mut Cursor::new(bytes)) {
            Ok(font) => Ok(Self(Arc::new(font))),
            Err(error) => wrong(format!(
                "cannot be read as a SoundFont; expected a file of the kind `.sf2`: {error}"
            )),
        }
    }
}

/// Whether all parts of the next list are there, one behind the other.
fn leads_on(bytes: &[u8], (name, record, at, (next, size)): &List) -> bool {
    let starts: Vec<usize> = list(bytes, name)
        .chunks_exact(*record)
        .map(|record| usize::from(u16::from_le_bytes([record[*at], record[at + 1]])))
        .collect();
    let count = list(bytes, next).len() / size;
    starts.is_sorted() && starts.last().is_none_or(|last| *last < count)
}

/// The content of a list among the parameters of a SoundFont; empty if it is not there.
fn list<'a>(bytes: &'a [u8], name: &[u8; 4]) -> &'a [u8] {
    let lists = chunks(bytes.get(12..).unwrap_or_default());
    let parameters = lists.filter_map(|(_, body)| body.strip_prefix(b"pdta"));
    let found = parameters.flat_map(chunks).find(|(id, _)| *id == name);
    found.map(|(_, body)| body).unwrap_or_default()
}

/// The chunks of a RIFF file: a name of four bytes, a length of four, and so many bytes.
fn chunks(mut bytes: &[u8]) -> impl Iterator<Item = (&[u8; 4], &[u8])> {
    std::iter::from_fn(move || {
        let (name, rest) = bytes.split_first_chunk::<4>()?;
        let (length, rest) = rest.split_first_chunk::<4>()?;
        let length = u32::from_le_bytes(*length) as usize;
        bytes = rest.get(length.next_multiple_of(2)..).unwrap_or_default();
        Some((name, rest.get(..length)?))
    })
}
