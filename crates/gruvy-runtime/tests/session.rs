//! Sessions: against the kernels' `f64` reference, and the properties that streaming rests on.
#![allow(clippy::unwrap_used)] // Helpers of tests stop at the first surprise, as tests do.

mod common;
use common::{char_model, model, network, spec};
use gruvy_kernels::{Noise, Sequence, reference};
use gruvy_runtime::{
    Cell, Error,
    model::{Head, Input, ModelFile, Network, Session, Steps, Tensor},
    text::TextCodec,
};
use proptest::prelude::*;
use std::sync::Arc;

fn tokens(count: usize) -> Vec<u32> {
    (0..count as u32).map(|i| (i * 7 + i / 3) % 12).collect()
}

fn f64s(tensor: &Tensor) -> Vec<f64> {
    tensor.data.iter().map(|v| f64::from(*v)).collect()
}

/// The logits `[T, B, V]` and final states `[L·D, B, K·H]` of plain `f64` loops.
fn expected(model: &ModelFile, batch: usize, mut x: Vec<f64>) -> (Vec<f64>, Vec<f64>) {
    let rnn = &model.spec.rnn;
    let (hidden, width) = (rnn.hidden_size, rnn.output_size());
    let seq_len = x.len() / batch / rnn.input_size;
    let mut states = Vec::new();
    for layer in 0..rnn.num_layers {
        let mut y = vec![0.0; seq_len * batch * width];
        for direction in 0..rnn.directions() {
            let suffix = if direction == 1 { "_reverse" } else { "" };
            let part = |name| {
                let tensor = model.tensors.get(&format!("rnn.{name}_l{layer}{suffix}"));
                tensor.map(f64s).unwrap_or_default()
            };
            let params = reference::Params {
                w_ih: part("weight_ih"),
                w_hh: part("weight_hh"),
                b_ih: part("bias_ih"),
                b_hh: part("bias_hh"),
                gain_ih: part("gain_ih"),
                gain_hh: part("gain_hh"),
            };
            let seq = Sequence { seq_len, batch, lengths: None, reverse: direction == 1 };
            let setup = reference::Setup {
                cell: rnn.cell,
                seq,
                input: x.len() / seq_len / batch,
                hidden,
                zoneout: rnn.zoneout,
                noise: Noise::default(),
            };
            let h0 = vec![0.0; batch * rnn.state_size()];
            let out = reference::forward(&setup, &params, &x, &h0);
            for (row, out) in out.y.chunks(hidden).enumerate() {
                y[row * width + direction * hidden..][..hidden].copy_from_slice(out);
            }
            states.extend_from_slice(&out.last);
        }
        x = y;
    }
    let weight = match model.spec.head {
        Head::Linear { .. } => f64s(&model.tensors["head.weight"]),
        Head::Tied => f64s(&model.tensors["embedding.weight"]),
    };
    let bias = f64s(&model.tensors["head.bias"]);
    let logits = x.chunks(width).flat_map(|h| {
        weight
            .chunks(width)
            .zip(&bias)
            .map(move |(w, bias)| bias + w.iter().zip(h).map(|(w, h)| w * h).sum::<f64>())
    });
    (logits.collect(), states)
}

fn close(got: &[f32], expected: &[f64]) {
    assert_eq!(got.len(), expected.len());
    for (i, (g, e)) in got.iter().zip(expected).enumerate() {
        assert!((f64::from(*g) - e).abs() <= 1e-5 * (1.0 + e.abs()), "{i}: {g} {e}");
    }
}

fn embed(model: &ModelFile, tokens: &[u32]) -> Vec<f64> {
    let table = f64s(&model.tensors["embedding.weight"]);
    let dim = model.spec.input.width();
    tokens.iter().flat_map(|t| table[*t as usize * dim..][..dim].to_vec()).collect()
}

#[test]
fn agrees_with_the_reference() {
    for cell in Cell::ALL {
        for (layers, bidirectional, tied) in
            [(1, false, false), (2, false, true), (1, true, true), (3, true, false)]
        {
            let codec = TextCodec::char("abcdefgh \né");
            let mut spec = spec(&codec, cell, layers, bidirectional);
            if tied {
                spec.head = Head::Tied;
            }
            if layers > 1 {
                (spec.rnn.layer_norm, spec.rnn.zoneout) = (true, 0.2);
            }
            let model = model(codec, spec);
            for batch in [1, 3] {
                let tokens = tokens(9 * batch);
                let mut session = Session::new(network(&model), batch).unwrap();
                let (logits, states) = expected(&model, batch, embed(&model, &tokens));
                close(session.run(&tokens).unwrap(), &logits);
                close(session.state(), &states);
                let v = model.spec.outputs();
                close(session.logits(), &logits[logits.len() - batch * v..]);
                close(session.row_logits(batch - 1).unwrap(), &logits[logits.len() - v..]);
            }
        }
    }
}

