//! The settings of a run of any task, and the file that keeps them, `run.toml`:
//!
//! ```toml
//! task = "text"      # what is learned: the name of the third table
//! [train]            # the network, the optimizer and the loop: TrainConfig
//! [text]             # the task: its TaskConfig
//! [data]             # where the data are; left out where the task makes its own
//! ```
use crate::{
    error::{Error, Result},
    train::{
        config::{FREE_ON_RESUME, TrainConfig, in_words},
        folder::RunFolder,
        task::Task,
    },
};
use gruvy_data::Input;
use gruvy_data::settings::{self, Setting, Settings};
use gruvy_runtime::TaskName;
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, MapAccess, Visitor},
    ser::SerializeMap,
};
use serde_json::{Value, json};
use std::{
    fmt, fs,
    marker::PhantomData,
    path::{Path, PathBuf},
    sync::Arc,
};

/// A task's own settings, and what `gruvy` must know of a task to train it.
pub trait TaskConfig: Settings + Clone + fmt::Debug + Default + PartialEq {
    /// The task.
    const TASK: TaskName;
    /// What a batch is counted in, in the plural.
    const UNIT: &'static str;
    /// The metrics that a person is shown, in this order.
    const METRICS: &'static [Metric];
    /// Tables within the task's, and the settings in them.
    const NESTED: &'static [(&'static str, &'static [Setting])] = &[];
    /// The data, ready to be learned from.
    type Task: Task;

    /// Settings of the network, the optimizer and the loop that suit this task.
    fn train_defaults() -> TrainConfig {
        TrainConfig::default()
    }

    /// A name for the folder of a run that was given no data.
    fn run_name(&self) -> String {
        Self::TASK.name().to_owned()
    }

    /// Lets settings of the task that are bound to the hidden size follow a new one.
    fn follow_hidden(_run: &mut RunSettings<Self>) {}

    /// The files and folders that these settings name.
    fn paths_mut(&mut self) -> Vec<&mut PathBuf> {
        Vec::new()
    }

    /// The runs that these settings stand for: more than one for an ensemble and for
    /// cross-validation.
    fn members(run: &RunSettings<Self>) -> Vec<RunSettings<Self>> {
        vec![run.clone()]
    }

    /// Refuses settings that make no sense; [`TrainConfig::check`] has been asked already.
    ///
    /// # Errors
    /// [`Error::Setting`] with the name of the first such setting.
    fn check(run: &RunSettings<Self>) -> Result<()>;

    /// Reads or makes the data.
    ///
    /// # Errors
    /// Those of [`RunSettings::check`], and data that cannot be read or learned from.
    fn load(run: RunSettings<Self>) -> Result<Self::Task>;
}

/// How a metric is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metric {
    /// Its name in [`Metrics`](crate::train::Metrics).
    pub name: &'static str,
    /// What a person reads.
    pub title: &'static str,
    /// Digits after the point.
    pub decimals: usize,
}

/// Where the data come from. The `[data]` table of `run.toml`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DataConfig {
    /// Files and folders, `-` for [`DataConfig::stdin`]. None: what the task has of its own.
    pub paths: Vec<PathBuf>,
    /// What stands for `-`: the library reads no standard input, so whoever has one hands over
    /// what came through it. It is not kept in `run.toml`.
    #[serde(skip)]
    pub stdin: Option<Arc<[u8]>>,
}

impl DataConfig {
    /// What readers take.
    ///
    /// # Errors
    /// [`Error::Data`] for `-` without [`DataConfig::stdin`].
    pub fn inputs(&self) -> Result<Vec<Input>> {
        const GONE: &str = "the data came through standard input and are not there any more: pipe \
                            the same data in again";
        let input = |path: &PathBuf| match &self.stdin {
            _ if path.as_os_str() != "-" => Ok(Input::from(path.as_path())),
            Some(bytes) => Ok(Input::bytes("stdin", bytes.clone())),
            None => Err(Error::Data(GONE.into())),
        };
        self.paths.iter().map(input).collect()
    }
}

/// All settings of a run: `run.toml`.
#[derive(Clone, Debug, PartialEq)]
pub struct RunSettings<C> {
    /// The network, the optimizer and the loop.
    pub train: TrainConfig,
    /// The task.
    pub task: C,
    /// The data.
    pub data: DataConfig,
}

impl<C: TaskConfig> Default for RunSettings<C> {
    fn default() -> Self {
        Self { train: C::train_defaults(), task: C::default(), data: DataConfig::default() }
    }
}

