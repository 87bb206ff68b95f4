//! Bytes of a WAV file to samples.
use super::super::kind::unsupported;
use super::adpcm::{Ima, Microsoft};
use super::chunks::{Format, Order};

/// How samples are written.
pub(super) enum Coding {
    /// One byte each, 128 is silence.
    Unsigned { channels: usize },
    /// Integers at the top of so many bytes.
    Integers { channels: usize, bytes: usize, order: Order },
    /// Floating point of 32 bits.
    Single { channels: usize, order: Order },
    /// Floating point of 64 bits.
    Double { channels: usize, order: Order },
    /// One byte each, by a table.
    Table { channels: usize, table: Box<[f32; 256]>, name: &'static str },
    /// Blocks of 4-bit steps, after IMA.
    Ima(Ima),
    /// Blocks of 4-bit steps, after Microsoft.
    Microsoft(Microsoft),
}

impl Coding {
    pub(super) fn of(format: &Format, order: Order) -> Result<Self, String> {
        let (channels, bits) = (format.channels, format.bits);
        let impossible = |what: &str| {
            Err(format!(
                "{what} of {bits} bits a sample, which is not possible; the header is damaged"
            ))
        };
        let law = |table: fn(u8) -> i16, name| {
            let table = std::array::from_fn(|byte| f32::from(table(byte as u8)) / 32_768.0);
            Ok(Self::Table { channels, table: Box::new(table), name })
        };
        match (format.tag, bits) {
            (1, 1..=64) => {
                let bytes = usize::from(bits).div_ceil(8);
                // A frame that does not divide among channels is a wrong header, not a wider one.
                let given = format.align / channels;
                if format.align.is_multiple_of(channels) && (bytes + 1..=8).contains(&given) {
                    return Err(unsupported(&format!(
                        "a WAV file with {bits} bits in {given} bytes a sample, of which the header \
                         does not say where they are"
                    )));
                }
                Ok(match bytes {
                    1 => Self::Unsigned { channels },
                    bytes => Self::Integers { channels, bytes, order },
                })
            }
            (1, _) => impossible("integers"),
            (3, 32) => Ok(Self::Single { channels, order }),
            (3, 64) => Ok(Self::Double { channels, order }),
            (3, _) => impossible("floating-point numbers"),
            (6, _) => law(a_law, "A-law"),
            (7, _) => law(mu_law, "mu-law"),
            (2 | 0x11, _) if order == Order::Big => Err(unsupported("big-endian ADPCM")),
            (2, _) => Ok(Self::Microsoft(Microsoft::new(channels, format.align, &format.rest)?)),
            (0x11, _) => Ok(Self::Ima(Ima::new(channels, format.align)?)),
            (tag, _) => Err(unsupported(&format!("a WAV file with {}", coding_name(tag)))),
        }
    }

    /// What it is called, of so many bits.
    pub(super) fn name(&self, bits: u16) -> String {
        match self {
            Self::Unsigned { .. } | Self::Integers { .. } => format!("{bits} bits"),
            Self::Single { .. } => "32 bits, floating point".into(),
            Self::Double { .. } => "64 bits, floating point".into(),
            Self::Table { name, .. } => (*name).into(),
            Self::Ima(_) => "IMA ADPCM".into(),
            Self::Microsoft(_) => "Microsoft ADPCM".into(),
        }
    }

    /// Bytes of the least that is decoded at once: a frame, or a block.
    pub(super) fn unit(&self) -> usize {
        match self {
            Self::Unsigned { channels } | Self::Table { channels, .. } => *channels,
            Self::Integers { channels, bytes, .. } => channels * bytes,
            Self::Single { channels, .. } => 4 * channels,
            Self::Double { channels, .. } => 8 * channels,
            Self::Ima(ima) => ima.align,
            Self::Microsoft(microsoft) => microsoft.align,
        }
    }

    /// Frames that come of a unit.
    pub(super) fn frames_of_unit(&self) -> usize {
        match self {
            Self::Ima(ima) => ima.frames(ima.align),
            Self::Microsoft(microsoft) => microsoft.frames(microsoft.align),
            _ => 1,
        }
    }

