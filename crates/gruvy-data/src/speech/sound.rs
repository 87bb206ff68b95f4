//! Files of sound by their names: thousands are listed before one is opened.
use crate::input::has_end;
use std::path::Path;

/// How the names of recordings end.
const SOUNDS: [&str; 14] = [
    "wav", "wave", "flac", "mp3", "ogg", "oga", "m4a", "mp4", "aac", "aif", "aiff", "aifc", "opus",
    "webm",
];

/// Whether a name is a recording's.
pub(super) fn is_sound(file: &Path) -> bool {
    has_end(file, &SOUNDS)
}

/// A name without the end of a recording's.
pub(super) fn without_end(name: &str) -> &str {
    match name.rsplit_once('.') {
        Some((stem, end)) if SOUNDS.iter().any(|known| known.eq_ignore_ascii_case(end)) => stem,
        _ => name,
    }
}
