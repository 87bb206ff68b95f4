//! Data that the user names; `-` is standard input, which the library does not read.

use anyhow::{Context, Result};
use gruvy::settings::DataConfig;
use gruvy_data::Input;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// What readers take.
///
/// # Errors
/// When standard input is named and cannot be read.
pub fn inputs(paths: &[PathBuf]) -> Result<Vec<Input>> {
    let mut data = DataConfig { paths: paths.to_vec(), stdin: None };
    attach(&mut data)?;
    Ok(data.inputs()?)
}

/// Hands what comes through standard input to settings that name it and do not have it yet.
///
/// # Errors
/// When it cannot be read.
pub fn attach(data: &mut DataConfig) -> Result<()> {
    if data.stdin.is_none() && data.paths.iter().any(|path| path == Path::new("-")) {
        let mut bytes = Vec::new();
        io::stdin().lock().read_to_end(&mut bytes).context("cannot read standard input")?;
        data.stdin = Some(bytes.into());
    }
    Ok(())
}
