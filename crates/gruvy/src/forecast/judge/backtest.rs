//! The table: a model beside simple methods, all from the same origins.
use super::row::{Row, SeriesRow};
use super::{
    ask::{Ask, NO_ETS, Observed},
    baselines::Baseline,
    metrics::{Metrics, Scales, Score},
    verdict,
};
use crate::error::{Error, Result};
use crate::mean::mean;
use gruvy_runtime::forecast::Forecast;
use rayon::prelude::*;
use serde::Serialize;
use std::collections::HashMap;

/// What a model is judged by.
#[derive(Clone, Debug)]
pub struct JudgeConfig {
    /// What the model is called in the table.
    pub model: String,
    /// Steps of a season, for scaled errors and seasonal methods; 1: none.
    pub season: usize,
    /// The methods beside it.
    pub baselines: Vec<Baseline>,
}

impl Default for JudgeConfig {
    fn default() -> Self {
        Self { model: "this model".to_owned(), season: 1, baselines: Baseline::ALL.to_vec() }
    }
}

/// How good a model's forecasts are beside those of simple methods.
#[derive(Clone, Debug, Serialize)]
pub struct Backtest {
    /// `H`, steps ahead.
    pub horizon: usize,
    /// Steps of a season.
    pub season: usize,
    /// `[K]` levels of the quantiles.
    pub levels: Vec<f64>,
    /// Number of forecasts that were judged.
    pub forecasts: usize,
    /// Who wins, in a sentence or two.
    pub verdict: String,
    /// The model, then the simple methods.
    pub rows: Vec<Row>,
    /// Every series that was forecast, in the order given.
    pub series: Vec<SeriesRow>,
    /// What one must know to read the table.
    pub notes: Vec<String>,
}

/// A series with the model's forecasts, by origin.
struct Case<'a> {
    series: Observed<'a>,
    forecasts: Vec<&'a Forecast>,
}

/// What one series comes to.
struct Judged {
    origins: Vec<usize>,
    /// `[methods][origins]`
    scores: Vec<Vec<Score>>,
    /// Baselines that could not be applied, and why.
    refused: Vec<(Baseline, String)>,
    /// Whether scaled errors could be computed for all forecasts.
    scaled: bool,
    /// Values to be forecast that are missing, and their number.
    missing: [usize; 2],
}

