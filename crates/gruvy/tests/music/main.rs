//! The music task: its loss is what the runtime measures, it learns what can be learned, it goes on
//! to the same bits, and it refuses what is no music.
#![allow(clippy::unwrap_used)]

use burn::tensor::Device;
use gruvy::music::{HeadKind, MusicConfig, MusicRun, MusicTask, Parts};
use gruvy::nn::Key;
use gruvy::settings::{Split, TaskConfig};
use gruvy::train::{Position, RunFolder, Silent, Task, train};
use gruvy_data::Input;
use gruvy_data::music::read_music;
use gruvy_runtime::Cell;
use gruvy_runtime::model::ModelFile;
use gruvy_runtime::music::{Bar, Composer, Composing, Performer, Performing, Piece, Roll, Sound};
use std::path::{Path, PathBuf};

/// Chords that go up by a step at each bar, in one of two ways, with repeated notes.
fn roll(number: u8, onsets: bool) -> Roll {
    let frame = |step: u8| -> Vec<Sound> {
        let root = 30 + (step / 4 + number) % 8;
        let chord = if number.is_multiple_of(2) { [0, 4, 7] } else { [0, 3, 7] };
        chord
            .into_iter()
            .map(|above| Sound {
                key: root + above,
                onset: step.is_multiple_of(2) || !onsets && step.is_multiple_of(4),
            })
            .collect()
    };
    Roll {
        name: format!("{number}"),
        frames: (0..32 + 4 * (number % 3)).map(frame).collect(),
        onsets,
        steps_per_quarter: if onsets { 4 } else { 0 },
        bars: if onsets { vec![Bar { at: 0, beats: 4, unit: 4 }] } else { Vec::new() },
        tempo: 100.0,
        tempo_changes: Vec::new(),
    }
}

fn parts(onsets: bool) -> Parts<Roll> {
    let rolls = |numbers: std::ops::Range<u8>| numbers.map(|n| roll(n, onsets)).collect();
    let [train, valid, test] = [rolls(0..12), rolls(12..15), rolls(15..18)];
    Parts { train, valid, test, one_key: !onsets, notes: Vec::new() }
}

fn run(head: HeadKind) -> MusicRun {
    let mut run = MusicRun::default();
    (run.task.head, run.task.decoder_hidden, run.task.transpose) = (head, 16, Some(0));
    run.task.decoder_dropout = 0.0;
    let train = &mut run.train;
    (train.hidden, train.batch, train.epochs, train.lr) = (24, 4, 60, 1e-2);
    (train.dropout, train.input_dropout, train.recurrent_dropout) = (0.0, 0.0, 0.0);
    run
}

fn trained(run: &MusicRun, parts: Parts<Roll>, folder: &Path) -> (MusicTask, PathBuf) {
    let task = MusicTask::new(run.clone(), parts).unwrap();
    let folder = RunFolder::create(folder, run.to_toml().unwrap(), false).unwrap();
    train(&task, &run.train, &folder, &mut Silent, &false.into()).unwrap();
    (task, folder.model_path())
}

/// Training adds up what the runtime measures: the same nats for every head, with onsets and
/// without, for one layer and two, and for a cell of two states.
#[test]
fn the_loss_is_what_the_runtime_measures() {
    for (head, cell) in [
        (HeadKind::Bernoulli, Cell::Gru),
        (HeadKind::Joint, Cell::Gru),
        (HeadKind::Joint, Cell::Lstm),
        (HeadKind::Joint, Cell::MinGru),
    ] {
        for onsets in [false, true] {
            let mut run = run(head);
            (run.train.cell, run.train.batch, run.train.layers) = (cell, 64, 2);
            let task = MusicTask::new(run.clone(), parts(onsets)).unwrap();
            let model = task.init(Key::new(7), &Device::flex().autodiff());
            let at = Position { step: 0, epoch_seed: 3, masks: Key::new(1) };
            let loss: f32 = task.loss(&model, at, &mut Vec::new()).into_scalar();
            let file = task.export(&model, task.fresh_codec(), Default::default());
            let composer = Composer::from_file(&file).unwrap();
            let nats = composer.score(&parts(onsets).train).unwrap().concat();
            let mean = nats.iter().sum::<f64>() / nats.len() as f64;
            assert!(
                (f64::from(loss) - mean).abs() < 1e-3 * mean,
                "{head:?} {cell:?} {onsets}: {loss} {mean}"
            );
        }
    }
}

