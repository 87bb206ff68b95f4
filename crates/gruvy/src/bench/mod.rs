//! How fast the kernels are on this machine: one layer over a batch of sequences, for some shapes
//! and cells.
//!
//! ```
//! use gruvy::bench::{BenchConfig, Shape, run};
//! let config = BenchConfig { shapes: vec![Shape::from_name("step").unwrap()], seconds: 0.01, ..Default::default() };
//! let report = run(&config, |what| eprintln!("{what}"))?;
//! assert!(report.rows.iter().all(|row| row.gflops > 0.0));
//! # Ok::<_, gruvy::Error>(())
//! ```
//!
//! The cells of a shape are timed in turn, so that what else the machine does meets all of them.
//! `f32`, one layer, one direction, biases, full lengths; the threads are those of the current
//! rayon pool.

pub(crate) mod layer;
pub(crate) mod shape;

pub use shape::{Shape, Work};

use crate::error::{Error, Result};
use gruvy_kernels::{Cell, Isa, Linear};
use layer::{Bench, values};
use serde::Serialize;
use std::fs;
use std::time::Instant;

/// What to measure, and for how long.
#[derive(Clone, Debug)]
pub struct BenchConfig {
    /// The cells.
    pub cells: Vec<Cell>,
    /// The shapes.
    pub shapes: Vec<Shape>,
    /// Seconds for each row; a row with long calls takes longer, as it has two at least.
    pub seconds: f64,
}

impl Default for BenchConfig {
    fn default() -> Self {
        Self { cells: vec![Cell::Gru, Cell::Lstm], shapes: Shape::ALL.into(), seconds: 1.5 }
    }
}

/// What was measured.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The processor, where the system tells.
    pub cpu: Option<String>,
    /// The instruction set that the kernels chose.
    pub isa: String,
    /// Threads of the pool.
    pub threads: usize,
    /// GFLOP/s of the fastest call of the kernels' own product of two square matrices of
    /// [`ROOF_SIZE`]: what a share of the roof is a share of.
    pub roof_gflops: f64,
    /// One for each shape, work and cell.
    pub rows: Vec<Row>,
}

/// One cell at one shape.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// The sizes.
    pub shape: Shape,
    /// What a call does.
    pub work: Work,
    /// The recurrence.
    pub cell: Cell,
    /// Calls that were timed.
    pub calls: usize,
    /// Seconds of the median call.
    pub median_s: f64,
    /// Seconds of the fastest call.
    pub min_s: f64,
    /// The products' 10⁹ floating-point operations a second, in the median call.
    pub gflops: f64,
    /// `gflops` over the roof.
    pub share_of_roof: f64,
    /// The median over that of the LSTM at the same shape and work, if it was measured.
    pub over_lstm: Option<f64>,
}

/// Rows and columns of the matrices whose product is the roof.
pub const ROOF_SIZE: usize = 2048;
/// Parts of a row's time, between which the other cells have theirs.
const ROUNDS: f64 = 5.0;

/// Nobody waits longer for a number.
const MOST_SECONDS: f64 = 3600.0;

/// Measures, and names each shape and work before it begins.
///
/// # Errors
/// [`Error::Setting`] for no cells, no shapes, or seconds that are not above 0 and at most an hour.
pub fn run(config: &BenchConfig, mut progress: impl FnMut(&str)) -> Result<Report> {
    let BenchConfig { cells, shapes, seconds } = config;
    if cells.is_empty() {
        return Err(Error::setting("cells", "", "at least one"));
    }
    if shapes.is_empty() {
        return Err(Error::setting("shapes", "", "at least one"));
    }
    if !(*seconds > 0.0 && *seconds <= MOST_SECONDS) {
        let why = format!("expected a number above 0, at most {MOST_SECONDS}");
        return Err(Error::setting("seconds", seconds, why));
    }
    progress("roof");
    let roof_gflops = roof(*seconds);
    let mut rows = Vec::new();
    for shape in shapes {
        for &work in shape.work() {
            progress(&format!("{} {}", shape.name, work.name()));
            rows.extend(measure(cells, *shape, work, config.seconds, roof_gflops));
        }
    }
    let (isa, threads) = (format!("{:?}", Isa::best()), rayon::current_num_threads());
    Ok(Report { cpu: cpu(), isa, threads, roof_gflops, rows })
}

