//! Sizes in the footer of a Parquet file, before the library allocates what they say.
//!
//! ```text
//! … FileMetaData, its length (4 bytes, little-endian), PAR1
//! ```
//! The footer is a struct in Thrift's compact protocol. No list in it can have more elements than
//! bytes, and no element of the schema more children than the schema has elements.

/// Nothing in a footer lies deeper.
const DEEPEST: usize = 32;
/// The field of `FileMetaData` that is the schema, and that of one of its elements with the number
/// of its children.
const SCHEMA: i64 = 2;
const CHILDREN: i64 = 5;

const DAMAGED: &str = "a size in its footer is larger than the file";

/// # Errors
/// A sentence for a footer that does not keep to its own size. What is no footer at all is left to
/// the library.
pub(super) fn check(bytes: &[u8]) -> Result<(), &'static str> {
    let Some((before, _)) = bytes.split_last_chunk::<4>() else { return Ok(()) };
    let Some((before, length)) = before.split_last_chunk::<4>() else { return Ok(()) };
    let length = u32::from_le_bytes(*length) as usize;
    let Some(from) = before.len().checked_sub(length) else { return Ok(()) };
    let mut walk = Walk { rest: &before[from..] };
    walk.structure(0, 0).ok_or(DAMAGED)
}

/// What is left of a footer. Each step is none where the footer ends or says what cannot be.
struct Walk<'a> {
    rest: &'a [u8],
}

impl Walk<'_> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*first)
    }

    fn skip(&mut self, count: usize) -> Option<()> {
        self.rest = self.rest.get(count..)?;
        Some(())
    }

    fn number(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7F) << shift;
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }

    fn signed(&mut self) -> Option<i64> {
        let number = self.number()?;
        Some((number >> 1) as i64 ^ -((number & 1) as i64))
    }

    /// Fields until the stop. `children`: the most that an element of the schema may have, if this
    /// is one.
    fn structure(&mut self, depth: usize, children: usize) -> Option<()> {
        let mut id = 0i64;
        loop {
            let head = self.byte()?;
            let kind = head & 0x0F;
            if kind == 0 {
                return Some(());
            }
            id = match head >> 4 {
                0 => self.signed()?,
                more => id.checked_add(i64::from(more))?,
            };
            if children > 0 && (id, kind) == (CHILDREN, 5) {
                let got = usize::try_from(self.signed()?).ok()?;
                (got <= children).then_some(())?;
                continue;
            }
            let schema = depth == 0 && id == SCHEMA;
            self.value(kind, depth + 1, schema)?;
        }
    }

    fn value(&mut self, kind: u8, depth: usize, schema: bool) -> Option<()> {
        if depth > DEEPEST {
            return None;
        }
        match kind {
            1 | 2 => Some(()),
            3 => self.skip(1),
            4..=6 => self.number().map(drop),
            7 => self.skip(8),
            8 => {
                let length = usize::try_from(self.number()?).ok()?;
                self.skip(length)
            }
            9 | 10 => self.list(depth, schema),
            12 => self.structure(depth, 0),
            // A footer has no maps; what else there may be is unknown.
            _ => None,
        }
    }

    fn list(&mut self, depth: usize, schema: bool) -> Option<()> {
        let head = self.byte()?;
        let kind = head & 0x0F;
        let count = match head >> 4 {
            15 => usize::try_from(self.number()?).ok()?,
            count => usize::from(count),
        };
        (count <= self.rest.len()).then_some(())?;
        for _ in 0..count {
            match (kind, schema) {
                // A truth value in a list has a byte of its own.
                (1 | 2, _) => self.skip(1)?,
                (12, true) => self.structure(depth, count)?,
                _ => self.value(kind, depth + 1, false)?,
            }
        }
        Some(())
    }
}
