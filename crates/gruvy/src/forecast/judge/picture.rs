//! Fan charts: what was observed, and a forecast with its intervals, widest first, around the
//! median.
//!
//! A chart begins some seasons or horizons before the origin, which is marked by a line. The fan
//! opens at the last observed value. What was observed after the origin is drawn over it.
use super::ticks::{TimeAxis, tick_number};
use crate::draw::raster::Canvas;
use crate::draw::style::{Drawn, FONT, LINES, picture, tint};
use crate::error::Result;
use gruvy_runtime::forecast::Forecast;
use plotters::coord::Shift;
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

/// A chart alone, and each of several in two columns.
const ALONE: (u32, u32) = (900, 420);
const IN_GRID: (u32, u32) = (600, 320);
const LEGEND: u32 = 34;
const TITLE: i32 = 24;
const BELOW: u32 = 30;
const LEFT: u32 = 66;
const MARGIN: i32 = 16;
const OBSERVED: RGBColor = RGBColor(0x2b, 0x31, 0x3a);
const MEDIAN: RGBColor = LINES[0];
/// Up to so many observed values after the origin have a dot each.
const DOTS: usize = 60;
/// A letter of the legend, in pixels.
const LETTER: i32 = 7;

/// What is drawn of one series.
pub struct FanChart<'a> {
    /// What stands above it.
    pub title: String,
    /// `[N]` what was observed, NaN where missing; it may go on after the origin.
    pub y: &'a [f64],
    /// The forecast.
    pub forecast: &'a Forecast,
    /// Steps of a season; 1: none. It says where labels go, and how much of the past is shown.
    pub season: usize,
    /// What to call a step of the series on the time axis, such as its date.
    pub label: Box<dyn Fn(usize) -> String + 'a>,
}

type Area<B> = DrawingArea<B, Shift>;
type Chart<'a, B> = ChartContext<'a, B, Cartesian2d<RangedCoordf64, RangedCoordf64>>;

