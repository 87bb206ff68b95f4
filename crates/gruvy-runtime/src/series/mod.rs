//! Series from tables: files in, regular series out.
//!
//! ```text
//! CSV, Parquet ──table──> text ──layout──> roles of columns ──stamps──> rows of series ──grid──> Panel
//! ```
//!
//! Taken as they are: the long table `unique_id, ds, y` of Nixtla's libraries, a single series, a series per column and
//! a series per row (the M4 competition). What is guessed is said in [`Panel::notes`]; what cannot be right is an error
//! with file, line and series. A missing value stays missing (NaN), unless [`Fill`] asks for more.
mod calendar;
mod fill;
mod grid;
mod infer;
mod layout;
mod read;
mod stamps;

pub use calendar::{Frequency, Stamp};
pub use read::{parse_panel, read_panel};

use serde::{Deserialize, Serialize};

/// Regular series of one frequency.
#[derive(Clone, Debug, PartialEq)]
pub struct Panel {
    /// The distance between observations, of all series.
    pub frequency: Frequency,
    /// The names of the covariates.
    pub columns: Columns,
    /// The series, in the order in which they first appear.
    pub series: Vec<Series>,
    /// What was guessed and found, sentences for a person.
    pub notes: Vec<String>,
}

/// The names of covariates, in the order in which every [`Series`] has them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Columns {
    /// One word or number for a whole series.
    pub statics: Vec<String>,
    /// `[P]` numbers known up to now.
    pub past: Vec<String>,
    /// `[F]` numbers known ahead.
    pub future: Vec<String>,
}

/// One series, an observation a step, without gaps.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// Its name.
    pub id: String,
    /// The stamp of the first observation.
    pub start: Stamp,
    /// `[N]` observations, NaN where missing; the first and, without future covariates, the last is there.
    pub y: Vec<f64>,
    /// One for each of [`Columns::statics`], as written.
    pub statics: Vec<String>,
    /// `[P][N]`, NaN where missing.
    pub past: Vec<Vec<f64>>,
    /// `[F][N + known ahead]`, NaN where missing.
    pub future: Vec<Vec<f64>>,
}

/// What the columns of a table are. What is not said is guessed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SeriesFormat {
    /// The column that names the series.
    pub id: Option<String>,
    /// The column with the stamps.
    pub time: Option<String>,
    /// The column with the values; several: a series per column.
    pub target: Vec<String>,
    /// Covariates that never change within a series.
    pub statics: Vec<String>,
    /// Covariates known up to now.
    pub past: Vec<String>,
    /// Covariates known ahead.
    pub future: Vec<String>,
    /// Columns to be left out.
    pub ignore: Vec<String>,
    /// The frequency; without it, that of the stamps.
    pub freq: Option<Frequency>,
    /// What missing values become.
    pub fill: Fill,
    /// How series lie in the table.
    pub layout: Layout,
}

/// What a missing value between two others becomes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fill {
    /// It stays missing, and a model knows.
    #[default]
    None,
    /// Zero.
    Zero,
    /// The value before.
    Forward,
    /// On the line between its neighbours.
    Linear,
    /// The mean of the series.
    Mean,
    /// The value a season before, else a season later, else as [`Fill::Linear`].
    Seasonal,
}

impl Fill {
    /// All, by name.
    pub const ALL: [(&'static str, Self); 6] = [
        ("none", Self::None),
        ("zero", Self::Zero),
        ("forward", Self::Forward),
        ("linear", Self::Linear),
        ("mean", Self::Mean),
        ("seasonal", Self::Seasonal),
    ];
}

/// How series lie in a table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Layout {
    /// As it looks.
    #[default]
    Auto,
    /// An observation per row.
    Long,
    /// A series per column.
    Columns,
    /// A series per row, its name in the first column.
    Rows,
}

impl Layout {
    /// All, by name.
    pub const ALL: [(&'static str, Self); 4] = [
        ("auto", Self::Auto),
        ("long", Self::Long),
        ("columns", Self::Columns),
        ("rows", Self::Rows),
    ];
}
