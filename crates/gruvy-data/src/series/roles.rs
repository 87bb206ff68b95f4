//! What the columns of tables are.
use super::format::{Found, Layout, SeriesFormat};
use crate::error::Result;
use crate::table::rows::Table;

/// The usual names of columns with times.
pub(super) const TIMES: [&str; 14] = [
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
    /// A series per row; then there is nothing but `id`, and the values from this column of the
    /// first table on.
    pub rows: Option<usize>,
    pub id: Option<String>,
    pub time: TimeColumn,
    /// Several: a series per column.
    pub targets: Vec<String>,
    /// The name of the series, if no column and no target tells it.
    pub name: Option<String>,
    /// The columns of covariates.
    pub covariates: Vec<String>,
}

impl Roles {
    /// What is to be kept of them.
    pub fn found(&self) -> Found {
        let layout = match (self.rows, self.targets.len()) {
            (Some(_), _) => Layout::Rows,
            (None, 1) => Layout::Long,
            (None, _) => Layout::Columns,
        };
        let time = match &self.time {
            TimeColumn::None => Vec::new(),
            TimeColumn::One(name) => vec![name.clone()],
            TimeColumn::Parts(names) => names.clone(),
        };
        let (id, target, name) = (self.id.clone(), self.targets.clone(), self.name.clone());
        Found { layout, id, time, target, name, ..Found::default() }
    }
}

/// What was found in the data of a model, unless another layout is asked for.
pub(super) fn known(format: &SeriesFormat) -> Option<&Found> {
    let known = format.found.as_ref().filter(|found| found.layout != Layout::Auto)?;
    (format.layout == Layout::Auto || format.layout == known.layout).then_some(known)
}

/// Whether a table has a column of that name.
pub(super) fn has(tables: &[Table], name: &str) -> bool {
    tables.iter().any(|table| table.find(name).is_some())
}

/// An error for a name that no table has, or that is there twice.
pub(super) fn check_asked(tables: &[Table], names: &[String]) -> Result<()> {
    if let Some((_, again)) =
        names.iter().enumerate().find(|(at, name)| names[..*at].contains(name))
    {
        let problem = format!("`{again}` is named twice; a column can be one thing only");
        return Err(tables[0].error(None, None, problem));
    }
    match names.iter().find(|name| !has(tables, name)) {
        None => Ok(()),
        Some(name) => Err(tables[0].no_column(name)),
    }
}
