//! The memory tasks with the one training loop, and the heads that they need.
#![allow(clippy::unwrap_used)]

use burn::tensor::{Device, Int, Tensor, TensorData};
use gruvy::{
    memory::{AddingConfig, AddingRun, CopyConfig, CopyRun},
    nn::{Cell, Key, RecurrentConfig, SequenceModel, cross_entropy, mean_squared_error},
    settings::{RunSettings, TaskConfig},
    text::{Corpus, TextRun},
    train::{Observer, Outcome, Part, Position, RunFolder, Silent, Step, Task, train, untrained},
};
use gruvy_runtime::{
    Codec,
    memory::{Adding, TEST_SEED, evaluate_adding, evaluate_copying},
    model::{Head, Input, ModelFile, Network, Session, Steps},
};
use std::{
    fs,
    path::Path,
    sync::{Arc, atomic::AtomicBool, atomic::Ordering},
};

fn adding() -> AddingRun {
    let mut run = AddingRun::default();
    run.task.length = 10;
    run.task.train_size = 640;
    run.task.valid_size = 50;
    run.task.test_size = 200;
    run.train.hidden = 24;
    run.train.batch = 32;
    run.train.epochs = 2;
    run.train.lr = 0.01;
    run
}

fn copying() -> CopyRun {
    let mut run = CopyRun::default();
    run.task.length = 5;
    run.task.train_size = 64;
    run.task.valid_size = 20;
    run.task.test_size = 20;
    run.train.hidden = 12;
    run.train.batch = 8;
    run.train.epochs = 2;
    run
}

fn train_in<C: TaskConfig>(folder: &Path, run: &RunSettings<C>) -> Outcome {
    let folder = RunFolder::create(folder, run.to_toml().unwrap(), false).unwrap();
    let task = C::load(run.clone()).unwrap();
    train(&task, &run.train, &folder, &mut Silent, &AtomicBool::new(false)).unwrap()
}

#[test]
fn adding_over_ten_steps_is_learned() {
    let (folder, mut run) = (tempfile::tempdir().unwrap(), adding());
    run.train.epochs = 30;
    let outcome = train_in(folder.path(), &run);
    let test = outcome.test.unwrap();
    assert!(test["mse"] < test["baseline"] / 20.0, "{test:?}");
    assert_eq!(test["mse"], test["loss"]);
    // The model file, run by the runtime, gives the same answer on the same sequences.
    let file = ModelFile::open(folder.path()).unwrap();
    assert!(matches!(file.codec, Codec::Adding(Adding { length: 10 })), "{:?}", file.codec);
    let network = Arc::new(Network::new(&file).unwrap());
    let again = evaluate_adding(&network, &Adding { length: 10 }, TEST_SEED, 200).unwrap();
    assert_eq!(again, test);
}

#[test]
fn copying_learns_where_the_answer_stands_and_something_of_it() {
    let (folder, mut run) = (tempfile::tempdir().unwrap(), copying());
    run.task.train_size = 3200;
    run.task.length = 1;
    run.train.hidden = 64;
    run.train.batch = 32;
    run.train.epochs = 16;
    run.train.lr = 0.01;
    let test = train_in(folder.path(), &run).test.unwrap();
    assert!(test["loss"] < 0.9 * test["baseline"], "{test:?}");
    assert!(test["accuracy"] > 0.25, "an eighth is chance: {test:?}");
}

#[test]
fn the_session_gives_what_the_training_model_gives() {
    let device = Device::flex();
    let run = adding();
    let task = AddingConfig::load(run.clone()).unwrap();
    let file = untrained(&task, &run.train).unwrap();
    let model = task.import(&file, &device).unwrap();
    let examples = Adding { length: 10 }.examples(5, 0..7);
    let x = Tensor::from_data(TensorData::new(examples.x.clone(), [10, 7, 2]), &device);
    let ours: Vec<f32> = model.last(x, None, None).into_data().try_to_vec().unwrap();
    let mut session = Session::new(Arc::new(Network::new(&file).unwrap()), 7).unwrap();
    let theirs = session.feed(Steps::Features(&examples.x)).unwrap();
    for (a, b) in ours.iter().zip(theirs) {
        assert!((a - b).abs() < 1e-6, "{ours:?} {theirs:?}");
    }

    let mut run = copying();
    run.train.layers = 2;
    let task = CopyConfig::load(run.clone()).unwrap();
    let file = untrained(&task, &run.train).unwrap();
    let model = task.import(&file, &device).unwrap();
    let examples = gruvy_runtime::memory::Copying { length: 5 }.examples(5, 0..4);
    let symbols = |all: &[u32]| {
        let all: Vec<i64> = all.iter().map(|v| i64::from(*v)).collect();
        let count = all.len();
        Tensor::<1, Int>::from_data(TensorData::new(all, [count]), &device)
    };
    let (logits, _) = model.every(model.embed(symbols(&examples.x), 4), None, None);
    let loss = cross_entropy(logits, symbols(&examples.targets), 0.0, None).into_scalar::<f32>();
    let network = Arc::new(Network::new(&file).unwrap());
    let metrics =
        evaluate_copying(&network, &gruvy_runtime::memory::Copying { length: 5 }, 5, 4).unwrap();
    assert!((f64::from(loss) - metrics["loss"]).abs() < 1e-5, "{loss} {metrics:?}");
    // Import is the reverse of export.
    assert_eq!(task.export(&model, file.codec.clone(), file.trained.clone()).tensors, file.tensors);
}

