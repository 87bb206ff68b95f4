//! The fused operation gives what its plain twin gives: outputs, last states and every gradient.
use crate::support::{assert_close, device, tensor, values};
use burn::tensor::{Device, Gradients, Tensor};
use gruvy::ops::{Memory, Noise, Settings, Weights, plain, recurrence};
use gruvy_kernels::Cell;
use std::sync::Arc;

type Recurrence = fn(&Settings, Tensor<3>, Option<Tensor<2>>, Weights) -> (Tensor<3>, Tensor<2>);

struct Case {
    settings: Settings,
    /// T, B, I, H
    sizes: [usize; 4],
    bias: bool,
    h0: bool,
    norm: bool,
}

impl Case {
    fn new(settings: Settings, sizes: [usize; 4]) -> Self {
        Self { settings, sizes, bias: true, h0: true, norm: false }
    }
}

/// Cells, directions, lengths, biases and initial states over a few sizes.
fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for cell in Cell::ALL {
        for sizes in [[1, 2, 3, 4], [2, 3, 5, 3], [17, 4, 6, 9]] {
            for options in 0..16 {
                let [reverse, ragged, bias, h0] = [1, 2, 4, 8].map(|bit| options & bit != 0);
                let [seq_len, batch, ..] = sizes;
                let lengths = ragged.then(|| (0..batch).map(|b| b * 5 % (seq_len + 1)).collect());
                let settings = Settings { reverse, lengths, ..Settings::new(cell) };
                cases.push(Case { settings, sizes, bias, h0, norm: false });
            }
        }
        for options in 0..8 {
            let [reverse, ragged, drawn] = [1, 2, 4].map(|bit| options & bit != 0);
            let lengths = ragged.then(|| Arc::from([5, 0, 3, 4]));
            let noise = drawn.then_some(Noise {
                seed: 9,
                dropout: 0.2,
                input_dropout: 0.3,
                recurrent_dropout: 0.4,
                candidate_dropout: if cell.has_candidate() { 0.3 } else { 0.0 },
                weight_dropout: 0.3,
            });
            let recompute = reverse;
            let settings = Settings {
                cell,
                reverse,
                lengths,
                zoneout: 0.2,
                noise,
                recompute,
                memory: Memory::default(),
            };
            cases.push(Case { norm: true, ..Case::new(settings, [5, 4, 3, 6]) });
        }
        if cell.has_candidate() {
            // Alone and over full sequences: the plain minGRU runs by a scan.
            for reverse in [false, true] {
                let noise = Some(Noise { seed: 5, candidate_dropout: 0.4, ..Noise::default() });
                let settings = Settings { reverse, noise, ..Settings::new(cell) };
                cases.push(Case::new(settings, [7, 4, 3, 6]));
            }
        }
    }
    cases
}

/// A tensor that wants a gradient, where the device has them.
fn leaf<const D: usize>(seed: u64, shape: [usize; D], device: &Device) -> Tensor<D> {
    let leaf = tensor(seed, shape, device);
    if device.is_autodiff() { leaf.require_grad() } else { leaf }
}

struct Leaves {
    x: Tensor<3>,
    h0: Option<Tensor<2>>,
    weights: Weights,
}

impl Case {
    fn leaves(&self, device: &Device) -> Leaves {
        let [seq_len, batch, input, hidden] = self.sizes;
        let cell = self.settings.cell;
        let (rows, hidden_rows) = (cell.gates() * hidden, cell.hidden_gates() * hidden);
        let vector = |given, seed, rows| (given && rows > 0).then(|| leaf(seed, [rows], device));
        Leaves {
            x: leaf(1, [seq_len, batch, input], device),
            h0: self.h0.then(|| leaf(2, [batch, cell.states() * hidden], device)),
            weights: Weights {
                w_ih: leaf(3, [rows, input], device),
                w_hh: (hidden_rows > 0).then(|| leaf(4, [hidden_rows, hidden], device)),
                b_ih: vector(self.bias, 5, rows),
                b_hh: vector(self.bias, 6, hidden_rows),
                gain_ih: vector(self.norm, 7, rows),
                gain_hh: vector(self.norm, 8, hidden_rows),
            },
        }
    }

