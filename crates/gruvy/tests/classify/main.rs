//! The classification task: what it learns, what it divides, what it refuses, and that it resumes
//! to the same bits.
#![allow(clippy::unwrap_used)]
mod bad_input;
mod learning;
mod pools;

use gruvy::classify::{ClassifyConfig, ClassifyRun, ClassifyTask};
use gruvy::settings::TaskConfig;
use gruvy::train::{RunFolder, Silent, TrainConfig, train};
use gruvy_runtime::classify::Classifier;
use std::path::{Path, PathBuf};

/// A small model that learns quickly, from a file of that name and content.
fn run(folder: &Path, name: &str, text: &str) -> ClassifyRun {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    let mut run = ClassifyRun::default();
    run.data.paths = vec![path];
    run.train = TrainConfig { hidden: 16, batch: 8, epochs: 6, lr: 1e-2, warmup: 5, ..run.train };
    run.task.embed = 8;
    run
}

/// Two labels that only the order of two words tells apart.
fn ordered(items: usize) -> String {
    let fillers = ["well", "so", "then", "there", "now", "here", "again"];
    let line = |item: usize| {
        let filler = |at: usize| fillers[(item * 5 + at * 3 + item / 7) % fillers.len()];
        let (a, b) = if item.is_multiple_of(2) { ("cat", "dog") } else { ("dog", "cat") };
        let label = if item.is_multiple_of(2) { "first" } else { "second" };
        format!("{} {a} {} {} {b} {}\t{label}\n", filler(0), filler(1), filler(2), filler(3))
    };
    "text\tlabel\n".to_owned() + &(0..items).map(line).collect::<String>()
}

/// Trains, and opens the model.
fn trained(run: &ClassifyRun, out: &Path) -> (ClassifyTask, Classifier) {
    let task = ClassifyConfig::load(run.clone()).unwrap();
    let folder = RunFolder::create(out, run.to_toml().unwrap(), false).unwrap();
    train(&task, &run.train, &folder, &mut Silent, &false.into()).unwrap();
    let classifier = Classifier::open(folder.model_path()).unwrap();
    (task, classifier)
}

fn out(folder: &Path, name: &str) -> PathBuf {
    folder.join(name)
}
