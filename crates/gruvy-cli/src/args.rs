//! What can be typed. Every training flag has the name of its field in the library's settings, and
//! lies on top of what `--config` says.

pub mod common;
pub mod settings;
pub mod values;

use crate::task::classify::flags::{ExplainArgs, PredictArgs};
use crate::task::door::Task;
use crate::task::forecast::flags::{BacktestArgs, ForecastArgs};
use crate::task::list::{Visit, demos, with};
use crate::task::music::flags::{ComposeArgs, HarmonizeArgs};
use crate::task::speech::flags::{AlignArgs, ListenArgs, TranscribeArgs};
use crate::task::text::flags::GenerateArgs;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::parser::ValueSource;
use clap::{ArgAction, ArgMatches, Args, CommandFactory, FromArgMatches, Parser, Subcommand};
use common::Common;
use gruvy::bench::{BenchConfig, Shape};
use gruvy::inspect::ReportConfig;
use gruvy_runtime::{Cell, TaskName};
use settings::{Limits, NewComparison, NewRun, no_task};
use std::collections::BTreeSet;
use std::path::PathBuf;
use values::{cells, one_of};

/// Train gated recurrent networks, and use them.
#[derive(Debug, Parser)]
#[command(
    name = "gruvy",
    version,
    propagate_version = true,
    args_override_self = true,
    after_help = "Start with `gruvy demo`. A MODEL is a run folder or a model file."
)]
pub struct Cli {
    /// Flags of every command.
    #[command(flatten)]
    pub common: Common,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

impl Cli {
    /// What was typed; a wrong line ends the program with its explanation.
    pub fn typed() -> Self {
        // One cell makes no comparison: the flag is there only to be refused with a word on
        // --cells.
        let without_cell = |task: clap::Command| task.mut_arg("cell", |cell| cell.hide(true));
        let command = Self::command()
            .mut_subcommand("compare", |compare| compare.mut_subcommands(without_cell));
        Self::from_arg_matches(&command.get_matches()).unwrap_or_else(|error| error.exit())
    }
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Train a model, or go on training one
    Train(Box<TrainArgs>),
    /// Do the same work with several cells, and show which does it best
    Compare(Box<CompareArgs>),
    /// Write text with a model
    Generate(GenerateArgs),
    /// Give the labels of texts or sequences
    Predict(Box<PredictArgs>),
    /// Show which words of a text moved a classifier's answer
    Explain(ExplainArgs),
    /// Forecast time series with a model
    Forecast(Box<ForecastArgs>),
    /// Compare a model's forecasts with simple methods at several times in the past
    Backtest(Box<BacktestArgs>),
    /// Compose music with a model, from nothing or from a primer
    Compose(Box<ComposeArgs>),
    /// Add voices to a melody with a model
    Harmonize(Box<HarmonizeArgs>),
    /// Transcribe recordings
    Transcribe(Box<TranscribeArgs>),
    /// Find when each word of a known text is said in a recording
    Align(AlignArgs),
    /// Transcribe speech as it is spoken
    Listen(ListenArgs),
    /// Measure a model on other data
    Eval(Box<EvalArgs>),
    /// Show what a model is and how it was trained
    Info(InfoArgs),
    /// See what is in files of data, and what is wrong with them
    Data(DataArgs),
    /// See what a model's gates do on an input, how long its units remember and how far gradients
    /// reach
    Inspect(InspectArgs),
    /// Watch a model learn, in under three minutes
    Demo(DemoArgs),
    /// Measure how fast the recurrent kernels are on this machine
    Bench(BenchArgs),
}

/// `gruvy train`
#[derive(Debug, Args)]
#[command(subcommand_value_name = "TASK", subcommand_help_heading = "Tasks")]
pub struct TrainArgs {
    /// Go on with an interrupted run; its settings are taken from its run.toml
    #[arg(long, global = true, value_name = "RUN")]
    pub resume: Option<PathBuf>,
    /// What may change when a run goes on.
    #[command(flatten)]
    pub limits: Limits,
    /// What to learn.
    #[command(subcommand)]
    pub task: Option<TrainTask>,
}

/// A task, and what was typed behind it.
#[derive(Clone, Debug)]
pub struct TaskArgs<const COMPARE: bool> {
    /// The task.
    pub task: TaskName,
    /// What was typed.
    pub matches: ArgMatches,
}

/// The task of `gruvy train`.
pub type TrainTask = TaskArgs<false>;
/// The task of `gruvy compare`.
pub type CompareTask = TaskArgs<true>;

/// The subcommand of a task.
struct TaskCommand {
    compare: bool,
}

impl Visit for TaskCommand {
    type Out = clap::Command;

