//! What the commands on time series have in common: a model, and the series it is to look at.

use crate::args::settings::TableFlags;
use crate::input::inputs;
use crate::model;
use crate::screen::Screen;
use anyhow::{Context, Result, bail};
use gruvy::forecast::{ForecastConfig, embedded_airline};
use gruvy::settings::RunSettings;
use gruvy::train::RunFolder;
use gruvy_data::from_source;
use gruvy_data::series::{Found, SeriesFormat, read_series};
use gruvy_runtime::series::{Panel, Stamp};
use gruvy_runtime::{
    forecast::{Forecaster, Prepared},
    model::{MODEL_FILE_NAME, ModelFile},
};
use std::path::{Path, PathBuf};

/// A forecast model and series for it.
pub struct Opened {
    /// The model.
    pub forecaster: Forecaster,
    /// The series as read.
    pub panel: Panel,
    /// What was found in the tables.
    found: Found,
    /// The same, prepared.
    pub series: Vec<Prepared>,
}

/// What is to be opened.
pub struct Ask<'a> {
    /// Run folder or model file.
    pub model: &'a Path,
    /// The model there, or the first member's of an ensemble, if it has been read already.
    pub file: Option<&'a ModelFile>,
    /// Tables; none: what the run was trained on.
    pub data: &'a [PathBuf],
    /// Over how the model's own data were read.
    pub format: TableFlags<SeriesFormat>,
    /// Paths for the quantiles of an autoregressive model.
    pub samples: usize,
}

impl Opened {
    /// Opens a model and reads the series.
    ///
    /// # Errors
    /// When there is no such model, it is of another task, or the series cannot be read or do not
    /// fit it.
    pub fn new(ask: Ask<'_>, seed: Option<u64>, screen: &Screen) -> Result<Self> {
        let members = members(ask.model);
        let open = |(number, path): (usize, &PathBuf)| match ask.file.filter(|_| number == 0) {
            Some(file) => Forecaster::from_file(file).with_context(|| path.display().to_string()),
            None => {
                let opened = model::open(path)?;
                let path = || opened.path.display().to_string();
                Forecaster::from_file(&opened.model).with_context(path)
            }
        };
        let models = members.iter().enumerate().map(open).collect::<Result<Vec<_>>>()?;
        let mut forecaster = Forecaster::ensemble(models)?;
        if members.len() > 1 {
            screen.note(format!("an ensemble of {} models", members.len()));
        }
        if ask.samples < 2 {
            bail!("--samples is {}: expected at least 2", ask.samples);
        }
        forecaster.samples = ask.samples;
        forecaster.seed = seed.unwrap_or(forecaster.seed);
        let mut format: SeriesFormat = from_source(forecaster.source());
        ask.format.apply(&mut format)?;
        // Models of before the columns were kept know their series by name alone.
        if let (None, [only]) = (&format.found, &forecaster.codec().series[..]) {
            format.found = Some(Found::only(&only.id));
        }
        let (panel, found) = match ask.data {
            [] => match trained_on(&members[0])?.as_slice() {
                [] => (embedded_airline()?, Found::default()),
                paths => read_series(&inputs(paths)?, &format)?,
            },
            paths => read_series(&inputs(paths)?, &format)?,
        };
        panel.notes.iter().for_each(|note| screen.note(note));
        let (series, missing) = forecaster.prepare_what_fits(&panel)?;
        missing.iter().for_each(|note| screen.warn(note));
        Ok(Self { forecaster, panel, found, series })
    }

    /// The stamp of a step of series `index`, which may lie ahead.
    pub fn stamp(&self, index: usize, step: usize) -> Stamp {
        self.panel.frequency.at(self.panel.series[index].start, step)
    }

    /// The same as tables have it.
    pub fn written(&self, index: usize, step: usize) -> String {
        self.found.written(self.panel.frequency, self.stamp(index, step))
    }

    /// Greatest less least value of series `index`.
    pub fn swing(&self, index: usize) -> f64 {
        let known = self.panel.series[index].y.iter().filter(|y| !y.is_nan());
        let wider = |(low, high): (f64, f64), y: &f64| (low.min(*y), high.max(*y));
        let (low, high) = known.fold((f64::INFINITY, f64::NEG_INFINITY), wider);
        (high - low).max(0.0)
    }

    /// Where the series of that name stands.
    pub fn index(&self, id: &str) -> Option<usize> {
        self.panel.series.iter().position(|series| series.id == id)
    }
}

/// The model itself, or the members of an ensemble: the folders `1`, `2`, … in it.
fn members(model: &Path) -> Vec<PathBuf> {
    let numbered = (1..).map(|n: usize| model.join(n.to_string()));
    let found: Vec<PathBuf> =
        numbered.take_while(|folder| folder.join(MODEL_FILE_NAME).exists()).collect();
    match found.is_empty() || model.join(MODEL_FILE_NAME).exists() {
        true => vec![model.to_owned()],
        false => found,
    }
}

/// The data of a run.
fn trained_on(model: &Path) -> Result<Vec<PathBuf>> {
    let settings = RunFolder::settings_path(model);
    if !settings.exists() {
        bail!("{} is no run folder, so its data are not known: give the series", model.display());
    }
    let paths = RunSettings::<ForecastConfig>::read(&settings)?.data.paths;
    if paths.iter().any(|path| path == Path::new("-")) {
        bail!(
            "the data of {} came through standard input and are not kept: give the series, or `-` \
             and the series through \
             standard input",
            model.display()
        );
    }
    Ok(paths)
}
