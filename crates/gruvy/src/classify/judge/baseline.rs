//! The simple method beside every classifier: logistic regression of what is in an item, whatever
//! its order.
use super::{
    answers::Answers,
    bag::Bag,
    judgement::{JudgeConfig, judge},
    logistic::{Logistic, Prepared, Problem, columns},
    minimize::Stop,
};
use crate::error::Result;
use gruvy_runtime::items::Items;

/// Strengths that are tried, `C` of [`Problem`], from the strongest regularisation on.
const STRENGTHS: [f64; 5] = [0.003, 0.03, 0.3, 3.0, 30.0];
/// Where there is nothing to choose by.
const STRENGTH: f64 = 1.0;
/// Weights at most; with many classes the rarest words are left out. The optimizer keeps 20 numbers
/// for each.
const MOST: usize = 2_000_000;
/// Products in all steps of a strength. On two cores, that were busy beside, 25,000 texts of 250
/// words and two classes took 10 s in all, of 100 words and 20 classes 20 s.
const WORK: usize = 20_000_000_000;

/// What the baseline is fitted to.
pub struct BaselineData<'a> {
    /// All items.
    pub items: &'a Items,
    /// `[N]` their true labels.
    pub truth: &'a [Vec<u32>],
    /// Which items are learned from.
    pub train: &'a [usize],
    /// Which items the strength of the regularisation is chosen by.
    pub valid: &'a [usize],
    /// `[K]`
    pub labels: &'a [String],
    /// Whether an item can have several labels, or none.
    pub multi_label: bool,
    /// `[K]` what an item of each class counts.
    pub weights: Option<&'a [f32]>,
}

/// A fitted baseline: a bag of words and pairs of words, or of sequences the spread of their
/// features.
#[derive(Clone, Debug)]
pub struct Baseline {
    bag: Bag,
    logistic: Logistic,
}

impl Baseline {
    /// Fits it; of several strengths the one with the least log loss on the validation items.
    ///
    /// # Errors
    /// As [`judge`], of what it answers about the validation items.
    pub fn fit(data: &BaselineData<'_>) -> Result<Self> {
        let bag = Bag::new(data.items, data.train);
        let rows = bag.rows(data.items, data.train);
        let of = |part: &[usize]| -> Vec<Vec<u32>> {
            part.iter().map(|item| data.truth[*item].clone()).collect()
        };
        let (truth, valid_truth) = (of(data.train), of(data.valid));
        let classes = data.labels.len();
        // The columns of a bag are in order of their frequency.
        let width = bag.width().min(MOST / columns(classes, data.multi_label).max(1));
        let problem = Problem {
            rows: &rows,
            truth: &truth,
            classes,
            width,
            multi_label: data.multi_label,
            weights: data.weights,
            c: STRENGTH,
        };
        let mut logistic = Logistic::new(&problem);
        let mut prepared = Prepared::new(problem);
        let steps = (WORK / prepared.work().max(1)).clamp(15, 200);
        let stop = Stop { steps, gradient: 1e-5, fall: 1e-5 };
        if data.valid.is_empty() {
            logistic.go_on(&prepared, stop);
            return Ok(Self { bag, logistic });
        }
        let valid = bag.rows(data.items, data.valid);
        let mut best: Option<(f64, Logistic)> = None;
        for c in STRENGTHS {
            logistic.go_on(prepared.with(c), stop);
            let answers = Answers {
                labels: data.labels,
                multi_label: data.multi_label,
                truth: &valid_truth,
                probabilities: &logistic.probabilities(&valid),
            };
            let loss = judge(&answers, &JudgeConfig::default())?.metrics.log_loss;
            // The loss has one valley over the strengths.
            if best.as_ref().is_some_and(|(least, _)| loss >= *least) {
                break;
            }
            best = Some((loss, logistic.clone()));
        }
        Ok(Self { bag, logistic: best.map_or(logistic, |(_, best)| best) })
    }

    /// The probability of each label for some items, `[N, K]`.
    ///
    /// # Panics
    /// If the items are of another kind than those that it was fitted to.
    pub fn probabilities(&self, items: &Items, of: &[usize]) -> Vec<f32> {
        self.logistic.probabilities(&self.bag.rows(items, of))
    }
}
