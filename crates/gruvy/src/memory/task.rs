//! The memory tasks as the training loop sees them.
use super::config::MemoryConfig;
use crate::{
    error::Result,
    nn::{key::Key, model::SequenceModel},
    settings::run::{Metric, RunSettings},
    train::{
        report::Metrics,
        task::{Carry, Part, Position, Task},
    },
};
use burn::tensor::{Device, Tensor};
use gruvy_runtime::{
    Codec, TaskName,
    memory::TEST_SEED,
    model::{Head, Input, ModelFile, Network, Trained},
    random::mix,
};
use serde_json::{Value, json};
use std::{fmt::Debug, ops::Range, sync::Arc};

/// The seed of the sequences that are validated on.
const VALID_SEED: u64 = TEST_SEED + 1;

/// What distinguishes one memory task from another.
pub trait Generator: Copy + Debug + PartialEq {
    /// The task's name.
    const TASK: TaskName;
    /// The metrics that a person is shown.
    const METRICS: &'static [Metric];
    /// Default length.
    const LENGTH: usize;
    /// Whether the answer is one of several classes.
    const CLASSES: bool;

    /// Sequences of that length.
    fn new(length: usize) -> Self;

    /// Refuses an impossible length.
    ///
    /// # Errors
    /// A setting out of range.
    fn check(&self) -> Result<()>;

    /// The half that uses a model.
    fn codec(&self) -> Codec;

    /// What a model takes, and how many numbers it gives.
    fn shape(&self) -> (Input, usize);

    /// Mean loss `[1]` over the sequences `rows` of a seed, with labels smoothed by `smoothing`; `masks` as for
    /// [`SequenceModel`].
    fn loss(
        &self,
        model: &SequenceModel,
        seed: u64,
        rows: Range<u64>,
        smoothing: f64,
        masks: Option<Key>,
    ) -> Tensor<1>;

    /// Metrics that follow from a mean training loss.
    fn train_metrics(&self, loss: f64) -> Metrics;

    /// Metrics over the first `count` sequences of a seed.
    ///
    /// # Errors
    /// If the network is of another task.
    fn evaluate(&self, network: &Arc<Network>, seed: u64, count: u64) -> Result<Metrics>;
}

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

impl<G: Generator> Task for MemoryTask<G> {
    type Model = SequenceModel;

    fn notes(&self) -> &[String] {
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

    fn settings(&self) -> Value {
        json!(self.run.task)
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
