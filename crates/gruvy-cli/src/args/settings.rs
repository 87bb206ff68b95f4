//! Settings as flags, made from their declarations in the library: what is given is laid over them
//! by name.

use crate::task::door::Task;
use anyhow::Result;
use clap::builder::PossibleValuesParser;
use clap::error::ErrorKind;
use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};
use gruvy::compare::{CompareConfig, Match};
use gruvy::music::{ComposeConfig, ComposeLength};
use gruvy::settings::{Kind, RunSettings, Setting, Settings, TaskConfig};
use gruvy::text::Generating;
use gruvy::train::{FREE_ON_RESUME, TrainConfig};
use gruvy_data::examples::ExampleFormat;
use gruvy_data::series::SeriesFormat;
use gruvy_data::settings::lay_over;
use gruvy_data::speech::SpeechFormat;
use gruvy_runtime::Cell;
use serde_json::Value;
use std::marker::PhantomData;
use std::path::PathBuf;

use super::values::{cells, one_of};

/// A setting that was given, and its value.
type Given = Vec<(&'static str, Value)>;

/// The flag of a setting. `default` is what it is without the flag.
fn flag(setting: &Setting, default: Option<&Value>) -> Arg {
    let default = default.filter(|_| !setting.help.contains("[default")).and_then(shown);
    let help = match default {
        Some(default) => format!("{} [default: {default}]", setting.help),
        None => setting.help.to_owned(),
    };
    let flag = Arg::new(setting.name).long(setting.name.replace('_', "-")).help(help);
    let flag = match setting.value {
        "" => flag.value_name(setting.name.to_uppercase()),
        value => flag.value_name(value),
    };
    match setting.kind {
        Kind::Switch => flag.num_args(0..=1).default_missing_value("true"),
        Kind::Choice(names) => flag.value_parser(PossibleValuesParser::new(names())),
        Kind::Texts => flag.action(ArgAction::Append),
        Kind::Whole(_) | Kind::Number(_) | Kind::Numbers => flag.allow_hyphen_values(true),
        Kind::Character | Kind::Text | Kind::Path => flag,
    }
}

/// A default as it would be typed; none where there is nothing to type.
fn shown(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        Value::Array(all) if all.is_empty() => None,
        Value::Array(all) => Some(all.iter().filter_map(shown).collect::<Vec<_>>().join(",")),
        other => Some(other.to_string()),
    }
}

/// What was given of these settings.
fn given<'a>(matches: &ArgMatches, settings: impl Iterator<Item = &'a Setting>) -> Given {
    let value = |setting: &Setting| {
        let mut values = matches.get_many::<String>(setting.name)?.cloned();
        Some(match setting.kind {
            Kind::Texts => values.collect::<Vec<_>>().join(",").into(),
            _ => Value::from(values.next_back()?),
        })
    };
    settings.filter_map(|setting| Some((setting.name, value(setting)?))).collect()
}

/// The flags of one table of settings, such as what the columns of the data are.
#[derive(Clone, Debug)]
pub struct TableFlags<S> {
    given: Given,
    of: PhantomData<fn() -> S>,
}

impl<S: Settings> TableFlags<S> {
    /// No flag.
    pub fn none() -> Self {
        Self { given: Vec::new(), of: PhantomData }
    }

    /// Lays what was given over the settings.
    ///
    /// # Errors
    /// For a value that a setting cannot be.
    pub fn apply(&self, to: &mut S) -> gruvy_data::Result<()> {
        for (name, value) in &self.given {
            lay_over(to, name, value)?;
        }
        Ok(())
    }
}

/// A table of settings that is a group of flags.
pub trait Group: Settings + Default {
    /// Its heading in help texts.
    const HEADING: &'static str;
    /// Letters that stand for some of its flags.
    const SHORT: &'static [(&'static str, char)] = &[];
    /// Whether its defaults hold wherever no flag is given: then help texts name them.
    const DEFAULTS: bool = false;
}

impl Group for SeriesFormat {
    const HEADING: &'static str = "Series";
}

impl Group for SpeechFormat {
    const HEADING: &'static str = "Recordings";
}

impl Group for ExampleFormat {
    const HEADING: &'static str = "Examples";
}

impl Group for ComposeLength {
    const HEADING: &'static str = "Composing";
}

impl Group for ComposeConfig {
    const HEADING: &'static str = "Composing";
    const SHORT: &'static [(&'static str, char)] = &[("temperature", 't')];
    const DEFAULTS: bool = true;
}

impl Group for Generating {
    const HEADING: &'static str = "Writing";
    const SHORT: &'static [(&'static str, char)] =
        &[("length", 'l'), ("temperature", 't'), ("samples", 'n')];
    const DEFAULTS: bool = true;
}

