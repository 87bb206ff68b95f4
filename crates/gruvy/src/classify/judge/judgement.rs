//! The judgement: everything that can be said about answers whose truth is known.
use super::answers::{Answers, Checked, THRESHOLD};
use super::calibration::{self, CalibrationBin};
use super::metrics::{self, ClassMetrics, ClassRow};
use crate::error::{Error, Result};
use serde::Serialize;

/// What is kept of a judgement.
#[derive(Clone, Debug)]
pub struct JudgeConfig {
    /// Mistakes to keep, the most confident ones.
    pub mistakes: usize,
    /// Bins of equal width for the calibration.
    pub bins: usize,
}

impl Default for JudgeConfig {
    fn default() -> Self {
        Self { mistakes: 20, bins: 15 }
    }
}

/// How good answers are. `K` labels.
#[derive(Clone, Debug, Serialize)]
pub struct Judgement {
    /// Number of items that were judged.
    pub items: usize,
    /// Over all items.
    pub metrics: ClassMetrics,
    /// `[K]` a row for each class.
    pub classes: Vec<ClassRow>,
    /// `[K][K]` counts by true and predicted class; empty with several labels an item.
    pub confusion: Vec<Vec<u64>>,
    /// Bins that hold predictions, by confidence.
    pub calibration: Vec<CalibrationBin>,
    /// The most confident mistakes, the worst first.
    pub mistakes: Vec<Mistake>,
}

/// An item that was given other labels than it has.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Mistake {
    /// Which item.
    pub item: usize,
    /// Indices of the true labels, in order.
    pub truth: Vec<u32>,
    /// Indices of the predicted labels, in order.
    pub predicted: Vec<u32>,
    /// How probable the prediction was said to be. With several labels an item: of the one label,
    /// wrongly given or wrongly withheld, that was the surest.
    pub probability: f64,
    /// How probable the truth was said to be; of several labels, of the same one.
    pub truth_probability: f64,
}

/// Judges answers by what is true.
///
/// # Errors
/// [`Error::Data`] with the item, if there is none, if probabilities are missing, outside of 0 to 1
/// or do not sum to 1, or if an item has a label that does not exist, twice, or not exactly one
/// where it must; [`Error::Setting`] for no bins.
pub fn judge(answers: &Answers<'_>, config: &JudgeConfig) -> Result<Judgement> {
    if config.bins == 0 {
        return Err(Error::setting("bins", 0, "expected at least one bin of confidences"));
    }
    let checked = Checked::new(*answers)?;
    let classes = metrics::rows(&checked);
    let calibration = calibration::calibration(&checked, config.bins);
    let metrics = ClassMetrics {
        calibration_error: calibration::error(&calibration),
        ..ClassMetrics::of(&checked, &classes)
    };
    Ok(Judgement {
        items: checked.items(),
        metrics,
        classes,
        confusion: metrics::confusion(&checked),
        calibration,
        mistakes: mistakes(&checked, config.mistakes),
    })
}

fn mistakes(checked: &Checked<'_>, most: usize) -> Vec<Mistake> {
    let wrong = (0..checked.items()).filter(|item| !checked.right(*item));
    let mut all: Vec<(usize, f32)> = wrong.map(|item| (item, surest(checked, item).0)).collect();
    all.sort_by(|a, b| b.1.total_cmp(&a.1));
    let mistake = |(item, _)| {
        let (probability, truth_probability) = surest(checked, item);
        Mistake {
            item,
            truth: checked.truth[item].clone(),
            predicted: checked.predicted[item].clone(),
            probability: f64::from(probability),
            truth_probability: f64::from(truth_probability),
        }
    };
    all.into_iter().take(most).map(mistake).collect()
}

/// The probabilities of prediction and truth in a wrong answer.
fn surest(checked: &Checked<'_>, item: usize) -> (f32, f32) {
    let (row, truth) = (checked.row(item), &checked.truth[item]);
    if !checked.answers.multi_label {
        return (row[checked.predicted[item][0] as usize], row[truth[0] as usize]);
    }
    let wrong = row.iter().zip(0u32..).filter(|(p, k)| (**p >= THRESHOLD) != truth.contains(k));
    let surest = wrong.map(|(p, _)| p.max(1.0 - p)).fold(0.0, f32::max);
    (surest, 1.0 - surest)
}