/// Raises the stop flag after a step.
struct StopAfter<'a>(u64, &'a AtomicBool);

impl Observer for StopAfter<'_> {
    fn step(&mut self, step: &Step) {
        self.1.store(step.step == self.0, Ordering::Relaxed);
    }
}

fn resumes_to_the_same_bits<C: TaskConfig>(run: &RunSettings<C>) {
    let (whole, stopped) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let outcome = train_in(whole.path(), run);
    let task = C::load(run.clone()).unwrap();
    let settings = || run.to_toml().unwrap();
    let stop = AtomicBool::new(false);
    let folder = RunFolder::create(stopped.path(), settings(), false).unwrap();
    train(&task, &run.train, &folder, &mut StopAfter(9, &stop), &stop).unwrap();
    drop(folder);
    let read = RunSettings::<C>::read(&stopped.path().join("run.toml")).unwrap();
    assert_eq!(read, *run, "run.toml keeps every setting");
    let folder = RunFolder::resume(stopped.path(), settings()).unwrap();
    let again = train(&task, &read.train, &folder, &mut Silent, &AtomicBool::new(false)).unwrap();
    let model = |folder: &Path| fs::read(folder.join("model.safetensors")).unwrap();
    assert!(model(whole.path()) == model(stopped.path()), "the model's bits");
    assert_eq!(outcome.test, again.test);
}

#[test]
fn a_stopped_run_goes_on_to_the_same_bits() {
    resumes_to_the_same_bits(&adding());
    resumes_to_the_same_bits(&copying());
}

#[test]
fn every_step_learns_from_other_sequences_and_never_from_those_it_is_tested_on() {
    let task = AddingConfig::load(adding()).unwrap();
    let model = task.init(Key::new(1), &Device::flex());
    let loss = |epoch_seed, step| {
        let at = Position { step, epoch_seed, masks: Key::new(step) };
        task.loss(&model, at, &mut Vec::new()).into_scalar::<f32>()
    };
    assert_eq!(loss(1, 0), loss(1, 0));
    assert_ne!(loss(1, 0), loss(1, 1));
    assert_ne!(loss(1, 0), loss(2, 0));
    let codec = task.fresh_codec();
    let metrics = |part| task.evaluate(&model, &codec, part).unwrap();
    assert_ne!(metrics(Part::Valid).unwrap()["loss"], metrics(Part::Test).unwrap()["loss"]);
    assert!(metrics(Part::Train).is_none());
}

#[test]
fn run_toml_reads_as_it_is_written_and_knows_the_tasks_defaults() {
    let mut run = adding();
    run.train.chrono = Some(0);
    let text = run.to_toml().unwrap();
    assert!(text.starts_with("task = \"adding\"\n\n[train]\n"), "{text}");
    assert!(text.contains("\n[adding]\nlength = 10\n") && !text.contains("[data]"), "{text}");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.toml");
    let read = |text: &str| {
        fs::write(&path, text).unwrap();
        AddingRun::read(&path)
    };
    assert_eq!(read(&text).unwrap(), run);
    // A table that is given in part keeps this task's defaults, not those of text.
    let part = read("[train]\nhidden = 9\n").unwrap();
    assert_eq!((part.train.hidden, part.train.dropout), (9, 0.0));
    assert_eq!(part.train.batch, AddingConfig::train_defaults().batch);
    assert_eq!(read("").unwrap(), AddingRun::default());
    for (text, parts) in [
        ("task = \"copy\"", ["line 1", "`copy`", "`adding`"]),
        ("[train]\n[copy]\nlength = 9", ["line 2", "copy", "adding"]),
        ("[adding]\nlenght = 9", ["line 2", "lenght", "length"]),
    ] {
        let error = read(text).unwrap_err().to_string();
        assert!(parts.iter().all(|part| error.contains(part)), "{error}");
    }
}

