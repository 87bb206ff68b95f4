//! The training loop with the text task, end to end.
#![allow(clippy::unwrap_used)]

mod any_bytes;
mod bad_input;
mod export;
mod learning;
mod resume;

use gruvy::{
    Result,
    text::{Corpus, TextRun, TextTask},
    train::{Observer, Outcome, Record, RunFolder, Step, train},
};
use std::{
    fs,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

/// Words that start and end alike only by their first letter: a text of them, drawn independently,
/// has ln 8 nats of entropy every five characters.
const WORDS: [&str; 8] = ["bank ", "dent ", "gold ", "hint ", "jump ", "limb ", "pure ", "vast "];

/// Nats a character of [`words`].
const ENTROPY: f64 = 2.0794415416798357 / 5.0;

fn random(seed: &mut u64) -> usize {
    *seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
    (*seed >> 33) as usize
}

/// A made-up text of `count` words.
fn words(count: usize) -> String {
    let mut seed = 7;
    (0..count).map(|_| WORDS[random(&mut seed) % WORDS.len()]).collect()
}

/// Settings that train in a second.
fn small() -> TextRun {
    let mut run = TextRun::default();
    run.train.hidden = 32;
    run.train.batch = 8;
    run.train.epochs = 3;
    run.train.warmup = 5;
    run.train.lr = 0.01;
    run.train.eval_every = 7;
    run.train.save_every = 1e9;
    run.task.embed = 8;
    run.task.seq_len = 20;
    run
}

fn task(run: &TextRun, text: &str) -> TextTask {
    TextTask::new(run.clone(), Corpus::divide(run, text.as_bytes(), None, None)).unwrap()
}

/// Watches a run, and ends it.
#[derive(Default)]
struct Watch {
    notes: Vec<String>,
    records: Vec<Record>,
    saved: Vec<u64>,
    /// Raise the stop flag after that step.
    stop_after: Option<u64>,
    /// Panic after that step: the process is gone, and what was not saved is lost.
    die_after: Option<u64>,
    stop: Arc<AtomicBool>,
}

impl Observer for Watch {
    fn note(&mut self, text: &str) {
        self.notes.push(text.to_owned());
    }
    fn step(&mut self, step: &Step) {
        self.stop.store(self.stop_after == Some(step.step), Ordering::Relaxed);
        assert!(self.die_after != Some(step.step), "killed");
    }
    fn evaluated(&mut self, record: &Record) {
        self.records.push(record.clone());
    }
    fn saved(&mut self, step: u64) {
        self.saved.push(step);
    }
}

/// Trains in `folder`, which is resumed if it holds a run.
fn train_in(folder: &Path, run: &TextRun, text: &str, watch: &mut Watch) -> Result<Outcome> {
    let settings = run.to_toml()?;
    let resume = folder.join("run.toml").exists();
    let folder = match resume {
        true => RunFolder::resume(folder, settings)?,
        false => RunFolder::create(folder, settings, false)?,
    };
    let stop = watch.stop.clone();
    train(&task(run, text), &run.train, &folder, watch, &stop)
}

/// The values of `metrics.jsonl` without the clock's.
fn timeless(folder: &Path) -> Vec<Record> {
    let mut records = RunFolder::records(folder).unwrap();
    records.iter_mut().for_each(|r| (r.elapsed_s, r.train_s) = (0.0, 0.0));
    records
}

fn model(folder: &Path) -> Vec<u8> {
    fs::read(folder.join("model.safetensors")).unwrap()
}
