//! The curves of a run as a picture: loss over steps, training and validation, the best point
//! marked.
use super::report::{Metrics, Record};
use crate::draw::style::{FONT, LINES};
use crate::error::{Error, Result};
use gruvy_runtime::model::write_atomic;
use plotters::prelude::*;
use std::path::Path;

const SIZE: (u32, u32) = (800, 480);
const TRAIN: RGBColor = LINES[0];
const VALID: RGBColor = LINES[1];

type Point = (f64, f64);

/// Writes the picture of at least one evaluation.
pub(super) fn write(path: &Path, records: &[Record]) -> Result<()> {
    let svg = draw(records).map_err(|why| Error::Curves { path: path.to_owned(), why })?;
    Ok(write_atomic(path, svg.as_bytes())?)
}

/// An SVG of at least one evaluation.
fn draw(records: &[Record]) -> Result<String, String> {
    let curve = |metrics: fn(&Record) -> Option<&Metrics>| -> Vec<Point> {
        let point = |r: &Record| Some((r.step as f64, *metrics(r)?.get("loss")?));
        records.iter().filter_map(point).collect()
    };
    let (train, valid) = (curve(|r| Some(&r.train)), curve(|r| r.valid.as_ref()));
    let best = records.iter().rfind(|r| r.best && r.valid.is_some());
    let best = best.and_then(|r| Some((r.step as f64, *r.valid.as_ref()?.get("loss")?)));
    let mut svg = String::new();
    paint(&mut svg, &train, &valid, best).map_err(|e| e.to_string())?;
    Ok(svg)
}

fn paint(
    svg: &mut String,
    train: &[Point],
    valid: &[Point],
    best: Option<Point>,
) -> Result<(), Box<dyn std::error::Error>> {
    let root = SVGBackend::with_string(svg, SIZE).into_drawing_area();
    root.fill(&WHITE)?;
    let losses = || train.iter().chain(valid).map(|p| p.1);
    let (low, high) = (losses().fold(f64::MAX, f64::min), losses().fold(f64::MIN, f64::max));
    let room = ((high - low) * 0.06).max(0.01);
    let last = train.iter().chain(valid).map(|p| p.0).fold(1.0, f64::max);
    let mut chart = ChartBuilder::on(&root)
        .margin(16)
        .x_label_area_size(44)
        .y_label_area_size(60)
        .build_cartesian_2d(0.0..last, low - room..high + room)?;
    chart
        .configure_mesh()
        .x_desc("optimizer steps")
        .y_desc("loss (nats)")
        .x_label_formatter(&|v| format!("{v:.0}"))
        .y_label_formatter(&|v| format!("{v:.2}"))
        .light_line_style(WHITE)
        .bold_line_style(BLACK.mix(0.12))
        .axis_style(BLACK.mix(0.6))
        .label_style((FONT, 14))
        .axis_desc_style((FONT, 15))
        .draw()?;
    for (points, color, name) in [(train, TRAIN, "training"), (valid, VALID, "validation")] {
        if points.is_empty() {
            continue;
        }
        chart
            .draw_series(LineSeries::new(points.iter().copied(), color.stroke_width(2)))?
            .label(name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], color.stroke_width(2)));
        if let [only] = points {
            chart.draw_series([Circle::new(*only, 3, color.filled())])?;
        }
    }
    if let Some(best) = best {
        chart
            .draw_series([Circle::new(best, 5, VALID.filled())])?
            .label(format!("best: {:.4} at step {:.0}", best.1, best.0))
            .legend(|(x, y)| Circle::new((x + 9, y), 5, VALID.filled()));
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

    fn record(step: u64, train: f64, valid: Option<f64>, best: bool) -> Record {
        let metrics = |loss| Metrics::from([("loss".to_owned(), loss)]);
        let (train, valid) = (metrics(train), valid.map(metrics));
        Record { step, epoch: 1.0, lr: 0.1, train, valid, best, elapsed_s: 1.0, train_s: 1.0 }
    }

    #[test]
    fn the_picture_names_its_axes_its_curves_and_the_best_point() {
        let records = [
            record(10, 3.0, Some(3.1), true),
            record(20, 2.0, Some(2.25), true),
            record(30, 1.5, Some(2.4), false),
        ];
        let svg = draw(&records).unwrap();
        for text in
            ["optimizer steps", "loss (nats)", "training", "validation", "2.2500 at step 20"]
        {
            assert!(svg.contains(text), "{text} is missing");
        }
        for color in ["#1F6FB4", "#D95F02"] {
            let curve = format!("stroke=\"{color}\" stroke-width=\"2\"");
            assert_eq!(svg.matches(&curve).count(), 2, "a curve and its legend in {color}");
        }
    }

    #[test]
    fn without_validation_there_is_one_curve_and_no_best_point() {
        let svg = draw(&[record(10, 3.0, None, true)]).unwrap();
        assert!(svg.contains("training") && !svg.contains("validation") && !svg.contains("best"));
    }
}
