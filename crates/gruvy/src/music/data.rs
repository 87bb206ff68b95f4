//! TEMPORARY
use crate::error::{Error, Result};
use gruvy_runtime::music::{Roll, Sound};
use std::path::Path;

#[derive(Debug, Default)]
pub struct Parts {
    pub train: Vec<Roll>,
    pub valid: Vec<Roll>,
    pub test: Vec<Roll>,
    pub notes: Vec<String>,
}

pub fn load(path: &Path) -> Result<Parts> {
    let text = std::fs::read_to_string(path).map_err(Error::io("read", path))?;
    let all: std::collections::BTreeMap<String, Vec<Vec<Vec<u8>>>> =
        serde_json::from_str(&text).map_err(|e| Error::Data(e.to_string()))?;
    let part = |name: &str| {
        let pieces = all.get(name).cloned().unwrap_or_default();
        pieces.into_iter().map(|steps| {
            let mut before: Vec<u8> = Vec::new();
            let frames = steps.into_iter().map(|mut keys| {
                keys.sort_unstable(); keys.dedup();
                let frame = keys.iter().map(|key| Sound { key: *key, onset: !before.contains(key) }).collect();
                before = keys;
                frame
            }).collect();
            Roll { name: String::new(), frames, onsets: false, steps_per_quarter: 0 }
        }).collect()
    };
    Ok(Parts { train: part("train"), valid: part("valid"), test: part("test"), notes: vec![] })
}

/// A frame, so many semitones higher. What leaves the 88 keys comes back an octave off... dropped.
pub fn transposed(frame: &[Sound], by: i32) -> Vec<Sound> {
    frame.iter().filter_map(|sound| {
        let key = i32::from(sound.key) + by;
        (0..88).contains(&key).then_some(Sound { key: key as u8, ..*sound })
    }).collect()
}
