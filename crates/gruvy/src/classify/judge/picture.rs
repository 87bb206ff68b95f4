//! Pictures of a judgement: which class is taken for which, and how often an answer of some
//! confidence is right.
use super::calibration::CalibrationBin;
use crate::draw::raster::Canvas;
use crate::draw::style::{Drawn, FONT, LINES, picture, tint};
use crate::error::Result;
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

/// Above so many classes cells have no numbers and no borders.
const NUMBERED: usize = 30;
/// Above so many classes they have no names either.
const NAMED: usize = 100;
/// Letters of a name that are shown, and the width of one in pixels.
const LETTERS: usize = 22;
const LETTER: i32 = 7;
const MARGIN: i32 = 12;
/// Room for what the axes are, beside the names.
const WORDS: i32 = 24;
const BORDER: RGBColor = RGBColor(0xdd, 0xdd, 0xdd);
const RELIABILITY: (u32, u32) = (400, 360);

pub(super) fn confusion_svg(confusion: &[Vec<u64>], labels: &[String]) -> Result<String> {
    let mut svg = String::new();
    let backend = SVGBackend::with_string(&mut svg, Places::size(labels));
    paint(backend, confusion, labels).map_err(picture)?;
    Ok(svg)
}

pub(super) fn confusion_png(confusion: &[Vec<u64>], labels: &[String]) -> Result<Vec<u8>> {
    let mut canvas = Canvas::new(Places::size(labels));
    paint(canvas.backend(), confusion, labels).map_err(picture)?;
    canvas.to_png().map_err(|error| picture(error.into()))
}

/// Where things are, in pixels.
struct Places {
    /// Width and height of a cell.
    side: i32,
    /// `[K]` as they are written.
    names: Vec<String>,
    /// Where cells begin.
    left: i32,
    top: i32,
    /// Whether names of columns are written upwards, for want of room.
    upright: bool,
}

impl Places {
    fn new(labels: &[String]) -> Self {
        let classes = labels.len().max(1);
        let side = match classes {
            0..=NAMED => (560 / classes as i32).clamp(14, 84),
            _ => (1400 / classes as i32).max(2),
        };
        let names: Vec<String> = match classes {
            0..=NAMED => labels.iter().map(|label| shortened(label)).collect(),
            _ => Vec::new(),
        };
        let longest = names.iter().map(|name| name.chars().count()).max().unwrap_or(0);
        let longest = longest as i32 * LETTER + 10;
        let upright = longest > side;
        let above = if upright { longest } else { 24 };
        Self { side, names, left: MARGIN + WORDS + longest, top: MARGIN + WORDS + above, upright }
    }

    fn size(labels: &[String]) -> (u32, u32) {
        let places = Self::new(labels);
        let cells = places.side * labels.len() as i32;
        let size = |before: i32| (before + cells + MARGIN).max(160) as u32;
        (size(places.left), size(places.top))
    }
}

/// A long name without its middle: names often begin alike, or end alike.
fn shortened(name: &str) -> String {
    let letters: Vec<char> = name.chars().collect();
    if letters.len() <= LETTERS {
        return name.to_owned();
    }
    let end = LETTERS / 3;
    let (first, last) = (&letters[..LETTERS - end - 1], &letters[letters.len() - end..]);
    first.iter().chain(&['…']).chain(last).collect()
}

fn words(size: i32, colour: &RGBColor, pos: Pos) -> TextStyle<'_> {
    TextStyle::from((FONT, size).into_font()).color(colour).pos(pos)
}

