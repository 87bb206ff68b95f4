//! WAV of all kinds.
use crate::{blocks, chunk, clean, float, format, refused, riff, says, sound, wav};

/// The chunk `fmt ` of the extensible kind.
fn extensible(tag: u16, channels: u16, bits: u16, valid: u16) -> Vec<u8> {
    let mut all = format(0xFFFE, channels, 8000, bits);
    all.extend(22u16.to_le_bytes());
    all.extend(valid.to_le_bytes());
    all.extend(0u32.to_le_bytes());
    all.extend(tag.to_le_bytes());
    all.extend(b"\0\0\0\0\x10\0\x80\0\0\xaa\0\x38\x9b\x71");
    all
}

#[test]
fn integers_of_every_width() {
    // Half of full scale below zero, silence, and a quarter above.
    for bits in [8u16, 16, 24, 32, 40, 48, 56, 64] {
        let width = usize::from(bits / 8);
        let values: Vec<u8> = [-2i64, 0, 1]
            .iter()
            .flat_map(|value| {
                let bytes = (value << 62).to_be_bytes();
                let mut top: Vec<u8> = bytes[..width].iter().rev().copied().collect();
                top[width - 1] ^= if bits == 8 { 0x80 } else { 0 };
                top
            })
            .collect();
        assert_eq!(clean(wav(&format(1, 3, 8000, bits), &values)), [-1.0, 0.0, 0.5], "{bits}");
        assert_eq!(clean(wav(&extensible(1, 3, bits, bits), &values)), [-1.0, 0.0, 0.5], "{bits}");
    }
    // Widths between stand at the top of their bytes.
    let twelve = [0x00, 0x80, 0xF0, 0x7F];
    let got = clean(wav(&format(1, 1, 8000, 12), &twelve));
    assert_eq!(got, [-1.0, 2047.0 / 2048.0]);
    assert_eq!(clean(wav(&format(1, 1, 8000, 5), &[0x00, 0x80, 0xF8])), [-1.0, 0.0, 0.9375]);
}

#[test]
fn floating_point() {
    assert_eq!(clean(float(2, 8000, &[0.25, -1.5, 3.0, 0.0])), [0.25, -1.5, 3.0, 0.0]);
    let data: Vec<u8> = [0.25f64, -0.5].iter().flat_map(|sample| sample.to_le_bytes()).collect();
    assert_eq!(clean(wav(&format(3, 1, 8000, 64), &data)), [0.25, -0.5]);
    assert_eq!(clean(wav(&extensible(3, 1, 64, 64), &data)), [0.25, -0.5]);
    says(&refused(wav(&format(3, 1, 8000, 16), &data)), &["a/sound.bin: ", "16 bits a sample"]);
}

#[test]
fn telephone_laws() {
    // ITU-T G.711: the smallest and largest values of either sign.
    let a = clean(wav(&format(6, 1, 8000, 8), &[0xD5, 0x55, 0xAA, 0x2A]));
    assert_eq!(a, [8.0, -8.0, 32_256.0, -32_256.0].map(|value: f32| value / 32_768.0));
    let mu = clean(wav(&format(7, 1, 8000, 8), &[0xFF, 0x7F, 0x80, 0x00]));
    assert_eq!(mu, [0.0, 0.0, 32_124.0, -32_124.0].map(|value: f32| value / 32_768.0));
}

#[test]
fn steps_of_four_bits() {
    // A block of IMA of two channels: a sample and the place of a size, then eight steps each.
    let block = [
        &[0xE8, 0x03, 0, 0][..], // 1000, size 7
        &[0x18, 0xFC, 10, 0],    // -1000, size 19
        &[0x40, 0, 0, 0],        // no step but an eighth (0), then all of 7
        &[0x8F, 0, 0, 0],        // all eighths down, then no step
    ]
    .concat();
    let all = clean(wav(&blocks(0x11, 2, 8000, 4, 16), &block));
    assert_eq!(all.len(), 18);
    let value = |at: usize, channel: usize| all[2 * at + channel] * 32_768.0;
    assert_eq!([value(0, 0), value(1, 0), value(2, 0)], [1000.0, 1000.0, 1007.0]);
    assert_eq!([value(0, 1), value(1, 1)], [-1000.0, -1034.0]);

    // A block of Microsoft's: weights, size, the last sample and the one before, then two steps.
    let block = [0, 16, 0, 100, 0, 50, 0, 0x1F];
    let mut header = blocks(2, 1, 8000, 4, 8);
    header.extend([4, 0, 4, 0]);
    let got: Vec<f32> =
        clean(wav(&header, &block)).iter().map(|sample| sample * 32_768.0).collect();
    assert_eq!(got, [50.0, 100.0, 116.0, 100.0]);
    says(&refused(wav(&blocks(0x11, 2, 8000, 4, 8), &block)), &["blocks of 8 bytes"]);
    says(&refused(wav(&blocks(2, 2, 8000, 4, 8), &block)), &["blocks of 8 bytes"]);
}

