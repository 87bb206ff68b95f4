//! What is learned.
use super::{ordered, out, run, trained};
use gruvy::classify::judge::Report;
use gruvy::classify::{ClassifyConfig, ClassifyRun, Unit, synthetic};
use gruvy::settings::TaskConfig;
use gruvy::train::{Ended, Part, RunFolder, Silent, Task, train};
use gruvy_runtime::{
    classify::Reader,
    model::{ModelFile, Pool},
};
use std::fs;

fn report(run: &ClassifyRun, folder: &std::path::Path, name: &str) -> Report {
    let (task, classifier) = trained(run, &out(folder, name));
    task.report(&classifier, Part::Test, Some(&task.baseline().unwrap())).unwrap()
}

#[test]
fn order_is_learned_where_a_bag_of_words_cannot() {
    let folder = tempfile::tempdir().unwrap();
    for (name, pool) in Pool::ALL {
        let mut run = run(folder.path(), "a.tsv", &ordered(600));
        run.task.pool = Some(pool);
        run.train.epochs = 8;
        let report = report(&run, folder.path(), name);
        let [model, bag] =
            [&report.model, report.baseline.as_ref().unwrap()].map(|j| j.metrics.accuracy);
        assert!(model > 0.95, "{name}: {model}");
        assert!(bag < 0.85, "{bag}");
        assert!(report.verdict.unwrap().starts_with("The gru is better"));
    }
}

#[test]
fn every_unit_learns_and_answers_after_reloading() {
    let folder = tempfile::tempdir().unwrap();
    for (name, unit) in Unit::ALL {
        let mut run = run(folder.path(), "a.tsv", &ordered(400));
        run.task.unit = unit;
        run.task.vocab_size = 300;
        run.train.epochs = 8;
        let report = report(&run, folder.path(), name);
        assert!(report.model.metrics.accuracy > 0.8, "{name}: {}", report.model.metrics.accuracy);
    }
}

#[test]
fn several_labels_are_learned_each_by_itself() {
    let folder = tempfile::tempdir().unwrap();
    let words = ["sun", "rain", "wind"];
    let mut text = "text,label\n".to_owned();
    for item in 0..300usize {
        let mine: Vec<&str> =
            (0..3).filter(|bit| (item * 7 / 3) >> bit & 1 == 1).map(|bit| words[bit]).collect();
        text += &format!("today we had {} it seems,{}\n", mine.join(" and "), mine.join("|"));
    }
    let mut run = run(folder.path(), "a.csv", &text);
    run.task.multi_label = true;
    run.task.class_weights = true;
    run.task.format.label_separator = Some('|');
    run.task.word_dropout = Some(0.0);
    run.train.epochs = 12;
    let (task, classifier) = trained(&run, &out(folder.path(), "run"));
    let report = task.report(&classifier, Part::Test, None).unwrap();
    assert!(report.model.metrics.accuracy > 0.9, "{:?}", report.model.metrics);
    let p = classifier.text("today we had sun and wind it seems").unwrap();
    let labels: Vec<&str> = classifier
        .codec()
        .decide(&p)
        .iter()
        .map(|at| task.data().labels[*at as usize].as_str())
        .collect();
    assert_eq!(labels, ["sun", "wind"]);
}

#[test]
fn sequences_are_learned_and_can_be_answered_step_by_step() {
    let folder = tempfile::tempdir().unwrap();
    let mut text = "sequence_id,step,u,v,label\n".to_owned();
    for item in 0..400usize {
        // Rising or falling, at a height that says nothing.
        let (height, sign) =
            ((item * 37 % 50) as f64, if item.is_multiple_of(2) { 1.0 } else { -1.0 });
        for step in 0..5 + item % 4 {
            let label = if item.is_multiple_of(2) { "up" } else { "down" };
            text +=
                &format!("s{item},{step},{},{},{label}\n", height + sign * step as f64, item % 3);
        }
    }
    let mut run = run(folder.path(), "a.csv", &text);
    run.train.epochs = 40;
    let (task, classifier) = trained(&run, &out(folder.path(), "run"));
    assert!(matches!(&classifier.codec().reader, Reader::Sequences(s) if s.features == ["u", "v"]));
    let report = task.report(&classifier, Part::Test, None).unwrap();
    assert!(report.model.metrics.accuracy > 0.9, "{:?}", report.model.metrics);
    let mut stream = classifier.stream().unwrap();
    let item = [10.0, 0.0, 11.0, 0.0, 12.0, 0.0, 13.0, 0.0, 14.0, 0.0];
    let mut last = Vec::new();
    for step in item.chunks_exact(2) {
        last = stream.push_features(step).unwrap();
    }
    let whole = classifier.sequence(&item).unwrap();
    assert!(last.iter().zip(&whole).all(|(a, b)| (a - b).abs() < 1e-6));
}

#[test]
fn probabilities_are_calibrated_on_validation() {
    let folder = tempfile::tempdir().unwrap();
    // A third of the labels are chance: a model that learns them by heart is too sure.
    let noisy: String = ordered(400)
        .lines()
        .enumerate()
        .map(|(at, line)| match at % 3 {
            0 if at > 0 => format!(
                "{}\t{}\n",
                line.split('\t').next().unwrap(),
                if at.is_multiple_of(2) { "first" } else { "second" }
            ),
            _ => format!("{line}\n"),
        })
        .collect();
    let mut run = run(folder.path(), "a.tsv", &noisy);
    run.train.dropout = 0.0;
    run.train.patience = 0;
    let (task, classifier) = trained(&run, &out(folder.path(), "run"));
    assert_ne!(classifier.codec().temperature, 1.0);
    let report = task.report(&classifier, Part::Valid, None).unwrap();
    let stored = ModelFile::open(folder.path().join("run")).unwrap().trained.metrics;
    assert!((stored["valid_loss"] - report.model.metrics.log_loss).abs() < 1e-9);
}