    /// Whether a part of a unit gives frames, too.
    pub(super) fn takes_parts(&self) -> bool {
        matches!(self, Self::Ima(_) | Self::Microsoft(_))
    }

    /// Frames that come of so many bytes.
    pub(super) fn frames(&self, bytes: u64) -> u64 {
        let unit = self.unit() as u64;
        let rest = (bytes % unit) as usize;
        let last = match self {
            Self::Ima(ima) => ima.frames(rest),
            Self::Microsoft(microsoft) => microsoft.frames(rest),
            _ => 0,
        };
        (bytes / unit).saturating_mul(self.frames_of_unit() as u64).saturating_add(last as u64)
    }

    /// Adds the samples of whole units, and of what a last part gives.
    pub(super) fn decode(&self, bytes: &[u8], out: &mut Vec<f32>) {
        let whole = &bytes[..bytes.len() / self.unit() * self.unit()];
        match self {
            Self::Unsigned { .. } => {
                out.extend(whole.iter().map(|byte| (f32::from(*byte) - 128.0) / 128.0));
            }
            Self::Table { table, .. } => {
                out.extend(whole.iter().map(|byte| table[usize::from(*byte)]));
            }
            Self::Integers { bytes, order, .. } => integers(whole, *bytes, *order, out),
            Self::Single { order, .. } => {
                out.extend(whole.as_chunks().0.iter().map(|four| match order {
                    Order::Little => f32::from_le_bytes(*four),
                    Order::Big => f32::from_be_bytes(*four),
                }))
            }
            Self::Double { order, .. } => {
                out.extend(whole.as_chunks().0.iter().map(|eight| match order {
                    Order::Little => f64::from_le_bytes(*eight) as f32,
                    Order::Big => f64::from_be_bytes(*eight) as f32,
                }))
            }
            Self::Ima(ima) => bytes.chunks(ima.align).for_each(|block| ima.decode(block, out)),
            Self::Microsoft(microsoft) => {
                bytes.chunks(microsoft.align).for_each(|block| microsoft.decode(block, out));
            }
        }
    }
}

/// Integers of 2 to 8 bytes, so that the highest bit is the sign of 64.
fn integers(bytes: &[u8], width: usize, order: Order, out: &mut Vec<f32>) {
    const FULL: f64 = 9_223_372_036_854_775_808.0;
    out.extend(bytes.chunks_exact(width).map(|sample| {
        let mut eight = [0; 8];
        match order {
            Order::Little => eight[8 - width..].copy_from_slice(sample),
            Order::Big => {
                eight[..width].copy_from_slice(sample);
                eight.reverse();
            }
        }
        (i64::from_le_bytes(eight) as f64 / FULL) as f32
    }));
}

/// ITU-T G.711, to 16 bits.
fn a_law(byte: u8) -> i16 {
    let byte = byte ^ 0x55;
    let (segment, step) = (byte >> 4 & 7, i16::from(byte & 15) << 4);
    let value = match segment {
        0 => step + 8,
        segment => (step + 0x108) << (segment - 1),
    };
    if byte & 0x80 == 0 { -value } else { value }
}

/// ITU-T G.711, to 16 bits.
fn mu_law(byte: u8) -> i16 {
    let byte = !byte;
    let value = ((i16::from(byte & 15) << 3) + 0x84) << (byte >> 4 & 7);
    if byte & 0x80 == 0 { value - 0x84 } else { 0x84 - value }
}

/// Codings that are met in WAV files and not read.
fn coding_name(tag: u16) -> String {
    let name = match tag {
        0x31 => "GSM 6.10",
        0x50 => "MPEG",
        0x55 => "MP3",
        0x40 | 0x45 | 0x64 | 0x65 => "G.72x ADPCM",
        0x160..=0x163 => "Windows Media Audio",
        0xFF | 0x1600..=0x1602 => "AAC",
        0x674F..=0x6771 => "Vorbis",
        _ => return format!("coding {tag:#06x}"),
    };
    name.into()
}
