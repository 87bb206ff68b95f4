//! Where the time of one training step goes, at the size of a character model: medians of seven.
//!
//! ```text
//! cargo run --release -p gruvy --example profile_step -- 0.2       dropout; 0 if left out
//! ```
#![allow(clippy::unwrap_used)]
use burn::{
    module::Module,
    optim::{AdamWConfig, GradientsParams},
    tensor::{Device, Int, Tensor, TensorData},
};
use gruvy::{
    nn::{Key, SequenceModel},
    ops::{Dropout, Head, linear_cross_entropy},
    train::TrainConfig,
};
use gruvy_runtime as runtime;
use std::time::Instant;

const BATCH: usize = 64;
const SEQ_LEN: usize = 128;
const VOCAB: usize = 65;
const HIDDEN: usize = 512;

/// Times by name, in the order in which the names were first heard.
#[derive(Default)]
struct Laps(Vec<(&'static str, Vec<f64>)>);

impl Laps {
    fn add(&mut self, clock: &mut Instant, name: &'static str) {
        let ms = clock.elapsed().as_secs_f64() * 1e3;
        match self.0.iter_mut().find(|(known, _)| *known == name) {
            Some((_, all)) => all.push(ms),
            None => self.0.push((name, vec![ms])),
        }
        *clock = Instant::now();
    }
}

fn ids(factor: usize, device: &Device) -> Tensor<1, Int> {
    let id = |i: usize| ((i * factor + i / 7) % VOCAB) as i64;
    let ids: Vec<i64> = (0..BATCH * SEQ_LEN).map(id).collect();
    Tensor::from_data(TensorData::new(ids, [BATCH * SEQ_LEN]), device)
}

fn main() {
    let rate = std::env::args().nth(1).map_or(0.0, |a| a.parse().unwrap());
    let dropout = (rate > 0.0).then_some(Dropout { rate, seed: 1, period: None });
    let train = TrainConfig { hidden: HIDDEN, ..TrainConfig::default() };
    let input = runtime::model::Input::Embedding { vocab: VOCAB, dim: 128 };
    let head = runtime::model::Head::Linear { outputs: VOCAB };
    let device = Device::flex().autodiff();
    let mut model = SequenceModel::new(&input, &train.recurrent(128), &head, Key::new(1), &device);
    let mut optim = AdamWConfig::new().with_epsilon(1e-8).init();
    let mut laps = Laps::default();
    for _ in 0..7 {
        let mut clock = Instant::now();
        let mut lap = |name| laps.add(&mut clock, name);
        let (inputs, targets) = (ids(31, &device), ids(17, &device));
        lap("batch");
        let x = model.embed(inputs.clone(), BATCH);
        lap("embedding, forward");
        let (y, _) = model.rnn.forward(x, None, None, None);
        lap("recurrence, forward");
        let head = Head {
            x: y.reshape([SEQ_LEN * BATCH, HIDDEN]),
            dropout,
            weight: model.head.as_ref().unwrap().val(),
            bias: model.bias.val(),
            memory: model.rnn.memory.clone(),
        };
        let loss = linear_cross_entropy(head, targets, 0.0);
        lap("dropout, head and loss, forward and backward");
        let grads = loss.backward();
        lap("recurrence and embedding, backward");
        let grads = GradientsParams::from_grads(grads, &model);
        lap("gradients by parameter");
        model = optim.step(1e-3, model, grads);
        lap("AdamW");

        let x = model.embed(inputs, BATCH);
        let sum = x.sum();
        lap("(embedding forward again)");
        let _ = sum.backward();
        lap("embedding, backward (alone)");
    }
    println!("{} parameters", model.num_params());
    for (name, mut times) in laps.0 {
        times.sort_by(f64::total_cmp);
        println!("{:9.2} ms  {name}", times[times.len() / 2]);
    }
}
