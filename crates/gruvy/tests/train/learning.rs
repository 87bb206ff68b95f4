//! A model learns what there is to learn, and says so when it learns too much.
use super::*;
use burn::tensor::Device;
use gruvy::nn::Key;
use gruvy::train::{Carry, Ended, Position, Task, untrained};

#[test]
fn a_made_up_text_is_learned_to_its_entropy() {
    let folder = tempfile::tempdir().unwrap();
    let mut run = small();
    run.train.epochs = 12;
    run.train.eval_every = 0;
    run.train.patience = 0;
    let mut watch = Watch::default();
    let outcome = train_in(folder.path(), &run, &words(4000), &mut watch).unwrap();

    assert_eq!(outcome.ended, Ended::Epochs);
    let (valid, test) = (outcome.valid.unwrap(), outcome.test.unwrap());
    for (part, metrics) in [("valid", &valid), ("test", &test)] {
        let loss = metrics["loss"];
        assert!((0.97 * ENTROPY..1.06 * ENTROPY).contains(&loss), "{part}: {loss} of {ENTROPY}");
        assert!((metrics["bits_per_char"] - loss / std::f64::consts::LN_2).abs() < 1e-9);
        assert!((metrics["perplexity"] - loss.exp()).abs() < 1e-9);
    }
    let first = &watch.records[0];
    assert!(first.train["loss"] > 2.0 * ENTROPY, "it had to be learned: {}", first.train["loss"]);
    assert_eq!(RunFolder::records(folder.path()).unwrap(), watch.records);
    for file in ["run.toml", "last.ckpt", "curves.svg", "events.out.tfevents.gruvy"] {
        assert!(folder.path().join(file).metadata().unwrap().len() > 100, "{file}");
    }
    assert_eq!(TextRun::read(&folder.path().join("run.toml")).unwrap(), run);
}

#[test]
fn the_state_runs_on_from_batch_to_batch() {
    let mut run = small();
    run.train.dropout = 0.0;
    run.train.layers = 2;
    let text = words(500);
    let mean = |seq_len: usize, steps: u64| {
        let mut run = run.clone();
        run.task.seq_len = seq_len;
        run.task.split = "100/0/0".parse().unwrap();
        let task = task(&run, &text);
        let device = Device::flex().autodiff();
        let model = task.import(&untrained(&task, &run.train).unwrap(), &device).unwrap();
        let mut carry = Carry::new();
        let loss = |step| {
            let at = Position { step, epoch_seed: 0, masks: Key::new(step) };
            f64::from(task.loss(&model, at, &mut carry).into_scalar::<f32>())
        };
        (0..steps).map(loss).sum::<f64>() / steps as f64
    };
    // 2500 characters in 8 rows: pieces of 312 = 4 · 78 = 1 · 312, so both cut at the same places.
    let (chunks, whole) = (mean(78, 4), mean(312, 1));
    assert!((chunks - whole).abs() < 1e-6, "{chunks} {whole}");
}

#[test]
fn overfitting_is_said_plainly_and_the_best_model_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let mut run = small();
    run.train.hidden = 96;
    run.train.dropout = 0.0;
    run.train.epochs = 60;
    run.train.patience = 0;
    run.task.split = "80/20/0".parse().unwrap();
    // Letters without any rule: only memory can help on the training part.
    let mut seed = 1;
    let text: String =
        (0..1000).map(|_| char::from(b'a' + (random(&mut seed) % 6) as u8)).collect();
    let mut watch = Watch::default();
    let outcome = train_in(folder.path(), &run, &text, &mut watch).unwrap();

    let said: Vec<_> = watch.notes.iter().filter(|n| n.starts_with("overfitting")).collect();
    assert_eq!(said.len(), 1, "{:?}", watch.notes);
    let best = watch.records.iter().rfind(|r| r.best).unwrap();
    assert!(outcome.steps > best.step);
    assert_eq!((outcome.model_step, outcome.valid.as_ref()), (best.step, best.valid.as_ref()));
    assert!(
        watch
            .records
            .iter()
            .all(|r| r.valid.as_ref().unwrap()["loss"] >= best.valid.as_ref().unwrap()["loss"])
    );
}

#[test]
fn patience_ends_a_run_that_no_longer_improves() {
    let folder = tempfile::tempdir().unwrap();
    let mut run = small();
    run.train.lr = 1e-12;
    run.train.patience = 2;
    run.train.dropout = 0.0;
    run.train.epochs = 50;
    let outcome = train_in(folder.path(), &run, &words(400), &mut Watch::default()).unwrap();
    assert_eq!(outcome.ended, Ended::Patience);
}

