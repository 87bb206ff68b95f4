//! What the commands on time series have in common: a model, and the series it is to look at.

use crate::args::settings::TableFlags;
use crate::input::inputs;
use crate::screen::Screen;
use anyhow::{Context, Result, bail};
use gruvy::forecast::{Applied, trained_on};
use gruvy_data::series::SeriesFormat;
use gruvy_runtime::forecast::Forecaster;
use gruvy_runtime::model::{ModelFile, members};
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
    let model = |(number, path): (usize, &PathBuf)| match ask.file.filter(|_| number == 0) {
        Some(file) => Forecaster::from_file(file).with_context(|| path.display().to_string()),
        None => Ok(Forecaster::open(path)?),
    };
    let models = members(ask.model)?.iter().enumerate().map(model).collect::<Result<_>>()?;
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
