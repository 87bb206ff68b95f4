//! The curves of all cells in one picture: validation loss over epochs. A thick line is the mean of
//! a cell's runs as far as all of them go, thin ones are the runs.
use super::report::{CellReport, Report, RunReport};
use crate::draw::style::{FONT, LINES};
use crate::error::{Error, Result};
use crate::train::report::Record;
use gruvy_runtime::model::write_atomic;
use plotters::prelude::*;
use std::path::Path;

const SIZE: (u32, u32) = (800, 480);
/// Losses that differ by more than this factor are drawn on a logarithmic axis.
const LOGARITHMIC: f64 = 20.0;
/// That share of the epochs is left out: the fall from the untrained model, beside which all
/// differences are too small to see.
const LEFT_OUT: f64 = 0.1;

type Curve = Vec<(f64, f64)>;

/// What is drawn of one cell.
struct Lines {
    name: String,
    color: RGBColor,
    runs: Vec<Curve>,
    mean: Curve,
}

/// Writes the picture, if there is anything to draw.
pub(super) fn write(path: &Path, report: &Report) -> Result<()> {
    let svg = draw(report).map_err(|why| Error::Curves { path: path.to_owned(), why })?;
    svg.map_or(Ok(()), |svg| Ok(write_atomic(path, svg.as_bytes())?))
}

/// An SVG; none as long as nothing was evaluated. Without validation data the training loss is
/// drawn.
fn draw(report: &Report) -> Result<Option<String>, String> {
    let records = || report.cells.iter().flat_map(|c| &c.runs).flat_map(|run| &run.records);
    let validated = records().any(|record| record.valid.is_some());
    let last = records().map(|record| record.epoch).fold(0.0, f64::max);
    let point = |r: &Record| {
        let metrics = if validated { r.valid.as_ref()? } else { &r.train };
        Some((r.epoch, *metrics.get("loss")?))
    };
    let curve = |run: &RunReport| -> Curve {
        let shown = run.records.iter().filter(|r| r.epoch >= LEFT_OUT * last);
        shown.filter_map(point).collect()
    };
    let cells = report.cells.iter().zip(LINES.into_iter().cycle());
    let lines = cells.map(|(c, color)| Lines::new(c, color, c.runs.iter().map(curve).collect()));
    let lines: Vec<Lines> = lines.collect();
    if lines.iter().all(|lines| lines.runs.iter().all(Vec::is_empty)) {
        return Ok(None);
    }
    let part = if validated { "validation" } else { "training" };
    let mut svg = String::new();
    paint(&mut svg, &lines, &format!("{part} loss ({})", report.loss))
        .map_err(|e| e.to_string())?;
    Ok(Some(svg))
}

impl Lines {
    fn new(cell: &CellReport, color: RGBColor, runs: Vec<Curve>) -> Self {
        let common = runs.iter().map(Vec::len).min().unwrap_or(0);
        let mean = |i: usize| {
            let sum: f64 = runs.iter().map(|run| run[i].1).sum();
            (runs[0][i].0, sum / runs.len() as f64)
        };
        let mean: Curve = (0..common).map(mean).collect();
        let mut name = format!("{}, {} units", cell.cell.name(), cell.hidden);
        if runs.len() > 1 {
            name += &format!(", mean of {}", runs.len());
        }
        Self { name, color, runs, mean }
    }
}

/// The loss axis: as it is, or its decimal logarithm.
#[derive(Clone, Copy)]
struct Axis {
    logarithmic: bool,
    low: f64,
    high: f64,
}

impl Axis {
    fn of(losses: impl Iterator<Item = f64> + Clone) -> Self {
        let low = losses.clone().fold(f64::MAX, f64::min);
        let high = losses.fold(f64::MIN, f64::max);
        let mut axis = Self { logarithmic: low > 0.0 && high / low > LOGARITHMIC, low, high };
        (axis.low, axis.high) = (axis.place(low), axis.place(high));
        let room = ((axis.high - axis.low) * 0.06).max(0.01);
        (axis.low, axis.high) = (axis.low - room, axis.high + room);
        axis
    }

    fn place(self, loss: f64) -> f64 {
        if self.logarithmic { loss.log10() } else { loss }
    }

    fn label(self, place: f64) -> String {
        let range = if self.logarithmic { place } else { (self.high - self.low).log10() };
        let decimals = (1.0 - range).ceil().max(2.0) as usize;
        let loss = if self.logarithmic { 10f64.powf(place) } else { place };
        // Two digits that count; beyond a ten-thousandth, zeros are hard to count.
        if decimals > 5 { format!("{loss:.1e}") } else { format!("{loss:.decimals$}") }
    }
}

