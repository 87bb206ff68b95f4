//! Pooling in training is pooling in the runtime, and its gradients are those of finite
//! differences.
use burn::tensor::{Device, Int, Tensor, TensorData};
use gruvy::nn::{Key, RecurrentConfig, SequenceModel, binary_cross_entropy, cross_entropy};
use gruvy_runtime::model::{Head, Input, Network, Pool, Session, Steps};
use std::sync::Arc;

const LENGTHS: [usize; 3] = [5, 3, 1];

fn model(pool: Pool, device: &Device) -> SequenceModel {
    let key = Key::new(3);
    let rnn = RecurrentConfig::new(4, 5).with_bidirectional(true).with_num_layers(2);
    let (input, head) = (Input::Features { size: 4 }, Head::Linear { outputs: 3 });
    SequenceModel::new(&input, &rnn, &head, key, device).with_pool(pool, key, device)
}

/// Drawn at a key, as the tensor library's generator belongs to the whole process. No two values
/// that the largest is taken of lie so near each other that the steps of the finite differences
/// change which is the largest.
fn x(device: &Device) -> Tensor<3> {
    Tensor::from_data(TensorData::new(Key::new(7).normal(60), [5, 3, 4]), device)
}

#[test]
fn training_and_runtime_pool_alike() {
    let device = Device::flex();
    for (name, pool) in Pool::ALL {
        let model = model(pool, &device);
        let x = x(&device);
        let trained: Vec<f32> =
            model.pooled(x.clone(), &LENGTHS, None).into_data().iter::<f32>().collect();
        let network = Network::from_tensors(&model.spec(), &model.tensors()).unwrap();
        let mut session = Session::new(Arc::new(network), 3).unwrap();
        let values: Vec<f32> = x.into_data().iter::<f32>().collect();
        let run = session.pool(Steps::Features(&values), &LENGTHS).unwrap();
        for (a, b) in trained.iter().zip(run) {
            assert!((a - b).abs() < 1e-5, "{name}: {trained:?} {run:?}");
        }
    }
}

#[test]
fn what_stands_past_a_length_changes_nothing() {
    let device = Device::flex();
    for (name, pool) in Pool::ALL {
        let model = model(pool, &device);
        let x = x(&device);
        let mut values: Vec<f32> = x.clone().into_data().iter::<f32>().collect();
        // The second row's last two steps and the third's last four.
        for (t, row) in [(3, 1), (4, 1), (1, 2), (2, 2), (3, 2), (4, 2)] {
            values[(t * 3 + row) * 4..][..4].fill(100.0);
        }
        let other = Tensor::<3>::from_data(TensorData::new(values, [5, 3, 4]), &device);
        let answers = |x| model.pooled(x, &LENGTHS, None).into_data();
        assert_eq!(answers(x), answers(other), "{name}");
    }
}

#[test]
fn the_gradient_of_the_input_is_that_of_finite_differences() {
    let device = Device::flex().autodiff();
    for (name, pool) in Pool::ALL {
        let model = model(pool, &device);
        let start = x(&device);
        let loss = |x: Tensor<3>| {
            let logits = model.pooled(x, &LENGTHS, None);
            let targets = Tensor::<1, Int>::from_data([0i64, 2, 1], &device);
            cross_entropy(logits, targets, 0.1, None)
        };
        let leaf = start.clone().require_grad();
        let grads = loss(leaf.clone()).backward();
        let found: Vec<f32> = leaf.grad(&grads).unwrap().into_data().iter::<f32>().collect();
        let values: Vec<f32> = start.into_data().iter::<f32>().collect();
        for at in (0..values.len()).step_by(7) {
            let moved = |by: f32| {
                let mut values = values.clone();
                values[at] += by;
                let x = Tensor::<3>::from_data(TensorData::new(values, [5, 3, 4]), &device);
                f64::from(loss(x).into_scalar::<f32>())
            };
            let expected = (moved(1e-2) - moved(-1e-2)) / 2e-2;
            let error = (f64::from(found[at]) - expected).abs();
            assert!(error < 2e-3, "{name} {at}: {} {expected}", found[at]);
        }
    }
}

#[test]
fn weights_count_items_of_a_class_so_often() {
    let device = Device::flex();
    let logits = Tensor::<2>::from_data([[1.0, 0.0, -1.0], [0.5, 0.5, 0.0]], &device);
    let of = |targets: [i64; 2], weights: Option<[f32; 3]>| {
        let targets = Tensor::<1, Int>::from_data(targets, &device);
        let weights = weights.map(|w| Tensor::from_data(w, &device));
        cross_entropy(logits.clone(), targets, 0.0, weights).into_scalar::<f32>()
    };
    let first = {
        let e = [1f32, 0.0, -1.0].map(f32::exp);
        -(e[0] / e.iter().sum::<f32>()).ln()
    };
    let second = {
        let e = [0.5f32, 0.5, 0.0].map(f32::exp);
        -(e[2] / e.iter().sum::<f32>()).ln()
    };
    assert!((of([0, 2], None) - (first + second) / 2.0).abs() < 1e-6);
    let weighted = (3.0 * first + second) / 4.0;
    assert!((of([0, 2], Some([3.0, 7.0, 1.0])) - weighted).abs() < 1e-6);
}

#[test]
fn binary_cross_entropy_is_its_equation() {
    let device = Device::flex();
    let (x, y, w, s) = ([1.5f32, -2.0], [1.0f32, 0.0], [3.0f32, 5.0], 0.2);
    let sigmoid = |x: f32| 1.0 / (1.0 + (-x).exp());
    let mut want = 0.0;
    for at in 0..2 {
        let y = y[at] * (1.0 - s) + s / 2.0;
        want -= w[at] * y * sigmoid(x[at]).ln() + (1.0 - y) * (1.0 - sigmoid(x[at])).ln();
    }
    let tensor = |v: [f32; 2]| Tensor::<2>::from_data([v], &device);
    let weights = Tensor::<1>::from_data(w, &device);
    let loss = binary_cross_entropy(tensor(x), tensor(y), f64::from(s), Some(weights));
    assert!((loss.into_scalar::<f32>() - want / 2.0).abs() < 1e-5);
    let far = binary_cross_entropy(tensor([1e4, -1e4]), tensor([0.0, 1.0]), 0.0, None);
    assert!((far.into_scalar::<f32>() - 1e4).abs() < 1.0);
}
