//! A forecast model on the series that it is to look at.
use super::config::ForecastConfig;
use super::task::embedded_airline;
use crate::error::{Error, Result};
use crate::settings::run::RunSettings;
use gruvy_data::Input;
use gruvy_data::from_source;
use gruvy_data::series::{Found, SeriesFormat, read_series};
use gruvy_runtime::Remark;
use gruvy_runtime::forecast::{Forecast, Forecaster, Prepared};
use gruvy_runtime::names::in_words;
use gruvy_runtime::series::{Panel, Stamp};
use std::path::{Path, PathBuf};

/// A forecast model and series for it.
#[derive(Debug)]
pub struct Applied {
    /// The model.
    pub forecaster: Forecaster,
    /// The series as read.
    pub panel: Panel,
    /// The same, prepared.
    pub series: Vec<Prepared>,
    /// Values that the model cannot have, and that were taken as missing.
    pub lacking: Vec<Remark>,
    /// What was found in the tables.
    found: Found,
}

impl Applied {
    /// Reads series as the model's own were read; `over` lays over that what is asked for.
    ///
    /// # Errors
    /// If the series cannot be read or do not fit the model.
    pub fn read(
        forecaster: Forecaster,
        inputs: &[Input],
        over: impl FnOnce(&mut SeriesFormat) -> Result<()>,
    ) -> Result<Self> {
        let mut format: SeriesFormat = from_source(forecaster.source());
        over(&mut format)?;
        // Models of before the columns were kept know their series by name alone.
        if let (None, [only]) = (&format.found, &forecaster.codec().series[..]) {
            format.found = Some(Found::only(&only.id));
        }
        let (panel, found) = match inputs {
            [] => (embedded_airline()?, Found::default()),
            inputs => read_series(inputs, &format)?,
        };
        let (series, lacking) = forecaster.prepare_what_fits(&panel)?;
        Ok(Self { forecaster, panel, series, lacking, found })
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

    /// Where the series of these names stand; of no name: all of them.
    ///
    /// # Errors
    /// [`Error::Data`] with the first name that no series has.
    pub fn places(&self, ids: &[String]) -> Result<Vec<usize>> {
        if ids.is_empty() {
            return Ok((0..self.series.len()).collect());
        }
        let place = |id: &String| {
            let known = || self.panel.series.iter().map(|series| series.id.clone()).collect();
            let unknown = |known: Vec<String>| {
                Error::Data(format!("no series `{id}`: there are {}", in_words(&known)))
            };
            self.index(id).ok_or_else(|| unknown(known()))
        };
        ids.iter().map(place).collect()
    }

    /// These series, each with its end: what a forecast of what comes next begins with.
    pub(crate) fn ends(&self, of: &[usize]) -> Vec<(&Prepared, usize)> {
        of.iter().map(|i| (&self.series[*i], self.series[*i].len())).collect()
    }

    /// What comes next in these series.
    ///
    /// # Errors
    /// As [`Forecaster::forecast`].
    pub fn forecast(&self, of: &[usize]) -> Result<Vec<Forecast>> {
        Ok(self.forecaster.forecast(&self.ends(of))?)
    }

    /// What was chosen and noticed while the series were read.
    pub fn remarks(&self) -> Vec<Remark> {
        [&self.panel.notes[..], &self.lacking].concat()
    }
}

/// The files that a run, or the first of several in a folder, was trained on; none: the embedded
/// series.
///
/// # Errors
/// If `model` is no run folder, or its data came through standard input.
pub fn trained_on(model: &Path) -> Result<Vec<PathBuf>> {
    let Some(run) = RunSettings::<ForecastConfig>::of_folder(model)? else {
        let model = model.display();
        let why = format!("{model} is no run folder, so its data are not known: give the series");
        return Err(Error::Data(why));
    };
    let paths = run.data.paths;
    match paths.iter().any(|path| path == Path::new("-")) {
        false => Ok(paths),
        true => Err(Error::Data(format!(
            "the data of {} came through standard input and are not kept: give the series, or `-` \
             and the series through standard input",
            model.display()
        ))),
    }
}