impl<S: Group> Args for TableFlags<S> {
    fn augment_args(command: Command) -> Command {
        let defaults = serde_json::to_value(S::default()).unwrap_or_default();
        S::SETTINGS.iter().fold(command, |command, setting| {
            let default = S::DEFAULTS.then(|| &defaults[setting.name]);
            let short = S::SHORT.iter().find(|(name, _)| *name == setting.name);
            let flag = flag(setting, default).help_heading(S::HEADING);
            command.arg(short.iter().fold(flag, |flag, (_, letter)| flag.short(*letter)))
        })
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl<S: Group> FromArgMatches for TableFlags<S> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        Ok(Self { given: given(matches, S::SETTINGS.iter()), of: PhantomData })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// What may change when a run goes on, given before a task or without one.
#[derive(Clone, Debug, Default)]
pub struct Limits(Given);

impl Limits {
    fn settings() -> impl Iterator<Item = &'static Setting> {
        TrainConfig::SETTINGS.iter().filter(|setting| FREE_ON_RESUME.contains(&setting.name))
    }

    /// The first of them that is given, as it is typed.
    pub fn first(&self) -> Option<String> {
        let (name, value) = self.0.first()?;
        Some(format!("--{} {}", name.replace('_', "-"), shown(value)?))
    }

    /// Lays what was given over the settings.
    ///
    /// # Errors
    /// For a value that a setting cannot be.
    pub fn apply<C: TaskConfig>(&self, to: &mut RunSettings<C>) -> Result<()> {
        Ok(self.0.iter().try_for_each(|(name, value)| to.set(name, value))?)
    }
}

impl Args for Limits {
    fn augment_args(command: Command) -> Command {
        let heading = "With --resume";
        Self::settings().fold(command, |command, setting| {
            command.arg(flag(setting, None).help_heading(heading))
        })
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Limits {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        Ok(Self(given(matches, Self::settings())))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// `gruvy train TASK`
#[derive(Debug, Args)]
pub struct NewRun<T: Task> {
    /// Folder of the run [default: runs/ and a name made of the data's or the task's]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Replace the run that is in the folder
    #[arg(long)]
    pub force: bool,
    /// What to train, and how.
    #[command(flatten)]
    pub settings: SettingsArgs<T>,
}

/// `gruvy compare TASK`
#[derive(Debug, Args)]
pub struct NewComparison<T: Task> {
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
    /// Folder of the comparison; the same command goes on in it [default: runs/compare- and a name
    /// made of the data's or the task's]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// What to train, and how.
    #[command(flatten)]
    pub settings: SettingsArgs<T>,
}

/// What to train, and how: a settings file and flags on top.
#[derive(Debug)]
pub struct SettingsArgs<T: Task> {
    /// Settings file; flags go on top.
    pub config: Option<PathBuf>,
    /// What to learn from.
    pub data: Vec<PathBuf>,
    given: Given,
    of: PhantomData<fn() -> T>,
}

impl<T: Task> SettingsArgs<T> {
    /// The settings of a new run, checked.
    ///
    /// # Errors
    /// When the settings file cannot be read, or a setting makes no sense.
    pub fn settings(&self, seed: Option<u64>) -> Result<RunSettings<T::Config>> {
        let mut settings = match &self.config {
            Some(path) => RunSettings::read(path)?,
            None => RunSettings::default(),
        };
        self.apply(seed, &mut settings)?;
        settings.check()?;
        Ok(settings)
    }

    /// Lays the flags given over the settings.
    ///
    /// # Errors
    /// For a value that a setting cannot be.
    pub fn apply(&self, seed: Option<u64>, to: &mut RunSettings<T::Config>) -> Result<()> {
        if !self.data.is_empty() {
            to.data.paths = self.data.clone();
        }
        for (name, value) in &self.given {
            to.set(name, value)?;
        }
        to.train.seed = seed.unwrap_or(to.train.seed);
        Ok(())
    }

    /// Whether the setting of that name was given.
    pub fn has(&self, name: &str) -> bool {
        self.given.iter().any(|(given, _)| *given == name)
    }
}

/// The settings of a task that are flags. The seed is one of every command.
fn flags<C: TaskConfig>() -> impl Iterator<Item = (&'static str, &'static Setting)> {
    RunSettings::<C>::declared().filter(|(_, setting)| setting.name != "seed")
}

impl<T: Task> Args for SettingsArgs<T> {
    fn augment_args(command: Command) -> Command {
        let config = Arg::new("config").long("config").value_name("FILE");
        let config = config.value_parser(clap::value_parser!(PathBuf));
        let mut command = command.arg(config.help("Settings file; flags go on top"));
        if let Some(help) = T::DATA {
            let data = Arg::new("data").value_name("DATA").num_args(0..).help(help);
            command = command.arg(data.value_parser(clap::value_parser!(PathBuf)));
        }
        let name = T::Config::TASK.name();
        let defaults =
            serde_json::to_value(RunSettings::<T::Config>::default()).unwrap_or_default();
        for (table, setting) in flags::<T::Config>() {
            let (heading, default) = match table {
                "train" => ("Training", &defaults["train"][setting.name]),
                own if own == name => (T::HEADING, &defaults[name][setting.name]),
                nested => ("Data", &defaults[name][nested][setting.name]),
            };
            command = command.arg(flag(setting, Some(default)).help_heading(heading));
        }
        command
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl<T: Task> FromArgMatches for SettingsArgs<T> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let data = match T::DATA {
            Some(_) => matches.get_many::<PathBuf>("data").unwrap_or_default().cloned().collect(),
            None => Vec::new(),
        };
        let given = given(matches, flags::<T::Config>().map(|(_, setting)| setting));
        let config = matches.get_one::<PathBuf>("config").cloned();
        Ok(Self { config, data, given, of: PhantomData })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// The error of a subcommand that clap knows and the list of tasks does not.
pub fn no_task() -> clap::Error {
    clap::Error::raw(ErrorKind::MissingSubcommand, "expected a task")
}

/// The cells that are compared unless others are named.
fn compared() -> Vec<&'static str> {
    CompareConfig::default().cells.into_iter().map(Cell::name).collect()
}

fn matches() -> impl clap::builder::TypedValueParser<Value = Match> {
    one_of([("parameters", Match::Parameters), ("hidden", Match::Hidden)])
}
