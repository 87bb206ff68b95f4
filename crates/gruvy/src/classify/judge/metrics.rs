//! How good answers are, by scikit-learn's definitions.
//!
//! With the items of class k counted as true (`s_k`, its support), predicted (`p_k`) and both
//! (`t_k`):
//!
//! ```text
//! precision = t / p,  recall = t / s,  F1 = 2 t / (s + p);  0 where that is 0 / 0
//! macro F1    = mean of F1 over the classes that occur, as truth or as prediction
//! weighted F1 = Σ s F1 / Σ s
//! micro F1    = 2 Σ t / Σ (s + p)                           with one label an item this is the accuracy
//! ROC AUC     = share of pairs (positive, negative) in which the positive has the higher score, ties ½
//! log loss    = mean of −ln p(truth), p kept within [ε, 1 − ε], ε = 2⁻²³
//! ```
//! With several labels an item, each label is a question of its own: ROC AUC is the mean over
//! labels that are true of some items and not of all, log loss the mean over items and labels.
//!
//! Sources: Pedregosa et al., Scikit-learn (2011); Hand and Till (2001) for the area under the ROC
//! curve by ranks.
use super::answers::Checked;
use crate::mean::mean;
use serde::Serialize;
use std::collections::BTreeMap;

/// How good answers are.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ClassMetrics {
    /// The share of items with the right label; with several labels an item, with exactly the
    /// right ones.
    pub accuracy: f64,
    /// The mean of F1 over the classes that occur, each with the same weight.
    pub macro_f1: f64,
    /// The mean of F1 over the classes, each with the number of its items as weight.
    pub weighted_f1: f64,
    /// F1 over all decisions at once; none with one label an item, where it is the accuracy.
    pub micro_f1: Option<f64>,
    /// Area under the ROC curve; none with more than two classes, or where only one of them
    /// occurs.
    pub roc_auc: Option<f64>,
    /// In nats an item; with several labels an item, nats a label.
    pub log_loss: f64,
    /// Expected calibration error: how far the confidence is from the accuracy, 0 to 1.
    pub calibration_error: f64,
}

/// A class and how well it is found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClassRow {
    /// What it is called.
    pub label: String,
    /// The share of what was predicted as this class that is.
    pub precision: f64,
    /// The share of this class that was predicted as it.
    pub recall: f64,
    /// Their harmonic mean.
    pub f1: f64,
    /// Items of this class.
    pub support: u64,
    /// Items predicted as it.
    pub predicted: u64,
}

impl ClassMetrics {
    /// The measures that there are, by name.
    pub fn to_map(&self) -> BTreeMap<String, f64> {
        let all = [
            ("accuracy", Some(self.accuracy)),
            ("macro_f1", Some(self.macro_f1)),
            ("weighted_f1", Some(self.weighted_f1)),
            ("micro_f1", self.micro_f1),
            ("roc_auc", self.roc_auc),
            ("log_loss", Some(self.log_loss)),
            ("calibration_error", Some(self.calibration_error)),
        ];
        all.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
    }

    /// All but the calibration error, which has bins to choose.
    pub(super) fn of(checked: &Checked<'_>, classes: &[ClassRow]) -> Self {
        let n = checked.items();
        let right = (0..n).filter(|item| checked.right(*item)).count();
        let occur = classes.iter().filter(|row| row.support + row.predicted > 0);
        let support: f64 = classes.iter().map(|row| row.support as f64).sum();
        let weighted: f64 = classes.iter().map(|row| row.support as f64 * row.f1).sum();
        Self {
            accuracy: right as f64 / n as f64,
            macro_f1: mean(occur.map(|row| row.f1)).unwrap_or(0.0),
            weighted_f1: if support > 0.0 { weighted / support } else { 0.0 },
            micro_f1: checked.answers.multi_label.then(|| micro_f1(classes)),
            roc_auc: roc_auc(checked),
            log_loss: log_loss(checked),
            calibration_error: 0.0,
        }
    }
}

