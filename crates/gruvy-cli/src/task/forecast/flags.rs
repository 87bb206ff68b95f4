//! The flags of the subcommands that forecast.

use crate::args::settings::TableFlags;
use clap::Args;
use gruvy_data::series::SeriesFormat;
use gruvy_runtime::forecast::Forecaster;
use std::path::PathBuf;

/// What `gruvy eval` takes for a model of time series.
#[derive(Debug, Args)]
pub struct EvalFlags {
    /// Measure forecasts of the last N steps of each series [default: a horizon]
    #[arg(long, value_name = "N", help_heading = "Forecast")]
    pub test_steps: Option<usize>,
    /// What the columns are.
    #[command(flatten)]
    pub format: TableFlags<SeriesFormat>,
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
    /// Instead of forecasting, mark the observations outside this central interval of the forecast
    /// one step before
    #[arg(long, value_name = "SHARE", num_args = 0..=1, default_missing_value = "0.95", value_parser = share)]
    pub flag_anomalies: Option<f64>,
    /// What the columns are.
    #[command(flatten)]
    pub format: TableFlags<SeriesFormat>,
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
    pub format: TableFlags<SeriesFormat>,
}

fn share(text: &str) -> Result<f64, String> {
    let wrong = || "expected a share between 0 and 1, such as 0.95".to_owned();
    text.parse().ok().filter(|p| *p > 0.0 && *p < 1.0).ok_or_else(wrong)
}
