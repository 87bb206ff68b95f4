//! `gruvy demo speech`: a network learns to write down synthetic sentences.

use super::in_words;
use crate::screen::{Screen, me};
use crate::{stop, training};
use anyhow::Result;
use gruvy::settings::TaskConfig;
use gruvy::speech::{Recordings, SpeechConfig, SpeechRun, judge, picture};
use gruvy::train::{Part, RunFolder};
use gruvy_runtime::model::write_atomic;
use gruvy_runtime::speech::Transcriber;
use serde_json::json;
use std::process::ExitCode;
use std::sync::atomic::Ordering;

/// Where the demo's run lies; the next demo replaces it.
const FOLDER: &str = "runs/demo-speech";

/// Runs the demo.
///
/// # Errors
/// When the run folder cannot be written.
pub fn run(seed: Option<u64>, screen: &Screen) -> Result<ExitCode> {
    let settings = settings(seed);
    let folder = RunFolder::create(FOLDER, settings.to_toml()?, true)?;
    let stop = stop::on_ctrl_c()?;
    screen.note(format!(
        "A small network learns to write down sentences of eight made-up words. Their sound is \
         synthetic: it was computed, and nobody spoke it.\n\
         The run goes to {FOLDER}, where it replaces the last demo. Ctrl-C ends it early.\n"
    ));
    let outcome = training::work(&settings, &folder, &stop, screen)?;
    let task = SpeechConfig::load(settings.clone())?;
    let transcriber = Transcriber::open(folder.model_path())?;
    let (recordings, test) = (&task.data().recordings, task.data().part(Part::Test));
    let judged = judge(&transcriber, recordings, test, &Default::default())?;
    let mut drawn = None;
    if let (Recordings::Sound(all), Some(first)) = (recordings, test.first()) {
        let (one, heard) = (&all[*first], &judged.all[0].heard);
        let path = folder.path().join("spectrogram.png");
        let title = format!("said: {}   ·   heard: {}", one.text, heard.text);
        write_atomic(&path, &picture(&one.audio, heard, &title)?)?;
        drawn = Some((path, one.text.clone(), heard.text.clone()));
    }
    let words = || {
        let shown = drawn.as_ref().map_or(String::new(), |(path, said, heard)| {
            let path = path.display();
            format!("\nsaid:  {said}\nheard: {heard}\nspectrogram with the words: {path}")
        });
        format!("\nSentences that it has never heard: {}{shown}", in_words(&judged))
    };
    screen.result(
        || {
            json!({
                "run": folder.path(), "outcome": outcome, "wer": judged.words().rate(),
                "spectrogram": drawn.as_ref().map(|(path, ..)| path),
            })
        },
        words,
    )?;
    let gruvy = me();
    if stop.load(Ordering::Relaxed) {
        screen.note(format!("\nStopped early; go on with: {gruvy} train --resume {FOLDER}"));
    }
    screen.note(format!(
        "\nTry next:\n  \
         {gruvy} data YOUR_RECORDINGS\n  \
         {gruvy} train speech YOUR_LIST.jsonl\n  \
         {gruvy} transcribe RUN YOUR_RECORDING.wav"
    ));
    Ok(ExitCode::SUCCESS)
}

/// Settings for so easy a set.
fn settings(seed: Option<u64>) -> SpeechRun {
    let mut settings = SpeechRun::default();
    settings.train.epochs = 16;
    settings.train.hidden = 96;
    settings.train.ema = 0.95;
    settings.train.seed = seed.unwrap_or(settings.train.seed);
    settings
}
