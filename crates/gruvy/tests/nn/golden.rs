//! Against PyTorch: outputs, states, every gradient and ten training steps, from `testdata/golden`.
use crate::support::{assert_close, device, values};
use burn::module::{Module, Param};
use burn::nn::loss::{MseLoss, Reduction};
use burn::optim::{AdamWConfig, GradientsParams};
use burn::tensor::{Tensor, TensorData};
use gruvy::nn::{Cell, Key, Recurrent, RecurrentConfig};
use safetensors::{Dtype, SafeTensors};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// A file of golden vectors: its settings and its tensors.
struct Golden {
    settings: serde_json::Value,
    tensors: BTreeMap<String, TensorData>,
    lengths: Vec<usize>,
}

impl Golden {
    fn read(path: &PathBuf) -> Self {
        let bytes = std::fs::read(path).expect("the file");
        let (_, header) = SafeTensors::read_metadata(&bytes).expect("a header");
        let metadata = header.metadata().as_ref().expect("metadata");
        let mut golden = Self {
            settings: serde_json::from_str(&metadata["golden"]).expect("JSON"),
            tensors: BTreeMap::new(),
            lengths: Vec::new(),
        };
        for (name, view) in SafeTensors::deserialize(&bytes).expect("tensors").iter() {
            if view.dtype() == Dtype::I64 {
                let values = view.data().chunks_exact(8);
                let value = |c: &[u8]| i64::from_le_bytes(c.try_into().expect("8 bytes")) as usize;
                golden.lengths = values.map(value).collect();
                continue;
            }
            let values = view.data().chunks_exact(4);
            let values: Vec<f32> =
                values.map(|c| f32::from_le_bytes(c.try_into().expect("4 bytes"))).collect();
            golden.tensors.insert(name.to_string(), TensorData::new(values, view.shape()));
        }
        golden
    }

    fn size(&self, name: &str) -> usize {
        self.settings[name].as_u64().expect(name) as usize
    }

    fn number(&self, name: &str) -> f64 {
        self.settings[name].as_f64().expect(name)
    }

    fn tensor<const D: usize>(&self, name: &str) -> Tensor<D> {
        Tensor::from_data(self.tensors[name].clone(), &device())
    }

    fn values(&self, name: &str) -> Vec<f32> {
        self.tensors[name].try_to_vec().expect("f32")
    }
}

/// The files whose names do, or do not, start so.
fn files(prefix: &str, wanted: bool) -> Vec<PathBuf> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../testdata/golden");
    let files = std::fs::read_dir(folder).expect("the folder of golden vectors");
    let mut files: Vec<_> = files.map(|file| file.expect("a file").path()).collect();
    files.retain(|path| {
        let name = path.file_name().expect("a name").to_string_lossy();
        name.starts_with(prefix) == wanted && name.ends_with(".safetensors")
    });
    files.sort();
    files
}

