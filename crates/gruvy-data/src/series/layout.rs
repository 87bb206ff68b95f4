//! Which column is what: as told, else by the usual names, and said aloud.
use super::{
    format::{Found, Layout, SeriesFormat},
    grid::named,
    per_row::{per_row, values_from},
    roles::{Roles, TIMES, TimeColumn, check_asked, has, known},
    stamps::{is_time, of_date},
};
use crate::error::Result;
use crate::table::rows::Table;
use crate::table::rows::missing;
use gruvy_runtime::Remark;

const IDS: [&str; 8] =
    ["unique_id", "series_id", "item_id", "series", "ts_id", "store_id", "sensor_id", "id"];
/// Columns with the time of day beside one with the date.
const CLOCKS: [&str; 5] = ["hour", "time", "hour_of_day", "time_of_day", "hr"];
const PARTS: [&str; 6] = ["year", "month", "day", "hour", "minute", "second"];
const TARGETS: [&str; 8] =
    ["y", "target", "value", "values", "sales", "demand", "count", "observation"];
/// Of [`TIMES`], those that hold all of a time beside columns for its parts.
const WHOLE_TIMES: usize = 5;
const ROW_NUMBERS: [&str; 7] =
    ["", "no", "index", "row", "unnamed: 0", "rownames", "__index_level_0__"];

/// Finds out what the columns are, and says what was guessed. `tables` are all of them: a file that
/// goes on where another ends is read as if both were one.
pub(super) fn roles(
    tables: &[Table],
    format: &SeriesFormat,
    notes: &mut Vec<Remark>,
) -> Result<Roles> {
    let Some(table) = tables.first() else {
        return Err(crate::error::Error::setting("data", "no file", "at least one"));
    };
    let found = known(format);
    let row_found = found.is_some_and(|found| found.layout == Layout::Rows);
    let by_rows = match format.layout {
        Layout::Rows => Some(values_from(table, format).unwrap_or(0)),
        Layout::Auto if row_found => Some(values_from(table, format).unwrap_or(0)),
        Layout::Auto if found.is_none() => values_from(table, format),
        _ => None,
    };
    if let Some(from) = by_rows {
        return per_row(tables, format, from, notes);
    }
    tables.iter().try_for_each(Table::same_width)?;
    let asked = [&format.target, &format.statics, &format.past, &format.future, &format.ignore];
    let asked: Vec<String> = asked.into_iter().flatten().cloned().collect();
    let all: Vec<String> =
        [&format.id, &format.time].into_iter().flatten().chain(&asked).cloned().collect();
    check_asked(tables, &all)?;

    let mut left: Vec<&str> = table.names.iter().map(String::as_str).collect();
    left.retain(|name| !asked.iter().any(|known| known == name));
    let mut said = Vec::new();
    let time = match found.filter(|_| format.time.is_none()) {
        Some(found) => time_found(tables, found)?,
        None => time_column(table, format, &left, &mut said),
    };
    left.retain(|name| match &time {
        TimeColumn::None => true,
        TimeColumn::One(time) => name != time,
        TimeColumn::Parts(parts) => !parts.iter().any(|part| part == name),
    });
    let id = match (&format.id, found) {
        (Some(id), _) => Some(id.clone()),
        (None, Some(found)) => id_found(tables, found, &left, &time, notes),
        (None, None) if format.layout == Layout::Columns => None,
        (None, None) => guess_id(tables, &left, &time, &mut said),
    };
    left.retain(|name| id.as_deref() != Some(*name));
    left.retain(|name| !is_row_number(tables, name));
    let targets = match found.filter(|_| format.target.is_empty()) {
        Some(found) => targets_found(tables, found, notes)?,
        None => targets(tables, format, &left, id.is_none(), &mut said)?,
    };
    let columns = Known { time: &time, id: &id, targets: &targets };
    guessed(format, &columns, &said, notes);
    left_out(tables, &asked, &columns, found.is_some(), notes);
    let name = only_name(format, &id, &targets);
    let covariates = [&format.statics, &format.past, &format.future].map(Clone::clone).concat();
    Ok(Roles { rows: None, id, time, targets, name, covariates })
}

/// The name of the only series where no column tells it: as in training, else that of its column.
/// It never depends on the name of a file, so that a table is forecast alike under any.
fn only_name(format: &SeriesFormat, id: &Option<String>, targets: &[String]) -> Option<String> {
    let [target] = targets else { return None };
    if id.is_some() {
        return None;
    }
    let found = format.found.as_ref();
    let same = |found: &&Found| found.target.is_empty() || found.target == targets;
    let name = found.filter(same).and_then(|found| found.name.clone());
    Some(name.unwrap_or_else(|| target.clone()))
}

