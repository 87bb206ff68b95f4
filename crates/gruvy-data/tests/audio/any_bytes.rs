//! Nonsense is read or refused; nothing panics, and what is read fits together.
use crate::flac::{flac, steps};
use crate::{blocks, chunk, input, riff};
use gruvy_data::audio::{SoundReader, Wanted, read_audio};
use proptest::prelude::*;

fn fits(bytes: Vec<u8>) {
    let input = input(bytes);
    if let Ok(mut reader) = SoundReader::open(&input) {
        let channels = reader.channels();
        assert!(channels > 0 && reader.sample_rate_hz() > 0 && !reader.format().is_empty());
        let mut block = Vec::new();
        while let Ok(true) = reader.read(&mut block) {
            assert!(!block.is_empty() && block.len().is_multiple_of(channels));
        }
        assert!(reader.mended().iter().all(|sentence| !sentence.is_empty()));
    }
    match read_audio(&input, &Wanted::default()) {
        Ok((audio, _)) => assert!(!audio.samples().is_empty()),
        Err(error) => assert!(error.to_string().contains("a/sound.bin: "), "{error}"),
    }
}

/// What a file of a kind begins with.
const STARTS: [&[u8]; 9] = [
    b"RIFF\0\0\0\0WAVE",
    b"RF64\xff\xff\xff\xffWAVEds64",
    b"fLaC\0\0\0\x22",
    b"OggS\0\x02\0\0\0\0\0\0\0\0",
    b"FORM\0\0\x01\0AIFFCOMM\0\0\0\x12",
    b"\0\0\0\x18ftypM4A ",
    b"\xff\xfb\x90\x64",
    b"\xff\xf1\x50\x80",
    b"ID3\x04\0\0\0\0\0\x01\0",
];

proptest! {
    #[test]
    fn any_bytes(
        start in prop::sample::select(&STARTS[..]),
        bytes in prop::collection::vec(any::<u8>(), 0..400),
    ) {
        fits([start, &bytes].concat());
    }

    #[test]
    fn any_wav(
        tag in prop_oneof![prop::sample::select(&[1u16, 2, 3, 6, 7, 0x11, 0xFFFE][..]), any::<u16>()],
        channels in prop_oneof![4 => 0u16..9, 1 => any::<u16>()],
        bits in prop_oneof![4 => prop::sample::select(&[4u16, 8, 16, 24, 32, 64][..]), 1 => any::<u16>()],
        align in prop_oneof![4 => 0u16..70, 1 => any::<u16>()],
        extra in prop::collection::vec(any::<u8>(), 0..40),
        data in prop::collection::vec(any::<u8>(), 0..300),
        size in prop_oneof![3 => Just(None), 1 => any::<u32>().prop_map(Some)],
    ) {
        let format = [blocks(tag, channels, 8000, bits, align), extra].concat();
        let mut last = chunk(b"data", &data);
        if let Some(size) = size {
            last[4..8].copy_from_slice(&size.to_le_bytes());
        }
        fits(riff(&[chunk(b"fmt ", &format), last]));
    }

    #[test]
    fn any_damage_to_flac(
        places in prop::collection::vec((0usize..1600, any::<u8>()), 1..6),
        end in prop_oneof![Just(usize::MAX), 0usize..1600],
    ) {
        let mut bytes = flac(&steps(4), 768);
        bytes.truncate(end);
        for (place, value) in places {
            if let Some(byte) = bytes.get_mut(place) {
                *byte = value;
            }
        }
        fits(bytes);
    }
}
