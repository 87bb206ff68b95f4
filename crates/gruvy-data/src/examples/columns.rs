//! Which column is what: as told, else by the usual names, and said aloud.
use super::{
    format::{ExampleFormat, FileFormat},
    part::listed,
    wanted::Wanted,
};
use crate::error::Result;
use crate::table::rows::Table;
use gruvy_runtime::Remark;
use std::collections::HashSet;

pub(super) const TEXTS: [&str; 8] =
    ["text", "sentence", "review", "content", "document", "question", "body", "title"];
pub(super) const LABELS: [&str; 7] =
    ["label", "labels", "class", "category", "sentiment", "target", "y"];
pub(super) const IDS: [&str; 4] = ["sequence_id", "series_id", "unique_id", "id"];
/// Names a sequence, unless it is one: of letters.
const SEQUENCE: &str = "sequence";
/// Numbers of rows, as other programs write them beside a table.
const ROW_NUMBERS: [&str; 3] = ["", "unnamed: 0", "__index_level_0__"];
const STEPS: [&str; 8] =
    ["step", "time_step", "timestep", "t", "time", "timestamp", "position", "frame"];

/// What the columns are; each is a position.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Roles {
    /// A text per row.
    Text {
        text: usize,
        /// None, one, or one of 0 and 1 for each label.
        labels: Vec<usize>,
        id: Option<usize>,
    },
    /// A step of a sequence per row.
    Sequences { id: usize, step: Option<usize>, features: Vec<usize>, labels: Vec<usize> },
}

/// The first of the `known` names that is there, in any case.
pub(crate) fn by_name<'a>(left: &[&'a str], known: &[&str]) -> Option<&'a str> {
    known
        .iter()
        .find_map(|known| left.iter().find(|name| name.eq_ignore_ascii_case(known)).copied())
}

/// Whether a name is one of those that tables of examples have.
pub(super) fn is_usual(name: &str) -> bool {
    TEXTS.iter().chain(&LABELS).chain(&IDS).any(|known| name.eq_ignore_ascii_case(known))
}

/// Finds out what the columns are, and says it.
pub(super) fn roles(table: &Table, wanted: &Wanted, notes: &mut Vec<Remark>) -> Result<Roles> {
    let mut roles = match known(table, wanted, notes)? {
        Some(roles) => roles,
        None => guessed(table, if wanted.known { &wanted.asked } else { &wanted.format })?,
    };
    if !wanted.labelled {
        match &mut roles {
            Roles::Text { labels, .. } | Roles::Sequences { labels, .. } => labels.clear(),
        }
    }
    say(table, &roles, notes);
    Ok(roles)
}

/// The columns that other data had; `None` if nothing is known of these.
fn known(table: &Table, wanted: &Wanted, notes: &mut Vec<Remark>) -> Result<Option<Roles>> {
    let format = &wanted.format;
    let numbered = !table.names.is_empty()
        && table.names.iter().zip(1..).all(|(name, at)| *name == at.to_string());
    if !wanted.known || (!wanted.by_name() && !numbered) {
        return Ok(None);
    }
    if let Some((_, name)) = wanted.asked.named().find(|(_, name)| table.find(name).is_none()) {
        return Err(table.no_column(name));
    }
    let column = |name: &String, setting: &str| {
        table.find(name).ok_or_else(|| {
            let problem = format!(
                "there is no column `{name}`, which the training data had; there are {}: say \
                 which one takes its place with \
                 the setting `{setting}`",
                table.columns()
            );
            table.error(None, None, problem)
        })
    };
    let columns = |names: &[String], setting| -> Result<Vec<usize>> {
        names.iter().map(|name| column(name, setting)).collect()
    };
    let labels = match wanted.labelled {
        true => columns(&format.label_column, "label_column")?,
        false => Vec::new(),
    };
    if wanted.sequences() {
        let Some(id) = &format.id_column else { return Ok(None) };
        let step = format.step_column.as_ref().map(|step| column(step, "step_column"));
        return Ok(Some(Roles::Sequences {
            id: column(id, "id_column")?,
            step: step.transpose()?,
            features: columns(&format.feature_columns, "feature_columns")?,
            labels,
        }));
    }
    let Some(text) = &format.text_column else { return Ok(None) };
    // A table of one column that has no name can only be texts.
    let text = match table.find(text) {
        None if numbered && table.names.len() == 1 => 0,
        _ => column(text, "text_column")?,
    };
    let others: Vec<&str> = (0..table.names.len())
        .filter(|at| *at != text && !labels.contains(at))
        .map(|at| table.names[at].as_str())
        .collect();
    let id = match &format.id_column {
        Some(id) => table.find(id),
        None => by_name(&others, &IDS).and_then(|id| table.find(id)),
    };
    if let (Some(name), None) = (&format.id_column, id) {
        notes.push(format!("there is no column `{name}`: items have no names").into());
    }
    Ok(Some(Roles::Text { text, labels, id }))
}

