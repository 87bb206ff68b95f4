//! `gruvy forecast`: what comes next in time series, or which observations were not to be expected.

pub mod backtest;
pub mod demo;
pub mod flags;
pub mod series;

use self::flags::{EvalFlags, ForecastArgs};
use self::series::{Ask, Opened};
use super::door::{Asked, Demo, Task};
use crate::screen::{Screen, thousands};
use crate::training::metrics_in_words;
use anyhow::{Context, Result, bail};
use gruvy::forecast::judge::{FanChart, fan_png, fan_svg};
use gruvy::forecast::{ForecastConfig, evaluate};
use gruvy::settings::TaskConfig;
use gruvy_runtime::{
    forecast::{Forecast as Answer, ForecastCodec, Forecaster, Prepared},
    model::write_atomic,
};
use serde_json::{Value, json};
use std::path::Path;
use std::process::ExitCode;

/// Most series in a picture.
const DRAWN: usize = 12;

/// The forecast task.
#[derive(Debug)]
pub struct Forecast;

impl Task for Forecast {
    type Config = ForecastConfig;
    type Eval = EvalFlags;
    const ABOUT: &'static str = "Learn to forecast time series";
    const HEADING: &'static str = "Forecast";
    const DATA: Option<&'static str> = Some(
        "Tables of series, CSV or Parquet; `-` is stdin; nothing: the embedded airline passengers",
    );
    const USE: [&'static str; 2] = ["forecast", "forecast"];
    const DEMO: Option<Demo> = Some(demo::run);

    fn eval(asked: Asked<'_>, flags: EvalFlags, screen: &Screen) -> Result<()> {
        let EvalFlags { test_steps, format } = flags;
        let (model, data) = (asked.path, asked.data);
        let file = Some(asked.model);
        let ask = Ask { model, file, data, format, samples: Forecaster::SAMPLES };
        let opened = Opened::new(ask, asked.seed, screen)?;
        let codec = opened.forecaster.codec();
        let steps = test_steps.unwrap_or(codec.horizon);
        let windows: Vec<(&Prepared, usize)> = opened
            .series
            .iter()
            .flat_map(|series| {
                let from = series.len().saturating_sub(steps);
                let to = (series.len() + 1).saturating_sub(codec.horizon);
                (from..to).map(move |origin| (series, origin))
            })
            .filter(|(series, origin)| codec.frame(series, *origin).is_some())
            .collect();
        if windows.is_empty() {
            bail!("no series has {} steps to measure the model on", codec.horizon);
        }
        let metrics = evaluate(&opened.forecaster, &opened.panel, &windows)?;
        let words = || {
            let metrics = metrics_in_words(ForecastConfig::METRICS, &metrics);
            format!(
                "{metrics}, over {} forecasts of {} steps",
                thousands(windows.len()),
                codec.horizon
            )
        };
        screen.result(|| json!(metrics), words)
    }
}

/// What `gruvy info` says of the codec.
pub fn info(codec: &ForecastCodec) -> (Value, String) {
    let json = json!({
        "horizon": codec.horizon, "context": codec.context, "season": codec.season,
        "frequency": codec.frequency, "decoder": codec.decoder, "output": codec.output,
        "levels": codec.levels, "transform": codec.transform, "difference": codec.difference,
        "scale": codec.scale, "series": codec.series.len(),
    });
    let words = format!(
        "{} steps of {} from {}, {} series, transform {}, difference {}",
        codec.horizon,
        codec.frequency,
        codec.context,
        codec.series.len(),
        codec.transform,
        codec.difference.name()
    );
    (json, words)
}

/// Runs the subcommand.
///
/// # Errors
/// When the model or the series cannot be read, or a file cannot be written.
pub fn run(args: ForecastArgs, seed: Option<u64>, screen: &Screen) -> Result<ExitCode> {
    let ForecastArgs { model, data, out, picture, only, paths, samples, flag_anomalies, format } =
        args;
    let ask = Ask { model: &model, file: None, data: &data, format, samples };
    let opened = Opened::new(ask, seed, screen)?;
    let chosen = choose(&opened, &only)?;
    let table = match (paths, flag_anomalies) {
        (Some(count), _) => courses(&opened, &chosen, count)?,
        (_, Some(share)) => anomalies(&opened, &chosen, share, screen)?,
        (None, None) => {
            let windows: Vec<(&Prepared, usize)> =
                chosen.iter().map(|i| (&opened.series[*i], opened.series[*i].len())).collect();
            let forecasts = opened.forecaster.forecast(&windows)?;
            if let Some(path) = &picture {
                draw(&opened, &forecasts, path, screen)?;
            }
            quantiles(&opened, &forecasts)
        }
    };
    if let Some(path) = &out {
        write_atomic(path, &table.csv()?)?;
        screen.note(format!("{} rows written to {}", table.rows.len(), path.display()));
        if !screen.json() {
            return Ok(ExitCode::SUCCESS);
        }
    }
    let csv = table.csv()?;
    screen.result(|| table.json(), || String::from_utf8_lossy(&csv).trim_end().to_owned())?;
    Ok(ExitCode::SUCCESS)
}

