//! Files of examples: files in, texts or sequences with their labels out. What is read, what is
//! said of it, and what is refused.
#![allow(clippy::unwrap_used)] // Helpers of tests stop at the first surprise, as tests do.

mod any_bytes;
mod columns;
mod encodings;
mod errors;
mod files;
mod layouts;
mod like;
#[cfg(feature = "npz")]
mod npz;
mod packed;
mod sequences;

use gruvy_data::Input;
use gruvy_data::examples::{ExampleFormat, Examples, read_examples};
use gruvy_runtime::items::{Items, Sequences};
use std::path::PathBuf;

/// What is read of a file.
fn read(name: &str, bytes: impl AsRef<[u8]>, format: &ExampleFormat) -> Result<Examples, String> {
    read_examples(&[Input::bytes(name, bytes.as_ref())], format).map_err(|error| error.to_string())
}

/// The examples of a file, with everything guessed.
#[track_caller]
fn guessed(name: &str, bytes: impl AsRef<[u8]>) -> Examples {
    read(name, bytes, &ExampleFormat::default()).unwrap()
}

/// A folder of files with these names and contents; a name may have folders before it.
fn folder<B: AsRef<[u8]>>(files: &[(&str, B)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, bytes).unwrap();
    }
    folder
}

/// What is read of some files of a folder, or of itself (``""``); the folder is taken out of
/// errors.
fn read_in(
    folder: &tempfile::TempDir,
    names: &[&str],
    format: &ExampleFormat,
) -> Result<Examples, String> {
    let path = |name: &&str| match *name {
        "" => folder.path().to_owned(),
        name => folder.path().join(name),
    };
    let paths: Vec<PathBuf> = names.iter().map(path).collect();
    read_examples(&paths.into_iter().map(Input::from).collect::<Vec<_>>(), format).map_err(
        |error| {
            let problem =
                error.to_string().replace(&folder.path().join("").display().to_string(), "");
            problem.replace(&folder.path().display().to_string(), "folder")
        },
    )
}

/// The texts.
#[track_caller]
fn texts(examples: &Examples) -> Vec<&str> {
    match &examples.items {
        Items::Text(texts) => texts.iter().map(String::as_str).collect(),
        other => panic!("expected texts, got {other:?}"),
    }
}

/// The sequences.
#[track_caller]
fn sequences(examples: &Examples) -> &Sequences {
    match &examples.items {
        Items::Sequences(sequences) => sequences,
        other => panic!("expected sequences, got {other:?}"),
    }
}

/// Texts, each with its labels, separated by blanks; all have some, or all are without.
#[track_caller]
fn are(examples: &Examples, expected: &[(&str, &str)]) {
    let labels: Vec<String> = match &examples.labels[..] {
        [] => vec![String::new(); expected.len()],
        labels => labels.iter().map(|labels| labels.join(" ")).collect(),
    };
    let got: Vec<(&str, &str)> =
        texts(examples).into_iter().zip(labels.iter().map(String::as_str)).collect();
    assert_eq!(got, expected);
    assert_eq!((examples.len(), examples.places.len()), (expected.len(), expected.len()));
}

/// The lines of the items.
fn lines(examples: &Examples) -> Vec<Option<u64>> {
    (0..examples.len()).map(|i| examples.places.get(i).line).collect()
}

/// A note that has all of these.
#[track_caller]
fn noted(examples: &Examples, parts: &[&str]) {
    let has = |note: &gruvy_runtime::Remark| parts.iter().all(|part| note.why.contains(part));
    assert!(examples.notes.iter().any(has), "{parts:?} in {:#?}", examples.notes);
}

/// An error that begins with `place` and has all of these.
#[track_caller]
fn refused(result: Result<Examples, String>, place: &str, parts: &[&str]) {
    let problem = result.expect_err("read");
    assert!(problem.starts_with(&format!("{place}: ")), "{place} in {problem}");
    for part in parts {
        assert!(problem.contains(part), "{part} in {problem}");
    }
}

/// The settings of a file.
fn format(json: &str) -> ExampleFormat {
    serde_json::from_str(json).unwrap()
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let problem = read_examples(&["nowhere/a.csv".into()], &ExampleFormat::default());
    let problem = problem.unwrap_err().to_string();
    assert!(problem.contains("cannot read nowhere/a.csv"), "{problem}");
    let problem = read_examples(&[], &ExampleFormat::default()).unwrap_err().to_string();
    assert!(problem.contains("no file"), "{problem}");
}

#[test]
fn settings_have_names() {
    use gruvy_data::examples::{Encoding, FileFormat};
    for (name, layout) in FileFormat::ALL {
        assert_eq!(serde_json::to_string(&layout).unwrap(), format!("\"{name}\""));
        assert_eq!(format(&format!("{{\"file_format\":\"{name}\"}}")).file_format, layout);
    }
    for (name, encoding) in Encoding::ALL {
        assert_eq!(serde_json::to_string(&encoding).unwrap(), format!("\"{name}\""));
    }
    let full = r#"{"text_column":"a","label_column":["b"],"id_column":"c","step_column":"d","feature_columns":["e"],"ignore_columns":["f"],
        "label_separator":"|","header":true,"encoding":"latin-1"}"#;
    let full = format(full);
    assert_eq!(format(&serde_json::to_string(&full).unwrap()), full);
    assert_eq!((full.label_separator, full.header), (Some('|'), Some(true)));
    let empty = serde_json::to_string(&ExampleFormat::default()).unwrap();
    assert!(!empty.contains("null"), "{empty}");
    assert!(serde_json::from_str::<ExampleFormat>(r#"{"txt":"a"}"#).is_err());
}
