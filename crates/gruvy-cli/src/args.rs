//! What can be typed. Every training flag has the name of its field in the library's settings, and lies on
//! top of what `--config` says.

pub mod settings;

pub use crate::task::classify::flags::{ClassifyFlags, ExampleFlags, ExplainArgs, PredictArgs};
pub use crate::task::forecast::flags::{BacktestArgs, ForecastArgs, ForecastFlags, FormatFlags};
pub use settings::{AddingFlags, CopyFlags, NewComparison, NewRun, TaskFlags, TextFlags};

use clap::builder::TypedValueParser;
use clap::{ArgAction, Args, CommandFactory, FromArgMatches, Parser, Subcommand};
use gruvy::bench::{BenchConfig, Shape};
use gruvy::inspect::ReportConfig;
use gruvy_runtime::Cell;
use settings::{cells, one_of, say_defaults};
use std::num::{NonZeroU64, NonZeroUsize};
use std::path::PathBuf;

/// Train gated recurrent networks, and use them.
#[derive(Debug, Parser)]
#[command(
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
        let tasks = |command: clap::Command| {
            command
                .mut_subcommand("text", say_defaults::<TextFlags>)
                .mut_subcommand("adding", say_defaults::<AddingFlags>)
                .mut_subcommand("copy", say_defaults::<CopyFlags>)
                .mut_subcommand("forecast", say_defaults::<ForecastFlags>)
                .mut_subcommand("classify", say_defaults::<ClassifyFlags>)
        };
        // One cell makes no comparison: the flag is there only to be refused with a word on --cells.
        let without_cell = |task: clap::Command| task.mut_arg("cell", |cell| cell.hide(true));
        let command = Self::command()
            .mut_subcommand("train", tasks)
            .mut_subcommand("compare", |compare| tasks(compare).mut_subcommands(without_cell));
        Self::from_arg_matches(&command.get_matches()).unwrap_or_else(|error| error.exit())
    }
}

/// Flags of every command.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Common options")]
pub struct Common {
    /// Print one JSON object on stdout, and nothing else there
    #[arg(long, global = true)]
    pub json: bool,
    /// Seed of everything random
    #[arg(long, global = true, value_name = "N")]
    pub seed: Option<u64>,
    /// Threads to use, at most one per core [default: one per core]
    #[arg(long, global = true, value_name = "N")]
    pub threads: Option<NonZeroUsize>,
    /// Say nothing but results, warnings and errors
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Say more
    #[arg(short, long, global = true)]
    pub verbose: bool,
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
    /// Measure a model on other data
    Eval(Box<EvalArgs>),
    /// Show what a model is and how it was trained
    Info(InfoArgs),
    /// See what a model's gates do on an input, how long its units remember and how far gradients reach
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
    /// What to learn.
    #[command(subcommand)]
    pub task: Option<TrainTask>,
}

/// The tasks that `gruvy train` knows.
#[derive(Debug, Subcommand)]
pub enum TrainTask {
    /// Learn to write text
    Text(Box<NewRun<TextFlags>>),
    /// Learn the label of a text or of a sequence
    Classify(Box<NewRun<ClassifyFlags>>),
    /// Learn to forecast time series
    Forecast(Box<NewRun<ForecastFlags>>),
    /// Learn to add two marked numbers of a long sequence: a measure of memory
    Adding(Box<NewRun<AddingFlags>>),
    /// Learn to repeat ten digits after a long pause: a measure of memory
    Copy(Box<NewRun<CopyFlags>>),
}

/// `gruvy compare`
#[derive(Debug, Args)]
#[command(subcommand_value_name = "TASK", subcommand_help_heading = "Tasks")]
pub struct CompareArgs {
    /// What to learn.
    #[command(subcommand)]
    pub task: CompareTask,
}

/// The tasks that `gruvy compare` knows.
#[derive(Debug, Subcommand)]
pub enum CompareTask {
    /// Learn to write text
    Text(Box<NewComparison<TextFlags>>),
    /// Learn the label of a text or of a sequence
    Classify(Box<NewComparison<ClassifyFlags>>),
    /// Learn to forecast time series
    Forecast(Box<NewComparison<ForecastFlags>>),
    /// Learn to add two marked numbers of a long sequence: a measure of memory
    Adding(Box<NewComparison<AddingFlags>>),
    /// Learn to repeat ten digits after a long pause: a measure of memory
    Copy(Box<NewComparison<CopyFlags>>),
}

/// `gruvy generate`
#[derive(Debug, Args)]
pub struct GenerateArgs {
    /// Run folder or model file
    pub model: PathBuf,
    /// Text to go on from; `-` reads it from stdin [default: a line end]
    #[arg(short, long, value_name = "TEXT")]
    pub prompt: Option<String>,
    /// Tokens to write
    #[arg(short, long, value_name = "N", default_value_t = 500)]
    pub length: usize,
    /// Below 1 safer, above 1 wilder; 0 always takes the likeliest token
    #[arg(short, long, value_name = "T", default_value_t = 0.8)]
    pub temperature: f64,
    /// Choose among the N likeliest tokens only
    #[arg(long, value_name = "N")]
    pub top_k: Option<usize>,
    /// Choose among the likeliest tokens that together have probability P
    #[arg(long, value_name = "P")]
    pub top_p: Option<f64>,
    /// Texts to write
    #[arg(short = 'n', long, value_name = "N", default_value = "1")]
    pub samples: NonZeroU64,
}

/// `gruvy eval`
#[derive(Debug, Args)]
pub struct EvalArgs {
    /// Run folder or model file
    pub model: PathBuf,
    /// Text files or folders of them, labelled items, or tables of series; `-` is stdin; nothing for a task that makes its
    /// own data
    #[arg(value_name = "DATA")]
    pub data: Vec<PathBuf>,
    /// Only the last PERCENT of the data
    #[arg(long, value_name = "PERCENT", value_parser = percent, default_value = "100")]
    pub last: f64,
    /// Sequences to make, for a task that makes its own data; --seed says which
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub count: u64,
    /// Measure forecasts of the last N steps of each series [default: a horizon]
    #[arg(long, value_name = "N")]
    pub test_steps: Option<usize>,
    /// What the columns of series are.
    #[command(flatten)]
    pub format: FormatFlags,
    /// What stands where in labelled data.
    #[command(flatten)]
    pub examples: ExampleFlags,
    /// Write a page with the metrics, the confusion matrix and the most confident mistakes of a classifier
    #[arg(short, long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// `gruvy info`
#[derive(Debug, Args)]
pub struct InfoArgs {
    /// Run folder or model file
    pub model: PathBuf,
}

/// `gruvy inspect`
#[derive(Debug, Args)]
#[command(override_usage = "gruvy inspect [OPTIONS] MODEL [INPUT]\n       \
                            gruvy inspect [OPTIONS] --gradient-flow MODEL...")]
pub struct InspectArgs {
    /// Run folder or model file; then a text file to read, or `-` for stdin [default: the embedded tales]
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
    #[arg(default_value = "text", value_parser = ["text", "classify", "forecast"])]
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
    #[arg(long, value_name = "S", default_value_t = BenchConfig::default().seconds)]
    pub seconds: f64,
}

fn shapes() -> impl TypedValueParser<Value = Shape> {
    one_of(Shape::ALL.map(|shape| (shape.name, shape)))
}

fn percent(text: &str) -> Result<f64, String> {
    let wrong = || "expected a number above 0, at most 100".to_owned();
    text.parse().ok().filter(|p| *p > 0.0 && *p <= 100.0).ok_or_else(wrong)
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
