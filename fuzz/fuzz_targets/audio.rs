//! Any bytes as a recording; blocks hold whole frames.
#![no_main]
use gruvy_data::Input;
use gruvy_data::audio::SoundReader;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(mut sound) = SoundReader::open(&Input::bytes("sound", bytes)) else { return };
    let (channels, mut block) = (sound.channels(), Vec::new());
    while let Ok(true) = sound.read(&mut block) {
        assert!(!block.is_empty() && block.len().is_multiple_of(channels));
    }
});
