//! `gruvy compare`: the same work with several cells, one table and one picture.

use crate::args::settings::NewComparison;
use crate::args::{CompareArgs, TaskArgs};
use crate::progress::Progress;
use crate::screen::{Screen, bytes, duration, quoted, thousands};
use crate::stop;
use crate::table::{Best, Column, table};
use crate::task::door::Task;
use crate::task::list::{Visit, with};
use crate::training::metrics_in_words;
use anyhow::{Result, bail};
use clap::{ArgMatches, FromArgMatches};
use gruvy::compare::{
    CellReport, CompareConfig, Comparison, INFERENCE_PASSES, INFERENCE_STEPS, Match, Next, Report,
    Spread, Summary,
};
use gruvy::settings::TaskConfig;
use gruvy::train::{Observer, Plan, Record, Step, TrainConfig};
use serde_json::{Value, json};
use std::collections::HashSet;
use std::io::{self, IsTerminal};
use std::path::Path;
use std::process::ExitCode;

/// Where comparisons go unless `--out` says otherwise: below the folder of the runs.
const RUNS: &str = "runs";

/// Runs the subcommand.
///
/// # Errors
/// When a setting makes no sense, the data cannot be read or the folder cannot be written.
pub fn run(args: CompareArgs, seed: Option<u64>, screen: &Screen) -> Result<ExitCode> {
    let TaskArgs { task, matches } = args.task;
    with(task, Compare { matches: &matches, seed, screen })
}

struct Compare<'a> {
    matches: &'a ArgMatches,
    seed: Option<u64>,
    screen: &'a Screen,
}

impl Visit for Compare<'_> {
    type Out = Result<ExitCode>;

    fn visit<T: Task>(self) -> Result<ExitCode> {
        compare(NewComparison::<T>::from_arg_matches(self.matches)?, self.seed, self.screen)
    }
}

fn compare<T: Task>(new: NewComparison<T>, seed: Option<u64>, screen: &Screen) -> Result<ExitCode> {
    let NewComparison { cells, seeds, matching, out, settings } = new;
    if settings.has("cell") {
        bail!("--cell is for a single training; name the cells to compare, as in --cells gru,lstm");
    }
    let settings = settings.settings(seed)?;
    let train = settings.train.clone();
    let out = out.unwrap_or_else(|| Path::new(RUNS).join(format!("compare-{}", settings.name())));
    let config = CompareConfig { cells, seeds, matching };
    let mut comparison = Comparison::open(out, config, settings)?;
    let (stop, mut said) = (stop::on_ctrl_c()?, HashSet::new());
    while let Some(next) = comparison.next() {
        screen.note(announcement(comparison.report(), &next));
        let progress = Progress::new::<T::Config>(*screen, train.max_minutes);
        let mut brief = Brief { progress, verbose: screen.verbose(), said: &mut said };
        if !comparison.train_next(&mut brief, &stop)? {
            break;
        }
        screen.note(result::<T::Config>(comparison.report(), &next));
    }
    screen.result(|| as_json(&comparison), || as_text(&comparison, &train))?;
    Ok(ExitCode::SUCCESS)
}

/// A run among many: its bar, its evaluations only if asked for, and what was said of an earlier
/// run is not said again.
struct Brief<'a> {
    progress: Progress,
    verbose: bool,
    said: &'a mut HashSet<String>,
}

impl Observer for Brief<'_> {
    fn started(&mut self, plan: &Plan) {
        self.progress.started(plan);
    }
    fn note(&mut self, text: &str) {
        if self.said.insert(text.to_owned()) {
            self.progress.note(text);
        }
    }
    fn step(&mut self, step: &Step) {
        self.progress.step(step);
    }
    fn evaluated(&mut self, record: &Record) {
        if self.verbose {
            self.progress.evaluated(record);
        }
    }
    fn saved(&mut self, step: u64) {
        self.progress.saved(step);
    }
}

