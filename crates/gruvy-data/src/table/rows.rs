//! A table as text: rows of cells under a header, and the line each row stands on.
use super::delimited::{delimiter, records};
#[cfg(feature = "parquet")]
use super::parquet;
use crate::decode::{no_other_kind, unicode};
use crate::error::{Error, Result, problem_at};
use crate::input::has_end;
use crate::input::{Input, line_at};
use csv::StringRecord;
use std::path::{Path, PathBuf};

/// A table of one file.
pub(crate) struct Table {
    /// The file, or what stands for it.
    pub file: PathBuf,
    /// The header; no name twice.
    pub names: Vec<String>,
    /// The rows as read; [`Table::same_width`] says whether they are as wide as the header.
    pub rows: Vec<StringRecord>,
    /// The line of each row, from 1.
    pub lines: Vec<u64>,
}

impl Table {
    /// Reads a table.
    pub fn open(input: &Input) -> Result<Self> {
        let bytes = input.read()?;
        no_other_kind(input.name(), &bytes, true, false)?;
        if is_parquet(input.name(), &bytes) {
            return Self::parquet(input.name(), bytes.into_owned());
        }
        Self::csv(input.name(), &unicode(input.name(), &bytes)?)
    }

    /// Reads comma, semicolon or tab separated text; which one, the header shows.
    pub fn csv(file: &Path, bytes: &[u8]) -> Result<Self> {
        let error = |line, problem: String| problem_at(file, line, problem);
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        if let Err(invalid) = std::str::from_utf8(bytes) {
            let line = line_at(bytes, invalid.valid_up_to());
            return Err(error(Some(line), "not valid UTF-8; save the table as UTF-8".into()));
        }
        let (said, start) = said_separator(bytes);
        let delimiter = said.or_else(|| delimiter(bytes, b"\t;,")).unwrap_or(b',');
        let (mut rows, mut lines) = records(file, &bytes[start..], delimiter, true)?;
        // The line that names the separator is a line of the file.
        lines.iter_mut().for_each(|line| *line += u64::from(start > 0));
        if let [title, header, row, ..] = &rows[..]
            && title.len() == 1
            && header.len() > 1
            && header.len() == row.len()
            && header.iter().any(|cell| cell.trim().parse::<f64>().is_err())
        {
            let problem = format!(
                "`{}` looks like a title above the header, which line {} would be; delete the \
                 lines before it",
                title[0].trim(),
                lines[1]
            );
            return Err(error(Some(lines[0]), problem));
        }
        if rows.is_empty() {
            return Err(error(None, "the file is empty; expected a header and rows".into()));
        }
        let header = rows.remove(0);
        let at = lines.remove(0);
        if header.iter().all(|name| name.trim().parse::<f64>().is_ok()) {
            let problem = "there is no header: all cells of the first line are numbers; write the columns' names there";
            return Err(error(Some(at), problem.into()));
        }
        let mut names: Vec<String> = header.iter().map(|name| name.trim().to_owned()).collect();
        trim_right(&mut names, &mut rows);
        Self { file: file.to_owned(), names, rows, lines }.checked()
    }

    /// Reads the bytes of a Parquet file.
    #[cfg(feature = "parquet")]
    pub fn parquet(path: &Path, bytes: Vec<u8>) -> Result<Self> {
        let (names, rows) = parquet::read(path, bytes)?;
        // A row's line is its number.
        let lines = (1..=rows.len() as u64).collect();
        Self { file: path.to_owned(), names, rows, lines }.checked()
    }

    /// The error for a Parquet file.
    #[cfg(not(feature = "parquet"))]
    pub fn parquet(path: &Path, _bytes: Vec<u8>) -> Result<Self> {
        let problem = "a Parquet file, and this program was built without Parquet; build it with the feature `parquet`, \
                       or save the table as CSV";
        Err(problem_at(path, None, problem.into()))
    }

