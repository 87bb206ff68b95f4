//! What a run tells about itself: while it goes on, to an [`Observer`]; at the end, in an
//! [`Outcome`].
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Named numbers, `loss` among them. Losses are in nats.
pub type Metrics = BTreeMap<String, f64>;

/// What is going to happen, known before the first step.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Plan {
    /// Optimizer steps of the whole run.
    pub steps: u64,
    /// Optimizer steps of one epoch.
    pub steps_per_epoch: u64,
    /// Steps between evaluations.
    pub eval_every: u64,
    /// Units (tokens, windows) a step learns from.
    pub units_per_step: u64,
    /// Numbers in the model that are learned.
    pub parameters: u64,
    /// Steps done already, when a run goes on.
    pub done: u64,
}

/// One optimizer step.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Step {
    /// Optimizer steps done, this one included.
    pub step: u64,
    /// Training loss of this batch.
    pub loss: f64,
    /// Learning rate used.
    pub lr: f64,
    /// Global norm of the gradient before clipping.
    pub grad_norm: f64,
    /// Training time so far, resumed time included.
    pub elapsed_s: f64,
}

/// One evaluation: a line of `metrics.jsonl`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Record {
    /// Optimizer steps done.
    pub step: u64,
    /// Passes over the training data, with the fraction of the current one.
    pub epoch: f64,
    /// Learning rate of the last step.
    pub lr: f64,
    /// Mean over the training batches since the evaluation before (dropout on).
    pub train: Metrics,
    /// Over the validation data, if there are any (dropout off).
    pub valid: Option<Metrics>,
    /// Whether validation is the best so far, and `model.safetensors` is this model.
    pub best: bool,
    /// Time so far, resumed time included. This and `train_s` are all that two equal runs differ
    /// in.
    pub elapsed_s: f64,
    /// Of it, the time in optimizer steps: without evaluating, saving and drawing.
    #[serde(default)]
    pub train_s: f64,
}

/// Why a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Ended {
    /// All epochs are done.
    Epochs,
    /// Validation did not improve for `patience` evaluations.
    Patience,
    /// `max_minutes` are over; the run can be resumed.
    Time,
    /// The stop flag was raised; the run can be resumed.
    Stopped,
}

/// What a run came to.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Outcome {
    /// Why it ended.
    pub ended: Ended,
    /// Optimizer steps done.
    pub steps: u64,
    /// Time of the run, resumed time included.
    pub elapsed_s: f64,
    /// Of it, the time in optimizer steps.
    pub train_s: f64,
    /// The step that `model.safetensors` holds.
    pub model_step: u64,
    /// Validation metrics of `model.safetensors`, if there are validation data.
    pub valid: Option<Metrics>,
    /// Test metrics of `model.safetensors`, if there are test data and the run is complete.
    pub test: Option<Metrics>,
}

/// Watches a run. Every method does nothing unless written.
pub trait Observer {
    /// Before the first step.
    fn started(&mut self, _plan: &Plan) {}
    /// Something a person should know, in one sentence: about the data, or about overfitting.
    fn note(&mut self, _text: &str) {}
    /// After each optimizer step.
    fn step(&mut self, _step: &Step) {}
    /// After each evaluation.
    fn evaluated(&mut self, _record: &Record) {}
    /// After each checkpoint: nothing before this step can be lost any more.
    fn saved(&mut self, _step: u64) {}
}

/// Watches nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Observer for Silent {}
