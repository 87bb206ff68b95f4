//! The memory tasks as the training loop sees them.
use super::config::MemoryConfig;
use super::generator::Generator;
use crate::{
    error::{Error, Result},
    nn::{key::Key, model::SequenceModel},
    settings::run::{Metric, RunSettings, TaskConfig},
    train::{
        config::{MOST, TrainConfig, at_most},
        report::Metrics,
        size::Size,
        task::{Carry, Part, Position, Task},
    },
};
use burn::tensor::{Device, Tensor};
use gruvy_runtime::Remark;
use gruvy_runtime::{
    Codec, TaskName,
    memory::TEST_SEED,
    model::{Head, ModelFile, Network, Spec, Trained},
    random::mix,
};
use serde_json::Value;
use std::{fmt::Debug, sync::Arc};

/// The seed of the sequences that are validated on.
const VALID_SEED: u64 = TEST_SEED + 1;

/// A memory task ready to train on.
#[derive(Debug)]
pub struct MemoryTask<G> {
    run: RunSettings<MemoryConfig<G>>,
    generator: G,
}

impl<G: Generator> MemoryTask<G> {
    pub(super) fn new(mut run: RunSettings<MemoryConfig<G>>) -> Self {
        let length = run.task.length;
        // What must be remembered is known here. Below three steps there is nothing to set.
        run.train.chrono.get_or_insert(if length < 3 { 0 } else { length });
        Self { run, generator: G::new(length) }
    }

    /// The settings, with the `chrono` that was chosen.
    pub fn run(&self) -> &RunSettings<MemoryConfig<G>> {
        &self.run
    }
}

impl<G: Generator> TaskConfig for MemoryConfig<G> {
    const TASK: TaskName = G::TASK;
    const UNIT: &'static str = "sequences";
    const METRICS: &'static [Metric] = G::METRICS;
    type Task = MemoryTask<G>;

    /// Nothing against overfitting, as there is none; and patience, as the loss rests at its
    /// baseline before it falls.
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
        let sizes = [
            ("train_size", task.train_size),
            ("valid_size", task.valid_size),
            ("test_size", task.test_size),
        ];
        at_most(&sizes, MOST)?;
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

impl<G: Generator> Task for MemoryTask<G> {
    type Model = SequenceModel;

    fn notes(&self) -> &[Remark] {
        &[]
    }

    fn fingerprint(&self) -> String {
        let MemoryConfig { length, train_size, valid_size, test_size, .. } = self.run.task;
        format!("{} {length}: {train_size}/{valid_size}/{test_size}", G::TASK)
    }

    fn init(&self, key: Key, device: &Device) -> SequenceModel {
        let (input, outputs) = self.generator.shape();
        let rnn = self.run.train.recurrent(input.width());
        SequenceModel::new(&input, &rnn, &Head::Linear { outputs }, key, device)
    }

    fn steps_per_epoch(&self) -> u64 {
        self.run.task.train_size.div_ceil(self.run.train.batch) as u64
    }

    fn endless(&self) -> bool {
        true
    }

    fn units_per_step(&self) -> u64 {
        self.run.train.batch as u64
    }

    fn loss(&self, model: &SequenceModel, at: Position, _: &mut Carry) -> Tensor<1> {
        let train = &self.run.train;
        let seed = mix(at.epoch_seed, at.step);
        let rows = 0..train.batch as u64;
        self.generator.loss(model, seed, rows, train.label_smoothing, Some(at.masks))
    }

    fn train_metrics(&self, loss: f64) -> Metrics {
        self.generator.train_metrics(loss)
    }

    /// By the runtime, as anyone who uses the model would measure it.
    fn evaluate(&self, model: &SequenceModel, _: &Codec, part: Part) -> Result<Option<Metrics>> {
        let (seed, count) = match part {
            Part::Train => return Ok(None),
            Part::Valid => (VALID_SEED, self.run.task.valid_size),
            Part::Test => (TEST_SEED, self.run.task.test_size),
        };
        if count == 0 {
            return Ok(None);
        }
        let network = Arc::new(Network::from_tensors(&model.spec(), &model.tensors())?);
        self.generator.evaluate(&network, seed, count as u64).map(Some)
    }

    fn size(&self) -> Option<Size> {
        let (input, outputs) = self.generator.shape();
        let rnn = self.run.train.recurrent(input.width()).spec();
        let spec = Spec { input, rnn, pool: None, head: Head::Linear { outputs }, decoder: None };
        Some(Size { spec, batch: self.run.train.batch, seq_len: self.run.task.length })
    }

    fn settings(&self) -> Value {
        self.run.bound()
    }

    fn fresh_codec(&self) -> Codec {
        self.generator.codec()
    }

    fn export(&self, model: &SequenceModel, codec: Codec, trained: Trained) -> ModelFile {
        let source = Value::Null;
        ModelFile { spec: model.spec(), codec, source, trained, tensors: model.tensors() }
    }

    fn import(&self, file: &ModelFile, device: &Device) -> Result<SequenceModel> {
        self.init(Key::new(file.trained.seed), device).with_tensors(file)
    }
}
