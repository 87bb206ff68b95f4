//! Settings of the forecast task.
use super::task::ForecastTask;
use crate::{
    error::{Error, Result},
    settings::run::{Metric, RunSettings, TaskConfig},
    train::config::TrainConfig,
};
use gruvy_data::series::SeriesFormat;
use gruvy_runtime::TaskName;
use gruvy_runtime::forecast::{Difference, Output, Scale, Transform};
use serde::{Deserialize, Serialize};

/// How the horizon is decoded; [`gruvy_runtime::forecast::Decoder`] without its sizes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DecoderKind {
    /// All of it at once.
    Direct,
    /// Step by step.
    Autoregressive,
}

impl DecoderKind {
    /// All of them, with the names they are written as.
    pub const ALL: [(&'static str, Self); 2] =
        [("direct", Self::Direct), ("autoregressive", Self::Autoregressive)];
}

/// Settings of the forecast task. The `[forecast]` table of `run.toml`. What is none, or 0 where that is no
/// number of steps, is chosen by the data, and said.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ForecastConfig {
    /// `H`, steps to forecast; 0: a season.
    pub horizon: usize,
    /// `C`, steps to look back on; 0: four seasons, a week of what is measured within days, and twice the horizon at least.
    pub context: usize,
    /// Steps of a season; 0: by the frequency; 1: none.
    pub season: usize,
    /// How the horizon is decoded; none: autoregressive for small counts, else direct.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decoder: Option<DecoderKind>,
    /// `w`, steps of a segment of the direct decoder; 0: a part of a season.
    pub segment: usize,
    /// What the head gives; none: negative binomial for small counts; quantiles, or Student's t if
    /// autoregressive.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output: Option<Output>,
    /// Quantile levels of an answer, rising between 0 and 1.
    pub levels: Vec<f64>,
    /// Transform of the values; none: the logarithm where the spread grows with the level.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transform: Option<Transform>,
    /// What is subtracted first; none: what forecasts better by itself, the last value or that of a season
    /// before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub difference: Option<Difference>,
    /// What is divided by.
    pub scale: Scale,
    /// Whether the network is told the time of day, week and year, whichever matter and lie twice in the training part.
    pub calendar: bool,
    /// Whether the network is told which series it reads; none: if there are 2 to 32.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub series_id: Option<bool>,
    /// Windows of an epoch, drawn from all; 0: all, but 4,096 to 50,000.
    pub epoch_windows: usize,
    /// Steps at the end of each series, before the test steps, to validate on; 0: none. Not given: a horizon,
    /// and of fewer than 32 series a tenth at least.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub valid_steps: Option<usize>,
    /// Steps at the end of each series to test on.
    pub test_steps: usize,
    /// What the columns of the data are.
    pub format: SeriesFormat,
}

impl Default for ForecastConfig {
    fn default() -> Self {
        Self {
            horizon: 0,
            context: 0,
            season: 0,
            decoder: None,
            segment: 0,
            output: None,
            levels: vec![0.025, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.975],
            transform: None,
            difference: None,
            scale: Scale::default(),
            calendar: true,
            series_id: None,
            epoch_windows: 0,
            valid_steps: None,
            test_steps: 0,
            format: SeriesFormat::default(),
        }
    }
}

/// All settings of a run of the forecast task.
pub type ForecastRun = RunSettings<ForecastConfig>;

impl TaskConfig for ForecastConfig {
    const TASK: TaskName = TaskName::Forecast;
    const UNIT: &'static str = "windows";
    const METRICS: &'static [Metric] = &[
        Metric { name: "loss", title: "loss", decimals: 4 },
        Metric { name: "mase", title: "MASE", decimals: 3 },
        Metric { name: "smape", title: "sMAPE", decimals: 2 },
        Metric { name: "crps", title: "CRPS", decimals: 4 },
        Metric { name: "mse", title: "MSE", decimals: 4 },
        Metric { name: "mae", title: "MAE", decimals: 4 },
    ];
    type Task = ForecastTask;

    fn train_defaults() -> TrainConfig {
        TrainConfig {
            hidden: 128,
            dropout: 0.1,
            batch: 64,
            epochs: 20,
            lr: 2e-3,
            patience: 8,
            ..TrainConfig::default()
        }
    }

    fn run_name(&self) -> String {
        "airline".to_owned()
    }

    fn check(run: &ForecastRun) -> Result<()> {
        let task = &run.task;
        let rising = task.levels.windows(2).all(|pair| pair[0] < pair[1]);
        if task.levels.is_empty() || !rising || !task.levels.iter().all(|l| *l > 0.0 && *l < 1.0) {
            let why = "expected rising numbers between 0 and 1, such as 0.1,0.5,0.9";
            return Err(Error::setting("levels", format!("{:?}", task.levels), why));
        }
        if run.train.label_smoothing != 0.0 {
            let why = "this task answers with numbers and has no labels to smooth";
            return Err(Error::setting("label_smoothing", run.train.label_smoothing, why));
        }
        if run.train.train_fraction != 1.0 {
            let why = "series are shortened at their end, by valid_steps and test_steps";
            return Err(Error::setting("train_fraction", run.train.train_fraction, why));
        }
        if task.output == Some(Output::NegativeBinomial) {
            let differenced = task.difference.is_some_and(|d| d != Difference::None);
            if differenced || task.transform.is_some_and(|t| t != Transform::None) {
                let why = "counts are neither differenced nor transformed: leave difference and transform out";
                return Err(Error::setting("output", "negative-binomial", why));
            }
        }
        Ok(())
    }

    fn load(run: ForecastRun) -> Result<ForecastTask> {
        run.check()?;
        ForecastTask::load(run)
    }
}
