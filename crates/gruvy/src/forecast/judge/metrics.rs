//! How good forecasts are, by the definitions that published results use.
//!
//! With the values y that came true, the median ŷ and the mean ȳ of a forecast over the steps of
//! its horizon at which y is known, the history before its origin, the season m, and levels q with
//! their quantiles ŷ_q:
//!
//! ```text
//! sMAPE  = mean of 200 |y − ŷ| / (|y| + |ŷ|), 0 where both are 0                  per cent, as the M4 competition
//! MASE   = mean of |y − ŷ| / scale,      scale  = mean of |y_t − y_{t−m}| in the history      as M4
//! RMSSE  = √(mean of (y − ȳ)² / scale²), scale² = mean of (y_t − y_{t−m})²      as M5, which has m = 1
//! CRPS   ≈ mean over q of 2 Σ ρ_q(y − ŷ_q) / Σ |y|,  ρ_q(u) = u (q − [u < 0])     weighted quantile loss
//! coverage of the interval from ŷ_q to ŷ_{1−q}: the share of y in it; nominal: 1 − 2q
//! MSE    = mean of (y − ȳ)²,  MAE = mean of |y − ŷ|
//! ```
//! Absolute errors are those of the median, squared ones those of the mean, because that is what
//! makes them small (as GluonTS does). sMAPE, MASE and RMSSE are means over the origins of a
//! series, then over series; the others are over all values at once: CRPS is GluonTS'
//! `mean_weighted_sum_quantile_loss`.
//!
//! Sources: Makridakis et al., The M4 Competition (2020), and The M5 accuracy competition (2022);
//! Hyndman and Koehler (2006) for scaled errors; Alexandrov et al., GluonTS (2020).
use crate::mean::mean;
use gruvy_runtime::forecast::Forecast;
use serde::Serialize;

/// How good forecasts are. None where a measure has nothing to be computed from.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Metrics {
    /// Per cent, 0 to 200.
    pub smape: Option<f64>,
    /// 1 is a seasonal naive forecast of one season in the history.
    pub mase: Option<f64>,
    /// The same with squares.
    pub rmsse: Option<f64>,
    /// Weighted quantile loss, a share of the values' size.
    pub crps: Option<f64>,
    /// In the square of the series' unit.
    pub mse: f64,
    /// In the series' unit.
    pub mae: f64,
    /// Of every central interval, the widest first.
    pub coverage: Vec<Coverage>,
}

/// How often values lie in an interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Coverage {
    /// The share that should.
    pub nominal: f64,
    /// The share that does.
    pub share: f64,
}

/// What a history's seasonal differences have come to before every step.
pub(super) struct Scales(Vec<Sums>);

#[derive(Clone, Copy, Default)]
struct Sums {
    count: usize,
    absolute: f64,
    squared: f64,
}

/// Mean size of seasonal differences in a history.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Scale {
    /// Mean of `|y_t − y_{t−m}|`.
    pub absolute: f64,
    /// Mean of `(y_t − y_{t−m})²`.
    pub squared: f64,
}

impl Scales {
    /// Of a series `[N]`; pairs of which one is missing do not count.
    pub fn new(y: &[f64], season: usize) -> Self {
        let mut sums = Sums::default();
        let before = y.iter().enumerate().map(|(t, value)| {
            let now = sums;
            let difference = t.checked_sub(season).map_or(f64::NAN, |earlier| value - y[earlier]);
            if difference.is_finite() {
                sums.count += 1;
                sums.absolute += difference.abs();
                sums.squared += difference * difference;
            }
            now
        });
        let mut all: Vec<Sums> = before.collect();
        all.push(sums);
        Self(all)
    }

    /// Of the history before a step; none if it has no pair a season apart.
    pub fn before(&self, step: usize) -> Option<Scale> {
        let sums = self.0[step.min(self.0.len() - 1)];
        let n = sums.count as f64;
        (sums.count > 0).then(|| Scale { absolute: sums.absolute / n, squared: sums.squared / n })
    }
}