impl<C: TaskConfig> RunSettings<C> {
    /// Reads a settings file. What it does not mention keeps the task's default.
    ///
    /// # Errors
    /// If it cannot be read, is of another task, or has an unknown key or a wrong value: the
    /// message names key and line.
    pub fn read(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path).map_err(Error::io("read", path))?;
        Self::parse(&text)
            .map_err(|e| Error::Settings { path: path.to_owned(), source: Box::new(e) })
    }

    fn parse(text: &str) -> Result<Self, toml::de::Error> {
        let Stored(mut run) = toml::from_str(text)?;
        // Keys that are missing got the defaults of all tasks; this one may have others.
        let mut file: toml::Table = toml::from_str(text)?;
        if let Some(toml::Value::Table(given)) = file.remove("train") {
            let defaults = toml::Table::try_from(C::train_defaults()).map_err(de::Error::custom)?;
            run.train = defaults.into_iter().chain(given).collect::<toml::Table>().try_into()?;
        }
        Ok(run)
    }

    /// The text of a settings file. Paths are written from the root, so that a run can be resumed
    /// from any folder.
    ///
    /// # Errors
    /// [`Error::Io`] if a path cannot be completed, as the current folder is gone.
    pub fn to_toml(&self) -> Result<String> {
        let mut run = self.clone();
        for path in run.data.paths.iter_mut().chain(run.task.paths_mut()) {
            if path.as_os_str() != "-" {
                *path = std::path::absolute(&*path).map_err(Error::io("find", path))?;
            }
        }
        toml::to_string(&run)
            .map_err(|e| Error::Data(format!("the settings cannot be written to run.toml: {e}")))
    }

    /// Refuses values that make no sense, before any work is done.
    ///
    /// # Errors
    /// [`Error::Setting`] with the name of the first such setting.
    pub fn check(&self) -> Result<()> {
        self.train.check()?;
        let task = json!(self.task);
        settings::check(&task, C::SETTINGS)?;
        for (table, settings) in C::NESTED {
            settings::check(&task[table], settings)?;
        }
        C::check(self)
    }

    /// The settings of the task that its numbers follow from: all but the paths, as what they lead to is known by the
    /// data's fingerprint, and may have been named from another folder.
    pub fn bound(&self) -> Value {
        let mut task = self.task.clone();
        task.paths_mut().into_iter().for_each(|path| *path = PathBuf::new());
        json!(task)
    }

    /// All settings, each with the table that it lies in: `train`, the task's name, and tables
    /// within that.
    pub fn declared() -> impl Iterator<Item = (&'static str, &'static Setting)> {
        let of = |table: &'static str, settings: &'static [Setting]| {
            settings.iter().map(move |setting| (table, setting))
        };
        let nested = C::NESTED.iter().flat_map(move |(table, settings)| of(table, settings));
        of(C::TASK.name(), C::SETTINGS).chain(nested).chain(of("train", TrainConfig::SETTINGS))
    }

    /// Lays a value over the setting of a name, wherever it lies: a text, as on a command line, or
    /// a value of JSON.
    ///
    /// # Errors
    /// [`Error::Setting`] for a value that it cannot be; for a name that no setting has, an error
    /// with those that are like it.
    pub fn set(&mut self, name: &str, value: &Value) -> Result<()> {
        if let Some(setting) = settings::find(C::SETTINGS, name) {
            self.task = settings::laid_over(&self.task, &[], setting, value)?;
            return Ok(());
        }
        for (table, list) in C::NESTED {
            if let Some(setting) = settings::find(list, name) {
                self.task = settings::laid_over(&self.task, &[table], setting, value)?;
                return Ok(());
            }
        }
        let Some(setting) = settings::find(TrainConfig::SETTINGS, name) else {
            let known = Self::declared().map(|(_, setting)| setting.name);
            return Err(settings::unknown(name, known).into());
        };
        self.train = settings::laid_over(&self.train, &[], setting, value)?;
        Ok(())
    }

    /// So many runs that differ in their seeds alone; `one` makes of a wish for several one for a
    /// single run.
    pub(crate) fn by_seed(&self, count: usize, one: impl Fn(&mut C)) -> Vec<Self> {
        let run = |number: u64| {
            let mut run = self.clone();
            run.train.seed = run.train.seed.wrapping_add(number);
            one(&mut run.task);
            run
        };
        (0..count as u64).map(run).collect()
    }

    /// Refuses to go on with this run under other settings, but for those that [may
    /// change](FREE_ON_RESUME).
    ///
    /// # Errors
    /// [`Error::Data`] naming those that may.
    pub fn check_resume(&self, with: &Self) -> Result<()> {
        let same = Self { train: with.train.with_free_of(&self.train), ..with.clone() };
        if same == *self {
            return with.check();
        }
        Err(Error::Data(format!(
            "a run that goes on keeps its settings: only {} can be given anew; start a new run \
             for the rest",
            in_words(&FREE_ON_RESUME)
        )))
    }

    /// The settings of a run folder, or of the first of several runs in a folder; none: it is
    /// neither.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn of_folder(path: &Path) -> Result<Option<Self>> {
        let own = RunFolder::settings_path(path);
        let first = RunFolder::settings_path(&path.join("1"));
        let found = [own, first].into_iter().find(|path| path.exists());
        found.map(|path| Self::read(&path)).transpose()
    }

    /// A folder for one of several runs: a new one, or one in which a run of these settings goes
    /// on.
    ///
    /// # Errors
    /// If it holds a run of other settings, or cannot be used.
    pub fn folder(&self, path: &Path, force: bool) -> Result<RunFolder> {
        let (file, toml) = (RunFolder::settings_path(path), self.to_toml()?);
        if force || !file.exists() {
            return RunFolder::create(path, toml, force);
        }
        if Self::read(&file)?.to_toml()? != toml {
            return Err(Error::Data(format!(
                "{} has other settings; replace the runs, or choose another folder",
                file.display()
            )));
        }
        RunFolder::resume(path, toml)
    }

    /// Gives the network another hidden size; what the task binds to it follows.
    pub fn set_hidden(&mut self, hidden: usize) {
        self.train.hidden = hidden;
        C::follow_hidden(self);
    }

    /// A name for the folder of such a run: that of the first of the data, or of the task.
    pub fn name(&self) -> String {
        match self.data.paths.first() {
            None => self.task.run_name(),
            Some(path) if path.as_os_str() == "-" => "stdin".to_owned(),
            Some(path) => path.file_stem().map_or_else(
                || C::TASK.name().to_owned(),
                |stem| stem.to_string_lossy().into_owned(),
            ),
        }
    }
}

