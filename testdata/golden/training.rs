//! The trainings of the files in `f64`: one layer, a linear head, mean squared error, AdamW.

use super::rounding::Rounding;
use super::{Golden, Tensors};
use gruvy_kernels::reference::{self, Params, Setup};
use gruvy_kernels::{Noise, Sequence};

const PARAMS: [&str; 6] = [
    "rnn.weight_ih_l0",
    "rnn.weight_hh_l0",
    "rnn.bias_ih_l0",
    "rnn.bias_hh_l0",
    "head.weight",
    "head.bias",
];

/// `losses` and every `final.*` from operands under the names of the files. What a step reads is
/// rounded first.
pub fn train(golden: &Golden, operands: &Tensors, rounding: &mut Rounding) -> Tensors {
    let mut params = PARAMS.map(|name| operands.get(name).cloned().unwrap_or_default());
    let [mut first, mut second] = [(); 2].map(|()| params.clone().map(|p| vec![0.0; p.len()]));
    let mut losses = Vec::new();
    for step in 1..=golden.size("steps") {
        params.iter_mut().for_each(|p| rounding.round(p));
        let [mut x, mut target] = ["x", "target"].map(|name| operands[name].clone());
        rounding.round(&mut x);
        rounding.round(&mut target);
        let (loss, grads) = gradients(golden, &params, &x, &target);
        losses.push(loss);
        for (i, grad) in grads.iter().enumerate() {
            adamw(golden, step as i32, &mut params[i], grad, [&mut first[i], &mut second[i]]);
        }
    }
    let finals = PARAMS.iter().zip(params).filter(|(_, values)| !values.is_empty());
    let mut results: Tensors =
        finals.map(|(name, values)| (format!("final.{name}"), values)).collect();
    results.insert("losses".into(), losses);
    results
}

/// The loss, and its gradients in the order of [`PARAMS`].
fn gradients(
    golden: &Golden,
    params: &[Vec<f64>; 6],
    x: &[f64],
    target: &[f64],
) -> (f64, [Vec<f64>; 6]) {
    let [seq_len, batch, input, hidden, outputs] =
        ["seq_len", "batch", "input_size", "hidden_size", "outputs"].map(|key| golden.size(key));
    let cell = golden.cell();
    let seq = Sequence { seq_len, batch, lengths: None, reverse: false };
    let noise = Noise::default();
    let setup = Setup { cell, seq, input, hidden, zoneout: 0.0, noise };
    let zeros = vec![0.0; batch * cell.states() * hidden];
    let [w_ih, w_hh, b_ih, b_hh, weight, bias] = params.clone();
    let p = Params { w_ih, w_hh, b_ih, b_hh, gain_ih: vec![], gain_hh: vec![] };
    let y = reference::forward(&setup, &p, x, &zeros).y;

    let (mut dy, mut dweight, mut dbias) =
        (vec![0.0; y.len()], vec![0.0; weight.len()], vec![0.0; outputs]);
    let mut loss = 0.0;
    for at in 0..seq_len * batch {
        let (y, dy) = (&y[at * hidden..][..hidden], &mut dy[at * hidden..][..hidden]);
        for o in 0..outputs {
            let row = &weight[o * hidden..][..hidden];
            let answer: f64 = row.iter().zip(y).map(|(w, y)| w * y).sum::<f64>() + bias[o];
            let error = answer - target[at * outputs + o];
            loss += error * error / target.len() as f64;
            let d = 2.0 * error / target.len() as f64;
            dbias[o] += d;
            for j in 0..hidden {
                dweight[o * hidden + j] += d * y[j];
                dy[j] += d * row[j];
            }
        }
    }
    let p = reference::backward(&setup, &p, x, &zeros, &dy, &zeros).params;
    (loss, [p.w_ih, p.w_hh, p.b_ih, p.b_hh, dweight, dbias])
}

/// One step (Loshchilov and Hutter, 1711.05101) of a parameter, with its moments.
fn adamw(
    golden: &Golden,
    step: i32,
    params: &mut [f64],
    grads: &[f64],
    [first, second]: [&mut [f64]; 2],
) {
    let [lr, beta_1, beta_2, eps, decay] =
        ["lr", "beta_1", "beta_2", "eps", "weight_decay"].map(|key| golden.number(key));
    let bias = [beta_1, beta_2].map(|beta| 1.0 - beta.powi(step));
    for (i, (p, d)) in params.iter_mut().zip(grads).enumerate() {
        first[i] += (1.0 - beta_1) * (d - first[i]);
        second[i] += (1.0 - beta_2) * (d * d - second[i]);
        let scale = (second[i] / bias[1]).sqrt() + eps;
        *p -= lr * (decay * *p + first[i] / bias[0] / scale);
    }
}
