//! Against PyTorch: outputs, states, every gradient and training steps, from `testdata/golden` (see
//! the README there).
use crate::support::{device, values};
use burn::module::{Module, Param};
use burn::nn::loss::{MseLoss, Reduction};
use burn::optim::{AdamWConfig, GradientsParams};
use burn::tensor::{Tensor, TensorData};
use files::{Golden, Tensors, Test, files, wide};
use gruvy::nn::{Key, Recurrent, RecurrentConfig};

#[path = "../../../../testdata/golden/mod.rs"]
mod files;

/// A tensor of a file.
fn tensor<const D: usize>(golden: &Golden, name: &str) -> Tensor<D> {
    Tensor::from_data(data(golden, name).expect(name), &device())
}

fn data(golden: &Golden, name: &str) -> Option<TensorData> {
    let values = golden.tensors.get(name)?.clone();
    Some(TensorData::new(values, golden.shapes[name].clone()))
}

/// Outputs, final states and every gradient of one file.
fn pass(golden: &Golden, batch_first: bool) -> Tensors {
    let rnn = RecurrentConfig::new(golden.size("input_size"), golden.size("hidden_size"))
        .with_num_layers(golden.layers())
        .with_bidirectional(golden.flag("bidirectional"))
        .with_bias(golden.flag("bias"))
        .with_batch_first(batch_first)
        .with_cell(golden.cell())
        .with_layer_norm(golden.flag("layer_norm"))
        .init(Key::new(1), &device())
        .load_parameters(|name| data(golden, name));
    let flip = |v: Tensor<3>| if batch_first { v.swap_dims(0, 1) } else { v };

    let x = tensor::<3>(golden, "x").require_grad();
    let h0 = tensor::<3>(golden, "h0").require_grad();
    let (y, state) = rnn.forward(flip(x.clone()), Some(h0.clone()), golden.lengths(), None);
    let y = flip(y);
    let mut results = Tensors::from([
        ("output".to_string(), wide(&values(&y))),
        ("h_n".to_string(), wide(&values(&state))),
    ]);
    let loss = (y * tensor(golden, "dy")).sum() + (state * tensor(golden, "dh_n")).sum();
    let grads = loss.backward();
    let mut gradients = parameter_gradients(&rnn, &grads);
    gradients.push(("x".to_string(), values(&x.grad(&grads).expect("dx"))));
    gradients.push(("h0".to_string(), values(&h0.grad(&grads).expect("dh0"))));
    results.extend(gradients.iter().map(|(name, d)| (format!("grad.{name}"), wide(d))));
    results
}

/// The gradient of every parameter under its name.
fn parameter_gradients(
    gru: &Recurrent,
    grads: &burn::tensor::Gradients,
) -> Vec<(String, Vec<f32>)> {
    fn gradient<const D: usize>(p: &Param<Tensor<D>>, grads: &burn::tensor::Gradients) -> Vec<f32> {
        values(&p.grad(grads).expect("a gradient"))
    }
    let layers = gru.layers.iter().flat_map(|layer| {
        let matrices = [Some(&layer.weight_ih), layer.weight_hh.as_ref()].into_iter().flatten();
        let vectors = [&layer.bias_ih, &layer.bias_hh, &layer.gain_ih, &layer.gain_hh];
        let vectors = vectors.into_iter().flatten().map(|p| gradient(p, grads));
        matrices.map(|p| gradient(p, grads)).chain(vectors)
    });
    gru.parameters().map(|(name, _)| name).zip(layers).collect()
}

#[test]
fn passes_agree_with_pytorch() {
    for golden in files(Test::Modules) {
        let tolerances = golden.tolerances();
        tolerances.check("time first", &pass(&golden, false));
        tolerances.check("batch first", &pass(&golden, true));
    }
}

/// A layer and a linear head.
#[derive(Module, Debug)]
struct Model {
    rnn: Recurrent,
    /// `[O, H]`, `[O]`
    weight: Param<Tensor<2>>,
    bias: Param<Tensor<1>>,
}

#[test]
fn trainings_agree_with_pytorch() {
    for golden in files(Test::Training) {
        golden.tolerances().check("training", &train(&golden));
    }
}

/// The losses before each step, and the parameters after the last.
fn train(golden: &Golden) -> Tensors {
    let rnn = RecurrentConfig::new(golden.size("input_size"), golden.size("hidden_size"))
        .with_cell(golden.cell())
        .init(Key::new(1), &device())
        .load_parameters(|name| data(golden, &format!("rnn.{name}")));
    let mut model = Model {
        rnn,
        weight: Param::from_tensor(tensor(golden, "head.weight")),
        bias: Param::from_tensor(tensor(golden, "head.bias")),
    };
    let mut optimizer = AdamWConfig::new()
        .with_beta_1(golden.number("beta_1") as f32)
        .with_beta_2(golden.number("beta_2") as f32)
        .with_epsilon(golden.number("eps") as f32)
        .with_weight_decay(golden.number("weight_decay") as f32)
        .init();
    let mut losses = Vec::new();
    for _ in 0..golden.size("steps") {
        let (y, _) = model.rnn.forward(tensor(golden, "x"), None, None, None);
        let weight = model.weight.val().transpose().unsqueeze();
        let y = y.matmul(weight) + model.bias.val().unsqueeze();
        let loss = MseLoss::new().forward(y, tensor(golden, "target"), Reduction::Mean);
        losses.extend(wide(&values(&loss)));
        let grads = GradientsParams::from_grads(loss.backward(), &model);
        model = optimizer.step(golden.number("lr"), model, grads);
    }
    let mut results = Tensors::from([
        ("losses".to_string(), losses),
        ("final.head.weight".to_string(), wide(&values(&model.weight))),
        ("final.head.bias".to_string(), wide(&values(&model.bias))),
    ]);
    for (name, data) in model.rnn.parameters() {
        let values = data.try_to_vec::<f32>().expect("f32");
        results.insert(format!("final.rnn.{name}"), wide(&values));
    }
    results
}
