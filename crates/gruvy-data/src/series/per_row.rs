//! Tables with a series per row.
use super::format::{Layout, SeriesFormat};
use super::roles::{Roles, TIMES, TimeColumn, check_asked, has, known};
use super::stamps::is_time;
use crate::error::Result;
use crate::table::rows::{Table, missing};
use gruvy_runtime::Remark;

/// Fewest columns whose names count on that are taken for the steps of a series per row, behind
/// columns of text.
const NUMBERED: usize = 8;

/// A series per row; the first column names it, unless another is asked for.
pub(super) fn per_row(
    tables: &[Table],
    format: &SeriesFormat,
    from: usize,
    notes: &mut Vec<Remark>,
) -> Result<Roles> {
    let unknown = [&format.statics, &format.past, &format.future, &format.target];
    let unknown = unknown.into_iter().flatten().chain(&format.time).next();
    if let Some(name) = unknown {
        let problem = format!(
            "a series per row has no column `{name}`, only names and values; leave it out, or use \
             the setting `layout=long`"
        );
        return Err(tables[0].error(None, None, problem));
    }
    check_asked(tables, format.id.as_slice())?;
    check_asked(tables, &format.ignore)?;
    let table = &tables[0];
    let distinct = |column: &usize| {
        let mut values: Vec<&str> =
            (0..table.rows.len()).map(|row| table.cell(row, *column)).collect();
        values.sort_unstable();
        values.windows(2).all(|pair| pair[0] != pair[1])
    };
    let known = known(format).and_then(|found| found.id.clone()).filter(|id| has(tables, id));
    let guessed = || {
        let first = table.names.first().filter(|_| from <= 1);
        first.or_else(|| table.names.get((0..from).find(distinct).unwrap_or(0))).cloned()
    };
    let id = format.id.clone().or(known).or_else(guessed).filter(|id| !id.is_empty());
    if format.layout == Layout::Auto {
        let name = id.as_ref().map_or("the first column".to_owned(), |id| format!("column `{id}`"));
        let why = format!("a series per row, its name in {name}, as in the M4 and M5 competitions");
        notes.push(Remark::chosen("layout", "rows", why));
    }
    let left: Vec<String> = table.names[..from]
        .iter()
        .filter(|name| Some(*name) != id.as_ref())
        .map(|name| format!("`{name}`"))
        .collect();
    if !left.is_empty() {
        notes.push(format!("columns left out: {}", left.join(", ")).into());
    }
    let (targets, covariates) = (Vec::new(), Vec::new());
    Ok(Roles { rows: Some(from), id, time: TimeColumn::None, targets, name: None, covariates })
}

/// The first column with values of a table that has a series per row, by its header: `V1, V2, …` or
/// a name and the numbers of the steps; or columns of text, and then at least [`NUMBERED`] whose
/// names count on, such as `d_1, d_2, …`.
pub(super) fn values_from(table: &Table, format: &SeriesFormat) -> Option<usize> {
    let first = &table.names[0];
    let time = TIMES.iter().any(|known| first.eq_ignore_ascii_case(known));
    if format.time.is_some() || !format.target.is_empty() || time {
        return None;
    }
    let numbered = |name: &String| {
        let digits = name.strip_prefix(['V', 'v']).unwrap_or(name);
        !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
    };
    if table.names.len() > 2 && table.names[1..].iter().all(numbered) {
        return Some(1);
    }
    let split = |name: &str| {
        let prefix = name.trim_end_matches(|c: char| c.is_ascii_digit()).len();
        Some((name[..prefix].to_owned(), name[prefix..].parse::<u64>().ok()?))
    };
    let counts_on = |pair: &[String]| match (split(&pair[0]), split(&pair[1])) {
        (Some((a, i)), Some((b, j))) => a == b && i.checked_add(1) == Some(j),
        _ => false,
    };
    let pairs = table.names.windows(2).rev().take_while(|pair| counts_on(pair)).count();
    let from = table.names.len() - 1 - pairs;
    let text = |column: usize| {
        let cell = table.cell(0, column);
        !missing(cell) && cell.parse::<f64>().is_err() && !is_time(cell)
    };
    (pairs + 1 >= NUMBERED && from > 0 && (0..from).all(text)).then_some(from)
}
