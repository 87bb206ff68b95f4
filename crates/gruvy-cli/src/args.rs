//! What can be typed. Every training flag has the name of its field in the library's settings, and lies on
//! top of what `--config` says.

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Arg, Args, CommandFactory, FromArgMatches, Parser, Subcommand};
use gruvy::tasks::text::{Split, TextConfig, TextRun};
use gruvy::train::{Schedule, TrainConfig};
use gruvy_runtime::{Cell, TextUnit};
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
        let command = Self::command().mut_subcommand("train", |train| {
            train.mut_subcommand("text", |text| text.mut_args(say_default))
        });
        Self::from_arg_matches(&command.get_matches()).unwrap_or_else(|error| error.exit())
    }
}

/// Adds the library's default to the help of a flag that has one.
fn say_default(flag: Arg) -> Arg {
    let settings = serde_json::to_value(TextRun::default()).unwrap_or_default();
    let Some(value) =
        ["train", "text"].iter().find_map(|table| settings[*table].get(flag.get_id().as_str()))
    else {
        return flag;
    };
    let default = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let help = flag.get_help().map(ToString::to_string).unwrap_or_default();
    flag.help(format!("{help} [default: {default}]"))
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
    /// Threads to use [default: one per core]
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
    /// Write text with a model
    Generate(GenerateArgs),
    /// Measure a model on other data
    Eval(EvalArgs),
    /// Show what a model is and how it was trained
    Info(InfoArgs),
    /// Watch a model learn, in under three minutes
    Demo(DemoArgs),
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
    Text(Box<TextArgs>),
}

