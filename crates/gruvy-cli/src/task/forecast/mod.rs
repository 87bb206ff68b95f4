//! `gruvy forecast`: what comes next in time series, or which observations were not to be expected.

pub mod backtest;
pub mod demo;
pub mod flags;
pub mod series;

use self::flags::{EvalFlags, ForecastArgs};
use self::series::Ask;
use super::door::{Asked, Demo, Task};
use crate::screen::{Screen, thousands};
use crate::training::metrics_in_words;
use anyhow::{Context, Result, bail};
use gruvy::classify::in_words;
use gruvy::forecast::judge::{FanChart, fan_png, fan_svg};
use gruvy::forecast::{Applied, ForecastConfig, Rows, evaluate, short};
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
    type Report = ();
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
        let opened = series::open(ask, asked.seed, screen)?;
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
    let opened = series::open(ask, seed, screen)?;
    let chosen = choose(&opened, &only)?;
    let table = match (paths, flag_anomalies) {
        (Some(count), _) => Rows::of_paths(&opened, &chosen, count)?,
        (_, Some(share)) => anomalies(&opened, &chosen, share, screen)?,
        (None, None) => {
            let windows: Vec<(&Prepared, usize)> =
                chosen.iter().map(|i| (&opened.series[*i], opened.series[*i].len())).collect();
            let forecasts = opened.forecaster.forecast(&windows)?;
            if let Some(path) = &picture {
                draw(&opened, &forecasts, path, screen)?;
            }
            Rows::of_forecasts(&opened, &forecasts)
        }
    };
    let csv = csv_of(&table)?;
    if let Some(path) = &out {
        write_atomic(path, &csv)?;
        screen.note(format!("{} rows written to {}", table.rows.len(), path.display()));
        if !screen.json() {
            return Ok(ExitCode::SUCCESS);
        }
    }
    let json = || json!({ "rows": table });
    screen.result(json, || String::from_utf8_lossy(&csv).trim_end().to_owned())?;
    Ok(ExitCode::SUCCESS)
}

/// The series asked for.
fn choose(opened: &Applied, only: &[String]) -> Result<Vec<usize>> {
    if only.is_empty() {
        return Ok((0..opened.series.len()).collect());
    }
    let find = |id: &String| {
        opened.index(id).with_context(|| {
            let known: Vec<String> =
                opened.panel.series.iter().map(|series| series.id.clone()).collect();
            format!("no series `{id}`: there are {}", in_words(&known))
        })
    };
    only.iter().map(find).collect()
}

fn csv_of(table: &Rows) -> Result<Vec<u8>> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(&table.columns)?;
    for row in &table.rows {
        writer.write_record(row.cells())?;
    }
    Ok(writer.into_inner()?)
}

fn anomalies(opened: &Applied, chosen: &[usize], share: f64, screen: &Screen) -> Result<Rows> {
    let table = Rows::of_anomalies(opened, chosen, share)?;
    let flagged = table.rows.iter().filter(|row| row.said[2] > 0.0).count();
    let all = table.rows.iter().filter(|r| !r.observed[0].is_nan() && !r.said[0].is_nan()).count();
    screen.note(format!(
        "{flagged} of {all} observations lie outside the central {}% interval of the forecast one \
         step before",
        short(100.0 * share)
    ));
    Ok(table)
}

fn draw(opened: &Applied, forecasts: &[Answer], path: &Path, screen: &Screen) -> Result<()> {
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
