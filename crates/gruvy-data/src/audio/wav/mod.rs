//! WAV of all kinds: RIFF, RIFX (big-endian), RF64 and BW64 (more than 4 GB).
//!
//! A file is chunks of a name and a size. `fmt ` says how samples are written, `data` has them.
//! Integers of any width stand at the top of as many bytes as a frame has for a channel; those of
//! one byte have no sign. Source: Microsoft, Multimedia Programming Interface 1.0; EBU Tech 3306.
mod adpcm;
mod chunks;
mod samples;

use super::BLOCK;
use super::mend::Mended;
use super::reader::{About, Decoder};
use super::source::Source;
use samples::Coding;
use std::io::{Read, Seek, SeekFrom};

/// A WAV file whose samples come next.
pub(super) struct Wav {
    source: Source,
    coding: Coding,
    about: About,
    /// Where the samples begin, and how many bytes of them are left.
    data: u64,
    length: u64,
    left: u64,
    bytes: Vec<u8>,
}

impl Wav {
    /// Reads what stands before the samples; the error says what is wrong.
    pub(super) fn open(mut source: Source, mended: &mut Mended) -> Result<Self, String> {
        let header = chunks::header(&mut source, mended)?;
        let (format, order) = (header.format, header.order);
        super::possible(format.sample_rate_hz, format.channels)?;
        let coding = Coding::of(&format, order)?;
        let there = source.length().saturating_sub(header.data);
        let unknown = header.length.is_none_or(|length| length > there);
        let length = header.length.unwrap_or(there).min(there);
        let about = About {
            format: format!("{}, {}", header.container, coding.name(format.bits)),
            sample_rate_hz: format.sample_rate_hz,
            channels: format.channels,
            frames: Some(coding.frames(length)),
        };
        if let (true, Some(all)) = (unknown, header.length) {
            let frames = coding.frames(length);
            mended.cut_off(frames, Some(coding.frames(all)), about.sample_rate_hz);
        }
        let over = length % coding.unit() as u64;
        if over > 0 && !coding.takes_parts() && !unknown {
            let bytes = if over == 1 { "byte" } else { "bytes" };
            mended.say(format!("left out {over} {bytes} behind the last whole frame"));
        }
        source.seek(SeekFrom::Start(header.data)).map_err(|error| error.to_string())?;
        Ok(Self {
            source,
            coding,
            about,
            data: header.data,
            length,
            left: length,
            bytes: Vec::new(),
        })
    }
}

impl Decoder for Wav {
    fn about(&self) -> &About {
        &self.about
    }

    fn next(&mut self, block: &mut Vec<f32>, mended: &mut Mended) -> Result<bool, String> {
        let unit = self.coding.unit();
        let most = (BLOCK / self.coding.frames_of_unit()).max(1) * unit;
        self.bytes.clear();
        let wanted = self.left.min(most as u64);
        let read = (&mut self.source).take(wanted).read_to_end(&mut self.bytes);
        let read = read.map_err(|error| format!("the file cannot be read further: {error}"))?;
        self.left -= read as u64;
        if (read as u64) < wanted {
            mended.say("the file became shorter while it was read");
            self.left = 0;
        }
        self.coding.decode(&self.bytes, block);
        Ok(self.left > 0)
    }

    fn skip(&mut self, frames: u64) -> Result<Option<u64>, String> {
        let frames = frames.min(self.coding.frames(self.length));
        let units = frames / self.coding.frames_of_unit() as u64;
        let bytes = units * self.coding.unit() as u64;
        let seek = self.source.seek(SeekFrom::Start(self.data + bytes));
        seek.map_err(|error| format!("the file cannot be read further: {error}"))?;
        self.left = self.length - bytes;
        Ok(Some(units * self.coding.frames_of_unit() as u64))
    }
}
