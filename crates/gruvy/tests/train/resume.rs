//! A run that is stopped or killed and goes on ends with the same bits; so does one on more
//! threads.
use super::*;
use gruvy::train::{Ended, Schedule};
use std::{fs::OpenOptions, io::Write, panic};

/// Everything that has state: dropout, two layers, moving average, plateaus.
fn run() -> TextRun {
    let mut run = small();
    run.train.layers = 2;
    run.train.dropout = 0.2;
    run.train.ema = 0.9;
    run.train.schedule = Schedule::Plateau;
    run
}

const WORDS: usize = 1000;

fn whole(run: &TextRun) -> (Vec<Record>, Vec<u8>, Outcome) {
    let folder = tempfile::tempdir().unwrap();
    let outcome = train_in(folder.path(), run, &words(WORDS), &mut Watch::default()).unwrap();
    (timeless(folder.path()), model(folder.path()), outcome)
}

fn same(folder: &Path, outcome: &Outcome, whole: &(Vec<Record>, Vec<u8>, Outcome), what: &str) {
    assert_eq!(timeless(folder), whole.0, "{what}");
    assert!(model(folder) == whole.1, "{what}: the model's bits");
    assert_eq!(outcome.test, whole.2.test, "{what}");
    assert_eq!(outcome.ended, whole.2.ended, "{what}");
}

#[test]
fn a_stopped_run_goes_on_to_the_same_bits() {
    let run = run();
    let whole = whole(&run);
    let steps_per_epoch = whole.2.steps / 3;
    // Before the first evaluation, at one, between two, at an epoch's end, at the last step.
    for stop in [3, 7, 17, steps_per_epoch, whole.2.steps - 1, whole.2.steps] {
        let folder = tempfile::tempdir().unwrap();
        let mut watch = Watch { stop_after: Some(stop), ..Watch::default() };
        let outcome = train_in(folder.path(), &run, &words(WORDS), &mut watch).unwrap();
        if stop < whole.2.steps {
            assert_eq!((outcome.ended, outcome.steps), (Ended::Stopped, stop));
            gruvy_runtime::model::ModelFile::open(folder.path())
                .expect("there is a model to use already");
        }
        let outcome = train_in(folder.path(), &run, &words(WORDS), &mut Watch::default()).unwrap();
        same(folder.path(), &outcome, &whole, &format!("stopped after {stop}"));
    }
}

#[test]
fn a_killed_run_goes_on_from_its_last_checkpoint_to_the_same_bits() {
    let run = run();
    let whole = whole(&run);
    for death in [2, 9, 20, 31] {
        let folder = tempfile::tempdir().unwrap();
        let mut watch = Watch { die_after: Some(death), ..Watch::default() };
        let died = panic::catch_unwind(panic::AssertUnwindSafe(|| {
            train_in(folder.path(), &run, &words(WORDS), &mut watch)
        }));
        assert!(died.is_err());
        assert_eq!(watch.saved.last().copied(), (1..=death / 7).next_back().map(|n| n * 7));
        // As if it had died while writing the logs of a later evaluation.
        for log in ["metrics.jsonl", "events.out.tfevents.gruvy"] {
            let mut log = OpenOptions::new().append(true).open(folder.path().join(log)).unwrap();
            log.write_all(b"{\"step\":99}\n{\"step\":12").unwrap();
        }
        let outcome = train_in(folder.path(), &run, &words(WORDS), &mut Watch::default()).unwrap();
        same(folder.path(), &outcome, &whole, &format!("killed after {death}"));
    }
}

#[test]
fn the_number_of_threads_does_not_change_a_bit() {
    let mut run = run();
    run.train.hidden = 128;
    run.train.batch = 16;
    run.train.epochs = 1;
    run.task.embed = 128;
    let on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| whole(&run))
    };
    let one = on(1);
    for threads in [2, 5] {
        let more = on(threads);
        assert_eq!(more.0, one.0, "{threads} threads");
        assert!(more.1 == one.1, "{threads} threads: the model's bits");
    }
}

#[test]
fn seeds_differ_and_equal_seeds_do_not() {
    let run = small();
    let mut other = run.clone();
    other.train.seed += 1;
    let (a, b, c) = (whole(&run), whole(&run), whole(&other));
    assert_eq!((&a.0, a.1 == b.1), (&b.0, true));
    assert_ne!(a.0, c.0);
}

#[test]
fn a_finished_run_goes_on_when_more_epochs_are_asked() {
    let folder = tempfile::tempdir().unwrap();
    let mut run = small();
    let text = words(WORDS);
    let first = train_in(folder.path(), &run, &text, &mut Watch::default()).unwrap();
    run.train.epochs += 1;
    let more = train_in(folder.path(), &run, &text, &mut Watch::default()).unwrap();
    assert_eq!(more.steps, first.steps / 3 * 4);
    assert_eq!(TextRun::read(&folder.path().join("run.toml")).unwrap().train.epochs, 4);
}

#[test]
fn time_ends_a_run_and_adds_up() {
    let folder = tempfile::tempdir().unwrap();
    let mut run = run();
    run.train.max_minutes = 1e-9;
    let text = words(WORDS);
    let outcome = train_in(folder.path(), &run, &text, &mut Watch::default()).unwrap();
    assert_eq!((outcome.ended, outcome.steps), (Ended::Time, 0));
    run.train.max_minutes = 60.0;
    let outcome = train_in(folder.path(), &run, &text, &mut Watch::default()).unwrap();
    assert_eq!(outcome.ended, Ended::Epochs);
    let before = outcome.elapsed_s;
    let outcome = train_in(folder.path(), &run, &text, &mut Watch::default()).unwrap();
    assert!(outcome.elapsed_s >= before);
}