    /// y, the last state and every gradient of `Σ y · dy + Σ last · dlast`.
    fn run(&self, forward: Recurrence) -> Vec<(&'static str, Vec<f32>)> {
        let Leaves { x, h0, weights } = self.leaves(&device());
        let (y, last) = forward(&self.settings, x.clone(), h0.clone(), weights.clone());
        let mut results = vec![("y", values(&y)), ("last", values(&last))];
        let dy = tensor(17, y.dims(), &device());
        let dlast = tensor(18, last.dims(), &device());
        let grads = ((y * dy).sum() + (last * dlast).sum()).backward();
        fn gradient<const D: usize>(leaf: &Tensor<D>, grads: &Gradients) -> Vec<f32> {
            values(&leaf.grad(grads).expect("a gradient"))
        }
        results.push(("dx", gradient(&x, &grads)));
        results.push(("dw_ih", gradient(&weights.w_ih, &grads)));
        let w_hh = weights.w_hh.map(|w| ("dw_hh", gradient(&w, &grads)));
        results.extend(w_hh);
        let others = [
            ("db_ih", weights.b_ih),
            ("db_hh", weights.b_hh),
            ("dgain_ih", weights.gain_ih),
            ("dgain_hh", weights.gain_hh),
        ];
        let others = others.into_iter().filter_map(|(name, leaf)| Some((name, leaf?)));
        results.extend(others.map(|(name, leaf)| (name, gradient(&leaf, &grads))));
        results.extend(h0.map(|h0| ("dh0", gradient(&h0, &grads))));
        results
    }
}

#[test]
fn fused_equals_plain() {
    for case in cases() {
        let fused = case.run(recurrence);
        let plain = case.run(plain);
        let pairs = 1 + usize::from(case.bias) + usize::from(case.norm);
        let one_side = usize::from(case.settings.cell.hidden_gates() == 0);
        assert_eq!(fused.len(), 3 + pairs * (2 - one_side) + usize::from(case.h0));
        for ((name, fused), (_, plain)) in fused.iter().zip(&plain) {
            let what = format!("{name} of {:?}, sizes {:?}", case.settings, case.sizes);
            assert_close(&what, fused, plain, 2e-5);
        }
    }
}

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    for (cell, batch) in [(Cell::Gru, 33), (Cell::GruV3, 33), (Cell::Lstm, 33), (Cell::Gru, 3)] {
        let noise = Some(Noise {
            seed: 3,
            dropout: 0.1,
            recurrent_dropout: 0.1,
            candidate_dropout: 0.1,
            ..Noise::default()
        });
        let case = Case::new(Settings { noise, ..Settings::new(cell) }, [12, batch, 40, 96]);
        let run = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
            pool.expect("a pool").install(|| case.run(recurrence))
        };
        let one = run(1);
        for threads in [2, 3, 8] {
            assert!(run(threads) == one, "{cell:?}, {batch} rows, {threads} threads");
        }
    }
}

#[test]
fn a_device_without_autodiff_gives_the_same_outputs() {
    for case in cases() {
        let [tracked, untracked] = [device(), Device::flex()].map(|device| {
            let Leaves { x, h0, weights } = case.leaves(&device);
            values(&recurrence(&case.settings, x, h0, weights).0)
        });
        assert_eq!(tracked, untracked, "{:?}", case.settings);
    }
}

#[test]
fn views_and_constants_are_taken() {
    let device = device();
    let case = Case::new(Settings::new(Cell::Gru), [5, 2, 4, 3]);
    let Leaves { x, h0, weights } = case.leaves(&device);
    let (want, _) = recurrence(&case.settings, x.clone(), h0.clone(), weights.clone());

    // A transposed view of x, w_hh as a constant from a device without autodiff.
    let view = x.clone().swap_dims(0, 1).mul_scalar(1.0).swap_dims(0, 1);
    let w_hh = weights.w_hh.clone().map(Tensor::without_autodiff);
    let constant = Weights { w_hh, ..weights.clone() };
    let (got, _) = recurrence(&case.settings, view, h0.clone(), constant);
    assert_eq!(values(&got), values(&want));

    // A gradient that is a broadcast view, and no gradient for the constant.
    let want = want.sum().backward();
    let got = got.sum().backward();
    assert_eq!(values(&x.grad(&got).expect("dx")), values(&x.grad(&want).expect("dx")));
    assert!(weights.w_hh.expect("w_hh").grad(&got).is_none());
    let [got, want] = [got, want].map(|g| values(&weights.w_ih.grad(&g).expect("dw_ih")));
    assert_eq!(got, want);
}

