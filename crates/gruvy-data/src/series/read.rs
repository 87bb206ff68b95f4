//! From files to a panel.
use super::{
    format::{Found, SeriesFormat},
    grid::{Grid, Raw, Row, named},
    layout::{roles, width},
    roles::{Roles, TimeColumn},
    stamps::{Earlier, Reading, is_time, of_date, of_parts},
};
use crate::error::Result;
use crate::input::Input;
use crate::table::rows::Table;
use gruvy_runtime::Remark;
use gruvy_runtime::series::{Columns, Frequency, Panel, Stamp};
use std::collections::HashMap;

const NAMELESS: &str = "the series has no name; every row needs one";

/// Reads series from CSV or Parquet. Rows of several files are joined by series and time; without a
/// time, later files go on where earlier ones end.
///
/// ```no_run
/// use gruvy_data::series::{SeriesFormat, read_panel};
/// use gruvy_runtime::forecast::Forecaster;
///
/// let forecaster = Forecaster::open("runs/air")?;
/// let panel = read_panel(&["air.csv".into()], &SeriesFormat::default())?;
/// for forecast in forecaster.forecast_panel(&panel)? {
///     println!("{}: {:?}", forecast.id, forecast.mean);
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`Error::File`](crate::Error::File) with file, line and series for what cannot be used;
/// [`Error::Io`](crate::Error::Io).
pub fn read_panel(inputs: &[Input], format: &SeriesFormat) -> Result<Panel> {
    Ok(read_series(inputs, format)?.0)
}

/// As [`read_panel`], with what was guessed of the tables: what a model is to keep, so that later
/// tables are read as this one was.
///
/// # Errors
/// As [`read_panel`].
pub fn read_series(inputs: &[Input], format: &SeriesFormat) -> Result<(Panel, Found)> {
    let tables = inputs.iter().map(Table::open).collect::<Result<Vec<Table>>>()?;
    panel(&tables, format)
}

fn panel(tables: &[Table], format: &SeriesFormat) -> Result<(Panel, Found)> {
    let mut notes = Vec::new();
    let roles = roles(tables, format, &mut notes)?;
    if roles.rows.is_some() {
        let panel = per_row(tables, &roles, format, notes)?;
        return Ok((panel, roles.found()));
    }
    let (stamps, reading) = stamps(tables, &roles.time, format, &mut notes)?;
    let mut gather = Gather::default();
    for (table, stamps) in stamps.iter().enumerate() {
        gather.table(tables, table, &roles, stamps.as_deref())?;
    }
    if !gather.later.is_empty() {
        notes.push(format!("series that only a later file has: {}", named(&gather.later)).into());
    }
    let columns = Columns {
        statics: format.statics.clone(),
        past: format.past.clone(),
        future: format.future.clone(),
    };
    let grid = Grid { tables, columns, freq: format.freq, fill: format.fill };
    let (day_first, offset, zone) = (reading.day_first, reading.offset(), reading.zone());
    let zone = zone.map(str::to_owned);
    let found = Found { day_first, offset, zone, ..roles.found() };
    Ok((grid.panel(gather.series, notes)?, found))
}

/// Series by name, as rows come in.
#[derive(Default)]
struct Gather {
    series: Vec<Raw>,
    known: HashMap<String, usize>,
    /// Those that the first table does not have.
    later: Vec<String>,
}

