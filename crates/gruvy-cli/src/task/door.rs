//! What the command asks of a task.

use crate::screen::{Screen, me, quoted};
use anyhow::Result;
use clap::Args;
use gruvy::settings::TaskConfig;
use gruvy::train::RunFolder;
use gruvy_runtime::model::ModelFile;
use serde::Serialize;
use serde_json::json;
use std::fmt::Debug;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// A task on the command line.
pub trait Task: Sized + Send + Sync + Debug + 'static {
    /// Its settings.
    type Config: TaskConfig;
    /// What `gruvy eval` takes for its models.
    type Eval: Args;
    /// What is said of a run beside its metrics; `()` if nothing is.
    type Report: Serialize + Debug;
    /// What `gruvy train TASK` does.
    const ABOUT: &'static str;
    /// The heading of its settings in help texts.
    const HEADING: &'static str;
    /// What its data are; none: it makes its own.
    const DATA: Option<&'static str>;
    /// What can be done with a model: a word for it, and the subcommand.
    const USE: [&'static str; 2];
    /// What one of several runs is called.
    const MEMBER: &'static str = "member";
    /// Its demo, if it has one.
    const DEMO: Option<Demo> = None;

    /// What is said of a run beside its metrics; puts its files into the folder.
    ///
    /// # Errors
    /// When something cannot be computed or written.
    fn report(
        _task: &<Self::Config as TaskConfig>::Task,
        _folder: &RunFolder,
        _screen: &Screen,
    ) -> Result<Option<Self::Report>> {
        Ok(None)
    }

    /// The same in words.
    fn in_words(_report: &Self::Report) -> String {
        String::new()
    }

    /// What is said of several runs together; `of` so many are asked for.
    ///
    /// # Errors
    /// When it cannot be shown.
    fn report_all(
        all: &[Member<Self::Report>],
        of: usize,
        folder: &Path,
        screen: &Screen,
    ) -> Result<()> {
        let losses = all.iter().filter_map(|member| member.outcome.valid.as_ref()?.get("loss"));
        let losses: Vec<String> = losses.map(|loss| format!("{loss:.4}")).collect();
        let [verb, command] = Self::USE;
        let words = || {
            format!(
                "{} of {of} {}s, validation loss {}\n{verb:<11} {} {command} {}",
                all.len(),
                Self::MEMBER,
                losses.join(", "),
                me(),
                quoted(folder)
            )
        };
        let outcomes = || all.iter().map(|member| json!(member.outcome)).collect::<Vec<_>>();
        screen.result(|| json!({ "ensemble": folder, "outcomes": outcomes() }), words)
    }

    /// `gruvy eval`
    ///
    /// # Errors
    /// When the data cannot be read or the model cannot be measured on them.
    fn eval(asked: Asked<'_>, flags: Self::Eval, screen: &Screen) -> Result<()>;
}

/// A demo: shows the task at work.
pub type Demo = fn(Option<u64>, &Screen) -> Result<ExitCode>;

/// One of several runs that are done.
pub struct Member<R> {
    /// How it ended.
    pub outcome: gruvy::train::Outcome,
    /// What [`Task::report`] gave.
    pub report: Option<R>,
}

/// What `gruvy eval` is asked.
pub struct Asked<'a> {
    /// Run folder or model file, as typed.
    pub path: &'a Path,
    /// The model.
    pub model: &'a ModelFile,
    /// The data; may be empty.
    pub data: &'a [PathBuf],
    /// The seed, if one was given.
    pub seed: Option<u64>,
}
