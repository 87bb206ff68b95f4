//! Recordings, as they are and as they should not be. Every file is made here.
#![allow(clippy::unwrap_used)]

mod any_bytes;
mod flac;
mod kinds;
mod mixed;
mod oddities;
mod resampled;
mod wav;

use gruvy_data::Input;
use gruvy_data::audio::{SoundReader, Wanted, read_audio};

/// A chunk of RIFF, padded to an even size.
pub fn chunk(id: &[u8; 4], content: &[u8]) -> Vec<u8> {
    let size = (content.len() as u32).to_le_bytes();
    [&id[..], &size, content, &vec![0; content.len() % 2]].concat()
}

/// The content of `fmt ` for samples without blocks: how they are coded, channels, rate, bits.
pub fn format(tag: u16, channels: u16, rate: u32, bits: u16) -> Vec<u8> {
    let align = channels * bits.div_ceil(8);
    blocks(tag, channels, rate, bits, align)
}

/// The content of `fmt ` with the size of a frame or block.
pub fn blocks(tag: u16, channels: u16, rate: u32, bits: u16, align: u16) -> Vec<u8> {
    [
        &tag.to_le_bytes()[..],
        &channels.to_le_bytes(),
        &rate.to_le_bytes(),
        &(rate.wrapping_mul(align.into())).to_le_bytes(),
        &align.to_le_bytes(),
        &bits.to_le_bytes(),
    ]
    .concat()
}

/// A WAV file of chunks.
pub fn riff(chunks: &[Vec<u8>]) -> Vec<u8> {
    let content = chunks.concat();
    let size = (content.len() as u32 + 4).to_le_bytes();
    [b"RIFF", &size[..], b"WAVE", &content].concat()
}

/// A WAV file of a format and the bytes of its samples.
pub fn wav(format: &[u8], data: &[u8]) -> Vec<u8> {
    riff(&[chunk(b"fmt ", format), chunk(b"data", data)])
}

/// A WAV file of 32-bit floating point.
pub fn float(channels: u16, rate: u32, samples: &[f32]) -> Vec<u8> {
    let data: Vec<u8> = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
    wav(&format(3, channels, rate, 32), &data)
}

/// A file in memory.
pub fn input(bytes: impl Into<Vec<u8>>) -> Input {
    Input::bytes("a/sound.bin", bytes.into())
}

/// All of a file: its samples, interleaved, and what was mended.
pub fn sound(bytes: impl Into<Vec<u8>>) -> (Vec<f32>, SoundReader) {
    let mut reader = SoundReader::open(&input(bytes)).unwrap();
    let (mut all, mut block) = (Vec::new(), Vec::new());
    while reader.read(&mut block).unwrap() {
        all.extend(&block);
    }
    assert_eq!(all.len() as u64, reader.position() * reader.channels() as u64);
    (all, reader)
}

/// Samples of a file that has no fault.
pub fn clean(bytes: impl Into<Vec<u8>>) -> Vec<f32> {
    let (samples, reader) = sound(bytes);
    assert_eq!(reader.mended(), [""; 0]);
    samples
}

/// Why a file is refused, while it is opened or read.
pub fn refused(bytes: impl Into<Vec<u8>>) -> String {
    read_audio(&input(bytes), &Wanted::default()).unwrap_err().to_string()
}

/// Checks that all of these are in a message.
pub fn says(message: &str, parts: &[&str]) {
    assert!(parts.iter().all(|part| message.contains(part)), "{message}: expected {parts:?}");
}

/// One channel at the file's own rate, or another, and what was mended.
pub fn mono(bytes: impl Into<Vec<u8>>, rate: Option<u32>) -> (Vec<f32>, Vec<String>) {
    let wanted = Wanted { sample_rate_hz: rate, ..Wanted::default() };
    let (audio, remarks) = read_audio(&input(bytes), &wanted).unwrap();
    (audio.samples().to_vec(), remarks)
}

/// Sines without a random number in them.
pub fn sine(frequency_hz: f64, rate: u32, samples: usize) -> Vec<f32> {
    let step = std::f64::consts::TAU * frequency_hz / f64::from(rate);
    (0..samples).map(|at| (step * at as f64).sin() as f32).collect()
}
