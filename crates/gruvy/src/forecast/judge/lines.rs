//! Small line charts of the report: one line a method, the first of them thick.
use super::ticks::tick_number;
use crate::draw::style::{Drawn, picture};
use crate::draw::style::{FONT, LINES};
use crate::error::Result;
use plotters::prelude::*;
use std::ops::Range;

const SIZE: (u32, u32) = (560, 300);

/// Lines over common axes.
pub(super) struct LineChart<'a> {
    pub lines: Vec<Vec<(f64, f64)>>,
    pub x: Range<f64>,
    pub y: Range<f64>,
    pub x_words: &'a str,
    pub y_words: &'a str,
    /// A thin line from corner to corner: where values should be.
    pub diagonal: bool,
}

impl LineChart<'_> {
    pub fn to_svg(&self) -> Result<String> {
        let mut svg = String::new();
        self.paint(&mut svg).map_err(picture)?;
        Ok(svg)
    }

    fn paint(&self, svg: &mut String) -> Drawn {
        let root = SVGBackend::with_string(svg, SIZE).into_drawing_area();
        root.fill(&WHITE)?;
        let mut chart = ChartBuilder::on(&root)
            .margin(12)
            .margin_right(20)
            .x_label_area_size(42)
            .y_label_area_size(62)
            .build_cartesian_2d(self.x.clone(), self.y.clone())?;
        chart
            .configure_mesh()
            .x_desc(self.x_words)
            .y_desc(self.y_words)
            .x_labels(7)
            .y_labels(6)
            .x_label_formatter(&|value| tick_number(*value, &self.x))
            .y_label_formatter(&|value| tick_number(*value, &self.y))
            .light_line_style(WHITE)
            .bold_line_style(BLACK.mix(0.12))
            .axis_style(BLACK.mix(0.5))
            .label_style((FONT, 14).into_font().color(&BLACK.mix(0.75)))
            .axis_desc_style((FONT, 15).into_font().color(&BLACK.mix(0.75)))
            .draw()?;
        if self.diagonal {
            let ends = [(self.x.start, self.y.start), (self.x.end, self.y.end)];
            chart.draw_series(DashedLineSeries::new(ends, 4, 4, BLACK.mix(0.5).stroke_width(1)))?;
        }
        // The first on top of the others.
        for (i, line) in self.lines.iter().enumerate().rev() {
            let color = LINES[i % LINES.len()];
            let width = if i == 0 { 3 } else { 2 };
            if line.len() < 40 {
                let dot = |point: &(f64, f64)| Circle::new(*point, width, color.filled());
                chart.draw_series(line.iter().map(dot))?;
            }
            chart.draw_series(LineSeries::new(line.iter().copied(), color.stroke_width(width)))?;
        }
        root.present()?;
        Ok(())
    }
}
