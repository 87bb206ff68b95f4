//! `gruvy train`: a new run, or one that goes on.

use crate::args::settings::{Limits, NewRun};
use crate::args::{TaskArgs, TrainArgs};
use crate::input;
use crate::screen::{Screen, duration, me, quoted, thousands};
use crate::stop;
use crate::task::door::{Member, Task};
use crate::task::list::{Visit, with};
use crate::training::{metrics_in_words, work_with_task};
use anyhow::{Context, Result, bail};
use clap::{ArgMatches, FromArgMatches};
use gruvy::Error;
use gruvy::settings::{RunSettings, TaskConfig, task_of};
use gruvy::train::{Ended, FolderLock, Outcome, RunFolder};
use gruvy_runtime::TaskName;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::Ordering;

/// Where runs go unless `--out` says otherwise.
const RUNS: &str = "runs";

/// Runs the subcommand.
///
/// # Errors
/// When a setting makes no sense, the data cannot be read or the run folder cannot be written.
pub fn run(args: TrainArgs, seed: Option<u64>, screen: &Screen) -> Result<ExitCode> {
    let limits = &args.limits;
    match (args.resume, args.task) {
        (None, Some(TaskArgs { task, .. })) if limits.first().is_some() => {
            let limit = limits.first().unwrap_or_default();
            bail!("give the flags of a new run after its task: `gruvy train {task} {limit}`")
        }
        (resume, Some(TaskArgs { task, matches })) => {
            with(task, Train { resume, limits, matches: Some(&matches), seed, screen })
        }
        (Some(folder), None) => {
            let task = task_of_run(&folder)?;
            with(task, Train { resume: Some(folder), limits, matches: None, seed, screen })
        }
        (None, None) => bail!(
            "what should be learned? `gruvy train text FILE` trains on a file, `gruvy train text` \
             on \
             the embedded tales, `gruvy train --resume RUN` goes on with a run"
        ),
    }
}

struct Train<'a> {
    resume: Option<PathBuf>,
    /// What was typed before the task, or without one.
    limits: &'a Limits,
    /// What was typed behind the task.
    matches: Option<&'a ArgMatches>,
    seed: Option<u64>,
    screen: &'a Screen,
}

impl Visit for Train<'_> {
    type Out = Result<ExitCode>;

    fn visit<T: Task>(self) -> Result<ExitCode> {
        let Self { resume, limits, matches, seed, screen } = self;
        let new = matches.map(NewRun::<T>::from_arg_matches).transpose()?;
        let (settings, folder) = match (resume, new) {
            (Some(folder), new) => go_on(&folder, limits, new, seed)?,
            (None, Some(new)) => {
                let mut settings = new.settings.settings(seed)?;
                // Once for all members.
                input::attach(&mut settings.data)?;
                let lock = own_folder(new.out, &settings.name())?;
                let members = T::Config::members(&settings);
                if members.len() > 1 {
                    return several::<T>(&members, lock.path(), new.force, screen);
                }
                let folder = RunFolder::create_locked(lock, settings.to_toml()?, new.force)?;
                (settings, folder)
            }
            (None, None) => bail!("a run needs settings or a folder to go on in"),
        };
        one::<T>(&settings, &folder, screen)
    }
}

/// Trains one model.
fn one<T: Task>(
    settings: &RunSettings<T::Config>,
    folder: &RunFolder,
    screen: &Screen,
) -> Result<ExitCode> {
    screen.note(format!("run folder {}", folder.path().display()));
    let stop = stop::on_ctrl_c()?;
    let (outcome, task) = work_with_task(settings, folder, &stop, screen)?;
    let report = T::report(&task, folder, screen)?;
    let said = report.as_ref().map(T::in_words).unwrap_or_default();
    let json = || {
        let mut json = as_json(folder, &outcome);
        json["report"] = json!(report);
        json["chosen"] = json!(gruvy::train::Task::notes(&task));
        json
    };
    screen.result(json, || as_text::<T>(folder, &outcome, &said))?;
    Ok(ExitCode::SUCCESS)
}