    fn visit<T: Task>(self) -> clap::Command {
        let command = clap::Command::new(<T::Config as gruvy::settings::TaskConfig>::TASK.name());
        let command = match self.compare {
            true => NewComparison::<T>::augment_args(command),
            false => NewRun::<T>::augment_args(command),
        };
        command.about(T::ABOUT).args_override_self(true)
    }
}

impl<const COMPARE: bool> Subcommand for TaskArgs<COMPARE> {
    fn augment_subcommands(command: clap::Command) -> clap::Command {
        command.subcommands(TaskName::ALL.map(|task| with(task, TaskCommand { compare: COMPARE })))
    }

    fn augment_subcommands_for_update(command: clap::Command) -> clap::Command {
        Self::augment_subcommands(command)
    }

    fn has_subcommand(name: &str) -> bool {
        TaskName::from_name(name).is_some()
    }
}

impl<const COMPARE: bool> FromArgMatches for TaskArgs<COMPARE> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let (name, matches) = matches.subcommand().ok_or_else(no_task)?;
        let task = TaskName::from_name(name).ok_or_else(no_task)?;
        Ok(Self { task, matches: matches.clone() })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// `gruvy compare`
#[derive(Debug, Args)]
#[command(subcommand_value_name = "TASK", subcommand_help_heading = "Tasks")]
pub struct CompareArgs {
    /// What to learn.
    #[command(subcommand)]
    pub task: CompareTask,
}

/// `gruvy eval`: what every task has, and the flags of all; which belong to the model's task shows
/// when it is opened.
#[derive(Clone, Debug)]
pub struct EvalArgs {
    /// Run folder or model file.
    pub model: PathBuf,
    /// What to measure it on.
    pub data: Vec<PathBuf>,
    /// What was typed.
    matches: ArgMatches,
}

/// Adds the flags of a task's models.
struct EvalFlags(clap::Command);

impl Visit for EvalFlags {
    type Out = clap::Command;

    fn visit<T: Task>(self) -> clap::Command {
        let own = T::Eval::augment_args(clap::Command::new(""));
        let known: BTreeSet<String> =
            self.0.get_arguments().map(|flag| flag.get_id().to_string()).collect();
        // Several tasks may share a flag.
        let new = own.get_arguments().filter(|flag| !known.contains(flag.get_id().as_str()));
        self.0.args(new.cloned().collect::<Vec<_>>())
    }
}

/// Adds what `gruvy eval` takes for the models of any task.
fn every_eval_flag(command: clap::Command) -> clap::Command {
    TaskName::ALL.into_iter().fold(command, |command, task| with(task, EvalFlags(command)))
}

impl EvalArgs {
    /// The flags of a task's models.
    ///
    /// # Errors
    /// For a flag of another task.
    pub fn of<T: Task>(&self) -> anyhow::Result<T::Eval> {
        let own = T::Eval::augment_args(clap::Command::new(""));
        let own: Vec<&clap::Arg> = own.get_arguments().collect();
        let all = every_eval_flag(clap::Command::new(""));
        let foreign = all.get_arguments().map(clap::Arg::get_id).find(|id| {
            self.matches.value_source(id.as_str()) == Some(ValueSource::CommandLine)
                && !own.iter().any(|flag| flag.get_id() == *id)
        });
        if let Some(id) = foreign {
            let known: Vec<String> =
                own.iter().filter_map(|flag| Some(format!("--{}", flag.get_long()?))).collect();
            anyhow::bail!(
                "--{} has no meaning for {}, a model of the task `{}`, which takes {}",
                id.as_str().replace('_', "-"),
                self.model.display(),
                <T::Config as gruvy::settings::TaskConfig>::TASK,
                known.join(", ")
            );
        }
        Ok(T::Eval::from_arg_matches(&self.matches)?)
    }
}

impl Args for EvalArgs {
    fn augment_args(command: clap::Command) -> clap::Command {
        let path = || clap::value_parser!(PathBuf);
        let model = clap::Arg::new("model").value_name("MODEL").required(true);
        let data = clap::Arg::new("data").value_name("DATA").num_args(0..);
        let command = command.arg(model.help("Run folder or model file").value_parser(path())).arg(
            data.value_parser(path()).help(
                "Text files or folders of them, labelled items, or tables of series; `-` is \
                 stdin; nothing for a task \
                 that makes its own data",
            ),
        );
        every_eval_flag(command)
    }