/// What one forecast comes to, `H` steps, `K` levels.
pub(super) struct Score {
    /// Steps at which y is known.
    known: usize,
    smape: f64,
    mase: Option<f64>,
    rmsse: Option<f64>,
    /// `Σ |y|`
    size: f64,
    /// `[K]` `2 Σ ρ_q`
    losses: Vec<f64>,
    squared: f64,
    absolute: f64,
    /// Of every interval the nominal coverage, and how many values lie in it.
    inside: Vec<(f64, usize)>,
    /// `[H]` `|y − ŷ| / scale`, NaN where unknown.
    pub scaled: Vec<f64>,
}

impl Score {
    /// Of a forecast, with what came true, `[H]`; none if nothing is known. A scale of 0 is none.
    pub fn new(forecast: &Forecast, actual: &[f64], scale: Option<Scale>) -> Option<Self> {
        let known: Vec<usize> = (0..actual.len()).filter(|h| actual[*h].is_finite()).collect();
        let n = known.len() as f64;
        let mean_of = |f: &dyn Fn(usize) -> f64| known.iter().map(|h| f(*h)).sum::<f64>() / n;
        let (median, mean) = (forecast.median(), &forecast.mean);
        let error = |h: usize| (actual[h] - median[h]).abs();
        let relative = |h: usize| match actual[h].abs() + median[h].abs() {
            0.0 => 0.0,
            size => 200.0 * error(h) / size,
        };
        let scale = scale.filter(|scale| scale.absolute > 0.0);
        let absolute = mean_of(&error);
        let squared = mean_of(&|h| (actual[h] - mean[h]).powi(2));
        let by = scale.map_or(f64::NAN, |scale| scale.absolute);
        let quantiles = forecast.levels.iter().zip(&forecast.quantiles);
        let inside = forecast.intervals().map(|(nominal, lower, upper)| {
            let within = |h: &&usize| lower[**h] <= actual[**h] && actual[**h] <= upper[**h];
            (nominal, known.iter().filter(within).count())
        });
        (!known.is_empty()).then(|| Self {
            known: known.len(),
            smape: mean_of(&relative),
            mase: scale.map(|scale| absolute / scale.absolute),
            rmsse: scale.map(|scale| (squared / scale.squared).sqrt()),
            size: known.iter().map(|h| actual[*h].abs()).sum(),
            losses: quantiles
                .map(|(q, values)| 2.0 * n * mean_of(&|h| pinball(*q, actual[h] - values[h])))
                .collect(),
            squared: squared * n,
            absolute: absolute * n,
            inside: inside.collect(),
            scaled: (0..actual.len()).map(|h| error(h) / by).collect(),
        })
    }
}

/// `ρ_q(u)`
fn pinball(q: f64, u: f64) -> f64 {
    if u < 0.0 { (q - 1.0) * u } else { q * u }
}

