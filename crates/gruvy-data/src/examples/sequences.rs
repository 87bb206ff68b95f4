//! Long tables of sequences: a step per row, `sequence_id, step, features…, label`.
use super::{
    format::ExampleFormat,
    labels::{of_row, unless_empty},
    part::{Part, listed},
    places::{Places, Unit},
};
use crate::error::{Error, Result};
use crate::table::rows::Table;
use crate::table::rows::missing;
use gruvy_runtime::Remark;
use gruvy_runtime::items::{Items, Sequences};
use std::collections::{HashMap, hash_map::Entry};

/// Where the columns stand.
pub(super) struct Columns {
    pub id: usize,
    pub step: Option<usize>,
    pub features: Vec<usize>,
    pub labels: Vec<usize>,
}

/// The rows of a sequence.
struct Rows<'a> {
    id: &'a str,
    rows: Vec<usize>,
}

/// Reads sequences in the order in which they first appear.
pub(super) fn read(
    table: &Table,
    columns: &Columns,
    format: ExampleFormat,
    mut notes: Vec<Remark>,
) -> Result<Part> {
    let mut label_columns = columns.labels.clone();
    unless_empty(table, &mut label_columns, &mut notes);
    let all = grouped(table, columns)?;
    let mut sequences = Sequences {
        features: columns.features.iter().map(|at| table.names[*at].clone()).collect(),
        values: Vec::with_capacity(table.rows.len() * columns.features.len()),
        offsets: vec![0],
    };
    let (mut labels, mut lines) = (Vec::new(), Vec::new());
    for sequence in &all {
        for row in &sequence.rows {
            for feature in &columns.features {
                sequences.values.push(value(table, *row, *feature, sequence.id)?);
            }
        }
        let end = sequences.offsets.last().copied().unwrap_or(0) + sequence.rows.len();
        sequences.offsets.push(end);
        lines.push(sequence.rows.iter().map(|row| table.lines[*row]).min().unwrap_or(0));
        if !label_columns.is_empty() {
            labels.push(label(table, sequence, &label_columns, &format)?);
        }
    }
    Ok(Part {
        file: table.file.clone(),
        items: Items::Sequences(sequences),
        labels: (!label_columns.is_empty()).then_some(labels),
        ids: Some(all.iter().map(|sequence| sequence.id.to_owned()).collect()),
        places: Places::of(&table.file, Unit::Line, lines.into_iter()),
        notes,
        format,
    })
}

/// The rows by sequence, in the order of their steps.
fn grouped<'a>(table: &'a Table, columns: &Columns) -> Result<Vec<Rows<'a>>> {
    let mut all: Vec<Rows<'a>> = Vec::new();
    let mut known: HashMap<&str, usize> = HashMap::new();
    for row in 0..table.rows.len() {
        let id = table.cell(row, columns.id);
        if id.is_empty() {
            let name = &table.names[columns.id];
            let problem =
                format!("column `{name}` is empty; it says which sequence the row belongs to");
            return Err(table.error(Some(row), None, problem));
        }
        let at = match known.entry(id) {
            Entry::Occupied(at) => *at.get(),
            Entry::Vacant(new) => {
                all.push(Rows { id, rows: Vec::new() });
                *new.insert(all.len() - 1)
            }
        };
        all[at].rows.push(row);
    }
    if let Some(step) = columns.step {
        all.iter_mut().try_for_each(|sequence| in_order(table, sequence, step))?;
    }
    Ok(all)
}

/// Puts the rows of a sequence in the order of their steps.
fn in_order(table: &Table, sequence: &mut Rows<'_>, column: usize) -> Result<()> {
    let name = &table.names[column];
    let mut steps: Vec<(f64, usize)> = Vec::with_capacity(sequence.rows.len());
    for row in &sequence.rows {
        let cell = table.cell(*row, column);
        match cell.parse::<f64>() {
            Ok(step) if step.is_finite() => steps.push((step, *row)),
            _ => {
                let problem = format!(
                    "column `{name}` is `{cell}`; the order of the steps needs a number in every \
                     row"
                );
                return Err(at(table, *row, sequence.id, problem));
            }
        }
    }
    steps.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    if let Some(pair) = steps.windows(2).find(|pair| pair[0].0 == pair[1].0) {
        let problem = format!(
            "step {} (column `{name}`) is there twice, first in line {}; keep one row of it",
            table.cell(pair[1].1, column),
            table.lines[pair[0].1]
        );
        return Err(at(table, pair[1].1, sequence.id, problem));
    }
    sequence.rows = steps.into_iter().map(|(_, row)| row).collect();
    Ok(())
}

/// A feature at a step.
fn value(table: &Table, row: usize, column: usize, id: &str) -> Result<f32> {
    let (cell, name) = (table.cell(row, column), &table.names[column]);
    let problem = match cell.parse::<f32>() {
        Ok(value) if value.is_finite() => return Ok(value),
        Ok(value) if value.is_infinite() => {
            format!("column `{name}` is `{cell}`; expected a finite number that fits in 32 bits")
        }
        _ if missing(cell) => format!(
            "column `{name}` has no value; every step needs all features: fill it, or leave out \
             the step or the column \
             (the setting `ignore_columns={name}`)"
        ),
        _ => format!(
            "column `{name}` is `{cell}`; expected a number (with a decimal point): correct it, \
             or leave out the column \
             (the setting `ignore_columns={name}`)"
        ),
    };
    Err(at(table, row, id, problem))
}

/// The labels of a sequence, which all its rows say alike.
fn label(
    table: &Table,
    sequence: &Rows<'_>,
    columns: &[usize],
    format: &ExampleFormat,
) -> Result<Vec<String>> {
    let mut rows: Vec<usize> = sequence.rows.clone();
    rows.sort_unstable();
    let mut first: Option<(usize, Vec<String>)> = None;
    for row in rows {
        let here = of_row(table, row, columns, format)?;
        match &first {
            None => first = Some((row, here)),
            Some((_, known)) if *known == here => {}
            Some((before, known)) => {
                let shown = |labels: &[String]| match labels {
                    [] => "no label".to_owned(),
                    labels => listed(labels),
                };
                let problem = format!(
                    "the label is {}, in line {} it is {}; a sequence has one label: correct it, \
                     or the column of the \
                     sequences (the setting `id_column`)",
                    shown(&here),
                    table.lines[*before],
                    shown(known)
                );
                return Err(at(table, row, sequence.id, problem));
            }
        }
    }
    Ok(first.map(|(_, labels)| labels).unwrap_or_default())
}

fn at(table: &Table, row: usize, id: &str, problem: String) -> Error {
    table.error_in(Some(row), Some(format!("sequence `{id}`")), problem)
}
