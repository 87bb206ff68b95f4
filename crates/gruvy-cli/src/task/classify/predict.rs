//! `gruvy predict`: the labels of texts and sequences, as CSV or JSON Lines.

use super::flags::PredictArgs;
use super::shared as classify;
use crate::screen::{Screen, thousands};
use anyhow::{Result, bail};
use gruvy_data::examples::{ExampleFormat, Examples, Places};
use gruvy_runtime::items::Items;
use gruvy_runtime::{
    classify::{Classifier, Prediction, Ranked},
    model::write_atomic,
};
use serde_json::{Map, Value, json};
use std::process::ExitCode;

/// Runs the subcommand.
///
/// # Errors
/// When the model or the items cannot be read, or a file cannot be written.
pub fn run(args: PredictArgs, screen: &Screen) -> Result<ExitCode> {
    let PredictArgs { model, data, text, top_k, every_step, jsonl, out, format } = args;
    let classifier = classify::open(&model)?;
    let classes = classifier.codec().labels.len();
    if top_k.is_some_and(|k| k == 0 || k > classes) {
        bail!(
            "--top-k is {}: expected 1 to {classes}, as many as there are labels",
            top_k.unwrap_or(0)
        );
    }
    if let (Some(text), false) = (&text, every_step) {
        return one(&classifier, text, top_k, screen);
    }
    let examples = match text {
        Some(text) => of_text(text),
        None => classify::read(&classifier, &data, &format, false, screen)?,
    };
    let multi_label = classifier.codec().multi_label;
    let top = top_k.unwrap_or(usize::from(!multi_label));
    let predictions = match every_step {
        true => classifier.predict_steps(&examples.items, top)?,
        false => classifier.predict(&examples.items, top)?,
    };
    let row = |prediction: &Prediction| {
        prediction.row(&classify::name(&examples, prediction.item), multi_label)
    };
    let rows: Vec<Row> = predictions.iter().map(row).collect();
    let lines =
        jsonl || out.as_ref().is_some_and(|path| path.extension().is_some_and(|e| e == "jsonl"));
    let written = if lines { json_lines(&rows) } else { csv(&rows)? };
    if let Some(path) = &out {
        write_atomic(path, written.as_bytes())?;
        screen.note(format!("{} rows written to {}", thousands(rows.len()), path.display()));
        if !screen.json() {
            return Ok(ExitCode::SUCCESS);
        }
    }
    let all = || json!({ "rows": rows.iter().map(object).collect::<Vec<_>>() });
    screen.result(all, || written.trim_end().to_owned())?;
    Ok(ExitCode::SUCCESS)
}

/// A text of the command line, for a person.
fn one(
    classifier: &Classifier,
    text: &str,
    top_k: Option<usize>,
    screen: &Screen,
) -> Result<ExitCode> {
    let codec = classifier.codec();
    let shown = top_k.unwrap_or(codec.labels.len().min(10));
    let items = Items::Text(vec![text.to_owned()]);
    let Prediction { labels, top, .. } = classifier.predict(&items, shown)?.swap_remove(0);
    let width = top.iter().map(|ranked| ranked.label.chars().count()).max().unwrap_or(0);
    let line = |Ranked { label, probability }: &Ranked| {
        let mark = if codec.multi_label && labels.contains(label) { " *" } else { "" };
        format!("{label:width$}  {probability:.4}{mark}")
    };
    screen.result(
        || json!({ "labels": labels, "top": top }),
        || top.iter().map(line).collect::<Vec<_>>().join("\n"),
    )?;
    Ok(ExitCode::SUCCESS)
}

fn of_text(text: String) -> Examples {
    let (items, places) = (Items::Text(vec![text]), Places::default());
    Examples {
        items,
        labels: Vec::new(),
        ids: None,
        places,
        notes: Vec::new(),
        format: ExampleFormat::default(),
    }
}

/// A row of a table: its columns, in their order.
type Row = Vec<(String, Value)>;

fn csv(rows: &[Row]) -> Result<String> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    if let Some(first) = rows.first() {
        writer.write_record(first.iter().map(|(name, _)| name))?;
    }
    for row in rows {
        writer.write_record(row.iter().map(|(_, value)| match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        }))?;
    }
    Ok(String::from_utf8(writer.into_inner()?)?)
}

fn json_lines(rows: &[Row]) -> String {
    rows.iter().map(|row| object(row).to_string() + "\n").collect()
}

fn object(row: &Row) -> Value {
    Value::Object(row.iter().cloned().collect::<Map<_, _>>())
}
