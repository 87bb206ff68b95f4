//! How series stand in tables.
use super::stamps::offset_text;
use super::zone;
use crate::settings;
use crate::settings::Kind;
use gruvy_runtime::series::{Frequency, Panel, Stamp, WallClock};
use jiff::{ToSpan, civil::DateTime};
use serde::{Deserialize, Serialize};

/// How far the changes of clocks are known to a model before and behind what it was trained on.
const BEFORE_YEARS: i64 = 10;
const AHEAD_YEARS: i64 = 50;

settings! {
    /// What the columns of a table are. What is not said is guessed.
    pub struct SeriesFormat {
        id: Option<String> = None, Kind::Text, "COLUMN",
            "Column with the name of the series [default: guessed]";
        time: Option<String> = None, Kind::Text, "COLUMN",
            "Column with the time [default: guessed]";
        target: Vec<String> = Vec::new(), Kind::Texts, "COLUMNS",
            "Columns to forecast, with commas between them; of several each is a series [default: \
             guessed]";
        statics: Vec<String> = Vec::new(), Kind::Texts, "COLUMNS",
            "Columns that say something of a series and never change in it";
        past: Vec<String> = Vec::new(), Kind::Texts, "COLUMNS",
            "Columns that help, and are known for the past alone";
        future: Vec<String> = Vec::new(), Kind::Texts, "COLUMNS",
            "Columns that help, and are known for the future too";
        ignore: Vec<String> = Vec::new(), Kind::Texts, "COLUMNS", "Columns to leave out";
        freq: Option<Frequency> = None, Kind::Text, "FREQ",
            "Time between rows, such as h, 30min, D, W, B, MS, QS, YS [default: found]";
        time_zone: Option<String> = None, Kind::Text, "ZONE",
            "Time zone of the stamps, such as Europe/Berlin; instants of others are moved there [default: \
             as written]";
        fill: Fill = Fill::None, Kind::Choice(|| Fill::ALL.map(|(name, _)| name).to_vec()), "",
            "Fill gaps instead of telling the model that values are missing";
        layout: Layout = Layout::Auto,
            Kind::Choice(|| Layout::ALL.map(|(name, _)| name).to_vec()), "",
            "How the table lies: a row per value, a column per series, a row per series";
        /// What was found in the data that a model was trained on; what is asked for goes before it.
        #[serde(skip_serializing_if = "Option::is_none")]
        found: Option<Found> = None;
    }
}

/// What was guessed of a table, to be kept with a model, so that later tables are read as the first
/// one was.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Found {
    /// How series lie in the table; [`Layout::Auto`]: not known, and so nothing is known of the
    /// columns.
    pub layout: Layout,
    /// The column that names the series; none: there is none.
    pub id: Option<String>,
    /// The column with the stamps, or several for year, month, …; none: the order of the rows
    /// counts.
    pub time: Vec<String>,
    /// The columns with the values.
    pub target: Vec<String>,
    /// Whether dates like `01/02/2020` have the day first; none: there were no such dates.
    pub day_first: Option<bool>,
    /// Seconds that the stamps' clock is ahead of UTC; none: that is not written.
    pub offset: Option<i32>,
    /// The name of the stamps' time zone; none: that is not known. With an offset the stamps are on
    /// that clock inside, and are written in the zone; without, they are on the zone's own clock,
    /// at one time of day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// The name of the only series, if no column names it.
    pub name: Option<String>,
}

impl Found {
    /// A stamp as [`Frequency::written`] has it, with the offset from UTC and the zone that the
    /// stamps have.
    pub fn written(&self, frequency: Frequency, at: Stamp) -> String {
        let zone = self.zone.as_deref();
        if let Some(written) = zone.and_then(|zone| zone::written(zone, self.offset, at)) {
            return written;
        }
        match (self.offset, at) {
            (Some(offset), Stamp::Time(time)) => {
                format!("{} {}{}", time.date(), time.time(), offset_text(offset))
            }
            _ => frequency.written(at),
        }
    }

    /// What the clocks of the stamps' zone show, from ten years before the first stamp of a panel to
    /// fifty behind its last.
    pub fn wall_clock(&self, panel: &Panel) -> WallClock {
        let (Some(zone), Some(offset)) = (&self.zone, self.offset) else {
            return WallClock::default();
        };
        let ends = panel.series.iter().flat_map(|series| {
            [0, series.y.len()].map(|step| panel.frequency.at(series.start, step))
        });
        let times: Vec<DateTime> = ends
            .filter_map(|stamp| match stamp {
                Stamp::Time(time) => Some(time),
                Stamp::Index(_) => None,
            })
            .collect();
        match (times.iter().min(), times.iter().max()) {
            (Some(first), Some(last)) => {
                let from = first.saturating_sub(BEFORE_YEARS.years());
                let to = last.saturating_add(AHEAD_YEARS.years());
                zone::wall_clock(zone, offset, from, to)
            }
            _ => WallClock::default(),
        }
    }

    /// What is known of a model that was trained before columns were kept with models: the name of
    /// its only series.
    pub fn only(name: impl Into<String>) -> Self {
        Self { name: Some(name.into()), ..Self::default() }
    }
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