impl Gather {
    /// Gives a table's rows to their series.
    fn table(
        &mut self,
        tables: &[Table],
        at: usize,
        roles: &Roles,
        stamps: Option<&[Stamp]>,
    ) -> Result<()> {
        let table = &tables[at];
        let id_column = match &roles.id {
            Some(id) => Some(table.find(id).ok_or_else(|| table.no_column(id))?),
            None => None,
        };
        let has = |target: &&String| table.find(target).is_some();
        let targets: Vec<&String> = roles.targets.iter().filter(has).collect();
        // A table of covariates alone belongs to the series of the table that has their values.
        let covariates = targets.is_empty();
        if covariates && !roles.covariates.iter().any(|name| table.find(name).is_some()) {
            return Err(table.no_column(&roles.targets[0]));
        }
        let targets: Vec<&String> =
            if covariates { roles.targets.iter().collect() } else { targets };
        for row in 0..table.rows.len() {
            let id = match id_column {
                Some(column) if table.cell(row, column).is_empty() => {
                    return Err(table.error(Some(row), None, NAMELESS.to_owned()));
                }
                Some(column) => Some(table.cell(row, column)),
                None => None,
            };
            for target in &targets {
                let name = match (id, roles.targets.len()) {
                    (Some(id), 1) => id.to_owned(),
                    (Some(id), _) => format!("{id}/{target}"),
                    (None, _) => roles.name.clone().unwrap_or_else(|| (*target).clone()),
                };
                let series = self.series(name, target, at);
                // Without a time, the order counts.
                let stamp = stamps.map_or(Stamp::Index(series.rows.len() as i64), |all| all[row]);
                series.rows.push(Row { stamp, table: at, row });
            }
        }
        Ok(())
    }

    fn series(&mut self, id: String, target: &str, table: usize) -> &mut Raw {
        let at = match self.known.get(&id) {
            Some(at) => *at,
            None => {
                if table > 0 {
                    self.later.push(id.clone());
                }
                self.known.insert(id.clone(), self.series.len());
                self.series.push(Raw { id, target: target.to_owned(), rows: Vec::new() });
                self.series.len() - 1
            }
        };
        &mut self.series[at]
    }
}

/// The stamps of every table's rows, `None` where the order counts; and how they were read.
fn stamps(
    tables: &[Table],
    time: &TimeColumn,
    format: &SeriesFormat,
    notes: &mut Vec<Remark>,
) -> Result<(Vec<Option<Vec<Stamp>>>, Reading)> {
    let names = match time {
        TimeColumn::None => return Ok((vec![None; tables.len()], Reading::default())),
        TimeColumn::One(name) => std::slice::from_ref(name),
        TimeColumn::Parts(names) => names,
    };
    let find = |table: &Table| -> Result<Vec<usize>> {
        names.iter().map(|name| table.find(name).ok_or_else(|| table.no_column(name))).collect()
    };
    let columns: Vec<Vec<usize>> = tables.iter().map(find).collect::<Result<_>>()?;
    let first = columns.first().map_or("", |columns| tables[0].cell(0, columns[0]));
    let week = names.len() == 2 && names[1].eq_ignore_ascii_case("week");
    let cell = |cells: &[&str]| match cells {
        [cell] => Ok((*cell).to_owned()),
        cells if cells.len() == 2 && (week || is_time(first)) => of_date(cells, week),
        cells => of_parts(cells),
    };
    let mut all = Vec::with_capacity(tables.len());
    for (table, columns) in tables.iter().zip(&columns) {
        let mut cells = Vec::with_capacity(table.rows.len());
        for row in 0..table.rows.len() {
            let parts: Vec<&str> = columns.iter().map(|column| table.cell(row, *column)).collect();
            cells.push(cell(&parts).map_err(|problem| table.error(Some(row), None, problem))?);
        }
        all.push(cells);
    }
    one_column(tables, &all, &names.join("`, `"), format, notes)
}

