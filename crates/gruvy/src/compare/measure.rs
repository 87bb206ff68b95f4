//! What a finished run is measured by.
use super::report::RunReport;
use crate::{
    error::{Error, Result},
    train::{
        folder::RunFolder,
        report::{Metrics, Outcome, Record},
        task::{Part, Task},
    },
};
use burn::tensor::Device;
use gruvy_runtime::model::{Input, ModelFile, Network, Session, Steps};
use std::{fs, time::Instant};

/// Time steps of one pass when the speed of inference is measured.
pub const INFERENCE_STEPS: usize = 500;
/// Passes, of which the median counts.
pub const INFERENCE_PASSES: usize = 7;

/// Measures a run that is done: with an outcome, or diverged, and then what it left behind counts.
pub(super) fn run<T: Task>(
    task: &T,
    seed: u64,
    folder: &RunFolder,
    outcome: Result<Outcome, String>,
) -> Result<RunReport> {
    let records = RunFolder::records(folder.path())?;
    let mut report = RunReport::new(folder.path().to_owned(), seed);
    match outcome {
        Ok(Outcome { ended, steps, train_s, elapsed_s, .. }) => {
            (report.steps, report.train_s, report.elapsed_s) = (steps, train_s, elapsed_s);
            report.ended = Some(ended);
        }
        Err(why) => {
            let last = records.last();
            report.steps = last.map_or(0, |last| last.step);
            report.train_s = last.map_or(0.0, |last| last.train_s);
            report.elapsed_s = last.map_or(0.0, |last| last.elapsed_s);
            report.diverged = Some(why);
        }
    }
    if report.steps > 0 {
        let steps_per_s = report.steps as f64 / report.train_s.max(f64::MIN_POSITIVE);
        report.epoch_s = Some(task.steps_per_epoch() as f64 / steps_per_s);
        report.train_units_per_s = Some(task.units_per_step() as f64 * steps_per_s);
    }
    if folder.model_path().exists() {
        best_model(task, folder, &records, &mut report)?;
    }
    report.records = records;
    Ok(report)
}

/// What follows from the model that was kept.
fn best_model<T: Task>(
    task: &T,
    folder: &RunFolder,
    records: &[Record],
    report: &mut RunReport,
) -> Result<()> {
    let path = folder.model_path();
    let file = ModelFile::read(&path)?;
    // The one writer of such names is the training loop.
    let valid: Metrics = (file.trained.metrics.iter())
        .filter_map(|(name, v)| Some((name.strip_prefix("valid_")?.to_owned(), *v)))
        .collect();
    report.valid = (!valid.is_empty()).then_some(valid);
    // The loop tests complete runs only; here one that time has ended, or that diverged, counts as
    // well.
    report.test = task.evaluate(&task.import(&file, &Device::flex())?, &file.codec, Part::Test)?;
    let best = records.iter().find(|record| record.step == file.trained.steps);
    report.best_epoch = Some(file.trained.steps as f64 / task.steps_per_epoch() as f64);
    report.best_s = Some(best.map_or(report.train_s, |best| best.train_s));
    report.inference_steps_per_s = steps_per_s(&file)?;
    report.file_bytes = Some(fs::metadata(&path).map_err(Error::io("read", &path))?.len());
    Ok(())
}

/// Time steps a second of one row, step by step, with the state carried, in the runtime: the median
/// of [`INFERENCE_PASSES`] passes of [`INFERENCE_STEPS`] steps after one that does not count. None
/// for a bidirectional model, which cannot go step by step.
///
/// # Errors
/// If the model file is not valid.
pub fn steps_per_s(file: &ModelFile) -> Result<Option<f64>> {
    if file.spec.rnn.bidirectional {
        return Ok(None);
    }
    let mut session = Session::new(Network::new(file)?.into(), 1)?;
    let mut pass = || -> Result<f64> {
        session.reset();
        let clock = Instant::now();
        for i in 0..INFERENCE_STEPS {
            match file.spec.input {
                // Steps that differ, so that rows of the embedding come from all over it.
                Input::Embedding { vocab, .. } => session.step(&[(i * 7919 % vocab) as u32])?,
                Input::Features { size } => {
                    let value = (i % 3) as f32 - 1.0;
                    session.step(Steps::Features(&vec![value; size]))?
                }
            };
        }
        Ok(INFERENCE_STEPS as f64 / clock.elapsed().as_secs_f64().max(f64::MIN_POSITIVE))
    };
    pass()?;
    let mut rates = (0..INFERENCE_PASSES).map(|_| pass()).collect::<Result<Vec<f64>>>()?;
    rates.sort_by(f64::total_cmp);
    Ok(Some(rates[INFERENCE_PASSES / 2]))
}
