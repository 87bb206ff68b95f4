//! Copying: a label at every step.
use super::generator::Generator;
use crate::{
    error::Result,
    nn::{key::Key, model::SequenceModel},
    settings::run::Metric,
    train::report::Metrics,
};
use burn::tensor::{Int, Tensor, TensorData};
use gruvy_runtime::{
    Codec, TaskName,
    memory::{CopyExamples, Copying, evaluate_copying},
    model::{Input, Network},
};
use std::{ops::Range, sync::Arc};

/// `E`, numbers in a symbol's embedding: as many as there are symbols.
const EMBED: usize = Copying::SYMBOLS;

impl Generator for Copying {
    const TASK: TaskName = TaskName::Copy;
    const METRICS: &'static [Metric] = &[
        Metric { name: "loss", title: "nats", decimals: 6 },
        Metric { name: "accuracy", title: "accuracy", decimals: 4 },
        Metric { name: "baseline", title: "baseline", decimals: 6 },
    ];
    const LENGTH: usize = 50;
    const CLASSES: bool = true;

    fn new(length: usize) -> Self {
        Copying { length }
    }

    fn check(&self) -> Result<()> {
        Ok(Copying::check(self)?)
    }

    fn codec(&self) -> Codec {
        Codec::Copy(*self)
    }

    fn shape(&self) -> (Input, usize) {
        (Input::Embedding { vocab: Copying::SYMBOLS, dim: EMBED }, Copying::SYMBOLS)
    }

    fn loss(
        &self,
        model: &SequenceModel,
        seed: u64,
        rows: Range<u64>,
        smoothing: f64,
        masks: Option<Key>,
    ) -> Tensor<1> {
        let batch = (rows.end - rows.start) as usize;
        let CopyExamples { x, targets } = self.examples(seed, rows);
        let symbols = |symbols: Vec<u32>| -> Tensor<1, Int> {
            let symbols: Vec<i64> = symbols.into_iter().map(i64::from).collect();
            let count = symbols.len();
            Tensor::from_data(TensorData::new(symbols, [count]), &model.device())
        };
        let x = model.embed(symbols(x), batch);
        model.every_loss(x, None, symbols(targets), smoothing, masks).0
    }

    fn train_metrics(&self, loss: f64) -> Metrics {
        self.metrics(loss, None)
    }

    fn evaluate(&self, network: &Arc<Network>, seed: u64, count: u64) -> Result<Metrics> {
        Ok(evaluate_copying(network, self, seed, count)?)
    }
}
