//! What a comparison came to: every run, and their spread over the seeds. `compare.json` is a
//! [`Report`] with the summaries beside the runs.
use super::matching::Match;
use crate::{
    error::{Error, Result},
    train::report::{Ended, Metrics, Record},
};
use gruvy_kernels::Cell;
use gruvy_runtime::model::write_atomic;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

/// Everything about a comparison.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Report {
    /// The task's name.
    pub task: String,
    /// What the speed of training is counted in, in the plural.
    pub unit: String,
    /// What a person calls the metric `loss`.
    pub loss: String,
    /// What the models have in common.
    #[serde(rename = "match")]
    pub matching: Match,
    /// Trained values of the first cell's model, which the others are matched to.
    pub budget: u64,
    /// The seeds that each cell runs with.
    pub seeds: Vec<u64>,
    /// Identifies the data.
    pub data_fingerprint: String,
    /// `run.toml` of the first run; the others differ in cell, hidden size and seed.
    pub settings: String,
    /// In the order asked.
    pub cells: Vec<CellReport>,
}

/// One cell, with all its runs that are done.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CellReport {
    /// The recurrence.
    pub cell: Cell,
    /// Hidden units of a layer.
    pub hidden: usize,
    /// Trained values of the whole model.
    pub parameters: u64,
    /// One a seed.
    pub runs: Vec<RunReport>,
}

/// One run. What is not known is none.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RunReport {
    /// Its seed.
    pub seed: u64,
    /// Its folder.
    pub run: PathBuf,
    /// Why it ended; none if it diverged.
    pub ended: Option<Ended>,
    /// The message of a run that diverged; its best model until then is what is measured.
    pub diverged: Option<String>,
    /// Optimizer steps done.
    pub steps: u64,
    /// Epochs after which the model was best on validation.
    pub best_epoch: Option<f64>,
    /// Seconds of training until then, without evaluations.
    pub best_s: Option<f64>,
    /// Seconds of training for an epoch, without evaluations.
    pub epoch_s: Option<f64>,
    /// Seconds in optimizer steps.
    pub train_s: f64,
    /// Seconds of the whole run, with evaluations and saving.
    pub elapsed_s: f64,
    /// Metrics of the best model on the validation data.
    pub valid: Option<Metrics>,
    /// Metrics of the same model on the test data.
    pub test: Option<Metrics>,
    /// Units (tokens) a second that optimizer steps go through.
    pub train_units_per_s: Option<f64>,
    /// Time steps a second in the runtime, see [`steps_per_s`](super::steps_per_s).
    pub inference_steps_per_s: Option<f64>,
    /// Size of the model file.
    pub file_bytes: Option<u64>,
    /// Every evaluation.
    pub records: Vec<Record>,
}

/// Mean and standard deviation over the seeds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Spread {
    /// Mean of the values.
    pub mean: f64,
    /// Standard deviation of the sample (over n − 1); none of a single value.
    pub std: Option<f64>,
    /// Number of values.
    pub n: usize,
}

/// The runs of a cell as one.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Summary {
    /// Of [`RunReport::valid`], by name.
    pub valid: BTreeMap<String, Spread>,
    /// Of [`RunReport::test`], by name.
    pub test: BTreeMap<String, Spread>,
    /// Of [`RunReport::epoch_s`].
    pub epoch_s: Option<Spread>,
    /// Of [`RunReport::best_s`].
    pub best_s: Option<Spread>,
    /// Of [`RunReport::train_units_per_s`].
    pub train_units_per_s: Option<Spread>,
    /// Of [`RunReport::inference_steps_per_s`].
    pub inference_steps_per_s: Option<Spread>,
    /// Of [`RunReport::file_bytes`].
    pub file_bytes: Option<Spread>,
}

impl Spread {
    /// Of the values there are; none if there is none.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let values: Vec<f64> = values.into_iter().collect();
        let n = values.len();
        let mean = values.iter().sum::<f64>() / n as f64;
        let squares: f64 = values.iter().map(|v| (v - mean).powi(2)).sum();
        let std = (n > 1).then(|| (squares / (n - 1) as f64).sqrt());
        (n > 0).then_some(Self { mean, std, n })
    }
}

