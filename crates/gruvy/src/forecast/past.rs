//! A model put to the test on the past of series: forecasts from origins whose future is known.
use super::applied::Applied;
use super::evaluate::{evaluate, last_origins};
use super::judge::ask::Observed;
use super::judge::backtest::{Backtest, JudgeConfig, judge};
use crate::error::{Error, Result};
use crate::train::report::Metrics;
use gruvy_runtime::forecast::Forecast;
use std::num::NonZeroUsize;

/// How good a model is on the last steps of series.
#[derive(Clone, Debug)]
pub struct Evaluated {
    /// As [`evaluate`] gives them.
    pub metrics: Metrics,
    /// Forecasts that were made.
    pub forecasts: usize,
}

/// Forecasts of the past beside what came, and beside simple methods.
#[derive(Clone, Debug)]
pub struct PastForecasts {
    /// The model's forecasts.
    pub forecasts: Vec<Forecast>,
    /// What they come to.
    pub backtest: Backtest,
    /// Why the model may look better than it is, if it learned from what it forecast; the last of
    /// the notes of [`backtest`](Self::backtest), too.
    pub warning: Option<String>,
}

impl Applied {
    /// Measures the model on every forecast of the last `steps` of each series; none: a horizon.
    ///
    /// # Errors
    /// [`Error::Setting`] for fewer steps than a horizon, [`Error::Data`] if no series has so many
    /// to forecast, and as [`evaluate`].
    pub fn evaluate(&self, steps: Option<usize>) -> Result<Evaluated> {
        let horizon = self.forecaster.codec().horizon;
        let origins = steps.unwrap_or(horizon).saturating_add(1).saturating_sub(horizon);
        let windows = last_origins(&self.forecaster, &self.series, origins, 1).windows;
        if origins == 0 {
            let expected = format!(
                "expected at least the model's horizon, {horizon}, which measures the last \
                 forecast of each series"
            );
            return Err(Error::setting("test_steps", steps.unwrap_or(0), expected));
        }
        if windows.is_empty() {
            return Err(self.too_short());
        }
        let metrics = evaluate(&self.forecaster, &self.panel, &windows)?;
        Ok(Evaluated { metrics, forecasts: windows.len() })
    }

    /// Forecasts each series from `windows` origins, the last a horizon before its end, and judges
    /// what comes of it beside simple methods. `step` lies between the origins; none: a horizon.
    ///
    /// # Errors
    /// [`Error::Data`] if no series is long enough, and as [`judge`].
    pub fn backtest(
        &self,
        windows: NonZeroUsize,
        step: Option<NonZeroUsize>,
    ) -> Result<PastForecasts> {
        let codec = self.forecaster.codec();
        let step = step.map_or(codec.horizon, NonZeroUsize::get);
        let origins = last_origins(&self.forecaster, &self.series, windows.get(), step);
        if origins.windows.is_empty() {
            return Err(self.too_short());
        }
        let forecasts = self.forecaster.forecast(&origins.windows)?;
        let config = JudgeConfig { season: codec.season, ..JudgeConfig::default() };
        let mut backtest = judge(&Observed::of(&self.panel), &forecasts, &config)?;
        let warning = (origins.learned > 0).then(|| {
            format!(
                "{} of {} forecasts are of steps that the model learned from, so they flatter it: \
                 train with the setting `test_steps={}` to hold them back",
                origins.learned,
                origins.windows.len(),
                (windows.get() - 1).saturating_mul(step).saturating_add(codec.horizon)
            )
        });
        backtest.notes.extend(warning.clone());
        Ok(PastForecasts { forecasts, backtest, warning })
    }

    fn too_short(&self) -> Error {
        let horizon = self.forecaster.codec().horizon;
        let longest = self.panel.series.iter().max_by_key(|series| series.y.len());
        let longest = longest.map_or_else(String::new, |series| {
            format!("; the longest, `{}`, has {} steps", series.id, series.y.len())
        });
        Error::Data(format!(
            "no series has the {horizon} steps of a forecast behind a value to forecast \
             from{longest}: give a series of at least {} steps",
            horizon + 1
        ))
    }
}
