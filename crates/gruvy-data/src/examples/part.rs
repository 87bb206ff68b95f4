//! What is read of one file, or of one folder, and how parts become one.
use super::{format::ExampleFormat, places::Places, set::Examples};
use crate::error::problem_at;
use crate::error::{Error, Result};
use gruvy_runtime::Remark;
use gruvy_runtime::items::Items;
use std::path::PathBuf;

/// What is read of one file, or of a folder of texts.
pub(super) struct Part {
    pub file: PathBuf,
    pub items: Items,
    /// `[N]`, if it has labels.
    pub labels: Option<Vec<Vec<String>>>,
    /// `[N]`, if it has names of items.
    pub ids: Option<Vec<String>>,
    /// `[N]`.
    pub places: Places,
    pub notes: Vec<Remark>,
    /// What was found.
    pub format: ExampleFormat,
}

/// Joins parts in their order.
pub(super) fn join(parts: Vec<Part>) -> Result<Examples> {
    let mut parts = parts.into_iter();
    let Some(first) = parts.next() else {
        return Err(Error::setting("data", "no file", "at least one"));
    };
    let mut all = first;
    for part in parts {
        all.append(part)?;
    }
    let Part { items, labels, ids, places, notes, format, .. } = all;
    Ok(Examples { items, labels: labels.unwrap_or_default(), ids, places, notes, format })
}

impl Part {
    /// More items behind these. The file stays the first one's.
    fn append(&mut self, other: Self) -> Result<()> {
        let error = |problem: String| problem_at(&other.file, None, problem);
        let here = self.file.display();
        match (&mut self.items, other.items) {
            (Items::Text(texts), Items::Text(more)) => texts.extend(more),
            (Items::Sequences(sequences), Items::Sequences(more)) => {
                if sequences.features != more.features {
                    let [there, known] = [&more, sequences].map(|some| listed(&some.features));
                    return Err(error(format!(
                        "the features are {there}; in {here} they are {known}: all files must \
                         have the same, in the same \
                         order (the setting `feature_columns`)"
                    )));
                }
                sequences.append(&more);
            }
            (Items::Text(_), Items::Sequences(_)) => {
                return Err(error(format!("holds sequences, and {here} texts; read them apart")));
            }
            (Items::Sequences(_), Items::Text(_)) => {
                return Err(error(format!("holds texts, and {here} sequences; read them apart")));
            }
        }
        match (&mut self.labels, other.labels) {
            (Some(labels), Some(more)) => labels.extend(more),
            (None, None) => {}
            (Some(_), None) => {
                return Err(error(format!("has no labels, and {here} has; {SAME_LABELS}")));
            }
            (None, Some(_)) => {
                return Err(error(format!("has labels, and {here} has none; {SAME_LABELS}")));
            }
        }
        self.ids = match (self.ids.take(), other.ids) {
            (Some(mut ids), Some(more)) => {
                ids.extend(more);
                Some(ids)
            }
            (None, None) => None,
            _ => {
                self.notes.push("names of items are left out: not all files have them".into());
                None
            }
        };
        self.places.append(other.places);
        for note in other.notes {
            if !self.notes.contains(&note) {
                self.notes.push(note);
            }
        }
        Ok(())
    }
}

const SAME_LABELS: &str = "label all files or none, or read them apart";

/// `` `a`, `b`, … ``
pub(crate) fn listed<S: AsRef<str>>(names: &[S]) -> String {
    let mut all: Vec<String> =
        names.iter().take(30).map(|name| format!("`{}`", name.as_ref())).collect();
    if names.len() > all.len() {
        all.push("…".into());
    }
    all.join(", ")
}