#[test]
fn other_data_are_refused_and_nothing_is_lost() {
    let (folder, run) = (tempfile::tempdir().unwrap(), small());
    train_in(folder.path(), &run, &words(WORDS), &mut Watch::default()).unwrap();
    let before = (timeless(folder.path()), model(folder.path()));
    let error =
        train_in(folder.path(), &run, &words(WORDS + 1), &mut Watch::default()).unwrap_err();
    assert!(error.to_string().contains("the data changed"), "{error}");
    assert_eq!((timeless(folder.path()), model(folder.path())), before);
}

#[test]
fn other_settings_are_refused() {
    let (folder, mut run) = (tempfile::tempdir().unwrap(), small());
    train_in(folder.path(), &run, &words(WORDS), &mut Watch::default()).unwrap();
    run.train.lr *= 2.0;
    let error = train_in(folder.path(), &run, &words(WORDS), &mut Watch::default()).unwrap_err();
    assert!(error.to_string().contains("other settings"), "{error}");
}

#[test]
fn a_flipped_bit_in_a_checkpoint_is_noticed() {
    let (folder, run) = (tempfile::tempdir().unwrap(), small());
    train_in(folder.path(), &run, &words(WORDS), &mut Watch::default()).unwrap();
    let path = folder.path().join("last.ckpt");
    let bytes = fs::read(&path).unwrap();
    let header = 8 + u64::from_le_bytes(*bytes.first_chunk().unwrap()) as usize;
    let digit = bytes.windows(6).position(|w| w == b"best\\\"").unwrap() + 9;
    for at in [digit, header, header + (bytes.len() - header) / 2, bytes.len() - 1] {
        let mut flipped = bytes.clone();
        flipped[at] ^= 1;
        fs::write(&path, &flipped).unwrap();
        let error =
            train_in(folder.path(), &run, &words(WORDS), &mut Watch::default()).unwrap_err();
        let text = error.to_string();
        assert!(text.contains("last.ckpt") && text.contains("damaged"), "{at}: {text}");
    }
}

#[test]
fn a_damaged_checkpoint_is_refused_wherever_it_is_cut() {
    let (folder, run) = (tempfile::tempdir().unwrap(), small());
    train_in(folder.path(), &run, &words(WORDS), &mut Watch::default()).unwrap();
    let path = folder.path().join("last.ckpt");
    let bytes = fs::read(&path).unwrap();
    for length in [0, 7, 8, 100, bytes.len() / 2, bytes.len() - 1] {
        fs::write(&path, &bytes[..length]).unwrap();
        let error =
            train_in(folder.path(), &run, &words(WORDS), &mut Watch::default()).unwrap_err();
        let text = error.to_string();
        assert!(text.contains("last.ckpt") && text.contains("damaged"), "{length}: {text}");
    }
}

#[test]
fn a_run_has_one_writer() {
    let (folder, run) = (tempfile::tempdir().unwrap(), small());
    train_in(folder.path(), &run, &words(WORDS), &mut Watch::default()).unwrap();
    let (before, toml) = (model(folder.path()), run.to_toml().unwrap());
    let first = RunFolder::resume(folder.path(), toml.clone()).unwrap();
    let second = RunFolder::resume(folder.path(), toml.clone()).unwrap_err();
    let forced = RunFolder::create(folder.path(), toml.clone(), true).unwrap_err();
    for error in [second, forced] {
        let text = error.to_string();
        assert!(text.contains("in use by process"), "{text}");
    }
    drop(first);
    assert_eq!(model(folder.path()), before);
    RunFolder::resume(folder.path(), toml).unwrap();
}

#[test]
fn a_run_goes_on_without_its_logs_and_cleans_up() {
    let place = tempfile::tempdir().unwrap();
    let (whole, cut, text) = (place.path().join("whole"), place.path().join("cut"), words(WORDS));
    let run = small();
    train_in(&whole, &run, &text, &mut Watch::default()).unwrap();
    let evaluations = timeless(&whole).len();
    for keep in ["nothing", "half a line"] {
        let mut watch = Watch { stop_after: Some(15), ..Watch::default() };
        train_in(&cut, &run, &text, &mut watch).unwrap();
        let log = cut.join("metrics.jsonl");
        let lines = fs::read_to_string(&log).unwrap();
        match keep {
            "nothing" => ["metrics.jsonl", "events.out.tfevents.gruvy"]
                .iter()
                .for_each(|name| fs::remove_file(cut.join(name)).unwrap()),
            _ => fs::write(&log, &lines[..lines.len() - 9]).unwrap(),
        }
        let stale = cut.join(".last.ckpt.4711-0.tmp");
        fs::write(&stale, "x").unwrap();
        let mut watch = Watch::default();
        train_in(&cut, &run, &text, &mut watch).unwrap();
        assert!(watch.notes.iter().any(|note| note.contains("metrics.jsonl")), "{keep}");
        assert!(!stale.exists());
        assert!(!cut.join(".lock").exists());
        assert!(model(&cut) == model(&whole), "{keep}: the models differ");
        assert!(timeless(&cut).len() < evaluations, "{keep}");
        assert_eq!(timeless(&cut).last(), timeless(&whole).last(), "{keep}");
        fs::remove_dir_all(&cut).unwrap();
    }
}