/// The series asked for.
fn choose(opened: &Opened, only: &[String]) -> Result<Vec<usize>> {
    if only.is_empty() {
        return Ok((0..opened.series.len()).collect());
    }
    let find = |id: &String| {
        opened.index(id).with_context(|| {
            let known = opened.panel.series.iter().take(10).map(|series| series.id.as_str());
            format!("no series `{id}`: there are {} …", known.collect::<Vec<_>>().join(", "))
        })
    };
    only.iter().map(find).collect()
}

/// Rows of text and numbers under names.
struct Table {
    columns: Vec<String>,
    rows: Vec<Row>,
}

struct Row {
    id: String,
    ds: String,
    /// What was observed, written as it is.
    observed: Vec<f64>,
    /// What a model says, written with digits by the swing of the series.
    said: Vec<f64>,
    swing: f64,
}

impl Row {
    fn numbers(&self) -> impl Iterator<Item = f64> {
        self.observed.iter().chain(&self.said).copied()
    }

    fn texts(&self) -> impl Iterator<Item = String> {
        let observed = self.observed.iter().map(|value| exact(*value));
        observed.chain(self.said.iter().map(|value| rounded(*value, self.swing)))
    }
}

impl Table {
    fn new(numbers: impl IntoIterator<Item = String>) -> Self {
        let columns = ["unique_id".to_owned(), "ds".to_owned()].into_iter().chain(numbers);
        Self { columns: columns.collect(), rows: Vec::new() }
    }

    fn csv(&self) -> Result<Vec<u8>> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(&self.columns)?;
        for row in &self.rows {
            writer.write_record([row.id.clone(), row.ds.clone()].into_iter().chain(row.texts()))?;
        }
        Ok(writer.into_inner()?)
    }

    fn json(&self) -> Value {
        let row = |row: &Row| {
            let texts = [json!(row.id), json!(row.ds)].into_iter();
            let values = texts.chain(row.numbers().map(|v| json!(v)));
            Value::Object(self.columns.iter().cloned().zip(values).collect())
        };
        json!({ "rows": self.rows.iter().map(row).collect::<Vec<_>>() })
    }
}

/// A number of few digits, such as a level in per cent.
fn short(value: f64) -> String {
    exact(format!("{value:.6e}").parse::<f64>().unwrap_or(value))
}

/// The shortest text that reads as this number; none for a missing one.
fn exact(value: f64) -> String {
    if value.is_nan() {
        return String::new();
    }
    let text = format!("{value:?}");
    text.strip_suffix(".0").map(str::to_owned).unwrap_or(text)
}

/// Seven significant digits of a series that swings by so much: as many as a model's numbers have.
/// A number that is large beside the swing has more.
fn rounded(value: f64, swing: f64) -> String {
    let (size, swing) = (value.abs().log10().floor(), swing.log10().floor());
    let more = if size.is_finite() && swing.is_finite() { (size - swing).max(0.0) } else { 0.0 };
    let decimals = (6.0 + more).min(16.0) as usize;
    exact(format!("{value:.decimals$e}").parse::<f64>().unwrap_or(value))
}

fn quantiles(opened: &Opened, forecasts: &[Answer]) -> Table {
    let levels = &opened.forecaster.codec().levels;
    let names = levels.iter().map(|level| format!("q{}", short(100.0 * level)));
    let mut table = Table::new(["mean".to_owned()].into_iter().chain(names));
    for forecast in forecasts {
        let Some(index) = opened.index(&forecast.id) else { continue };
        for step in 0..forecast.horizon() {
            let at = |values: &Vec<f64>| values[step];
            let numbers =
                [forecast.mean[step]].into_iter().chain(forecast.quantiles.iter().map(at));
            let ds = opened.written(index, forecast.origin + step);
            table.rows.push(Row {
                id: forecast.id.clone(),
                ds,
                observed: Vec::new(),
                said: numbers.collect(),
                swing: opened.swing(index),
            });
        }
    }
    table
}

