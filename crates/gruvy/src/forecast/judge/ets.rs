//! Exponential smoothing (ETS): the state-space models of Hyndman et al. (2008), of which the one
//! with the best corrected AIC is taken. The models come from the crate `anofox-forecast`: unlike
//! `augurs-ets` it has seasonal ones, and its likelihoods and intervals are those of R's
//! `forecast::ets`. With the last year(s) of AirPassengers, wineind and ausbeer held out its MASE
//! is 0.71, 1.10 and 0.39, where `statsforecast` comes to 1.17, 1.09 and 0.38.
//!
//! Parameters and initial states are found once for a series, in the history before its first
//! origin; at later origins the states go on with the new values (what `statsforecast` calls
//! `refit=False`), as the weights of a trained model stay while its state goes on.
//!
//! Seasons longer than [`MAX_SEASON`] would be as many free initial states: such a season is taken
//! out by classical decomposition first (`seasonal.rs`), and the rest is smoothed without one.
use super::{
    ask::{Ask, Observed, restore},
    seasonal::{Season, interpolated},
};
use anofox_forecast::{
    core::TimeSeries,
    models::{
        Forecaster, IncrementalForecaster,
        exponential::{AutoETS, AutoETSConfig, ETSSeasonalType, ModelPool},
    },
};
use chrono::{DateTime, TimeDelta};
use gruvy_runtime::forecast::Forecast;

/// The longest season that is smoothed itself: that of hours in a day.
const MAX_SEASON: usize = 24;
/// Values that a fit looks at, or seasons if that is more. What is longer ago has lost its weight.
const MAX_HISTORY: usize = 500;
const MAX_SEASONS: usize = 10;
/// Beyond this season no trend is tried. On every sixtieth hourly series of the M4 competition a
/// trend takes four times as long (0.6 s a series) and makes MASE worse, 1.55 for 1.39.
const MAX_TRENDED: usize = 12;
/// Multiplicative seasons are for relative errors below this; beyond, simulated paths run away.
const MAX_RELATIVE_ERROR: f64 = 0.5;
/// What is further from the history is no forecast: values near zero make relative errors, and with
/// them the spread of multiplicative models, arbitrarily large. Additive ones stand in for those.
const MAX_RANGES: f64 = 3.0;

/// As [`Baseline::forecasts`](super::Baseline::forecasts).
pub(super) fn forecasts(
    Observed { id, y }: Observed<'_>,
    origins: &[usize],
    ask: Ask<'_>,
) -> Result<Vec<Forecast>, String> {
    let Some(&first) = origins.first() else { return Ok(Vec::new()) };
    let longest = MAX_HISTORY.max(MAX_SEASONS * ask.season);
    let start = first.saturating_sub(longest);
    let known = y[start..first].iter().position(|value| value.is_finite());
    let start = start + known.ok_or("nothing is known before the origin")?;
    let whole = interpolated(&y[start..first]);
    let long = ask.season > MAX_SEASON;
    let season = if long { Season::of(&whole, ask.season) } else { None };
    // The history before an origin, without gaps and without a long season, from step `from` on.
    let values = |from: usize, origin: usize| -> Vec<f64> {
        let whole = interpolated(&y[start..origin]);
        let numbered = whole.into_iter().enumerate().skip(from - start);
        numbered.map(|(t, v)| season.as_ref().map_or(v, |season| season.remove(t, v))).collect()
    };
    let fitted_season = if long { 1 } else { ask.season };
    let mut model = fit(&values(start, first), fitted_season, ask)?;
    let mut seen = first;
    let from = |origin: &usize| {
        model.update(&values(seen, *origin)).map_err(|error| error.to_string())?;
        seen = *origin;
        let mut forecast = predict(&model, (id, *origin), ask)?;
        if let Some(season) = &season {
            restore(&mut forecast, season, start);
        }
        Ok(forecast)
    };
    origins.iter().map(from).collect()
}

fn fit(values: &[f64], season: usize, ask: Ask<'_>) -> Result<AutoETS, String> {
    // The library wants times; any will do.
    let day = |t: i64| DateTime::UNIX_EPOCH + TimeDelta::days(t);
    let days = (0..values.len() as i64).map(day).collect();
    let error = |error: anofox_forecast::ForecastError| error.to_string();
    let series = TimeSeries::univariate(days, values.to_vec()).map_err(error)?;
    // The guard is the library's own, beside the published method.
    let mut config =
        AutoETSConfig { spike_trend_guard: false, ..AutoETSConfig::with_period(season) };
    if ask.season > MAX_TRENDED {
        config = config.with_model_pool(ModelPool::Reduced);
        config.allow_damped = false;
    }
    let mut model = AutoETS::with_config(config.clone());
    model.fit(&series).map_err(error)?;
    let unsteady = multiplicative(&model) && relative_error(&model, values) > MAX_RELATIVE_ERROR;
    if unsteady || runs_away(&model, values, ask) {
        model = AutoETS::with_config(config.additive_only());
        model.fit(&series).map_err(error)?;
    }
    Ok(model)
}

fn multiplicative(model: &AutoETS) -> bool {
    model.selected_spec().is_some_and(|spec| spec.seasonal == ETSSeasonalType::Multiplicative)
}

/// Root mean square of what the one-step forecasts are off, as shares of the values.
fn relative_error(model: &AutoETS, values: &[f64]) -> f64 {
    let residuals = model.residuals().unwrap_or_default();
    let squares = residuals.iter().zip(values).map(|(residual, value)| (residual / value).powi(2));
    (squares.sum::<f64>() / values.len() as f64).sqrt()
}

/// Whether the forecast from here leaves the range of the history by more than [`MAX_RANGES`] times
/// that range.
fn runs_away(model: &AutoETS, values: &[f64], ask: Ask<'_>) -> bool {
    let Ok(forecast) = predict(model, ("", 0), ask) else { return true };
    let low = values.iter().copied().fold(f64::INFINITY, f64::min);
    let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let room = MAX_RANGES * (high - low);
    let rows = forecast.quantiles.iter().chain([&forecast.mean]);
    rows.flatten().any(|value| !(low - room..=high + room).contains(value))
}

fn predict(model: &AutoETS, (id, origin): (&str, usize), ask: Ask<'_>) -> Result<Forecast, String> {
    let point = model.predict(ask.horizon).map_err(|error| error.to_string())?;
    let row = |level: &f64| -> Result<Vec<f64>, String> {
        let forecast = model
            .predict_with_intervals(ask.horizon, (2.0 * level - 1.0).abs())
            .map_err(|error| error.to_string())?;
        let row = if *level < 0.5 { forecast.lower_series(0) } else { forecast.upper_series(0) };
        Ok(row.map_err(|error| error.to_string())?.to_vec())
    };
    let quantiles: Vec<Vec<f64>> = ask.levels.iter().map(row).collect::<Result<_, _>>()?;
    let mean = point.primary().to_vec();
    if !quantiles.iter().chain([&mean]).flatten().all(|value| value.is_finite()) {
        return Err("its forecast is not finite".to_owned());
    }
    Ok(Forecast { id: id.to_owned(), origin, mean, levels: ask.levels.to_vec(), quantiles })
}
