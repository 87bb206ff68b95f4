//! Which column is what: as told, else by the usual names, and said aloud.
use super::{
    format::{Layout, SeriesFormat},
    stamps::is_time,
};
use crate::error::Result;
use crate::table::rows::Table;
use crate::table::rows::missing;

const IDS: [&str; 8] =
    ["unique_id", "series_id", "item_id", "series", "ts_id", "store_id", "sensor_id", "id"];
const TIMES: [&str; 14] = [
    "ds",
    "timestamp",
    "datetime",
    "date_time",
    "date",
    "time",
    "month",
    "quarter",
    "week",
    "day",
    "year",
    "period",
    "ts",
    "hour",
];
const PARTS: [&str; 6] = ["year", "month", "day", "hour", "minute", "second"];
const TARGETS: [&str; 8] =
    ["y", "target", "value", "values", "sales", "demand", "count", "observation"];
/// Of [`TIMES`], those that hold all of a time beside columns for its parts.
const WHOLE_TIMES: usize = 5;
const ROW_NUMBERS: [&str; 7] =
    ["", "no", "index", "row", "unnamed: 0", "rownames", "__index_level_0__"];

/// Where the time of a row stands.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum TimeColumn {
    /// Nowhere: the order of the rows counts.
    None,
    /// In one column.
    One(String),
    /// In columns for year, month, ….
    Parts(Vec<String>),
}

/// What the columns are, by their names.
#[derive(Clone, Debug)]
pub(super) struct Roles {
    /// A series per row; then there is nothing but `id`.
    pub rows: bool,
    pub id: Option<String>,
    pub time: TimeColumn,
    /// Several: a series per column.
    pub targets: Vec<String>,
}

