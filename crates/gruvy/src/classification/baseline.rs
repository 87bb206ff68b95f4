//! The simple method beside every classifier: logistic regression of what is in an item, whatever its order.
use super::{
    answers::Answers,
    bag::Bag,
    judge::{JudgeConfig, judge},
    logistic::{Logistic, Problem},
};
use crate::error::Result;
use gruvy_runtime::examples::Items;

/// Strengths that are tried, `C` of [`Problem`], from the strongest regularisation on.
const STRENGTHS: [f64; 4] = [0.03, 0.3, 3.0, 30.0];
/// Where there is nothing to choose by.
const STRENGTH: f64 = 1.0;

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

/// A fitted baseline: a bag of words and pairs of words, or of sequences the spread of their features.
#[derive(Clone, Debug)]
pub struct Baseline {
    bag: Bag,
    logistic: Logistic,
}

impl Baseline {
    /// Fits it; of several strengths the one with the least log loss on the validation items.
    ///
    /// # Errors
    /// [`Error::Data`](crate::Error::Data) with what the optimizer said.
    pub fn fit(data: &BaselineData<'_>) -> Result<Self> {
        let bag = Bag::new(data.items, data.train);
        let rows = bag.rows(data.items, data.train);
        let of = |part: &[usize]| -> Vec<Vec<u32>> {
            part.iter().map(|item| data.truth[*item].clone()).collect()
        };
        let (truth, valid_truth) = (of(data.train), of(data.valid));
        let problem = |c: f64| Problem {
            rows: &rows,
            truth: &truth,
            classes: data.labels.len(),
            width: bag.width(),
            multi_label: data.multi_label,
            weights: data.weights,
            c,
        };
        if data.valid.is_empty() {
            let logistic = Logistic::fit(&problem(STRENGTH), None)?;
            return Ok(Self { bag, logistic });
        }
        let valid = bag.rows(data.items, data.valid);
        let mut best: Option<(f64, Logistic)> = None;
        let mut last: Option<Logistic> = None;
        for c in STRENGTHS {
            let fitted = Logistic::fit(&problem(c), last.as_ref())?;
            let answers = Answers {
                labels: data.labels,
                multi_label: data.multi_label,
                truth: &valid_truth,
                probabilities: &fitted.probabilities(&valid),
            };
            let loss = judge(&answers, &JudgeConfig::default())?.metrics.log_loss;
            // The loss has one valley over the strengths.
            if best.as_ref().is_some_and(|(least, _)| loss >= *least) {
                break;
            }
            best = Some((loss, fitted.clone()));
            last = Some(fitted);
        }
        let logistic = match best {
            Some((_, logistic)) => logistic,
            None => Logistic::fit(&problem(STRENGTH), None)?,
        };
        Ok(Self { bag, logistic })
    }

    /// The probability of each label for some items, `[N, K]`.
    ///
    /// # Panics
    /// If the items are of another kind than those that it was fitted to.
    pub fn probabilities(&self, items: &Items, of: &[usize]) -> Vec<f32> {
        self.logistic.probabilities(&self.bag.rows(items, of))
    }
}
