//! What the commands on classifiers have in common: a model, the items it is to look at, and what
//! is said of it.

use crate::args::settings::TableFlags;
use crate::input::inputs;
use crate::model;
use crate::screen::Screen;
use crate::table::{Best, Column, table};
use anyhow::{Context, Result};
use gruvy::classify::judge::{BASELINE, Report};
use gruvy::classify::{ClassifyConfig, ClassifyTask, PartReport};
use gruvy::settings::{RunSettings, TaskConfig};
use gruvy::train::{RunFolder, Task};
use gruvy_data::examples::{ExampleFormat, Examples, Like, read_examples_like};
use gruvy_data::from_source;
use gruvy_runtime::classify::{Classifier, Reader};
use gruvy_runtime::items::Items;
use gruvy_runtime::model::ModelFile;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

/// Most classes of a confusion matrix in a terminal.
const MATRIX: usize = 12;
/// Mistakes in a terminal.
const MISTAKES: usize = 5;

/// Opens a model of the task.
///
/// # Errors
/// When there is none, or it is of another task.
pub fn open(path: &Path) -> Result<Classifier> {
    let opened = model::open(path)?;
    Classifier::from_file(&opened.model).with_context(|| opened.path.display().to_string())
}

/// Reads items as the model's own were read, but for the flags.
///
/// # Errors
/// When they cannot be read.
pub fn read(
    classifier: &Classifier,
    paths: &[PathBuf],
    flags: &TableFlags<ExampleFormat>,
    labelled: bool,
    screen: &Screen,
) -> Result<Examples> {
    let mut known: ExampleFormat = from_source(classifier.source());
    if let Reader::Sequences(scaler) = &classifier.codec().reader
        && known.feature_columns.is_empty()
        && scaler.features.iter().any(|name| name.parse::<usize>().is_err())
    {
        // Of models of before, which say no more than what somebody said of their data.
        known.feature_columns.clone_from(&scaler.features);
    }
    let mut asked = ExampleFormat::default();
    flags.apply(&mut asked)?;
    let like = Like { known: &known, asked: &asked, labelled };
    let examples = read_examples_like(&inputs(paths)?, &like)?;
    screen.remarks(&examples.notes);
    Ok(examples)
}

/// Item `at` as a person finds it again: its id, or its number from 1.
pub fn name(examples: &Examples, at: usize) -> String {
    match &examples.ids {
        Some(ids) => ids[at].clone(),
        None => (at + 1).to_string(),
    }
}

/// The table of a report, and where its page is.
pub fn report_in_words(report: &PartReport) -> String {
    let page = report.page.as_ref().map(|page| format!("\nreport      {}", page.display()));
    format!("\n{}{}", metrics(&report.judgement), page.unwrap_or_default())
}

/// The task of a run with its data, if they are still what the model was trained on.
pub(super) fn own_task(
    path: &Path,
    model: &ModelFile,
    screen: &Screen,
) -> Result<Option<ClassifyTask>> {
    let settings = RunFolder::settings_path(path);
    let unknown = |why: &str| {
        screen.note(format!("no baseline beside the model: {why}"));
        Ok(None)
    };
    if !path.is_dir() || !settings.exists() {
        return unknown("only a run folder says what it was trained on");
    }
    let run = RunSettings::<ClassifyConfig>::read(&settings)?;
    let Ok(task) = ClassifyConfig::load(run) else {
        return unknown("what it was trained on cannot be read any more");
    };
    if task.fingerprint() != model.trained.data_fingerprint {
        return unknown("what it was trained on has changed");
    }
    Ok(Some(task))
}

/// The table of metrics and the verdict.
pub fn metrics(report: &Report) -> String {
    let rows = report.rows();
    let bold = io::stdout().is_terminal();
    let mut columns =
        vec![Column { title: String::new(), best: None, rows: vec![(report.name.clone(), None)] }];
    let both = report.baseline.is_some();
    if both {
        columns[0].rows.push((BASELINE.to_owned(), None));
    }
    for (name, model, baseline, more) in rows {
        let cell = |value: f64| (format!("{value:.4}"), Some(value));
        let mut rows = vec![cell(model)];
        if both {
            rows.push(baseline.map_or(("-".to_owned(), None), cell));
        }
        let best = Some(if more { Best::Most } else { Best::Least });
        columns.push(Column { title: name.to_owned(), best, rows });
    }
    let mut text = table(&columns, bold);
    if let Some(said) = report.said() {
        text += &said;
    }
    text.trim_end().to_owned()
}

/// Everything that fits on a screen.
pub(super) fn in_full(report: &Report, items: &Items) -> String {
    let mut parts = vec![format!("{} items", report.model.items), metrics(report)];
    let plain = |title: &str, rows: Vec<String>| Column {
        title: title.to_owned(),
        best: None,
        rows: rows.into_iter().map(|text| (text, None)).collect(),
    };
    let classes = &report.model.classes;
    let of = |cell: &dyn Fn(&gruvy::classify::judge::ClassRow) -> String| {
        classes.iter().map(cell).collect::<Vec<_>>()
    };
    parts.push(table(
        &[
            plain("label", of(&|row| row.label.clone())),
            plain("precision", of(&|row| format!("{:.3}", row.precision))),
            plain("recall", of(&|row| format!("{:.3}", row.recall))),
            plain("F1", of(&|row| format!("{:.3}", row.f1))),
            plain("items", of(&|row| row.support.to_string())),
        ],
        false,
    ));
    let confusion = &report.model.confusion;
    if !confusion.is_empty() && confusion.len() <= MATRIX {
        let mut columns = vec![plain("true \\ predicted", report.labels.clone())];
        for (at, label) in report.labels.iter().enumerate() {
            columns.push(plain(label, confusion.iter().map(|row| row[at].to_string()).collect()));
        }
        parts.push(table(&columns, false));
    }
    let mistakes = report.model.mistakes.iter().take(MISTAKES);
    let mistakes: Vec<String> = mistakes
        .map(|mistake| {
            let text: String = items.shown(mistake.item).chars().take(100).collect();
            format!("  {}: {text}", report.mistake(mistake))
        })
        .collect();
    if !mistakes.is_empty() {
        parts.push(format!("the most confident mistakes\n{}", mistakes.join("\n")));
    }
    parts.iter().map(|part| part.trim_end()).collect::<Vec<_>>().join("\n\n")
}
