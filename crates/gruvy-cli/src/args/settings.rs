//! The settings of a run as flags: those that every task shares, and each task's own.
//!
//! A task adds its flags here, with the names of the fields of its settings, and says in [`TaskFlags`] which
//! settings they are laid over.

use crate::screen::Screen;
use anyhow::Result;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Arg, ArgAction, Args, Command};
use gruvy::compare::{CompareConfig, Match};
use gruvy::memory::{Generator, MemoryConfig};
use gruvy::settings::{RunSettings, Split, TaskConfig};
use gruvy::text::{TextConfig, TextRun};
use gruvy::train::{RunFolder, Schedule, TrainConfig};
use gruvy_runtime::{
    Cell,
    memory::{Adding, Copying},
    text::TextUnit,
};
use serde_json::Value;
use std::marker::PhantomData;
use std::path::PathBuf;

/// A task's own flags, and what the command says about its models.
pub trait TaskFlags: Args {
    /// The settings that the flags belong to.
    type Config: TaskConfig;
    /// What can be done with a model: a word for it, and the subcommand.
    const USE: [&'static str; 2];

    /// Lays the flags given over the settings.
    fn apply(self, to: &mut RunSettings<Self::Config>);

    /// What is said of a run beside its metrics, as JSON and in words, and what is put into its folder.
    ///
    /// # Errors
    /// When something cannot be computed or written.
    fn report(
        _task: &<Self::Config as TaskConfig>::Task,
        _folder: &RunFolder,
        _screen: &Screen,
    ) -> Result<(Value, String)> {
        Ok((Value::Null, String::new()))
    }
}

/// `gruvy train TASK`
#[derive(Debug, Args)]
pub struct NewRun<F: TaskFlags> {
    /// Folder of the run [default: runs/ and a name made of the data's or the task's]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Replace the run that is in the folder
    #[arg(long)]
    pub force: bool,
    /// What to train, and how.
    #[command(flatten)]
    pub settings: SettingsArgs<F>,
}

/// `gruvy compare TASK`
#[derive(Debug, Args)]
pub struct NewComparison<F: TaskFlags> {
    /// Cells to compare, with commas between them; the others are matched to the first
    #[arg(long, action = ArgAction::Set, value_delimiter = ',', value_parser = cells(),
        default_values = compared())]
    pub cells: Vec<Cell>,
    /// Runs of each cell, with the seeds from --seed on
    #[arg(long, value_name = "N", default_value_t = CompareConfig::default().seeds)]
    pub seeds: u64,
    /// What the models have in common in size
    #[arg(long = "match", value_name = "WHAT", value_parser = matches(), default_value = "parameters")]
    pub matching: Match,
    /// Folder of the comparison; the same command goes on in it [default: runs/compare- and a name made
    /// of the data's or the task's]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// What to train, and how.
    #[command(flatten)]
    pub settings: SettingsArgs<F>,
}

/// What to train, and how: a settings file and flags on top.
#[derive(Debug, Args)]
pub struct SettingsArgs<F: TaskFlags> {
    /// Settings file; flags go on top
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Settings of the task.
    #[command(flatten)]
    pub task: F,
    /// Settings of the network, the optimizer and the loop.
    #[command(flatten)]
    pub train: TrainFlags,
}

impl<F: TaskFlags> SettingsArgs<F> {
    /// The settings of a new run, checked.
    ///
    /// # Errors
    /// When the settings file cannot be read, or a setting makes no sense.
    pub fn settings(self, seed: Option<u64>) -> Result<RunSettings<F::Config>> {
        let mut settings = match &self.config {
            Some(path) => RunSettings::read(path)?,
            None => RunSettings::default(),
        };
        self.apply(seed, &mut settings);
        settings.check()?;
        Ok(settings)
    }

    /// Lays the flags given over the settings.
    pub fn apply(self, seed: Option<u64>, to: &mut RunSettings<F::Config>) {
        self.task.apply(to);
        self.train.apply(&mut to.train);
        to.train.seed = seed.unwrap_or(to.train.seed);
    }
}

/// Adds the library's defaults to the help of the flags of a task.
pub fn say_defaults<F: TaskFlags>(command: Command) -> Command {
    let settings = serde_json::to_value(RunSettings::<F::Config>::default()).unwrap_or_default();
    command.mut_args(|flag: Arg| {
        let tables = ["train", F::Config::TASK.name()];
        let Some(value) =
            tables.iter().find_map(|table| settings[*table].get(flag.get_id().as_str()))
        else {
            return flag;
        };
        let default = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let help = flag.get_help().map(ToString::to_string).unwrap_or_default();
        flag.help(format!("{help} [default: {default}]"))
    })
}

/// Lays every flag that was given over the setting of its name.
macro_rules! lay_over {
    ($flags:expr => $settings:expr; $($field:ident)*) => {
        $(if let Some(value) = $flags.$field {
            $settings.$field = value;
        })*
    };
}
pub(crate) use lay_over;