/// `gruvy train text`
#[derive(Debug, Args)]
pub struct TextArgs {
    /// Text files or folders of them; `-` is stdin; nothing: the embedded tales
    #[arg(value_name = "DATA")]
    pub data: Vec<PathBuf>,
    /// Settings file; flags go on top
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Folder of the run [default: runs/ and a name made of the data's]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Replace the run that is in the folder
    #[arg(long)]
    pub force: bool,
    /// Settings of the task.
    #[command(flatten)]
    pub text: TextFlags,
    /// Settings of the network, the optimizer and the loop.
    #[command(flatten)]
    pub train: TrainFlags,
}

/// Settings of the text task as flags, named as in [`TextConfig`].
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Text")]
pub struct TextFlags {
    /// What a token is
    #[arg(long, value_parser = units())]
    pub unit: Option<TextUnit>,
    /// Most entries of the vocabulary, for the unit bpe
    #[arg(long, value_name = "N")]
    pub vocab_size: Option<usize>,
    /// Numbers in a token's embedding
    #[arg(long, value_name = "N")]
    pub embed: Option<usize>,
    /// Use the embedding for the output too; needs --embed equal to --hidden
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    pub tied: Option<bool>,
    /// Steps that a gradient runs back through time
    #[arg(long, value_name = "N")]
    pub seq_len: Option<usize>,
    /// Percent of the data to train, validate and test on, such as 90/5/5
    #[arg(long, value_name = "A/B/C")]
    pub split: Option<Split>,
    /// Validate on this file or folder instead
    #[arg(long, value_name = "PATH")]
    pub valid: Option<PathBuf>,
    /// Test on this file or folder instead
    #[arg(long, value_name = "PATH")]
    pub test: Option<PathBuf>,
}

/// Settings that every task shares as flags, named as in [`TrainConfig`].
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Training")]
pub struct TrainFlags {
    /// The recurrence
    #[arg(long, value_parser = cells())]
    pub cell: Option<Cell>,
    /// Hidden units of a layer
    #[arg(long, value_name = "N")]
    pub hidden: Option<usize>,
    /// Recurrent layers
    #[arg(long, value_name = "N")]
    pub layers: Option<usize>,
    /// Share of activations dropped between layers
    #[arg(long, value_name = "P")]
    pub dropout: Option<f64>,
    /// Sequences in a batch
    #[arg(long, value_name = "N")]
    pub batch: Option<usize>,
    /// Passes over the training data
    #[arg(long, value_name = "N")]
    pub epochs: Option<usize>,
    /// Stop after that many minutes; 0: no limit
    #[arg(long, value_name = "MIN")]
    pub max_minutes: Option<f64>,
    /// Peak learning rate
    #[arg(long, value_name = "RATE")]
    pub lr: Option<f64>,
    /// Decoupled weight decay
    #[arg(long, value_name = "RATE")]
    pub weight_decay: Option<f64>,
    /// Steps of linear warm-up
    #[arg(long, value_name = "N")]
    pub warmup: Option<usize>,
    /// How the learning rate moves after the warm-up
    #[arg(long, value_parser = schedules())]
    pub schedule: Option<Schedule>,
    /// Lowest learning rate of a schedule, as a share of --lr
    #[arg(long, value_name = "SHARE")]
    pub min_lr: Option<f64>,
    /// Largest norm of the gradient; 0: no limit
    #[arg(long, value_name = "NORM")]
    pub clip: Option<f64>,
    /// Decay of the averaged weights that are evaluated and kept; 0: none
    #[arg(long, value_name = "DECAY")]
    pub ema: Option<f64>,
    /// Stop after that many evaluations without a better validation loss; 0: never
    #[arg(long, value_name = "N")]
    pub patience: Option<usize>,
    /// Steps between evaluations; 0: chosen by the length of the run
    #[arg(long, value_name = "N")]
    pub eval_every: Option<usize>,
    /// Seconds between checkpoints
    #[arg(long, value_name = "S")]
    pub save_every: Option<f64>,
}

/// Lays every flag that was given over the setting of its name.
macro_rules! lay_over {
    ($flags:expr => $settings:expr; $($field:ident)*) => {
        $(if let Some(value) = $flags.$field {
            $settings.$field = value;
        })*
    };
}

impl TextFlags {
    /// Lays the flags given over the settings.
    pub fn apply(self, to: &mut TextConfig) {
        lay_over!(self => to; unit vocab_size embed tied seq_len split);
        to.valid = self.valid.or(to.valid.take());
        to.test = self.test.or(to.test.take());
    }
}

impl TrainFlags {
    /// Lays the flags given over the settings.
    pub fn apply(self, to: &mut TrainConfig) {
        lay_over!(self => to; cell hidden layers dropout batch epochs max_minutes lr weight_decay warmup
            schedule min_lr clip ema patience eval_every save_every);
    }
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
    /// Text files or folders of them; `-` is stdin
    #[arg(required = true, value_name = "DATA")]
    pub data: Vec<PathBuf>,
    /// Only the last PERCENT of the data
    #[arg(long, value_name = "PERCENT", value_parser = percent, default_value = "100")]
    pub last: f64,
}

/// `gruvy info`
#[derive(Debug, Args)]
pub struct InfoArgs {
    /// Run folder or model file
    pub model: PathBuf,
}

/// `gruvy demo`
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// What to show
    #[arg(default_value = "text", value_parser = ["text"])]
    pub task: String,
}

fn percent(text: &str) -> Result<f64, String> {
    let wrong = || "expected a number above 0, at most 100".to_owned();
    text.parse().ok().filter(|p| *p > 0.0 && *p <= 100.0).ok_or_else(wrong)
}

fn units() -> impl TypedValueParser<Value = TextUnit> {
    one_of(TextUnit::ALL.map(|unit| (unit.name(), unit)))
}

fn cells() -> impl TypedValueParser<Value = Cell> {
    one_of(Cell::ALL.map(|cell| (cell.name(), cell)))
}

fn schedules() -> impl TypedValueParser<Value = Schedule> {
    one_of([
        ("cosine", Schedule::Cosine),
        ("plateau", Schedule::Plateau),
        ("constant", Schedule::Constant),
    ])
}

/// A flag whose value is a name out of a list.
fn one_of<T, const N: usize>(list: [(&'static str, T); N]) -> impl TypedValueParser<Value = T>
where
    T: Copy + Send + Sync + 'static,
{
    PossibleValuesParser::new(list.map(|(name, _)| name)).map(move |name| {
        let found = list.iter().find(|(known, _)| *known == name);
        found.expect("only names of the list get here").1
    })
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
