//! What was answered, checked once, and the labels that follow from it.
use crate::error::{Error, Result};

/// With several labels an item, those of at least this probability are predicted.
pub const THRESHOLD: f32 = 0.5;

/// How far from 1 the sum of an item's probabilities may be: rounding, no more.
const SUM_TOLERANCE: f32 = 1e-2;

/// What was answered about `N` items with `K` labels.
#[derive(Clone, Copy, Debug)]
pub struct Answers<'a> {
    /// `[K]`
    pub labels: &'a [String],
    /// Whether an item has any number of labels instead of one.
    pub multi_label: bool,
    /// `[N]` indices of the true labels: one each, or any number.
    pub truth: &'a [Vec<u32>],
    /// `[N, K]` The rows sum to 1 unless `multi_label`.
    pub probabilities: &'a [f32],
}

/// Answers that were checked, with what they say.
pub(super) struct Checked<'a> {
    pub answers: Answers<'a>,
    /// `[N]` the true labels, in order.
    pub truth: Vec<Vec<u32>>,
    /// `[N]` the predicted labels, in order: the most probable one, the first of several; with
    /// several labels an item those from [`THRESHOLD`] on.
    pub predicted: Vec<Vec<u32>>,
}

impl<'a> Checked<'a> {
    pub fn new(answers: Answers<'a>) -> Result<Self> {
        let (n, k) = (answers.truth.len(), answers.labels.len());
        if n == 0 || k == 0 {
            return Err(Error::Data(format!(
                "nothing to judge: {n} items with {k} labels, expected at least one of each"
            )));
        }
        let found = answers.probabilities.len();
        if found != n * k {
            return Err(Error::Data(format!(
                "{found} probabilities, expected {n} items × {k} labels = {}",
                n * k
            )));
        }
        let mut checked = Self { answers, truth: Vec::new(), predicted: Vec::new() };
        for (item, truth) in answers.truth.iter().enumerate() {
            let row = checked.row(item);
            if let Some(why) = answers.wrong(truth).or_else(|| answers.improbable(row)) {
                return Err(Error::Data(format!("item {item}: {why}")));
            }
            let predicted = answers.predicted(row);
            checked.predicted.push(predicted);
            let mut truth = truth.clone();
            truth.sort_unstable();
            checked.truth.push(truth);
        }
        Ok(checked)
    }

    /// `[K]` the probabilities of an item.
    pub fn row(&self, item: usize) -> &'a [f32] {
        let k = self.classes();
        &self.answers.probabilities[item * k..(item + 1) * k]
    }

    /// `K`
    pub fn classes(&self) -> usize {
        self.answers.labels.len()
    }

    /// `N`
    pub fn items(&self) -> usize {
        self.truth.len()
    }

    /// Whether an item has exactly the labels that it was given.
    pub fn right(&self, item: usize) -> bool {
        self.truth[item] == self.predicted[item]
    }
}

impl Answers<'_> {
    /// What is wrong with an item's true labels.
    fn wrong(&self, truth: &[u32]) -> Option<String> {
        if !self.multi_label && truth.len() != 1 {
            return Some(format!("{} true labels, expected one", truth.len()));
        }
        let k = self.labels.len();
        if let Some(label) = truth.iter().find(|label| **label as usize >= k) {
            return Some(format!("true label {label}, expected an index below {k}"));
        }
        let twice = truth.iter().enumerate().find(|(i, label)| truth[..*i].contains(label));
        twice.map(|(_, label)| format!("true label {label} is there twice"))
    }

    /// What is wrong with an item's probabilities.
    fn improbable(&self, row: &[f32]) -> Option<String> {
        if let Some(k) = row.iter().position(|p| !(-1e-6..=1.0 + 1e-3).contains(p)) {
            let label = &self.labels[k];
            return Some(format!("the probability of {label} is {}, expected 0 to 1", row[k]));
        }
        let sum: f32 = row.iter().sum();
        (!self.multi_label && (sum - 1.0).abs() > SUM_TOLERANCE)
            .then(|| format!("the probabilities sum to {sum}, expected 1"))
    }

    fn predicted(&self, row: &[f32]) -> Vec<u32> {
        if self.multi_label {
            return (0..row.len() as u32).filter(|k| row[*k as usize] >= THRESHOLD).collect();
        }
        let best = (1..row.len()).fold(0, |best, k| if row[k] > row[best] { k } else { best });
        vec![best as u32]
    }
}
