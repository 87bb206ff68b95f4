//! Settings of the memory tasks.
use super::task::{Generator, MemoryTask};
use crate::{
    error::{Error, Result},
    settings::run::{Metric, RunSettings, TaskConfig},
    train::config::TrainConfig,
};
use gruvy_runtime::TaskName;
use gruvy_runtime::memory::{Adding, Copying};
use serde::{Deserialize, Serialize};
use std::marker::PhantomData;

/// Settings of a memory task. The `[adding]` or `[copy]` table of `run.toml`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default, bound = "G: Generator")]
pub struct MemoryConfig<G> {
    /// `T`, how long must be remembered: the steps of a sequence (adding), or of the pause (copy).
    pub length: usize,
    /// Sequences of an epoch, made afresh each time.
    pub train_size: usize,
    /// Sequences to validate on.
    pub valid_size: usize,
    /// Sequences to test on.
    pub test_size: usize,
    /// Which task.
    #[serde(skip)]
    pub generator: PhantomData<G>,
}

/// Settings of the adding problem.
pub type AddingConfig = MemoryConfig<Adding>;
/// All settings of a run of the adding problem.
pub type AddingRun = RunSettings<AddingConfig>;
/// Settings of copying.
pub type CopyConfig = MemoryConfig<Copying>;
/// All settings of a run of copying.
pub type CopyRun = RunSettings<CopyConfig>;

impl<G: Generator> Default for MemoryConfig<G> {
    fn default() -> Self {
        Self {
            length: G::LENGTH,
            train_size: 10_000,
            valid_size: 500,
            test_size: 1000,
            generator: PhantomData,
        }
    }
}

impl<G: Generator> TaskConfig for MemoryConfig<G> {
    const TASK: TaskName = G::TASK;
    const UNIT: &'static str = "sequences";
    const METRICS: &'static [Metric] = G::METRICS;
    type Task = MemoryTask<G>;

    /// Nothing against overfitting, as there is none; and patience, as the loss rests at its baseline before
    /// it falls.
    fn train_defaults() -> TrainConfig {
        TrainConfig {
            hidden: 150,
            dropout: 0.0,
            batch: 20,
            epochs: 12,
            lr: 5e-3,
            weight_decay: 0.0,
            min_lr: 0.0,
            patience: 0,
            ..TrainConfig::default()
        }
    }

    fn run_name(&self) -> String {
        format!("{}-{}", G::TASK, self.length)
    }

    fn check(run: &RunSettings<Self>) -> Result<()> {
        let (train, task) = (&run.train, &run.task);
        G::new(task.length).check()?;
        for (name, value) in [("train_size", task.train_size), ("valid_size", task.valid_size)] {
            if value == 0 {
                return Err(Error::setting(name, value, "expected at least 1"));
            }
        }
        if train.train_fraction != 1.0 {
            let why = "this task makes fresh sequences for every step; train_size sets how many";
            return Err(Error::setting("train_fraction", train.train_fraction, why));
        }
        if train.label_smoothing != 0.0 && !G::CLASSES {
            let why = "this task answers with a number and has no labels to smooth";
            return Err(Error::setting("label_smoothing", train.label_smoothing, why));
        }
        if !run.data.paths.is_empty() {
            let why = format!("the task `{}` makes its own data and reads none", G::TASK);
            return Err(Error::setting("data.paths", run.data.paths[0].display(), why));
        }
        Ok(())
    }

    fn load(run: RunSettings<Self>) -> Result<MemoryTask<G>> {
        run.check()?;
        Ok(MemoryTask::new(run))
    }
}
