//! Lists and folders of recordings. Nothing here opens a recording: empty files do.
#![allow(clippy::unwrap_used)]

mod any_bytes;
mod folders;
mod like;
mod lists;

use gruvy_data::speech::{Clip, Clips, SpeechFormat, read_clips};
use gruvy_runtime::Remark;
use std::fs;
use std::path::Path;
use tempfile::TempDir;

/// A folder of empty recordings, and files with content.
pub fn folder(sounds: &[&str], files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in sounds.iter().map(|name| (*name, "")).chain(files.iter().copied()) {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    folder
}

/// Settings as JSON.
pub fn format(json: &str) -> SpeechFormat {
    serde_json::from_str(json).unwrap()
}

/// What is read of a file or folder.
pub fn read(path: &Path, asked: &str) -> Clips {
    read_clips(&[path.into()], &format(asked)).unwrap()
}

/// Why it is refused, without the folder's own path.
pub fn refused(folder: &TempDir, name: &str, asked: &str) -> String {
    let path = folder.path().join(name);
    let error = read_clips(&[path.into()], &format(asked)).unwrap_err().to_string();
    error.replace(&format!("{}/", folder.path().display()), "")
}

/// `(name below the folder, text)` of all.
pub fn texts(folder: &TempDir, clips: &Clips) -> Vec<(String, String)> {
    let name = |clip: &Clip| clip.path.strip_prefix(folder.path()).unwrap().display().to_string();
    clips.clips.iter().map(|clip| (name(clip), clip.text.clone())).collect()
}

/// Checks names and texts.
pub fn says(folder: &TempDir, clips: &Clips, expected: &[(&str, &str)]) {
    let expected: Vec<(String, String)> =
        expected.iter().map(|(name, text)| ((*name).into(), (*text).into())).collect();
    assert_eq!(texts(folder, clips), expected);
    assert_eq!(clips.places.len(), clips.len());
}

/// What is said of how they were read.
pub fn notes(clips: &Clips) -> Vec<&str> {
    Remark::sentences(&clips.notes)
}