/// Which run comes, and how long all that are left will take, by those that are done.
fn announcement(report: &Report, next: &Next) -> String {
    let Next { cell, hidden, seed, number, of } = next;
    let done = report.cells.iter().flat_map(|cell| cell.runs.iter().map(|run| run.elapsed_s));
    let left = Spread::of(done).map(|spread| spread.mean * (of - spread.n) as f64);
    let left = left.map_or(String::new(), |left| format!(", about {} left", duration(left)));
    format!("\nrun {number} of {of}: {}, {hidden} units, seed {seed}{left}", cell.name())
}

/// How good the model of a run is that is done.
fn result<C: TaskConfig>(report: &Report, done: &Next) -> String {
    let runs = report.cells.iter().filter(|entry| entry.cell == done.cell).flat_map(|e| &e.runs);
    let run = runs.into_iter().find(|run| run.seed == done.seed);
    match run.map(|run| (&run.diverged, &run.valid)) {
        Some((Some(diverged), _)) => diverged.clone(),
        Some((None, Some(valid))) => format!("validation {}", metrics_in_words(C::METRICS, valid)),
        _ => "done".to_owned(),
    }
}

fn as_json<C: TaskConfig>(comparison: &Comparison<C>) -> Value {
    let mut json = comparison.report().to_json();
    json["report"] = json!(comparison.report_path());
    json["curves"] = json!(comparison.picture_path());
    json
}

/// The tables and what one must know to read them.
fn as_text<C: TaskConfig>(comparison: &Comparison<C>, train: &TrainConfig) -> String {
    let report = comparison.report();
    let decimals = C::METRICS[0].decimals;
    let mut text = String::new();
    let bold = io::stdout().is_terminal();
    for columns in [learning(report, decimals), cost(report)] {
        text.push_str(&table(&columns, bold));
        text.push('\n');
    }
    text.push_str(&notes(report, train).join("\n"));
    for (what, path) in [("curves", comparison.picture_path()), ("all", comparison.report_path())] {
        text.push_str(&format!("\n{what:<8}{}", path.display()));
    }
    if !report.complete() {
        text.push_str(&format!("\nstopped before the end; go on with\n  {}", same_command()));
    }
    text
}

/// A column of what each cell is.
fn plain(report: &Report, title: &str, text: impl Fn(&CellReport) -> String) -> Column {
    let rows = report.cells.iter().map(|cell| (text(cell), None)).collect();
    Column { title: title.to_owned(), best: None, rows }
}

/// A column of a measure, the best of which is marked.
fn judged(
    report: &Report,
    title: impl Into<String>,
    best: Best,
    value: impl Fn(&Summary) -> Option<Spread>,
    text: impl Fn(&Spread) -> String,
) -> Column {
    let row = |cell: &CellReport| match value(&cell.summary()) {
        Some(spread) => (text(&spread), Some(spread.mean)),
        None => ("-".to_owned(), None),
    };
    let rows = report.cells.iter().map(row).collect();
    Column { title: title.into(), best: Some(best), rows }
}

/// How large the models are and how well they learned.
fn learning(report: &Report, decimals: usize) -> Vec<Column> {
    let loss = |spread: &Spread| with_spread(spread, |value| format!("{value:.decimals$}"));
    let part = |name: &str| format!("{name} {}", report.loss);
    vec![
        plain(report, "cell", |cell| cell.cell.name().to_owned()),
        plain(report, "hidden", |cell| thousands(cell.hidden)),
        plain(report, "parameters", |cell| thousands(cell.parameters as usize)),
        judged(report, part("validation"), Best::Least, |all| all.valid.get("loss").copied(), loss),
        judged(report, part("test"), Best::Least, |all| all.test.get("loss").copied(), loss),
    ]
}