impl Metrics {
    /// Over the forecasts of several series, each with those of its origins. All forecasts have the
    /// same levels.
    pub(super) fn over<'a>(series: impl Iterator<Item = &'a [Score]> + Clone) -> Self {
        let of_series = |f: fn(&Score) -> Option<f64>| {
            mean(series.clone().filter_map(|scores| mean(scores.iter().filter_map(f))))
        };
        let all = || series.clone().flatten();
        let sum = |f: &dyn Fn(&Score) -> f64| all().map(f).sum::<f64>();
        let (known, size) = (sum(&|score| score.known as f64), sum(&|score| score.size));
        let levels = all().next().map_or(0, |score| score.losses.len());
        let losses = (0..levels).map(|k| sum(&|score| score.losses[k]) / size);
        let coverage = |k: usize, nominal: f64| Coverage {
            nominal,
            share: sum(&|score| score.inside[k].1 as f64) / known,
        };
        let intervals = all().next().map_or(&[][..], |score| &score.inside);
        Self {
            smape: of_series(|score| Some(score.smape)),
            mase: of_series(|score| score.mase),
            rmsse: of_series(|score| score.rmsse),
            crps: mean(losses).filter(|crps| crps.is_finite()),
            mse: sum(&|score| score.squared) / known,
            mae: sum(&|score| score.absolute) / known,
            coverage: intervals
                .iter()
                .enumerate()
                .map(|(k, (nominal, _))| coverage(k, *nominal))
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(value: Option<f64>, expected: f64) {
        assert!((value.unwrap() - expected).abs() < 1e-12, "{value:?}, expected {expected}");
    }

    /// Mean 5 and 8, median 4 and 10, an interval of 80 % from 3 to 6 and from 9 to 10.
    fn forecast() -> Forecast {
        let quantiles = vec![vec![3.0, 9.0], vec![4.0, 10.0], vec![6.0, 10.0]];
        let levels = vec![0.1, 0.5, 0.9];
        Forecast { id: "a".into(), origin: 4, mean: vec![5.0, 8.0], levels, quantiles }
    }

    #[test]
    fn numbers_computed_by_hand() {
        // Differences two apart: 3 − 1 and 6 − 2.
        let scale = Scales::new(&[1.0, 2.0, 3.0, 6.0, 100.0], 2).before(4).unwrap();
        assert_eq!(scale, Scale { absolute: 3.0, squared: 10.0 });
        let scores = [Score::new(&forecast(), &[6.0, 8.0], Some(scale)).unwrap()];
        let metrics = Metrics::over([&scores[..]].into_iter());
        // |6 − 4| / 10 and |8 − 10| / 18
        close(metrics.smape, (200.0 * 0.2 + 200.0 / 9.0) / 2.0);
        close(metrics.mase, 2.0 / 3.0);
        // Squares with the mean: 1 and 0.
        close(metrics.rmsse, (0.5f64 / 10.0).sqrt());
        assert_eq!((metrics.mse, metrics.mae), (0.5, 2.0));
        // Level 0.1: u = 3 and −1, 0.3 + 0.9. Level 0.5: u = 2 and −2, 1 + 1. Level 0.9: u = 0 and
        // −2, 0.2.
        close(metrics.crps, 2.0 * (1.2 + 2.0 + 0.2) / 14.0 / 3.0);
        // 6 is on the bound, 8 is below 9.
        assert_eq!(metrics.coverage.len(), 1);
        close(Some(metrics.coverage[0].nominal), 0.8);
        assert_eq!(metrics.coverage[0].share, 0.5);
        close(Some(scores[0].scaled[0]), 2.0 / 3.0);
    }

    #[test]
    fn missing_values_do_not_count() {
        let score = |actual: &[f64]| Score::new(&forecast(), actual, None);
        assert!(score(&[f64::NAN, f64::NAN]).is_none());
        let scores = [score(&[f64::NAN, 8.0]).unwrap()];
        let metrics = Metrics::over([&scores[..]].into_iter());
        assert_eq!((metrics.mse, metrics.mae), (0.0, 2.0));
        assert_eq!((metrics.mase, metrics.rmsse), (None, None));
        assert_eq!(metrics.coverage[0].share, 0.0);
        let scales = Scales::new(&[1.0, f64::NAN, 4.0, 5.0], 1);
        assert_eq!(scales.before(3), None);
        assert_eq!(scales.before(4), Some(Scale { absolute: 1.0, squared: 1.0 }));
    }

    #[test]
    fn a_season_that_repeats_itself_and_zeros_are_no_division_by_zero() {
        let scale = Scales::new(&[1.0, 2.0, 1.0, 2.0], 2).before(4);
        assert_eq!(scale, Some(Scale { absolute: 0.0, squared: 0.0 }));
        let zero = Forecast {
            mean: vec![0.0],
            levels: vec![0.5],
            quantiles: vec![vec![0.0]],
            ..forecast()
        };
        let scores = [Score::new(&zero, &[0.0], scale).unwrap()];
        let metrics = Metrics::over([&scores[..]].into_iter());
        assert_eq!((metrics.smape, metrics.mase, metrics.crps), (Some(0.0), None, None));
    }

    #[test]
    fn a_series_with_many_origins_weighs_as_much_as_one_with_few() {
        let score = |actual: f64| {
            let one = Scale { absolute: 1.0, squared: 1.0 };
            let at = Forecast { mean: vec![0.0], levels: vec![], quantiles: vec![], ..forecast() };
            Score::new(&at, &[actual], Some(one)).unwrap()
        };
        let (many, few) = ([score(1.0), score(1.0), score(1.0)], [score(3.0)]);
        let metrics = Metrics::over([&many[..], &few[..]].into_iter());
        assert_eq!((metrics.mase, metrics.rmsse), (Some(2.0), Some(2.0)));
        assert_eq!((metrics.mae, metrics.mse), (1.5, 3.0), "over all values");
        assert_eq!(metrics.crps, None, "no levels");
    }
}
