//! Where the time of one training step goes, at the size of a character model: medians of seven.
//!
//! ```text
//! cargo run --release -p gruvy --example profile_step -- 0.2       dropout; 0 if left out
//! ```
#![allow(clippy::unwrap_used)]
use burn::{
    module::Module,
    optim::{AdamWConfig, GradientsParams},
    tensor::{Device, Int, Tensor, TensorData, activation::log_softmax},
};
use gruvy::{nn::SequenceModel, train::TrainConfig};
use gruvy_runtime::{Head, Input};
use std::time::Instant;

fn main() {
    let (batch, seq_len, vocab) = (64, 128, 65);
    let dropout = std::env::args().nth(1).map_or(0.0, |a| a.parse().unwrap());
    let train = TrainConfig { hidden: 512, dropout, ..TrainConfig::default() };
    let (input, head) = (Input::Embedding { vocab, dim: 128 }, Head::Linear { outputs: vocab });
    let device = Device::flex().autodiff();
    let mut model = SequenceModel::new(&input, &train.recurrent(128), &head, &device);
    let mut optim = AdamWConfig::new().with_epsilon(1e-8).init();
    let ids = |m: usize| {
        let v: Vec<i64> = (0..batch * seq_len).map(|i| ((i * m + i / 7) % vocab) as i64).collect();
        Tensor::<1, Int>::from_data(TensorData::new(v, [batch * seq_len]), &device)
    };
    let mut times: Vec<(&str, Vec<f64>)> = Vec::new();
    for _ in 0..7 {
        let mut clock = Instant::now();
        let mut lap = |name: &'static str| {
            let t = clock.elapsed().as_secs_f64() * 1e3;
            match times.iter_mut().find(|(n, _)| *n == name) {
                Some((_, v)) => v.push(t),
                None => times.push((name, vec![t])),
            }
            clock = Instant::now();
        };
        let (inputs, targets) = (ids(31), ids(17));
        lap("batch");
        let x = model.embed(inputs.clone(), batch);
        lap("embedding forward");
        let (y, _) = model.rnn.forward(x.clone(), None, None);
        lap("recurrence forward");
        let d = gruvy::nn::dropout(&model.dropout, y.clone()).reshape([seq_len * batch, 512]);
        lap("dropout forward");
        let logits =
            d.matmul(model.head.as_ref().unwrap().val().transpose()) + model.bias.val().unsqueeze();
        lap("head forward");
        let loss =
            log_softmax(logits, 1).gather(1, targets.reshape([batch * seq_len, 1])).mean().neg();
        lap("softmax and loss forward");
        let grads = loss.backward();
        lap("backward, all");
        let grads = GradientsParams::from_grads(grads, &model);
        lap("gradients by parameter");
        model = optim.step(1e-3, model, grads);
        lap("adamw");

        // The head, softmax and loss backward on their own.
        let y = Tensor::<3>::from_inner(y.inner()).require_grad();
        let d = gruvy::nn::dropout(&model.dropout, y).reshape([seq_len * batch, 512]);
        let logits =
            d.matmul(model.head.as_ref().unwrap().val().transpose()) + model.bias.val().unsqueeze();
        let loss =
            log_softmax(logits, 1).gather(1, ids(17).reshape([batch * seq_len, 1])).mean().neg();
        lap("(head, softmax, loss, dropout forward again)");
        let _ = loss.backward();
        lap("of backward: head, softmax, loss, dropout");
        let x = model.embed(inputs, batch);
        let l = (x.clone() * x).sum();
        lap("(embedding forward again)");
        let _ = l.backward();
        lap("of backward: embedding (and a product)");
    }
    println!("{} parameters", model.num_params());
    for (name, mut v) in times {
        v.sort_by(f64::total_cmp);
        println!("{:9.2} ms  {name}", v[v.len() / 2]);
    }
}
