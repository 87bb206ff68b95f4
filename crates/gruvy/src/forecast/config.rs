//! Settings of the forecast task.
use crate::settings::run::RunSettings;
use gruvy_data::series::SeriesFormat;
use gruvy_data::settings;
use gruvy_data::settings::Kind;
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

settings! {
    /// Settings of the forecast task. The `[forecast]` table of `run.toml`. What is none, or 0 where that is no
    /// number of steps, is chosen by the data, and said.
    pub struct ForecastConfig {
        /// `H`.
        horizon: usize = 0, Kind::Whole(0), "H", "Steps to forecast; 0: a season";
        /// `C`.
        context: usize = 0, Kind::Whole(0), "N",
            "Steps to look back on; 0: four seasons, a week within days, and twice the horizon at \
             least";
        season: usize = 0, Kind::Whole(0), "N", "Steps of a season; 0: by the frequency; 1: none";
        #[serde(skip_serializing_if = "Option::is_none")]
        decoder: Option<DecoderKind> = None,
            Kind::Choice(|| DecoderKind::ALL.map(|(name, _)| name).to_vec()), "",
            "Forecast the whole horizon at once, or step by step [default: step by step for small \
             counts]";
        /// `w`.
        segment: usize = 0, Kind::Whole(0), "N",
            "Steps that the direct decoder reads and answers at once; 0: a part of a season";
        #[serde(skip_serializing_if = "Option::is_none")]
        output: Option<Output> = None, Kind::Choice(|| Output::ALL.map(|(name, _)| name).to_vec()), "",
            "Distribution to forecast [default: quantile, student-t step by step, \
             negative-binomial for small counts]";
        /// Rising between 0 and 1.
        levels: Vec<f64> = vec![0.025, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.975], Kind::Numbers, "LEVELS",
            "Quantile levels, with commas between them";
        #[serde(skip_serializing_if = "Option::is_none")]
        transform: Option<Transform> = None, Kind::Text, "WHAT",
            "none, log or box-cox:LAMBDA [default: log where the spread grows with the level]";
        #[serde(skip_serializing_if = "Option::is_none")]
        difference: Option<Difference> = None,
            Kind::Choice(|| Difference::ALL.map(|(name, _)| name).to_vec()), "",
            "What is subtracted from the values [default: what forecasts better by itself, last \
             or seasonal]";
        scale: Scale = Scale::default(), Kind::Choice(|| Scale::ALL.map(|(name, _)| name).to_vec()), "",
            "What values are scaled by: the window's size or the series' deviation";
        calendar: bool = true, Kind::Switch, "BOOL",
            "Tell the network the time of day, week and year, whichever matter";
        #[serde(skip_serializing_if = "Option::is_none")]
        series_id: Option<bool> = None, Kind::Switch, "BOOL",
            "Tell the network which series it reads [default: for 2 to 32 series]";
        epoch_windows: usize = 0, Kind::Whole(0), "N", "Windows of an epoch; 0: all, but 4,096 to 50,000";
        #[serde(skip_serializing_if = "Option::is_none")]
        valid_steps: Option<usize> = None, Kind::Whole(0), "N",
            "Last steps of each series, before those to test on, to validate on [default: a \
             horizon, of few series \
             a tenth]";
        test_steps: usize = 0, Kind::Whole(0), "N", "Last steps of each series to test on";
        ensemble: usize = 1, Kind::Whole(1), "N",
            "Train N models that differ in their seed, whose forecasts are averaged";
        /// What the columns of the data are.
        format: SeriesFormat = SeriesFormat::default();
    }
}

/// All settings of a run of the forecast task.
pub type ForecastRun = RunSettings<ForecastConfig>;
