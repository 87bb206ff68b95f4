//! What the memory tasks differ in.
use crate::error::Result;
use crate::nn::{key::Key, model::SequenceModel};
use crate::settings::run::Metric;
use crate::train::report::Metrics;
use burn::tensor::Tensor;
use gruvy_runtime::model::{Input, Network};
use gruvy_runtime::{Codec, TaskName};
use std::{fmt::Debug, ops::Range, sync::Arc};

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

    /// Mean loss `[1]` over the sequences `rows` of a seed, with labels smoothed by `smoothing`;
    /// `masks` as for [`SequenceModel`].
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