/// The task of a settings file.
///
/// # Errors
/// If the file cannot be read, is no settings file, or names a task that does not exist.
pub fn task_of(path: &Path) -> Result<TaskName> {
    #[derive(Deserialize)]
    struct Named {
        task: String,
    }
    let text = fs::read_to_string(path).map_err(Error::io("read", path))?;
    let named: Named = toml::from_str(&text)
        .map_err(|e| Error::Settings { path: path.to_owned(), source: Box::new(e) })?;
    TaskName::from_name(&named.task).ok_or_else(|| {
        let all = TaskName::ALL.map(TaskName::name).join(", ");
        Error::Data(format!(
            "{}: unknown task `{}`; expected one of {all}",
            path.display(),
            named.task
        ))
    })
}

impl<C: TaskConfig> Serialize for RunSettings<C> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("task", C::TASK.name())?;
        map.serialize_entry("train", &self.train)?;
        map.serialize_entry(C::TASK.name(), &self.task)?;
        if self.data != DataConfig::default() {
            map.serialize_entry("data", &self.data)?;
        }
        map.end()
    }
}

/// A settings file as it stands: its tables by the names above, the task's by [`TaskConfig::TASK`].
struct Stored<C>(RunSettings<C>);

impl<'de, C: TaskConfig> Deserialize<'de> for Stored<C> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Tables(PhantomData))
    }
}

struct Tables<C>(PhantomData<C>);

impl<'de, C: TaskConfig> Visitor<'de> for Tables<C> {
    type Value = Stored<C>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the settings of a run of the task `{}`", C::TASK)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Stored<C>, A::Error> {
        let mut run = RunSettings::<C>::default();
        while let Some(key) = map.next_key::<Key<C>>()? {
            match key {
                Key::Task => {
                    map.next_value::<Name<C>>()?;
                }
                Key::Train => run.train = map.next_value()?,
                Key::Own(_) => run.task = map.next_value()?,
                Key::Data => run.data = map.next_value()?,
            }
        }
        Ok(Stored(run))
    }
}

/// A key of a settings file.
enum Key<C> {
    Task,
    Train,
    Own(PhantomData<C>),
    Data,
}

impl<'de, C: TaskConfig> Deserialize<'de> for Key<C> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match String::deserialize(deserializer)?.as_str() {
            "task" => Ok(Self::Task),
            "train" => Ok(Self::Train),
            "data" => Ok(Self::Data),
            own if own == C::TASK.name() => Ok(Self::Own(PhantomData)),
            other if TaskName::from_name(other).is_some() => Err(de::Error::custom(format!(
                "the settings are of the task `{other}`, expected `{}`",
                C::TASK
            ))),
            other => Err(de::Error::custom(format!(
                "unknown field `{other}`, expected one of `task`, `train`, `{}`, `data`",
                C::TASK
            ))),
        }
    }
}

/// The name of this task, so that a settings file of another is refused.
struct Name<C>(PhantomData<C>);

impl<'de, C: TaskConfig> Deserialize<'de> for Name<C> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match String::deserialize(deserializer)? {
            name if name == C::TASK.name() => Ok(Self(PhantomData)),
            other => Err(de::Error::custom(format!(
                "the settings are of the task `{other}`, expected `{}`",
                C::TASK
            ))),
        }
    }
}
