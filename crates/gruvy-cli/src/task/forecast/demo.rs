//! `gruvy demo forecast`: a network learns to forecast airline passengers, and is put beside simple
//! methods.

use crate::screen::{Screen, me};
use crate::task::forecast::backtest;
use crate::{stop, training};
use anyhow::{Context, Result};
use gruvy::forecast::judge::{FanChart, JudgeConfig, Observed, fan_png, fan_svg, judge};
use gruvy::forecast::{ForecastConfig, ForecastRun};
use gruvy::settings::TaskConfig;
use gruvy::train::RunFolder;
use gruvy_runtime::{forecast::Forecaster, model::write_atomic};
use serde_json::json;
use std::process::ExitCode;
use std::sync::atomic::Ordering;

/// Where the demo's run lies; the next demo replaces it.
const FOLDER: &str = "runs/demo-forecast";
/// A year, which is held back.
const HORIZON: usize = 12;

/// Runs the demo.
///
/// # Errors
/// When the run folder cannot be written.
pub fn run(seed: Option<u64>, screen: &Screen) -> Result<ExitCode> {
    let mut settings = ForecastRun::default();
    settings.task.horizon = HORIZON;
    settings.task.test_steps = HORIZON;
    settings.train.seed = seed.unwrap_or(settings.train.seed);
    let task = ForecastConfig::load(settings.clone())?;
    let folder = RunFolder::create(FOLDER, settings.to_toml()?, true)?;
    let stop = stop::on_ctrl_c()?;
    screen.note(format!(
        "A small network learns to forecast a year of airline passengers from the years before; \
         the last year is held back.\n\
         The run goes to {FOLDER}, where it replaces the last demo. Ctrl-C ends it early.\n"
    ));
    let outcome = training::work(&settings, &folder, &stop, screen)?;

    let forecaster = Forecaster::open(folder.model_path())?;
    let panel = task.panel();
    let prepared = forecaster.prepare(panel)?;
    let (series, known) = (&panel.series[0], &prepared[0]);
    let forecast = forecaster
        .forecast(&[(known, series.y.len() - HORIZON)])?
        .pop()
        .context("one window has one forecast")?;
    let config = JudgeConfig { season: forecaster.codec().season, ..JudgeConfig::default() };
    let observed = [Observed { id: &series.id, y: &series.y }];
    let table = judge(&observed, std::slice::from_ref(&forecast), &config)?;
    let label = |step: usize| panel.frequency.written(panel.frequency.at(series.start, step));
    let chart = FanChart {
        title: "Airline passengers, thousands a month: the year that was held back".to_owned(),
        y: &series.y,
        forecast: &forecast,
        season: config.season,
        label: &label,
    };
    let (svg, png) = (folder.path().join("forecast.svg"), folder.path().join("forecast.png"));
    let charts = [chart];
    write_atomic(&svg, fan_svg(&charts)?.as_bytes())?;
    write_atomic(&png, &fan_png(&charts)?)?;

    let gruvy = me();
    let words = || format!("\nThe year that was held back:\n{}", backtest::as_text(&table, screen));
    let whole =
        || json!({ "run": folder.path(), "outcome": outcome, "backtest": table, "picture": svg });
    screen.result(whole, words)?;
    if stop.load(Ordering::Relaxed) {
        screen.note(format!("\nStopped early; go on with: {gruvy} train --resume {FOLDER}"));
    }
    screen.note(format!(
        "\nThe forecast, its intervals and what came: {} and {}\n\nTry next:\n  \
         {gruvy} forecast {FOLDER}\n  \
         {gruvy} train forecast YOUR_TABLE.csv --horizon 12\n  \
         {gruvy} backtest {FOLDER}",
        svg.display(),
        png.display()
    ));
    Ok(ExitCode::SUCCESS)
}
