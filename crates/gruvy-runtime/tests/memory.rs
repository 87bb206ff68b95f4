//! The memory tasks: what the generators make, and how an answer is measured.
#![allow(clippy::unwrap_used)]

use gruvy_runtime::{
    Cell, Codec, Error, TaskName,
    memory::{Adding, Copying, TEST_SEED, evaluate_adding, evaluate_copying},
    model::{Head, Input, ModelFile, Network, RnnSpec, Spec, Tensor, Trained},
};
use std::{collections::BTreeMap, sync::Arc};

/// A network that answers the head's bias, whatever it is given.
fn constant(input: Input, bias: &[f32]) -> (Spec, BTreeMap<String, Tensor>) {
    let rnn = RnnSpec {
        cell: Cell::Gru,
        input_size: input.width(),
        hidden_size: 3,
        num_layers: 1,
        bidirectional: false,
        bias: true,
        zoneout: 0.0,
        layer_norm: false,
    };
    let spec =
        Spec { input, rnn, pool: None, head: Head::Linear { outputs: bias.len() }, decoder: None };
    let tensor = |shape: Vec<usize>| Tensor { data: vec![0.0; shape.iter().product()], shape };
    let mut tensors: BTreeMap<_, _> =
        spec.tensors().into_iter().map(|t| (t.name, tensor(t.shape))).collect();
    tensors.get_mut("head.bias").unwrap().data = bias.to_vec();
    (spec, tensors)
}

fn network((spec, tensors): &(Spec, BTreeMap<String, Tensor>)) -> Arc<Network> {
    Arc::new(Network::from_tensors(spec, tensors).unwrap())
}

fn features() -> Input {
    Input::Features { size: 2 }
}

fn symbols() -> Input {
    Input::Embedding { vocab: 10, dim: 4 }
}

#[test]
fn adding_marks_two_numbers_and_asks_for_their_sum() {
    for length in [2, 3, 10, 200] {
        let batch = 50;
        let examples = Adding { length }.examples(7, 0..batch as u64);
        assert_eq!((examples.x.len(), examples.sums.len()), (length * batch * 2, batch));
        for b in 0..batch {
            let step = |t: usize| &examples.x[(t * batch + b) * 2..][..2];
            let marked: Vec<usize> = (0..length).filter(|t| step(*t)[1] == 1.0).collect();
            assert_eq!(marked.len(), 2, "length {length}, sequence {b}");
            assert!((0..length).all(|t| (0.0..1.0).contains(&step(t)[0])));
            assert_eq!((0..length).filter(|t| step(*t)[1] != 0.0).count(), 2);
            let sum = step(marked[0])[0] + step(marked[1])[0];
            assert_eq!(examples.sums[b], sum);
        }
    }
}

#[test]
fn every_pair_of_places_and_every_number_is_as_likely_as_another() {
    let (length, count) = (5, 20_000);
    let examples = Adding { length }.examples(1, 0..count as u64);
    let mut pairs = BTreeMap::<Vec<usize>, usize>::new();
    for b in 0..count {
        let marked = |t: &usize| examples.x[(t * count + b) * 2 + 1] == 1.0;
        *pairs.entry((0..length).filter(marked).collect()).or_default() += 1;
    }
    assert_eq!(pairs.len(), 10);
    // Five standard deviations of a share of a tenth.
    let slack = 5.0 * (0.09 * count as f64).sqrt();
    assert!(pairs.values().all(|n| (*n as f64 - 0.1 * count as f64).abs() < slack), "{pairs:?}");
    let numbers: Vec<f64> = examples.x.iter().step_by(2).map(|v| f64::from(*v)).collect();
    let mean = numbers.iter().sum::<f64>() / numbers.len() as f64;
    let square = numbers.iter().map(|v| v * v).sum::<f64>() / numbers.len() as f64;
    assert!((mean - 0.5).abs() < 0.005 && (square - 1.0 / 3.0).abs() < 0.005, "{mean} {square}");
}

#[test]
fn copy_shows_ten_digits_and_asks_for_them_at_the_end() {
    for length in [1, 2, 30] {
        let task = Copying { length };
        let (steps, batch) = (length + 20, 40);
        assert_eq!(task.steps(), steps);
        let examples = task.examples(7, 0..batch as u64);
        assert_eq!((examples.x.len(), examples.targets.len()), (steps * batch, steps * batch));
        for b in 0..batch {
            let x: Vec<u32> = (0..steps).map(|t| examples.x[t * batch + b]).collect();
            let y: Vec<u32> = (0..steps).map(|t| examples.targets[t * batch + b]).collect();
            assert!(x[..10].iter().all(|digit| (1..=8).contains(digit)), "{x:?}");
            assert!(x[10..steps - 11].iter().all(|v| *v == 0), "{length} - 1 zeros: {x:?}");
            assert!(x[steps - 11..].iter().all(|v| *v == 9), "eleven 9s: {x:?}");
            assert!(y[..steps - 10].iter().all(|v| *v == 0), "{y:?}");
            assert_eq!(y[steps - 10..], x[..10]);
        }
        let digits = &examples.x[..10 * batch];
        assert!((1..=8).all(|digit| digits.contains(&digit)), "each digit comes up");
    }
}