    fn augment_args_for_update(command: clap::Command) -> clap::Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for EvalArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        Ok(Self {
            model: matches.get_one::<PathBuf>("model").cloned().unwrap_or_default(),
            data: matches.get_many::<PathBuf>("data").unwrap_or_default().cloned().collect(),
            matches: matches.clone(),
        })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// `gruvy info`
#[derive(Debug, Args)]
pub struct InfoArgs {
    /// Run folder or model file
    pub model: PathBuf,
}

/// `gruvy data`
#[derive(Debug, Args)]
pub struct DataArgs {
    /// Files, or folders of them; `-` is stdin. Of music: MIDI, and piano rolls in JSON. Of sound:
    /// recordings, or lists of them with their texts
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Write a page with a picture of each file too
    #[arg(short, long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// `gruvy inspect`
#[derive(Debug, Args)]
#[command(override_usage = "gruvy inspect [OPTIONS] MODEL [INPUT]\n       \
                            gruvy inspect [OPTIONS] --gradient-flow MODEL...")]
pub struct InspectArgs {
    /// Run folder or model file; then what it reads, or `-` for stdin: a text, a file of items for
    /// a classifier, a table for a forecast model, a MIDI file for a model of music [default: the
    /// embedded tales or tunes, or a forecast model's own series]
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Text to read instead of a file
    #[arg(long, value_name = "TEXT", conflicts_with = "input")]
    pub text: Option<String>,
    /// File to read, where INPUT has no place beside several models
    #[arg(long, value_name = "FILE")]
    pub input: Option<PathBuf>,
    /// Compare the gradient flow of several models on the same input
    #[arg(long)]
    pub gradient_flow: bool,
    /// The page [default: inspect.html in the run folder, or here]
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Draw the picture as SVG too
    #[arg(long, value_name = "FILE")]
    pub svg: Option<PathBuf>,
    /// Draw the picture as PNG too
    #[arg(long, value_name = "FILE")]
    pub png: Option<PathBuf>,
    /// Show only this layer; 0 reads the input
    #[arg(long, value_name = "N")]
    pub layer: Option<usize>,
    /// Steps shown one by one
    #[arg(long, value_name = "N", default_value_t = ReportConfig::default().steps)]
    pub steps: usize,
    /// Units shown one by one, from the longest half-life to the shortest
    #[arg(long, value_name = "N", default_value_t = ReportConfig::default().units)]
    pub units: usize,
}

/// `gruvy demo`
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// What to show
    #[arg(default_value = "text", value_parser = PossibleValuesParser::new(demos()))]
    pub task: String,
}

/// `gruvy bench`
#[derive(Debug, Args)]
pub struct BenchArgs {
    /// Cells, with commas between them
    #[arg(long, action = ArgAction::Set, value_delimiter = ',', value_parser = cells(),
        default_values = BenchConfig::default().cells.into_iter().map(Cell::name).collect::<Vec<_>>())]
    pub cells: Vec<Cell>,
    /// Sizes of the layer, with commas between them
    #[arg(long, action = ArgAction::Set, value_delimiter = ',', value_parser = shapes(),
        default_values = Shape::ALL.map(|shape| shape.name))]
    pub shapes: Vec<Shape>,
    /// Seconds for each row of the table, longer where a call is
    #[arg(long, value_name = "S", default_value_t = BenchConfig::default().seconds,
        allow_negative_numbers = true)]
    pub seconds: f64,
}

fn shapes() -> impl TypedValueParser<Value = Shape> {
    one_of(Shape::ALL.map(|shape| (shape.name, shape)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_arguments_are_consistent() {
        Cli::command().debug_assert();
    }
}
