//! Whether a probability means what it says.
//!
//! Predictions are sorted into `M` bins of equal width by their confidence; in bin m, with `n_m` of
//! `n` predictions, the mean confidence should be the share that is right:
//!
//! ```text
//! ECE = Σ_m n_m / n · |accuracy_m − confidence_m|
//! ```
//! The confidence is the probability of the predicted class. With several labels an item every
//! label is asked by itself: the confidence is its probability, and right is that the item has it.
//!
//! Source: Guo et al., On Calibration of Modern Neural Networks (2017), 1706.04599.
use super::answers::Checked;
use serde::Serialize;

/// Predictions of similar confidence. Bins that hold none are left out.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct CalibrationBin {
    /// The confidences in it are above this, in the first bin from this on.
    pub from: f64,
    /// And up to this.
    pub to: f64,
    /// Number of predictions.
    pub count: u64,
    /// Their mean confidence.
    pub confidence: f64,
    /// The share of them that is right.
    pub accuracy: f64,
}

pub(super) fn calibration(checked: &Checked<'_>, bins: usize) -> Vec<CalibrationBin> {
    let mut sums = vec![(0u64, 0.0, 0u64); bins];
    let mut add = |confidence: f32, right: bool| {
        let confidence = f64::from(confidence.clamp(0.0, 1.0));
        let bin = ((confidence * bins as f64).ceil() as usize).clamp(1, bins) - 1;
        let (count, sum, rights) = &mut sums[bin];
        *count += 1;
        *sum += confidence;
        *rights += u64::from(right);
    };
    for item in 0..checked.items() {
        let row = checked.row(item);
        if checked.answers.multi_label {
            let truth = &checked.truth[item];
            row.iter().zip(0..).for_each(|(p, label)| add(*p, truth.contains(&label)));
        } else {
            add(row[checked.predicted[item][0] as usize], checked.right(item));
        }
    }
    let bin = |(m, (count, sum, rights)): (usize, (u64, f64, u64))| CalibrationBin {
        from: m as f64 / bins as f64,
        to: (m + 1) as f64 / bins as f64,
        count,
        confidence: sum / count as f64,
        accuracy: rights as f64 / count as f64,
    };
    sums.into_iter().enumerate().filter(|(_, sums)| sums.0 > 0).map(bin).collect()
}

/// `ECE`
pub(super) fn error(bins: &[CalibrationBin]) -> f64 {
    let n: u64 = bins.iter().map(|bin| bin.count).sum();
    let gap = |bin: &CalibrationBin| bin.count as f64 * (bin.accuracy - bin.confidence).abs();
    bins.iter().map(gap).sum::<f64>() / n.max(1) as f64
}
