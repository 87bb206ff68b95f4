//! The chunks of a WAV file up to its samples.
use super::super::mend::Mended;
use super::super::source::Source;
use std::io::{Read, Seek, SeekFrom};

/// No chunk that is looked into is longer.
const MOST_BYTES: u64 = 1 << 16;
/// A size that says that it stands elsewhere, or was not known when the header was written.
const UNKNOWN: u32 = u32::MAX;

/// The order of the bytes of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    Little,
    Big,
}

impl Order {
    pub(super) fn u16(self, bytes: [u8; 2]) -> u16 {
        match self {
            Self::Little => u16::from_le_bytes(bytes),
            Self::Big => u16::from_be_bytes(bytes),
        }
    }

    fn u32(self, bytes: [u8; 4]) -> u32 {
        match self {
            Self::Little => u32::from_le_bytes(bytes),
            Self::Big => u32::from_be_bytes(bytes),
        }
    }
}

/// The chunk `fmt `.
pub(super) struct Format {
    /// How samples are coded, as registered with Microsoft.
    pub(super) tag: u16,
    pub(super) channels: usize,
    pub(super) sample_rate_hz: u32,
    /// Bytes of a frame, or of a block of ADPCM.
    pub(super) align: usize,
    pub(super) bits: u16,
    /// What stands behind: coefficients of ADPCM.
    pub(super) rest: Vec<u8>,
}

pub(super) struct Header {
    pub(super) container: &'static str,
    pub(super) order: Order,
    pub(super) format: Format,
    /// Where samples begin.
    pub(super) data: u64,
    /// Bytes of them as the header says; none: up to the end of the file.
    pub(super) length: Option<u64>,
}

pub(super) fn header(source: &mut Source, mended: &mut Mended) -> Result<Header, String> {
    let mut id = [0; 12];
    source.read_exact(&mut id).map_err(|_| cut_off("its header"))?;
    let (container, order) = match &id[..4] {
        b"RIFX" => ("WAV (RIFX)", Order::Big),
        b"RF64" | b"BW64" => ("WAV (RF64)", Order::Little),
        _ => ("WAV", Order::Little),
    };
    let whole = order.u32([id[4], id[5], id[6], id[7]]);
    let (mut format, mut long) = (None, None);
    let mut at = 12;
    loop {
        source.seek(SeekFrom::Start(at)).map_err(|error| error.to_string())?;
        let mut head = [0; 8];
        if source.read_exact(&mut head).is_err() {
            return Err(cut_off("its samples: it has no chunk `data`"));
        }
        let (name, size) = head.split_at(4);
        let size = order.u32([size[0], size[1], size[2], size[3]]);
        at += 8;
        match name {
            b"fmt " => format = Some(read_format(source, size, order)?),
            b"ds64" => {
                let content = source.head(u64::from(size).min(28)).unwrap_or_default();
                long = content.get(8..16).and_then(|eight| eight.try_into().ok());
            }
            b"data" => {
                let Some(format) = format else {
                    return Err("the chunk `fmt ` does not stand before the samples; write the \
                                file again"
                        .into());
                };
                let there = source.length().saturating_sub(at);
                // Programs that write to a pipe do not know sizes, and say 0 or all ones.
                let piped = size == UNKNOWN || size == 0 && matches!(whole, 0 | UNKNOWN);
                let length = match (size, long) {
                    (UNKNOWN, Some(long)) => Some(u64::from_le_bytes(long)),
                    _ if piped && there > 0 => {
                        mended.say("the header has no length, read up to the end of the file");
                        None
                    }
                    _ => Some(u64::from(size)),
                };
                return Ok(Header { container, order, format, data: at, length });
            }
            _ => {}
        }
        at += u64::from(size) + padding(source, at + u64::from(size), size);
    }
}

/// A chunk of an odd size is followed by a zero, which some programs forget.
fn padding(source: &mut Source, end: u64, size: u32) -> u64 {
    let mut next = [0];
    let is_name = source.seek(SeekFrom::Start(end)).is_ok()
        && source.read_exact(&mut next).is_ok()
        && next[0].is_ascii_alphabetic();
    u64::from(size % 2 == 1 && !is_name)
}

fn cut_off(before: &str) -> String {
    format!("the WAV file is cut off before {before}; fetch or record it again")
}

fn read_format(source: &mut Source, size: u32, order: Order) -> Result<Format, String> {
    let bytes = source.head(u64::from(size).min(MOST_BYTES)).map_err(|error| error.to_string())?;
    let short = || cut_off("the end of the chunk `fmt `");
    let two = |at: usize| -> Result<u16, String> {
        let two = bytes.get(at..at + 2).ok_or_else(short)?;
        Ok(order.u16([two[0], two[1]]))
    };
    let four = bytes.get(4..8).ok_or_else(short)?;
    let mut format = Format {
        tag: two(0)?,
        channels: usize::from(two(2)?),
        sample_rate_hz: order.u32([four[0], four[1], four[2], four[3]]),
        align: usize::from(two(12)?),
        bits: two(14)?,
        rest: bytes.get(18..).unwrap_or_default().to_vec(),
    };
    // The extensible kind: how many bits are meant, where loudspeakers stand, and the true tag.
    if format.tag == 0xFFFE {
        format.tag = match order {
            Order::Little => two(24)?,
            Order::Big => two(26)?,
        };
    }
    Ok(format)
}