/// What the columns are by their names and by what is in them.
fn guessed(table: &Table, format: &ExampleFormat) -> Result<Roles> {
    let mut taken: HashSet<&str> = HashSet::new();
    for (setting, name) in format.named() {
        if table.find(name).is_none() {
            return Err(table.no_column(name));
        }
        if !taken.insert(name) {
            let problem = format!(
                "`{name}` is named twice (last by {setting}); a column can be one thing only"
            );
            return Err(table.error(None, None, problem));
        }
    }
    let mut left: Vec<&str> = table.names.iter().map(String::as_str).collect();
    left.retain(|name| !taken.contains(name) && by_name(&[name], &ROW_NUMBERS).is_none());
    let guess = Guess { table, format, left };
    match guess.sequence_id()? {
        Some(id) => guess.sequences(id),
        None => guess.texts(),
    }
}

/// What is known while columns are guessed.
struct Guess<'a> {
    table: &'a Table,
    format: &'a ExampleFormat,
    /// The columns that are not named by the format.
    left: Vec<&'a str>,
}

impl Guess<'_> {
    /// The position of a column that is there.
    fn at(&self, name: &str) -> Result<usize> {
        self.table.find(name).ok_or_else(|| self.table.no_column(name))
    }

    /// Where the columns that are left stand, in their order.
    fn places(&self) -> impl Iterator<Item = usize> {
        let mut left = self.left.iter().peekable();
        let names = self.table.names.iter().enumerate();
        names.filter_map(move |(at, name)| left.next_if(|next| *next == name).map(|_| at))
    }

    fn asked(&self, name: &Option<String>) -> Result<Option<usize>> {
        name.as_ref().map(|name| self.at(name)).transpose()
    }

    /// A column that is asked for, else one of usual name.
    fn asked_or(&self, name: &Option<String>, known: &[&str]) -> Result<Option<usize>> {
        match name.as_deref().or_else(|| by_name(&self.left, known)) {
            Some(name) => self.at(name).map(Some),
            None => Ok(None),
        }
    }

    fn labels(&self) -> Result<Vec<usize>> {
        match by_name(&self.left, &LABELS) {
            _ if !self.format.label_column.is_empty() => {
                self.format.label_column.iter().map(|name| self.at(name)).collect()
            }
            Some(name) => Ok(vec![self.at(name)?]),
            None => Ok(Vec::new()),
        }
    }

    /// The column that says which sequence a row belongs to, if this is a table of sequences.
    fn sequence_id(&self) -> Result<Option<usize>> {
        let Self { table, format, .. } = self;
        let known = [&IDS[..], &[SEQUENCE]].concat();
        let id = self.asked_or(&format.id_column, &known)?;
        let sure = format.file_format == FileFormat::Sequences
            || format.step_column.is_some()
            || !format.feature_columns.is_empty();
        match id {
            None if sure => {
                let problem = format!(
                    "no column says which sequence a row belongs to; there are {}: say which one \
                     does with the setting `id_column`",
                    table.columns()
                );
                Err(table.error(None, None, problem))
            }
            Some(id) if sure => Ok(Some(id)),
            _ if format.file_format != FileFormat::Auto || format.text_column.is_some() => Ok(None),
            Some(id) => {
                let known = [&self.labels()?[..], &[id]].concat();
                let text = by_name(&self.left, &TEXTS).is_some() || self.has_sentences(&known);
                let numbers = !text && !self.numeric(&known).is_empty();
                Ok((numbers && distinct(table, id) < table.rows.len()).then_some(id))
            }
            None => Ok(None),
        }
    }

    /// Whether a column that is left, without some, holds sentences.
    fn has_sentences(&self, without: &[usize]) -> bool {
        self.places().any(|at| !without.contains(&at) && most(self.table, at, is_sentence))
    }

    /// The columns of numbers that are left, without some. A few cells that are none will be told
    /// of.
    fn numeric(&self, without: &[usize]) -> Vec<usize> {
        let at = self.places();
        at.filter(|at| !without.contains(at) && is_mostly_numeric(self.table, *at)).collect()
    }

    fn sequences(&self, id: usize) -> Result<Roles> {
        let labels = self.labels()?;
        let step = match self.asked(&self.format.step_column)? {
            Some(step) => Some(step),
            None => by_name(&self.left, &STEPS)
                .and_then(|name| self.table.find(name))
                .filter(|step| *step != id && is_mostly_numeric(self.table, *step)),
        };
        let features: Vec<usize> = if self.format.feature_columns.is_empty() {
            self.numeric(&[&labels[..], &[id], step.as_slice()].concat())
        } else {
            self.format.feature_columns.iter().map(|name| self.at(name)).collect::<Result<_>>()?
        };
        if features.is_empty() {
            let problem = format!(
                "no column is left that holds the numbers of the sequences; there are {}: say \
                 which with the setting `feature_columns`",
                self.table.columns()
            );
            return Err(self.table.error(None, None, problem));
        }
        Ok(Roles::Sequences { id, step, features, labels })
    }

    fn texts(&self) -> Result<Roles> {
        let mut labels = self.labels()?;
        let id = self.asked_or(&self.format.id_column, &IDS)?;
        let text = self.asked_or(&self.format.text_column, &TEXTS)?;
        let others: Vec<usize> = self
            .places()
            .filter(|at| !labels.contains(at) && id != Some(*at) && text != Some(*at))
            .collect();
        let text = match (text, &others[..]) {
            (Some(text), [other]) if labels.is_empty() && looks_like_label(self.table, *other) => {
                labels = vec![*other];
                Some(text)
            }
            (Some(text), _) => Some(text),
            (None, [only]) => Some(*only),
            (None, [a, b]) if labels.is_empty() => {
                let (text, label) =
                    if looks_more_like_text(self.table, *a, *b) { (*a, *b) } else { (*b, *a) };
                labels = vec![label];
                Some(text)
            }
            (None, _) => None,
        };
        match text {
            Some(text)
                if self.format.text_column.is_some() || !is_mostly_numeric(self.table, text) =>
            {
                Ok(Roles::Text { text, labels, id })
            }
            _ => {
                let problem = format!(
                    "no column looks like the text; there are {}: say which one it is with the \
                     setting `text_column`",
                    self.table.columns()
                );
                Err(self.table.error(None, None, problem))
            }
        }
    }
}

