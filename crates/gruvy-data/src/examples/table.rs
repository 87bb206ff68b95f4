//! Tables of texts, and which of their first lines are headers.
use super::{
    columns::{Roles, found, is_usual, roles},
    format::ExampleFormat,
    labels::{of_row, unless_empty},
    part::Part,
    places::{Places, Unit},
    sequences,
    wanted::Wanted,
};
use crate::error::Result;
use crate::error::problem_at;
use crate::input::has_end;
use crate::table::delimited::delimiter;
use crate::table::delimited::records;
use crate::table::rows::Table;
use csv::StringRecord;
use gruvy_runtime::Remark;
use gruvy_runtime::items::Items;
use std::{collections::HashSet, path::Path};

/// The table of a separated text.
pub(crate) fn parse(
    file: &Path,
    text: &str,
    wanted: &Wanted,
    notes: &mut Vec<Remark>,
) -> Result<Table> {
    let (said, text) = said_separator(text);
    let bytes = text.as_bytes();
    let tabs = match said {
        Some(said) => said == b'\t',
        None => {
            is_tab_separated(text) || has_end(file, &["tsv", "tab"]) || has_tabs_in_header(text)
        }
    };
    let delimiter = match said {
        Some(said) => said,
        None if tabs => b'\t',
        None => delimiter(bytes, b";,").unwrap_or(b','),
    };
    let (mut rows, mut lines) = match tabs {
        true => separated_by_tabs(file, bytes)?,
        false => records(file, bytes, delimiter, true)?,
    };
    if said.is_some() {
        lines.iter_mut().for_each(|line| *line += 1);
    }
    let Some(first) = rows.first() else {
        return Err(problem_at(file, None, "the file is empty; expected rows with a text".into()));
    };
    let header = has_header(&rows, wanted);
    let mut names: Vec<String> = if header {
        first.iter().map(|name| name.trim().to_owned()).collect()
    } else {
        (1..=first.len()).map(|number| number.to_string()).collect()
    };
    if header {
        rows.remove(0);
        lines.remove(0);
    } else {
        notes.push("no header: columns are `1`, `2`, …".into());
    }
    without_blank_ends(&mut names, &mut rows, header);
    let table = Table { file: file.to_owned(), names, rows, lines }.checked()?;
    same_width(&table, header, tabs)?;
    Ok(table)
}

/// The separator that a first line of `sep=;` names, which Excel reads, and the text below it.
fn said_separator(text: &str) -> (Option<u8>, &str) {
    let (line, rest) = text.split_once('\n').unwrap_or((text, ""));
    match line.trim_end_matches('\r').as_bytes() {
        [b's' | b'S', b'e' | b'E', b'p' | b'P', b'=', separator] if separator.is_ascii() => {
            (Some(*separator), rest)
        }
        _ => (None, text),
    }
}

/// Whether the first line has tabs, and between them a name that tables of examples have.
fn has_tabs_in_header(text: &str) -> bool {
    let line = text.lines().find(|line| !line.is_empty()).unwrap_or_default();
    line.contains('\t') && line.split('\t').any(|cell| is_usual(cell.trim().trim_matches('"')))
}

/// The rows of a text that is separated by tabs, where a quote is part of a sentence; unless only
/// with quotes around cells all rows are as wide.
fn separated_by_tabs(file: &Path, bytes: &[u8]) -> Result<(Vec<StringRecord>, Vec<u64>)> {
    let even = |rows: &[StringRecord]| rows.windows(2).all(|pair| pair[0].len() == pair[1].len());
    let (rows, lines) = records(file, bytes, b'\t', false)?;
    if !even(&rows)
        && let Ok((quoted, lines)) = records(file, bytes, b'\t', true)
        && even(&quoted)
    {
        return Ok((quoted, lines));
    }
    Ok((rows, lines))
}

/// Leaves out columns at the end that have neither a name nor a cell, as separators at the ends of
/// lines make them.
fn without_blank_ends(names: &mut Vec<String>, rows: &mut [StringRecord], header: bool) {
    let blank =
        |row: &StringRecord, from: usize| row.iter().skip(from).all(|cell| cell.trim().is_empty());
    let mut width = names.len();
    while header
        && width > 1
        && names[width - 1].is_empty()
        && rows.iter().all(|row| blank(row, width - 1))
    {
        width -= 1;
    }
    names.truncate(width);
    for row in rows.iter_mut().filter(|row| row.len() > width) {
        if blank(row, width) {
            row.truncate(width);
        }
    }
}