#[test]
fn settings_that_make_no_sense_are_named() {
    type Change<C> = fn(&mut RunSettings<C>);
    fn says<C: TaskConfig>(run: &RunSettings<C>, change: Change<C>, parts: &[&str]) {
        let mut run = run.clone();
        change(&mut run);
        let error = run.check().unwrap_err().to_string();
        assert!(parts.iter().all(|part| error.contains(part)), "{parts:?}: {error}");
    }
    let (a, c) = (adding(), copying());
    says(&a, |r| r.task.length = 1, &["length is 1", "2"]);
    says(&c, |r| r.task.length = 0, &["length = 0"]);
    says(&a, |r| r.task.train_size = 0, &["train_size = 0"]);
    says(&a, |r| r.task.valid_size = 0, &["valid_size = 0"]);
    says(&a, |r| r.train.train_fraction = 0.5, &["train_fraction = 0.5", "train_size"]);
    says(&a, |r| r.train.label_smoothing = 0.1, &["label_smoothing = 0.1", "no labels"]);
    says(&a, |r| r.data.paths = vec!["a.txt".into()], &["a.txt", "makes its own data"]);
    says(&a, |r| r.train.chrono = Some(2), &["chrono = 2", "at least 3"]);
    says(&c, |r| r.train.label_smoothing = 1.0, &["label_smoothing = 1"]);
    says(&c, |r| r.train.train_fraction = 0.0, &["train_fraction = 0"]);
    says(&c, |r| r.train.train_fraction = f64::NAN, &["train_fraction = NaN"]);
}

#[test]
fn chrono_opens_the_gate_that_keeps() {
    let device = Device::flex().autodiff();
    let config = RecurrentConfig::new(3, 400).with_chrono(50);
    let layer = &config.init(Key::new(1), &device).layers[0];
    let values = |param: &Option<burn::module::Param<Tensor<1>>>| -> Vec<f32> {
        param.as_ref().unwrap().val().into_data().try_to_vec().unwrap()
    };
    let (b_ih, b_hh) = (values(&layer.bias_ih), values(&layer.bias_hh));
    let z = 400..800;
    assert!(b_hh[z.clone()].iter().all(|b| *b == 0.0));
    // exp(b) is uniform in [1, 49].
    let memories: Vec<f64> = b_ih[z.clone()].iter().map(|b| f64::from(b.exp())).collect();
    assert!(memories.iter().all(|m| (0.999..49.001).contains(m)));
    let mean = memories.iter().sum::<f64>() / 400.0;
    assert!((mean - 25.0).abs() < 5.0 * 13.9 / 20.0, "{mean}");
    assert!(memories.iter().any(|m| *m > 40.0) && memories.iter().any(|m| *m < 10.0));
    // The other gates start as ever, in ±1/√H.
    let others = b_ih.iter().chain(&b_hh).enumerate().filter(|(i, _)| !z.contains(&(i % 1200)));
    assert!(others.clone().all(|(_, b)| b.abs() <= 0.05) && others.clone().any(|(_, b)| *b != 0.0));
    let plain = &RecurrentConfig::new(3, 400).init(Key::new(1), &device).layers[0];
    assert!(values(&plain.bias_ih).iter().all(|b| b.abs() <= 0.05));
}

#[test]
fn chrono_knows_what_each_cells_gates_do() {
    let device = Device::flex();
    let biases = |cell, chrono| -> Vec<f32> {
        let config = RecurrentConfig::new(3, 40).with_cell(cell).with_chrono(chrono);
        let layer = config.init(Key::new(1), &device).layers.remove(0);
        layer.bias_ih.unwrap().val().into_data().try_to_vec().unwrap()
    };
    // Between memories of one step and of 49, for the gate that keeps; the gate that takes is its
    // opposite.
    let opens = |b: &[f32]| b.iter().all(|b| (0.0..4.0).contains(b)) && b.iter().any(|b| *b > 2.0);
    let lstm = biases(Cell::Lstm, 50);
    let (i, f) = (&lstm[..40], &lstm[40..80]);
    assert!(opens(f) && f.iter().zip(i).all(|(f, i)| f + i == 0.0), "{i:?} {f:?}");
    let negative: Vec<f32> = biases(Cell::MinGru, 50)[..40].iter().map(|b| -b).collect();
    assert!(opens(&negative), "{negative:?}");
    assert!(opens(&biases(Cell::GruV3, 50)[40..80]));
    for cell in [Cell::Rnn, Cell::RnnRelu] {
        assert!(biases(cell, 50).iter().all(|b| b.abs() <= 0.16), "no gate to open");
    }
}

