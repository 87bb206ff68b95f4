//! Turns people's files into the plain values that models take: labelled texts and sequences, time
//! series, music.
//!
//! ```text
//! CSV, TSV, Parquet, JSON Lines, fastText, lines, folders, .npz ──examples──> Examples
//! CSV, Parquet ─────────────────────────────────────────────────────series──> Panel
//! MIDI, JSON of piano rolls ─────────────────────────────────────────music──> Music
//! WAV, FLAC, MP3, Ogg Vorbis, AIFF, M4A ─────────────────────────────audio──> Audio
//! lists and folders of recordings with their texts ─────────────────speech──> Clips
//! ```
#[cfg(feature = "audio")]
pub mod audio;
mod decode;
mod error;
pub mod examples;
mod input;
pub mod midi;
pub mod music;
mod packed;
pub mod series;
pub mod settings;
mod source;
pub mod speech;
mod table;
pub mod text;

pub use error::{Error, Result};
pub use input::{Input, files_below};
pub use packed::open;
pub use source::{from_source, to_source};