#[test]
fn what_follows_is_learned_by_both_heads() {
    for head in [HeadKind::Bernoulli, HeadKind::Joint] {
        for onsets in [false, true] {
            let folder = tempfile::tempdir().unwrap();
            let (task, model) = trained(&run(head), parts(onsets), &folder.path().join("run"));
            let (composer, all) = (Composer::open(model).unwrap(), parts(onsets).test);
            let metrics = composer.evaluate(&all).unwrap();
            let floor = task.floor().unwrap();
            assert!(metrics.nats_per_step < 0.25 * floor, "{head:?}: {metrics:?}, floor {floor}");
            // It goes on as the pieces do.
            let test = &all[0];
            let primer = Roll { frames: test.frames[..16].to_vec(), ..test.clone() };
            let mut composing = Composing { steps: 12, ..Composing::default() };
            composing.sampling.temperature = 0.0;
            let made = composer.compose(Some(&primer), &composing).unwrap();
            let right = made.roll.frames[16..].iter().zip(&test.frames[16..]);
            let right = right.filter(|(a, b)| a.iter().map(|s| s.key).eq(b.iter().map(|s| s.key)));
            let right = right.count();
            assert!(right >= 7, "{head:?} {onsets}: {right} of 12");
        }
    }
}

fn pieces(rolls: Vec<Roll>) -> Vec<Piece> {
    rolls.iter().map(Roll::to_piece).collect()
}

/// As above, in one excerpt a piece and in several.
#[test]
fn the_loss_of_events_is_what_the_runtime_measures() {
    let mut run = run(HeadKind::Events);
    (run.train.batch, run.train.layers, run.task.seq_len) = (64, 2, 1000);
    run.task.tempo_change = Some(0.0);
    let task = MusicTask::new(run.clone(), parts(true)).unwrap();
    let model = task.init(Key::new(7), &Device::flex().autodiff());
    let at = Position { step: 0, epoch_seed: 3, masks: Key::new(1) };
    let loss: f32 = task.loss(&model, at, &mut Vec::new()).into_scalar();
    let file = task.export(&model, task.fresh_codec(), Default::default());
    let all = pieces(parts(true).train);
    let metrics = Performer::from_file(&file).unwrap().evaluate(&all).unwrap();
    let mean = metrics.nats_per_event;
    assert!((f64::from(loss) - mean).abs() < 1e-4 * mean, "{loss} {mean}");
    // Excerpts know which keys sound, though not how the music came to them: whatever is played
    // can be played, at whatever pace and height.
    (run.task.seq_len, run.train.batch, run.task.tempo_change) = (7, 1000, Some(0.3));
    run.task.transpose = Some(5);
    let task = MusicTask::new(run, parts(true)).unwrap();
    for epoch_seed in 0..4 {
        let at = Position { epoch_seed, ..at };
        let loss: f32 = task.loss(&model, at, &mut Vec::new()).into_scalar();
        assert!(loss < 8.0, "{loss}");
    }
}

#[test]
fn what_follows_is_learned_as_events() {
    let folder = tempfile::tempdir().unwrap();
    let mut run = run(HeadKind::Events);
    (run.task.transpose, run.train.hidden) = (Some(2), 48);
    let (task, model) = trained(&run, parts(true), &folder.path().join("run"));
    let (performer, all) = (Performer::open(model).unwrap(), pieces(parts(true).test));
    let metrics = performer.evaluate(&all).unwrap();
    let floor = task.floor().unwrap();
    assert!(metrics.nats_per_event < 0.25 * floor, "{metrics:?}, floor {floor}");
    let mut how = Performing { seconds: 2.0, ..Performing::default() };
    how.sampling.temperature = 0.0;
    let whole = &parts(true).test[0];
    let primer = Roll { frames: whole.frames[..16].to_vec(), ..whole.clone() }.to_piece();
    let made = performer.perform(Some(&primer), &how).unwrap();
    assert!(made.nats_per_event < 0.5 * floor, "{floor} {:?}", made.surprise);
    assert!(made.piece.notes.len() > primer.notes.len());
}