/// Finds out what the columns of the first table are, and says what was guessed. `tables` are all of them: a column
/// that is asked for may be in any.
pub(super) fn roles(
    tables: &[Table],
    format: &SeriesFormat,
    notes: &mut Vec<String>,
) -> Result<Roles> {
    let Some(table) = tables.first() else {
        return Err(crate::error::Error::setting("data", "no file", "at least one"));
    };
    if format.layout == Layout::Rows || (format.layout == Layout::Auto && row_names(table, format))
    {
        if format.layout == Layout::Auto {
            notes.push(
                "a series per row, its name in the first column, as in the M4 competition".into(),
            );
        }
        return per_row(tables, format);
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
    let time = time_column(table, format, &left, &mut said);
    left.retain(|name| match &time {
        TimeColumn::None => true,
        TimeColumn::One(time) => name != time,
        TimeColumn::Parts(parts) => !parts.iter().any(|part| part == name),
    });
    let id = match &format.id {
        Some(id) => Some(id.clone()),
        None if format.layout == Layout::Columns => None,
        None => guess_id(table, &left, &mut said),
    };
    left.retain(|name| id.as_deref() != Some(*name));
    left.retain(|name| !is_row_number(table, name));
    let targets = targets(table, format, &left, id.is_none(), &mut said)?;
    if !said.is_empty() {
        notes.push(format!("columns: {}", said.join(", ")));
    }
    let used = |name: &String| {
        let time = match &time {
            TimeColumn::None => false,
            TimeColumn::One(time) => name == time,
            TimeColumn::Parts(parts) => parts.contains(name),
        };
        time || id.as_ref() == Some(name) || targets.contains(name) || asked.contains(name)
    };
    let unused: Vec<String> =
        table.names.iter().filter(|name| !used(name)).map(|n| format!("`{n}`")).collect();
    if !unused.is_empty() {
        notes.push(format!("columns left out: {}", unused.join(", ")));
    }
    Ok(Roles { rows: false, id, time, targets })
}

/// A series per row; the first column names it, unless another is asked for.
fn per_row(tables: &[Table], format: &SeriesFormat) -> Result<Roles> {
    let unknown = [&format.statics, &format.past, &format.future, &format.target];
    let unknown = unknown.into_iter().flatten().chain(&format.time).next();
    if let Some(name) = unknown {
        let problem = format!(
            "a series per row has no column `{name}`, only names and values; leave it out, or set --layout long"
        );
        return Err(tables[0].error(None, None, problem));
    }
    check_asked(tables, format.id.as_slice())?;
    check_asked(tables, &format.ignore)?;
    Ok(Roles { rows: true, id: format.id.clone(), time: TimeColumn::None, targets: Vec::new() })
}

/// An error for a name that no table has, or that is there twice.
fn check_asked(tables: &[Table], names: &[String]) -> Result<()> {
    if let Some((_, again)) =
        names.iter().enumerate().find(|(at, name)| names[..*at].contains(name))
    {
        let problem = format!("`{again}` is named twice; a column can be one thing only");
        return Err(tables[0].error(None, None, problem));
    }
    match names.iter().find(|name| tables.iter().all(|table| table.find(name).is_none())) {
        None => Ok(()),
        Some(name) => Err(tables[0].no_column(name)),
    }
}

/// Whether the header is that of a series per row: `V1, V2, …` or a name and the numbers of the steps.
fn row_names(table: &Table, format: &SeriesFormat) -> bool {
    let first = &table.names[0];
    let time = TIMES.iter().any(|known| first.eq_ignore_ascii_case(known));
    let plain = format.time.is_none() && format.target.is_empty() && !time;
    let numbered = |name: &String| {
        let digits = name.strip_prefix(['V', 'v']).unwrap_or(name);
        !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
    };
    plain && table.names.len() > 2 && table.names[1..].iter().all(numbered)
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

/// The column with a usual name for a series, unless it counts the rows.
fn guess_id(table: &Table, left: &[&str], said: &mut Vec<String>) -> Option<String> {
    let name = by_name(left, &IDS)?;
    let column = table.find(name)?;
    let mut values: Vec<&str> = (0..table.rows.len()).map(|row| table.cell(row, column)).collect();
    values.sort_unstable();
    if values.len() > 1 && values.windows(2).all(|pair| pair[0] != pair[1]) {
        return None;
    }
    said.push(format!("series `{name}`"));
    Some(name.to_owned())
}

/// A column that counts the rows, by its name and by what is in it.
fn is_row_number(table: &Table, name: &str) -> bool {
    let named = ROW_NUMBERS.iter().chain(&IDS).any(|known| name.eq_ignore_ascii_case(known));
    let Some(column) = table.find(name).filter(|_| named) else { return false };
    let numbers = (0..table.rows.len()).map(|row| table.cell(row, column).parse::<i64>().ok());
    let numbers: Option<Vec<i64>> = numbers.collect();
    numbers.is_some_and(|numbers| {
        numbers.windows(2).all(|pair| pair[0].checked_add(1) == Some(pair[1]))
    })
}

fn targets(
    table: &Table,
    format: &SeriesFormat,
    left: &[&str],
    may_be_wide: bool,
    said: &mut Vec<String>,
) -> Result<Vec<String>> {
    if !format.target.is_empty() {
        return Ok(format.target.clone());
    }
    let is_numeric = |name: &str| table.find(name).is_some_and(|column| table.is_numeric(column));
    let numeric: Vec<&str> = left.iter().copied().filter(|name| is_numeric(name)).collect();
    let text = |name: &&str| {
        let column = table.find(name)?;
        table.not_a_number(column).map(|row| (name.to_string(), table.cell(row, column), row))
    };
    let text = left.iter().find_map(text);
    if format.layout != Layout::Columns {
        if let Some(name) = by_name(left, &TARGETS) {
            said.push(format!("values `{name}`"));
            return Ok(vec![name.to_owned()]);
        }
        if let [name] = numeric[..] {
            said.push(format!("values `{name}`"));
            return Ok(vec![name.to_owned()]);
        }
        // A lone column that is not quite numbers: the cell that is none is the error worth telling.
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
    let problem = if numeric.is_empty() {
        "no column is left that holds numbers; expected one with the values (--target NAME)"
            .to_owned()
    } else {
        let names: Vec<String> = numeric.iter().map(|name| format!("`{name}`")).collect();
        let text = text.map_or(String::new(), |(name, cell, row)| {
            format!(" (`{name}` does not: `{cell}` in line {})", table.lines[row])
        });
        format!(
            "several columns hold numbers: {}{text}; say which one is to be forecast with --target NAME",
            names.join(", ")
        )
    };
    Err(table.error(None, None, problem))
}

/// The cells of a row up to the last that is not missing.
pub(super) fn width(table: &Table, row: usize) -> usize {
    let cells = table.rows[row].len();
    (0..cells).rev().find(|column| !missing(table.cell(row, *column))).map_or(0, |last| last + 1)
}
