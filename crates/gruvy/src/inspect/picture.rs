//! A report as one still picture: the gates of a layer as heat maps over its input, half-lives and
//! gradient flow below; or the gradient flow of several models.
use super::report::{FlowLine, LayerReport, Map, Report};
use crate::draw::raster::Canvas;
use crate::draw::style::{Drawn, FONT, LINES, picture};
use crate::error::Result;
use plotters::coord::Shift;
use plotters::prelude::*;

const WIDTH: u32 = 1200;
/// Rows of a heat map, and their height.
const UNITS: usize = 16;
const ROW: u32 = 8;
/// Above a heat map for its name, and below for the characters.
const ABOVE: u32 = 24;
const BELOW: u32 = 20;
const MARGIN: u32 = 20;
const TITLE: u32 = 48;
const CHARTS: u32 = 300;
/// Shades of a heat map: neighbours of one shade become one rectangle, which keeps the file small.
const SHADES: f64 = 40.0;

/// What is so much smaller than the largest value of a chart is nothing; the page draws it alike.
const NOTHING: f64 = 1e-16;

const SEQUENTIAL: [[u8; 3]; 8] = [
    [0x44, 0x01, 0x54],
    [0x46, 0x32, 0x7e],
    [0x36, 0x5c, 0x8d],
    [0x27, 0x7f, 0x8e],
    [0x1f, 0xa1, 0x87],
    [0x4a, 0xc1, 0x6d],
    [0xa0, 0xda, 0x39],
    [0xfd, 0xe7, 0x25],
];
const DIVERGING: [[u8; 3]; 5] = [
    [0x21, 0x66, 0xac],
    [0x67, 0xa9, 0xcf],
    [0xf4, 0xf4, 0xf4],
    [0xef, 0x8a, 0x62],
    [0xb2, 0x18, 0x2b],
];
type Area<B> = DrawingArea<B, Shift>;

impl Report {
    /// The picture as SVG: of the report's first layer, or of the gradient flow if it has none.
    ///
    /// # Errors
    /// [`Error::Picture`](crate::Error::Picture) with what the plotting library said.
    pub fn to_svg(&self) -> Result<String> {
        let mut svg = String::new();
        self.paint(SVGBackend::with_string(&mut svg, self.size())).map_err(picture)?;
        Ok(svg)
    }

    /// The same picture as the content of a PNG file, twice as wide and high. Its fonts come with
    /// it: a character that they lack stays empty.
    ///
    /// # Errors
    /// [`Error::Picture`](crate::Error::Picture) with what the drawing libraries said.
    pub fn to_png(&self) -> Result<Vec<u8>> {
        let mut canvas = Canvas::new(self.size());
        self.paint(canvas.backend()).map_err(picture)?;
        canvas.to_png().map_err(|error| picture(error.into()))
    }

    /// The heat maps of the picture.
    fn maps(&self) -> Vec<&Map> {
        self.layers.first().map_or_else(Vec::new, shown)
    }

    fn size(&self) -> (u32, u32) {
        let maps: u32 = self.maps().into_iter().map(height).sum();
        if maps == 0 { (900, 520) } else { (WIDTH, TITLE + maps + CHARTS + MARGIN) }
    }

    fn paint<B: DrawingBackend>(&self, backend: B) -> Drawn
    where
        B::ErrorType: 'static,
    {
        let root = backend.into_drawing_area();
        root.fill(&WHITE)?;
        let (title, mut rest) = root.split_vertically(TITLE);
        title.draw(&Text::new(self.title(), (MARGIN as i32, 16), (FONT, 21)))?;
        for map in self.maps() {
            let (area, below) = rest.split_vertically(height(map));
            heat_map(&area, map, &self.labels)?;
            rest = below;
        }
        let flow = |area: &Area<B>| {
            chart(area, &self.flow, ["gradient norm", "distance back in time, in steps"])
        };
        let lives: Vec<FlowLine> = self.layers.iter().filter_map(half_lives).collect();
        let memory =
            |area: &Area<B>| chart(area, &lives, ["half-life, in steps", "units, longest first"]);
        match (lives.is_empty(), self.flow.is_empty()) {
            (true, _) => flow(&rest)?,
            (false, true) => memory(&rest)?,
            (false, false) => {
                let (left, right) = rest.split_horizontally(WIDTH / 2);
                memory(&left)?;
                flow(&right)?;
            }
        }
        root.present()?;
        Ok(())
    }

