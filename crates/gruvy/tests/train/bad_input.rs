//! Bad input: each a clear error, and nothing that was there is lost.
use super::*;
use gruvy::train::Silent;
use gruvy::{settings::TaskConfig, text::TextConfig};
use gruvy_runtime::text::TextUnit;
use std::path::PathBuf;

/// A folder with one file of that content, and the error of loading it.
fn error_of(name: &str, content: &[u8], change: impl FnOnce(&mut TextRun)) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, content).unwrap();
    let mut run = small();
    run.data.paths = vec![path];
    change(&mut run);
    TextConfig::load(run).unwrap_err().to_string()
}

fn settings_error(content: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.toml");
    fs::write(&path, content).unwrap();
    TextRun::read(&path).unwrap_err().to_string()
}

#[track_caller]
fn says(error: &str, parts: &[&str]) {
    for part in parts {
        assert!(error.contains(part), "{part:?} is missing in: {error}");
    }
}

#[test]
fn an_empty_file() {
    says(&error_of("empty.txt", b"", |_| ()), &["empty.txt: the file is empty"]);
}

#[test]
fn a_missing_file() {
    let mut run = small();
    run.data.paths = vec!["no/such/book.txt".into()];
    says(&TextConfig::load(run).unwrap_err().to_string(), &["cannot read no/such/book.txt"]);
}

#[test]
fn a_missing_validation_file() {
    let error =
        error_of("a.txt", words(400).as_bytes(), |run| run.task.valid = Some("no.txt".into()));
    says(&error, &["cannot read no.txt"]);
}

#[test]
fn a_text_shorter_than_one_sequence() {
    let error = error_of("a.txt", b"too short", |run| run.task.split = "100/0/0".parse().unwrap());
    says(
        &error,
        &["the training text has 9 tokens", "at least 21", "seq_len = 20", "the setting `seq_len`"],
    );
}

#[test]
fn a_validation_part_shorter_than_one_sequence() {
    let error = error_of("a.txt", &[b'x'; 300], |_| ());
    says(
        &error,
        &["the validation text has 15 tokens", "at least 21", "the setting `split=100/0/0`"],
    );
}

#[test]
fn invalid_utf8_where_the_unit_needs_it() {
    let mut text = words(400).into_bytes();
    text[1000] = 0xff;
    text[999] = b'\n';
    for unit in [TextUnit::Char, TextUnit::Bpe] {
        let error = error_of("latin1.txt", &text, |run| run.task.unit = unit);
        says(&error, &["latin1.txt", "byte 1000 (line 2)", "`unit=byte`"]);
    }
    let folder = tempfile::tempdir().unwrap();
    let mut run = small();
    run.task.unit = TextUnit::Byte;
    run.data.paths = vec![folder.path().join("latin1.txt")];
    fs::write(&run.data.paths[0], &text).unwrap();
    assert_eq!(TextConfig::load(run).unwrap().tokens(gruvy::train::Part::Train).len(), 1800);
}

#[test]
fn a_folder_without_text() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("picture.bin"), [0xff, 0xfe]).unwrap();
    fs::write(folder.path().join(".hidden.txt"), words(400)).unwrap();
    let mut run = small();
    run.data.paths = vec![folder.path().to_owned()];
    let error = TextConfig::load(run).unwrap_err().to_string();
    says(&error, &["holds no text: of 1 files"]);
}

#[test]
fn a_folder_is_read_in_order_and_what_is_not_text_is_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &[u8]| fs::write(folder.path().join(name), text).unwrap();
    fs::create_dir(folder.path().join("b")).unwrap();
    write("c.txt", b"third\n");
    write("b/x.md", b"second");
    write("a.txt", words(400).as_bytes());
    write("z.bin", &[0xff]);
    let mut run = small();
    run.data.paths = vec![folder.path().to_owned()];
    run.task.split = "100/0/0".parse().unwrap();
    let corpus = Corpus::load(&run).unwrap();
    assert_eq!(corpus.train, format!("{}\nsecond\nthird\n", words(400)).into_bytes());
    assert!(
        corpus.notes[0].why.ends_with("3 files, 1 left out that are not UTF-8"),
        "{:?}",
        corpus.notes
    );
}

#[test]
fn unseen_characters_are_counted_and_read_as_unknown() {
    let text = words(400) + &"ß".repeat(3) + &words(10);
    let task = task(&small(), &text);
    let notes = gruvy::train::Task::notes(&task);
    says(&notes[0].why, &["3 of", "test text do not occur"]);
}

#[test]
fn a_batch_larger_than_the_text_shrinks_with_a_note() {
    let mut run = small();
    run.train.batch = 1000;
    let task = task(&run, &words(200));
    says(
        &gruvy::train::Task::notes(&task)[0].why,
        &["900 tokens", "a batch of 44 sequences of 20"],
    );
    assert_eq!(gruvy::train::Task::steps_per_epoch(&task), 1);
}

