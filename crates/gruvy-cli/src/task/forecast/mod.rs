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
use anyhow::{Result, bail};
use gruvy::forecast::judge::{fan_png, fan_svg};
use gruvy::forecast::{Anomalies, Applied, Evaluated, ForecastConfig, Rows, short};
use gruvy::settings::TaskConfig;
use gruvy_runtime::{
    forecast::{Forecast as Answer, ForecastCodec, Forecaster},
    model::write_atomic,
};
use serde_json::{Value, json};
use std::path::Path;
use std::process::ExitCode;

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
        let Evaluated { metrics, forecasts } = opened.evaluate(test_steps)?;
        let words = || {
            format!(
                "{}, over {} forecasts of {} steps",
                metrics_in_words(ForecastConfig::METRICS, &metrics),
                thousands(forecasts),
                opened.forecaster.codec().horizon
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
    let chosen = opened.places(&only)?;
    let table = match (paths, flag_anomalies) {
        (Some(count), _) => Rows::of_paths(&opened, &chosen, count)?,
        (_, Some(share)) => anomalies(&opened, &chosen, share, screen)?,
        (None, None) => {
            let forecasts = opened.forecast(&chosen)?;
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

fn csv_of(table: &Rows) -> Result<Vec<u8>> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(&table.columns)?;
    for row in &table.rows {
        writer.write_record(row.cells())?;
    }
    Ok(writer.into_inner()?)
}

fn anomalies(opened: &Applied, chosen: &[usize], share: f64, screen: &Screen) -> Result<Rows> {
    let Anomalies { rows, outside, of } = Anomalies::of(opened, chosen, share)?;
    screen.note(format!(
        "{outside} of {of} observations lie outside the central {}% interval of the forecast one \
         step before",
        short(100.0 * share)
    ));
    Ok(rows)
}

fn draw(opened: &Applied, forecasts: &[Answer], path: &Path, screen: &Screen) -> Result<()> {
    let extension = path.extension().and_then(|e| e.to_str()).unwrap_or_default().to_lowercase();
    let fans = opened.fans(forecasts);
    match extension.as_str() {
        "svg" => write_atomic(path, fan_svg(&fans)?.as_bytes())?,
        "png" => write_atomic(path, &fan_png(&fans)?)?,
        _ => bail!("{}: expected a name that ends in .svg or .png", path.display()),
    }
    let (drawn, all) = (fans.len(), forecasts.len());
    if drawn < all {
        screen.note(format!("the first {drawn} of {all} series drawn: --only chooses others"));
    }
    screen.note(format!("picture: {}", path.display()));
    Ok(())
}