/// Trains models for an ensemble or a cross-validation, in folders `1`, `2`, … of one. Those that
/// are there are gone on with, or left as they are where they are done.
fn several<T: Task>(
    members: &[RunSettings<T::Config>],
    out: &Path,
    force: bool,
    screen: &Screen,
) -> Result<ExitCode> {
    let stop = stop::on_ctrl_c()?;
    let (of, mut done) = (members.len(), Vec::new());
    for (settings, number) in members.iter().zip(1..) {
        let path = out.join(format!("{number}"));
        let replace = || "--force replaces the runs that are there";
        let folder = settings.folder(&path, force).with_context(replace)?;
        let run = path.display();
        screen.note(format!("\n{} {number} of {of}: run folder {run}", T::MEMBER));
        let (outcome, task) = work_with_task(settings, &folder, &stop, screen)?;
        let stopped = stop.load(Ordering::Relaxed);
        let report = if stopped { None } else { T::report(&task, &folder, screen)? };
        done.push(Member { outcome, report });
        if stopped {
            screen.note("stopped; the same command goes on");
            break;
        }
    }
    T::report_all(&done, of, out, screen)?;
    Ok(ExitCode::SUCCESS)
}

/// The task of the run in a folder.
fn task_of_run(folder: &Path) -> Result<TaskName> {
    Ok(task_of(&RunFolder::existing_settings(folder)?)?)
}

/// An interrupted run, perhaps with other limits.
fn go_on<T: Task>(
    path: &Path,
    limits: &Limits,
    new: Option<NewRun<T>>,
    seed: Option<u64>,
) -> Result<(RunSettings<T::Config>, RunFolder)> {
    let file = RunFolder::existing_settings(path)?;
    let stored = RunSettings::<T::Config>::read(&file)?;
    let mut settings = stored.clone();
    limits.apply(&mut settings)?;
    if let Some(new) = new {
        if new.out.is_some() || new.settings.config.is_some() || new.force {
            bail!(
                "--resume takes the settings from {}, and the folder is the run's: leave --out, \
                 --config and --force \
                 out",
                file.display()
            );
        }
        new.settings.apply(seed, &mut settings)?;
    }
    stored
        .check_resume(&settings)
        .with_context(|| format!("--resume takes the settings from {}", file.display()))?;
    let folder = RunFolder::resume(path, settings.to_toml()?)?;
    Ok((settings, folder))
}

/// The folder `out`, or else a new one under `runs/` of that name, perhaps with a number, locked.
fn own_folder(out: Option<PathBuf>, name: &str) -> Result<FolderLock> {
    let taken = match out {
        Some(out) => FolderLock::take(out),
        None => FolderLock::take_new(Path::new(RUNS), name),
    };
    taken.map_err(|error| match error {
        Error::Io { .. } => anyhow::Error::new(error).context("the run (--out chooses its folder)"),
        other => other.into(),
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

/// How it ended, how good the model is, what more is said of it, where things are, and what can be
/// done with them.
fn as_text<T: Task>(folder: &RunFolder, outcome: &Outcome, said: &str) -> String {
    let (run, gruvy) = (quoted(folder.path()), me());
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
            lines.push(format!("{part:<11} {}", metrics_in_words(T::Config::METRICS, metrics)));
        }
    }
    if !said.is_empty() {
        lines.push(said.to_owned());
    }
    lines.push(format!("model       {}", folder.model_path().display()));
    lines.push(format!("curves      {}", folder.curves_path().display()));
    match outcome.ended {
        // The time is that of the whole run.
        Ended::Time => {
            lines.push(format!("go on       {gruvy} train --resume {run} --max-minutes 0"))
        }
        Ended::Stopped => lines.push(format!("go on       {gruvy} train --resume {run}")),
        _ => {}
    }
    let [verb, command] = T::USE;
    lines.push(format!("{verb:<11} {gruvy} {command} {run}"));
    lines.join("\n")
}
