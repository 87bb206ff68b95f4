//! The forecast task: its settings as flags, and its subcommands.

use crate::args::settings::{TaskFlags, one_of};
use clap::{ArgAction, Args};
use gruvy::forecast::{DecoderKind, ForecastConfig};
use gruvy::settings::RunSettings;
use gruvy_data::series::{Fill, Layout, SeriesFormat};
use gruvy_runtime::forecast::{Difference, Forecaster, Output, Scale, Transform};
use gruvy_runtime::series::Frequency;
use std::path::PathBuf;

/// What the columns of the data are, named as in [`SeriesFormat`].
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Data")]
pub struct FormatFlags {
    /// Column with the name of the series [default: guessed]
    #[arg(long, value_name = "COLUMN")]
    pub id: Option<String>,
    /// Column with the time [default: guessed]
    #[arg(long, value_name = "COLUMN")]
    pub time: Option<String>,
    /// Columns to forecast, with commas between them; of several each is a series [default: guessed]
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',')]
    pub target: Vec<String>,
    /// Columns that say something of a series and never change in it
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',')]
    pub statics: Vec<String>,
    /// Columns that help, and are known for the past alone
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',')]
    pub past: Vec<String>,
    /// Columns that help, and are known for the future too
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',')]
    pub future: Vec<String>,
    /// Columns to leave out
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',')]
    pub ignore: Vec<String>,
    /// Time between rows, such as h, 30min, D, W, B, MS, QS, YS [default: found]
    #[arg(long, value_name = "FREQ")]
    pub freq: Option<Frequency>,
    /// Fill gaps instead of telling the model that values are missing
    #[arg(long, value_parser = one_of(Fill::ALL))]
    pub fill: Option<Fill>,
    /// How the table lies: a row per value, a column per series, a row per series [default: guessed]
    #[arg(long, value_parser = one_of(Layout::ALL))]
    pub layout: Option<Layout>,
}

impl FormatFlags {
    /// Lays the flags given over the settings.
    pub fn apply(self, to: &mut SeriesFormat) {
        to.id = self.id.or(to.id.take());
        to.time = self.time.or(to.time.take());
        for (given, list) in [
            (self.target, &mut to.target),
            (self.statics, &mut to.statics),
            (self.past, &mut to.past),
            (self.future, &mut to.future),
            (self.ignore, &mut to.ignore),
        ] {
            if !given.is_empty() {
                *list = given;
            }
        }
        to.freq = self.freq.or(to.freq);
        to.fill = self.fill.unwrap_or(to.fill);
        to.layout = self.layout.unwrap_or(to.layout);
    }
}

/// Settings of the forecast task as flags, named as in [`ForecastConfig`].
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Forecast")]
pub struct ForecastFlags {
    /// Tables of series, CSV or Parquet; `-` is stdin; nothing: the embedded airline passengers
    #[arg(value_name = "DATA", help_heading = "Arguments")]
    pub data: Vec<PathBuf>,
    /// Steps to forecast; 0: a season
    #[arg(long, value_name = "H")]
    pub horizon: Option<usize>,
    /// Steps to look back on; 0: four seasons, a week within days, and twice the horizon at least
    #[arg(long, value_name = "N")]
    pub context: Option<usize>,
    /// Steps of a season; 0: by the frequency; 1: none
    #[arg(long, value_name = "N")]
    pub season: Option<usize>,
    /// Forecast the whole horizon at once, or step by step [default: step by step for small counts]
    #[arg(long, value_parser = one_of(DecoderKind::ALL))]
    pub decoder: Option<DecoderKind>,
    /// Steps that the direct decoder reads and answers at once; 0: a part of a season
    #[arg(long, value_name = "N")]
    pub segment: Option<usize>,
    /// Distribution to forecast [default: quantile, student-t step by step, negative-binomial for small counts]
    #[arg(long, value_parser = one_of(Output::ALL))]
    pub output: Option<Output>,
    /// Quantile levels, with commas between them
    #[arg(long, value_name = "LEVELS", value_delimiter = ',', action = ArgAction::Set)]
    pub levels: Option<Vec<f64>>,
    /// none, log or box-cox:LAMBDA [default: log where the spread grows with the level]
    #[arg(long, value_name = "WHAT")]
    pub transform: Option<Transform>,
    /// What is subtracted from the values [default: what forecasts better by itself, last or seasonal]
    #[arg(long, value_parser = one_of(Difference::ALL))]
    pub difference: Option<Difference>,
    /// What values are scaled by: the window's size or the series' deviation
    #[arg(long, value_parser = one_of(Scale::ALL))]
    pub scale: Option<Scale>,
    /// Tell the network the time of day, week and year, whichever matter
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    pub calendar: Option<bool>,
    /// Tell the network which series it reads [default: for 2 to 32 series]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    pub series_id: Option<bool>,
    /// Windows of an epoch; 0: all, but 4,096 to 50,000
    #[arg(long, value_name = "N")]
    pub epoch_windows: Option<usize>,
    /// Last steps of each series, before those to test on, to validate on [default: a horizon, of few series
    /// a tenth]
    #[arg(long, value_name = "N")]
    pub valid_steps: Option<usize>,
    /// Last steps of each series to test on
    #[arg(long, value_name = "N")]
    pub test_steps: Option<usize>,
    /// Train N models that differ in their seed, whose forecasts are averaged
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub ensemble: u64,
    /// What the columns are.
    #[command(flatten)]
    pub format: FormatFlags,
}

