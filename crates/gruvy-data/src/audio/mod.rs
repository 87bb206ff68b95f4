//! Recordings: any file of sound to one channel of samples at one rate.
//!
//! ```text
//! bytes ──kind──> wav or packets ──SoundReader──> interleaved blocks ──mix, Resampler──> AudioStream
//! ```
//! Files are known by their content, whatever their name. WAV in all its kinds is read here
//! (`wav/`); FLAC, MP3, Ogg Vorbis, AIFF, M4A and AAC by `symphonia` (`packets.rs`). Everything
//! goes a block at a time, so a file of hours takes no more memory than one of a second.
mod kind;
mod mend;
mod packets;
mod reader;
mod resample;
mod source;
mod stream;
mod wav;

pub use reader::SoundReader;
pub use resample::Resampler;
pub use stream::{AudioStream, Wanted, read_audio};

/// No file has a higher rate, in samples a second: twice what sound cards offer.
pub(crate) const MOST_RATE_HZ: u32 = 768_000;
/// No file has more channels.
pub(crate) const MOST_CHANNELS: usize = 256;
/// Frames of a block.
const BLOCK: usize = 4096;

/// Checks what a file says of its sound.
fn possible(sample_rate_hz: u32, channels: usize) -> Result<(), String> {
    if !(1..=MOST_RATE_HZ).contains(&sample_rate_hz) {
        return Err(format!(
            "the sample rate is {sample_rate_hz} Hz; expected 1 to {MOST_RATE_HZ}: the header is \
             damaged"
        ));
    }
    if !(1..=MOST_CHANNELS).contains(&channels) {
        return Err(format!(
            "the sound has {channels} channels; expected 1 to {MOST_CHANNELS}: the header is \
             damaged"
        ));
    }
    Ok(())
}