#[test]
fn layers_without_bias_agree_with_the_reference() {
    let codec = TextCodec::byte();
    let mut spec = spec(&codec, Cell::Gru, 2, false);
    spec.rnn.bias = false;
    let mut model = model(codec, spec);
    let plain = network(&model);
    let text = tokens(8);
    let mut session = Session::new(plain, 2).unwrap();
    let got = session.run(&text).unwrap().to_vec();
    let x = embed(&model, &text);
    model.spec.rnn.bias = true;
    for t in model.spec.tensors() {
        let zeros = vec![0.0; t.shape.iter().product()];
        model.tensors.entry(t.name).or_insert(Tensor { shape: t.shape, data: zeros });
    }
    close(&got, &expected(&model, 2, x).0);
    assert!(matches!(
        session.run(Steps::Features(&[0.0; 14])),
        Err(Error::Setting { name: "input", .. })
    ));
}

#[test]
fn one_step_at_a_time_equals_the_chunk() {
    for cell in Cell::ALL {
        let codec = TextCodec::char("abcdefgh \né");
        let spec = spec(&codec, cell, 3, false);
        let network = network(&model(codec, spec));
        let (batch, tokens) = (3, tokens(3 * 20));
        let mut whole = Session::new(network.clone(), batch).unwrap();
        let logits = whole.run(&tokens).unwrap().to_vec();
        let mut steps = Session::new(network, batch).unwrap();
        let v = logits.len() / tokens.len();
        for (step, expected) in tokens.chunks(batch).zip(logits.chunks(batch * v)) {
            let expected: Vec<f64> = expected.iter().map(|v| f64::from(*v)).collect();
            close(steps.step(step).unwrap(), &expected);
        }
        let state: Vec<f64> = whole.state().iter().map(|v| f64::from(*v)).collect();
        close(steps.state(), &state);
    }
}

#[test]
fn a_batch_equals_its_rows_alone() {
    let network = network(&char_model());
    let (seq_len, batch) = (15, 5);
    let tokens = tokens(seq_len * batch);
    let mut together = Session::new(network.clone(), batch).unwrap();
    let logits = together.run(&tokens).unwrap().to_vec();
    for row in 0..batch {
        let own: Vec<u32> = tokens.iter().skip(row).step_by(batch).copied().collect();
        let mut alone = Session::new(network.clone(), 1).unwrap();
        let got = alone.run(&own).unwrap();
        let expected: Vec<f64> =
            logits.chunks(12).skip(row).step_by(batch).flatten().map(|v| f64::from(*v)).collect();
        close(got, &expected);
    }
}

#[test]
fn feeding_equals_running() {
    let network = network(&char_model());
    // More than one of feed's own chunks.
    let tokens = tokens(2 * 600);
    let mut run = Session::new(network.clone(), 2).unwrap();
    run.run(&tokens).unwrap();
    let mut fed = Session::new(network, 2).unwrap();
    let expected: Vec<f64> = run.logits().iter().map(|v| f64::from(*v)).collect();
    close(fed.feed(&tokens).unwrap(), &expected);
    assert_eq!(fed.logits().len(), 2 * 12);
}

#[test]
fn a_state_taken_out_continues_with_the_same_bits() {
    let network = network(&char_model());
    let tokens = tokens(2 * 20);
    let (first, second) = tokens.split_at(2 * 9);
    let mut session = Session::new(network.clone(), 2).unwrap();
    session.run(first).unwrap();
    let state = session.state().to_vec();
    let expected = session.run(second).unwrap().to_vec();
    let mut other = Session::new(network, 2).unwrap();
    other.set_state(&state).unwrap();
    assert_eq!(other.run(second).unwrap(), expected);
    assert_eq!(other.state(), session.state());
}

#[test]
fn resetting_one_row_leaves_the_others() {
    let network = network(&char_model());
    let tokens = tokens(3 * 8);
    let mut session = Session::new(network.clone(), 3).unwrap();
    session.run(&tokens).unwrap();
    let mut touched = Session::new(network.clone(), 3).unwrap();
    touched.run(&tokens).unwrap();
    touched.reset_row(1).unwrap();
    for (layer, state) in touched.state().chunks(3 * 7).enumerate() {
        assert_eq!(state[..7], session.state()[layer * 21..][..7]);
        assert_eq!(state[7..14], [0.0; 7]);
        assert_eq!(state[14..], session.state()[layer * 21 + 14..][..7]);
    }
    let mut fresh = Session::new(network, 3).unwrap();
    let expected = fresh.run(&tokens).unwrap().to_vec();
    touched.reset();
    assert!(touched.logits().is_empty());
    assert_eq!(touched.run(&tokens).unwrap(), expected);
}

