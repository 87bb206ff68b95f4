//! Sequences from NumPy's `.npz`: `x [N, T, I]` or `[N, T]`, and beside it `lengths [N]` and the
//! labels `y [N]`, or `y [N, K]` of 0 and 1.
mod npy;

use super::{
    format::{ExampleFormat, FileFormat},
    labels::{NO_LABEL, label},
    part::{Part, listed},
    places::{Places, Unit},
};
use crate::error::problem_at;
use crate::error::{Error, Result};
use gruvy_runtime::Remark;
use gruvy_runtime::items::{Items, Sequences};
use npy::Array;
use std::{io::Cursor, path::Path};
use zip::ZipArchive;

/// Reads the sequences of a file.
pub(super) fn read(file: &Path, bytes: &[u8]) -> Result<Part> {
    let error = |problem| problem_at(file, None, problem);
    let mut arrays = Arrays::open(bytes).map_err(error)?;
    let Some(x) = arrays.take("x").map_err(error)? else {
        return Err(error(format!(
            "there is no array `x`; there are {}: save it with np.savez(…, x=x, y=y, \
             lengths=lengths)",
            listed(&arrays.names)
        )));
    };
    let lengths = arrays.take("lengths").map_err(error)?;
    let y = arrays.take("y").map_err(error)?;
    let [n, t, i] = dims(&x).map_err(error)?;
    let mut notes = vec![Remark::chosen(
        "file_format",
        "npz",
        format!(
            "arrays: `x` has {n} sequences of {t} steps and {i} features, {}, {}",
            if lengths.is_some() { "shortened by `lengths`" } else { "no `lengths`" },
            if y.is_some() { "labels in `y`" } else { "no labels (`y`)" }
        ),
    )];
    if !arrays.names.is_empty() {
        notes.push(format!("arrays left out: {}", listed(&arrays.names)).into());
    }
    let lengths = match lengths {
        Some(lengths) => self::lengths(file, &lengths, n, t)?,
        None => vec![t; n],
    };
    Ok(Part {
        file: file.to_owned(),
        items: Items::Sequences(sequences(file, &x, i, &lengths)?),
        labels: y.map(|y| labels(file, &y, n)).transpose()?,
        ids: None,
        places: Places::of(file, Unit::Item, 0..n as u64),
        notes,
        format: ExampleFormat { file_format: FileFormat::Npz, ..ExampleFormat::default() },
    })
}

/// An archive, and the names of its arrays that were not taken yet.
struct Arrays<'a> {
    archive: ZipArchive<Cursor<&'a [u8]>>,
    names: Vec<String>,
}

impl<'a> Arrays<'a> {
    fn open(bytes: &'a [u8]) -> Result<Self, String> {
        let archive = ZipArchive::new(Cursor::new(bytes)).map_err(|problem| damaged(&problem))?;
        let names = archive.file_names().flatten();
        let names = names.map(|name| name.strip_suffix(".npy").unwrap_or(&name).to_owned());
        let names = names.collect();
        Ok(Self { archive, names })
    }

    /// Reads an array, if it is there; its name may be a capital.
    fn take(&mut self, name: &str) -> Result<Option<Array>, String> {
        let same = |known: &String| known.eq_ignore_ascii_case(name);
        let Some(at) = self.names.iter().position(same) else { return Ok(None) };
        let name = self.names.remove(at);
        let mut entry =
            self.archive.by_name(&format!("{name}.npy")).map_err(|problem| damaged(&problem))?;
        Array::read(&mut entry).map(Some).map_err(|problem| format!("array `{name}`: {problem}"))
    }
}

fn damaged(problem: &zip::result::ZipError) -> String {
    format!("cannot be read as a .npz file: {problem}; write it again")
}

/// `[N, T, I]`, none of them 0.
fn dims(x: &Array) -> Result<[usize; 3], String> {
    let dims = match x.shape[..] {
        [n, t, i] => [n, t, i],
        [n, t] => [n, t, 1],
        _ => {
            return Err(format!(
                "`x` has the shape {:?}; expected [sequences, steps, features] or [sequences, \
                 steps]",
                x.shape
            ));
        }
    };
    if dims.contains(&0) {
        return Err(format!("`x` is empty: its shape is {:?}", x.shape));
    }
    if x.is_text() {
        return Err("`x` holds text; expected numbers".into());
    }
    Ok(dims)
}

fn item_error(file: &Path, item: usize, problem: String) -> Error {
    let part = Some(format!("item {item}"));
    Error::File { file: file.to_owned(), line: None, part, problem }
}

/// `[N]` steps of each sequence.
fn lengths(file: &Path, lengths: &Array, n: usize, t: usize) -> Result<Vec<usize>> {
    if lengths.shape != [n] {
        let problem = format!("`lengths` has the shape {:?}; expected [{n}]", lengths.shape);
        return Err(problem_at(file, None, problem));
    }
    let length = |item| match lengths.text(item).parse::<usize>() {
        Ok(length) if (1..=t).contains(&length) => Ok(length),
        _ => {
            let problem = format!(
                "its length is {}; expected an integer from 1 to {t}, the steps of `x`",
                lengths.text(item)
            );
            Err(item_error(file, item, problem))
        }
    };
    (0..n).map(length).collect()
}

/// The values of the steps that count.
fn sequences(file: &Path, x: &Array, i: usize, lengths: &[usize]) -> Result<Sequences> {
    let steps: usize = lengths.iter().sum();
    let mut sequences = Sequences {
        features: (0..i).map(|feature| feature.to_string()).collect(),
        values: Vec::with_capacity(steps * i),
        offsets: vec![0],
    };
    let mut end = 0;
    for (item, length) in lengths.iter().enumerate() {
        for step in 0..*length {
            for feature in 0..i {
                let value = x.number(&[item, step, feature]);
                if !value.is_finite() {
                    let problem = format!(
                        "`x` is {value} at step {step}, feature {feature}; expected a finite \
                         number that fits in 32 bits: \
                         fill it, or leave out the item"
                    );
                    return Err(item_error(file, item, problem));
                }
                sequences.values.push(value);
            }
        }
        end += length;
        sequences.offsets.push(end);
    }
    Ok(sequences)
}

/// `[N]` labels of each sequence.
fn labels(file: &Path, y: &Array, n: usize) -> Result<Vec<Vec<String>>> {
    let columns = match y.shape[..] {
        [rows] if rows == n => 1,
        [rows, columns] if rows == n && columns > 0 => columns,
        _ => {
            let problem = format!(
                "`y` has the shape {:?}; expected [{n}], a label for each sequence of `x`, or \
                 [{n}, labels] of 0 and 1",
                y.shape
            );
            return Err(problem_at(file, None, problem));
        }
    };
    let of_item = |item: usize| {
        if columns == 1 {
            return one(y, item).map(|label| vec![label]);
        }
        let mut labels = Vec::new();
        for column in 0..columns {
            match y.number(&[item, column]) {
                1.0 => labels.push(column.to_string()),
                0.0 => {}
                other => {
                    return Err(format!("`y` is {other} for label {column}; expected 0 or 1"));
                }
            }
        }
        Ok(labels)
    };
    (0..n).map(|item| of_item(item).map_err(|problem| item_error(file, item, problem))).collect()
}

/// The label of an item.
fn one(y: &Array, item: usize) -> Result<String, String> {
    let text = y.text(item);
    let name = label(&text);
    if name.is_empty() {
        return Err(NO_LABEL.into());
    }
    if !y.is_text() && name.parse::<i128>().is_err() {
        return Err(format!("its label in `y` is {name}; expected an integer or text"));
    }
    Ok(name.to_owned())
}