/// The error for a column that the model was trained with and no table has; `setting` names
/// another.
fn lost(tables: &[Table], name: &str, setting: &str) -> crate::error::Error {
    let problem = format!(
        "there is no column `{name}`, which the model was trained with; there are {}; name the \
         one that stands for it \
         with the setting `{setting}`",
        tables[0].columns()
    );
    tables[0].error(None, None, problem)
}

fn time_found(tables: &[Table], found: &Found) -> Result<TimeColumn> {
    if let Some(name) = found.time.iter().find(|name| !has(tables, name)) {
        return Err(lost(tables, name, "time"));
    }
    Ok(match &found.time[..] {
        [] => TimeColumn::None,
        [name] => TimeColumn::One(name.clone()),
        names => TimeColumn::Parts(names.to_vec()),
    })
}

/// Columns whose part is known.
struct Known<'a> {
    time: &'a TimeColumn,
    id: &'a Option<String>,
    targets: &'a [String],
}

/// Says which columns were guessed.
fn guessed(format: &SeriesFormat, known: &Known<'_>, said: &[String], notes: &mut Vec<Remark>) {
    if said.is_empty() {
        return;
    }
    let time = match known.time {
        TimeColumn::None => None,
        TimeColumn::One(time) => Some(time.clone()),
        TimeColumn::Parts(parts) => Some(parts.join(",")),
    };
    let target = (!known.targets.is_empty()).then(|| known.targets.join(","));
    let chosen = [("time", time), ("id", known.id.clone()), ("target", target)];
    let given = [format.time.is_some(), format.id.is_some(), !format.target.is_empty()];
    let why = format!("columns: {}", said.join(", "));
    let before = notes.len();
    for ((setting, value), _) in chosen.into_iter().zip(given).filter(|(_, given)| !given) {
        notes.extend(value.map(|value| Remark::chosen(setting, value, why.clone())));
    }
    if notes.len() == before {
        notes.push(why.into());
    }
}

/// Says which columns have no part.
fn left_out(
    tables: &[Table],
    asked: &[String],
    known: &Known<'_>,
    trained: bool,
    notes: &mut Vec<Remark>,
) {
    let used = |name: &String| {
        let time = match known.time {
            TimeColumn::None => false,
            TimeColumn::One(time) => name == time,
            TimeColumn::Parts(parts) => parts.contains(name),
        };
        time || known.id.as_ref() == Some(name)
            || known.targets.contains(name)
            || asked.contains(name)
    };
    let mut unused: Vec<String> = Vec::new();
    for name in tables.iter().flat_map(|table| &table.names).filter(|name| !used(name)) {
        let name = format!("`{name}`");
        if !unused.contains(&name) {
            unused.push(name);
        }
    }
    if !unused.is_empty() {
        let why = if trained { ", as the model was trained without" } else { "" };
        notes.push(format!("columns left out{why}: {}", unused.join(", ")).into());
    }
}

/// The column with the names as in training. Where there was none, a column with a usual name that
/// tells several series apart.
fn id_found(
    tables: &[Table],
    found: &Found,
    left: &[&str],
    time: &TimeColumn,
    notes: &mut Vec<Remark>,
) -> Option<String> {
    match &found.id {
        Some(id) if has(tables, id) => Some(id.clone()),
        Some(id) => {
            notes.push(format!(
                "no column `{id}`, which names the series the model was trained on: taken for one \
                 series; the setting `id` \
                 names another column"
            ).into());
            None
        }
        None => {
            let mut said = Vec::new();
            let id = guess_id(tables, left, time, &mut said)?;
            let mut values = cells(tables, &id).map(|(table, row, at)| table.cell(row, at));
            let first = values.next();
            let one = values.all(|value| Some(value) == first);
            drop(values);
            if one {
                return None;
            }
            notes.push(Remark::chosen("id", &id, format!("columns: {}", said.join(", "))));
            Some(id)
        }
    }
}

/// The columns with the values as in training. Of several, some may be missing, and are named.
fn targets_found(tables: &[Table], found: &Found, notes: &mut Vec<Remark>) -> Result<Vec<String>> {
    let (there, lacking): (Vec<String>, Vec<String>) =
        found.target.iter().cloned().partition(|name| has(tables, name));
    match (&there[..], &lacking[..]) {
        ([], []) => Err(tables[0].error(None, None, "no column with values is known".into())),
        ([], [first, ..]) => Err(lost(tables, first, "target")),
        (_, []) => Ok(there),
        _ => {
            let names: Vec<String> = lacking.iter().map(|name| format!("`{name}`")).collect();
            notes.push(
                format!(
                    "columns that the model was trained on and that are missing: {}",
                    named(&names)
                )
                .into(),
            );
            Ok(there)
        }
    }
}