impl TaskFlags for ForecastFlags {
    type Config = ForecastConfig;
    const USE: [&'static str; 2] = ["forecast", "forecast"];

    fn apply(self, to: &mut RunSettings<ForecastConfig>) {
        if !self.data.is_empty() {
            to.data.paths = self.data;
        }
        let to = &mut to.task;
        self.format.apply(&mut to.format);
        to.decoder = self.decoder.or(to.decoder);
        to.output = self.output.or(to.output);
        to.transform = self.transform.or(to.transform);
        to.difference = self.difference.or(to.difference);
        to.series_id = self.series_id.or(to.series_id);
        to.valid_steps = self.valid_steps.or(to.valid_steps);
        crate::args::settings::lay_over!(self => to; horizon context season segment levels scale calendar epoch_windows
            test_steps);
    }
}

/// `gruvy forecast`
#[derive(Debug, Args)]
pub struct ForecastArgs {
    /// Run folder or model file
    pub model: PathBuf,
    /// The series up to now; `-` is stdin [default: what the run was trained on]
    #[arg(value_name = "DATA")]
    pub data: Vec<PathBuf>,
    /// Write the forecasts here instead of stdout
    #[arg(short, long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Draw a fan chart, .svg or .png
    #[arg(long, value_name = "FILE")]
    pub picture: Option<PathBuf>,
    /// Only these series, with commas between them
    #[arg(long, value_name = "IDS", value_delimiter = ',')]
    pub only: Vec<String>,
    /// Give N possible courses of each series instead of mean and quantiles
    #[arg(long, value_name = "N", conflicts_with_all = ["picture", "flag_anomalies"])]
    pub paths: Option<usize>,
    /// Courses drawn for the quantiles of an autoregressive model
    #[arg(long, value_name = "N", default_value_t = Forecaster::SAMPLES)]
    pub samples: usize,
    /// Instead of forecasting, mark the observations outside this central interval of the forecast one step before
    #[arg(long, value_name = "SHARE", num_args = 0..=1, default_missing_value = "0.95", value_parser = share)]
    pub flag_anomalies: Option<f64>,
    /// What the columns are.
    #[command(flatten)]
    pub format: FormatFlags,
}

/// `gruvy backtest`
#[derive(Debug, Args)]
pub struct BacktestArgs {
    /// Run folder or model file
    pub model: PathBuf,
    /// The series [default: what the run was trained on]
    #[arg(value_name = "DATA")]
    pub data: Vec<PathBuf>,
    /// Origins of each series, the last a horizon before its end
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub windows: usize,
    /// Steps between origins [default: the horizon]
    #[arg(long, value_name = "N")]
    pub step: Option<usize>,
    /// Courses drawn for the quantiles of an autoregressive model
    #[arg(long, value_name = "N", default_value_t = Forecaster::SAMPLES)]
    pub samples: usize,
    /// The page [default: backtest.html in the run folder, or here]
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// What the columns are.
    #[command(flatten)]
    pub format: FormatFlags,
}

fn share(text: &str) -> Result<f64, String> {
    let wrong = || "expected a share between 0 and 1, such as 0.95".to_owned();
    text.parse().ok().filter(|p| *p > 0.0 && *p < 1.0).ok_or_else(wrong)
}