/// Precision, recall and counts of every class.
pub(super) fn rows(checked: &Checked<'_>) -> Vec<ClassRow> {
    let mut counts = vec![[0u64; 3]; checked.classes()];
    for (truth, predicted) in checked.truth.iter().zip(&checked.predicted) {
        truth.iter().for_each(|label| counts[*label as usize][0] += 1);
        for label in predicted {
            counts[*label as usize][1] += 1;
            counts[*label as usize][2] += u64::from(truth.contains(label));
        }
    }
    let row = |(label, [support, predicted, both]): (&String, [u64; 3])| ClassRow {
        label: label.clone(),
        precision: share(both, predicted),
        recall: share(both, support),
        f1: share(2 * both, support + predicted),
        support,
        predicted,
    };
    checked.answers.labels.iter().zip(counts).map(row).collect()
}

/// `[true][predicted]` of answers with one label an item.
pub(super) fn confusion(checked: &Checked<'_>) -> Vec<Vec<u64>> {
    if checked.answers.multi_label {
        return Vec::new();
    }
    let mut counts = vec![vec![0; checked.classes()]; checked.classes()];
    for (truth, predicted) in checked.truth.iter().zip(&checked.predicted) {
        counts[truth[0] as usize][predicted[0] as usize] += 1;
    }
    counts
}

fn share(part: u64, of: u64) -> f64 {
    if of == 0 { 0.0 } else { part as f64 / of as f64 }
}

fn micro_f1(classes: &[ClassRow]) -> f64 {
    let both: f64 = classes.iter().map(|row| row.recall * row.support as f64).sum();
    let of: u64 = classes.iter().map(|row| row.support + row.predicted).sum();
    if of == 0 { 0.0 } else { 2.0 * both / of as f64 }
}

fn roc_auc(checked: &Checked<'_>) -> Option<f64> {
    let of_label = |label: usize| {
        let one =
            |item: usize| (checked.row(item)[label], checked.truth[item].contains(&(label as u32)));
        area((0..checked.items()).map(one).collect())
    };
    match (checked.answers.multi_label, checked.classes()) {
        (true, classes) => mean((0..classes).filter_map(of_label)),
        (false, 2) => of_label(1),
        (false, _) => None,
    }
}

/// Of scores, each with whether it belongs to a positive: by the ranks of the positives.
fn area(mut scores: Vec<(f32, bool)>) -> Option<f64> {
    scores.sort_by(|a, b| a.0.total_cmp(&b.0));
    let positives = scores.iter().filter(|score| score.1).count() as f64;
    let negatives = scores.len() as f64 - positives;
    let (mut below, mut ranks) = (0.0, 0.0);
    for tied in scores.chunk_by(|a, b| a.0 == b.0) {
        let middle = below + (tied.len() as f64 + 1.0) / 2.0;
        ranks += middle * tied.iter().filter(|score| score.1).count() as f64;
        below += tied.len() as f64;
    }
    let wins = ranks - positives * (positives + 1.0) / 2.0;
    (positives > 0.0 && negatives > 0.0).then(|| wins / (positives * negatives))
}

fn log_loss(checked: &Checked<'_>) -> f64 {
    let epsilon = f64::from(f32::EPSILON);
    let nats = |p: f64| -p.clamp(epsilon, 1.0 - epsilon).ln();
    let of_item = |item: usize| -> f64 {
        let (row, truth) = (checked.row(item), &checked.truth[item]);
        if !checked.answers.multi_label {
            return nats(f64::from(row[truth[0] as usize]));
        }
        let labels = row.iter().zip(0u32..).map(|(p, label)| {
            let p = f64::from(*p);
            nats(if truth.contains(&label) { p } else { 1.0 - p })
        });
        mean(labels).unwrap_or(0.0)
    };
    mean((0..checked.items()).map(of_item)).unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_area_counts_ties_as_half() {
        let area = |scores: &[(f32, bool)]| area(scores.to_vec());
        assert_eq!(area(&[(0.1, false), (0.9, true)]), Some(1.0));
        assert_eq!(area(&[(0.9, false), (0.1, true)]), Some(0.0));
        assert_eq!(area(&[(0.5, false), (0.5, true), (0.5, false)]), Some(0.5));
        // Of four pairs one is lost and one tied.
        let scores = [(0.2, false), (0.6, false), (0.4, true), (0.6, true)];
        assert_eq!(area(&scores), Some(2.5 / 4.0));
        assert_eq!(area(&[(0.5, true)]), None);
        assert_eq!(area(&[]), None);
    }
}
