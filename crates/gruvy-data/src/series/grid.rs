//! Rows with stamps become series without gaps.
use super::{fill::fill, format::Fill, infer::infer, start::start};
use crate::error::{Error, Result};
use crate::packed::room;
use crate::table::rows::Table;
use gruvy_runtime::Remark;
use gruvy_runtime::series::{Columns, Frequency, Panel, Series, Stamp};

/// Where in the tables a series has a row.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    pub stamp: Stamp,
    pub table: usize,
    pub row: usize,
}

/// A series before its grid.
pub(super) struct Raw {
    pub id: String,
    /// The column with its values.
    pub target: String,
    pub rows: Vec<Row>,
}

/// What the grid is made with.
pub(super) struct Grid<'a> {
    pub tables: &'a [Table],
    pub columns: Columns,
    pub freq: Option<Frequency>,
    pub fill: Fill,
}

const NO_VALUE: &str = "no series has a value, all of them are missing; the setting `target` names \
                        another column";

/// A series on the grid.
struct Placed {
    series: Series,
    /// Steps that had no row.
    gaps: usize,
    /// Stamps that were moved to their step.
    moved: usize,
}

impl Grid<'_> {
    /// The panel of all series.
    pub fn panel(self, mut raw: Vec<Raw>, mut notes: Vec<Remark>) -> Result<Panel> {
        let mut unsorted = Vec::new();
        for series in &mut raw {
            // Rows of a later file among those of an earlier one are joined, not out of order.
            let back =
                |pair: &[Row]| pair[0].table == pair[1].table && pair[0].stamp > pair[1].stamp;
            if series.rows.windows(2).any(back) {
                unsorted.push(series.id.clone());
            }
            series.rows.sort_by_key(|row| row.stamp);
            self.no_duplicates(series)?;
        }
        if !unsorted.is_empty() {
            notes.push(format!("rows out of order were sorted: {}", named(&unsorted)).into());
        }
        let frequency = self.frequency(&raw, &mut notes)?;
        let (mut gaps, mut moved) = (Vec::new(), 0);
        let mut most = room() as usize / size_of::<f64>();
        let mut regular = Vec::with_capacity(raw.len());
        for raw in &raw {
            let placed = self.series(raw, frequency, &mut most)?;
            if placed.gaps > 0 {
                gaps.push(format!("{} ({})", raw.id, placed.gaps));
            }
            moved += placed.moved;
            regular.push(placed.series);
        }
        if moved > 0 {
            let what = match frequency {
                Frequency::Seconds(_) => "moved to the nearest step",
                Frequency::BusinessWeeks { .. } => "that stand for their week",
                Frequency::HalfMonths { .. } => "that stand for their half of a month",
                _ => "that stand for their month",
            };
            notes.push(format!("stamps {what} ({frequency}): {moved}").into());
        }
        if !gaps.is_empty() {
            notes.push(format!("steps without a row, taken as missing: {}", named(&gaps)).into());
        }
        self.finished(regular, frequency, notes)
    }

    /// The panel of series that are regular: their ends trimmed, their gaps filled as asked.
    pub fn finished(
        self,
        series: Vec<Series>,
        frequency: Frequency,
        mut notes: Vec<Remark>,
    ) -> Result<Panel> {
        let (mut trimmed, mut empty, mut all) = (Vec::new(), Vec::new(), Vec::new());
        for series in series {
            let id = series.id.clone();
            match trim(series, frequency) {
                None => empty.push(id),
                Some((mut series, cut)) => {
                    if cut > 0 {
                        trimmed.push(format!("{id} ({cut})"));
                    }
                    fill(&mut series.y, self.fill, frequency.season());
                    all.push(series);
                }
            }
        }
        let say = |what: &str, ids: Vec<String>| {
            (!ids.is_empty()).then(|| Remark::from(format!("{what}: {}", named(&ids))))
        };
        notes.extend(say("missing values at the ends, left out", trimmed));
        notes.extend(say("series without a value, left out", empty));
        let missing: usize = all.iter().flat_map(|s| &s.y).filter(|y| y.is_nan()).count();
        if missing > 0 {
            notes.push(format!(
                "missing values that stay so: {missing}; the setting `fill` offers the usual ways"
            ).into());
        }
        match (all.is_empty(), self.tables.first()) {
            (true, Some(table)) => Err(table.error(None, None, NO_VALUE.into())),
            _ => Ok(Panel { frequency, columns: self.columns, series: all, notes }),
        }
    }

    /// An error for two rows of one file with one stamp.
    fn no_duplicates(&self, series: &Raw) -> Result<()> {
        let same = |pair: &&[Row]| pair[0].stamp == pair[1].stamp && pair[0].table == pair[1].table;
        match series.rows.windows(2).find(same) {
            None => Ok(()),
            Some(pair) => Err(self.duplicate(series, pair[0], pair[1])),
        }
    }

    fn duplicate(&self, series: &Raw, first: Row, again: Row) -> Error {
        let table = &self.tables[first.table];
        let file = if first.table == again.table {
            String::new()
        } else {
            format!(" of {}", table.file.display())
        };
        let line = table.lines[first.row];
        let problem = format!(
            "{} is there twice, first in line {line}{file}; keep one row, or name the column that \
             tells series apart with the setting `id`",
            again.stamp
        );
        self.error(series, again, problem)
    }

    /// An error for rows of two files that say something else of one step.
    fn disagree(&self, series: &Raw, name: &str, rows: [Row; 2], values: [f64; 2]) -> Error {
        let first = &self.tables[rows[0].table];
        let problem = format!(
            "at {} the column `{name}` is {}, and {} in line {} of {}; keep one of the rows, or \
             give each series a name in \
             a column of its own (the setting `id`)",
            rows[1].stamp,
            values[1],
            values[0],
            first.lines[rows[0].row],
            first.file.display()
        );
        self.error(series, rows[1], problem)
    }

    fn error(&self, series: &Raw, at: Row, problem: String) -> Error {
        self.tables[at.table].error(Some(at.row), Some(&series.id), problem)
    }

    /// The frequency asked for, else that of the stamps.
    fn frequency(&self, raw: &[Raw], notes: &mut Vec<Remark>) -> Result<Frequency> {
        let stamps: Vec<Vec<Stamp>> =
            raw.iter().map(|series| series.rows.iter().map(|row| row.stamp).collect()).collect();
        let calendar = matches!(stamps.iter().flatten().next(), Some(Stamp::Time(_)));
        let frequency = match (self.freq, calendar) {
            (Some(frequency), _) => frequency,
            (None, false) => infer(&stamps).unwrap_or(Frequency::Index),
            (None, true) => match (infer(&stamps), raw.first()) {
                (Some(frequency), _) => {
                    let why = format!("frequency {frequency}, by the gaps between the stamps");
                    notes.push(Remark::chosen("freq", frequency, why));
                    frequency
                }
                (None, Some(series)) => {
                    let problem =
                        "the stamps show no frequency; say it with the setting `freq`".to_owned();
                    return Err(self.error(series, series.rows[0], problem));
                }
                (None, None) => Frequency::Index,
            },
        };
        if self.freq.is_none() && calendar {
            self.one_frequency(raw, frequency)?;
        }
        Ok(frequency)
    }

    /// An error for a series that is regular, but with longer steps than the others.
    fn one_frequency(&self, raw: &[Raw], frequency: Frequency) -> Result<()> {
        for series in raw.iter().filter(|series| series.rows.len() > 3) {
            let steps = |pair: &[Row]| frequency.steps(pair[0].stamp, pair[1].stamp);
            let mut gaps = series.rows.windows(2).map(steps).filter(|gap| *gap != Some(0));
            let Some(Some(first)) = gaps.next() else { continue };
            if first > 1 && gaps.all(|gap| gap == Some(first)) {
                let problem = format!(
                    "mixed frequencies: every step of this series is {first} of {frequency}, \
                     which others have; read \
                     them apart, or use the setting `freq`"
                );
                return Err(self.error(series, series.rows[1], problem));
            }
        }
        Ok(())
    }

    /// Where each row stands, in steps after the first, and how many stamps were moved there.
    fn places(&self, raw: &Raw, frequency: Frequency, start: Stamp) -> Result<(Vec<usize>, usize)> {
        let (mut places, mut moved, mut odd) = (Vec::with_capacity(raw.rows.len()), 0, Vec::new());
        for row in &raw.rows {
            // What is asked for decides what a stamp stands for.
            let asked = self.freq.is_some() || frequency.has_holidays();
            let near = || frequency.nearest(start, row.stamp).filter(|_| asked);
            let exact = frequency.steps(start, row.stamp);
            match exact.or_else(near) {
                Some(place) => places.push(place),
                None => odd.push(*row),
            }
            moved += usize::from(exact.is_none());
        }
        let name =
            |row: &Row| format!("{} (line {})", row.stamp, self.tables[row.table].lines[row.row]);
        let Some(first) = odd.first() else {
            let again = |at: &usize| {
                places[*at] == places[*at - 1] && raw.rows[*at].stamp != raw.rows[*at - 1].stamp
            };
            let again: Vec<Row> = (1..places.len()).filter(again).map(|at| raw.rows[at]).collect();
            let Some(first) = again.first() else { return Ok((places, moved)) };
            let problem = format!(
                "stamps on the step of an earlier row (the frequency is {frequency}): {} of {}, {}; \
                 keep one row a step, or use another value of the setting `freq`",
                again.len(),
                raw.rows.len(),
                named(&again.iter().map(name).collect::<Vec<_>>())
            );
            return Err(self.error(raw, *first, problem));
        };
        let more: Vec<String> = odd[1..].iter().map(name).collect();
        let more = match more.is_empty() {
            true => String::new(),
            false => format!("; nor are {}", named(&more)),
        };
        let asked = match self.freq {
            Some(_) => "use another value of the setting `freq`, or leave it out",
            None => "use the setting `freq`",
        };
        let problem = match first.stamp == start {
            true => format!("{start} is no stamp of the frequency {frequency}{more}; {asked}"),
            false => format!(
                "mixed frequencies: {} is no whole number of steps ({frequency}) after \
                 {start}{more}; correct the stamps, or {asked}",
                first.stamp
            ),
        };
        Err(self.error(raw, *first, problem))
    }

    /// The regular series. `most`: values that there is room for.
    fn series(&self, raw: &Raw, frequency: Frequency, most: &mut usize) -> Result<Placed> {
        let first = raw.rows[0].stamp;
        let stamps: Vec<Stamp> = raw.rows.iter().map(|row| row.stamp).collect();
        let near = self.freq.is_some() || frequency.has_holidays();
        let start = match first {
            Stamp::Time(_) if near => start(&stamps, frequency),
            _ => first,
        };
        let (mut places, moved) = self.places(raw, frequency, start)?;
        let n = places.last().map_or(0, |last| last + 1);
        let columns = 1 + self.columns.past.len() + self.columns.future.len();
        let left = most.checked_sub(n.saturating_mul(columns));
        *most = left.unwrap_or(0);
        if let Some(last) = raw.rows.last()
            && (n > 1000 * raw.rows.len() + 10_000 || left.is_none())
        {
            let room = if left.is_none() { ", for which there is no room in memory" } else { "" };
            let problem = format!(
                "{} rows spread over {n} steps ({frequency}){room}; correct the stamps, or use the \
                 setting `freq`",
                raw.rows.len()
            );
            return Err(self.error(raw, *last, problem));
        }
        let values = |names: &[String]| -> Result<Vec<Vec<f64>>> {
            names.iter().map(|name| self.column(raw, &places, n, name)).collect()
        };
        let series = Series {
            id: raw.id.clone(),
            start,
            y: self.column(raw, &places, n, &raw.target)?,
            statics: self.statics(raw)?,
            past: values(&self.columns.past)?,
            future: values(&self.columns.future)?,
        };
        places.dedup();
        Ok(Placed { series, gaps: n - places.len(), moved })
    }

    /// A column on the grid; what no row says is missing.
    fn column(&self, raw: &Raw, places: &[usize], n: usize, name: &str) -> Result<Vec<f64>> {
        let found: Vec<Option<usize>> = self.tables.iter().map(|table| table.find(name)).collect();
        let mut values = vec![f64::NAN; n];
        let mut from = None::<Row>;
        for (row, place) in raw.rows.iter().zip(places) {
            let Some(column) = found[row.table] else { continue };
            let value = self.tables[row.table].number(row.row, column, &raw.id)?;
            if value.is_nan() {
                continue;
            }
            if let Some(first) = from
                && !values[*place].is_nan()
                && values[*place] != value
            {
                return Err(self.disagree(raw, name, [first, *row], [values[*place], value]));
            }
            values[*place] = value;
            from = Some(*row);
        }
        Ok(values)
    }

    fn statics(&self, raw: &Raw) -> Result<Vec<String>> {
        let of = |name: &String| {
            let mut known: Option<&str> = None;
            for row in &raw.rows {
                let table = &self.tables[row.table];
                let Some(column) = table.find(name) else { continue };
                let cell = table.cell(row.row, column);
                match known {
                    _ if cell.is_empty() => {}
                    Some(known) if known != cell => {
                        let problem = format!(
                            "the static column `{name}` changes from `{known}` to `{cell}`; name \
                             it as past or future covariate"
                        );
                        return Err(self.error(raw, *row, problem));
                    }
                    _ => known = Some(cell),
                }
            }
            Ok(known.unwrap_or_default().to_owned())
        };
        self.columns.statics.iter().map(of).collect()
    }
}

/// The series from its first value on, and how many missing values were cut off at its ends. Rows
/// behind the last value stay as what is known ahead, when they have future covariates. `None`
/// without a value.
fn trim(mut series: Series, frequency: Frequency) -> Option<(Series, usize)> {
    let first = series.y.iter().position(|y| !y.is_nan())?;
    let last = series.y.iter().rposition(|y| !y.is_nan())?;
    let known = |values: &Vec<f64>| values.iter().rposition(|value| !value.is_nan());
    let ahead = series.future.iter().filter_map(known).max().unwrap_or(last).max(last);
    let cut = first + series.y.len() - 1 - ahead;
    let to = |values: &mut Vec<f64>, last: usize| {
        values.truncate(last + 1);
        values.drain(..first);
    };
    series.start = frequency.at(series.start, first);
    to(&mut series.y, last);
    series.past.iter_mut().for_each(|values| to(values, last));
    series.future.iter_mut().for_each(|values| to(values, ahead));
    Some((series, cut))
}

/// The first five, and how many more.
pub(super) fn named(ids: &[String]) -> String {
    match ids.len() {
        0..=5 => ids.join(", "),
        more => format!("{} and {} more", ids[..5].join(", "), more - 5),
    }
}
