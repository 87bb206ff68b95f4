//! Pictures of a judgement: which class is taken for which, and how often an answer of some confidence is right.
use super::calibration::CalibrationBin;
use crate::error::{Error, Result};
use crate::raster::Canvas;
use crate::style::{FONT, LINES};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

/// Above so many classes cells have no numbers.
const NUMBERED: usize = 30;
/// Room for the names at the left and above, in pixels.
const NAMES: i32 = 120;
const MARGIN: i32 = 12;
/// Room for a line of words.
const WORDS: i32 = 26;
const RELIABILITY: (u32, u32) = (400, 360);

type Drawn = std::result::Result<(), Box<dyn std::error::Error>>;

fn picture(error: Box<dyn std::error::Error>) -> Error {
    Error::Picture { why: error.to_string() }
}

pub(super) fn confusion_svg(confusion: &[Vec<u64>], labels: &[String]) -> Result<String> {
    let mut svg = String::new();
    let backend = SVGBackend::with_string(&mut svg, size(labels.len()));
    paint(backend, confusion, labels).map_err(picture)?;
    Ok(svg)
}

pub(super) fn confusion_png(confusion: &[Vec<u64>], labels: &[String]) -> Result<Vec<u8>> {
    let mut canvas = Canvas::new(size(labels.len()));
    paint(canvas.backend(), confusion, labels).map_err(picture)?;
    canvas.to_png().map_err(|error| picture(error.into()))
}

/// Width and height of a cell.
fn cell(classes: usize) -> i32 {
    (560 / classes.max(1) as i32).clamp(8, 90)
}

fn size(classes: usize) -> (u32, u32) {
    let side = cell(classes) * classes as i32;
    ((NAMES + side + MARGIN).max(300) as u32, (WORDS + NAMES / 2 + side + MARGIN) as u32)
}

/// From white to blue.
fn shade(share: f64) -> RGBColor {
    let mix = |c: u8| (255.0 + (f64::from(c) - 255.0) * share).round() as u8;
    RGBColor(mix(LINES[0].0), mix(LINES[0].1), mix(LINES[0].2))
}

/// A name that fits into so many pixels.
fn fitting(name: &str, pixels: i32) -> String {
    let most = (pixels / 7).max(2) as usize;
    match name.chars().count() {
        count if count <= most => name.to_owned(),
        _ => name.chars().take(most - 1).chain(['…']).collect(),
    }
}

fn words(size: i32, colour: &RGBColor, pos: Pos) -> TextStyle<'_> {
    TextStyle::from((FONT, size).into_font()).color(colour).pos(pos)
}

/// Rows are true classes, shaded by their share of the row.
fn paint<B: DrawingBackend>(backend: B, confusion: &[Vec<u64>], labels: &[String]) -> Drawn
where
    B::ErrorType: 'static,
{
    let root = backend.into_drawing_area();
    root.fill(&WHITE)?;
    let side = cell(labels.len());
    let (left, top) = (NAMES, WORDS + NAMES / 2);
    let (middle, right) =
        (Pos::new(HPos::Center, VPos::Center), Pos::new(HPos::Right, VPos::Center));
    let grey = RGBColor(0x66, 0x66, 0x66);
    root.draw_text(
        "true, down; predicted, across",
        &words(13, &grey, Pos::new(HPos::Left, VPos::Center)),
        (MARGIN, WORDS / 2 + 2),
    )?;
    let named = side >= 12;
    for (at, label) in labels.iter().enumerate() {
        let along = at as i32 * side + side / 2;
        if named {
            let name = fitting(label, NAMES - 16);
            root.draw_text(&name, &words(13, &BLACK, right), (left - 8, top + along))?;
            let name = fitting(label, side.max(30));
            // Narrow columns take turns on two lines.
            let low = if side < 60 && at % 2 == 1 { 30 } else { 12 };
            root.draw_text(&name, &words(13, &BLACK, middle), (left + along, top - low))?;
        }
    }
    for (truth, row) in confusion.iter().enumerate() {
        let sum: u64 = row.iter().sum();
        for (predicted, count) in row.iter().enumerate() {
            let share = *count as f64 / (sum as f64).max(1.0);
            let (x, y) = (left + predicted as i32 * side, top + truth as i32 * side);
            let area = [(x, y), (x + side - 1, y + side - 1)];
            root.draw(&Rectangle::new(area, shade(share).filled()))?;
            root.draw(&Rectangle::new(area, RGBColor(0xdd, 0xdd, 0xdd).stroke_width(1)))?;
            if labels.len() <= NUMBERED && side >= 18 && *count > 0 {
                let colour = if share > 0.5 { WHITE } else { BLACK };
                let size = (side / 3).clamp(8, 15);
                let at = (x + side / 2, y + side / 2);
                root.draw_text(&count.to_string(), &words(size, &colour, middle), at)?;
            }
        }
    }
    root.present()?;
    Ok(())
}

/// How often answers of some confidence are right; on the diagonal they are honest.
pub(super) fn reliability_svg(bins: &[CalibrationBin]) -> Result<String> {
    let mut svg = String::new();
    let backend = SVGBackend::with_string(&mut svg, RELIABILITY);
    paint_reliability(backend, bins).map_err(picture)?;
    Ok(svg)
}

fn paint_reliability<B: DrawingBackend>(backend: B, bins: &[CalibrationBin]) -> Drawn
where
    B::ErrorType: 'static,
{
    let root = backend.into_drawing_area();
    root.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&root)
        .margin(MARGIN)
        .x_label_area_size(40)
        .y_label_area_size(50)
        .build_cartesian_2d(0.0..1.0, 0.0..1.0)?;
    chart
        .configure_mesh()
        .light_line_style(WHITE)
        .x_desc("confidence")
        .y_desc("share that is right")
        .label_style((FONT, 12))
        .axis_desc_style((FONT, 13))
        .draw()?;
    let honest = RGBColor(0xaa, 0xaa, 0xaa);
    chart.draw_series(LineSeries::new([(0.0, 0.0), (1.0, 1.0)], honest))?;
    let most = bins.iter().map(|bin| bin.count).max().unwrap_or(1) as f64;
    let points: Vec<(f64, f64)> = bins.iter().map(|bin| (bin.confidence, bin.accuracy)).collect();
    chart.draw_series(LineSeries::new(points.clone(), LINES[0].stroke_width(2)))?;
    let dots = points.iter().zip(bins).map(|(point, bin)| {
        let size = 2.0 + 5.0 * (bin.count as f64 / most).sqrt();
        Circle::new(*point, size as i32, LINES[0].filled())
    });
    chart.draw_series(dots)?;
    root.present()?;
    Ok(())
}
