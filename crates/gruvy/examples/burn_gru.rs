//! `gruvy::nn::Recurrent` in the place of `burn::nn::gru::Gru`.
//!
//! Both layers get the same weights and give the same outputs; then gruvy's learns a small task
//! with Burn's own optimizer. Run it with `cargo run --release --example burn_gru`.
use burn::module::{Module, Param};
use burn::nn::gru::{Gru as BurnGru, GruConfig as BurnGruConfig};
use burn::nn::{Linear, LinearConfig, loss::MseLoss, loss::Reduction};
use burn::optim::{AdamWConfig, GradientsParams};
use burn::tensor::{Device, Distribution, Tensor};
use gruvy::nn::{Key, Recurrent, RecurrentConfig};
use std::time::Instant;

const INPUT: usize = 2;
const HIDDEN: usize = 32;

fn main() {
    let device = Device::flex().autodiff();
    device.seed(1);
    same_outputs(&device);
    adding_problem(&device);
}

/// The same weights, the same outputs.
fn same_outputs(device: &Device) {
    // Before: one gate is one pair of linear layers.
    //     let gru = BurnGruConfig::new(INPUT, HIDDEN, true).init(device);
    //     let y = gru.forward(x, None);
    // After: `with_batch_first` because Burn's takes [B, T, I]; the final state comes with the
    // outputs. The key is where the weights are drawn, the last argument where a training step
    // would draw dropout.     let config = RecurrentConfig::new(INPUT,
    // HIDDEN).with_batch_first(true);     let gru = config.init(Key::new(1), device);
    //     let (y, state) = gru.forward(x, None, None, None);
    let gru = RecurrentConfig::new(INPUT, HIDDEN).with_batch_first(true).init(Key::new(1), device);
    let burn = burn_gru_with_weights_of(&gru, device);

    let x = Tensor::<3>::random([16, 50, INPUT], Distribution::Normal(0.0, 1.0), device);
    let before = Instant::now();
    let theirs = burn.forward(x.clone(), None);
    let burn_ms = before.elapsed().as_secs_f64() * 1e3;
    let before = Instant::now();
    let (ours, _state) = gru.forward(x, None, None, None);
    let gruvy_ms = before.elapsed().as_secs_f64() * 1e3;

    let difference: f32 = (ours - theirs).abs().max().into_scalar();
    println!("same weights: outputs differ by at most {difference:.1e}");
    println!("one forward pass [16, 50, {INPUT}]: burn {burn_ms:.2} ms, gruvy {gruvy_ms:.2} ms");
    assert!(difference < 1e-5, "outputs differ by {difference}");
}

/// Burn's layer with gruvy's weights: the gates' rows cut apart and transposed.
fn burn_gru_with_weights_of(gru: &Recurrent, device: &Device) -> BurnGru {
    let weights = gru.layers[0].values();
    let linear =
        |linear: &mut Linear, weight: &Tensor<2>, bias: &Option<Tensor<1>>, gate: usize| {
            let weight = weight.clone().narrow(0, gate * HIDDEN, HIDDEN);
            linear.weight = Param::from_tensor(weight.transpose().detach());
            let bias = bias.clone().expect("a bias").narrow(0, gate * HIDDEN, HIDDEN);
            linear.bias = Some(Param::from_tensor(bias.detach()));
        };
    let mut burn = BurnGruConfig::new(INPUT, HIDDEN, true).init(device);
    let gates = [&mut burn.reset_gate, &mut burn.update_gate, &mut burn.new_gate];
    for (gate, burn) in gates.into_iter().enumerate() {
        let w_hh = weights.w_hh.as_ref().expect("a GRU's");
        linear(&mut burn.input_transform, &weights.w_ih, &weights.b_ih, gate);
        linear(&mut burn.hidden_transform, w_hh, &weights.b_hh, gate);
    }
    burn
}

/// A layer and a linear head on its final state.
#[derive(Module, Debug)]
struct Model {
    gru: Recurrent,
    head: Linear,
}

/// Ten numbers go by, two of them are marked; the answer is the sum of the two. Always answering 1
/// leaves an error of 1/6.
fn adding_problem(device: &Device) {
    let mut model = Model {
        gru: RecurrentConfig::new(INPUT, HIDDEN).with_batch_first(true).init(Key::new(1), device),
        head: LinearConfig::new(HIDDEN, 1).init(device),
    };
    let mut optimizer = AdamWConfig::new().init();
    let mut losses = Vec::new();
    for step in 0..400 {
        let (x, target) = adding_batch(64, 10, device);
        let (_, state) = model.gru.forward(x, None, None, None);
        let answer = model.head.forward(state.squeeze_dim::<2>(0));
        let loss = MseLoss::new().forward(answer, target, Reduction::Mean);
        losses.push(loss.clone().into_scalar::<f32>());
        let grads = GradientsParams::from_grads(loss.backward(), &model);
        model = optimizer.step(1e-2, model, grads);
        if step % 100 == 0 {
            println!("step {step:3}: error {:.4}", losses[step]);
        }
    }
    let mean = |losses: &[f32]| losses.iter().sum::<f32>() / losses.len() as f32;
    let end = mean(&losses[losses.len() - 20..]);
    println!("at the end: error {end:.4} (always answering 1: {:.4})", 1.0 / 6.0);
    assert!(end < 0.02, "the error should have fallen below 0.02, got {end}");
}

/// Numbers in [0, 1) and marks `[B, T, 2]`, and the sum of the two marked numbers `[B, 1]`.
fn adding_batch(batch: usize, seq_len: usize, device: &Device) -> (Tensor<3>, Tensor<2>) {
    let half = seq_len / 2;
    let numbers = Tensor::<2>::random([batch, seq_len], Distribution::Default, device);
    // One mark in each half: where a row of random numbers is largest.
    let mark = || {
        let draws = Tensor::<2>::random([batch, half], Distribution::Default, device);
        draws.clone().equal(draws.max_dim(1).expand([batch, half])).float()
    };
    let marks = Tensor::cat(vec![mark(), mark()], 1);
    let target = (numbers.clone() * marks.clone()).sum_dim(1);
    (Tensor::stack(vec![numbers, marks], 2), target)
}
