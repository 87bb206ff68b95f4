//! A report as a page.
use super::LEAST;
use super::report::{Composed, Originality, Report};
use super::statistics::Statistic;
use crate::draw::page::{escaped, filled};
use crate::error::Result;
use crate::music::picture::picture;
use std::fmt::Write;

/// Size of a chart, in its own units.
const WIDTH: f64 = 420.0;
const HEIGHT: f64 = 110.0;
/// The three bars of a value: how they are marked, and what they are of.
const BARS: [(&str, &str); 3] =
    [("corpus", "training music"), ("own", "compositions"), ("chain", "first-order chain")];

impl Report {
    /// The page: one HTML file that needs nothing else.
    ///
    /// # Errors
    /// [`Error::Picture`](crate::Error::Picture) with what the plotting library said.
    pub fn to_html(&self, title: &str) -> Result<String> {
        let mut pieces = String::new();
        for (number, (made, of)) in (1..).zip(self.composed.iter().zip(&self.pieces)) {
            let _ = write!(
                pieces,
                "<section><h3>Piece {number}</h3><p>{}</p>{}{}</section>",
                escaped(&copied(of)),
                picture(&made.roll, made.primer).to_svg()?,
                self.surprise(made, of)
            );
        }
        let mut distances = String::new();
        for distance in &self.distances {
            let cell = |value: f64, other: f64| {
                let best = if value < other { " class=\"best\"" } else { "" };
                format!("<td{best}>{value:.3}</td>")
            };
            let held_back = distance.held_back.map_or("-".to_owned(), |of| format!("{of:.3}"));
            let _ = write!(
                distances,
                "<tr><td>{}</td>{}{}<td>{held_back}</td></tr>",
                distance.name,
                cell(distance.composed, distance.chain),
                cell(distance.chain, distance.composed)
            );
        }
        let [corpus, own, chain] = &self.statistics;
        let charts = corpus.iter().zip(own).zip(chain);
        let charts: String = charts.map(|((a, b), c)| chart([a, b, c])).collect();
        let legend = BARS.map(|(class, of)| format!("<li class=\"{class}\">{of}</li>"));
        let parts = [
            ("title", escaped(title)),
            ("usual", escaped(&self.usual())),
            ("legend", legend.concat()),
            ("distances", distances),
            ("charts", charts),
            ("pieces", pieces),
        ];
        Ok(filled(include_str!("report.html"), &parts))
    }

    /// What is usual of music that is no copy.
    fn usual(&self) -> String {
        match &self.held_back {
            None => String::new(),
            Some(held_back) => format!(
                "For comparison, in pieces that were not learned from the longest passage that \
                 also occurs in the training music has {} notes or chords, and {:.0} % of theirs \
                 belong to such passages of at least {LEAST} (medians).",
                held_back.copied.longest,
                100.0 * held_back.copied.share
            ),
        }
    }

    /// The nats of every step as a line.
    fn surprise(&self, made: &Composed, of: &Originality) -> String {
        let (nats, Some(mean)) = (&made.surprise, of.nats) else { return String::new() };
        let most = nats.iter().copied().fold(1.0, f64::max);
        let step = WIDTH * 2.0 / nats.len() as f64;
        let y = |value: f64| HEIGHT * (1.0 - value / most);
        let points: String = (0..)
            .zip(nats)
            .map(|(at, value)| format!("{:.1},{:.1} ", (f64::from(at) + 0.5) * step, y(*value)))
            .collect();
        let (unit, width, mean_y) = (self.unit, WIDTH * 2.0, y(mean));
        format!(
            "<h4>Surprise: nats of each {unit} under the model, {mean:.2} in the mean, {most:.1} \
             at most</h4><svg class=\"surprise\" viewBox=\"0 0 {width} {HEIGHT}\" \
             preserveAspectRatio=\"none\"><line x1=\"0\" x2=\"{width}\" y1=\"{mean_y:.1}\" \
             y2=\"{mean_y:.1}\"/><polyline points=\"{points}\"/></svg>"
        )
    }
}

/// What is said of a piece.
fn copied(of: &Originality) -> String {
    let copied = &of.copied;
    let longest = match &copied.row {
        None => "None of them occurs in the training music.".to_owned(),
        Some(row) => format!(
            "The longest passage that also occurs in the training music has {} of them: steps {} \
             to {} here, from step {} of {}, possibly in another key. {:.0} % belong to such \
             passages of at least {LEAST}.",
            copied.longest,
            row.from,
            row.to,
            row.there,
            row.piece,
            100.0 * copied.share
        ),
    };
    format!("{} notes and chords. {longest}", copied.moments)
}

/// Three bars for each value.
fn chart(all: [&Statistic; 3]) -> String {
    let [first, ..] = all;
    let count = first.values.len() as f64;
    let values = || all.iter().flat_map(|of| of.values.iter().copied());
    let most = values().fold(1e-9, f64::max);
    let (slot, top) = (WIDTH / count, HEIGHT - 16.0);
    let mut bars = String::new();
    for (side, ((class, _), of)) in (0..).zip(BARS.into_iter().zip(all)) {
        for (at, value) in (0..).zip(&of.values) {
            // What is not known has no bar.
            let height = top * value.max(0.0) / most;
            let x = slot * (f64::from(at) + 0.1 + 0.27 * f64::from(side));
            let _ = write!(
                bars,
                "<rect class=\"{class}\" x=\"{x:.1}\" y=\"{:.1}\" width=\"{:.1}\" \
                 height=\"{height:.1}\"/>",
                top - height,
                slot * 0.25
            );
        }
    }
    // As many labels as have room.
    let every = (count / 14.0).ceil() as usize;
    for (at, label) in first.labels.iter().enumerate().step_by(every.max(1)) {
        let x = slot * (at as f64 + 0.5);
        let _ = write!(bars, "<text x=\"{x:.1}\" y=\"{:.1}\">{label}</text>", HEIGHT - 3.0);
    }
    format!(
        "<figure><figcaption>{}; at most {most:.2}</figcaption><svg viewBox=\"0 0 {WIDTH} \
         {HEIGHT}\">{bars}</svg></figure>",
        first.says
    )
}

#[cfg(test)]
mod tests {
    use crate::music::judge::report::tests::example;

    #[test]
    fn a_page_has_its_numbers_pictures_and_charts() {
        let page = example().to_html("of <mine>").unwrap();
        for want in ["of &lt;mine&gt;", "has 26 of them", "100 %", "0.200", "<polyline", "scale 20"]
        {
            assert!(page.contains(want), "{want}");
        }
        assert!(!page.contains("{{") && !page.contains("NaN") && !page.contains("<mine>"));
        assert_eq!(page.matches("<figure>").count(), 5);
    }
}
