//! What a forecast is: a mean and quantiles for every step ahead.

/// The forecast of one series from one origin, in the unit of the series.
///
/// `K` levels, `H` steps ahead (the horizon).
#[derive(Clone, Debug, PartialEq)]
pub struct Forecast {
    /// Which series.
    pub id: String,
    /// First step forecast, as an index into the series: everything before it was known.
    pub origin: usize,
    /// `[H]`
    pub mean: Vec<f64>,
    /// `[K]` probabilities in (0, 1), increasing: 0.1, 0.2, …, 0.9.
    pub levels: Vec<f64>,
    /// `[K][H]` the values below which the series stays with these probabilities.
    pub quantiles: Vec<Vec<f64>>,
}

/// Levels closer than this are the same level.
const SAME: f64 = 1e-9;

impl Forecast {
    /// Every value times `by`.
    pub(crate) fn scaled(mut self, by: f64) -> Self {
        self.values_mut().for_each(|value| *value *= by);
        self
    }

    /// Adds every value of another forecast of the same shape, times `by`.
    pub(crate) fn add(&mut self, other: &Self, by: f64) {
        let others = other.mean.iter().chain(other.quantiles.iter().flatten());
        self.values_mut().zip(others).for_each(|(value, other)| *value += by * other);
    }

    fn values_mut(&mut self) -> impl Iterator<Item = &mut f64> {
        self.mean.iter_mut().chain(self.quantiles.iter_mut().flatten())
    }

    /// `H`, steps ahead.
    pub fn horizon(&self) -> usize {
        self.mean.len()
    }

    /// `[H]` the quantile of this level, if it is among the levels.
    pub fn quantile(&self, level: f64) -> Option<&[f64]> {
        let k = self.levels.iter().position(|l| (l - level).abs() < SAME)?;
        Some(&self.quantiles[k])
    }

    /// `[H]` the median, or the mean where level 0.5 is none of the levels.
    pub fn median(&self) -> &[f64] {
        self.quantile(0.5).unwrap_or(&self.mean)
    }

    /// The central intervals that the levels make, widest first: nominal coverage, lower and upper
    /// bound `[H]`. Levels 0.1, 0.5 and 0.9 make one, that of 0.8.
    pub fn intervals(&self) -> impl Iterator<Item = (f64, &[f64], &[f64])> {
        self.levels
            .iter()
            .zip(&self.quantiles)
            .take_while(|(level, _)| **level < 0.5 - SAME)
            .filter_map(|(level, lower)| {
                Some((1.0 - 2.0 * level, &lower[..], self.quantile(1.0 - level)?))
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_that_lie_symmetrically_make_intervals() {
        let levels = vec![0.05, 0.1, 0.5, 0.9];
        let quantiles = vec![vec![1.0], vec![2.0], vec![4.0], vec![7.0]];
        let forecast = Forecast { id: "a".into(), origin: 3, mean: vec![5.0], levels, quantiles };
        let intervals: Vec<_> = forecast.intervals().collect();
        assert_eq!(intervals.len(), 1);
        let (nominal, lower, upper) = intervals[0];
        assert!((nominal - 0.8).abs() < 1e-12);
        assert_eq!((lower, upper), (&[2.0][..], &[7.0][..]));
        assert_eq!(forecast.median(), [4.0]);
        assert_eq!(forecast.quantile(0.05), Some(&[1.0][..]));
        assert_eq!(forecast.quantile(0.95), None);
    }

    #[test]
    fn without_a_median_the_mean_stands_in() {
        let forecast = Forecast {
            id: "a".into(),
            origin: 0,
            mean: vec![5.0],
            levels: vec![],
            quantiles: vec![],
        };
        assert_eq!(forecast.median(), [5.0]);
        assert_eq!(forecast.intervals().count(), 0);
        assert_eq!(forecast.horizon(), 1);
    }
}
