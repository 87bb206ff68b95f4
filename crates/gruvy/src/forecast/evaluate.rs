//! How good a forecast model is on given windows.
use crate::{
    error::Result,
    forecast::judge::{
        ask::Observed,
        backtest::{JudgeConfig, judge},
    },
    train::report::Metrics,
};
use gruvy_runtime::{
    forecast::{Forecaster, Prepared},
    series::Panel,
};

/// Windows of one call, which bounds the memory.
const WINDOWS: usize = 1024;
/// Most numbers of forecasts that are judged at once.
const JUDGED: usize = 20_000_000;

/// Where forecasts are made from, to be judged by what came.
#[derive(Clone, Debug)]
pub struct Origins<'a> {
    /// A series and the first step forecast, in the order of the series.
    pub windows: Vec<(&'a Prepared, usize)>,
    /// How many of them begin with a step that the model learned from.
    pub learned: usize,
}

/// The last `count` origins of each series, `step` steps apart, the last a horizon before its end;
/// those with nothing to forecast from left out.
pub fn last_origins<'a>(
    forecaster: &Forecaster,
    series: &'a [Prepared],
    count: usize,
    step: usize,
) -> Origins<'a> {
    let codec = forecaster.codec();
    let mut all = Origins { windows: Vec::new(), learned: 0 };
    for series in series {
        let Some(last) = series.len().checked_sub(codec.horizon) else { continue };
        let until = codec.known(&series.id).map(|known| known.until);
        // No more lie in the series.
        let count = count.min(last / step.max(1) + 1);
        let origins = (0..count).rev().filter_map(|back| last.checked_sub(back * step));
        for origin in origins.filter(|origin| codec.frame(series, *origin).is_some()) {
            let stamp = codec.frequency.at(series.start, origin);
            all.learned += usize::from(until.is_some_and(|until| stamp < until));
            all.windows.push((series, origin));
        }
    }
    all
}

/// Metrics of the forecasts of these windows, each a prepared series of `panel` and an origin:
///
/// * `mse`, `mae`: of standardised values, by mean and deviation of what the series was trained on
///   (of all of it, if it was not);
/// * `mase`, `smape`, `crps`: as [`crate::forecast::judge`] defines them; of every n-th window,
///   where there are very many.
///
/// # Errors
/// As [`Forecaster::forecast`].
pub fn evaluate(
    forecaster: &Forecaster,
    panel: &Panel,
    windows: &[(&Prepared, usize)],
) -> Result<Metrics> {
    let codec = forecaster.codec();
    let of = |id: &str| panel.series.iter().find(|series| series.id == id);
    let values = codec.horizon * (codec.levels.len() + 1);
    let every = (windows.len() * values).div_ceil(JUDGED).max(1);
    let (mut squares, mut absolute, mut count) = (0.0, 0.0, 0usize);
    let mut judged = Vec::new();
    for (chunk_at, chunk) in windows.chunks(WINDOWS).enumerate() {
        for (at, forecast) in forecaster.forecast(chunk)?.into_iter().enumerate() {
            let Some(observed) = of(&forecast.id) else { continue };
            let y = &observed.y[forecast.origin..];
            let std = codec.standard(observed).std;
            let median = forecast.median();
            for ((y, mean), median) in y.iter().zip(&forecast.mean).zip(median) {
                if !y.is_nan() {
                    squares += ((y - mean) / std).powi(2);
                    absolute += ((y - median) / std).abs();
                    count += 1;
                }
            }
            if (chunk_at * WINDOWS + at).is_multiple_of(every) {
                judged.push(forecast);
            }
        }
    }
    let config =
        JudgeConfig { season: codec.season, baselines: Vec::new(), ..JudgeConfig::default() };
    let table = judge(&Observed::of(panel), &judged, &config)?;
    let of_model = table.rows.first().map(|row| row.metrics.clone()).unwrap_or_default();
    let n = count.max(1) as f64;
    let mut metrics =
        Metrics::from([("mse".to_owned(), squares / n), ("mae".to_owned(), absolute / n)]);
    let scaled = [("mase", of_model.mase), ("smape", of_model.smape), ("crps", of_model.crps)];
    metrics.extend(scaled.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
    Ok(metrics)
}
