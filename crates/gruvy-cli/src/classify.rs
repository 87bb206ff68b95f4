//! What the commands on classifiers have in common: a model, and the items it is to look at.

use crate::args::ExampleFlags;
use crate::model;
use crate::screen::Screen;
use anyhow::{Context, Result};
use gruvy_runtime::examples::{ExampleFormat, Examples, Items, read_examples};
use gruvy_runtime::{Classifier, Reader};
use std::path::{Path, PathBuf};

/// Opens a model of the task.
///
/// # Errors
/// When there is none, or it is of another task.
pub fn open(path: &Path) -> Result<Classifier> {
    let opened = model::open(path)?;
    Classifier::open(&opened.model).with_context(|| opened.path.display().to_string())
}

/// Reads items as the model's own were read, but for the flags.
///
/// # Errors
/// When they cannot be read.
pub fn read(
    classifier: &Classifier,
    paths: &[PathBuf],
    flags: ExampleFlags,
    labelled: bool,
    screen: &Screen,
) -> Result<Examples> {
    let codec = classifier.codec();
    let mut format = codec.format.clone();
    if !labelled {
        // What is asked about may lack the column that was learned from.
        format.label_column.clear();
    }
    if let Reader::Sequences(scaler) = &codec.reader {
        format.feature_columns.clone_from(&scaler.features);
    }
    flags.apply(&mut format);
    let examples = read_examples(paths, &ExampleFormat { ..format })?;
    examples.notes.iter().for_each(|note| screen.note(note));
    Ok(examples)
}

/// Item `at` as a person finds it again: its id, or its number from 1.
pub fn name(examples: &Examples, at: usize) -> String {
    match &examples.ids {
        Some(ids) => ids[at].clone(),
        None => (at + 1).to_string(),
    }
}

/// What an item says, for a person.
pub fn shown(items: &Items, at: usize) -> String {
    match items {
        Items::Text(texts) => texts[at].clone(),
        Items::Sequences(all) => format!("sequence of {} steps", all.item(at).len() / all.features.len()),
    }
}
