//! `gruvy demo classify`: a network learns what opinions say, and is put beside a bag of words.

use super::shared as classify;
use crate::screen::{Screen, me};
use crate::{stop, training};
use anyhow::Result;
use gruvy::classify::ClassifyRun;
use gruvy::classify::judge::explanation_text;
use gruvy::train::RunFolder;
use gruvy_runtime::classify::Classifier;
use serde_json::json;
use std::io::{self, IsTerminal};
use std::process::ExitCode;
use std::sync::atomic::Ordering;

/// Where the demo's run lies; the next demo replaces it.
const FOLDER: &str = "runs/demo-classify";
/// What the model is asked about in the end: the same words in another order, which makes another
/// opinion.
const TEXTS: [&str; 2] = [
    "I was told the soup would be dreadful, and it was lovely.",
    "I was told the soup would be lovely, and it was dreadful.",
];

/// Runs the demo.
///
/// # Errors
/// When the run folder cannot be written.
pub fn run(seed: Option<u64>, screen: &Screen) -> Result<ExitCode> {
    let mut settings = ClassifyRun::default();
    settings.train.hidden = 64;
    settings.task.embed = 64;
    settings.train.epochs = 12;
    settings.train.lr = 5e-3;
    settings.train.seed = seed.unwrap_or(settings.train.seed);
    let folder = RunFolder::create(FOLDER, settings.to_toml()?, true)?;
    let stop = stop::on_ctrl_c()?;
    screen.note(format!(
        "A small network learns whether an opinion is positive, neutral or negative, from \
         synthetic ones in which the order \
         of the words matters.\nThe run goes to {FOLDER}, where it replaces the last demo. Ctrl-C \
         ends it early.\n"
    ));
    let (outcome, task) = training::work_with_task(&settings, &folder, &stop, screen)?;
    let report = task.report_run(&folder)?;
    let said = report.as_ref().map(classify::report_in_words).unwrap_or_default();
    let classifier = Classifier::open(folder.model_path())?;
    let explain = |text| classifier.explain(text, None);
    let explained = TEXTS.into_iter().map(explain).collect::<gruvy_runtime::Result<Vec<_>>>()?;
    let words = || {
        let answers = explained
            .iter()
            .map(|one| format!("{} {:.3}  {}", one.label, one.probability, one.text));
        format!(
            "{said}\n\nThe same words, two opinions:\n{}\n\nWhy, word by word:\n{}",
            answers.collect::<Vec<_>>().join("\n"),
            explanation_text(&explained[0], io::stdout().is_terminal())
        )
    };
    screen.result(
        || {
            let answers = explained.iter().map(|one| {
                let p: Vec<f32> = one.all.iter().map(|ranked| ranked.probability).collect();
                json!({ "text": one.text, "label": one.label, "probabilities": p })
            });
            json!({
                "run": folder.path(), "outcome": outcome, "report": report,
                "answers": answers.collect::<Vec<_>>(),
            })
        },
        words,
    )?;
    let gruvy = me();
    if stop.load(Ordering::Relaxed) {
        screen.note(format!("\nStopped early; go on with: {gruvy} train --resume {FOLDER}"));
    }
    screen.note(format!(
        "\nTry next:\n  {gruvy} predict {FOLDER} --text \"The tea was not bad at all.\"\n  \
         {gruvy} explain {FOLDER} --text \"Nobody could call the room lovely.\" --out \
         explained.html\n  \
         {gruvy} train classify YOUR_TABLE.csv"
    ));
    Ok(ExitCode::SUCCESS)
}
