//! The two halves meet: what the loop asks of a task.
use super::{report::Metrics, size::Size};
use crate::{error::Result, nn::key::Key};
use burn::{
    module::Module,
    tensor::{Device, Tensor},
};
use gruvy_runtime::Codec;
use gruvy_runtime::Remark;
use gruvy_runtime::model::{ModelFile, Trained};
use serde_json::Value;

/// A part of the data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Learned from.
    Train,
    /// Looked at while learning: chooses the best model and stops early.
    Valid,
    /// Looked at once, at the end.
    Test,
}

impl Part {
    /// What it is called.
    pub fn name(self) -> &'static str {
        match self {
            Part::Train => "training",
            Part::Valid => "validation",
            Part::Test => "test",
        }
    }
}

/// A place in the training data: everything a batch may depend on.
#[derive(Clone, Copy, Debug)]
pub struct Position {
    /// Step within the epoch.
    pub step: u64,
    /// Seed of the epoch.
    pub epoch_seed: u64,
    /// Where the step's masks are drawn.
    pub masks: Key,
}

/// Tensors handed from one batch to the next within an epoch (hidden states `[L, B, H]`), without
/// their history. Empty at the start of an epoch. Checkpoints hold them.
pub type Carry = Vec<Tensor<3>>;

/// What validation shows of a model, and what is fitted to it.
#[derive(Clone, Debug)]
pub struct Validated {
    /// None if there is nothing to validate on.
    pub metrics: Option<Metrics>,
    /// Raw values to numbers and back, as the model needs it.
    pub codec: Codec,
}

/// The training half of a task: data, model, loss, metrics.
pub trait Task {
    /// The network with its head.
    type Model: Module;

    /// Sentences a person should read before training starts, about the data mostly.
    fn notes(&self) -> &[Remark];

    /// Changes whenever the data or the way they are cut into batches changes.
    fn fingerprint(&self) -> String;

    /// The model with fresh weights, drawn at `key`.
    fn init(&self, key: Key, device: &Device) -> Self::Model;

    /// Batches of one epoch.
    fn steps_per_epoch(&self) -> u64;

    /// Units (tokens, windows) in a training batch.
    fn units_per_step(&self) -> u64;

    /// Whether every batch is made afresh, so that nothing can be learned by heart.
    fn endless(&self) -> bool {
        false
    }

    /// Mean loss `[1]` of the training batch at `at`, with the graph that leads to it.
    fn loss(&self, model: &Self::Model, at: Position, carry: &mut Carry) -> Tensor<1>;

    /// Metrics that follow from a mean training loss, the loss itself among them as `loss`; the
    /// others finite.
    fn train_metrics(&self, loss: f64) -> Metrics;

    /// The settings of the task, from which its numbers follow: a run does not go on with others.
    fn settings(&self) -> Value;

    /// The codec of a model that was not trained: nothing in it is fitted to what the model
    /// answers.
    fn fresh_codec(&self) -> Codec;

    /// The metrics of the validation part, and the codec with all that is fitted to that part, such
    /// as a temperature. `model` has no graph.
    ///
    /// # Errors
    /// As [`Task::evaluate`].
    fn validate(&self, model: &Self::Model) -> Result<Validated> {
        let codec = self.fresh_codec();
        Ok(Validated { metrics: self.evaluate(model, &codec, Part::Valid)?, codec })
    }

    /// The validation loss of a model that knows only how frequent each answer is, in nats: what a
    /// model that has learned anything is below. None where that says nothing.
    fn floor(&self) -> Option<f64> {
        None
    }

    /// How large a training is; none: not known.
    fn size(&self) -> Option<Size> {
        None
    }

    /// Metrics of a part of the data, `loss` among them, the others finite; none if that part is
    /// empty. `model` has no graph, and answers through `codec`.
    ///
    /// # Errors
    /// If the model cannot be run, as its weights are not finite.
    fn evaluate(&self, model: &Self::Model, codec: &Codec, part: Part) -> Result<Option<Metrics>>;

    /// The model as a file for the runtime. `model` has no graph.
    fn export(&self, model: &Self::Model, codec: Codec, trained: Trained) -> ModelFile;

    /// The reverse of [`Task::export`].
    ///
    /// # Errors
    /// If the file holds a model of another shape.
    fn import(&self, file: &ModelFile, device: &Device) -> Result<Self::Model>;
}
