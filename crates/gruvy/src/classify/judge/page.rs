//! A report as pictures and as a page.
use super::picture;
use super::report::{BASELINE, Report};
use crate::draw::page::{escaped, filled};
use crate::error::Result;
use std::fmt::Write;

/// Letters of a mistaken text that are shown.
const SHOWN: usize = 400;

impl Report {
    /// The confusion matrix as SVG; none where items can have several labels.
    ///
    /// # Errors
    /// [`Error::Picture`](crate::Error::Picture) with what the plotting library said.
    pub fn confusion_svg(&self) -> Result<Option<String>> {
        match self.multi_label {
            true => Ok(None),
            false => picture::confusion_svg(&self.model.confusion, &self.labels).map(Some),
        }
    }

    /// The same picture as the content of a PNG file, twice as wide and high.
    ///
    /// # Errors
    /// As [`Report::confusion_svg`].
    pub fn confusion_png(&self) -> Result<Option<Vec<u8>>> {
        match self.multi_label {
            true => Ok(None),
            false => picture::confusion_png(&self.model.confusion, &self.labels).map(Some),
        }
    }

    /// The page; `text` says what an item is.
    ///
    /// # Errors
    /// As [`Report::confusion_svg`].
    pub fn to_html(&self, title: &str, text: &dyn Fn(usize) -> String) -> Result<String> {
        let confusion = self.confusion_svg()?.unwrap_or_default();
        let reliability = picture::reliability_svg(&self.model.calibration)?;
        let mut mistakes = String::new();
        for mistake in &self.model.mistakes {
            let text: String = text(mistake.item).chars().take(SHOWN).collect();
            let _ = write!(
                mistakes,
                "<tr><td>{}</td><td>{:.3}</td><td>{}</td><td class=\"text\">{}</td></tr>",
                escaped(&self.named(&mistake.predicted)),
                mistake.probability,
                escaped(&self.named(&mistake.truth)),
                escaped(&text)
            );
        }
        let parts = [
            ("title", escaped(title)),
            ("items", self.model.items.to_string()),
            ("verdict", escaped(&self.said().unwrap_or_default())),
            ("metrics", self.metrics_table()),
            ("classes", self.classes_table()),
            ("confusion", confusion),
            ("reliability", reliability),
            ("mistakes", mistakes),
        ];
        Ok(filled(include_str!("report.html"), &parts))
    }

    fn metrics_table(&self) -> String {
        let second = match self.baseline {
            Some(_) => format!("<th>{BASELINE}</th>"),
            None => String::new(),
        };
        let mut table = format!("<tr><th></th><th>{}</th>{second}</tr>", escaped(&self.name));
        for (name, model, baseline, more) in self.rows() {
            let better = |a: f64, b: f64| if more { a > b } else { a < b };
            let cell = |value: f64, other: Option<f64>| {
                let best = other.is_some_and(|other| better(value, other));
                format!("<td{}>{value:.4}</td>", if best { " class=\"best\"" } else { "" })
            };
            let second = baseline.map_or(String::new(), |b| cell(b, Some(model)));
            let _ = write!(table, "<tr><td>{name}</td>{}{second}</tr>", cell(model, baseline));
        }
        table
    }

    fn classes_table(&self) -> String {
        let mut table =
            "<tr><th>label</th><th>precision</th><th>recall</th><th>F1</th><th>items</th></tr>"
                .to_owned();
        for row in &self.model.classes {
            let _ = write!(
                table,
                "<tr><td>{}</td><td>{:.3}</td><td>{:.3}</td><td>{:.3}</td><td>{}</td></tr>",
                escaped(&row.label),
                row.precision,
                row.recall,
                row.f1,
                row.support
            );
        }
        table
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classify::judge::Answers;

    #[test]
    fn a_page_has_its_numbers_and_no_markup_of_its_texts() {
        let labels = ["<b>".to_owned(), "good".to_owned()];
        let answers = Answers {
            labels: &labels,
            multi_label: false,
            truth: &[vec![0], vec![1], vec![1]],
            probabilities: &[0.9, 0.1, 0.2, 0.8, 0.75, 0.25],
        };
        let bag = [0.5, 0.5, 0.6, 0.4, 0.7, 0.3];
        let report = Report::new("gru", &answers, Some(&bag)).unwrap();
        assert_eq!(report.mistake(&report.model.mistakes[0]), "<b> 0.750, is good");
        let page = report.to_html("t", &|item| format!("<i>{item}")).unwrap();
        for want in ["&lt;b&gt;", "&lt;i&gt;2", "0.6667", "<svg"] {
            assert!(page.contains(want), "{want}");
        }
        assert!(!page.contains("<b>") && !page.contains("<i>") && !page.contains("{{"));
    }
}