fn courses(opened: &Opened, chosen: &[usize], count: usize) -> Result<Table> {
    if count == 0 {
        bail!("--paths is 0: expected at least 1");
    }
    let windows: Vec<(&Prepared, usize)> =
        chosen.iter().map(|i| (&opened.series[*i], opened.series[*i].len())).collect();
    // Asked first: it refuses more than there is memory for.
    let courses = opened.forecaster.paths(&windows, count)?;
    let mut table = Table::new((1..=count).map(|n| format!("path{n}")));
    for (index, of) in chosen.iter().zip(courses) {
        for step in 0..opened.forecaster.codec().horizon {
            let ds = opened.written(*index, of.origin + step);
            let said = of.paths.iter().map(|path| path[step]).collect();
            let (id, swing) = (of.id.clone(), opened.swing(*index));
            table.rows.push(Row { id, ds, observed: Vec::new(), said, swing });
        }
    }
    Ok(table)
}

fn anomalies(opened: &Opened, chosen: &[usize], share: f64, screen: &Screen) -> Result<Table> {
    let mut table = Table::new(["y", "low", "high", "anomaly"].map(str::to_owned));
    let mut flagged = 0;
    for index in chosen {
        let series = &opened.panel.series[*index];
        let intervals = opened.forecaster.intervals(&opened.series[*index], share)?;
        for (step, (y, interval)) in series.y.iter().zip(intervals).enumerate() {
            let [low, high] = interval.unwrap_or([f64::NAN; 2]);
            let outside = *y < low || *y > high;
            flagged += usize::from(outside);
            let said = vec![low, high, f64::from(u8::from(outside))];
            let (id, ds) = (series.id.clone(), opened.written(*index, step));
            table.rows.push(Row { id, ds, observed: vec![*y], said, swing: opened.swing(*index) });
        }
    }
    let all = table.rows.iter().filter(|r| !r.observed[0].is_nan() && !r.said[0].is_nan()).count();
    screen.note(format!(
        "{flagged} of {all} observations lie outside the central {}% interval of the forecast one \
         step before",
        short(100.0 * share)
    ));
    Ok(table)
}

fn draw(opened: &Opened, forecasts: &[Answer], path: &Path, screen: &Screen) -> Result<()> {
    let extension = path.extension().and_then(|e| e.to_str()).unwrap_or_default().to_lowercase();
    let shown = &forecasts[..forecasts.len().min(DRAWN)];
    let labels: Vec<_> = shown
        .iter()
        .map(|forecast| {
            let index = opened.index(&forecast.id).unwrap_or_default();
            move |step: usize| opened.written(index, step)
        })
        .collect();
    let charts: Vec<FanChart<'_>> = shown
        .iter()
        .zip(&labels)
        .map(|(forecast, label)| FanChart {
            title: forecast.id.clone(),
            y: opened.index(&forecast.id).map_or(&[], |i| &opened.panel.series[i].y),
            forecast,
            season: opened.forecaster.codec().season,
            label,
        })
        .collect();
    match extension.as_str() {
        "svg" => write_atomic(path, fan_svg(&charts)?.as_bytes())?,
        "png" => write_atomic(path, &fan_png(&charts)?)?,
        _ => bail!("{}: expected a name that ends in .svg or .png", path.display()),
    }
    if shown.len() < forecasts.len() {
        let all = forecasts.len();
        screen.note(format!("the first {DRAWN} of {all} series drawn: --only chooses others"));
    }
    screen.note(format!("picture: {}", path.display()));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{exact, rounded};

    #[test]
    fn observed_numbers_are_written_as_they_are() {
        for value in [0.0, 112.0, -0.1, 1e9 + 0.125, 1e-30, 1.7e200, 1_000_000_020.0] {
            assert_eq!(exact(value).parse::<f64>().unwrap(), value);
        }
        assert_eq!((exact(112.0), exact(0.1 + 0.2)), ("112".into(), "0.30000000000000004".into()));
        assert_eq!(exact(f64::NAN), "");
    }

    #[test]
    fn forecasts_have_the_digits_that_tell_the_values_of_a_series_apart() {
        assert_eq!(rounded(123.456_789_12, 40.0), "123.45679");
        assert_eq!(rounded(1e9 + 17.123_456_789, 40.0), "1000000017.12346");
        assert_eq!(rounded(1.234_567_89e-17, 1e-18), "1.2345679e-17");
        assert_eq!(rounded(0.000_123_456_789, 40.0), "0.0001234568");
        assert_eq!((rounded(0.0, 1.0), rounded(5.5, 0.0)), ("0".into(), "5.5".into()));
    }
}
