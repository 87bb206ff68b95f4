//! A backtest as one HTML file that needs nothing else: no script, no other file, no network.
use super::lines::LineChart;
use super::picture::{FanChart, fan_svg};
use super::verdict::number;
use super::{ask::Observed, backtest::Backtest, metrics::Metrics, row::Row};
use crate::draw::page::{escaped, filled};
use crate::draw::style::LINES;
use crate::error::Result;
use gruvy_runtime::forecast::Forecast;

/// Series in the long table; of more, those with the largest errors are not easier to find by
/// scrolling.
const MAX_SERIES: usize = 1000;

/// What a page is made of beside the numbers.
pub struct PageConfig<'a> {
    /// What was forecast by what, in a line.
    pub title: &'a str,
    /// The series that were judged.
    pub series: &'a [Observed<'a>],
    /// The model's forecasts that were judged.
    pub forecasts: &'a [Forecast],
    /// What to call a step of a series on the time axis, such as its date.
    pub label: &'a dyn Fn(&str, usize) -> String,
}

/// A column of the table: its title, what stands in it, and whether less is better.
type Column = (String, Box<dyn Fn(&Metrics) -> Option<f64>>, bool);

impl Backtest {
    /// The page.
    ///
    /// # Errors
    /// [`Error::Picture`](crate::Error::Picture) with what the plotting library said.
    pub fn to_html(&self, config: &PageConfig<'_>) -> Result<String> {
        let notes: String =
            self.notes.iter().map(|note| format!("<li>{}</li>", escaped(note))).collect();
        let parts = [
            ("title", escaped(config.title)),
            ("about", self.about()),
            ("verdict", escaped(&self.verdict)),
            ("table", table(&self.rows)),
            ("notes", notes),
            ("charts", self.by_step()? + &self.coverage()?),
            ("fans", self.fans(config)?),
            ("series", self.every_series()),
        ];
        Ok(filled(include_str!("report.html"), &parts))
    }

    fn about(&self) -> String {
        let some =
            |n: usize, one: &str, many: &str| format!("{n} {}", if n == 1 { one } else { many });
        let season =
            if self.season > 1 { format!(", a season of {}", self.season) } else { String::new() };
        format!(
            "{} of {}, {} ahead{season}.",
            some(self.forecasts, "forecast", "forecasts"),
            some(self.series.len(), "series", "series"),
            some(self.horizon, "step", "steps"),
        )
    }

    fn by_step(&self) -> Result<String> {
        let points = |row: &Row| -> Vec<(f64, f64)> {
            let steps = row.by_step.iter().enumerate();
            steps.filter_map(|(h, error)| Some((h as f64 + 1.0, (*error)?))).collect()
        };
        let lines: Vec<Vec<(f64, f64)>> = self.rows.iter().map(points).collect();
        let top = lines.iter().flatten().map(|point| point.1).fold(0.0, f64::max);
        if top == 0.0 {
            return Ok(String::new());
        }
        let chart = LineChart {
            lines,
            x: 1.0..(self.horizon as f64).max(2.0),
            y: 0.0..top * 1.06,
            x_words: "steps ahead",
            y_words: "scaled error",
            diagonal: false,
        };
        let words = "The mean absolute error at each step ahead, in units of MASE.";
        Ok(section("Error by step", words, &(keys(&self.rows) + &chart.to_svg()?)))
    }

    fn coverage(&self) -> Result<String> {
        let points = |row: &Row| -> Vec<(f64, f64)> {
            let all = row.metrics.coverage.iter();
            all.map(|c| (100.0 * c.nominal, 100.0 * c.share)).collect()
        };
        let lines: Vec<Vec<(f64, f64)>> = self.rows.iter().map(points).collect();
        if lines.iter().all(Vec::is_empty) {
            return Ok(String::new());
        }
        let chart = LineChart {
            lines,
            x: 0.0..100.0,
            y: 0.0..100.0,
            x_words: "nominal coverage, %",
            y_words: "values inside, %",
            diagonal: true,
        };
        let words = "How many values lie in the intervals. Right intervals are on the dashed line; above it they \
                     are wider than they need to be, below it too narrow.";
        Ok(section("Coverage of the intervals", words, &(keys(&self.rows) + &chart.to_svg()?)))
    }

