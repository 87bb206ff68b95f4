//! FLAC, with frames as they are written without any compression.
use crate::{clean, refused, says, sound};

/// A checksum of so many bits, the highest first.
fn checksum(bytes: &[u8], bits: u32, polynomial: u32) -> u32 {
    let mask = (1 << bits) - 1;
    bytes.iter().fold(0, |sum, byte| {
        let sum = sum ^ u32::from(*byte) << (bits - 8);
        (0..8).fold(sum, |sum, _| {
            let over = sum >> (bits - 1) & 1;
            ((sum << 1) ^ (over * polynomial)) & mask
        })
    })
}

/// Samples of a block.
pub const BLOCK: usize = 192;

/// A frame of 16-bit samples, one channel, at 8 kHz.
fn frame(number: u8, samples: &[i16]) -> Vec<u8> {
    // Blocks of one size, 192 samples, at 8 kHz; one channel, 16 bits.
    let mut bytes = vec![0xFF, 0xF8, 0x14, 0x08, number];
    bytes.push(checksum(&bytes, 8, 0x07) as u8);
    // A subframe of samples as they are.
    bytes.push(0x02);
    bytes.extend(samples.iter().flat_map(|sample| sample.to_be_bytes()));
    let sum = checksum(&bytes, 16, 0x8005) as u16;
    bytes.extend(sum.to_be_bytes());
    bytes
}

/// A file of blocks; `all` frames are announced.
pub fn flac(blocks: &[[i16; BLOCK]], all: u32) -> Vec<u8> {
    let mut bytes = b"fLaC\x80\0\0\x22".to_vec();
    bytes.extend([0, BLOCK as u8, 0, BLOCK as u8, 0, 0, 0, 0, 0, 0]);
    // 20 bits of the rate, 3 of channels, 5 of bits, 36 of frames.
    let numbers = 8000u64 << 44 | 15 << 36 | u64::from(all);
    bytes.extend(numbers.to_be_bytes());
    bytes.extend([0; 16]);
    for (number, block) in blocks.iter().enumerate() {
        bytes.extend(frame(number as u8, block));
    }
    bytes
}

/// Blocks whose samples are all different.
pub fn steps(blocks: usize) -> Vec<[i16; BLOCK]> {
    let value = |block: usize, at: usize| (block * BLOCK + at) as i16 * 7 - 5000;
    (0..blocks).map(|block| std::array::from_fn(|at| value(block, at))).collect()
}

fn expected(blocks: &[[i16; BLOCK]]) -> Vec<f32> {
    blocks.iter().flatten().map(|sample| f32::from(*sample) / 32_768.0).collect()
}

#[test]
fn samples_are_what_was_written() {
    let blocks = steps(5);
    let (samples, reader) = sound(flac(&blocks, 960));
    assert_eq!(samples, expected(&blocks));
    assert_eq!((reader.format(), reader.sample_rate_hz(), reader.channels()), ("FLAC", 8000, 1));
    assert_eq!((reader.frames(), reader.mended()), (Some(960), vec![]));
    // A tag of MP3 before it, as some programs write.
    let tagged = [&b"ID3\x04\0\0\0\0\0\x03abc"[..], &flac(&blocks, 960)].concat();
    assert_eq!(clean(tagged), expected(&blocks));
}

#[test]
fn a_file_that_is_cut_off_is_read_up_to_there() {
    let blocks = steps(5);
    let whole = flac(&blocks, 960);
    let size = (whole.len() - 42) / 5;
    for end in [42 + 3 * size, 42 + 3 * size + 20, 42 + 4 * size - 1] {
        let (samples, reader) = sound(&whole[..end]);
        assert_eq!(samples, expected(&blocks[..3]), "{end}");
        assert_eq!(reader.mended(), ["the file is cut off, read up to there: 0.07 of 0.12 s"]);
    }
    for end in [4, 20, 42, 50] {
        let problem = refused(&whole[..end]);
        says(&problem, &["a/sound.bin: ", "FLAC file", "cut off", "again"]);
    }
}

#[test]
fn a_gap_is_refused() {
    let blocks = steps(6);
    let whole = flac(&blocks, 1152);
    let size = (whole.len() - 42) / 6;
    let gap = [&whole[..42 + 2 * size], &whole[42 + 3 * size..]].concat();
    says(&refused(gap), &["damaged at 0.05 s", "begins at frame 576, not 384", "flac -t"]);
    let mut damaged = whole.clone();
    damaged[42 + 2 * size + 100] ^= 1;
    says(&refused(damaged), &["damaged at 0.05 s"]);
}
