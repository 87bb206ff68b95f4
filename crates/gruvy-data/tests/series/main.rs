//! Tables of series: files in, regular series out. What is read, what is said of it, and what is
//! refused.
#![allow(clippy::unwrap_used)] // Helpers of tests stop at the first surprise, as tests do.

mod any_bytes;
mod covariates;
mod errors;
mod joined;
mod layouts;
#[cfg(feature = "parquet")]
mod parquet;
mod trained;
mod values;
mod zones;

use gruvy_data::Input;
use gruvy_data::series::{Found, SeriesFormat, read_panel};
use gruvy_runtime::series::{Panel, Series};
use std::path::Path;

/// What is read from files of these names and contents; the folder is taken out of errors.
fn read_files<B: AsRef<[u8]>>(files: &[(&str, B)], format: &SeriesFormat) -> Result<Panel, String> {
    let folder = tempfile::tempdir().unwrap();
    let write = |(name, bytes): &(&str, B)| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    };
    let paths: Vec<_> = files.iter().map(write).collect();
    let folder = folder.path().join("").display().to_string();
    let inputs: Vec<Input> = paths.into_iter().map(Input::from).collect();
    // A series that no column names is called so in these tests.
    let found = format.found.clone().or(Some(Found::only("sales")));
    read_panel(&inputs, &SeriesFormat { found, ..format.clone() })
        .map_err(|error| error.to_string().replace(&folder, ""))
}

/// What is read from bytes under a name, with everything guessed.
fn panel_of(name: &str, csv: impl AsRef<[u8]>) -> gruvy_data::Result<Panel> {
    read_panel(&[Input::bytes(name, csv.as_ref())], &SeriesFormat::default())
}

/// What is read from the CSV `sales.csv`.
fn read(csv: impl AsRef<[u8]>, format: &SeriesFormat) -> Result<Panel, String> {
    read_files(&[("sales.csv", csv)], format)
}

/// The panel of `sales.csv`, with everything guessed.
fn guessed(csv: &str) -> Panel {
    read(csv, &SeriesFormat::default()).unwrap()
}

/// The names of columns.
fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| name.to_string()).collect()
}

/// Equal numbers, missing values where they are missing there.
#[track_caller]
fn same(got: &[f64], expected: &[f64]) {
    let equal = |(a, b): (&f64, &f64)| a == b || (a.is_nan() && b.is_nan());
    let all = got.len() == expected.len() && got.iter().zip(expected).all(equal);
    assert!(all, "got {got:?}, expected {expected:?}");
}

/// Id, start and values of a series.
#[track_caller]
fn is(series: &Series, id: &str, start: &str, y: &[f64]) {
    assert_eq!((series.id.as_str(), series.start.to_string().as_str()), (id, start));
    same(&series.y, y);
}

/// A note that has all of these.
#[track_caller]
fn noted(panel: &Panel, parts: &[&str]) {
    let has = |note: &gruvy_runtime::Remark| parts.iter().all(|part| note.why.contains(part));
    assert!(panel.notes.iter().any(has), "{parts:?} in {:#?}", panel.notes);
}

/// An error that begins with `place` and has all of these.
#[track_caller]
fn refused(result: Result<Panel, String>, place: &str, parts: &[&str]) {
    let problem = result.expect_err("read");
    assert!(problem.starts_with(&format!("{place}: ")), "{place} in {problem}");
    for part in parts {
        assert!(problem.contains(part), "{part} in {problem}");
    }
}

/// The settings of a file.
fn format(json: &str) -> SeriesFormat {
    serde_json::from_str(json).unwrap()
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let path = Path::new("nowhere/sales.csv").to_owned();
    let problem = read_panel(&[path.into()], &SeriesFormat::default()).unwrap_err().to_string();
    assert!(problem.contains("cannot read nowhere/sales.csv"), "{problem}");
    let problem = read_panel(&[], &SeriesFormat::default()).unwrap_err().to_string();
    assert!(problem.contains("no file"), "{problem}");
}