#[test]
fn chunks_of_changing_length_give_the_same() {
    let network = network(&char_model());
    let tokens = tokens(2 * 24);
    let mut whole = Session::new(network.clone(), 2).unwrap();
    let logits: Vec<f64> = whole.run(&tokens).unwrap().iter().map(|v| f64::from(*v)).collect();
    let mut parts = Session::new(network, 2).unwrap();
    let mut at = 0;
    for steps in [5, 1, 0, 11, 2, 5] {
        let chunk = &tokens[2 * at..2 * (at + steps)];
        close(parts.run(chunk).unwrap(), &logits[2 * at * 12..2 * (at + steps) * 12]);
        at += steps;
    }
    assert_eq!(at, 24);
}

#[test]
fn a_network_is_shared_between_threads() {
    let network = network(&char_model());
    let tokens = tokens(40);
    let results: Vec<Vec<f32>> = std::thread::scope(|scope| {
        let run = || Session::new(network.clone(), 1).unwrap().run(&tokens).unwrap().to_vec();
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(run)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(results.iter().all(|result| *result == results[0]));
}

#[test]
fn a_bidirectional_network_refuses_to_stream() {
    let codec = TextCodec::byte();
    let spec = spec(&codec, Cell::Gru, 1, true);
    let mut session = Session::new(network(&model(codec, spec)), 2).unwrap();
    let first = session.run(&tokens(8)).unwrap().to_vec();
    assert_eq!(session.run(&tokens(8)).unwrap(), first, "each chunk is a whole sequence");
    assert!(matches!(session.step(&[1, 2]), Err(Error::Bidirectional { .. })));
    assert!(matches!(session.feed(&[1, 2]), Err(Error::Bidirectional { .. })));
    let state = session.state().to_vec();
    assert!(matches!(session.set_state(&state), Err(Error::Bidirectional { .. })));
}

#[test]
fn impossible_calls_are_named_and_change_nothing() {
    let network = network(&char_model());
    let name = |error: Error| match error {
        Error::Setting { name, .. } => name,
        other => panic!("{other}"),
    };
    assert_eq!(name(Session::new(network.clone(), 0).unwrap_err()), "batch");
    let mut session = Session::new(network, 2).unwrap();
    session.run(&tokens(6)).unwrap();
    let before = session.state().to_vec();
    assert_eq!(name(session.step(&tokens(4)).unwrap_err()), "steps");
    assert_eq!(name(session.run(&tokens(3)).unwrap_err()), "number of values");
    assert_eq!(name(session.feed(&[]).unwrap_err()), "steps");
    assert_eq!(name(session.set_state(&[0.0; 3]).unwrap_err()), "state length");
    assert_eq!(name(session.reset_row(2).unwrap_err()), "row");
    assert!(matches!(session.step(&[1, 12]), Err(Error::Token { token: 12, vocab: 12 })));
    assert_eq!(session.state(), before);
}

#[test]
fn features_run_like_the_embedding_rows_they_are() {
    let model = char_model();
    let tokens = tokens(2 * 5);
    let (logits, _) = expected(&model, 2, embed(&model, &tokens));
    let mut spec = model.spec.clone();
    spec.input = Input::Features { size: 7 };
    let mut tensors = model.tensors.clone();
    tensors.remove("embedding.weight");
    let network = Arc::new(Network::from_tensors(&spec, &tensors).unwrap());
    let features: Vec<f32> = embed(&model, &tokens).iter().map(|v| *v as f32).collect();
    let mut session = Session::new(network.clone(), 2).unwrap();
    close(session.run(Steps::Features(&features)).unwrap(), &logits);
    let mut steps = Session::new(network, 2).unwrap();
    for (step, expected) in features.chunks(2 * 7).zip(logits.chunks(2 * 12)) {
        close(steps.step(Steps::Features(step)).unwrap(), expected);
    }
    assert!(matches!(steps.step(&[1, 2]), Err(Error::Setting { name: "input", .. })));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn any_cut_gives_the_same(
        text in prop::collection::vec(0u32..12, 2..40),
        cut in any::<prop::sample::Index>(),
    ) {
        let network = network(&char_model());
        let mut whole = Session::new(network.clone(), 1).unwrap();
        whole.run(&text).unwrap();
        let mut parts = Session::new(network, 1).unwrap();
        let (a, b) = text.split_at(cut.index(text.len()));
        parts.run(a).unwrap();
        parts.run(b).unwrap();
        for (p, w) in parts.logits().iter().zip(whole.logits()) {
            prop_assert!((p - w).abs() <= 1e-5 * (1.0 + w.abs()));
        }
    }
}
