//! What holds for `Recurrent` whatever its numbers.
use crate::support::{assert_close, device, tensor, values};
use burn::config::Config;
use burn::module::Module;
use burn::tensor::Tensor;
use gruvy::nn::{Cell, Key, Recurrent, RecurrentConfig};
use std::collections::BTreeMap;

const CONFIG: fn() -> RecurrentConfig = || RecurrentConfig::new(5, 4).with_num_layers(2);

#[test]
fn two_halves_make_the_whole() {
    for cell in Cell::ALL {
        let gru = CONFIG().with_cell(cell).with_layer_norm(true).init(Key::new(1), &device());
        let x = tensor(1, [9, 3, 5], &device());
        let state = tensor(2, [2, 3, 4 * cell.states()], &device());
        let (whole, last) = gru.forward(x.clone(), Some(state.clone()), None, None);
        let (first, between) = gru.forward(x.clone().narrow(0, 0, 4), Some(state), None, None);
        let (second, end) = gru.forward(x.narrow(0, 4, 5), Some(between), None, None);
        assert_close("y", &values(&Tensor::cat(vec![first, second], 0)), &values(&whole), 1e-6);
        assert_close("state", &values(&end), &values(&last), 1e-6);
    }
}

#[test]
fn a_batch_equals_its_sequences() {
    let lengths = [7, 2, 5];
    let gru = CONFIG().with_bidirectional(true).with_batch_first(true).init(Key::new(1), &device());
    let x = tensor(1, [3, 7, 5], &device());
    let (batch, states) = gru.forward(x.clone(), None, Some(&lengths), None);
    for (b, len) in lengths.into_iter().enumerate() {
        let single = x.clone().narrow(0, b, 1).narrow(1, 0, len);
        let (y, state) = gru.forward(single, None, None, None);
        let row = batch.clone().narrow(0, b, 1);
        assert_close("y", &values(&row.clone().narrow(1, 0, len)), &values(&y), 1e-6);
        assert_close("state", &values(&states.clone().narrow(1, b, 1)), &values(&state), 1e-6);
        if len < 7 {
            let past = values(&row.narrow(1, len, 7 - len));
            assert!(past.iter().all(|&v| v == 0.0), "outputs past the end: {past:?}");
        }
    }
}

#[test]
fn an_empty_sequence_keeps_its_state() {
    for cell in Cell::ALL {
        let gru = CONFIG().with_cell(cell).with_bidirectional(true).init(Key::new(1), &device());
        let state = tensor(2, [4, 3, 4 * cell.states()], &device());
        let x = tensor(1, [6, 3, 5], &device());
        let (_, end) = gru.forward(x.clone(), Some(state.clone()), Some(&[6, 0, 1]), None);
        let row = |s: Tensor<3>| values(&s.narrow(1, 1, 1));
        assert_eq!(row(end), row(state));
        let (_, end) = gru.forward(x, None, Some(&[6, 0, 1]), None);
        assert_eq!(row(end), vec![0.0; 16 * cell.states()]);
    }
}

#[test]
fn parameters_are_pytorchs_and_come_back() {
    let gru = CONFIG().with_bidirectional(true).init(Key::new(1), &device());
    let parameters: BTreeMap<_, _> = gru.parameters().collect();
    let mut names = Vec::new();
    for (layer, input) in [(0, 5), (1, 8)] {
        for direction in ["", "_reverse"] {
            let of = |kind: &str| format!("{kind}_l{layer}{direction}");
            names.push((of("weight_ih"), vec![12, input]));
            names.push((of("weight_hh"), vec![12, 4]));
            names.extend([(of("bias_ih"), vec![12]), (of("bias_hh"), vec![12])]);
        }
    }
    let shapes =
        |(name, data): (String, burn::tensor::TensorData)| (name, data.shape().as_slice().to_vec());
    assert_eq!(gru.parameters().map(shapes).collect::<Vec<_>>(), names);

    let other = CONFIG().with_bidirectional(true).init(Key::new(2), &device());
    let other = other.load_parameters(|name| parameters.get(name).cloned());
    let x = tensor(1, [3, 2, 5], &device());
    let (want, _) = gru.forward(x.clone(), None, None, None);
    let (got, _) = other.forward(x, None, None, None);
    assert_eq!(values(&got), values(&want));
    assert!(other.layers.iter().all(|layer| layer.weight_ih.is_require_grad()));
}

#[test]
fn a_record_brings_every_parameter_back() {
    let gru = CONFIG().with_bidirectional(true).init(Key::new(1), &device());
    let other = CONFIG().with_bidirectional(true).init(Key::new(2), &device());
    let want: Vec<_> = gru.parameters().collect();
    assert_ne!(other.parameters().collect::<Vec<_>>(), want);
    let other = other.load_record(gru.into_record());
    assert_eq!(other.parameters().collect::<Vec<_>>(), want);
}

#[test]
#[should_panic(expected = "no values for the parameter bias_ih_l0, expected shape [12]")]
fn a_missing_parameter_is_named() {
    let bare = RecurrentConfig::new(5, 4).with_bias(false).init(Key::new(1), &device());
    let parameters: BTreeMap<_, _> = bare.parameters().collect();
    assert_eq!(parameters.len(), 2);
    RecurrentConfig::new(5, 4)
        .init(Key::new(1), &device())
        .load_parameters(|name| parameters.get(name).cloned());
}

#[test]
#[should_panic(expected = "expected weight_ih_l0 of shape [12, 5], got [12, 6]")]
fn a_parameter_of_another_shape_is_named() {
    let other: BTreeMap<_, _> =
        RecurrentConfig::new(6, 4).init(Key::new(1), &device()).parameters().collect();
    RecurrentConfig::new(5, 4)
        .init(Key::new(1), &device())
        .load_parameters(|name| other.get(name).cloned());
}

