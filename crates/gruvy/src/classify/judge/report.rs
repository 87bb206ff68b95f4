//! What is said of a classifier: how good it is beside the baseline, in numbers and a sentence.
use super::{
    answers::Answers,
    judgement::{JudgeConfig, Judgement, Mistake, judge},
    metrics::ClassMetrics,
};
use crate::error::Result;
use gruvy_runtime::names::in_words;
use serde::Serialize;

/// What the baseline is called.
pub const BASELINE: &str = "bag of words";

/// A classifier judged, beside the baseline if there is one.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// What the classifier is called.
    pub name: String,
    /// `[K]`
    pub labels: Vec<String>,
    /// Whether an item can have several labels, or none.
    pub multi_label: bool,
    /// The classifier.
    pub model: Judgement,
    /// The baseline, on the same items.
    pub baseline: Option<Judgement>,
    /// Which of the two is better, in a sentence.
    pub verdict: Option<String>,
}

impl Report {
    /// Judges a classifier, called `name`, and what the baseline answered about the same items,
    /// `[N, K]`.
    ///
    /// # Errors
    /// As [`judge`].
    pub fn new(name: &str, answers: &Answers<'_>, baseline: Option<&[f32]>) -> Result<Self> {
        let config = JudgeConfig::default();
        let model = judge(answers, &config)?;
        let of = |probabilities| judge(&Answers { probabilities, ..*answers }, &config);
        let baseline = baseline.map(of).transpose()?;
        let verdict = baseline
            .as_ref()
            .map(|baseline| verdict(name, &model.metrics, &baseline.metrics, model.items));
        Ok(Self {
            name: name.to_owned(),
            labels: answers.labels.to_vec(),
            multi_label: answers.multi_label,
            model,
            baseline,
            verdict,
        })
    }

    /// The verdict, if there is one, and which labels nothing can be said of, if there are any.
    pub fn said(&self) -> Option<String> {
        match (&self.verdict, unmeasured(&self.model)) {
            (Some(verdict), Some(absent)) => Some(format!("{verdict} {absent}")),
            (verdict, absent) => absent.or_else(|| verdict.clone()),
        }
    }

    /// The rows of the table of metrics: a name, its value for the classifier and the baseline, and
    /// whether more is better.
    pub fn rows(&self) -> Vec<(&'static str, f64, Option<f64>, bool)> {
        let (model, baseline) = (&self.model.metrics, self.baseline.as_ref().map(|b| &b.metrics));
        let row = |name, of: &dyn Fn(&ClassMetrics) -> Option<f64>, more| {
            Some((name, of(model)?, baseline.and_then(of), more))
        };
        [
            row("accuracy", &|m| Some(m.accuracy), true),
            row("macro F1", &|m| Some(m.macro_f1), true),
            row("weighted F1", &|m| Some(m.weighted_f1), true),
            row("micro F1", &|m| m.micro_f1, true),
            row("ROC AUC", &|m| m.roc_auc, true),
            row("log loss", &|m| Some(m.log_loss), false),
            row("calibration error", &|m| Some(m.calibration_error), false),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    /// A mistake in words: `positive 0.98, is negative`.
    pub fn mistake(&self, mistake: &Mistake) -> String {
        format!(
            "{} {:.3}, is {}",
            self.named(&mistake.predicted),
            mistake.probability,
            self.named(&mistake.truth)
        )
    }

    /// Labels by name.
    pub fn named(&self, labels: &[u32]) -> String {
        let names: Vec<&str> = labels.iter().map(|at| self.labels[*at as usize].as_str()).collect();
        if names.is_empty() { "none".to_owned() } else { names.join(" | ") }
    }
}

/// Which labels nothing can be said of, in a plain sentence.
fn unmeasured(model: &Judgement) -> Option<String> {
    let without = model.classes.iter().filter(|row| row.support == 0);
    let absent: Vec<String> = without.map(|row| row.label.clone()).collect();
    let all = model.classes.len();
    (!absent.is_empty()).then(|| {
        format!(
            "The metrics are over {} of {all} labels: no item has the label {}.",
            all - absent.len(),
            in_words(&absent)
        )
    })
}

/// Which of two is better, in a plain sentence; `items` were judged.
///
/// By accuracy, or where items can have several labels by micro F1. A difference that is within a
/// standard error of accuracy's, `√(2 p (1 − p) / n)`, is none.
pub fn verdict(name: &str, model: &ClassMetrics, baseline: &ClassMetrics, items: usize) -> String {
    let (measure, own, other) = match (model.micro_f1, baseline.micro_f1) {
        (Some(own), Some(other)) => ("micro F1", own, other),
        _ => ("accuracy", model.accuracy, baseline.accuracy),
    };
    let p = (own + other) / 2.0;
    let error = (2.0 * p * (1.0 - p) / items.max(1) as f64).sqrt();
    let difference = own - other;
    let numbers = format!("{measure} {own:.4} against {other:.4}");
    if difference.abs() <= error {
        return format!(
            "The {name} and the {BASELINE} are equally good, as far as {items} items can tell: \
             {numbers}."
        );
    }
    if difference > 0.0 {
        return format!("The {name} is better than the {BASELINE}: {numbers}.");
    }
    format!(
        "The {BASELINE} is better than the {name}: {numbers}. The order seems to say little here: \
         the simpler \
         method will do, or more data, more dropout or word vectors may help."
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(accuracy: f64) -> ClassMetrics {
        ClassMetrics { accuracy, ..ClassMetrics::default() }
    }

    #[test]
    fn the_verdict_knows_who_wins_and_when_nobody_does() {
        let says = |model: f64, baseline: f64, want: &str| {
            let sentence = verdict("gru", &of(model), &of(baseline), 400);
            assert!(sentence.starts_with(want), "{sentence}");
        };
        says(0.9, 0.8, "The gru is better than the bag of words: accuracy 0.9000 against 0.8000");
        says(0.7, 0.8, "The bag of words is better than the gru");
        says(0.81, 0.8, "The gru and the bag of words are equally good");
        let of = |f1| ClassMetrics { micro_f1: Some(f1), ..of(0.1) };
        let sentence = verdict("gru", &of(0.9), &of(0.8), 400);
        assert_eq!(
            sentence,
            "The gru is better than the bag of words: micro F1 0.9000 against 0.8000."
        );
    }

    #[test]
    fn labels_that_no_item_has_are_said() {
        let labels = ["a", "b, c", "d"].map(str::to_owned);
        let answers = Answers {
            labels: &labels,
            multi_label: false,
            truth: &[vec![0], vec![0]],
            probabilities: &[0.9, 0.1, 0.0, 0.8, 0.1, 0.1],
        };
        let report = Report::new("gru", &answers, None).unwrap();
        assert_eq!(report.model.metrics.macro_f1, 1.0);
        let want = "The metrics are over 1 of 3 labels: no item has the label `b, c`, `d`.";
        assert_eq!(report.said().as_deref(), Some(want));
        let bag = [0.5, 0.5, 0.0, 0.6, 0.4, 0.0];
        let report = Report::new("gru", &answers, Some(&bag)).unwrap();
        assert!(report.said().unwrap().ends_with(want));
        let all = Answers {
            labels: &labels[..2],
            truth: &[vec![0], vec![1]],
            probabilities: &[0.9, 0.1, 0.2, 0.8],
            ..answers
        };
        assert_eq!(Report::new("gru", &all, None).unwrap().said(), None);
    }
}
