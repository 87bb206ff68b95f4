//! `gruvy data`: what is in files of data, and what is wrong with them.

use crate::args::DataArgs;
use crate::input::inputs;
use crate::screen::Screen;
use crate::table::{Column, table};
use anyhow::Result;
use gruvy::doctor::{Examination, Examined, examine};
use gruvy_runtime::model::write_atomic;
use std::process::ExitCode;

/// Runs the subcommand. The answer is negative if no file can be used.
///
/// # Errors
/// When a path cannot be read, the data are of a kind that is not examined yet, or the page cannot
/// be written.
pub fn run(args: &DataArgs, screen: &Screen) -> Result<ExitCode> {
    let examination = examine(&inputs(&args.paths)?)?;
    if let Some(page) = &args.out {
        write_atomic(page, examination.to_html().as_bytes())?;
    }
    screen.result(|| examination.to_json(), || as_text(&examination))?;
    if let Some(page) = &args.out {
        screen.note(format!("\npage: {}", page.display()));
    }
    Ok(match examination.usable() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}

/// The facts of all files, then what is to be said of single ones.
fn as_text(examination: &Examination) -> String {
    let column = |title: &str, text: &dyn Fn(&Examined) -> String| Column {
        title: title.to_owned(),
        best: None,
        rows: examination.files.iter().map(|file| (text(file), None)).collect(),
    };
    let mut columns = vec![
        column("file", &|file| file.path.display().to_string()),
        column("verdict", &|file| file.verdict.name().to_owned()),
    ];
    for name in examination.facts() {
        let text = |file: &Examined| file.fact(name).map_or("-".into(), |fact| fact.text.clone());
        columns.push(column(name, &text));
    }
    let mut text = table(&columns, false);
    for file in examination.files.iter().filter(|file| !file.reason.is_empty()) {
        let (path, verdict) = (file.path.display(), file.verdict.name());
        text += &format!("\n{path}: {verdict}: {}", file.reason);
    }
    format!("{}\n\n{}", text.trim_end(), examination.summary())
}
