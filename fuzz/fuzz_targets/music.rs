//! Any bytes as a file of music; what is read is written, and read again as the same.
#![no_main]
use gruvy_data::Input;
use gruvy_data::music::{Content, read_music};
use gruvy_data::midi;
use gruvy_runtime::music::{KEYS, Roll};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(music) = read_music(&[Input::bytes("song.mid", bytes)]) else { return };
    match &music.files[0].content {
        None => assert!(music.require().is_err()),
        Some(Content::Piece(piece)) => {
            let written = midi::write(piece);
            let (again, mended) = midi::read(&Input::bytes("song.mid", written)).unwrap();
            assert_eq!(&again, piece);
            assert!(mended.is_empty());
            let _ = Roll::from_piece(piece, 4);
        }
        Some(Content::Rolls(rolls)) => {
            let sounds = rolls.all().flat_map(|roll| roll.frames.iter().flatten());
            assert!(sounds.into_iter().all(|sound| usize::from(sound.key) < KEYS));
        }
    }
});