#[test]
fn vectors_begin_the_embeddings_and_frozen_ones_stay() {
    let folder = tempfile::tempdir().unwrap();
    let vectors = folder.path().join("v.txt");
    fs::write(&vectors, "3 4\ncat 1 0 0.5 -1\ndog -1 0.25 0 1\nmouse 9 9 9 9\n").unwrap();
    let mut run = run(folder.path(), "a.tsv", &ordered(100));
    run.task.vectors = Some(vectors);
    run.task.freeze_vectors = true;
    run.train.epochs = 2;
    run.train.ema = 0.5;
    let row = |classifier: &gruvy_runtime::classify::Classifier,
               file: &ModelFile,
               word: &str|
     -> Vec<f32> {
        let Reader::Words(words) = &classifier.codec().reader else { panic!("words") };
        let token = words.encode(word)[0] as usize;
        file.tensors["embedding.weight"].data[token * 4..][..4].to_vec()
    };
    let (_, classifier) = trained(&run, &out(folder.path(), "frozen"));
    let file = ModelFile::open(folder.path().join("frozen")).unwrap();
    assert_eq!(row(&classifier, &file, "cat"), [1.0, 0.0, 0.5, -1.0]);
    assert_eq!(row(&classifier, &file, "mouse"), [9.0; 4], "a word of the file alone is known");
    run.task.freeze_vectors = false;
    let (_, classifier) = trained(&run, &out(folder.path(), "free"));
    let file = ModelFile::open(folder.path().join("free")).unwrap();
    assert_ne!(row(&classifier, &file, "cat"), [1.0, 0.0, 0.5, -1.0]);
}

#[test]
fn a_run_that_was_stopped_ends_with_the_same_bits() {
    let folder = tempfile::tempdir().unwrap();
    let mut run = run(folder.path(), "a.tsv", &ordered(200));
    run.train.epochs = 2;
    run.train.eval_every = 7;
    let whole = out(folder.path(), "whole");
    trained(&run, &whole);
    let task = ClassifyConfig::load(run.clone()).unwrap();
    let parts = out(folder.path(), "parts");
    let toml = run.to_toml().unwrap();
    let first = RunFolder::create(&parts, toml.clone(), false).unwrap();
    let once = gruvy::train::TrainConfig { max_minutes: 1e-9, ..run.train.clone() };
    let mut ended = train(&task, &once, &first, &mut Silent, &false.into()).unwrap().ended;
    assert_eq!(ended, Ended::Time);
    drop(first);
    for _ in 0..2 {
        let folder = RunFolder::resume(&parts, toml.clone()).unwrap();
        ended = train(&task, &run.train, &folder, &mut Silent, &false.into()).unwrap().ended;
    }
    assert_eq!(ended, Ended::Epochs);
    let bytes = |folder: &std::path::Path| fs::read(folder.join("model.safetensors")).unwrap();
    assert_eq!(bytes(&whole), bytes(&parts));
}

#[test]
fn the_embedded_set_says_what_it_is() {
    let examples = synthetic();
    assert!(examples.notes[0].why.contains("synthetic"));
    let task = ClassifyConfig::load(ClassifyRun::default()).unwrap();
    assert_eq!(task.data().labels, ["negative", "neutral", "positive"]);
    let sizes = [Part::Train, Part::Valid, Part::Test].map(|part| task.part(part).len());
    assert_eq!(sizes, [2400, 300, 300]);
    assert!(task.notes().iter().any(|note| note.why.contains("synthetic")));
}

/// Keeps what it is told.
#[derive(Default)]
struct Notes(Vec<String>);

impl gruvy::train::Observer for Notes {
    fn note(&mut self, text: &str) {
        self.0.push(text.to_owned());
    }
}

#[test]
fn a_classifier_that_knows_no_more_than_frequencies_says_so() {
    let folder = tempfile::tempdir().unwrap();
    // Nine of ten items have one label: that much is known before anything is learned.
    let unlike = |at: usize| if at.is_multiple_of(10) { "rare" } else { "usual" };
    let line = |at: usize| format!("the {} of it\t{}\n", (at * 7) % 9, unlike(at));
    let text = "text\tlabel\n".to_owned() + &(0..300).map(line).collect::<String>();
    let notes = |lr: f64, name: &str, text: &str| {
        let mut run = run(folder.path(), "a.tsv", text);
        run.train.lr = lr;
        let task = ClassifyConfig::load(run.clone()).unwrap();
        let at = RunFolder::create(out(folder.path(), name), run.to_toml().unwrap(), false);
        let mut notes = Notes::default();
        train(&task, &run.train, &at.unwrap(), &mut notes, &false.into()).unwrap();
        notes.0.join("\n")
    };
    let nothing = notes(1e-9, "nothing", &text);
    assert!(nothing.contains("knows only how frequent"), "{nothing}");
    let learned = notes(1e-2, "learned", &ordered(300));
    assert!(!learned.contains("knows only how frequent"), "{learned}");
}
