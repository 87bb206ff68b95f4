//! MIDI files to pieces of music and back.
//!
//! ```text
//! bytes ──track──> events ──notes──> Piece ──write──> bytes
//! ```
//! Files are read as players read them: what can be played is taken, and [`read`] says what had to
//! be mended. `midly` reads every event that follows the standard, and ends a track in silence at
//! one that does not; `track.rs` finds the chunks and steps over such events.
mod mend;
mod notes;
mod read;
mod track;
mod write;

pub use read::read;
pub(crate) use read::{is_midi, parse};
pub use write::write;

/// No piece has more notes, and none more changes of pedal, tempo or meter, so that memory is
/// bounded.
const MOST: usize = 1 << 20;
/// No piece is longer, in seconds: a day.
const LONGEST: f64 = 86_400.0;
/// The MIDI channel of drums, counted from 0.
const DRUMS: u8 = 9;