#[test]
fn without_validation_the_latest_model_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let mut run = small();
    run.task.split = "100/0/0".parse().unwrap();
    let outcome = train_in(folder.path(), &run, &words(400), &mut Watch::default()).unwrap();
    assert_eq!(outcome.model_step, outcome.steps);
    assert_eq!((outcome.valid, outcome.test), (None, None));
}

#[test]
fn a_loss_that_is_not_a_number_stops_with_advice_and_keeps_the_best_model() {
    let folder = tempfile::tempdir().unwrap();
    let mut run = small();
    run.train.lr = 1e18;
    run.train.weight_decay = 1e3;
    run.train.warmup = 0;
    run.train.eval_every = 1;
    let error = train_in(folder.path(), &run, &words(400), &mut Watch::default()).unwrap_err();
    let text = error.to_string();
    assert!(text.contains("diverged at step") && text.contains("the setting `lr`"), "{text}");
    let kept = gruvy_runtime::model::ModelFile::open(folder.path()).unwrap();
    let best = timeless(folder.path()).into_iter().rfind(|r| r.best).unwrap();
    assert_eq!(kept.trained.steps, best.step);
    assert!(text.contains(&format!("of step {}, is kept", best.step)), "{text}");
}

#[test]
fn a_divergence_before_the_first_evaluation_leaves_no_model_and_says_so() {
    let (folder, mut run) = (tempfile::tempdir().unwrap(), small());
    (run.train.lr, run.train.warmup, run.train.clip) = (1e30, 0, 0.0);
    run.train.eval_every = 1000;
    let error = train_in(folder.path(), &run, &words(400), &mut Watch::default()).unwrap_err();
    assert!(error.to_string().contains("no model is kept"), "{error}");
    assert!(!folder.path().join("model.safetensors").exists());
}

#[test]
fn a_model_that_learned_nothing_is_told_from_one_that_did() {
    let notes = |lr: f64| {
        let (folder, mut run) = (tempfile::tempdir().unwrap(), small());
        run.train.lr = lr;
        let mut watch = Watch::default();
        train_in(folder.path(), &run, &words(400), &mut watch).unwrap();
        watch.notes.join("\n")
    };
    assert!(notes(1e-9).contains("knows only how frequent"), "{}", notes(1e-9));
    assert!(!notes(0.01).contains("knows only how frequent"), "{}", notes(0.01));
}

#[test]
fn a_run_that_ends_worse_than_it_began_says_so() {
    // The end of the text is another one: the better the rest is known, the worse this goes.
    let text = words(1800) + &words(200).chars().rev().collect::<String>();
    let (folder, mut run) = (tempfile::tempdir().unwrap(), small());
    (run.train.epochs, run.train.patience) = (12, 0);
    let mut watch = Watch::default();
    train_in(folder.path(), &run, &text, &mut watch).unwrap();
    let losses: Vec<f64> =
        watch.records.iter().map(|record| record.valid.as_ref().unwrap()["loss"]).collect();
    let (first, last) = (losses[0], losses[losses.len() - 1]);
    assert_eq!(
        watch.notes.iter().any(|note| note.contains("worse than")),
        last > first,
        "{first} {last}"
    );
    assert!(last > first, "the text is no example: {first} {last}");
}

#[test]
fn the_moving_average_is_what_is_evaluated_and_exported() {
    let [plain, averaged] = [0.0, 0.9].map(|ema| {
        let folder = tempfile::tempdir().unwrap();
        let mut run = small();
        run.train.ema = ema;
        run.train.schedule = gruvy::train::Schedule::Constant;
        train_in(folder.path(), &run, &words(400), &mut Watch::default()).unwrap();
        (timeless(folder.path()), model(folder.path()))
    });
    let train = |records: &[Record]| records.iter().map(|r| r.train["loss"]).collect::<Vec<_>>();
    assert_eq!(train(&plain.0), train(&averaged.0), "training itself does not see it");
    assert_ne!(plain.1, averaged.1);
    assert_ne!(plain.0[0].valid, averaged.0[0].valid);
}

#[test]
fn the_evaluation_in_rows_is_that_of_one_row() {
    let mut run = small();
    run.task.split = "10/90/0".parse().unwrap();
    run.train.epochs = 8;
    let text = words(3000);
    let folder = tempfile::tempdir().unwrap();
    train_in(folder.path(), &run, &text, &mut Watch::default()).unwrap();
    let file = gruvy_runtime::model::ModelFile::open(folder.path()).unwrap();
    let loss = |batch| {
        let mut run = run.clone();
        run.train.batch = batch;
        let task = task(&run, &text);
        let model = task.import(&file, &Device::flex()).unwrap();
        task.validate(&model).unwrap().metrics.unwrap()["loss"]
    };
    let (one, many) = (loss(1), loss(8));
    assert!((one - many).abs() < 1e-4 * one, "{one} {many}");
}
