//! `gruvy train`: a new run, or one that goes on.

use crate::args::{
    AddingFlags, ClassifyFlags, CopyFlags, ForecastFlags, NewRun, TaskFlags, TextFlags, TrainArgs,
    TrainTask,
};
use crate::input;
use crate::progress::Progress;
use crate::screen::{Screen, duration, me, thousands};
use crate::stop;
use crate::task::classify;
use anyhow::{Result, bail};
use gruvy::settings::{Metric, RunSettings, TaskConfig, task_of};
use gruvy::train::{Ended, FolderLock, Metrics, Outcome, RunFolder, train};
use gruvy_runtime::TaskName;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};

/// Where runs go unless `--out` says otherwise.
const RUNS: &str = "runs";

/// Runs the subcommand.
///
/// # Errors
/// When a setting makes no sense, the data cannot be read or the run folder cannot be written.
pub fn run(args: TrainArgs, seed: Option<u64>, screen: &Screen) -> Result<ExitCode> {
    let TrainArgs { resume, task } = args;
    match task {
        Some(TrainTask::Text(new)) => go(resume, Some(*new), seed, screen),
        Some(TrainTask::Forecast(new)) => match new.settings.task.ensemble {
            0 | 1 => go(resume, Some(*new), seed, screen),
            members => ensemble(*new, members, seed, screen),
        },
        Some(TrainTask::Classify(new)) => match (new.settings.task.folds, new.settings.task.fold) {
            (Some(folds), None) if folds > 1 && resume.is_none() => {
                classify::folds(*new, folds, seed, screen)
            }
            _ => go(resume, Some(*new), seed, screen),
        },
        Some(TrainTask::Adding(new)) => go(resume, Some(*new), seed, screen),
        Some(TrainTask::Copy(new)) => go(resume, Some(*new), seed, screen),
        None => match resume {
            Some(folder) => match task_of_run(&folder)? {
                TaskName::Text => go::<TextFlags>(Some(folder), None, seed, screen),
                TaskName::Forecast => go::<ForecastFlags>(Some(folder), None, seed, screen),
                TaskName::Classify => go::<ClassifyFlags>(Some(folder), None, seed, screen),
                TaskName::Adding => go::<AddingFlags>(Some(folder), None, seed, screen),
                TaskName::Copy => go::<CopyFlags>(Some(folder), None, seed, screen),
            },
            None => bail!(
                "what should be learned? `gruvy train text FILE` trains on a file, `gruvy train text` on \
                 the embedded tales, `gruvy train --resume RUN` goes on with a run"
            ),
        },
    }
}

/// Trains one task: a new run, or the run in the folder `resume`.
fn go<F: TaskFlags>(
    resume: Option<PathBuf>,
    new: Option<NewRun<F>>,
    seed: Option<u64>,
    screen: &Screen,
) -> Result<ExitCode> {
    let (settings, folder) = match (resume, new) {
        (Some(folder), new) => go_on(&folder, new, seed)?,
        (None, Some(new)) => start(new, seed)?,
        (None, None) => bail!("a run needs settings or a folder to go on in"),
    };
    screen.note(format!("run folder {}", folder.path().display()));
    let stop = stop::on_ctrl_c()?;
    let (outcome, task) = work_with_task(&settings, &folder, &stop, screen)?;
    let (more, said) = F::report(&task, &folder, screen)?;
    let json = || {
        let mut json = as_json(&folder, &outcome);
        json["report"] = more;
        json
    };
    screen.result(json, || as_text::<F>(&folder, &outcome, &said))?;
    Ok(ExitCode::SUCCESS)
}

/// The folder of one of several runs: a new one, or one with these settings to go on in.
///
/// # Errors
/// When it holds a run of other settings, or cannot be written.
pub fn one_of_several<C: TaskConfig>(
    path: &Path,
    settings: &RunSettings<C>,
    force: bool,
) -> Result<RunFolder> {
    let (file, toml) = (RunFolder::settings_path(path), settings.to_toml()?);
    if force || !file.exists() {
        return Ok(RunFolder::create(path, toml, force)?);
    }
    if RunSettings::<C>::read(&file)?.to_toml()? != toml {
        bail!("{} has other settings: --force replaces it and those beside it", file.display());
    }
    Ok(RunFolder::resume(path, toml)?)
}

/// Trains models that differ in their seed, in folders `1`, `2`, … of one. Members that are there are gone on with, or left as they
/// are where they are done.
fn ensemble<F: TaskFlags>(
    new: NewRun<F>,
    members: u64,
    seed: Option<u64>,
    screen: &Screen,
) -> Result<ExitCode> {
    let settings = new.settings.settings(seed)?;
    let lock = own_folder(new.out, &settings.name())?;
    let out = lock.path();
    let stop = stop::on_ctrl_c()?;
    let mut outcomes = Vec::new();
    for member in 1..=members {
        let mut settings = settings.clone();
        settings.train.seed += member - 1;
        let path = out.join(member.to_string());
        let folder = one_of_several(&path, &settings, new.force)?;
        screen.note(format!("\nmember {member} of {members}: run folder {}", path.display()));
        outcomes.push(work(&settings, &folder, &stop, screen)?);
        if stop.load(Ordering::Relaxed) {
            screen.note("stopped; the same command goes on");
            break;
        }
    }
    let [verb, command] = F::USE;
    let words = || {
        let losses = outcomes.iter().filter_map(|outcome| outcome.valid.as_ref()?.get("loss"));
        let losses: Vec<String> = losses.map(|loss| format!("{loss:.4}")).collect();
        format!(
            "{} of {members} members, validation loss {}\n{verb:<11} {} {command} {}",
            outcomes.len(),
            losses.join(", "),
            me(),
            out.display()
        )
    };
    screen.result(|| json!({ "ensemble": out, "outcomes": outcomes }), words)?;
    Ok(ExitCode::SUCCESS)
}

