//! `gruvy demo music`: a network learns traditional tunes, and makes one of its own.

use super::compose::{self, Made};
use super::flags::PreviewFlags;
use crate::screen::{Screen, me};
use crate::{stop, training};
use anyhow::Result;
use gruvy::music::{ComposeConfig, ComposeLength, MusicRun};
use gruvy::train::RunFolder;
use gruvy_runtime::music::Composer;
use serde_json::json;
use std::process::ExitCode;
use std::sync::atomic::Ordering;

/// Where the demo's run lies; the next demo replaces it.
const FOLDER: &str = "runs/demo-music";

/// Runs the demo.
///
/// # Errors
/// When the run folder cannot be written.
pub fn run(seed: Option<u64>, screen: &Screen) -> Result<ExitCode> {
    let settings = settings(seed);
    let folder = RunFolder::create(FOLDER, settings.to_toml()?, true)?;
    let stop = stop::on_ctrl_c()?;
    screen.note(format!(
        "A small network learns a few dozen traditional tunes, and then makes one of its own.\n\
         The run goes to {FOLDER}, where it replaces the last demo. Ctrl-C ends it early.\n"
    ));
    let outcome = training::work(&settings, &folder, &stop, screen)?;
    let composer = Composer::open(folder.model_path())?;
    let how = ComposeConfig { temperature: 0.8, ..ComposeConfig::default() };
    let steps = ComposeLength::default().steps(&composer.codec().blank())?;
    let composing = how.composing(steps, settings.train.seed)?;
    let made = composer.compose(None, &composing)?;
    let out = folder.path().join("composition.mid");
    let made = Made::of(&made, settings.train.seed);
    let (composition, words) = compose::write(&made, &out, &PreviewFlags::default())?;
    screen.result(
        || json!({ "run": folder.path(), "outcome": outcome, "composition": composition }),
        || format!("\nA tune of its own: {words}"),
    )?;
    let gruvy = me();
    if stop.load(Ordering::Relaxed) {
        screen.note(format!("\nStopped early; go on with: {gruvy} train --resume {FOLDER}"));
    }
    screen.note(format!(
        "\nTry next:\n  \
         {gruvy} compose {FOLDER} --bars 32 --temperature 0.7\n  \
         {gruvy} data YOUR_MIDI_FILES\n  \
         {gruvy} train music YOUR_MIDI_FILES"
    ));
    Ok(ExitCode::SUCCESS)
}

/// Settings for so little music.
fn settings(seed: Option<u64>) -> MusicRun {
    let mut settings = MusicRun::default();
    let train = &mut settings.train;
    (train.hidden, train.epochs, train.patience) = (128, 240, 0);
    (train.lr, train.ema) = (4e-3, 0.95);
    train.seed = seed.unwrap_or(train.seed);
    settings
}
