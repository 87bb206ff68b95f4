//! A program without sound.

use anyhow::{Result, bail};
use gruvy_runtime::music::Piece;
use std::path::Path;

/// Nothing.
///
/// # Errors
/// If a SoundFont is given.
pub fn wav(_: &Piece, font: Option<&Path>) -> Result<Option<Vec<u8>>> {
    match font {
        None => Ok(None),
        Some(path) => {
            bail!("{}: this program was built without the feature `sound`", path.display())
        }
    }
}