    fn title(&self) -> String {
        let Some(model) = self.models.first().filter(|_| !self.layers.is_empty()) else {
            return "Gradient flow: how strongly a loss depends on the state so many steps earlier"
                .into();
        };
        let layer = self.layers.first().filter(|_| model.layers > 1);
        let layer =
            layer.map(|l| format!(", layer {} (of layers 0 to {})", l.layer, model.layers - 1));
        let layer = layer.unwrap_or_default();
        format!("{}: {}, {} units{layer}", model.name, model.cell, model.hidden)
    }
}

fn height(map: &Map) -> u32 {
    ABOVE + BELOW + ROW * map.rows.len().min(UNITS) as u32
}

/// The maps of a picture: gates that open and shut, and the state.
fn shown(layer: &LayerReport) -> Vec<&Map> {
    layer.maps.iter().filter(|map| map.range[0] == 0.0 || map.saturation.is_none()).collect()
}

fn half_lives(layer: &LayerReport) -> Option<FlowLine> {
    let direction = if layer.reverse { ", reverse" } else { "" };
    let norms: Vec<f64> = layer.half_lives.iter().map(|(_, life)| life.min(1e9)).collect();
    (!norms.is_empty())
        .then(|| FlowLine { label: format!("layer {}{direction}", layer.layer), norms })
}

/// The colour of a share 0 to 1.
fn shade(stops: &[[u8; 3]], share: f64) -> RGBColor {
    let at = share.clamp(0.0, 1.0) * (stops.len() - 1) as f64;
    let i = (at as usize).min(stops.len() - 2);
    let [r, g, b] = [0, 1, 2].map(|c| {
        let (a, b) = (f64::from(stops[i][c]), f64::from(stops[i + 1][c]));
        (a + (b - a) * (at - i as f64)).round() as u8
    });
    RGBColor(r, g, b)
}

fn heat_map<B: DrawingBackend>(area: &Area<B>, map: &Map, labels: &[String]) -> Drawn
where
    B::ErrorType: 'static,
{
    let longest = labels.iter().map(|label| label.chars().count()).max().unwrap_or(1);
    let room = (WIDTH - 2 * MARGIN) as usize;
    let steps = labels.len().min(room / (4 + 7 * longest.min(6)));
    let cell = (room / steps).min(48) as i32;
    let (left, top) = (MARGIN as i32, ABOVE as i32);
    let stops: &[[u8; 3]] = if map.range[0] < 0.0 { &DIVERGING } else { &SEQUENTIAL };
    area.draw(&Text::new(map.name.clone(), (left, 4), (FONT, 16)))?;
    legend(area, map.range, stops)?;
    // Of more rows than there is room for, some that are evenly spread.
    let count = map.rows.len().min(UNITS);
    let rows = (0..count).map(|i| &map.rows[i * (map.rows.len() - 1) / (count - 1).max(1)]);
    for (i, row) in rows.enumerate() {
        let share = |v: f64| (v - map.range[0]) / (map.range[1] - map.range[0]);
        let shades: Vec<f64> = row.iter().map(|v| (share(*v) * SHADES).round() / SHADES).collect();
        let y = top + i as i32 * ROW as i32;
        let mut x = left;
        for run in shades[..steps].chunk_by(|a, b| a == b) {
            let end = x + run.len() as i32 * cell;
            let corners = [(x, y), (end, y + ROW as i32)];
            area.draw(&Rectangle::new(corners, shade(stops, run[0]).filled()))?;
            x = end;
        }
    }
    let style = ("monospace", 12).into_font().color(&BLACK.mix(0.7));
    for (t, label) in labels.iter().enumerate().take(steps) {
        // Characters that no picture has room for are cut.
        let label: String = label.chars().take((cell / 7) as usize).collect();
        let at = (left + t as i32 * cell + 2, top + (count as u32 * ROW) as i32 + 3);
        area.draw(&Text::new(label, at, style.clone()))?;
    }
    Ok(())
}

