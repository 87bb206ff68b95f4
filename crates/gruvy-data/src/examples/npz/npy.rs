//! One array of NumPy's format: a header, then the values, little-endian, in C or Fortran order.
//!
//! ```text
//! \x93NUMPY, version (2 bytes), length of the header (2 bytes; from version 2 on 4),
//! {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }
//! ```
//!
//! The header is read here: parsers of Python literals overflow the stack on nested brackets, and
//! files come from anywhere. Format: <https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>.
use crate::packed::room;
use std::io::Read;

/// An array as it was written.
pub(super) struct Array {
    /// The size of each dimension.
    pub shape: Vec<usize>,
    kind: Kind,
    /// Bytes of a value.
    size: usize,
    /// Values to go for a step in each dimension.
    strides: Vec<usize>,
    data: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Float,
    Signed,
    Unsigned,
    Bool,
    /// UTF-32, with zeros behind it.
    Unicode,
    /// Bytes, with zeros behind them.
    Bytes,
}

/// No header is nearly as long.
const LONGEST_HEADER: u64 = 1 << 16;

impl Array {
    /// Reads an array to its end.
    pub fn read(reader: &mut impl Read) -> Result<Self, String> {
        let header = header(reader)?;
        let (kind, size) = dtype(&header)?;
        let shape = shape(&header)?;
        let fortran = match value(&header, "fortran_order")? {
            order if order.starts_with("True") => true,
            order if order.starts_with("False") => false,
            _ => return Err("its order is unknown; save it again with NumPy".into()),
        };
        let too_large = || format!("the shape {shape:?} is too large for the memory");
        let count = shape.iter().try_fold(1_usize, |all, dim| all.checked_mul(*dim));
        let length = count.and_then(|count| count.checked_mul(size));
        let length = length.filter(|length| *length as u64 <= room()).ok_or_else(too_large)?;
        // One byte more than there may be: the end of the file must come, and with it the archive's
        // checksum.
        let mut data = Vec::new();
        reader.take(length as u64 + 1).read_to_end(&mut data).map_err(|e| io(&e))?;
        if data.len() != length {
            let more = if data.len() > length { "more" } else { "fewer" };
            return Err(format!("has {more} bytes than its shape {shape:?} asks for: {length}"));
        }
        let strides = strides(&shape, fortran);
        Ok(Self { shape, kind, size, strides, data })
    }

    /// Whether it holds text.
    pub fn is_text(&self) -> bool {
        matches!(self.kind, Kind::Unicode | Kind::Bytes)
    }

    /// The value at a position; further zeros than there are dimensions are ignored. NaN for text.
    pub fn number(&self, at: &[usize]) -> f32 {
        let at: usize = at.iter().zip(&self.strides).map(|(at, stride)| at * stride).sum();
        let bytes = self.bytes(at);
        match (self.kind, self.size) {
            (Kind::Float, 4) => f32::from_le_bytes(four(bytes)),
            (Kind::Float, _) => f64::from_le_bytes(eight(bytes)) as f32,
            (Kind::Signed, _) => self.signed(bytes) as f32,
            (Kind::Unsigned | Kind::Bool, _) => u64::from_le_bytes(eight(bytes)) as f32,
            (Kind::Unicode | Kind::Bytes, _) => f32::NAN,
        }
    }

    /// The value of an item, where there is one for each, as text.
    pub fn text(&self, item: usize) -> String {
        let bytes = self.bytes(item);
        match (self.kind, self.size) {
            (Kind::Float, 4) => f32::from_le_bytes(four(bytes)).to_string(),
            (Kind::Float, _) => f64::from_le_bytes(eight(bytes)).to_string(),
            (Kind::Signed, _) => self.signed(bytes).to_string(),
            (Kind::Unsigned | Kind::Bool, _) => u64::from_le_bytes(eight(bytes)).to_string(),
            (Kind::Unicode, _) => {
                let letters = bytes.chunks_exact(4).map(|letter| u32::from_le_bytes(four(letter)));
                let letter = |code| char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
                letters.take_while(|code| *code != 0).map(letter).collect()
            }
            (Kind::Bytes, _) => {
                let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
                String::from_utf8_lossy(&bytes[..end]).into_owned()
            }
        }
    }

    fn bytes(&self, at: usize) -> &[u8] {
        &self.data[at * self.size..(at + 1) * self.size]
    }

    /// An integer with its sign in the highest of its bits.
    fn signed(&self, bytes: &[u8]) -> i64 {
        let unused = 64 - 8 * self.size as u32;
        i64::from_le_bytes(eight(bytes)) << unused >> unused
    }
}

/// Up to four bytes, zeros behind them.
fn four(bytes: &[u8]) -> [u8; 4] {
    std::array::from_fn(|at| bytes.get(at).copied().unwrap_or(0))
}