#[test]
fn numbers_with_the_high_byte_first() {
    let mut rifx = b"RIFX\0\0\0\x2cWAVEfmt \0\0\0\x10".to_vec();
    rifx.extend(b"\0\x01\0\x02\0\0\x1f\x40\0\0\x7d\0\0\x04\0\x10");
    rifx.extend(b"data\0\0\0\x08\x40\0\xc0\0\0\x01\x80\0");
    let (samples, reader) = sound(rifx);
    assert_eq!(samples, [0.5, -0.5, 1.0 / 32_768.0, -1.0]);
    assert_eq!((reader.sample_rate_hz(), reader.format()), (8000, "WAV (RIFX), 16 bits"));
}

#[test]
fn more_than_four_gigabytes() {
    let long =
        [&0u64.to_le_bytes()[..], &4u64.to_le_bytes(), &2u64.to_le_bytes(), &[0; 4]].concat();
    let mut file = riff(&[chunk(b"ds64", &long), chunk(b"fmt ", &format(1, 1, 8000, 16))]);
    file[..8].copy_from_slice(b"RF64\xff\xff\xff\xff");
    file.extend(b"data\xff\xff\xff\xff\0\x40\0\xc0LISTmore");
    assert_eq!(clean(file), [0.5, -0.5]);
}

#[test]
fn chunks_beside_the_samples() {
    let (form, data) = (chunk(b"fmt ", &format(1, 1, 8000, 16)), chunk(b"data", &[0, 64]));
    let list = chunk(b"LIST", b"abc");
    let all = riff(&[list.clone(), form.clone(), list.clone(), data.clone(), list.clone()]);
    assert_eq!(clean(all), [0.5]);
    // An odd chunk that nothing pads.
    let unpadded = riff(&[form.clone(), list[..11].to_vec(), data.clone()]);
    assert_eq!(clean(unpadded), [0.5]);
    says(&refused(riff(&[data, form.clone()])), &["`fmt ` does not stand before"]);
    says(&refused(riff(&[form])), &["cut off before its samples", "no chunk `data`"]);
}

#[test]
fn lengths_that_are_wrong() {
    let mut cut = wav(&format(1, 1, 8000, 16), &[0, 64].repeat(8000));
    cut.truncate(44 + 8000);
    let (samples, reader) = sound(cut);
    assert_eq!((samples.len(), reader.frames()), (4000, Some(4000)));
    assert_eq!(reader.mended(), ["the file is cut off, read up to there: 0.50 of 1.00 s"]);

    // What a program writes to a pipe.
    let mut piped = wav(&format(1, 1, 8000, 16), &[0, 64, 0, 64]);
    for place in [4, 40] {
        piped[place..place + 4].fill(0xFF);
    }
    let (samples, reader) = sound(piped.clone());
    let said = ["the header has no length, read up to the end of the file"];
    assert_eq!(
        (&samples[..], &reader.mended()[..]),
        (&[0.5, 0.5][..], &said.map(String::from)[..])
    );
    for place in [4, 40] {
        piped[place..place + 4].fill(0);
    }
    assert_eq!(sound(piped).0, [0.5, 0.5]);

    let (samples, reader) = sound(wav(&format(1, 2, 8000, 16), &[0, 64, 0, 64, 0, 64]));
    assert_eq!(samples, [0.5, 0.5]);
    assert_eq!(reader.mended(), ["left out 2 bytes behind the last whole frame"]);
}

#[test]
fn headers_that_make_no_sense() {
    let data = [0; 16];
    let of = |tag, channels, rate, bits| refused(wav(&format(tag, channels, rate, bits), &data));
    says(&of(1, 0, 8000, 16), &["0 channels", "1 to 256"]);
    says(&of(1, 300, 8000, 16), &["300 channels"]);
    says(&of(1, 1, 0, 16), &["sample rate is 0 Hz"]);
    says(&of(1, 1, 1_000_000, 16), &["1000000 Hz", "768000"]);
    says(&of(1, 1, 8000, 0), &["integers of 0 bits"]);
    says(&of(1, 1, 8000, 65), &["integers of 65 bits"]);
    says(&of(0x31, 1, 8000, 0), &["GSM 6.10", "not supported", "ffmpeg"]);
    says(&of(0x1234, 1, 8000, 0), &["coding 0x1234", "ffmpeg"]);
    // Of 24 bits in four bytes nobody says which three.
    says(&refused(wav(&blocks(1, 2, 8000, 24, 8), &data)), &["24 bits in 4 bytes", "ffmpeg"]);
}
