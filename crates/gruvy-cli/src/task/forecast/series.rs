//! What the commands on time series have in common: a model, and the series it is to look at.

use crate::args::settings::TableFlags;
use crate::input::inputs;
use crate::screen::Screen;
use anyhow::{Result, bail};
use gruvy::forecast::{Applied, trained_on};
use gruvy_data::series::SeriesFormat;
use gruvy_runtime::forecast::Forecaster;
use gruvy_runtime::model::{ModelFile, open_members};
use std::path::{Path, PathBuf};

/// What is to be opened.
pub struct Ask<'a> {
    /// Run folder or model file.
    pub model: &'a Path,
    /// The model there, or the first of an ensemble, if it has been read already.
    pub file: Option<&'a ModelFile>,
    /// Tables; none: what the run was trained on.
    pub data: &'a [PathBuf],
    /// Over how the model's own data were read.
    pub format: TableFlags<SeriesFormat>,
    /// Paths for the quantiles of an autoregressive model.
    pub samples: usize,
}

/// Opens a model and reads the series.
///
/// # Errors
/// When there is no such model, it is of another task, or the series cannot be read or do not fit
/// it.
pub fn open(ask: Ask<'_>, seed: Option<u64>, screen: &Screen) -> Result<Applied> {
    let models = open_members(ask.model, ask.file, Forecaster::from_file)?;
    let mut forecaster = Forecaster::ensemble(models)?;
    if forecaster.size() > 1 {
        screen.note(format!("an ensemble of {} models", forecaster.size()));
    }
    if ask.samples < 2 {
        bail!("--samples is {}: expected at least 2", ask.samples);
    }
    forecaster.samples = ask.samples;
    forecaster.seed = seed.unwrap_or(forecaster.seed);
    let paths = match ask.data {
        [] => trained_on(ask.model)?,
        paths => paths.to_vec(),
    };
    let applied =
        Applied::read(forecaster, &inputs(&paths)?, |format| Ok(ask.format.apply(format)?))?;
    screen.remarks(&applied.panel.notes);
    applied.lacking.iter().for_each(|remark| screen.warn(remark.to_string()));
    Ok(applied)
}