/// What they cost.
fn cost(report: &Report) -> Vec<Column> {
    let seconds = |spread: &Spread| {
        let decimals = [100.0, 10.0, 1.0].iter().filter(|v| spread.mean < **v).count();
        with_spread(spread, |value| format!("{value:.decimals$}"))
    };
    let rate = |spread: &Spread| {
        let (unit, letter) = match spread.mean {
            1e6.. => (1e6, "M"),
            1e4.. => (1e3, "k"),
            _ => (1.0, ""),
        };
        let decimals = [100.0, 10.0].iter().filter(|v| spread.mean < **v * unit).count();
        let decimals = if unit > 1.0 { decimals } else { 0 };
        with_spread(spread, |value| format!("{:.decimals$}{letter}", value / unit))
    };
    let rate_of = |title, value: fn(&Summary) -> Option<Spread>| {
        judged(report, title, Best::Most, value, rate)
    };
    let time_of = |title, value: fn(&Summary) -> Option<Spread>| {
        judged(report, title, Best::Least, value, seconds)
    };
    vec![
        plain(report, "cell", |cell| cell.cell.name().to_owned()),
        time_of("s/epoch", |all| all.epoch_s),
        time_of("s to best", |all| all.best_s),
        rate_of(format!("train {}/s", report.unit), |all| all.train_units_per_s),
        rate_of("run steps/s".to_owned(), |all| all.inference_steps_per_s),
        judged(
            report,
            "file",
            Best::Least,
            |all| all.file_bytes,
            |spread| bytes(spread.mean.round() as u64),
        ),
    ]
}

/// `mean ± standard deviation`, or the one value.
fn with_spread(spread: &Spread, text: impl Fn(f64) -> String) -> String {
    match spread.std {
        Some(std) => format!("{} ± {}", text(spread.mean), text(std)),
        None => text(spread.mean),
    }
}

/// What was equal for all, and how it was measured.
fn notes(report: &Report, train: &TrainConfig) -> Vec<String> {
    let first = &report.cells[0];
    let name = first.cell.name();
    let mut notes = vec![match report.matching {
        Match::Parameters => format!(
            "Equal parameters: each hidden size brings the model nearest to {name}'s {}.",
            thousands(report.budget as usize)
        ),
        Match::Hidden => "Equal hidden size; the parameters differ.".to_owned(),
    }];
    notes.push(
        "Each run has the same data, split and batches, and its best model counts.".to_owned(),
    );
    notes.push(format!("Each run ends after {}.", limits(train)));
    match &report.seeds[..] {
        [only] => notes.push(format!("One seed ({only}), so no spread: --seeds 3 shows it.")),
        seeds => notes.push(format!(
            "Mean ± standard deviation over {} seeds ({} to {}).",
            seeds.len(),
            seeds[0],
            seeds[seeds.len() - 1]
        )),
    }
    notes.push(
        "Times and training speed are of optimizer steps alone, without evaluation.".to_owned(),
    );
    notes.push(format!(
        "run steps/s: one sequence, step by step; median of {INFERENCE_PASSES} passes of \
         {INFERENCE_STEPS} steps."
    ));
    for entry in &report.cells {
        let name = entry.cell.name();
        for run in entry.runs.iter().filter(|run| run.diverged.is_some()) {
            let (seed, steps) = (run.seed, thousands(run.steps as usize));
            notes.push(format!(
                "{name}, seed {seed}, diverged after {steps} steps; what it had until then counts."
            ));
        }
        let (done, of) = (entry.runs.len(), report.seeds.len());
        if done < of {
            notes.push(format!("{name}: {done} of {of} runs done."));
        }
    }
    notes
}

/// The stopping rule in words.
fn limits(train: &TrainConfig) -> String {
    let counted = |n: usize, what: &str| match n {
        1 => format!("1 {what}"),
        _ => format!("{n} {what}s"),
    };
    let mut limits = vec![counted(train.epochs, "epoch")];
    if train.max_minutes > 0.0 {
        limits.push(format!("{} min", train.max_minutes));
    }
    if train.patience > 0 {
        limits.push(format!("{} without a better model", counted(train.patience, "evaluation")));
    }
    limits.join(" or ")
}

/// What was typed, so that it can be copied.
fn same_command() -> String {
    std::env::args().map(quoted).collect::<Vec<_>>().join(" ")
}
