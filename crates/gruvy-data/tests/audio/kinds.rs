//! What a file is, is known by its content.
use crate::{clean, float, refused, says};
use gruvy_data::Input;
use gruvy_data::audio::SoundReader;

/// A page of Ogg with a packet.
fn page(packet: &[u8]) -> Vec<u8> {
    [b"OggS\0\x02", &[0; 20][..], &[1, packet.len() as u8], packet].concat()
}

#[test]
fn what_is_no_recording_is_named() {
    let text = b"this is a text and not a recording".to_vec();
    let error = SoundReader::open(&Input::bytes("talk.wav", text)).err().unwrap().to_string();
    says(&error, &["talk.wav: not a recording", "`this is a text a`", "FLAC", "ffmpeg -f s16le"]);
    says(&refused(b""), &["the file is empty"]);
    says(&refused(b"\0".repeat(5000)), &["not a recording"]);
    says(&refused(b"RIFF"), &["cut off before its header"]);
    says(&refused(b"RIFF\0\0\0\0AVI LIST"), &["RIFF file other than WAVE", "ffmpeg"]);
    says(&refused(b"MThd\0\0\0\x06"), &["MIDI", "gruvy train music"]);
    says(&refused(b"\x1f\x8b\x08"), &["packed with gzip", "gunzip"]);
    says(&refused(b"PK\x03\x04"), &["packed with ZIP"]);
}

#[test]
fn sound_that_is_not_supported_is_named_with_a_way_out() {
    let convert = "convert it to WAV or FLAC: `ffmpeg -i IN OUT.wav`";
    for (bytes, name) in [
        (page(b"OpusHead\x01\x01"), "an Ogg file with Opus"),
        (page(b"Speex   1.2"), "an Ogg file with Speex"),
        (b"\x1a\x45\xdf\xa3\x01".to_vec(), "Matroska"),
        (b"caff\0\x01".to_vec(), "CAF"),
        (b".snd\0\0".to_vec(), "AU file"),
        (b"wvpk".to_vec(), "WavPack"),
        (b"\xff\xfd\xa4\x04".to_vec(), "layer I or II"),
    ] {
        says(&refused(bytes), &[name, "not supported", convert]);
    }
}

#[test]
fn the_name_says_nothing() {
    let file = float(1, 8000, &[0.5]);
    for name in ["a.mp3", "a", "a.txt"] {
        let reader = SoundReader::open(&Input::bytes(name, file.clone())).unwrap();
        assert_eq!(reader.format(), "WAV, 32 bits, floating point");
    }
    assert_eq!(clean(file), [0.5]);
}

#[test]
fn paths_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.wav");
    std::fs::write(&path, float(1, 8000, &[0.5, 0.25])).unwrap();
    let mut block = Vec::new();
    let mut reader = SoundReader::open(&path.clone().into()).unwrap();
    assert!(reader.read(&mut block).unwrap());
    assert_eq!(block, [0.5, 0.25]);
    assert!(!reader.read(&mut block).unwrap() && block.is_empty());
    let refused =
        |path: &std::path::Path| SoundReader::open(&path.into()).err().unwrap().to_string();
    says(&refused(folder.path()), &["a folder, where a file is expected"]);
    says(&refused(&folder.path().join("b.wav")), &["cannot read", "b.wav"]);
}