/// Outputs, final states and every gradient of one file.
fn check(golden: &Golden, batch_first: bool) {
    let name = golden.settings["name"].as_str().expect("a name");
    let flag = |key: &str| golden.settings[key].as_bool().expect("a flag");
    let cell = golden.settings["cell"].as_str().and_then(Cell::from_name).expect("a cell");
    let gru = RecurrentConfig::new(golden.size("input_size"), golden.size("hidden_size"))
        .with_num_layers(golden.size("num_layers"))
        .with_bidirectional(flag("bidirectional"))
        .with_bias(flag("bias"))
        .with_batch_first(batch_first)
        .with_cell(cell)
        .with_zoneout(golden.settings["zoneout"].as_f64().unwrap_or(0.0))
        .with_layer_norm(golden.settings["layer_norm"].as_bool().unwrap_or(false))
        .init(Key::new(1), &device())
        .load_parameters(|name| golden.tensors.get(name).cloned());
    let ragged = !golden.settings["lengths"].is_null();
    let lengths = ragged.then_some(golden.lengths.as_slice());
    let flip = |v: Tensor<3>| if batch_first { v.swap_dims(0, 1) } else { v };

    let x = golden.tensor::<3>("x").require_grad();
    let h0 = golden.tensor::<3>("h0").require_grad();
    let (y, state) = gru.forward(flip(x.clone()), Some(h0.clone()), lengths, None);
    let y = flip(y);
    assert_close(&format!("{name}: output"), &values(&y), &golden.values("output"), 1e-5);
    assert_close(&format!("{name}: h_n"), &values(&state), &golden.values("h_n"), 1e-5);

    let loss = (y * golden.tensor("dy")).sum() + (state * golden.tensor("dh_n")).sum();
    let grads = loss.backward();
    let mut got = vec![("x".to_string(), values(&x.grad(&grads).expect("dx")))];
    got.push(("h0".to_string(), values(&h0.grad(&grads).expect("dh0"))));
    got.extend(parameter_gradients(&gru, &grads));
    let want = golden.tensors.keys().filter(|name| name.starts_with("grad.")).count();
    assert_eq!(got.len(), want, "{name}: gradients");
    for (parameter, got) in got {
        let key = format!("grad.{parameter}");
        assert_close(&format!("{name}: {key}"), &got, &golden.values(&key), 1e-4);
    }
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
    let files = files("train_", false);
    let mut cells = BTreeMap::<String, usize>::new();
    for path in files {
        let golden = Golden::read(&path);
        if !golden.settings["noise_seed"].is_null() {
            continue; // Drawn with a seed that only the kernels' tests can give.
        }
        *cells.entry(golden.settings["cell"].to_string()).or_default() += 1;
        // What is drawn in training is not in these files: zoneout's mean is that of inference.
        if golden.settings["zoneout"].is_null() {
            check(&golden, false);
            check(&golden, true);
        }
    }
    assert_eq!(cells.len(), Cell::ALL.len(), "{cells:?}");
    assert!(cells.values().all(|count| *count >= 4), "{cells:?}");
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
fn ten_training_steps_agree_with_pytorch() {
    let files = files("train_", true);
    assert!(files.len() >= 5, "{files:?}");
    for path in files {
        train(&Golden::read(&path));
    }
}

fn train(golden: &Golden) {
    let cell = golden.settings["cell"].as_str().unwrap_or("gru");
    let rnn = RecurrentConfig::new(golden.size("input_size"), golden.size("hidden_size"))
        .with_cell(Cell::from_name(cell).expect("a cell"))
        .init(Key::new(1), &device())
        .load_parameters(|name| golden.tensors.get(&format!("rnn.{name}")).cloned());
    let mut model = Model {
        rnn,
        weight: Param::from_tensor(golden.tensor("head.weight")),
        bias: Param::from_tensor(golden.tensor("head.bias")),
    };
    let mut optimizer = AdamWConfig::new()
        .with_beta_1(golden.number("beta_1") as f32)
        .with_beta_2(golden.number("beta_2") as f32)
        .with_epsilon(golden.number("eps") as f32)
        .with_weight_decay(golden.number("weight_decay") as f32)
        .init();
    let mut losses = Vec::new();
    for _ in 0..golden.size("steps") {
        let (y, _) = model.rnn.forward(golden.tensor("x"), None, None, None);
        let weight = model.weight.val().transpose().unsqueeze();
        let y = y.matmul(weight) + model.bias.val().unsqueeze();
        let loss = MseLoss::new().forward(y, golden.tensor("target"), Reduction::Mean);
        losses.extend(values(&loss));
        let grads = GradientsParams::from_grads(loss.backward(), &model);
        model = optimizer.step(golden.number("lr"), model, grads);
    }
    assert_close("losses", &losses, &golden.values("losses"), 1e-4);
    for (name, data) in model.rnn.parameters() {
        let want = golden.values(&format!("final.rnn.{name}"));
        assert_close(&name, &data.try_to_vec::<f32>().expect("f32"), &want, 1e-4);
    }
    assert_close("head.weight", &values(&model.weight), &golden.values("final.head.weight"), 1e-4);
    assert_close("head.bias", &values(&model.bias), &golden.values("final.head.bias"), 1e-4);
}