/// Settings of the text task as flags, named as in [`TextConfig`].
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Text")]
pub struct TextFlags {
    /// Text files or folders of them; `-` is stdin; nothing: the embedded tales
    #[arg(value_name = "DATA", help_heading = "Arguments")]
    pub data: Vec<PathBuf>,
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

/// Settings of a memory task as flags, named as in [`MemoryConfig`].
#[derive(Debug, Args)]
#[command(next_help_heading = "Memory")]
pub struct MemoryFlags<G: Send + Sync + 'static> {
    /// Steps over which must be remembered
    #[arg(long, value_name = "T")]
    pub length: Option<usize>,
    /// Sequences of an epoch, made afresh each time
    #[arg(long, value_name = "N")]
    pub train_size: Option<usize>,
    /// Sequences to validate on
    #[arg(long, value_name = "N")]
    pub valid_size: Option<usize>,
    /// Sequences to test on
    #[arg(long, value_name = "N")]
    pub test_size: Option<usize>,
    /// Which task.
    #[arg(skip)]
    generator: PhantomData<G>,
}

/// `gruvy train adding`
pub type AddingFlags = MemoryFlags<Adding>;
/// `gruvy train copy`
pub type CopyFlags = MemoryFlags<Copying>;

impl<G: Generator + Send + Sync + 'static> TaskFlags for MemoryFlags<G> {
    type Config = MemoryConfig<G>;
    const USE: [&'static str; 2] = ["measure", "eval"];

    fn apply(self, to: &mut RunSettings<MemoryConfig<G>>) {
        let to = &mut to.task;
        lay_over!(self => to; length train_size valid_size test_size);
    }
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
    /// Share of features dropped from each layer's input, the same at all steps (variational)
    #[arg(long, value_name = "P")]
    pub input_dropout: Option<f64>,
    /// Share of units that the hidden weights do not see, the same at all steps (variational)
    #[arg(long, value_name = "P")]
    pub recurrent_dropout: Option<f64>,
    /// Probability with which a unit keeps its state at a step
    #[arg(long, value_name = "P")]
    pub zoneout: Option<f64>,
    /// Share of hidden weights dropped (DropConnect)
    #[arg(long, value_name = "P")]
    pub weight_dropout: Option<f64>,
    /// Layer normalisation of the gates
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    pub layer_norm: Option<bool>,
    /// Compute the gates again in the backward pass instead of keeping them: less memory, more time
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    pub recompute: Option<bool>,
    /// Open the gates for dependencies of up to T steps at the start; 0: not [default: the length of a
    /// memory task, else 0]
    #[arg(long, value_name = "T")]
    pub chrono: Option<usize>,
    /// Learn from the first part of the training data alone, this share of it
    #[arg(long, value_name = "SHARE")]
    pub train_fraction: Option<f64>,
    /// Share of each target that is spread over all classes while training
    #[arg(long, value_name = "SHARE")]
    pub label_smoothing: Option<f64>,
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

impl TaskFlags for TextFlags {
    type Config = TextConfig;
    const USE: [&'static str; 2] = ["write", "generate"];

    fn apply(self, to: &mut TextRun) {
        if !self.data.is_empty() {
            to.data.paths = self.data;
        }
        let to = &mut to.task;
        lay_over!(self => to; unit vocab_size embed tied seq_len split);
        to.valid = self.valid.or(to.valid.take());
        to.test = self.test.or(to.test.take());
    }
}

impl TrainFlags {
    /// Lays the flags given over the settings.
    pub fn apply(self, to: &mut TrainConfig) {
        to.chrono = self.chrono.or(to.chrono);
        lay_over!(self => to; cell hidden layers dropout input_dropout recurrent_dropout zoneout
            weight_dropout layer_norm recompute train_fraction label_smoothing batch epochs max_minutes lr
            weight_decay warmup schedule min_lr clip ema patience eval_every save_every);
    }
}

fn units() -> impl TypedValueParser<Value = TextUnit> {
    one_of(TextUnit::ALL.map(|unit| (unit.name(), unit)))
}

pub(crate) fn cells() -> impl TypedValueParser<Value = Cell> {
    one_of(Cell::ALL.map(|cell| (cell.name(), cell)))
}

/// The cells that are compared unless others are named.
fn compared() -> Vec<&'static str> {
    CompareConfig::default().cells.into_iter().map(Cell::name).collect()
}

fn matches() -> impl TypedValueParser<Value = Match> {
    one_of([("parameters", Match::Parameters), ("hidden", Match::Hidden)])
}

fn schedules() -> impl TypedValueParser<Value = Schedule> {
    one_of([
        ("cosine", Schedule::Cosine),
        ("plateau", Schedule::Plateau),
        ("constant", Schedule::Constant),
    ])
}

/// A flag whose value is a name out of a list.
pub(crate) fn one_of<T, const N: usize>(
    list: [(&'static str, T); N],
) -> impl TypedValueParser<Value = T>
where
    T: Copy + Send + Sync + 'static,
{
    PossibleValuesParser::new(list.map(|(name, _)| name)).map(move |name| {
        let found = list.iter().find(|(known, _)| *known == name);
        found.expect("only names of the list get here").1
    })
}