fn upright(style: TextStyle<'_>) -> TextStyle<'_> {
    style.transform(FontTransform::Rotate270)
}

/// Rows are true classes, shaded by their share of the row.
fn paint<B: DrawingBackend>(backend: B, confusion: &[Vec<u64>], labels: &[String]) -> Drawn
where
    B::ErrorType: 'static,
{
    let root = backend.into_drawing_area();
    root.fill(&WHITE)?;
    let places = Places::new(labels);
    let &Places { side, left, top, .. } = &places;
    axes(&root, &places, labels.len() as i32)?;
    let small = labels.len() > NUMBERED;
    for (truth, row) in confusion.iter().enumerate() {
        let sum: u64 = row.iter().sum();
        for (predicted, count) in row.iter().enumerate() {
            let share = *count as f64 / (sum as f64).max(1.0);
            let (x, y) = (left + predicted as i32 * side, top + truth as i32 * side);
            let area = [(x, y), (x + side, y + side)];
            if *count > 0 {
                root.draw(&Rectangle::new(area, tint(LINES[0], share).filled()))?;
            }
            if small {
                continue;
            }
            root.draw(&Rectangle::new(area, BORDER.stroke_width(1)))?;
            if *count > 0 {
                let colour = if share > 0.5 { WHITE } else { BLACK };
                let text = count.to_string();
                let room = 3 * side / (2 * text.len() as i32);
                let style = words(
                    room.min(side / 2).clamp(7, 15),
                    &colour,
                    Pos::new(HPos::Center, VPos::Center),
                );
                root.draw_text(&text, &style, (x + side / 2, y + side / 2))?;
            }
        }
    }
    let end = side * labels.len() as i32;
    let frame = [(left, top), (left + end, top + end)];
    root.draw(&Rectangle::new(frame, BORDER.stroke_width(1)))?;
    root.present()?;
    Ok(())
}

/// Names of the classes, and what the axes are.
fn axes<B: DrawingBackend>(root: &DrawingArea<B, Shift>, places: &Places, classes: i32) -> Drawn
where
    B::ErrorType: 'static,
{
    let &Places { side, left, top, .. } = places;
    let center = Pos::new(HPos::Center, VPos::Center);
    let grey = RGBColor(0x66, 0x66, 0x66);
    let (middle, line) = (side * classes / 2, MARGIN + WORDS / 3);
    root.draw_text("predicted", &words(14, &grey, center), (left + middle, line))?;
    root.draw_text("true", &upright(words(14, &grey, center)), (line, top + middle))?;
    let size = side.min(13);
    for (at, name) in places.names.iter().enumerate() {
        let along = at as i32 * side + side / 2;
        let row = words(size, &BLACK, Pos::new(HPos::Right, VPos::Center));
        root.draw_text(name, &row, (left - 7, top + along))?;
        if places.upright {
            let column = upright(words(size, &BLACK, Pos::new(HPos::Left, VPos::Center)));
            root.draw_text(name, &column, (left + along, top - 7))?;
        } else {
            root.draw_text(name, &words(size, &BLACK, center), (left + along, top - 12))?;
        }
    }
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
        .margin_right(2 * MARGIN)
        .x_label_area_size(40)
        .y_label_area_size(50)
        .build_cartesian_2d(0.0..1.0, 0.0..1.0)?;
    chart
        .configure_mesh()
        .x_labels(6)
        .y_labels(6)
        .light_line_style(WHITE)
        .bold_line_style(BLACK.mix(0.12))
        .axis_style(BLACK.mix(0.5))
        .x_desc("confidence")
        .y_desc("share that is right")
        .label_style((FONT, 12).into_font().color(&BLACK.mix(0.75)))
        .axis_desc_style((FONT, 13).into_font().color(&BLACK.mix(0.75)))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_names_lose_their_middle() {
        assert_eq!(shortened("talk.politics.mideast"), "talk.politics.mideast");
        assert_eq!(shortened("comp.sys.ibm.pc.hardware"), "comp.sys.ibm.p…ardware");
        assert_eq!(shortened(&"é".repeat(40)).chars().count(), LETTERS);
    }

    #[test]
    fn pictures_grow_with_classes_within_bounds() {
        for classes in [0, 1, 2, 7, 30, 31, 100, 101, 700] {
            let labels: Vec<String> = (0..classes).map(|k| format!("class {k}")).collect();
            let (width, height) = Places::size(&labels);
            assert!((160..1700).contains(&width) && (160..1700).contains(&height), "{classes}");
            let confusion = vec![vec![3; classes]; classes];
            let svg = confusion_svg(&confusion, &labels).unwrap();
            assert_eq!(svg.contains("class 0"), (1..=NAMED).contains(&classes));
            let numbers = svg.matches("\n3\n").count();
            assert_eq!(numbers, if classes <= NUMBERED { classes * classes } else { 0 });
        }
    }
}