/// The items of a table.
pub(super) fn read(table: &Table, wanted: &Wanted, mut notes: Vec<Remark>) -> Result<Part> {
    let roles = roles(table, wanted, &mut notes)?;
    let numbered = table.names.iter().zip(1..).all(|(name, at)| *name == at.to_string());
    let format = found(table, &roles, !numbered, &wanted.format);
    let (text, mut labels, id) = match roles {
        Roles::Text { text, labels, id } => (text, labels, id),
        Roles::Sequences { id, step, features, labels } => {
            let columns = sequences::Columns { id, step, features, labels };
            return sequences::read(table, &columns, format, notes);
        }
    };
    unless_empty(table, &mut labels, &mut notes);
    let rows = 0..table.rows.len();
    let all = |column: usize| rows.clone().map(move |row| table.cell(row, column).to_owned());
    let labels = match &labels[..] {
        [] => None,
        labels => {
            let of_row = |row| of_row(table, row, labels, &format);
            Some(rows.clone().map(of_row).collect::<Result<_>>()?)
        }
    };
    Ok(Part {
        file: table.file.clone(),
        items: Items::Text(all(text).collect()),
        labels,
        ids: id.map(|id| all(id).collect()),
        places: Places::of(&table.file, Unit::Line, table.lines.iter().copied()),
        notes,
        format,
    })
}

/// Whether the first lines have tabs, all of them as many.
pub(super) fn is_tab_separated(text: &str) -> bool {
    const ENOUGH: usize = 100;
    let lines = text.lines().filter(|line| !line.is_empty()).take(ENOUGH);
    let mut tabs = lines.map(|line| line.bytes().filter(|byte| *byte == b'\t').count());
    tabs.next().is_some_and(|first| first > 0 && tabs.all(|more| more == first))
}

/// Whether the first row names the columns: as a person says, else as in the data that these are
/// like, else as it looks.
fn has_header(rows: &[StringRecord], wanted: &Wanted) -> bool {
    let first = rows.first().map(|row| row.iter().map(str::trim).collect::<Vec<_>>());
    let known = wanted.format.text_column.iter().chain(&wanted.format.id_column);
    let named = || known.into_iter().any(|name| first.iter().flatten().any(|cell| cell == name));
    match (wanted.asked.header, wanted.known, wanted.format.header) {
        (Some(header), ..) => header,
        (None, false, Some(header)) => header,
        (None, true, Some(true)) if named() => true,
        _ if wanted.known => looks_like_header(rows, &wanted.asked),
        _ => looks_like_header(rows, &wanted.format),
    }
}

/// Whether the first row names the columns: with a name that is asked for or usual, else if none of
/// its cells is a number or stands further down again.
fn looks_like_header(rows: &[StringRecord], format: &ExampleFormat) -> bool {
    let Some((first, rest)) = rows.split_first() else { return false };
    let cells: Vec<&str> = first.iter().map(str::trim).collect();
    if cells.iter().any(|cell| is_usual(cell) || format.named().any(|(_, name)| name == cell)) {
        return true;
    }
    let positions: HashSet<String> = (1..=cells.len()).map(|number| number.to_string()).collect();
    let by_position = format.named().any(|(_, name)| positions.contains(name));
    if by_position || rest.is_empty() || cells.len() < 2 {
        return false;
    }
    let again = |(column, cell): (usize, &&str)| {
        if cell.is_empty() {
            return false;
        }
        cell.parse::<f64>().is_ok()
            || rest.iter().any(|row| row.get(column).is_some_and(|other| other.trim() == *cell))
    };
    !cells.iter().enumerate().any(again)
}

/// An error unless every row is as wide as the first line.
fn same_width(table: &Table, header: bool, tabs: bool) -> Result<()> {
    let expected = table.names.len();
    let Some(row) = table.rows.iter().position(|row| row.len() != expected) else {
        return Ok(());
    };
    let first = if header { "the header" } else { "the first row" };
    let advice = match (tabs, expected) {
        (true, _) => "a tab within a text must become a blank",
        (false, 1) => {
            "a text with a separator in it needs quotes; for a text per line, use the setting \
             `file_format=lines`"
        }
        (false, _) => "a text with a separator in it needs quotes",
    };
    let got = table.rows[row].len();
    let problem = format!("the row has {got} cells, {first} {expected}; {advice}");
    Err(table.error(Some(row), None, problem))
}