#[test]
fn initial_weights_fill_the_range_of_pytorchs() {
    let gru = RecurrentConfig::new(40, 16).init(Key::new(1), &device());
    for (name, data) in gru.parameters() {
        let values = data.try_to_vec::<f32>().expect("f32");
        let max = values.iter().fold(0.0f32, |m, v| m.max(v.abs()));
        let mean = values.iter().sum::<f32>() / values.len() as f32;
        assert!(max <= 0.25 && max > 0.2, "{name}: largest {max}, expected almost 1/√16");
        assert!(mean.abs() < 0.07, "{name}: mean {mean}");
    }
}

#[test]
fn dropout_stands_between_layers_in_training_only() {
    let gru = CONFIG().with_dropout(0.5).init(Key::new(1), &device());
    let x = tensor(1, [6, 3, 5], &device());
    let run = |gru: &Recurrent, x: &Tensor<3>, masks: Option<u64>| {
        values(&gru.forward(x.clone(), None, None, masks.map(Key::new)).0)
    };
    assert_ne!(run(&gru, &x, Some(1)), run(&gru, &x, Some(2)), "another key draws other masks");
    assert_eq!(run(&gru, &x, Some(1)), run(&gru, &x, Some(1)), "the same key draws the same");
    let first = |masks| {
        let (_, state) = gru.forward(x.clone(), None, None, masks);
        values(&state.narrow(0, 0, 1))
    };
    assert_eq!(first(Some(Key::new(1))), first(None), "the first layer sees all of x");

    let calm = RecurrentConfig { dropout: 0.0, ..CONFIG() }.init(Key::new(1), &device());
    assert_eq!(run(&gru, &x, None), run(&calm, &x, Some(1)), "the weights are the same");

    let single = RecurrentConfig::new(5, 4).with_dropout(0.5).init(Key::new(1), &device());
    assert_eq!(run(&single, &x, Some(1)), run(&single, &x, None), "the last outputs are kept");
}

/// Every kind of noise: drawn anew in training, gone afterwards (zoneout leaves its mean, another
/// function).
#[test]
fn noise_is_there_in_training_only() {
    type With = fn(RecurrentConfig) -> RecurrentConfig;
    let kinds: [(&str, With); 5] = [
        ("input_dropout", |c| c.with_input_dropout(0.5)),
        ("recurrent_dropout", |c| c.with_recurrent_dropout(0.5)),
        ("candidate_dropout", |c| c.with_candidate_dropout(0.5)),
        ("weight_dropout", |c| c.with_weight_dropout(0.5)),
        ("zoneout", |c| c.with_zoneout(0.5)),
    ];
    for cell in Cell::ALL {
        let has = |(name, _): &(&str, With)| *name != "candidate_dropout" || cell.has_candidate();
        for (name, with) in kinds.into_iter().filter(has) {
            let config = CONFIG().with_cell(cell);
            let noisy = with(config.clone()).init(Key::new(1), &device());
            let calm = config.init(Key::new(1), &device());
            let x = tensor(1, [6, 30, 5], &device());
            let run = |m: &Recurrent, masks: Option<u64>| {
                values(&m.forward(x.clone(), None, None, masks.map(Key::new)).0)
            };
            // A minGRU has no hidden weights.
            let nothing =
                cell == Cell::MinGru && ["recurrent_dropout", "weight_dropout"].contains(&name);
            let same = run(&noisy, Some(1)) == run(&noisy, Some(2));
            assert_eq!(same, nothing, "{cell:?} {name}: another key draws other noise");
            assert_eq!(run(&noisy, Some(1)), run(&noisy, Some(1)), "{cell:?} {name}");
            assert_eq!(run(&noisy, None) == run(&calm, None), name != "zoneout", "{cell:?} {name}");
        }
    }
}

#[test]
fn a_config_survives_json() {
    let config = CONFIG().with_cell(Cell::GruV3).with_dropout(0.25).with_batch_first(true);
    let text = serde_json::to_string(&config).expect("JSON");
    assert!(text.contains(r#""cell":"gru-v3""#), "{text}");
    assert_eq!(RecurrentConfig::load_binary(text.as_bytes()).expect("a config"), config);
    let error = RecurrentConfig::load_binary(text.replace("gru-v3", "gru-v4").as_bytes());
    let error = error.expect_err("an unknown cell").to_string();
    assert!(error.contains("unknown cell `gru-v4`: expected one of gru, gru-v3"), "{error}");
}

#[test]
#[should_panic(
    expected = "expected an input with 5 features in its last dimension, got shape [2, 3, 6]"
)]
fn a_wrong_input_is_named() {
    let gru = CONFIG().with_batch_first(true).init(Key::new(1), &device());
    gru.forward(tensor(1, [2, 3, 6], &device()), None, None, None);
}

#[test]
#[should_panic(expected = "expected a state [L * D, B, K * H] of shape [2, 3, 4], got [1, 3, 4]")]
fn a_wrong_state_is_named() {
    let gru = CONFIG().init(Key::new(1), &device());
    gru.forward(tensor(1, [2, 3, 5], &device()), Some(tensor(2, [1, 3, 4], &device())), None, None);
}

#[test]
#[should_panic(expected = "expected hidden_size of at least 1, got 0")]
fn no_hidden_units_are_refused() {
    RecurrentConfig::new(5, 0).init(Key::new(1), &device());
}

#[test]
#[should_panic(expected = "expected dropout in [0, 1), got 1")]
fn dropout_of_everything_is_refused() {
    CONFIG().with_dropout(1.0).init(Key::new(1), &device());
}
