//! In place of pictures, where drawing is not built in.
use crate::error::{Error, Result};
use gruvy_runtime::audio::Audio;
use gruvy_runtime::speech::Transcript;

/// As with the feature `draw`.
///
/// # Errors
/// Always.
pub fn picture(_: &Audio, _: &Transcript, _: &str) -> Result<Vec<u8>> {
    Err(Error::Data("pictures need the feature `draw`, which is not built in".into()))
}