fn paint(svg: &mut String, lines: &[Lines], loss: &str) -> Result<(), Box<dyn std::error::Error>> {
    let root = SVGBackend::with_string(svg, SIZE).into_drawing_area();
    root.fill(&WHITE)?;
    let points = || lines.iter().flat_map(|l| l.runs.iter().flatten());
    let axis = Axis::of(points().map(|p| p.1));
    let last = points().map(|p| p.0).fold(f64::MIN, f64::max);
    let mut chart = ChartBuilder::on(&root)
        .margin(16)
        .x_label_area_size(44)
        .y_label_area_size(70)
        .build_cartesian_2d(0.0..last, axis.low..axis.high)?;
    chart
        .configure_mesh()
        .x_desc("epochs (curves begin after the first tenth)")
        .y_desc(if axis.logarithmic { format!("{loss}, logarithmic") } else { loss.to_owned() })
        .y_label_formatter(&|place| axis.label(*place))
        .light_line_style(WHITE)
        .bold_line_style(BLACK.mix(0.12))
        .axis_style(BLACK.mix(0.6))
        .label_style((FONT, 14))
        .axis_desc_style((FONT, 15))
        .draw()?;
    for Lines { name, color, runs, mean } in lines.iter().filter(|l| !l.runs.is_empty()) {
        let place = |(epoch, loss): &(f64, f64)| (*epoch, axis.place(*loss));
        let color = *color;
        if runs.len() > 1 {
            for run in runs {
                let thin = color.mix(0.5).stroke_width(1);
                chart.draw_series(LineSeries::new(run.iter().map(place), thin))?;
            }
        }
        chart
            .draw_series(LineSeries::new(mean.iter().map(place), color.stroke_width(2)))?
            .label(name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], color.stroke_width(2)));
        if let [only] = &mean[..] {
            chart.draw_series([Circle::new(place(only), 3, color.filled())])?;
        }
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperRight)
        .background_style(WHITE.mix(0.85))
        .border_style(BLACK.mix(0.3))
        .label_font((FONT, 14))
        .draw()?;
    root.present()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::matching::Match;
    use crate::train::report::Metrics;
    use gruvy_kernels::Cell;

    /// A cell with a run for each list of validation losses, one an epoch.
    fn cell(cell: Cell, runs: &[&[f64]]) -> CellReport {
        let record = |(i, loss): (usize, &f64)| {
            let metrics = Metrics::from([("loss".to_owned(), *loss)]);
            let (epoch, valid) = (i as f64 + 1.0, Some(metrics.clone()));
            let step = i as u64 + 1;
            Record {
                step,
                epoch,
                lr: 0.1,
                train: metrics,
                valid,
                best: true,
                elapsed_s: 1.0,
                train_s: 1.0,
            }
        };
        let run = |losses: &&[f64]| RunReport {
            records: losses.iter().enumerate().map(record).collect(),
            ..RunReport::new("run".into(), 1)
        };
        CellReport { cell, hidden: 7, parameters: 9, runs: runs.iter().map(run).collect() }
    }

    fn report(cells: Vec<CellReport>) -> Report {
        Report {
            task: "text".into(),
            unit: "tokens".into(),
            loss: "nats".into(),
            matching: Match::Hidden,
            budget: 9,
            seeds: vec![1, 2],
            data_fingerprint: String::new(),
            settings: String::new(),
            cells,
        }
    }

    #[test]
    fn a_cell_has_a_color_a_mean_and_thin_lines() {
        let two = cell(Cell::Gru, &[&[3.0, 2.0, 1.5], &[2.8, 2.2, 1.7, 1.6]]);
        let svg = draw(&report(vec![two, cell(Cell::GruV3, &[&[2.9, 2.5]])])).unwrap().unwrap();
        for text in
            ["epochs", "validation loss (nats)", "gru, 7 units, mean of 2", "gru-v3, 7 units"]
        {
            assert!(svg.contains(text), "{text} is missing");
        }
        let lines = |color: &str, width: u32| {
            svg.matches(&format!("stroke=\"{color}\" stroke-width=\"{width}\"")).count()
        };
        assert_eq!((lines("#1F6FB4", 1), lines("#1F6FB4", 2)), (2, 2), "runs; mean and legend");
        assert_eq!((lines("#D95F02", 1), lines("#D95F02", 2)), (0, 2), "one run is its own mean");
        assert!(!svg.contains("logarithmic"));
    }

    #[test]
    fn losses_far_apart_are_drawn_logarithmically_and_runs_without_any_are_no_harm() {
        let far = report(vec![cell(Cell::Gru, &[&[0.2, 1e-4], &[]]), cell(Cell::GruV3, &[])]);
        assert!(draw(&far).unwrap().unwrap().contains("validation loss (nats), logarithmic"));
        assert_eq!(draw(&report(vec![cell(Cell::Gru, &[&[]])])).unwrap(), None);
    }
}