/// The cells of a column, in every table that has it: the table, the row and the column.
fn cells<'a>(tables: &'a [Table], name: &str) -> impl Iterator<Item = (&'a Table, usize, usize)> {
    let found = tables.iter().filter_map(|table| Some((table, table.find(name)?)));
    let found: Vec<(&Table, usize)> = found.collect();
    found
        .into_iter()
        .flat_map(|(table, column)| (0..table.rows.len()).map(move |row| (table, row, column)))
}

fn by_name<'a>(left: &[&'a str], known: &[&str]) -> Option<&'a str> {
    known
        .iter()
        .find_map(|known| left.iter().find(|name| name.eq_ignore_ascii_case(known)).copied())
}

fn time_column(
    table: &Table,
    format: &SeriesFormat,
    left: &[&str],
    said: &mut Vec<String>,
) -> TimeColumn {
    if let Some(time) = &format.time {
        return TimeColumn::One(time.clone());
    }
    let whole = by_name(left, &TIMES[..WHOLE_TIMES]);
    if let Some(names) = joined(table, left, whole) {
        said.push(format!("time `{}`", names.join("`, `")));
        return TimeColumn::Parts(names);
    }
    let parts: Vec<String> =
        PARTS.iter().map_while(|part| by_name(left, &[part])).map(str::to_owned).collect();
    if whole.is_none() && parts.len() >= 2 {
        said.push(format!("time `{}`", parts.join("`, `")));
        return TimeColumn::Parts(parts);
    }
    let times = |name: &&str| {
        let first = table.find(name).map(|column| table.cell(0, column));
        first.is_some_and(is_time)
    };
    let only = || {
        let mut found = left.iter().copied().filter(times);
        found.next().filter(|_| found.next().is_none())
    };
    match by_name(left, &TIMES).or_else(only) {
        Some(name) => {
            said.push(format!("time `{name}`"));
            TimeColumn::One(name.to_owned())
        }
        None => {
            said.push("no time, the order of the rows counts".into());
            TimeColumn::None
        }
    }
}

/// A column of dates, which are there several times, beside one for the hour of the day; or a year
/// beside a week.
fn joined(table: &Table, left: &[&str], whole: Option<&str>) -> Option<Vec<String>> {
    let cells = |name: &str| -> Option<Vec<&str>> {
        let column = table.find(name)?;
        Some((0..table.rows.len()).map(|row| table.cell(row, column)).collect())
    };
    let distinct = |mut cells: Vec<&str>| {
        cells.sort_unstable();
        cells.dedup();
        cells.len()
    };
    let names = |a: &str, b: &str| Some(vec![a.to_owned(), b.to_owned()]);
    let Some(date) = whole else {
        let (year, week) = (by_name(left, &["year"])?, by_name(left, &["week"])?);
        let parts = by_name(left, &["month", "day"]).is_some();
        let fits = cells(week)?.iter().all(|cell| of_date(&["2020", cell], true).is_ok());
        return if fits && !parts { names(year, week) } else { None };
    };
    let others: Vec<&str> = left.iter().copied().filter(|name| *name != date).collect();
    let clock = by_name(&others, &CLOCKS)?;
    let (dates, hours) = (cells(date)?, cells(clock)?);
    let plain = |cell: &&str| is_time(cell) && !cell.contains(':');
    let fits = |cell: &&str| of_date(&["2020-01-01", cell], false).is_ok();
    let fits = dates.iter().all(plain) && hours.iter().all(fits);
    let rows = dates.len();
    (fits && distinct(dates) < rows && distinct(hours) > 1).then(|| names(date, clock))?
}

/// The column with a usual name for a series, unless it counts the rows.
fn guess_id(
    tables: &[Table],
    left: &[&str],
    time: &TimeColumn,
    said: &mut Vec<String>,
) -> Option<String> {
    let name = by_name(left, &IDS).filter(|name| !counts_times(tables, name, time))?;
    let all = cells(tables, name).map(|(table, row, column)| table.cell(row, column));
    let mut values: Vec<&str> = all.collect();
    values.sort_unstable();
    if values.len() > 1 && values.windows(2).all(|pair| pair[0] != pair[1]) {
        return None;
    }
    said.push(format!("series `{name}`"));
    Some(name.to_owned())
}

