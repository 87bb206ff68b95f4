//! `gruvy explain`: which words moved a classifier's answer.

use super::flags::ExplainArgs;
use super::shared as classify;
use crate::input::inputs;
use crate::screen::Screen;
use anyhow::{Result, bail};
use gruvy::classify::judge::{explanation_html, explanation_text};
use gruvy_data::text::{TextKind, read_text};
use gruvy_runtime::model::write_atomic;
use serde_json::json;
use std::io::{self, IsTerminal};
use std::process::ExitCode;

/// Runs the subcommand.
///
/// # Errors
/// When the model or the text cannot be read, or the page cannot be written.
pub fn run(args: &ExplainArgs, screen: &Screen) -> Result<ExitCode> {
    let classifier = classify::open(&args.model)?;
    let text = match (&args.text, &args.input) {
        (Some(text), _) => text.clone(),
        (None, Some(path)) => {
            let text = read_text(&inputs(std::slice::from_ref(path))?, TextKind::Utf8)?;
            String::from_utf8(text.bytes)?
        }
        (None, None) => bail!("give a text: --text TEXT, or a file"),
    };
    let explanation = classifier.explain(&text, args.label.as_deref())?;
    if let Some(path) = &args.out {
        write_atomic(path, explanation_html(&explanation).as_bytes())?;
        screen.note(format!("page: {}", path.display()));
    }
    if explanation.more_words > 0 {
        screen.note(format!(
            "the first {} words were looked at, {} behind them were only read",
            explanation.words.len(),
            explanation.more_words
        ));
    }
    let words = || explanation_text(&explanation, io::stdout().is_terminal());
    screen.result(|| json!(explanation), words)?;
    Ok(ExitCode::SUCCESS)
}