#[test]
fn an_unknown_key() {
    let error = settings_error("[train]\nhidden = 8\nhiden = 9\n");
    says(&error, &["run.toml", "hiden", "line 3", "hidden"]);
    let error = settings_error("[train]\nhidden = 8\n[speech]\nhop_ms = 9\n");
    says(&error, &["run.toml", "speech", "line 3", "`text`"]);
}

#[test]
fn a_value_of_the_wrong_kind() {
    says(&settings_error("[text]\nunit = \"word\"\n"), &["run.toml", "line 2", "word", "char"]);
    says(&settings_error("[text]\nsplit = \"9/1\"\n"), &["line 2", "90/5/5"]);
    says(&settings_error("[train]\ncell = \"gro\"\n"), &["line 2", "gro", "gru-v3"]);
    says(&settings_error("task = \"music\"\n"), &["line 1", "music", "text"]);
}

#[test]
fn sizes_of_zero_and_shares_out_of_range() {
    type Change = fn(&mut TextRun);
    let changes: [(&str, Change); 11] = [
        ("hidden = 0", |r| r.train.hidden = 0),
        ("layers = 0", |r| r.train.layers = 0),
        ("batch = 0", |r| r.train.batch = 0),
        ("epochs = 0", |r| r.train.epochs = 0),
        ("embed = 0", |r| r.task.embed = 0),
        ("seq_len = 0", |r| r.task.seq_len = 0),
        ("vocab_size = 256", |r| r.task.vocab_size = 256),
        ("dropout = 1", |r| r.train.dropout = 1.0),
        ("lr = NaN", |r| r.train.lr = f64::NAN),
        ("clip = -1", |r| r.train.clip = -1.0),
        ("embed = 8: tied", |r| r.task.tied = true),
    ];
    for (expected, change) in changes {
        let error = error_of("a.txt", words(400).as_bytes(), change);
        says(&error, &[expected]);
    }
}

#[test]
fn a_run_folder_in_use() {
    let (folder, run) = (tempfile::tempdir().unwrap(), small());
    train_in(folder.path(), &run, &words(400), &mut Watch::default()).unwrap();
    let before = model(folder.path());
    let error = RunFolder::create(folder.path(), run.to_toml().unwrap(), false).unwrap_err();
    says(&error.to_string(), &["already holds a run", "resume it", "replace it"]);
    // With force, the old run is there until the new one is ready to start.
    let forced = RunFolder::create(folder.path(), run.to_toml().unwrap(), true).unwrap();
    let mut wrong = run.clone();
    wrong.train.hidden = 0;
    let task = task(&run, &words(500));
    train(&task, &wrong.train, &forced, &mut Silent, &AtomicBool::new(false)).unwrap_err();
    assert_eq!(model(folder.path()), before);
    train(&task, &run.train, &forced, &mut Silent, &AtomicBool::new(false)).unwrap();
    assert_ne!(model(folder.path()), before);
}

#[test]
fn sizes_beyond_the_memory() {
    let text = words(400);
    let error = |change: &dyn Fn(&mut TextRun)| {
        let (folder, mut run) = (tempfile::tempdir().unwrap(), small());
        change(&mut run);
        let error = train_in(folder.path(), &run, &text, &mut Watch::default()).unwrap_err();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        error.to_string()
    };
    says(&error(&|r| r.train.hidden = 5_000_000), &["takes at least 1.2 PB", "available"]);
    says(&error(&|r| (r.train.hidden, r.train.layers) = (1 << 24, 1024)), &["takes at least"]);
}

#[test]
fn sizes_beyond_all_numbers() {
    for change in [
        |r: &mut TextRun| r.train.hidden = usize::MAX,
        |r: &mut TextRun| r.train.layers = usize::MAX,
        |r: &mut TextRun| r.task.embed = usize::MAX,
        |r: &mut TextRun| r.task.seq_len = usize::MAX,
        |r: &mut TextRun| r.task.vocab_size = usize::MAX,
        |r: &mut TextRun| r.train.batch = usize::MAX,
    ] {
        says(
            &error_of("a.txt", words(400).as_bytes(), change),
            &["= 18446744073709551615", "at most"],
        );
    }
}

#[test]
fn nothing_to_resume() {
    let folder = tempfile::tempdir().unwrap();
    let error = RunFolder::resume(folder.path(), String::new()).unwrap_err();
    says(&error.to_string(), &["holds no run", "run.toml"]);
}

#[test]
fn an_output_that_cannot_be_written() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "x").unwrap();
    let error = RunFolder::create(&file, String::new(), true).unwrap_err();
    says(&error.to_string(), &["cannot create the run folder"]);
    let under: PathBuf = file.join("run");
    let run = small();
    let error = train_in(&under, &run, &words(400), &mut Watch::default()).unwrap_err();
    says(&error.to_string(), &["cannot create the run folder", "run"]);
    assert_eq!(fs::read(&file).unwrap(), b"x");
}