/// Trains, with everything that a person should see on the way.
///
/// # Errors
/// As [`TaskConfig::load`] and [`train`].
pub fn work<C: TaskConfig>(
    settings: &RunSettings<C>,
    folder: &RunFolder,
    stop: &AtomicBool,
    screen: &Screen,
) -> Result<Outcome> {
    Ok(work_with_task(settings, folder, stop, screen)?.0)
}

/// As [`work`]; gives the task too.
///
/// # Errors
/// As [`work`].
pub fn work_with_task<C: TaskConfig>(
    settings: &RunSettings<C>,
    folder: &RunFolder,
    stop: &AtomicBool,
    screen: &Screen,
) -> Result<(Outcome, C::Task)> {
    let mut settings = settings.clone();
    input::attach(&mut settings.data)?;
    let task = C::load(settings.clone())?;
    let mut progress = Progress::new::<C>(*screen, settings.train.max_minutes);
    let outcome = train(&task, &settings.train, folder, &mut progress, stop)?;
    Ok((outcome, task))
}

/// A new run, and a folder for it.
fn start<F: TaskFlags>(
    new: NewRun<F>,
    seed: Option<u64>,
) -> Result<(RunSettings<F::Config>, RunFolder)> {
    let settings = new.settings.settings(seed)?;
    let lock = own_folder(new.out, &settings.name())?;
    let folder = RunFolder::create_locked(lock, settings.to_toml()?, new.force)?;
    Ok((settings, folder))
}

/// The task of the run in a folder.
fn task_of_run(folder: &Path) -> Result<TaskName> {
    // Says that there is no run before the settings say that they cannot be read.
    RunFolder::resume(folder, String::new())?;
    Ok(task_of(&RunFolder::settings_path(folder))?)
}

/// An interrupted run, perhaps with other limits.
fn go_on<F: TaskFlags>(
    path: &Path,
    new: Option<NewRun<F>>,
    seed: Option<u64>,
) -> Result<(RunSettings<F::Config>, RunFolder)> {
    task_of_run(path)?;
    let file = RunFolder::settings_path(path);
    let stored = RunSettings::<F::Config>::read(&file)?;
    let mut settings = stored.clone();
    if let Some(new) = new {
        let elsewhere = new.out.is_some() || new.settings.config.is_some() || new.force;
        new.settings.apply(seed, &mut settings);
        let mut same = settings.clone();
        same.train.epochs = stored.train.epochs;
        same.train.max_minutes = stored.train.max_minutes;
        same.train.patience = stored.train.patience;
        if elsewhere || same != stored {
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

/// The folder `out`, or else a new one under `runs/` of that name, perhaps with a number, locked.
///
/// # Errors
/// When it cannot be made, or somebody writes into it.
pub fn own_folder(out: Option<PathBuf>, name: &str) -> Result<FolderLock> {
    Ok(match out {
        Some(out) => FolderLock::take(out)?,
        None => FolderLock::take_new(Path::new(RUNS), name)?,
    })
}

fn as_json(folder: &RunFolder, outcome: &Outcome) -> Value {
    json!({
        "run": folder.path(),
        "model": folder.model_path(),
        "curves": folder.curves_path(),
        "outcome": outcome,
    })
}

/// How it ended, how good the model is, what more is said of it, where things are, and what can be done with them.
fn as_text<F: TaskFlags>(folder: &RunFolder, outcome: &Outcome, said: &str) -> String {
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
            lines.push(format!("{part:<11} {}", metrics_in_words(F::Config::METRICS, metrics)));
        }
    }
    if !said.is_empty() {
        lines.push(said.to_owned());
    }
    lines.push(format!("model       {}", folder.model_path().display()));
    lines.push(format!("curves      {}", folder.curves_path().display()));
    if matches!(outcome.ended, Ended::Time | Ended::Stopped) {
        lines.push(format!("go on       {gruvy} train --resume {run}"));
    }
    let [verb, command] = F::USE;
    lines.push(format!("{verb:<11} {gruvy} {command} {run}"));
    lines.join("\n")
}

/// Such as `nats 1.512, bits/char 2.181, perplexity 4.54`.
pub fn metrics_in_words(shown: &[Metric], metrics: &Metrics) -> String {
    let words = shown.iter().filter_map(|Metric { name, title, decimals }| {
        Some(format!("{title} {:.decimals$}", metrics.get(*name)?))
    });
    words.collect::<Vec<_>>().join(", ")
}