/// Judges forecasts by what came true. `series` are whole: the history before each origin, and what
/// is known from it on. A series may be forecast from any number of origins, or not at all.
///
/// # Errors
/// [`Error::Data`] if there is no forecast, if one is of an unknown series or from a step outside
/// of it, has another horizon or other levels than the first or a value that is not finite, or if
/// nothing is known to judge by; [`Error::Setting`] for a season of 0.
pub fn judge(
    series: &[Observed<'_>],
    forecasts: &[Forecast],
    config: &JudgeConfig,
) -> Result<Backtest> {
    if config.season == 0 {
        return Err(Error::setting(
            "season",
            0,
            "expected the steps of a season, 1 if there is none",
        ));
    }
    let first = forecasts.first().ok_or_else(|| Error::Data("no forecast to judge".to_owned()))?;
    let ask = Ask { season: config.season, horizon: first.horizon(), levels: &first.levels };
    let cases = cases(series, forecasts)?;
    let methods = baselines(config);
    let judged: Vec<Judged> =
        cases.par_iter().map(|case| case.judge(&methods, ask)).collect::<Result<_>>()?;
    let counted = judged.iter().map(|judged| judged.origins.len()).sum();
    if counted == 0 {
        let why =
            "no value is known that was forecast: expected series that go on after the origins";
        return Err(Error::Data(why.to_owned()));
    }
    let names = [config.model.as_str()].into_iter().chain(methods.iter().map(|m| m.name()));
    let rows: Vec<Row> = names.enumerate().map(|(m, name)| row(&judged, m, name)).collect();
    let rated = cases.iter().zip(&judged).filter(|(_, judged)| !judged.origins.is_empty());
    let one = |scores: &Vec<Score>| Metrics::over([&scores[..]].into_iter());
    let series = rated.map(|(case, judged)| SeriesRow {
        id: case.series.id.to_owned(),
        origins: judged.origins.clone(),
        metrics: judged.scores.iter().map(one).collect(),
    });
    Ok(Backtest {
        horizon: ask.horizon,
        season: config.season,
        levels: ask.levels.to_vec(),
        forecasts: counted,
        verdict: verdict::sentence(&rows),
        series: series.collect(),
        rows,
        notes: notes(&cases, &judged, config),
    })
}

/// Without a season, the seasonal methods are the naive one; what is not built in is left out.
fn baselines(config: &JudgeConfig) -> Vec<Baseline> {
    let seasonal = |m: &Baseline| matches!(m, Baseline::SeasonalNaive | Baseline::Naive2);
    let kept = config.baselines.iter().filter(|m| config.season > 1 || !seasonal(m));
    kept.copied().filter(|method| method.built_in()).collect()
}

/// The forecasts by series, checked.
fn cases<'a>(series: &[Observed<'a>], forecasts: &'a [Forecast]) -> Result<Vec<Case<'a>>> {
    let mut cases: Vec<Case<'_>> =
        series.iter().map(|s| Case { series: *s, forecasts: Vec::new() }).collect();
    let mut places = HashMap::new();
    for (i, one) in series.iter().enumerate() {
        if places.insert(one.id, i).is_some() {
            return Err(Error::Data(format!("series {} is there twice", one.id)));
        }
    }
    for forecast in forecasts {
        let wrong = |why: String| {
            let Forecast { id, origin, .. } = forecast;
            Err(Error::Data(format!("forecast of series {id} from step {origin}: {why}")))
        };
        let Some(place) = places.get(forecast.id.as_str()) else {
            return wrong("there is no series of that name".to_owned());
        };
        let case = &mut cases[*place];
        if forecast.origin > case.series.y.len() {
            return wrong(format!("the series has only {} steps", case.series.y.len()));
        }
        if let Some(why) = misshapen(forecast, &forecasts[0]) {
            return wrong(why);
        }
        case.forecasts.push(forecast);
    }
    cases.retain(|case| !case.forecasts.is_empty());
    cases.iter_mut().for_each(|case| case.forecasts.sort_by_key(|forecast| forecast.origin));
    Ok(cases)
}

/// What is wrong with a forecast, beside the first.
fn misshapen(forecast: &Forecast, first: &Forecast) -> Option<String> {
    let (horizon, levels) = (first.horizon(), &first.levels);
    let rows = || forecast.quantiles.iter().chain([&forecast.mean]);
    if horizon == 0 || rows().any(|row| row.len() != horizon) {
        return Some(format!(
            "expected {} steps in each row as in the first forecast",
            horizon.max(1)
        ));
    }
    if forecast.levels != *levels || forecast.quantiles.len() != levels.len() {
        return Some(format!("expected quantiles at levels {levels:?} as in the first forecast"));
    }
    if !levels.is_sorted_by(|a, b| a < b)
        || levels.iter().any(|level| !(0.0 < *level && *level < 1.0))
    {
        return Some(format!("expected levels that increase between 0 and 1, got {levels:?}"));
    }
    let odd = rows().find_map(|row| row.iter().position(|value| !value.is_finite()));
    odd.map(|h| format!("at step {} of the horizon it is not a finite number", h + 1))
}