    /// The table, unless two columns have one name, or there are none but names.
    pub fn checked(self) -> Result<Self> {
        let mut sorted: Vec<&String> = self.names.iter().filter(|name| !name.is_empty()).collect();
        sorted.sort();
        if let Some(pair) = sorted.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(self.error(None, None, format!("two columns are named `{}`", pair[0])));
        }
        if self.rows.is_empty() {
            return Err(self.error(None, None, "there is a header and no row below it".into()));
        }
        Ok(self)
    }

    /// An error unless every row is as wide as the header.
    pub fn same_width(&self) -> Result<()> {
        let expected = self.names.len();
        match self.rows.iter().position(|row| row.len() != expected) {
            None => Ok(()),
            Some(row) => {
                let got = self.rows[row].len();
                let problem = format!(
                    "the row has {got} cells, the header {expected}; a value with a separator in \
                     it needs quotes"
                );
                Err(self.error(Some(row), None, problem))
            }
        }
    }

    /// Where a column stands.
    pub fn find(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|known| known == name)
    }

    /// A cell without the blanks around it; empty beyond the row's end.
    pub fn cell(&self, row: usize, column: usize) -> &str {
        self.rows[row].get(column).unwrap_or_default().trim()
    }

    /// A number, NaN where it is missing.
    pub fn number(&self, row: usize, column: usize, series: &str) -> Result<f64> {
        let cell = self.cell(row, column);
        let name = &self.names[column.min(self.names.len() - 1)];
        match cell.parse::<f64>() {
            _ if missing(cell) => Ok(f64::NAN),
            Ok(value) if value.is_finite() => Ok(value),
            Ok(value) => {
                let problem = format!(
                    "column `{name}` is {value}; expected a finite number, or nothing where it is \
                     missing"
                );
                Err(self.error(Some(row), Some(series), problem))
            }
            Err(_) => {
                let problem = format!(
                    "column `{name}` is `{cell}`; expected a number (with a decimal point), or \
                     nothing where it is missing"
                );
                Err(self.error(Some(row), Some(series), problem))
            }
        }
    }

    /// Whether a column holds numbers and missing values only, and at least one number.
    pub fn is_numeric(&self, column: usize) -> bool {
        self.not_a_number(column).is_none()
            && (0..self.rows.len()).any(|row| !missing(self.cell(row, column)))
    }

    /// The first row where a column holds neither a number nor a missing value.
    pub fn not_a_number(&self, column: usize) -> Option<usize> {
        (0..self.rows.len()).find(|row| {
            let cell = self.cell(*row, column);
            !missing(cell) && cell.parse::<f64>().is_err()
        })
    }

    /// A problem of this table.
    pub fn error(&self, row: Option<usize>, series: Option<&str>, problem: String) -> Error {
        self.error_in(row, series.map(|series| format!("series `{series}`")), problem)
    }

    /// A problem of something in this table: ``series `a` ``.
    pub fn error_in(&self, row: Option<usize>, part: Option<String>, problem: String) -> Error {
        let line = row.map(|row| self.lines[row]);
        Error::File { file: self.file.clone(), line, part, problem }
    }

    /// The error for a column that is not there.
    pub fn no_column(&self, name: &str) -> Error {
        let problem = format!("there is no column `{name}`; there are {}", self.columns());
        self.error(None, None, problem)
    }

    /// The names of the columns, for a message.
    pub fn columns(&self) -> String {
        let names: Vec<String> =
            self.names.iter().take(30).map(|name| format!("`{name}`")).collect();
        let more = if self.names.len() > 30 { ", …" } else { "" };
        format!("{}{more}", names.join(", "))
    }
}

/// The separator that a first line `sep=;` names, as spreadsheets write and read it, and where the
/// table begins.
fn said_separator(bytes: &[u8]) -> (Option<u8>, usize) {
    let end = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
    let line = bytes[..end].trim_ascii_start();
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    match line.strip_prefix(b"sep=").or_else(|| line.strip_prefix(b"SEP=")) {
        Some([separator]) => (Some(*separator), (end + 1).min(bytes.len())),
        _ => (None, 0),
    }
}

/// Takes away what separators at the ends of lines leave: columns without a name and a cell, and
/// empty cells behind the last column.
fn trim_right(names: &mut Vec<String>, rows: &mut [StringRecord]) {
    let blank =
        |row: &StringRecord, from: usize| row.iter().skip(from).all(|c| c.trim().is_empty());
    while names.len() > 1
        && names.last().is_some_and(String::is_empty)
        && rows.iter().all(|row| blank(row, names.len() - 1))
    {
        names.pop();
    }
    for row in rows.iter_mut().filter(|row| row.len() > names.len() && blank(row, names.len())) {
        row.truncate(names.len());
    }
}

/// Whether a cell stands for a missing value.
pub(crate) fn missing(cell: &str) -> bool {
    matches!(cell, "" | "?" | "-")
        || ["NA", "NaN", "null", "N/A", "None", "NaT", "<NA>"]
            .iter()
            .any(|known| cell.eq_ignore_ascii_case(known))
}

/// Whether a file is one of Parquet's, by its name or its first bytes.
pub(crate) fn is_parquet(path: &Path, bytes: &[u8]) -> bool {
    bytes.starts_with(b"PAR1") || has_end(path, &["parquet", "parq", "pq"])
}
