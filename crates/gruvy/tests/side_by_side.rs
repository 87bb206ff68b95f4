//! Trainings of all tasks at once in one process, on pools of other sizes, some stopped and
//! resumed: each ends with the bits that it has alone. Nothing random or reusable belongs to the
//! process.
#![allow(clippy::unwrap_used)]

use gruvy::{
    classify::ClassifyRun,
    forecast::ForecastRun,
    memory::{AddingRun, CopyRun},
    nn::Cell,
    settings::{RunSettings, TaskConfig},
    text::TextRun,
    train::{Ended, Observer, Record, RunFolder, Step, TrainConfig, train},
};
use std::{
    fs,
    path::Path,
    sync::{
        Barrier,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

/// A training in a folder, which is resumed if there is one already; it stops after that step, if
/// there is one.
type Training = Box<dyn Fn(&Path, Option<u64>) -> Ended + Send + Sync>;

struct StopAfter<'a> {
    step: Option<u64>,
    stop: &'a AtomicBool,
}

impl Observer for StopAfter<'_> {
    fn step(&mut self, step: &Step) {
        if self.step == Some(step.step) {
            self.stop.store(true, Ordering::Relaxed);
        }
    }
}

fn training<C: TaskConfig + Send + Sync + 'static>(run: RunSettings<C>) -> Training
where
    RunSettings<C>: Clone + Send + Sync,
{
    Box::new(move |folder, step| {
        let settings = run.to_toml().unwrap();
        let folder = match folder.join("run.toml").exists() {
            true => RunFolder::resume(folder, settings).unwrap(),
            false => RunFolder::create(folder, settings, false).unwrap(),
        };
        let stop = AtomicBool::new(false);
        let task = C::load(run.clone()).unwrap();
        let mut watch = StopAfter { step, stop: &stop };
        train(&task, &run.train, &folder, &mut watch, &stop).unwrap().ended
    })
}

/// Everything that is drawn while training, and sizes that are worth more than one thread.
fn noisy(train: TrainConfig) -> TrainConfig {
    TrainConfig {
        hidden: 64,
        layers: 2,
        batch: 16,
        epochs: 1,
        dropout: 0.2,
        input_dropout: 0.1,
        recurrent_dropout: 0.1,
        candidate_dropout: 0.1,
        weight_dropout: 0.1,
        zoneout: 0.1,
        eval_every: 9,
        ..train
    }
}

/// The trainings, with a step in the middle of each.
fn trainings() -> Vec<(&'static str, Training, u64)> {
    let mut text = TextRun::default();
    text.train = noisy(text.train);
    (text.task.embed, text.task.seq_len, text.train.train_fraction) = (32, 32, 0.2);

    // One row: the threads share its units and meet after every step.
    let mut row = TextRun::default();
    row.train = TrainConfig { hidden: 256, batch: 1, epochs: 1, dropout: 0.1, ..row.train };
    (row.task.embed, row.task.seq_len, row.train.train_fraction) = (64, 64, 0.05);

    let mut classify = ClassifyRun::default();
    classify.train = noisy(classify.train);
    (classify.train.layer_norm, classify.task.embed) = (true, 16);

    let mut forecast = ForecastRun::default();
    forecast.train = TrainConfig { cell: Cell::Lstm, ..noisy(forecast.train) };
    forecast.task.epoch_windows = 320;

    let mut adding = AddingRun::default();
    adding.train = noisy(adding.train);
    (adding.task.length, adding.task.train_size) = (40, 320);
    (adding.task.valid_size, adding.task.test_size) = (32, 32);

    let mut copy = CopyRun::default();
    copy.train = TrainConfig { cell: Cell::MinGru, recurrent_dropout: 0.0, ..noisy(copy.train) };
    (copy.task.length, copy.task.train_size) = (20, 320);
    (copy.task.valid_size, copy.task.test_size) = (32, 32);
    vec![
        ("text", training(text), 11),
        ("a row of text", training(row), 20),
        ("classify", training(classify), 13),
        ("forecast", training(forecast), 10),
        ("adding", training(adding), 5),
        ("copy", training(copy), 10),
    ]
}

/// What a run came to, without the clock's values.
#[derive(PartialEq)]
struct Result {
    records: Vec<Record>,
    model: Vec<u8>,
}

impl Result {
    fn of(folder: &Path) -> Self {
        let mut records = RunFolder::records(folder).unwrap();
        records.iter_mut().for_each(|r| (r.elapsed_s, r.train_s) = (0.0, 0.0));
        Self { records, model: fs::read(folder.join("model.safetensors")).unwrap() }
    }
}

fn on<R: Send>(threads: usize, work: impl FnOnce() -> R + Send) -> R {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(work)
}

#[test]
fn each_ends_with_the_bits_that_it_has_alone() {
    let trainings = trainings();
    let alone = |(name, train, _): &(&str, Training, u64)| {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(on(1, || train(folder.path(), None)), Ended::Epochs, "{name}");
        Result::of(folder.path())
    };
    let alone: Vec<Result> = trainings.iter().map(alone).collect();
    // All begin together: each twice, once in one go and once stopped and resumed.
    let start = Barrier::new(2 * trainings.len());
    thread::scope(|scope| {
        for (i, ((name, train, middle), alone)) in trainings.iter().zip(&alone).enumerate() {
            let start = &start;
            let whole = move || {
                let folder = tempfile::tempdir().unwrap();
                start.wait();
                // On the pool of the process.
                assert_eq!(train(folder.path(), None), Ended::Epochs, "{name}");
                let same = Result::of(folder.path()) == *alone;
                assert!(same, "{name}: other bits beside other trainings");
            };
            let resumed = move || {
                let folder = tempfile::tempdir().unwrap();
                start.wait();
                let ended = on(2 + i, || train(folder.path(), Some(*middle)));
                assert_eq!(ended, Ended::Stopped, "{name}");
                assert_eq!(on(8 - i, || train(folder.path(), None)), Ended::Epochs, "{name}");
                let same = Result::of(folder.path()) == *alone;
                assert!(same, "{name}: other bits beside other trainings, stopped and resumed");
            };
            scope.spawn(whole);
            scope.spawn(resumed);
        }
    });
}