#[test]
fn a_run_that_was_stopped_goes_on_to_the_same_bits() {
    for head in [HeadKind::Joint, HeadKind::Events] {
        let (whole, parts) = stopped_and_not(head);
        assert_eq!(whole, parts, "{head:?}");
    }
}

/// The model of a whole run, and of one that was stopped and went on.
fn stopped_and_not(head: HeadKind) -> (Vec<u8>, Vec<u8>) {
    let mut settings = run(head);
    (settings.train.epochs, settings.train.dropout) = (6, 0.3);
    (settings.train.recurrent_dropout, settings.task.transpose) = (0.3, Some(3));
    let bytes = |stop: bool| {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run");
        let mut first = settings.clone();
        if stop {
            first.train.epochs = 6;
            first.train.max_minutes = 1e-9;
        }
        let task = MusicTask::new(first.clone(), parts(true)).unwrap();
        let at = RunFolder::create(&path, first.to_toml().unwrap(), false).unwrap();
        train(&task, &first.train, &at, &mut Silent, &false.into()).unwrap();
        drop(at);
        if stop {
            let task = MusicTask::new(settings.clone(), parts(true)).unwrap();
            let at = RunFolder::resume(&path, settings.to_toml().unwrap()).unwrap();
            train(&task, &settings.train, &at, &mut Silent, &false.into()).unwrap();
        }
        ModelFile::open(path).unwrap().to_bytes().unwrap()
    };
    (bytes(false), bytes(true))
}

#[test]
fn midi_files_are_put_on_a_grid_and_divided_so_that_equal_ones_stay_together() {
    let folder = tempfile::tempdir().unwrap();
    let midi = |name: &str, number: u8| {
        let bytes = gruvy_data::midi::write(&roll(number, true).to_piece());
        std::fs::write(folder.path().join(name), bytes).unwrap();
    };
    for number in 0..20 {
        midi(&format!("{number}.mid"), number % 10);
    }
    std::fs::write(folder.path().join("notes.txt"), "no music").unwrap();
    let config = MusicConfig {
        split: Split { train: 60.0, valid: 20.0, test: 20.0 },
        ..MusicConfig::default()
    };
    let music = read_music(&[Input::from(folder.path())]).unwrap();
    let parts = Parts::on_grid(&music, &config).unwrap();
    assert_eq!([parts.train.len(), parts.valid.len(), parts.test.len()], [12, 4, 4]);
    assert!(parts.train.iter().all(|roll| roll.steps_per_quarter == 4 && roll.onsets));
    let same = |a: &[Roll], b: &[Roll]| a.iter().any(|a| b.iter().any(|b| a.frames == b.frames));
    assert!(!same(&parts.train, &parts.test) && !same(&parts.train, &parts.valid));
    let said: Vec<String> = parts.notes.iter().map(ToString::to_string).collect();
    let said = said.join("\n");
    assert!(said.contains("1 files were left out") && said.contains("notes.txt"), "{said}");
    assert!(said.contains("a grid of 1/16 notes"), "{said}");
}

#[test]
fn what_is_no_music_is_refused_with_reasons() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.mid"), "MThd").unwrap();
    std::fs::write(folder.path().join("b.txt"), "text").unwrap();
    let mut run = run(HeadKind::Joint);
    run.data.paths = vec![folder.path().into()];
    let error = MusicConfig::load(run.clone()).unwrap_err().to_string();
    assert!(error.contains("a.mid") && error.contains("b.txt"), "{error}");
    run.task.transpose = Some(99);
    let error = run.check().unwrap_err().to_string();
    assert!(error.contains("transpose"), "{error}");
    (run.task.transpose, run.task.tempo_change) = (None, Some(0.1));
    assert!(run.check().unwrap_err().to_string().contains("tempo_change"));
    (run.task.head, run.task.grid) = (HeadKind::Events, 4);
    assert!(run.check().unwrap_err().to_string().contains("grid = 1/16"));
}

#[test]
fn a_grid_is_written_by_its_note() {
    let mut run = MusicRun::default();
    run.set("grid", &"1/24".into()).unwrap();
    assert_eq!(run.task.grid, 6);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.toml");
    std::fs::write(&path, run.to_toml().unwrap()).unwrap();
    assert_eq!(MusicRun::read(&path).unwrap(), run);
    assert!(run.set("grid", &"1/7".into()).unwrap_err().to_string().contains("1/16"));
}