#[test]
fn what_stands_past_the_end_has_no_effect() {
    let device = device();
    for (cell, reverse) in
        [(Cell::Gru, false), (Cell::GruV3, true), (Cell::Lstm, true), (Cell::MinGru, false)]
    {
        let lengths: Arc<[usize]> = Arc::from([2, 4, 0]);
        let settings = Settings { reverse, lengths: Some(lengths.clone()), ..Settings::new(cell) };
        let case = Case::new(settings, [4, 3, 2, 5]);
        for forward in [recurrence as Recurrence, plain] {
            let Leaves { x, h0, weights } = case.leaves(&device);
            let mut data = values(&x);
            for (i, v) in data.iter_mut().enumerate() {
                if i / 6 >= lengths[i / 2 % 3] {
                    *v = f32::NAN;
                }
            }
            let data = burn::tensor::TensorData::new(data, x.dims());
            let with_nan = Tensor::<3>::from_data(data, &device).require_grad();
            let (want, _) = forward(&case.settings, x.clone(), h0.clone(), weights.clone());
            let (got, _) = forward(&case.settings, with_nan.clone(), h0, weights.clone());
            assert_eq!(values(&got), values(&want));
            let (got, want) = (got.sum().backward(), want.sum().backward());
            assert_eq!(
                values(&with_nan.grad(&got).expect("dx")),
                values(&x.grad(&want).expect("dx"))
            );
            let [got, want] = [got, want].map(|g| values(&weights.w_ih.grad(&g).expect("dw_ih")));
            assert_eq!(got, want);
        }
    }
}

#[test]
#[should_panic(expected = "expected w_ih [G * H, I] of shape [9, 4], got [9, 5]")]
fn a_wrong_weight_is_named() {
    let case = Case { h0: false, ..Case::new(Settings::new(Cell::Gru), [2, 2, 5, 3]) };
    let Leaves { x, h0, weights } = case.leaves(&device());
    recurrence(&case.settings, x.narrow(2, 0, 4), h0, weights);
}

#[test]
#[should_panic(expected = "sequence 1 has length 3, but x has only 2 steps")]
fn a_length_past_the_end_is_named() {
    let settings = Settings { lengths: Some(Arc::from([2, 3])), ..Settings::new(Cell::Gru) };
    let case = Case { h0: false, ..Case::new(settings, [2, 2, 5, 3]) };
    let Leaves { x, h0, weights } = case.leaves(&device());
    recurrence(&case.settings, x, h0, weights);
}

#[test]
#[should_panic(expected = "expected x in f32, got F64")]
fn another_data_type_is_named() {
    let case = Case { h0: false, ..Case::new(Settings::new(Cell::Gru), [2, 2, 5, 3]) };
    let Leaves { x, h0, weights } = case.leaves(&device());
    recurrence(&case.settings, x.cast(burn::tensor::DType::F64), h0, weights);
}

#[test]
#[should_panic(expected = "expected no w_hh for the cell mingru, got a tensor")]
fn a_weight_that_does_not_belong_is_named() {
    let case = Case::new(Settings::new(Cell::MinGru), [2, 2, 5, 3]);
    let Leaves { x, h0, weights } = case.leaves(&device());
    let weights = Weights { w_hh: Some(tensor(1, [6, 3], &device())), ..weights };
    recurrence(&case.settings, x, h0, weights);
}

#[test]
#[should_panic(expected = "expected candidate_dropout 0 for the cell rnn")]
fn a_cell_without_a_candidate_is_named() {
    let noise = Some(Noise { candidate_dropout: 0.5, ..Noise::default() });
    let case = Case::new(Settings { noise, ..Settings::new(Cell::Rnn) }, [2, 2, 5, 3]);
    let Leaves { x, h0, weights } = case.leaves(&device());
    recurrence(&case.settings, x, h0, weights);
}

#[test]
#[should_panic(expected = "expected recurrent_dropout in [0, 1), got 1")]
fn a_rate_of_one_is_named() {
    let noise = Some(Noise { recurrent_dropout: 1.0, ..Noise::default() });
    let case = Case::new(Settings { noise, ..Settings::new(Cell::Gru) }, [2, 2, 5, 3]);
    let Leaves { x, h0, weights } = case.leaves(&device());
    recurrence(&case.settings, x, h0, weights);
}