impl Case<'_> {
    fn judge(&self, methods: &[Baseline], ask: Ask<'_>) -> Result<Judged> {
        let y = self.series.y;
        let scales = Scales::new(y, ask.season);
        let actual = |origin: usize| -> Vec<f64> {
            (origin..origin + ask.horizon).map(|t| y.get(t).copied().unwrap_or(f64::NAN)).collect()
        };
        let score = |forecast: &Forecast| {
            Score::new(forecast, &actual(forecast.origin), scales.before(forecast.origin))
        };
        let known = |forecast: &&&Forecast| actual(forecast.origin).iter().any(|v| v.is_finite());
        let own: Vec<&Forecast> = self.forecasts.iter().filter(known).copied().collect();
        let origins: Vec<usize> = own.iter().map(|forecast| forecast.origin).collect();
        let mut scores = vec![own.into_iter().filter_map(score).collect::<Vec<Score>>()];
        let mut refused = Vec::new();
        for method in methods {
            let forecasts = method.forecasts(self.series, &origins, ask).or_else(|why| {
                refused.push((*method, why));
                Baseline::Naive.forecasts(self.series, &origins, ask)
            });
            let forecasts = forecasts.map_err(|why| {
                let first = origins.first().unwrap_or(&0);
                let id = self.series.id;
                Error::Data(format!("series {id} cannot be judged from step {first}: {why}"))
            })?;
            scores.push(forecasts.iter().filter_map(score).collect());
        }
        let scaled = |origin: &usize| scales.before(*origin).is_some_and(|s| s.absolute > 0.0);
        let asked = || origins.iter().flat_map(|origin| actual(*origin));
        let missing = [asked().filter(|value| !value.is_finite()).count(), asked().count()];
        Ok(Judged { scaled: origins.iter().all(scaled), origins, scores, refused, missing })
    }
}

/// What method `m` comes to over all series.
fn row(judged: &[Judged], m: usize, name: &str) -> Row {
    let scores = judged.iter().map(|judged| &judged.scores[m][..]);
    let steps = scores.clone().flatten().next().map_or(0, |score| score.scaled.len());
    let at = |h: usize| {
        let errors = scores.clone().flatten().map(|score| score.scaled[h]);
        mean(errors.filter(|error| error.is_finite()))
    };
    let by_step = (0..steps).map(at).collect();
    Row { method: name.to_owned(), metrics: Metrics::over(scores), by_step }
}

fn notes(cases: &[Case<'_>], judged: &[Judged], config: &JudgeConfig) -> Vec<String> {
    let (of, season) = (judged.len(), config.season);
    let mut notes = vec![
        "What the simple methods estimate (indices of the season, smoothing) they estimate once, \
         before the first \
         origin of a series; after it they see the same values as the model."
            .to_owned(),
    ];
    for method in config.baselines.iter().filter(|method| !method.built_in()) {
        notes.push(format!("{} is left out: {NO_ETS}.", method.name()));
    }
    let unscaled = judged.iter().filter(|judged| !judged.scaled).count();
    if unscaled > 0 {
        notes.push(format!(
            "{unscaled} of {of} series are left out of MASE and RMSSE where their history is not \
             longer than a \
             season ({season}) or repeats itself exactly, so that there is nothing to scale by."
        ));
    }
    let mut refused: Vec<(Baseline, usize, String)> = Vec::new();
    for (case, judged) in cases.iter().zip(judged) {
        for (method, why) in &judged.refused {
            match refused.iter_mut().find(|(known, ..)| known == method) {
                Some((_, count, _)) => *count += 1,
                None => refused.push((*method, 1, format!("{}: {why}", case.series.id))),
            }
        }
    }
    for (method, count, first) in refused {
        notes.push(format!(
            "{} could not be applied to {count} of {of} series, and the naive method stands in \
             for it ({first}).",
            method.name()
        ));
    }
    let [missing, asked] =
        judged.iter().fold([0, 0], |[a, b], judged| [a + judged.missing[0], b + judged.missing[1]]);
    if missing > 0 {
        notes.push(format!(
            "{missing} of {asked} values that were forecast are unknown and do not count."
        ));
    }
    notes
}

impl Backtest {
    /// The series with the model's worst, middle and best forecasts, by MASE or else sMAPE: places
    /// in [`Backtest::series`], each once.
    pub fn examples(&self) -> Vec<usize> {
        let scaled = self.series.iter().any(|row| row.metrics[0].mase.is_some());
        let error = |i: &usize| {
            let metrics = &self.series[*i].metrics[0];
            if scaled { metrics.mase } else { metrics.smape }
        };
        let mut order: Vec<usize> = (0..self.series.len()).filter(|i| error(i).is_some()).collect();
        order.sort_by(|a, b| error(b).unwrap_or(0.0).total_cmp(&error(a).unwrap_or(0.0)));
        let Some(last) = order.len().checked_sub(1) else { return Vec::new() };
        let mut places = vec![0, last / 2, last];
        places.dedup();
        places.into_iter().map(|place| order[place]).collect()
    }
}
