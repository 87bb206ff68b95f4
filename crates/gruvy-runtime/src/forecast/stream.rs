//! A forecast model on a series whose observations come one at a time.
use super::forecaster::Forecaster;
use crate::series::Series;
use crate::{
    error::{Error, Result},
    forecast::answer::Forecast,
};

impl Forecaster {
    /// A stream of observations of one series, of which `series` is the beginning, perhaps without
    /// a value.
    ///
    /// # Errors
    /// As [`Forecaster::prepare`].
    pub fn stream(&self, series: Series) -> Result<ForecastStream> {
        self.codec.prepare(&series)?;
        Ok(ForecastStream { forecaster: self.clone(), series, forgotten: 0 })
    }
}

/// One series whose observations come one at a time.
///
/// It keeps the last window alone, however long it runs, and answers what [`Forecaster::forecast`]
/// answers on the whole history: the same bits.
#[derive(Clone, Debug)]
pub struct ForecastStream {
    forecaster: Forecaster,
    series: Series,
    /// Steps dropped from the front.
    forgotten: usize,
}

impl ForecastStream {
    /// The next observation, NaN if it is missing, with the past-only covariates `[P]` of its step.
    ///
    /// # Errors
    /// [`Error::Setting`] for another number of covariates or an infinite value. The stream is then
    /// as before.
    pub fn observe(&mut self, y: f64, past: &[f64]) -> Result<()> {
        if y.is_infinite() {
            return Err(Error::setting("y", y, "a finite number, or NaN if it is missing"));
        }
        check_width("past", past, self.series.past.len())?;
        self.series.y.push(y);
        for (column, value) in self.series.past.iter_mut().zip(past) {
            column.push(*value);
        }
        self.forget();
        Ok(())
    }

    /// The known-future covariates `[F]` of the next step of which they were not known yet.
    ///
    /// # Errors
    /// [`Error::Setting`] for another number of covariates.
    pub fn know_ahead(&mut self, future: &[f64]) -> Result<()> {
        check_width("future", future, self.series.future.len())?;
        for (column, value) in self.series.future.iter_mut().zip(future) {
            column.push(*value);
        }
        Ok(())
    }

    /// The forecast of the steps after the last observation.
    ///
    /// # Errors
    /// As [`Forecaster::forecast`].
    pub fn forecast(&self) -> Result<Forecast> {
        let series = self.forecaster.codec.prepare(&self.series)?;
        let mut forecasts = self.forecaster.forecast(&[(&series, series.len())])?;
        let mut forecast = forecasts.remove(0);
        forecast.origin += self.forgotten;
        Ok(forecast)
    }

    /// Drops what no window looks at any more, now and then.
    fn forget(&mut self) {
        let (codec, series) = (&self.forecaster.codec, &mut self.series);
        let keep = codec.reach();
        if series.y.len() < 2 * keep {
            return;
        }
        let old = series.y.len() - keep;
        series.start = codec.frequency.at(series.start, old);
        series.y.drain(..old);
        self.forgotten += old;
        for column in series.past.iter_mut().chain(&mut series.future) {
            column.drain(..old.min(column.len()));
        }
    }
}

fn check_width(name: &'static str, values: &[f64], expected: usize) -> Result<()> {
    if values.len() == expected && values.iter().all(|v| !v.is_infinite()) {
        return Ok(());
    }
    Err(Error::setting(name, format!("{values:?}"), format!("{expected} finite numbers")))
}