/// A row for each cell.
fn measure(cells: &[Cell], shape: Shape, work: Work, seconds: f64, roof: f64) -> Vec<Row> {
    let mut benches: Vec<_> = cells.iter().map(|&cell| Bench::new(cell, shape)).collect();
    let mut calls: Vec<Vec<f64>> = vec![Vec::new(); cells.len()];
    for bench in &mut benches {
        bench.run(work);
    }
    let mut spent = 0.0;
    while spent < seconds * cells.len() as f64 || calls.iter().any(|calls| calls.len() < 2) {
        for (bench, calls) in benches.iter_mut().zip(&mut calls) {
            spent += time(calls, seconds / ROUNDS, || bench.run(work));
        }
    }
    let medians = cells.iter().zip(&mut calls).map(|(&cell, calls)| {
        calls.sort_by(f64::total_cmp);
        (cell, calls[calls.len() / 2])
    });
    let medians: Vec<_> = medians.collect();
    let lstm = medians.iter().find(|(cell, _)| *cell == Cell::Lstm).map(|&(_, median)| median);
    let row = |(&(cell, median_s), calls): (&(Cell, f64), &Vec<f64>)| {
        let gflops = work.flops(cell, &shape) / median_s / 1e9;
        let over_lstm = lstm.map(|lstm| median_s / lstm);
        let (share_of_roof, min_s) = (gflops / roof, calls[0]);
        Row {
            shape,
            work,
            cell,
            calls: calls.len(),
            median_s,
            min_s,
            gflops,
            share_of_roof,
            over_lstm,
        }
    };
    medians.iter().zip(&calls).map(row).collect()
}

/// Adds the seconds of one call, and of more until the block is over; gives what all of them took.
fn time(calls: &mut Vec<f64>, block_s: f64, mut call: impl FnMut()) -> f64 {
    let mut spent = 0.0;
    while spent == 0.0 || spent < block_s {
        let start = Instant::now();
        call();
        let seconds = start.elapsed().as_secs_f64().max(f64::MIN_POSITIVE);
        calls.push(seconds);
        spent += seconds;
    }
    spent
}

/// GFLOP/s of a large product.
fn roof(seconds: f64) -> f64 {
    const N: usize = ROOF_SIZE;
    let (a, b, mut c) = (values(N * N, 1.0), values(N * N, 1.0), vec![0.0; N * N]);
    let product = Linear::new(N, N, &b, None);
    let mut calls = Vec::new();
    product.apply(N, &a, &mut c);
    time(&mut calls, seconds, || product.apply(N, &a, &mut c));
    2.0 * (N as f64).powi(3) / calls.into_iter().fold(f64::INFINITY, f64::min) / 1e9
}

/// The processor's name, as Linux tells it.
fn cpu() -> Option<String> {
    let info = fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = info.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(name: &'static str) -> Shape {
        Shape::new(name, [3, 5, 2, 7])
    }

    #[test]
    fn every_cell_has_its_rows_and_its_ratio() {
        let config =
            BenchConfig { cells: Cell::ALL.into(), shapes: vec![shape("tiny")], seconds: 1e-4 };
        let mut said = Vec::new();
        let report = run(&config, |what| said.push(what.to_owned())).unwrap();
        assert_eq!(said, ["roof", "tiny forward", "tiny train"]);
        assert_eq!(report.rows.len(), 2 * Cell::ALL.len());
        let lstm = |work| report.rows.iter().find(|r| r.cell == Cell::Lstm && r.work == work);
        for row in &report.rows {
            assert!(row.calls >= 2 && row.min_s <= row.median_s && row.gflops > 0.0, "{row:?}");
            let ratio = row.median_s / lstm(row.work).unwrap().median_s;
            assert_eq!(row.over_lstm, Some(ratio));
        }
    }

    #[test]
    fn operations_are_those_of_the_products() {
        // Per row and step: 3 gates of 7 units over 2 inputs and 7 states.
        let forward = 2.0 * 15.0 * (3 * 7 * (2 + 7)) as f64;
        assert_eq!(Work::Forward.flops(Cell::Gru, &shape("tiny")), forward);
        assert_eq!(Work::Train.flops(Cell::Gru, &shape("tiny")), 3.0 * forward);
        // A minGRU's gates do not see the state.
        assert_eq!(Work::Forward.flops(Cell::MinGru, &shape("tiny")), 2.0 * 15.0 * 28.0);
    }

    #[test]
    fn senseless_settings_are_named() {
        let wrong = |config: BenchConfig| run(&config, |_| ()).unwrap_err().to_string();
        let default = BenchConfig::default;
        assert!(wrong(BenchConfig { cells: vec![], ..default() }).contains("cells"));
        assert!(wrong(BenchConfig { shapes: vec![], ..default() }).contains("shapes"));
        for seconds in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(wrong(BenchConfig { seconds, ..default() }).contains("seconds"), "{seconds}");
        }
    }
}