/// A column that counts the rows of each file, by its name and by what is in it.
fn is_row_number(tables: &[Table], name: &str) -> bool {
    let named = ROW_NUMBERS.iter().chain(&IDS).any(|known| name.eq_ignore_ascii_case(known));
    let counts = |table: &Table| {
        let Some(column) = table.find(name) else { return true };
        let numbers = (0..table.rows.len()).map(|row| table.cell(row, column).parse::<i64>().ok());
        let numbers: Option<Vec<i64>> = numbers.collect();
        numbers.is_some_and(|numbers| {
            numbers.windows(2).all(|pair| pair[0].checked_add(1) == Some(pair[1]))
        })
    };
    named && tables.iter().all(counts)
}

/// Whether a column counts the rows of files in each of which every row has a time of its own: rows
/// of one series, even where several files count from 1.
fn counts_times(tables: &[Table], name: &str, time: &TimeColumn) -> bool {
    let TimeColumn::One(time) = time else { return false };
    let own = |table: &Table| {
        table.find(time).is_some_and(|column| {
            let mut cells: Vec<&str> =
                (0..table.rows.len()).map(|row| table.cell(row, column)).collect();
            cells.sort_unstable();
            cells.windows(2).all(|pair| pair[0] != pair[1])
        })
    };
    is_row_number(tables, name) && tables.iter().all(own)
}

fn targets(
    tables: &[Table],
    format: &SeriesFormat,
    left: &[&str],
    may_be_wide: bool,
    said: &mut Vec<String>,
) -> Result<Vec<String>> {
    if !format.target.is_empty() {
        return Ok(format.target.clone());
    }
    let numeric: Vec<&str> = left.iter().copied().filter(|name| is_numeric(tables, name)).collect();
    let text = left.iter().find_map(|name| Some((*name, not_a_number(tables, name)?)));
    if format.layout != Layout::Columns {
        let only = if let [name] = numeric[..] { Some(name) } else { None };
        if let Some(name) = by_name(left, &TARGETS).or(only) {
            said.push(format!("values `{name}`"));
            return Ok(vec![name.to_owned()]);
        }
        // A lone column that is not quite numbers: the cell that is none is the error worth
        // telling.
        if let [name] = left[..] {
            return Ok(vec![name.to_owned()]);
        }
    }
    let wide = format.layout == Layout::Columns
        || (format.layout == Layout::Auto && may_be_wide && text.is_none());
    if wide && !numeric.is_empty() {
        said.push(format!("a series per column ({})", numeric.len()));
        return Ok(numeric.into_iter().map(str::to_owned).collect());
    }
    Err(tables[0].error(None, None, no_target(&numeric, text)))
}

/// A cell: its table, row and column.
type Cell<'a> = (&'a Table, usize, usize);

/// The first cell of a column that is neither a number nor missing.
fn not_a_number<'a>(tables: &'a [Table], name: &str) -> Option<Cell<'a>> {
    cells(tables, name).find(|(table, row, column)| {
        let cell = table.cell(*row, *column);
        !missing(cell) && cell.parse::<f64>().is_err()
    })
}

/// Whether a column holds numbers and nothing else.
fn is_numeric(tables: &[Table], name: &str) -> bool {
    let known = |(table, row, column): Cell<'_>| !missing(table.cell(row, column));
    not_a_number(tables, name).is_none() && cells(tables, name).any(known)
}

/// Why no column can be said to hold the values; `text` is the first that is not numeric, with its
/// first such cell.
fn no_target(numeric: &[&str], text: Option<(&str, Cell<'_>)>) -> String {
    if numeric.is_empty() {
        return "no column is left that holds numbers; expected one with the values (the setting \
                `target`)"
            .to_owned();
    }
    let names: Vec<String> = numeric.iter().map(|name| format!("`{name}`")).collect();
    let text = text.map_or(String::new(), |(name, (table, row, column))| {
        let (cell, line) = (table.cell(row, column), table.lines[row]);
        format!(" (`{name}` does not: `{cell}` in line {line})")
    });
    format!(
        "several columns hold numbers: {}{text}; say which one is to be forecast with the setting \
         `target`",
        names.join(", ")
    )
}

/// The cells of a row up to the last that is not missing.
pub(super) fn width(table: &Table, row: usize) -> usize {
    let cells = table.rows[row].len();
    (0..cells).rev().find(|column| !missing(table.cell(row, *column))).map_or(0, |last| last + 1)
}