/// Says what the columns are.
fn say(table: &Table, roles: &Roles, notes: &mut Vec<Remark>) {
    let names =
        |columns: &[usize]| listed(&columns.iter().map(|at| &table.names[*at]).collect::<Vec<_>>());
    let label = |labels: &[usize]| match labels {
        [] => "no label".to_owned(),
        [label] => format!("label in {}", names(&[*label])),
        _ => format!("labels in {}", names(labels)),
    };
    let name = |columns: &[usize]| {
        columns.iter().map(|at| table.names[*at].as_str()).collect::<Vec<_>>().join(",")
    };
    let (said, used, chosen) = match roles {
        Roles::Text { text, labels, id } => {
            let id_said = id.map(|id| format!(", name in {}", names(&[id]))).unwrap_or_default();
            let said = format!("text in column {}, {}{id_said}", names(&[*text]), label(labels));
            let chosen = vec![
                ("text_column", name(&[*text])),
                ("label_column", name(labels)),
                ("id_column", name(id.as_slice())),
            ];
            (said, [&labels[..], &[*text], id.as_slice()].concat(), chosen)
        }
        Roles::Sequences { id, step, features, labels } => {
            let order = match step {
                Some(step) => format!("in the order of {}", names(&[*step])),
                None => "in the order of the rows".into(),
            };
            let said = format!(
                "sequences by {} {order}, features {}, {}",
                names(&[*id]),
                names(features),
                label(labels)
            );
            let chosen = vec![
                ("id_column", name(&[*id])),
                ("step_column", name(step.as_slice())),
                ("feature_columns", name(features)),
                ("label_column", name(labels)),
            ];
            (said, [&labels[..], features, &[*id], step.as_slice()].concat(), chosen)
        }
    };
    let chosen = chosen.into_iter().filter(|(_, value)| !value.is_empty());
    notes.extend(chosen.map(|(setting, value)| Remark::chosen(setting, value, said.as_str())));
    let unused: Vec<&String> =
        (0..table.names.len()).filter(|at| !used.contains(at)).map(|at| &table.names[at]).collect();
    if !unused.is_empty() {
        notes.push(format!("columns left out: {}", listed(&unused)).into());
    }
}