/// The stamps that these cells of every table are, all read in one way.
fn one_column(
    tables: &[Table],
    cells: &[Vec<String>],
    name: &str,
    format: &SeriesFormat,
    notes: &mut Vec<Remark>,
) -> Result<(Vec<Option<Vec<Stamp>>>, Reading)> {
    let positions = matches!(format.freq, Some(Frequency::Index | Frequency::Steps(_)));
    let found = format.found.as_ref();
    let earlier = Earlier {
        positions,
        day_first: found.and_then(|found| found.day_first),
        offset: found.and_then(|found| found.offset),
        zone: found.and_then(|found| found.zone.as_deref()),
        asked: format.time_zone.as_deref(),
    };
    let flat: Vec<&str> = cells.iter().flatten().map(String::as_str).collect();
    let reading = Reading::of(&flat, earlier).map_err(|(at, beside, mut problem)| {
        let place = |mut at: usize| {
            tables.iter().find_map(|table| match at.checked_sub(table.rows.len()) {
                Some(rest) => {
                    at = rest;
                    None
                }
                None => Some((table, at)),
            })
        };
        if let Some((table, row)) = beside.and_then(place) {
            problem += &format!(
                " (the other kind is in line {} of {})",
                table.lines[row],
                table.file.display()
            );
        }
        let (table, row) = place(at).map_or((&tables[0], None), |(table, row)| (table, Some(row)));
        table.error(row, None, problem)
    })?;
    if reading.years() {
        notes.push(
            format!("`{name}` holds years (the setting `freq=1` takes them for positions)").into(),
        );
    }
    notes.extend(reading.said(name).map(Remark::from));
    let of_table = |(table, cells): (&Table, &Vec<String>)| {
        let stamp = |(row, cell): (usize, &String)| {
            reading.stamp(cell).map_err(|problem| table.error(Some(row), None, problem))
        };
        cells.iter().enumerate().map(stamp).collect::<Result<Vec<Stamp>>>().map(Some)
    };
    let stamps = tables.iter().zip(cells).map(of_table).collect::<Result<_>>()?;
    Ok((stamps, reading))
}

/// A series per row: the values follow its name, blanks behind them are nothing. Later tables go
/// on.
fn per_row(
    tables: &[Table],
    roles: &Roles,
    format: &SeriesFormat,
    mut notes: Vec<Remark>,
) -> Result<Panel> {
    let mut series: Vec<gruvy_runtime::series::Series> = Vec::new();
    let mut known: HashMap<String, usize> = HashMap::new();
    let mut later = Vec::new();
    for (at, table) in tables.iter().enumerate() {
        let id_column = match &roles.id {
            Some(id) => table.find(id).ok_or_else(|| table.no_column(id))?,
            None => 0,
        };
        let from = roles.rows.unwrap_or(0);
        let not_values = |column: usize| {
            let name = table.names.get(column);
            column < from
                || column == id_column
                || name.is_some_and(|name| format.ignore.contains(name))
        };
        let mut lines: HashMap<&str, u64> = HashMap::new();
        for row in 0..table.rows.len() {
            let id = table.cell(row, id_column);
            if id.is_empty() {
                return Err(table.error(Some(row), None, NAMELESS.to_owned()));
            }
            if table.rows[row].len() > table.names.len() {
                let problem = format!(
                    "the row has {} cells, the header {}",
                    table.rows[row].len(),
                    table.names.len()
                );
                return Err(table.error(Some(row), Some(id), problem));
            }
            if let Some(line) = lines.insert(id, table.lines[row]) {
                let problem = format!("the series is there twice, first in line {line}");
                return Err(table.error(Some(row), Some(id), problem));
            }
            let columns = (0..width(table, row)).filter(|column| !not_values(*column));
            let values: Vec<f64> =
                columns.map(|column| table.number(row, column, id)).collect::<Result<_>>()?;
            let place = *known.entry(id.to_owned()).or_insert_with(|| {
                if at > 0 {
                    later.push(id.to_owned());
                }
                series.push(empty(id));
                series.len() - 1
            });
            series[place].y.extend(values);
        }
    }
    if !later.is_empty() {
        notes.push(format!("series that only a later file has: {}", named(&later)).into());
    }
    let grid = Grid { tables, columns: Columns::default(), freq: format.freq, fill: format.fill };
    grid.finished(series, format.freq.unwrap_or(Frequency::Index), notes)
}

fn empty(id: &str) -> gruvy_runtime::series::Series {
    gruvy_runtime::series::Series {
        id: id.to_owned(),
        start: Stamp::Index(0),
        y: Vec::new(),
        statics: Vec::new(),
        past: Vec::new(),
        future: Vec::new(),
    }
}
