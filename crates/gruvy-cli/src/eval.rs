//! `gruvy eval`: how well a model predicts a text.

use crate::args::EvalArgs;
use crate::model::TextModel;
use crate::screen::{Screen, thousands};
use anyhow::Result;
use gruvy::tasks::text::{Corpus, TextConfig, TextRun};
use gruvy::tasks::{DataConfig, Split};
use gruvy_runtime::{TextUnit, evaluate_text};
use serde_json::json;
use std::path::PathBuf;
use std::process::ExitCode;

/// Runs the subcommand.
///
/// # Errors
/// When the model or the data cannot be read, or the data are too short.
pub fn run(args: &EvalArgs, screen: &Screen) -> Result<ExitCode> {
    let model = TextModel::open(&args.model)?;
    let text = last_part(&args.data, model.codec.unit(), args.last, screen)?;
    let metrics = evaluate_text(&model.network, &model.codec, text)?;
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
    )?;
    Ok(ExitCode::SUCCESS)
}

/// The last `percent` of the data, cut where a training with such a test part cuts.
fn last_part(data: &[PathBuf], unit: TextUnit, percent: f64, screen: &Screen) -> Result<Vec<u8>> {
    let split = Split { train: 100.0 - percent, valid: 0.0, test: percent };
    let task = TextConfig { unit, split, ..TextConfig::default() };
    let data = DataConfig { paths: data.to_vec() };
    let corpus = Corpus::load(&TextRun { task, data, ..TextRun::default() })?;
    corpus.notes.iter().for_each(|note| screen.note(note));
    Ok(corpus.test)
}