/// The charts as one SVG, several in two columns.
///
/// # Errors
/// [`Error::Picture`](crate::Error::Picture) with what the plotting library said.
pub fn fan_svg(charts: &[FanChart<'_>]) -> Result<String> {
    let mut svg = String::new();
    paint(SVGBackend::with_string(&mut svg, size(charts)), charts).map_err(picture)?;
    Ok(svg)
}

/// The same picture as the content of a PNG file, twice as wide and high.
///
/// # Errors
/// [`Error::Picture`](crate::Error::Picture) with what the drawing libraries said.
pub fn fan_png(charts: &[FanChart<'_>]) -> Result<Vec<u8>> {
    let mut canvas = Canvas::new(size(charts));
    paint(canvas.backend(), charts).map_err(picture)?;
    canvas.to_png().map_err(|error| picture(error.into()))
}

/// Columns and rows.
fn grid(charts: &[FanChart<'_>]) -> (usize, usize) {
    let columns = charts.len().clamp(1, 2);
    (columns, charts.len().div_ceil(columns).max(1))
}

fn size(charts: &[FanChart<'_>]) -> (u32, u32) {
    let (width, height) = if charts.len() > 1 { IN_GRID } else { ALONE };
    let (columns, rows) = grid(charts);
    (width * columns as u32, LEGEND + height * rows as u32)
}

fn paint<B: DrawingBackend>(backend: B, charts: &[FanChart<'_>]) -> Drawn
where
    B::ErrorType: 'static,
{
    let root = backend.into_drawing_area();
    root.fill(&WHITE)?;
    let (head, body) = root.split_vertically(LEGEND);
    if let Some(first) = charts.first() {
        legend(&head, first.forecast)?;
    }
    let (columns, rows) = grid(charts);
    for (area, chart) in body.split_evenly((rows, columns)).iter().zip(charts) {
        fan(&root, area, chart)?;
    }
    root.present()?;
    Ok(())
}

/// The colour of the i-th of n intervals, from the widest on.
fn shade(i: usize, n: usize) -> RGBColor {
    let share = 0.18 + 0.37 * i as f64 / (n.max(2) - 1) as f64;
    tint(MEDIAN, share)
}

fn legend<B: DrawingBackend>(area: &Area<B>, forecast: &Forecast) -> Drawn
where
    B::ErrorType: 'static,
{
    let intervals: Vec<f64> = forecast.intervals().map(|(nominal, ..)| nominal).collect();
    let center = if forecast.quantile(0.5).is_some() { "median" } else { "mean" };
    let mut x = MARGIN;
    let y = LEGEND as i32 / 2 + 2;
    let words = |x: &mut i32, text: String| -> Drawn {
        let style = (FONT, 15).into_font().color(&BLACK.mix(0.75));
        let style = style.pos(Pos::new(HPos::Left, VPos::Center));
        *x += 26;
        area.draw(&Text::new(text.clone(), (*x, y), style))?;
        *x += text.chars().count() as i32 * LETTER + 18;
        Ok(())
    };
    for (text, color) in [("observed", OBSERVED), (center, MEDIAN)] {
        area.draw(&PathElement::new([(x, y), (x + 20, y)], color.stroke_width(2)))?;
        words(&mut x, text.to_owned())?;
    }
    for (i, nominal) in intervals.iter().enumerate() {
        let color = shade(i, intervals.len());
        area.draw(&Rectangle::new([(x, y - 6), (x + 20, y + 6)], color.filled()))?;
        let what = if i == 0 { "interval " } else { "" };
        words(&mut x, format!("{what}{:.0} %", 100.0 * nominal))?;
    }
    Ok(())
}

/// The first step shown.
fn start(chart: &FanChart<'_>) -> usize {
    let (horizon, origin) = (chart.forecast.horizon(), chart.forecast.origin);
    // Three seasons, but where they dwarf the forecast.
    let seasons = (3 * chart.season).min((8 * horizon).max(60));
    origin.saturating_sub(seasons.max(2 * horizon))
}

/// The range of all that is shown, with some room.
fn range(chart: &FanChart<'_>, start: usize, end: usize) -> std::ops::Range<f64> {
    let forecast = chart.forecast;
    let bounds = forecast.intervals().flat_map(|(_, lower, upper)| [lower, upper]);
    let drawn = bounds.chain([forecast.median()]).flatten();
    let shown = chart.y.iter().take(end).skip(start).chain(drawn).filter(|v| v.is_finite());
    let widen = |(low, high): (f64, f64), v: &f64| (low.min(*v), high.max(*v));
    let (low, high) = shown.fold((f64::INFINITY, f64::NEG_INFINITY), widen);
    if low > high {
        return 0.0..1.0;
    }
    // A series that never changes has some room too.
    let room = match high - low {
        0.0 if high == 0.0 => 1.0,
        0.0 => high.abs() * 1e-3,
        swing => (swing * 0.05).max(high.abs() * 1e-12),
    };
    low - room..high + room
}

fn fan<B: DrawingBackend>(root: &Area<B>, area: &Area<B>, chart: &FanChart<'_>) -> Drawn
where
    B::ErrorType: 'static,
{
    let (start, end) = (start(chart), chart.forecast.origin + chart.forecast.horizon());
    let y_range = range(chart, start, end);
    let shown = y_range.clone();
    // Numbers with many digits need room.
    let digits = [shown.start, shown.end].map(|value| tick_number(value, &shown).chars().count());
    let left = LEFT.max(12 + 8 * digits[0].max(digits[1]) as u32);
    let style = (FONT, 17).into_font().color(&BLACK.mix(0.85));
    area.draw(&Text::new(chart.title.clone(), (MARGIN, 4), style))?;
    let mut context = ChartBuilder::on(area)
        .margin_top(TITLE + 6)
        .margin_right(MARGIN + 8)
        .margin_bottom(6)
        .x_label_area_size(BELOW)
        .y_label_area_size(left)
        .build_cartesian_2d(start as f64..(end - 1).max(start + 1) as f64, y_range)?;
    context
        .configure_mesh()
        .disable_x_mesh()
        .x_labels(0)
        .y_labels(6)
        .y_label_formatter(&|value| tick_number(*value, &shown))
        .light_line_style(WHITE)
        .bold_line_style(BLACK.mix(0.12))
        .axis_style(BLACK.mix(0.5))
        .label_style((FONT, 14).into_font().color(&BLACK.mix(0.75)))
        .draw()?;
    let width = area.dim_in_pixel().0 - left - 2 * MARGIN as u32;
    let axis = TimeAxis { start, end, season: chart.season, width };
    time_labels(root, &context, &axis, &chart.label)?;
    bands(&mut context, chart)?;
    lines(&mut context, chart, start, end)
}

fn time_labels<B: DrawingBackend>(
    root: &Area<B>,
    context: &Chart<'_, B>,
    axis: &TimeAxis,
    label: &dyn Fn(usize) -> String,
) -> Drawn
where
    B::ErrorType: 'static,
{
    let bottom = context.plotting_area().get_y_range().start;
    let style = (FONT, 14).into_font().color(&BLACK.mix(0.75));
    let style = style.pos(Pos::new(HPos::Center, VPos::Top));
    for (t, text) in axis.ticks(label) {
        let (x, y) = context.backend_coord(&(t as f64, bottom));
        root.draw(&PathElement::new([(x, y), (x, y + 5)], BLACK.mix(0.5)))?;
        root.draw(&Text::new(text, (x, y + 9), style.clone()))?;
    }
    Ok(())
}

/// Where the fan opens: at the last step before the origin, if it was observed.
fn opening(chart: &FanChart<'_>) -> Option<(f64, f64)> {
    let t = chart.forecast.origin.checked_sub(1)?;
    let value = *chart.y.get(t)?;
    value.is_finite().then_some((t as f64, value))
}

fn bands<B: DrawingBackend>(context: &mut Chart<'_, B>, chart: &FanChart<'_>) -> Drawn
where
    B::ErrorType: 'static,
{
    let origin = chart.forecast.origin;
    let n = chart.forecast.intervals().count();
    for (i, (_, lower, upper)) in chart.forecast.intervals().enumerate() {
        let at = |row: &[f64]| -> Vec<(f64, f64)> {
            let steps = row.iter().enumerate().map(|(h, v)| ((origin + h) as f64, *v));
            opening(chart).into_iter().chain(steps).collect()
        };
        let mut outline = at(upper);
        outline.extend(at(lower).into_iter().rev());
        if let [(x, high), (_, low)] = outline[..] {
            // One step and nothing before it has no width of its own.
            outline = vec![(x - 0.25, high), (x + 0.25, high), (x + 0.25, low), (x - 0.25, low)];
        }
        context.draw_series([Polygon::new(outline, shade(i, n).filled())])?;
    }
    Ok(())
}

fn lines<B: DrawingBackend>(
    context: &mut Chart<'_, B>,
    chart: &FanChart<'_>,
    start: usize,
    end: usize,
) -> Drawn
where
    B::ErrorType: 'static,
{
    let origin = chart.forecast.origin;
    let range = context.plotting_area().get_y_range();
    let between = origin as f64 - 0.5;
    if origin > start {
        let line = [(between, range.start), (between, range.end)];
        let dashes = DashedLineSeries::new(line, 4, 4, BLACK.mix(0.45).stroke_width(1));
        context.draw_series(dashes)?;
    }
    let steps = chart.forecast.median().iter().enumerate().map(|(h, v)| ((origin + h) as f64, *v));
    let median: Vec<(f64, f64)> = opening(chart).into_iter().chain(steps).collect();
    context.draw_series(LineSeries::new(median, MEDIAN.stroke_width(2)))?;
    let shown: Vec<(usize, f64)> =
        (start..end.min(chart.y.len())).map(|t| (t, chart.y[t])).collect();
    for run in shown.chunk_by(|a, b| a.1.is_finite() && b.1.is_finite()) {
        let points = run.iter().filter(|p| p.1.is_finite()).map(|(t, v)| (*t as f64, *v));
        let points: Vec<(f64, f64)> = points.collect();
        if let [alone] = points[..] {
            context.draw_series([Circle::new(alone, 2, OBSERVED.filled())])?;
        }
        context.draw_series(LineSeries::new(points, OBSERVED.stroke_width(1)))?;
    }
    let after = shown.iter().filter(|(t, v)| *t >= origin && v.is_finite());
    if chart.forecast.horizon() <= DOTS {
        let dot = |(t, v): &(usize, f64)| Circle::new((*t as f64, *v), 2, OBSERVED.filled());
        context.draw_series(after.map(dot))?;
    }
    Ok(())
}