/// Up to eight bytes, zeros behind them.
fn eight(bytes: &[u8]) -> [u8; 8] {
    std::array::from_fn(|at| bytes.get(at).copied().unwrap_or(0))
}

/// Values to go for a step in each dimension; of an array of no values they can be anything.
fn strides(shape: &[usize], fortran: bool) -> Vec<usize> {
    let mut strides = vec![1_usize; shape.len()];
    if fortran {
        for dim in 1..shape.len() {
            strides[dim] = strides[dim - 1].saturating_mul(shape[dim - 1]);
        }
    } else {
        for dim in (1..shape.len()).rev() {
            strides[dim - 1] = strides[dim].saturating_mul(shape[dim]);
        }
    }
    strides
}

fn io(error: &std::io::Error) -> String {
    format!("cannot be read: {error}; write the file again")
}

/// The header's text.
fn header(reader: &mut impl Read) -> Result<String, String> {
    let mut start = [0; 8];
    reader.read_exact(&mut start).map_err(|e| io(&e))?;
    if !start.starts_with(b"\x93NUMPY") {
        return Err("not an array of NumPy; write the file with np.savez".into());
    }
    let wide = usize::from(start[6] > 1);
    let mut length = [0; 4];
    reader.read_exact(&mut length[..2 + 2 * wide]).map_err(|e| io(&e))?;
    let length = u64::from(u32::from_le_bytes(length));
    let mut header = Vec::new();
    reader.take(length.min(LONGEST_HEADER)).read_to_end(&mut header).map_err(|e| io(&e))?;
    if header.len() as u64 != length {
        return Err("its header is damaged; write the file again".into());
    }
    Ok(String::from_utf8_lossy(&header).into_owned())
}

/// What stands behind a key.
fn value<'a>(header: &'a str, key: &str) -> Result<&'a str, String> {
    let quoted = [format!("'{key}'"), format!("\"{key}\"")];
    let behind = |key: &String| header.split_once(key.as_str()).map(|(_, rest)| rest.trim_start());
    let value = quoted.iter().find_map(behind).and_then(|rest| rest.strip_prefix(':'));
    let value = value.map(str::trim_start);
    value.ok_or_else(|| format!("its header has no `{key}`; write the file with np.savez"))
}

/// `'<f4'`: order, kind and size.
fn dtype(header: &str) -> Result<(Kind, usize), String> {
    const EXPECTED: &str = "expected floats of 4 or 8 bytes, integers, booleans or text";
    let value = value(header, "descr")?;
    let quote = value.chars().next().filter(|first| matches!(first, '\'' | '"'));
    let name = quote.and_then(|quote| value[1..].split_once(quote)).map(|(name, _)| name);
    let Some(name) = name else {
        return Err(format!("its values are structures; {EXPECTED}"));
    };
    let unknown = || format!("its values are of type `{name}`; {EXPECTED}");
    let (order, plain) = match name.split_at_checked(1) {
        Some((order @ ("<" | ">" | "|" | "="), rest)) => (order, rest),
        _ => ("<", name),
    };
    let (kind, size) = plain.split_at_checked(1).ok_or_else(unknown)?;
    if kind == "O" {
        return Err(format!(
            "its values are Python objects; {EXPECTED}: save it with .astype(str) or .astype('f4')"
        ));
    }
    let size: usize = size.parse().map_err(|_| unknown())?;
    if order == ">" && size > 1 {
        return Err(format!(
            "its values are big-endian (`{name}`); save it with .astype('<{plain}')"
        ));
    }
    match (kind, size) {
        ("f", 4 | 8) => Ok((Kind::Float, size)),
        ("i", 1 | 2 | 4 | 8) => Ok((Kind::Signed, size)),
        ("u", 1 | 2 | 4 | 8) => Ok((Kind::Unsigned, size)),
        ("b", 1) => Ok((Kind::Bool, size)),
        ("S", _) => Ok((Kind::Bytes, size)),
        ("U", _) => size.checked_mul(4).map(|size| (Kind::Unicode, size)).ok_or_else(unknown),
        _ => Err(unknown()),
    }
}

/// `(3, 4)`.
fn shape(header: &str) -> Result<Vec<usize>, String> {
    let value = value(header, "shape")?;
    let inner = value.strip_prefix('(').and_then(|rest| rest.split_once(')'));
    let dims = inner.map(|(dims, _)| {
        let dims = dims.split(',').map(|dim| dim.trim().trim_end_matches('L'));
        dims.filter(|dim| !dim.is_empty()).map(str::parse).collect::<Result<Vec<usize>, _>>()
    });
    match dims {
        Some(Ok(dims)) => Ok(dims),
        _ => Err("its shape cannot be read; write the file with np.savez".into()),
    }
}
