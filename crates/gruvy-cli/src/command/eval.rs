//! `gruvy eval`: how well a model predicts a text, or does its task on sequences made anew.

use crate::args::EvalArgs;
use crate::command::train::metrics_in_words;
use crate::screen::{Screen, thousands};
use crate::task::classify;
use crate::task::forecast::series::{Ask, Opened as Series};
use crate::{input, model};
use anyhow::{Result, bail};
use gruvy::forecast::{ForecastConfig, evaluate};
use gruvy::memory::{AddingConfig, CopyConfig};
use gruvy::settings::{DataConfig, Metric, Split, TaskConfig};
use gruvy::text::{Corpus, TextConfig, TextRun};
use gruvy::train::Metrics;
use gruvy_runtime::{
    Codec,
    forecast::{Forecaster, Prepared},
    memory::{TEST_SEED, evaluate_adding, evaluate_copying},
    model::{ModelFile, Network},
    text::{TextModel, TextUnit},
};
use serde_json::json;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

/// Runs the subcommand.
///
/// # Errors
/// When the model or the data cannot be read, or the data are too short.
pub fn run(args: EvalArgs, seed: Option<u64>, screen: &Screen) -> Result<ExitCode> {
    let model = model::open(&args.model)?.model;
    match model.codec {
        Codec::Text(_) => text(&TextModel::from_file(&model)?, &args, screen)?,
        Codec::Adding(task) => {
            generated(&model, &args, screen, AddingConfig::METRICS, |network| {
                evaluate_adding(network, &task, seed.unwrap_or(TEST_SEED), args.count)
            })?
        }
        Codec::Copy(task) => generated(&model, &args, screen, CopyConfig::METRICS, |network| {
            evaluate_copying(network, &task, seed.unwrap_or(TEST_SEED), args.count)
        })?,
        Codec::Forecast(_) => forecast(args, seed, screen)?,
        Codec::Classify(_) => {
            if args.data.is_empty() {
                bail!(
                    "{} is a classifier: give the labelled items to measure it on",
                    args.model.display()
                );
            }
            classify::eval(&args.model, &args.data, args.examples, args.out.as_deref(), screen)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn text(model: &TextModel, args: &EvalArgs, screen: &Screen) -> Result<()> {
    if args.data.is_empty() {
        bail!("{} is a text model: give the text to measure it on", args.model.display());
    }
    let text = last_part(&args.data, model.codec().unit(), args.last, screen)?;
    let metrics = model.evaluate(text)?;
    screen.result(
        || json!(metrics),
        || {
            format!(
                "{:.4} nats, {:.4} bits per character, perplexity {:.3}, over {} tokens",
                metrics.loss_nats,
                metrics.bits_per_char,
                metrics.perplexity,
                thousands(metrics.tokens as usize)
            )
        },
    )
}

/// A forecast model, at every origin of the last part of each series.
fn forecast(args: EvalArgs, seed: Option<u64>, screen: &Screen) -> Result<()> {
    let EvalArgs { model, data, test_steps, format, .. } = args;
    let ask = Ask { model: &model, data: &data, format, samples: Forecaster::SAMPLES };
    let opened = Series::new(ask, seed, screen)?;
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
        format!("{metrics}, over {} forecasts of {} steps", thousands(windows.len()), codec.horizon)
    };
    screen.result(|| json!(metrics), words)
}

/// A model of a task that makes its own data.
fn generated(
    model: &ModelFile,
    args: &EvalArgs,
    screen: &Screen,
    shown: &[Metric],
    evaluate: impl FnOnce(&Arc<Network>) -> gruvy_runtime::Result<Metrics>,
) -> Result<()> {
    if let Some(data) = args.data.first() {
        bail!(
            "{}: the task `{}` makes its own data: --count and --seed say which",
            data.display(),
            model.task()
        );
    }
    let metrics = evaluate(&Arc::new(Network::new(model)?))?;
    let words = || {
        let metrics = metrics_in_words(shown, &metrics);
        format!("{metrics}, over {} sequences", thousands(args.count as usize))
    };
    screen.result(|| json!(metrics), words)
}

/// The last `percent` of the data, cut where a training with such a test part cuts.
fn last_part(data: &[PathBuf], unit: TextUnit, percent: f64, screen: &Screen) -> Result<Vec<u8>> {
    let split = Split { train: 100.0 - percent, valid: 0.0, test: percent };
    let task = TextConfig { unit, split, ..TextConfig::default() };
    let mut data = DataConfig { paths: data.to_vec(), stdin: None };
    input::attach(&mut data)?;
    let corpus = Corpus::load(&TextRun { task, data, ..TextRun::default() })?;
    corpus.notes.iter().for_each(|note| screen.note(note));
    Ok(corpus.test)
}
