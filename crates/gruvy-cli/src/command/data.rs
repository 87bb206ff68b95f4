//! `gruvy data`: what is in files of data, and what is wrong with them.

use crate::args::DataArgs;
use crate::input::inputs;
use crate::screen::Screen;
use crate::table::{Column, table};
use anyhow::Result;
use gruvy::doctor::{Examination, Examined, examine};
use gruvy_runtime::model::write_atomic;
use std::path::Path;
use std::process::ExitCode;

/// No name takes more characters of a table.
const WIDEST: usize = 60;

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
        column("file", &|file| shortened(&plain(&file.path))),
        column("verdict", &|file| file.verdict.name().to_owned()),
    ];
    for name in examination.facts() {
        let text = |file: &Examined| file.fact(name).map_or("-".into(), |fact| fact.text.clone());
        columns.push(column(name, &text));
    }
    let mut text = table(&columns, false);
    for file in examination.files.iter().filter(|file| !file.reason.is_empty()) {
        let (path, verdict) = (plain(&file.path), file.verdict.name());
        text += &format!("\n{path}: {verdict}: {}", file.reason);
    }
    format!("{}\n\n{}", text.trim_end(), examination.summary())
}

/// A path whose characters all stand where they are written: what moves the cursor, or turns the
/// direction of writing, is escaped.
fn plain(path: &Path) -> String {
    let turns = |c| matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let mut text = String::new();
    for c in path.to_string_lossy().chars() {
        match c.is_control() || turns(c) {
            true => text.extend(c.escape_debug()),
            false => text.push(c),
        }
    }
    text
}

/// At most so many characters, the middle left out: one long name must not widen all rows.
fn shortened(name: &str) -> String {
    let count = name.chars().count();
    if count <= WIDEST {
        return name.to_owned();
    }
    let (head, tail) = (WIDEST / 2 - 1, WIDEST / 2);
    let part = |from: usize, many: usize| name.chars().skip(from).take(many).collect::<String>();
    format!("{}…{}", part(0, head), part(count - tail, tail))
}
