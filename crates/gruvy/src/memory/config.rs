//! Settings of the memory tasks.
use super::task::{Generator, MemoryTask};
use crate::{
    error::{Error, Result},
    settings::run::{Metric, RunSettings, TaskConfig},
    train::config::TrainConfig,
};
use gruvy_data::settings;
use gruvy_data::settings::Kind;
use gruvy_runtime::TaskName;
use gruvy_runtime::memory::{Adding, Copying};
use std::marker::PhantomData;

settings! {
    /// Settings of a memory task. The `[adding]` or `[copy]` table of `run.toml`.
    #[serde(bound = "G: Generator")]
    pub struct MemoryConfig<G: Generator> {
        /// `T`: the steps of a sequence (adding), or of the pause (copy).
        length: usize = G::LENGTH, Kind::Whole(1), "T", "Steps over which must be remembered";
        train_size: usize = 10_000, Kind::Whole(1), "N", "Sequences of an epoch, made afresh each time";
        valid_size: usize = 500, Kind::Whole(1), "N", "Sequences to validate on";
        test_size: usize = 1000, Kind::Whole(0), "N", "Sequences to test on";
        /// Which task.
        #[serde(skip)]
        generator: PhantomData<G> = PhantomData;
    }
}

/// Settings of the adding problem.
pub type AddingConfig = MemoryConfig<Adding>;
/// All settings of a run of the adding problem.
pub type AddingRun = RunSettings<AddingConfig>;
/// Settings of copying.
pub type CopyConfig = MemoryConfig<Copying>;
/// All settings of a run of copying.
pub type CopyRun = RunSettings<CopyConfig>;

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