/// A colour bar with its numbers, at the right.
fn legend<B: DrawingBackend>(area: &Area<B>, range: [f64; 2], stops: &[[u8; 3]]) -> Drawn
where
    B::ErrorType: 'static,
{
    let (left, width) = (WIDTH as i32 - 220, 120);
    for i in 0..24 {
        let corners = [(left + i * width / 24, 6), (left + (i + 1) * width / 24, 16)];
        area.draw(&Rectangle::new(corners, shade(stops, f64::from(i) / 23.0).filled()))?;
    }
    for (value, x) in [(range[0], left - 36), (range[1], left + width + 6)] {
        area.draw(&Text::new(format!("{value:.1}"), (x, 3), (FONT, 14)))?;
    }
    Ok(())
}

/// Lines over 0, 1, 2, … on a logarithmic scale.
fn chart<B: DrawingBackend>(
    area: &Area<B>,
    lines: &[FlowLine],
    [y_words, x_words]: [&str; 2],
) -> Drawn
where
    B::ErrorType: 'static,
{
    let points = |line: &FlowLine| -> Vec<(f64, f64)> {
        let numbered = line.norms.iter().enumerate().filter(|(_, v)| **v > 0.0 && v.is_finite());
        numbered.map(|(i, v)| (i as f64, *v)).collect()
    };
    let all: Vec<_> = lines.iter().flat_map(points).collect();
    let high = all.iter().map(|p| p.1).fold(1e-30, f64::max);
    let low = all.iter().map(|p| p.1).fold(high, f64::min).max(high * NOTHING);
    let last = all.iter().map(|p| p.0).fold(1.0, f64::max);
    let power = |v: f64, round: fn(f64) -> f64| 10f64.powf(round(v.log10()));
    let high = if power(high, f64::ceil) > power(low, f64::floor) { high } else { high * 1.1 };
    let mut chart = ChartBuilder::on(area)
        .margin(14)
        .x_label_area_size(40)
        .y_label_area_size(66)
        .build_cartesian_2d(
        0.0..last,
        (power(low, f64::floor)..power(high, f64::ceil)).log_scale(),
    )?;
    let exponent = |v: &f64| match v.abs() {
        0.01..=99999.0 => format!("{}", (v * 1e6).round() / 1e6),
        _ => format!("{v:.0e}"),
    };
    chart
        .configure_mesh()
        .x_desc(x_words)
        .y_desc(y_words)
        .y_labels(8)
        .x_label_formatter(&|v| format!("{v:.0}"))
        .y_label_formatter(&exponent)
        .light_line_style(WHITE)
        .bold_line_style(BLACK.mix(0.12))
        .axis_style(BLACK.mix(0.6))
        .label_style((FONT, 14))
        .axis_desc_style((FONT, 15))
        .draw()?;
    for (line, color) in lines.iter().zip(LINES.iter().cycle()) {
        let style = color.stroke_width(2);
        let points = points(line).into_iter().filter(|p| p.1 >= low);
        chart
            .draw_series(LineSeries::new(points, style))?
            .label(&line.label)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], style));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperRight)
        .background_style(WHITE.mix(0.85))
        .border_style(BLACK.mix(0.3))
        .label_font((FONT, 14))
        .draw()?;
    Ok(())
}
