//! `gruvy demo text`: a network learns to write tales, while you watch.

use super::generate::write_sample;
use crate::screen::{Screen, me};
use crate::{stop, training};
use anyhow::Result;
use gruvy::settings::TaskConfig;
use gruvy::text::{TextConfig, TextRun};
use gruvy::train::{RunFolder, TrainConfig, untrained};
use gruvy_runtime::model::ModelFile;
use gruvy_runtime::text::{Sampling, TextModel};
use serde_json::json;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};

/// Where the demo's run lies; the next demo replaces it.
const FOLDER: &str = "runs/demo";
/// What both samples go on from.
const PROMPT: &str = "Once there was a ";
/// Tokens of a sample.
const LENGTH: usize = 400;
/// How both samples are drawn, but for the seed.
const TEMPERATURE: f64 = 0.5;

/// Runs the demo.
///
/// # Errors
/// When the run folder cannot be written.
pub fn run(seed: Option<u64>, screen: &Screen) -> Result<ExitCode> {
    let settings = settings(seed);
    let task = TextConfig::load(settings.clone())?;
    let folder = RunFolder::create(FOLDER, settings.to_toml()?, true)?;
    let stop = stop::on_ctrl_c()?;
    let sampling =
        Sampling { temperature: TEMPERATURE, seed: settings.train.seed, ..Sampling::default() };
    let sample = |title: &str, model: ModelFile| -> Result<String> {
        screen.note(format!("\n{title}\n"));
        let model = TextModel::from_file(&model)?;
        // A training that was stopped still shows what it has learned.
        let go_on = AtomicBool::new(false);
        Ok(write_sample(&model, &sampling, PROMPT, LENGTH, screen.json(), &go_on)?.text)
    };

    screen.note(format!(
        "A small network learns to write tales, character by character, from those that come with \
         gruvy.\n\
         The run goes to {FOLDER}, where it replaces the last demo. Ctrl-C ends it early."
    ));
    let before = sample("Before training it writes:", untrained(&task, &settings.train)?)?;
    screen.note("");
    let outcome = training::work(&settings, &folder, &stop, screen)?;
    let after = sample("After training it writes:", ModelFile::read(folder.model_path())?)?;
    let (curves, gruvy) = (folder.curves_path(), me());
    if screen.json() {
        let json = json!({
            "prompt": PROMPT, "before": before, "after": after,
            "run": folder.path(), "curves": curves, "outcome": outcome,
        });
        screen.result(|| json, String::new)?;
    }
    if let Some(test) = &outcome.test {
        screen.note(format!(
            "\nOn tales it has never seen: {}",
            training::metrics_in_words(TextConfig::METRICS, test)
        ));
    }
    if stop.load(Ordering::Relaxed) {
        screen.note(format!("\nStopped early; go on with: {gruvy} train --resume {FOLDER}"));
    }
    screen.note(format!(
        "How it learned: {}\n\nTry next:\n  \
         {gruvy} generate {FOLDER} --prompt \"The old woman \" --temperature 0.4\n  \
         {gruvy} train text YOUR_FILE.txt\n  \
         {gruvy} info {FOLDER}",
        curves.display()
    ));
    Ok(ExitCode::SUCCESS)
}

/// Settings for so little text: much held back by dropout and weight decay, a network that learns
/// for about a minute. Of the settings tried (256 to 512 units, one and two layers, dropout 0.1 to
/// 0.6) these gave the least validation loss, but for one that took nearly twice as long for 0.002
/// nats less.
fn settings(seed: Option<u64>) -> TextRun {
    let mut settings = TextRun::default();
    let defaults = settings.train;
    settings.train = TrainConfig {
        hidden: 384,
        dropout: 0.5,
        batch: 16,
        epochs: 12,
        weight_decay: 0.1,
        ema: 0.98,
        eval_every: 36,
        seed: seed.unwrap_or(defaults.seed),
        ..defaults
    };
    settings
}
