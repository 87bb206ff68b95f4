//! `gruvy train`: a new run, or one that goes on.

use crate::args::{TextArgs, TrainArgs, TrainTask};
use crate::progress::Progress;
use crate::screen::{Screen, duration, me, thousands};
use crate::stop;
use anyhow::{Result, bail};
use gruvy::tasks::text::{TextRun, TextTask};
use gruvy::train::{Ended, Metrics, Outcome, RunFolder, train};
use serde_json::{Value, json};
use std::path::{Path, PathBuf, absolute};
use std::process::ExitCode;
use std::sync::atomic::AtomicBool;

/// Where runs go unless `--out` says otherwise.
const RUNS: &str = "runs";
/// The name of stdin among the data.
const STDIN: &str = "-";

/// Runs the subcommand.
///
/// # Errors
/// When a setting makes no sense, the data cannot be read or the run folder cannot be written.
pub fn run(args: TrainArgs, seed: Option<u64>, screen: &Screen) -> Result<ExitCode> {
    let text = args.task.map(|TrainTask::Text(text)| *text);
    let (settings, folder) = match (args.resume, text) {
        (Some(folder), text) => resume(&folder, text, seed)?,
        (None, Some(text)) => start(text, seed)?,
        (None, None) => bail!(
            "what should be learned? `gruvy train text FILE` trains on a file, `gruvy train text` on the \
             embedded tales, `gruvy train --resume RUN` goes on with a run"
        ),
    };
    let task = TextTask::load(settings.clone())?;
    screen.note(format!("run folder {}", folder.path().display()));
    let stop = stop::on_ctrl_c()?;
    let outcome = work(&task, &settings, &folder, &stop, screen)?;
    screen.result(|| as_json(&folder, &outcome), || as_text(&folder, &outcome))?;
    Ok(ExitCode::SUCCESS)
}

/// Trains, with everything that a person should see on the way.
///
/// # Errors
/// As [`train`].
pub fn work(
    task: &TextTask,
    settings: &TextRun,
    folder: &RunFolder,
    stop: &AtomicBool,
    screen: &Screen,
) -> Result<Outcome> {
    let mut progress = Progress::new(*screen, settings.train.max_minutes);
    Ok(train(task, &settings.train, folder, &mut progress, stop)?)
}

/// A new run: `--config`, flags on top, and a folder for it.
fn start(args: TextArgs, seed: Option<u64>) -> Result<(TextRun, RunFolder)> {
    let mut settings = match &args.config {
        Some(path) => TextRun::read(path)?,
        None => TextRun::default(),
    };
    args.text.apply(&mut settings.text);
    args.train.apply(&mut settings.train);
    if let Some(seed) = seed {
        settings.train.seed = seed;
    }
    if !args.data.is_empty() {
        settings.data.paths = args.data;
    }
    settings.check()?;
    make_absolute(&mut settings)?;
    let out = args.out.unwrap_or_else(|| free_name(&settings.data.paths));
    let folder = RunFolder::create(&out, settings.to_toml()?, args.force)?;
    Ok((settings, folder))
}

/// An interrupted run, perhaps with other limits.
fn resume(path: &Path, args: Option<TextArgs>, seed: Option<u64>) -> Result<(TextRun, RunFolder)> {
    let file = RunFolder::settings_path(path);
    // Says that there is no run before the settings say that they cannot be read.
    RunFolder::resume(path, String::new())?;
    let stored = TextRun::read(&file)?;
    let mut settings = stored.clone();
    if let Some(args) = args {
        let elsewhere = args.out.is_some() || args.config.is_some() || args.force;
        args.text.apply(&mut settings.text);
        args.train.apply(&mut settings.train);
        settings.train.seed = seed.unwrap_or(settings.train.seed);
        let mut same = settings.clone();
        same.train.epochs = stored.train.epochs;
        same.train.max_minutes = stored.train.max_minutes;
        same.train.patience = stored.train.patience;
        if elsewhere || !args.data.is_empty() || same != stored {
            bail!(
                "--resume takes the settings from {}: only --epochs, --max-minutes and --patience can be \
                 given anew; start a new run for the rest",
                file.display()
            );
        }
        settings.check()?;
    }
    let folder = RunFolder::resume(path, settings.to_toml()?)?;
    Ok((settings, folder))
}

/// The run folder remembers where the data are, and may be resumed from another place.
fn make_absolute(settings: &mut TextRun) -> Result<()> {
    let text = &mut settings.text;
    let paths = settings.data.paths.iter_mut().chain(&mut text.valid).chain(&mut text.test);
    for path in paths.filter(|path| path.as_os_str() != STDIN) {
        *path = absolute(&path)?;
    }
    Ok(())
}

/// A folder under `runs/` that does not exist yet, named after the first of the data.
fn free_name(data: &[PathBuf]) -> PathBuf {
    let name = match data.first() {
        None => "tales".to_owned(),
        Some(path) if path.as_os_str() == STDIN => "stdin".to_owned(),
        Some(path) => {
            path.file_stem().map_or("text".to_owned(), |stem| stem.to_string_lossy().into_owned())
        }
    };
    let first = Path::new(RUNS).join(&name);
    let numbered = (2..).map(|n| Path::new(RUNS).join(format!("{name}-{n}")));
    std::iter::once(first).chain(numbered).find(|path| !path.exists()).expect("numbers do not end")
}

fn as_json(folder: &RunFolder, outcome: &Outcome) -> Value {
    json!({
        "run": folder.path(),
        "model": folder.model_path(),
        "curves": folder.curves_path(),
        "outcome": outcome,
    })
}

/// How it ended, how good the model is, where things are, and what can be done with them.
fn as_text(folder: &RunFolder, outcome: &Outcome) -> String {
    let (run, gruvy) = (folder.path().display(), me());
    let how = match outcome.ended {
        Ended::Epochs => "finished",
        Ended::Patience => "finished early, as validation no longer improved",
        Ended::Time => "stopped by --max-minutes",
        Ended::Stopped => "stopped",
        _ => "ended",
    };
    let steps = thousands(outcome.steps as usize);
    let mut lines = vec![format!("{how} after {steps} steps, {}", duration(outcome.elapsed_s))];
    let parts = [("validation", &outcome.valid), ("test", &outcome.test)];
    for (part, metrics) in parts {
        if let Some(metrics) = metrics {
            lines.push(format!("{part:<11} {}", metrics_in_words(metrics)));
        }
    }
    lines.push(format!("model       {}", folder.model_path().display()));
    lines.push(format!("curves      {}", folder.curves_path().display()));
    if matches!(outcome.ended, Ended::Time | Ended::Stopped) {
        lines.push(format!("go on       {gruvy} train --resume {run}"));
    }
    lines.push(format!("write       {gruvy} generate {run}"));
    lines.join("\n")
}

/// Such as `1.512 nats, 2.181 bits per character, perplexity 4.54`.
pub fn metrics_in_words(metrics: &Metrics) -> String {
    let value = |name| metrics.get(name).copied().unwrap_or(f64::NAN);
    format!(
        "{:.3} nats, {:.3} bits per character, perplexity {:.2}",
        value("loss"),
        value("bits_per_char"),
        value("perplexity")
    )
}
