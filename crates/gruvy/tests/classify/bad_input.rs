//! What cannot be learned from is refused, and what is odd is said.
use super::{ordered, out, run, trained};
use gruvy::classify::{ClassifyConfig, ClassifyRun, Unit};
use gruvy::settings::TaskConfig;
use gruvy::train::{Part, Task};

fn refused(run: ClassifyRun, want: &str) {
    let error = ClassifyConfig::load(run).unwrap_err().to_string();
    assert!(error.contains(want), "{want}: {error}");
}

#[test]
fn data_without_a_choice_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let of = |name: &str, text: &str| run(folder.path(), name, text);
    refused(of("one.csv", "text,label\ngood,a\nbad,a\n"), "same label, a");
    refused(
        of("none.txt", "a line\nand another\n"),
        "no labels; name the column that holds them with the setting `label_column`",
    );
    refused(
        of("two.txt", "__label__a __label__b x\n__label__a y\n"),
        "the setting `multi_label=true`",
    );
    refused(of("quote.csv", "text,label\n\"broken,a\nfine,b\n"), "quote");
    refused(of("empty.csv", ""), "empty");
    refused(of("blank.csv", "text,label\n\" \",a\n\" \",b\n"), "learn from");
}

#[test]
fn a_label_that_only_other_files_have_is_named_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let mut run = run(folder.path(), "a.tsv", &ordered(40));
    let test = folder.path().join("test.tsv");
    std::fs::write(&test, "text\tlabel\ncat dog\tfirst\ncat dog\tthird\n").unwrap();
    run.task.test = Some(test);
    refused(
        run.clone(),
        "test.tsv, line 3: the label `third` is not known; those learned from are first, second",
    );
}

#[test]
fn settings_that_make_no_sense_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let of = |change: &dyn Fn(&mut ClassifyRun)| {
        let mut run = run(folder.path(), "a.tsv", &ordered(40));
        change(&mut run);
        run
    };
    refused(of(&|run| run.task.embed = 0), "embed");
    refused(of(&|run| run.task.embed_std = 0.0), "embed_std");
    refused(of(&|run| run.task.folds = 1), "folds");
    refused(of(&|run| (run.task.folds, run.task.fold) = (3, 4)), "folds");
    refused(of(&|run| run.task.word_dropout = Some(1.0)), "word_dropout");
    refused(
        of(&|run| (run.task.unit, run.task.word_dropout) = (Unit::Byte, Some(0.1))),
        "word_dropout",
    );
    refused(
        of(&|run| (run.task.unit, run.task.vectors) = (Unit::Char, Some("v".into()))),
        "vectors",
    );
    refused(of(&|run| run.task.vectors = Some("missing.txt".into())), "missing.txt");
}

#[test]
fn what_is_odd_is_said_and_answered() {
    let folder = tempfile::tempdir().unwrap();
    let long = "word ".repeat(100_000);
    let text = ordered(60) + &format!("lonely\tonce\n\tfirst\n{long}\tfirst\n");
    let mut run = run(folder.path(), "a.tsv", &text);
    run.train.epochs = 1;
    let (task, classifier) = trained(&run, &out(folder.path(), "run"));
    let notes = gruvy_runtime::Remark::sentences(task.notes()).join("\n");
    for want in ["only one item to learn from has the label once", "1 items have 400 steps or more"]
    {
        assert!(notes.contains(want), "{want}: {notes}");
    }
    let learned = task.part(Part::Train);
    assert!(learned.iter().all(|item| task.encoded().length(*item) > 0));
    for text in ["", "words never heard of", &long] {
        let p = classifier.text(text).unwrap();
        assert!(p.iter().all(|p| p.is_finite()) && (p.iter().sum::<f32>() - 1.0).abs() < 1e-5);
    }
}
