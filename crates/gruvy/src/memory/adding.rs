//! The adding problem: a number from the last state.
use super::generator::Generator;
use crate::{
    error::Result,
    nn::{key::Key, loss::mean_squared_error, model::SequenceModel},
    settings::run::Metric,
    train::report::Metrics,
};
use burn::tensor::{Tensor, TensorData};
use gruvy_runtime::{
    Codec, TaskName,
    memory::{Adding, AddingExamples, evaluate_adding},
    model::{Input, Network},
};
use std::{ops::Range, sync::Arc};

impl Generator for Adding {
    const TASK: TaskName = TaskName::Adding;
    const METRICS: &'static [Metric] = &[
        Metric { name: "loss", title: "mse", decimals: 7 },
        Metric { name: "baseline", title: "baseline", decimals: 4 },
    ];
    const LENGTH: usize = 100;
    const CLASSES: bool = false;

    fn new(length: usize) -> Self {
        Adding { length }
    }

    fn check(&self) -> Result<()> {
        Ok(Adding::check(self)?)
    }

    fn codec(&self) -> Codec {
        Codec::Adding(*self)
    }

    fn shape(&self) -> (Input, usize) {
        (Input::Features { size: Adding::FEATURES }, 1)
    }

    fn loss(
        &self,
        model: &SequenceModel,
        seed: u64,
        rows: Range<u64>,
        _: f64,
        masks: Option<Key>,
    ) -> Tensor<1> {
        let AddingExamples { x, sums } = self.examples(seed, rows);
        let (batch, device) = (sums.len(), model.device());
        let x = TensorData::new(x, [self.length, batch, Adding::FEATURES]);
        let sums = TensorData::new(sums, [batch, 1]);
        let answers = model.last(Tensor::from_data(x, &device), None, masks);
        mean_squared_error(answers, Tensor::from_data(sums, &device))
    }

    fn train_metrics(&self, loss: f64) -> Metrics {
        self.metrics(loss)
    }

    fn evaluate(&self, network: &Arc<Network>, seed: u64, count: u64) -> Result<Metrics> {
        Ok(evaluate_adding(network, self, seed, count)?)
    }
}
