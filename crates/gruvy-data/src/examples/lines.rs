//! A text per line, alone or behind fastText's labels.
use super::{
    format::{ExampleFormat, FileFormat},
    labels::label,
    part::Part,
    places::{Places, Unit},
};
use crate::error::Result;
use crate::error::problem_at;
use gruvy_runtime::Remark;
use gruvy_runtime::items::Items;
use std::path::Path;

const PREFIX: &str = "__label__";

/// Every line a text, the empty ones too.
pub(super) fn plain(file: &Path, text: &str) -> Part {
    let texts: Vec<String> = text.lines().map(|line| line.trim().to_owned()).collect();
    let note = Remark::chosen(
        "file_format",
        "lines",
        format!("a text per line, no labels: {} lines", texts.len()),
    );
    let places = Places::of(file, Unit::Line, 1..=texts.len() as u64);
    Part {
        file: file.to_owned(),
        items: Items::Text(texts),
        labels: None,
        ids: None,
        places,
        notes: vec![note],
        format: ExampleFormat { file_format: FileFormat::Lines, ..ExampleFormat::default() },
    }
}

/// Whether a line has a label of fastText.
pub(super) fn has_label(text: &str) -> bool {
    text.lines().any(|line| line.trim_start().starts_with(PREFIX))
}

/// Every line its labels and a text.
pub(super) fn fast_text(file: &Path, text: &str) -> Result<Part> {
    let (mut texts, mut labels, mut lines, mut blank) = (Vec::new(), Vec::new(), Vec::new(), 0);
    for (line, number) in text.lines().zip(1..) {
        let mut rest = line.trim();
        if rest.is_empty() {
            blank += 1;
            continue;
        }
        let mut here: Vec<String> = Vec::new();
        while let Some(labelled) = rest.strip_prefix(PREFIX) {
            let end = labelled.find(char::is_whitespace).unwrap_or(labelled.len());
            let (name, text) = labelled.split_at(end);
            if name.is_empty() {
                let problem = format!("`{PREFIX}` without a name; write it as {PREFIX}NAME");
                return Err(problem_at(file, Some(number), problem));
            }
            let name = label(name);
            if !here.iter().any(|known| known == name) {
                here.push(name.to_owned());
            }
            rest = text.trim_start();
        }
        texts.push(rest.to_owned());
        labels.push(here);
        lines.push(number);
    }
    if texts.is_empty() {
        return Err(problem_at(file, None, "the file is empty; expected a text per line".into()));
    }
    let bare = labels.iter().filter(|labels| labels.is_empty()).count();
    let mut notes = vec![Remark::chosen(
        "file_format",
        "fast-text",
        format!("fastText: a text per line behind its labels (`{PREFIX}…`)"),
    )];
    if bare > 0 && bare < labels.len() {
        notes.push(
            format!("{}: {bare} of {} lines have no label", file.display(), labels.len()).into(),
        );
    }
    if blank > 0 {
        notes.push(format!("{}: blank lines left out: {blank}", file.display()).into());
    }
    Ok(Part {
        file: file.to_owned(),
        items: Items::Text(texts),
        labels: (bare < labels.len()).then_some(labels),
        ids: None,
        places: Places::of(file, Unit::Line, lines.into_iter()),
        notes,
        format: ExampleFormat { file_format: FileFormat::FastText, ..ExampleFormat::default() },
    })
}
