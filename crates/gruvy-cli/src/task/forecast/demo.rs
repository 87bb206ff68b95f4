//! `gruvy demo forecast`: a network learns to forecast airline passengers, and is put beside simple
//! methods.

use crate::screen::{Screen, me};
use crate::task::forecast::backtest;
use crate::{stop, training};
use anyhow::Result;
use gruvy::forecast::judge::{fan_png, fan_svg};
use gruvy::forecast::{Applied, ForecastRun};
use gruvy::train::RunFolder;
use gruvy_runtime::{forecast::Forecaster, model::write_atomic};
use serde_json::json;
use std::num::NonZeroUsize;
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
    let folder = RunFolder::create(FOLDER, settings.to_toml()?, true)?;
    let stop = stop::on_ctrl_c()?;
    screen.note(format!(
        "A small network learns to forecast a year of airline passengers from the years before; \
         the last year is held back.\n\
         The run goes to {FOLDER}, where it replaces the last demo. Ctrl-C ends it early.\n"
    ));
    let outcome = training::work(&settings, &folder, &stop, screen)?;

    let forecaster = Forecaster::open(folder.model_path())?;
    let applied = Applied::read(forecaster, &[], |_| Ok(()))?;
    let past = applied.backtest(NonZeroUsize::MIN, None)?;
    let mut fans = applied.fans(&past.forecasts);
    for fan in &mut fans {
        fan.title = "Airline passengers, thousands a month: the year that was held back".to_owned();
    }
    let (svg, png) = (folder.path().join("forecast.svg"), folder.path().join("forecast.png"));
    write_atomic(&svg, fan_svg(&fans)?.as_bytes())?;
    write_atomic(&png, &fan_png(&fans)?)?;

    let gruvy = me();
    let words =
        || format!("\nThe year that was held back:\n{}", backtest::as_text(&past.backtest, screen));
    let whole = || {
        json!({
            "run": folder.path(), "outcome": outcome, "backtest": past.backtest, "picture": svg,
        })
    };
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
