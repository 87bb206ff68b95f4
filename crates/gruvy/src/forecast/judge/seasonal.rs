//! Taking the season out of a series and putting it back: classical decomposition.
//!
//! ```text
//! trend_t  = moving average over one season, centred (a 2 × m average for an even m)
//! index_s  = mean over t ≡ s (mod m) of y_t / trend_t, divided by the mean over s      multiplicative
//!          = mean over t ≡ s (mod m) of y_t − trend_t, less the mean over s            additive
//! ```
//! Series with a value that is not positive have an additive season, others a multiplicative one.
//!
//! Whether there is a season at all says the autocorrelation at its lag, as in the M4 competition's
//! benchmarks: `|r_m| > 1.645 √((1 + 2 Σ_{i<m} r_i²) / N)`, a test at 90 %, with at least three
//! seasons of history.
//!
//! Sources: Hyndman and Athanasopoulos, Forecasting: Principles and Practice, section 3.4; the M4
//! competition's code for its benchmark Naive2.

/// Of a normal distribution, two-sided at 90 %.
const CRITICAL: f64 = 1.645;

/// The seasonal indices of a series.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Season {
    multiplicative: bool,
    /// `[m]`, by step modulo m.
    index: Vec<f64>,
}

impl Season {
    /// Of a history `[N]` without gaps, if it has a season of `m` steps.
    pub fn of(y: &[f64], m: usize) -> Option<Self> {
        (m > 1 && is_seasonal(y, m)).then(|| Self::decompose(y, m))
    }

    fn decompose(y: &[f64], m: usize) -> Self {
        let multiplicative = y.iter().all(|value| *value > 0.0);
        let (mut sums, mut counts) = (vec![0.0; m], vec![0.0; m]);
        let half = m / 2;
        for t in half..y.len() - half {
            let window = &y[t - half..=t + half];
            // For an even season the two ends are half a season away each, and count half.
            let ends = if m.is_multiple_of(2) { (window[0] + window[m]) / 2.0 } else { 0.0 };
            let trend = (window.iter().sum::<f64>() - ends) / m as f64;
            sums[t % m] += if multiplicative { y[t] / trend } else { y[t] - trend };
            counts[t % m] += 1.0;
        }
        let mut index: Vec<f64> = sums.iter().zip(&counts).map(|(sum, n)| sum / n).collect();
        let mean = index.iter().sum::<f64>() / m as f64;
        index.iter_mut().for_each(|i| if multiplicative { *i /= mean } else { *i -= mean });
        Self { multiplicative, index }
    }

    /// A value of step `t` without the season.
    pub fn remove(&self, t: usize, value: f64) -> f64 {
        let index = self.index[t % self.index.len()];
        if self.multiplicative { value / index } else { value - index }
    }

    /// The inverse of [`Season::remove`].
    pub fn restore(&self, t: usize, value: f64) -> f64 {
        let index = self.index[t % self.index.len()];
        if self.multiplicative { value * index } else { value + index }
    }
}

fn is_seasonal(y: &[f64], m: usize) -> bool {
    let n = y.len();
    if n < 3 * m {
        return false;
    }
    let mean = y.iter().sum::<f64>() / n as f64;
    let product =
        |lag: usize| -> f64 { y.iter().zip(&y[lag..]).map(|(a, b)| (a - mean) * (b - mean)).sum() };
    let variance = product(0);
    let r = |lag: usize| product(lag) / variance;
    let before: f64 = (1..m).map(|lag| r(lag).powi(2)).sum();
    let limit = CRITICAL * ((1.0 + 2.0 * before) / n as f64).sqrt();
    // A constant series has no autocorrelation, and is not seasonal.
    variance > 0.0 && r(m).abs() > limit
}

/// `y` without its gaps: on a line between the known neighbours, before the first and after the
/// last as those. Empty if nothing is known.
pub(super) fn interpolated(y: &[f64]) -> Vec<f64> {
    let known: Vec<usize> = (0..y.len()).filter(|t| y[*t].is_finite()).collect();
    let (Some(first), Some(last)) = (known.first(), known.last()) else { return Vec::new() };
    let mut whole = y.to_vec();
    whole[..*first].fill(y[*first]);
    whole[*last..].fill(y[*last]);
    for pair in known.windows(2) {
        let (a, b) = (pair[0], pair[1]);
        for (i, value) in whole[a + 1..b].iter_mut().enumerate() {
            let share = (i + 1) as f64 / (b - a) as f64;
            *value = y[a] + (y[b] - y[a]) * share;
        }
    }
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(found: &[f64], expected: &[f64]) {
        assert_eq!(found.len(), expected.len());
        for (a, b) in found.iter().zip(expected) {
            assert!((a - b).abs() < 1e-9, "{found:?}, expected {expected:?}");
        }
    }

    /// A line times or plus a season.
    fn series(n: usize, index: &[f64], multiplicative: bool, level: f64) -> Vec<f64> {
        let value = |t: usize| {
            let index = index[t % index.len()];
            if multiplicative { level * index } else { level + 0.5 * t as f64 + index }
        };
        (0..n).map(value).collect()
    }

    #[test]
    fn indices_are_found_again() {
        for (index, n) in [(vec![0.5, 1.0, 1.5, 1.0], 14), (vec![0.6, 1.0, 1.4], 11)] {
            let season = Season::of(&series(n, &index, true, 20.0), index.len()).unwrap();
            assert!(season.multiplicative);
            close(&season.index, &index);
        }
        let index = [-3.0, 1.0, 4.0, -2.0];
        let y = series(24, &index, false, -5.0);
        let season = Season::of(&y, 4).unwrap();
        assert!(!season.multiplicative, "not all values are positive");
        close(&season.index, &index);
        let t = 18;
        close(&[season.remove(t, y[t])], &[-5.0 + 0.5 * t as f64]);
        close(&[season.restore(t, season.remove(t, y[t]))], &[y[t]]);
    }

    #[test]
    fn what_has_no_season_is_left_alone() {
        assert_eq!(Season::of(&[5.0; 40], 4), None, "constant");
        assert_eq!(
            Season::of(&series(11, &[0.5, 1.0, 1.5, 1.0], true, 20.0), 4),
            None,
            "too short"
        );
        let line: Vec<f64> = (0..40).map(|t| 7.0 + 2.0 * f64::from(t)).collect();
        assert_eq!(Season::of(&line, 12), None, "a trend alone");
        assert_eq!(Season::of(&line, 1), None);
    }

    #[test]
    fn gaps_are_filled_on_a_line() {
        let n = f64::NAN;
        close(&interpolated(&[n, 2.0, n, n, 5.0, n]), &[2.0, 2.0, 3.0, 4.0, 5.0, 5.0]);
        assert!(interpolated(&[n, n]).is_empty());
        assert!(interpolated(&[]).is_empty());
    }
}
