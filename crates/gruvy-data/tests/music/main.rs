//! Files of music, as they are and as they should not be.
#![allow(clippy::unwrap_used)]

mod any_bytes;
mod files;
mod oddities;
mod rolls;
mod written;

use gruvy_data::Input;
use gruvy_runtime::music::{Note, Piece};

/// A chunk.
pub fn chunk(id: &str, content: &[u8]) -> Vec<u8> {
    [id.as_bytes(), &(content.len() as u32).to_be_bytes(), content].concat()
}

/// The header of a file.
pub fn header(format: u16, tracks: u16, division: u16) -> Vec<u8> {
    let numbers = [format, tracks, division].map(u16::to_be_bytes).concat();
    chunk("MThd", &numbers)
}

/// The end of a track, after no time.
pub const END: [u8; 4] = [0, 0xFF, 0x2F, 0];

/// A file of format 1 with 96 ticks to a quarter; each track's end is added.
pub fn midi(tracks: &[&[u8]]) -> Vec<u8> {
    let mut bytes = header(1, tracks.len() as u16, 96);
    for track in tracks {
        bytes.extend(chunk("MTrk", &[track, &END[..]].concat()));
    }
    bytes
}

/// What is read of a file.
pub fn read(bytes: &[u8]) -> (Piece, Vec<String>) {
    gruvy_data::midi::read(&Input::bytes("a/song.mid", bytes)).unwrap()
}

/// Why a file is refused.
pub fn refused(bytes: &[u8]) -> String {
    gruvy_data::midi::read(&Input::bytes("a/song.mid", bytes)).unwrap_err().to_string()
}

/// `(start, end, key)`
pub fn times(notes: &[Note]) -> Vec<(u64, u64, u8)> {
    notes.iter().map(|note| (note.start, note.end, note.key)).collect()
}

/// The notes of a track that is read without a fault.
pub fn clean(track: &[u8]) -> Vec<(u64, u64, u8)> {
    let (piece, mended) = read(&midi(&[track]));
    assert_eq!(mended, [""; 0]);
    times(&piece.notes)
}
