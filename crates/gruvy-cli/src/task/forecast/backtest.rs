//! `gruvy backtest`: a model's forecasts at several times in the past, beside simple methods.

use super::flags::BacktestArgs;
use crate::screen::{Screen, as_flags};
use crate::table::{Best, Column, table};
use crate::task::forecast::series::{Ask, open};
use anyhow::{Context, Result};
use gruvy::forecast::judge::{Backtest, Metrics};
use gruvy_runtime::model::{MODEL_FILE_NAME, write_atomic};
use serde_json::json;
use std::io::{self, IsTerminal};
use std::num::NonZeroUsize;
use std::path::Path;
use std::process::ExitCode;

/// Runs the subcommand.
///
/// # Errors
/// When the model or the series cannot be read, the series are too short, or the page cannot be
/// written.
pub fn run(args: BacktestArgs, seed: Option<u64>, screen: &Screen) -> Result<ExitCode> {
    let BacktestArgs { model, data, windows, step, samples, out, format } = args;
    let ask = Ask { model: &model, file: None, data: &data, format, samples };
    let opened = open(ask, seed, screen)?;
    let some = |flag: &str, n| {
        NonZeroUsize::new(n).with_context(|| format!("{flag} is {n}; expected at least 1"))
    };
    let step = step.map(|step| some("--step", step)).transpose()?;
    let mut past = opened.backtest(some("--windows", windows)?, step)?;
    past.warning.iter().for_each(|why| screen.warn(why));
    past.backtest.notes.iter_mut().for_each(|note| *note = as_flags(note));
    let page = out.unwrap_or_else(|| {
        let folder = model.join(MODEL_FILE_NAME).exists();
        if folder { model.join("backtest.html") } else { "backtest.html".into() }
    });
    write_atomic(&page, past.to_html(&opened, &name(&model))?.as_bytes())
        .context("the page (--out chooses another place)")?;
    let words = || as_text(&past.backtest, screen);
    let json = || json!({ "page": page, "backtest": past.backtest, "chosen": opened.remarks() });
    screen.result(json, words)?;
    screen.note(format!("\npage: {}", page.display()));
    Ok(ExitCode::SUCCESS)
}

fn name(model: &Path) -> String {
    model
        .file_name()
        .map_or_else(|| model.display().to_string(), |n| n.to_string_lossy().into_owned())
}

/// The table, who wins, and what one must know to read it.
pub fn as_text(backtest: &Backtest, screen: &Screen) -> String {
    let column = |title: &str, decimals: usize, of: &dyn Fn(&Metrics) -> Option<f64>| Column {
        title: title.to_owned(),
        best: Some(Best::Least),
        rows: backtest
            .rows
            .iter()
            .map(|row| {
                let value = of(&row.metrics);
                (value.map_or("-".to_owned(), |value| format!("{value:.decimals$}")), value)
            })
            .collect(),
    };
    let method = Column {
        title: "method".to_owned(),
        best: None,
        rows: backtest.rows.iter().map(|row| (row.method.clone(), None)).collect(),
    };
    let mut columns = vec![
        method,
        column("MASE", 3, &|m| m.mase),
        column("sMAPE", 2, &|m| m.smape),
        column("RMSSE", 3, &|m| m.rmsse),
        column("CRPS", 4, &|m| m.crps),
    ];
    let nominal = backtest.rows.first().map_or(&[][..], |row| &row.metrics.coverage);
    for (k, coverage) in nominal.iter().enumerate().filter(|(_, c)| c.nominal > 0.75) {
        let title = format!("in {:.0}%", 100.0 * coverage.nominal);
        let share = |m: &Metrics| m.coverage.get(k).map(|c| 100.0 * c.share);
        columns.push(Column { best: None, ..column(&title, 1, &share) });
    }
    let bold = io::stdout().is_terminal() && !screen.json();
    let mut text = table(&columns, bold);
    text += &format!("\n{}", backtest.verdict);
    for note in &backtest.notes {
        text += &format!("\n{note}");
    }
    text
}
