//! Music as sound.

use anyhow::Result;
use gruvy::music::{Font, Voice};
use gruvy_runtime::music::Piece;
use std::path::Path;

/// A piece as the content of a WAV file, played by a SoundFont if one is given.
///
/// # Errors
/// When the SoundFont cannot be read, or the piece is too long.
pub fn wav(piece: &Piece, font: Option<&Path>) -> Result<Option<Vec<u8>>> {
    let voice = font.map(Font::open).transpose()?.map_or(Voice::Own, Voice::Font);
    Ok(Some(voice.play(piece)?.to_wav()?))
}