#[test]
fn a_sequence_follows_from_its_seed_and_number_alone() {
    let (adding, copying) = (Adding { length: 6 }, Copying { length: 4 });
    let (all, copies) = (adding.examples(3, 0..8), copying.examples(3, 0..8));
    assert_eq!(adding.examples(3, 0..8), all);
    assert_ne!(adding.examples(4, 0..8), all);
    assert_ne!(copying.examples(4, 0..8), copies);
    let one = adding.examples(3, 5..6);
    assert_eq!(one.sums[0], all.sums[5]);
    assert!((0..6).all(|t| one.x[t * 2..][..2] == all.x[(t * 8 + 5) * 2..][..2]));
    let one = copying.examples(3, 5..6);
    assert!((0..copying.steps()).all(|t| one.x[t] == copies.x[t * 8 + 5]));
}

#[test]
fn neighbouring_seeds_share_no_sequence() {
    let copying = Copying { length: 1 };
    let mut seen = std::collections::BTreeSet::new();
    for seed in 0..20 {
        let batch = 50;
        let x = copying.examples(seed, 0..batch as u64).x;
        for b in 0..batch {
            let digits: Vec<u32> = (0..10).map(|t| x[t * batch + b]).collect();
            assert!(seen.insert(digits), "seed {seed}, sequence {b} was there before");
        }
    }
}

#[test]
fn without_memory_the_baseline_is_what_is_left() {
    let task = Adding { length: 20 };
    let metrics =
        evaluate_adding(&network(&constant(features(), &[1.0])), &task, TEST_SEED, 20_000).unwrap();
    // Five standard deviations of a mean of so many squared errors, each of deviation 0.197.
    let slack = 5.0 * 0.197 / 20_000f64.sqrt();
    assert!((metrics["mse"] - metrics["baseline"]).abs() < slack, "{metrics:?}");
    assert_eq!(metrics["mse"], metrics["loss"]);

    // Zero everywhere with near certainty: right but for the digits, which then cost 30 nats each.
    let task = Copying { length: 30 };
    let mut logits = [0.0; 10];
    logits[0] = 30.0;
    let metrics = evaluate_copying(&network(&constant(symbols(), &logits)), &task, 1, 130).unwrap();
    assert!((metrics["loss"] - 10.0 * 30.0 / 50.0).abs() < 1e-4, "{metrics:?}");
    assert_eq!(metrics["accuracy"], 0.0);
    assert!((metrics["baseline"] - 10.0 * 8f64.ln() / 50.0).abs() < 1e-12);
    // A 5 at every step: an eighth of the digits.
    logits[5] = 40.0;
    let metrics =
        evaluate_copying(&network(&constant(symbols(), &logits)), &task, 1, 2000).unwrap();
    assert!((metrics["accuracy"] - 0.125).abs() < 0.012, "{metrics:?}");
    // Nothing is likelier than another: that is not an answer.
    let metrics =
        evaluate_copying(&network(&constant(symbols(), &[0.0; 10])), &task, 1, 10).unwrap();
    assert_eq!(metrics["accuracy"], 0.0);
}

#[test]
fn a_model_file_keeps_the_task_and_refuses_what_does_not_fit() {
    let file = |codec: Codec, (spec, tensors): (Spec, BTreeMap<String, Tensor>)| ModelFile {
        spec,
        codec,
        source: serde_json::Value::Null,
        trained: Trained::default(),
        tensors,
    };
    let adding = Codec::Adding(Adding { length: 9 });
    let bytes = file(adding, constant(features(), &[0.0])).to_bytes().unwrap();
    let back = ModelFile::from_bytes(&bytes).unwrap();
    assert_eq!(back.task(), TaskName::Adding);
    assert!(matches!(back.codec, Codec::Adding(Adding { length: 9 })), "{:?}", back.codec);
    let copy = || Codec::Copy(Copying { length: 9 });
    let bytes = file(copy(), constant(symbols(), &[0.0; 10])).to_bytes().unwrap();
    assert_eq!(ModelFile::from_bytes(&bytes).unwrap().task(), TaskName::Copy);

    let field = |codec, model| match file(codec, model).validate() {
        Err(Error::Spec { field, .. }) => field,
        Err(Error::Setting { name, .. }) => name,
        other => panic!("{other:?}"),
    };
    let adding = |length| Codec::Adding(Adding { length });
    assert_eq!(field(adding(9), constant(symbols(), &[0.0])), "input");
    assert_eq!(field(adding(9), constant(features(), &[0.0; 2])), "head.linear.outputs");
    assert_eq!(field(adding(1), constant(features(), &[0.0])), "length");
    assert_eq!(field(adding(usize::MAX), constant(features(), &[0.0])), "length");
    assert_eq!(field(copy(), constant(features(), &[0.0; 10])), "input");
    assert_eq!(field(copy(), constant(symbols(), &[0.0; 9])), "head.linear.outputs");
    let none =
        evaluate_adding(&network(&constant(features(), &[1.0])), &Adding { length: 9 }, 1, 0);
    assert!(none.unwrap_err().to_string().contains("count is 0"));
}
