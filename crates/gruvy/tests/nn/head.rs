//! The fused head and loss give what their plain twin gives: the loss and every gradient.
use crate::support::{assert_close, device, tensor, values};
use burn::tensor::{Device, Int, Tensor, TensorData};
use gruvy::ops::{Dropout, Head, Memory, linear_cross_entropy, plain_head};

type Loss = fn(Head, Tensor<1, Int>, f64) -> Tensor<1>;

fn targets(rows: usize, classes: usize, device: &Device) -> Tensor<1, Int> {
    let targets: Vec<i64> = (0..rows).map(|row| (row * 5 % classes) as i64).collect();
    Tensor::from_data(TensorData::new(targets, [rows]), device)
}

/// The loss, and the gradients of x, weight and bias of `weight_of_loss` times it.
fn run(
    loss: Loss,
    [rows, inputs, classes]: [usize; 3],
    rate: f32,
    weight_of_loss: f32,
) -> [Vec<f32>; 4] {
    let device = device();
    let dropout = (rate > 0.0).then_some(Dropout { rate, seed: 4, period: None });
    let head = Head {
        x: tensor::<2>(1, [rows, inputs], &device).require_grad(),
        dropout,
        weight: tensor::<2>(2, [classes, inputs], &device).require_grad(),
        bias: tensor::<1>(3, [classes], &device).require_grad(),
        memory: Memory::default(),
    };
    let value = loss(head.clone(), targets(rows, classes, &device), f64::from(rate) / 2.0);
    let grads = value.clone().mul_scalar(weight_of_loss).backward();
    let dx = values(&head.x.grad(&grads).expect("dx"));
    let dweight = values(&head.weight.grad(&grads).expect("dweight"));
    [values(&value), dx, dweight, values(&head.bias.grad(&grads).expect("dbias"))]
}

#[test]
fn the_fused_head_equals_the_plain_one() {
    for sizes in [[2, 3, 4], [33, 17, 65], [7, 9, 1]] {
        for (rate, weight) in [(0.0, 1.0), (0.4, 1.0), (0.2, -2.5)] {
            let [fused, plain] = [linear_cross_entropy as Loss, plain_head]
                .map(|loss| run(loss, sizes, rate, weight));
            for ((name, fused), plain) in
                ["loss", "dx", "dweight", "dbias"].iter().zip(&fused).zip(&plain)
            {
                assert_close(&format!("{name}, {sizes:?}, {rate}"), fused, plain, 2e-6);
            }
        }
    }
}

#[test]
fn a_shared_weight_a_constant_and_a_view_are_taken() {
    let device = device();
    let weight = tensor::<2>(2, [5, 3], &device).require_grad();
    // The embedding that is a head as well: its gradient has two parts. x is a transposed view.
    let run = |loss: Loss| {
        let x = weight.clone().narrow(0, 0, 3).transpose();
        let bias = tensor::<1>(3, [5], &Device::flex());
        let head =
            Head { x, dropout: None, weight: weight.clone(), bias, memory: Memory::default() };
        let value = loss(head, targets(3, 5, &device), 0.0);
        values(&weight.grad(&value.backward()).expect("dweight"))
    };
    assert_close("dweight", &run(linear_cross_entropy), &run(plain_head), 1e-6);
}

#[test]
fn a_device_without_autodiff_gives_the_same_loss() {
    let [tracked, untracked] = [device(), Device::flex()].map(|device| {
        let head = Head {
            x: tensor::<2>(1, [9, 4], &device),
            dropout: None,
            weight: tensor::<2>(2, [6, 4], &device),
            bias: tensor::<1>(3, [6], &device),
            memory: Memory::default(),
        };
        values(&linear_cross_entropy(head, targets(9, 6, &device), 0.0))
    });
    assert_eq!(tracked, untracked);
}

#[test]
#[should_panic(expected = "expected weight [V, I] of shape [6, 4], got [6, 3]")]
fn a_head_of_another_width_is_named() {
    let device = device();
    let (x, bias) = (tensor::<2>(1, [2, 4], &device), tensor::<1>(3, [6], &device));
    let head = Head {
        x,
        dropout: None,
        weight: tensor::<2>(2, [6, 3], &device),
        bias,
        memory: Memory::default(),
    };
    linear_cross_entropy(head, targets(2, 6, &device), 0.0);
}

#[test]
#[should_panic(expected = "target of row 1: expected a class below 1")]
fn a_negative_target_is_no_class() {
    let device = device();
    let (x, bias) = (tensor::<2>(1, [2, 4], &device), tensor::<1>(3, [1], &device));
    let head = Head {
        x,
        dropout: None,
        weight: tensor::<2>(2, [1, 4], &device),
        bias,
        memory: Memory::default(),
    };
    linear_cross_entropy(head, Tensor::from_data([0i64, -1], &device), 0.0);
}