    fn fans(&self, config: &PageConfig<'_>) -> Result<String> {
        let places = self.examples();
        let mut svgs = String::new();
        for (i, place) in places.iter().enumerate() {
            let row = &self.series[*place];
            let rank = match (places.len(), i) {
                (1, _) => "",
                (_, 0) => "largest error: ",
                (3, 1) => "middle: ",
                _ => "smallest error: ",
            };
            let error = match (row.metrics[0].mase, row.metrics[0].smape) {
                (Some(mase), _) => format!(", MASE {}", number(mase)),
                (None, Some(smape)) => format!(", sMAPE {}", number(smape)),
                (None, None) => String::new(),
            };
            let observed = config.series.iter().find(|observed| observed.id == row.id);
            let last = config
                .forecasts
                .iter()
                .filter(|f| f.id == row.id && row.origins.contains(&f.origin));
            let Some((observed, forecast)) = observed.zip(last.max_by_key(|f| f.origin)) else {
                continue;
            };
            svgs += &fan_svg(&[FanChart {
                title: format!("{rank}{}{error}", row.id),
                y: observed.y,
                forecast,
                season: self.season,
                label: Box::new(|step| (config.label)(observed.id, step)),
            }])?;
        }
        Ok(svgs)
    }

    fn every_series(&self) -> String {
        let mut order: Vec<_> = self.series.iter().collect();
        let error = |metrics: &[Metrics]| metrics[0].mase.or(metrics[0].smape).unwrap_or(0.0);
        order.sort_by(|a, b| error(&b.metrics).total_cmp(&error(&a.metrics)));
        let heads: String = self.rows.iter().map(|row| th(&row.method)).collect();
        let cells = |metrics: &Metrics| td(metrics.mase.or(metrics.smape), "");
        let rows = order.iter().take(MAX_SERIES).map(|row| {
            let cells: String = row.metrics.iter().map(cells).collect();
            format!("<tr><td>{}</td>{cells}</tr>", escaped(&row.id))
        });
        let left = order.len().saturating_sub(MAX_SERIES);
        let left = if left > 0 {
            format!("<p>{left} more series with smaller errors.</p>")
        } else {
            String::new()
        };
        let rows: String = rows.collect();
        format!(
            "<p>MASE of every method, sMAPE where there is none; the largest errors of the model \
             first.</p><div \
             class=\"scroll\"><table><tr><th>series</th>{heads}</tr>{rows}</table></div>{left}"
        )
    }
}

fn columns(rows: &[Row]) -> Vec<Column> {
    let plain = |title: &str, value: fn(&Metrics) -> Option<f64>| -> Column {
        (title.to_owned(), Box::new(value), true)
    };
    let mut columns = vec![
        plain("MASE", |m| m.mase),
        plain("sMAPE, %", |m| m.smape),
        plain("RMSSE", |m| m.rmsse),
        plain("CRPS", |m| m.crps),
        plain("MAE", |m| Some(m.mae)),
        plain("MSE", |m| Some(m.mse)),
    ];
    if let Some(widest) = rows.first().and_then(|row| row.metrics.coverage.first()) {
        let title = format!("in {:.0} %, %", 100.0 * widest.nominal);
        let share = |m: &Metrics| m.coverage.first().map(|c| 100.0 * c.share);
        columns.push((title, Box::new(share), false));
    }
    columns
}

fn table(rows: &[Row]) -> String {
    let columns = columns(rows);
    let heads: String = columns.iter().map(|(title, ..)| th(title)).collect();
    let best = |(_, value, least): &Column| {
        let texts = rows.iter().filter_map(|row| value(&row.metrics)).filter(|_| *least);
        texts.min_by(f64::total_cmp).map(number)
    };
    let best: Vec<Option<String>> = columns.iter().map(best).collect();
    let line = |(i, row): (usize, &Row)| {
        let cells = columns.iter().zip(&best).map(|((_, value, least), best)| {
            let value = value(&row.metrics);
            let won = *least && rows.len() > 1 && best.is_some() && value.map(number) == *best;
            td(value, if won { " class=\"best\"" } else { "" })
        });
        let own = if i == 0 { " class=\"own\"" } else { "" };
        format!("<tr{own}><td>{}</td>{}</tr>", escaped(&row.method), cells.collect::<String>())
    };
    let lines: String = rows.iter().enumerate().map(line).collect();
    format!("<div class=\"scroll\"><table><tr><th>method</th>{heads}</tr>{lines}</table></div>")
}

fn th(text: &str) -> String {
    format!("<th>{}</th>", escaped(text))
}

fn td(value: Option<f64>, class: &str) -> String {
    format!("<td{class}>{}</td>", value.map_or("–".to_owned(), number))
}

fn section(title: &str, words: &str, content: &str) -> String {
    format!("<section><h2>{title}</h2><p>{words}</p>{content}</section>")
}

/// Which colour is whose.
fn keys(rows: &[Row]) -> String {
    let key = |(row, color): (&Row, &plotters::style::RGBColor)| {
        let (r, g, b) = (color.0, color.1, color.2);
        format!(
            "<span><b style=\"background:rgb({r},{g},{b})\"></b>{}</span>",
            escaped(&row.method)
        )
    };
    let keys: String = rows.iter().zip(LINES.iter().cycle()).map(key).collect();
    format!("<div class=\"keys\">{keys}</div>")
}