#[test]
fn smoothing_spreads_a_share_of_the_target() {
    let device = Device::flex().autodiff();
    let data = [[1.0f32, -2.0, 0.5], [0.3, 0.0, 4.0]];
    let logits = Tensor::<2>::from_data(data, &device).require_grad();
    let targets = Tensor::<1, Int>::from_data([2i64, 0], &device);
    let (s, picked) = (0.1, [2, 0]);
    let loss = cross_entropy(logits.clone(), targets.clone(), s, None);
    let (mut expected, mut gradient) = (0.0, Vec::new());
    for (row, target) in data.iter().zip(picked) {
        let sum: f64 = row.iter().map(|v| f64::from(*v).exp()).sum();
        for (v, logit) in row.iter().enumerate() {
            let p = f64::from(*logit).exp() / sum;
            let q = s / 3.0 + if v == target { 1.0 - s } else { 0.0 };
            expected -= q * p.ln() / 2.0;
            gradient.push((p - q) / 2.0);
        }
    }
    assert!((f64::from(loss.clone().into_scalar::<f32>()) - expected).abs() < 1e-6);
    let grads = loss.backward();
    let got: Vec<f32> = logits.grad(&grads).unwrap().into_data().try_to_vec().unwrap();
    for (got, expected) in got.iter().zip(&gradient) {
        assert!((f64::from(*got) - expected).abs() < 1e-6, "{got} {expected}");
    }
    let (plain, least) = (cross_entropy(logits.clone(), targets.clone(), 0.0, None), 1e-9);
    let tiny = cross_entropy(logits, targets, least, None);
    let difference = plain.into_scalar::<f32>() - tiny.into_scalar::<f32>();
    assert!(difference.abs() < 1e-6);
}

#[test]
fn smoothing_changes_what_is_learned_and_not_what_is_measured() {
    let run = copying();
    let mut smooth = run.clone();
    smooth.train.label_smoothing = 0.2;
    let [plain, smooth] = [run, smooth].map(|run| CopyConfig::load(run).unwrap());
    let model = plain.init(Key::new(1), &Device::flex());
    let at = Position { step: 0, epoch_seed: 0, masks: Key::new(1) };
    let loss = |task: &<CopyConfig as TaskConfig>::Task| {
        task.loss(&model, at, &mut Vec::new()).into_scalar::<f32>()
    };
    assert_ne!(loss(&plain), loss(&smooth));
    let valid = |task: &<CopyConfig as TaskConfig>::Task| task.validate(&model).unwrap().metrics;
    assert!(valid(&plain).is_some());
    assert_eq!(valid(&plain), valid(&smooth));
}

#[test]
fn a_fraction_of_the_training_text_is_its_start() {
    let text = "abcdefghijklmnopqrstuvwxyz".repeat(40);
    let mut run = TextRun::default();
    let whole = Corpus::divide(&run, text.as_bytes(), None, None);
    run.train.train_fraction = 0.25;
    let quarter = Corpus::divide(&run, text.as_bytes(), None, None);
    assert_eq!(quarter.train.len(), whole.train.len() / 4);
    assert!(whole.train.starts_with(&quarter.train));
    assert_eq!((quarter.valid, quarter.test), (whole.valid, whole.test));
}

/// The head after the last valid step, with layers, directions and lengths, and its gradient.
#[test]
fn the_last_step_is_the_last_valid_one_of_each_direction() {
    let device = Device::flex().autodiff();
    for (bidirectional, layers) in [(false, 1), (true, 2)] {
        let rnn = RecurrentConfig::new(2, 5)
            .with_bidirectional(bidirectional)
            .with_num_layers(layers)
            .with_cell(Cell::Gru);
        let (input, head) = (Input::Features { size: 2 }, Head::Linear { outputs: 3 });
        let model = SequenceModel::new(&input, &rnn, &head, Key::new(1), &device);
        let data: Vec<f32> = (0..4 * 3 * 2).map(|i| ((i * 7 % 11) as f32 - 5.0) / 5.0).collect();
        let x = Tensor::<3>::from_data(TensorData::new(data, [4, 3, 2]), &device);
        let lengths = [4, 2, 3];
        let all: Vec<f32> =
            model.last(x.clone(), Some(&lengths), None).into_data().try_to_vec().unwrap();
        for (b, len) in lengths.into_iter().enumerate() {
            let alone = x.clone().narrow(0, 0, len).narrow(1, b, 1);
            let alone: Vec<f32> = model.last(alone, None, None).into_data().try_to_vec().unwrap();
            for (a, b) in alone.iter().zip(&all[b * 3..]) {
                assert!((a - b).abs() < 1e-6, "{alone:?} {all:?}");
            }
        }
        let targets = Tensor::zeros([3, 3], &device);
        let x = x.require_grad();
        let loss = mean_squared_error(model.last(x.clone(), Some(&lengths), None), targets);
        let dx: Vec<f32> = x.grad(&loss.backward()).unwrap().into_data().try_to_vec().unwrap();
        let step = |t: usize, b: usize| dx[(t * 3 + b) * 2..][..2].iter().any(|d| *d != 0.0);
        for (b, len) in lengths.into_iter().enumerate() {
            assert!((0..4).all(|t| step(t, b) == (t < len)), "{dx:?}");
        }
    }
}
