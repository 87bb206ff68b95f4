//! `gruvy bench`: how fast the recurrent kernels are on this machine.

use crate::args::BenchArgs;
use crate::screen::Screen;
use crate::table::{Column, table};
use anyhow::Result;
use gruvy::bench::{self, BenchConfig, ROOF_SIZE, Report, Row};
use serde_json::json;
use std::process::ExitCode;

/// Runs the subcommand.
///
/// # Errors
/// When a setting makes no sense.
pub fn run(args: BenchArgs, screen: &Screen) -> Result<ExitCode> {
    let BenchArgs { cells, shapes, seconds } = args;
    let config = BenchConfig { cells, shapes, seconds };
    let report = bench::run(&config, |what| screen.note(format!("measuring {what}")))?;
    screen.result(|| json!(report), || as_text(&report))?;
    Ok(ExitCode::SUCCESS)
}

fn as_text(report: &Report) -> String {
    let column = |title: &str, text: &dyn Fn(&Row) -> String| Column {
        title: title.to_owned(),
        best: None,
        rows: report.rows.iter().map(|row| (text(row), None)).collect(),
    };
    let mut columns = vec![
        column("shape (B, T, I, H)", &|row| {
            let s = &row.shape;
            format!("{} {}, {}, {}, {}", s.name, s.batch, s.seq_len, s.input, s.hidden)
        }),
        column("work", &|row| row.work.name().to_owned()),
        column("cell", &|row| row.cell.name().to_owned()),
        column("median", &|row| time(row.median_s)),
        column("fastest", &|row| time(row.min_s)),
        column("GFLOP/s", &|row| format!("{:.1}", row.gflops)),
        column("of roof", &|row| format!("{:.0} %", 100.0 * row.share_of_roof)),
    ];
    if report.rows.iter().any(|row| row.over_lstm.is_some_and(|ratio| ratio != 1.0)) {
        let ratio = |row: &Row| row.over_lstm.map_or("-".to_owned(), |ratio| format!("{ratio:.2}"));
        columns.push(column("of LSTM's time", &ratio));
    }
    format!(
        "{}, {}, {} thread{}, f32\nroof: {:.1} GFLOP/s, the kernels' own product of two \
         {ROOF_SIZE} x {ROOF_SIZE} \
         matrices\n\n{}",
        report.cpu.as_deref().unwrap_or("unknown processor"),
        report.isa,
        report.threads,
        if report.threads == 1 { "" } else { "s" },
        report.roof_gflops,
        table(&columns, false).trim_end()
    )
}

/// Seconds in the unit that keeps the number short.
fn time(seconds: f64) -> String {
    match seconds {
        s if s < 1e-3 => format!("{:.2} µs", s * 1e6),
        s if s < 1.0 => format!("{:.2} ms", s * 1e3),
        s => format!("{s:.2} s"),
    }
}