impl CellReport {
    /// The spread of every measure over the runs that have it.
    pub fn summary(&self) -> Summary {
        let of = |measure: fn(&RunReport) -> Option<f64>| {
            Spread::of(self.runs.iter().filter_map(measure))
        };
        let metrics = |part: fn(&RunReport) -> Option<&Metrics>| {
            let all = || self.runs.iter().filter_map(part);
            let names = all().flat_map(|metrics| metrics.keys());
            let spread = |name: &String| {
                let values = all().filter_map(|metrics| metrics.get(name).copied());
                Some((name.clone(), Spread::of(values)?))
            };
            names.filter_map(spread).collect()
        };
        Summary {
            valid: metrics(|run| run.valid.as_ref()),
            test: metrics(|run| run.test.as_ref()),
            epoch_s: of(|run| run.epoch_s),
            best_s: of(|run| run.best_s),
            train_units_per_s: of(|run| run.train_units_per_s),
            inference_steps_per_s: of(|run| run.inference_steps_per_s),
            file_bytes: of(|run| run.file_bytes.map(|bytes| bytes as f64)),
        }
    }
}

impl Report {
    /// Whether every run is done.
    pub fn complete(&self) -> bool {
        self.cells.iter().all(|entry| entry.runs.len() == self.seeds.len())
    }

    /// All of it, with `complete` and each cell's `summary`.
    pub fn to_json(&self) -> Value {
        let mut all = json!(self);
        all["complete"] = self.complete().into();
        for (i, entry) in self.cells.iter().enumerate() {
            all["cells"][i]["summary"] = json!(entry.summary());
        }
        all
    }

    pub(super) fn write(&self, path: &Path) -> Result<()> {
        Ok(write_atomic(path, format!("{:#}\n", self.to_json()).as_bytes())?)
    }

    pub(super) fn read(path: &Path) -> Result<Self> {
        read(path)
    }

    /// Says in what `old`, found in the folder, differs from what is asked now. More cells or seeds
    /// are fine.
    pub(super) fn same_as(&self, old: &Self) -> Result<(), String> {
        let what = if old.settings != self.settings {
            "other settings"
        } else if old.matching != self.matching {
            "another value of the setting `match`"
        } else if old.data_fingerprint != self.data_fingerprint {
            "other data"
        } else {
            return Ok(());
        };
        Err(format!(
            "it holds a comparison with {what}: whoever started it goes on with it; choose \
             another folder to \
             keep both"
        ))
    }
}

impl RunReport {
    pub(super) fn new(run: PathBuf, seed: u64) -> Self {
        Self {
            seed,
            run,
            ended: None,
            diverged: None,
            steps: 0,
            best_epoch: None,
            best_s: None,
            epoch_s: None,
            train_s: 0.0,
            elapsed_s: 0.0,
            valid: None,
            test: None,
            train_units_per_s: None,
            inference_steps_per_s: None,
            file_bytes: None,
            records: Vec::new(),
        }
    }

    pub(super) fn write(&self, path: &Path) -> Result<()> {
        Ok(write_atomic(path, format!("{:#}\n", json!(self)).as_bytes())?)
    }

    /// None if there is no such file yet.
    pub(super) fn read(path: &Path) -> Result<Option<Self>> {
        if path.exists() { read(path).map(Some) } else { Ok(None) }
    }
}

fn read<T: for<'de> Deserialize<'de>>(path: &Path) -> Result<T> {
    let text = fs::read_to_string(path).map_err(Error::io("read", path))?;
    serde_json::from_str(&text).map_err(|e| Error::Comparison {
        path: path.to_owned(),
        why: format!(
            "it is damaged ({e}); delete it, and runs that are done will be measured again"
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spread_is_that_of_a_sample() {
        let spread = Spread::of([1.0, 2.0, 6.0]).unwrap();
        assert_eq!((spread.mean, spread.n), (3.0, 3));
        assert!((spread.std.unwrap() - 7f64.sqrt()).abs() < 1e-12);
        assert_eq!(Spread::of([2.0]).unwrap(), Spread { mean: 2.0, std: None, n: 1 });
        assert_eq!(Spread::of([]), None);
    }
}