/// The settings that name these columns.
pub(super) fn found(
    table: &Table,
    roles: &Roles,
    header: bool,
    asked: &ExampleFormat,
) -> ExampleFormat {
    let name = |at: &usize| table.names[*at].clone();
    let names = |of: &[usize]| of.iter().map(name).collect();
    let base = ExampleFormat { header: Some(header), ..asked.clone() };
    match roles {
        Roles::Text { text, labels, id } => ExampleFormat {
            file_format: FileFormat::Table,
            text_column: Some(name(text)),
            label_column: names(labels),
            id_column: id.as_ref().map(name),
            ..base
        },
        Roles::Sequences { id, step, features, labels } => ExampleFormat {
            file_format: FileFormat::Sequences,
            id_column: Some(name(id)),
            step_column: step.as_ref().map(name),
            feature_columns: names(features),
            label_column: names(labels),
            ..base
        },
    }
}

/// How many different cells a column has.
fn distinct(table: &Table, column: usize) -> usize {
    (0..table.rows.len()).map(|row| table.cell(row, column)).collect::<HashSet<_>>().len()
}

/// Whether most cells of a column are so.
fn most(table: &Table, column: usize, is: fn(&str) -> bool) -> bool {
    let count = (0..table.rows.len()).filter(|row| is(table.cell(*row, column))).count();
    2 * count > table.rows.len()
}

/// Whether a column holds numbers, or most of it does.
fn is_mostly_numeric(table: &Table, column: usize) -> bool {
    table.is_numeric(column) || most(table, column, |cell| cell.parse::<f64>().is_ok())
}

/// Two words or more.
fn is_sentence(cell: &str) -> bool {
    cell.split_whitespace().filter(|word| word.contains(char::is_alphabetic)).nth(1).is_some()
}

/// Labels come again; in a table of more than a few rows, a column of which no cell does has none.
fn looks_like_label(table: &Table, column: usize) -> bool {
    const FEW: usize = 20;
    table.rows.len() <= FEW || distinct(table, column) < table.rows.len()
}

/// Texts are no numbers, differ from each other, and are longer than labels.
fn looks_more_like_text(table: &Table, a: usize, b: usize) -> bool {
    let look = |column: usize| {
        let length: usize = (0..table.rows.len()).map(|row| table.cell(row, column).len()).sum();
        (!table.is_numeric(column), distinct(table, column), length)
    };
    let (a, b) = (look(a), look(b));
    if a.0 != b.0 {
        return a.0;
    }
    // Twice as many kinds of cells tell more than the length does.
    if a.1 >= 2 * b.1 || b.1 >= 2 * a.1 {
        return a.1 > b.1;
    }
    (a.2, a.1) >= (b.2, b.1)
}
