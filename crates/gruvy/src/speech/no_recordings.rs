//! In place of files of sound, where these are not built in.
use crate::error::{Error, Result};
use gruvy_data::Input;
use gruvy_runtime::audio::Audio;
use gruvy_runtime::speech::{Decoding, Transcriber, Transcript};
use std::path::Path;

fn missing<T>() -> Result<T> {
    Err(Error::Data("recordings need the feature `audio`, which is not built in".into()))
}

/// As with the feature `audio`; there are none without.
pub struct Blocks;

impl Blocks {
    /// As with the feature `audio`.
    ///
    /// # Errors
    /// Always.
    pub fn open(_: &Input, _: u32) -> Result<Self> {
        missing()
    }

    /// As with the feature `audio`.
    ///
    /// # Errors
    /// Always.
    #[allow(clippy::should_implement_trait)]
    pub fn next(&mut self) -> Result<Option<&[f32]>> {
        missing()
    }

    /// As with the feature `audio`.
    pub fn remarks(&self) -> Vec<String> {
        Vec::new()
    }
}

pub(super) fn rate_of(_: &Path) -> Result<u32> {
    missing()
}

/// As with the feature `audio`.
///
/// # Errors
/// Always.
pub fn audio(_: &Input, _: Option<u32>, _: [Option<f64>; 2]) -> Result<(Audio, Vec<String>)> {
    missing()
}

/// As with the feature `audio`.
#[derive(Clone, Debug)]
pub struct Transcribed {
    /// What is said.
    pub transcript: Transcript,
    /// How long the recording is.
    pub seconds: f64,
    /// What was mended of the file.
    pub remarks: Vec<String>,
}

/// As with the feature `audio`.
///
/// # Errors
/// Always.
pub fn transcribe_file(_: &Transcriber, _: &Input, _: &Decoding) -> Result<Transcribed> {
    missing()
}

pub(super) fn read_background(_: &Path, _: u32) -> Result<Vec<Audio>> {
    missing()
}
