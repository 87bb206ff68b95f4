//! Regular time series: plain values, wherever they came from.
pub(crate) mod calendar;
pub(crate) mod wall_clock;

#[doc(hidden)]
pub use calendar::{DAY, month, seconds};
pub use calendar::{Frequency, Stamp};
pub use wall_clock::WallClock;

use crate::remark::Remark;
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
    pub notes: Vec<Remark>,
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
    /// `[N]` observations, NaN where missing; the first and, without future covariates, the last
    /// is there.
    pub y: Vec<f64>,
    /// One for each of [`Columns::statics`], as written.
    pub statics: Vec<String>,
    /// `[P][N]`, NaN where missing.
    pub past: Vec<Vec<f64>>,
    /// `[F][N + known ahead]`, NaN where missing.
    pub future: Vec<Vec<f64>>,
}
