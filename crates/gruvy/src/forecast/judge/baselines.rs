//! Simple methods that a model has to beat to be worth its while.
//!
//! ```text
//! naive            ŷ_{T+h} = y_T                                    σ_h = σ √h
//! seasonal naive   ŷ_{T+h} = y_{T+h−mk},  k = ⌊(h−1)/m⌋ + 1         σ_h = σ √k
//! naive2           naive on the series without its season, which is put back after
//! ETS              exponential smoothing, the best of its kinds (`ets.rs`)
//! ```
//! σ is the root mean square of `y_t − y_{t−1}` or `y_t − y_{t−m}` in the history, and quantiles
//! are those of a normal distribution with σ_h (Hyndman and Athanasopoulos, Forecasting: Principles
//! and Practice, section 5.5). Where the last value (of the season) is missing, an earlier one
//! stands in and h or k counts from there. naive2 is the M4 competition's benchmark; its season is
//! found in the history before the first origin of a series, as a model's weights and the smoothing
//! of ETS are.
use super::ask::{Ask, Observed, restore};
use super::{
    ets,
    metrics::Scales,
    seasonal::{Season, interpolated},
};
use gruvy_runtime::forecast::Forecast;

/// A simple method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Baseline {
    /// The last value goes on.
    Naive,
    /// The last season goes on.
    SeasonalNaive,
    /// The last value goes on, times the seasonal index.
    Naive2,
    /// Exponential smoothing.
    Ets,
}

impl Baseline {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Naive, Self::SeasonalNaive, Self::Naive2, Self::Ets];

    /// What a person calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Naive => "naive",
            Self::SeasonalNaive => "seasonal naive",
            Self::Naive2 => "naive2",
            Self::Ets => "ETS",
        }
    }

    /// Whether this program has it: ETS is the feature `ets`.
    pub const fn built_in(self) -> bool {
        cfg!(feature = "ets") || !matches!(self, Self::Ets)
    }

    /// The forecasts of a series from each of `origins`, which increase. Nothing from an origin on
    /// is looked at for its forecast.
    ///
    /// # Errors
    /// With the reason, if the method cannot be applied to this series.
    pub fn forecasts(
        self,
        series: Observed<'_>,
        origins: &[usize],
        ask: Ask<'_>,
    ) -> Result<Vec<Forecast>, String> {
        match self {
            Self::Naive => last_season(series, origins, 1, ask),
            Self::SeasonalNaive => last_season(series, origins, ask.season, ask),
            Self::Naive2 => naive2(series, origins, ask),
            Self::Ets => ets::forecasts(series, origins, ask),
        }
    }
}

/// Naive is seasonal naive with a season of one step.
fn last_season(
    Observed { id, y }: Observed<'_>,
    origins: &[usize],
    m: usize,
    ask: Ask<'_>,
) -> Result<Vec<Forecast>, String> {
    let scales = Scales::new(y, m);
    let from = |origin: usize| {
        let history = &y[..origin];
        let sigma = scales.before(origin).map_or(0.0, |scale| scale.squared.sqrt());
        let last = last_known(history)?;
        let step = |h: usize| -> (f64, f64) {
            // As many seasons back as it takes to come to a known value.
            let steps = (1..).map_while(|k| Some((k, (origin + h).checked_sub(k * m)?)));
            let mut known = steps.filter(|(_, t)| *t < origin && y[*t].is_finite());
            match known.next() {
                Some((k, t)) => (y[t], sigma * (k as f64).sqrt()),
                // Never seen at this place of the season.
                None => (y[last], sigma * ((origin + h - last) as f64).sqrt()),
            }
        };
        let (mean, sigma): (Vec<f64>, Vec<f64>) = (0..ask.horizon).map(step).unzip();
        Ok(ask.normal((id, origin), mean, &sigma))
    };
    origins.iter().map(|origin| from(*origin)).collect()
}

fn naive2(series: Observed<'_>, origins: &[usize], ask: Ask<'_>) -> Result<Vec<Forecast>, String> {
    let Some(first) = origins.first() else { return Ok(Vec::new()) };
    let Some(season) = Season::of(&interpolated(&series.y[..*first]), ask.season) else {
        return last_season(series, origins, 1, ask);
    };
    let adjusted: Vec<f64> =
        series.y.iter().enumerate().map(|(t, value)| season.remove(t, *value)).collect();
    let mut forecasts = last_season(Observed { y: &adjusted, ..series }, origins, 1, ask)?;
    for forecast in &mut forecasts {
        restore(forecast, &season, 0);
    }
    Ok(forecasts)
}

fn last_known(history: &[f64]) -> Result<usize, String> {
    let last = history.iter().rposition(|value| value.is_finite());
    last.ok_or_else(|| "nothing is known before the origin".to_owned())
}

#[cfg(test)]
mod tests {
    use super::super::ask::normal_quantile;
    use super::*;

    const N: f64 = f64::NAN;
    const LEVELS: [f64; 3] = [0.1, 0.5, 0.9];
    /// The 90 % quantile of the standard normal distribution.
    const Z: f64 = 1.281_551_565_544_8;

    fn forecast(method: Baseline, y: &[f64], season: usize, horizon: usize) -> Forecast {
        let ask = Ask { season, horizon, levels: &LEVELS };
        let series = Observed { id: "a", y };
        method.forecasts(series, &[y.len()], ask).unwrap().remove(0)
    }

    fn close(found: &[f64], expected: &[f64]) {
        assert_eq!(found.len(), expected.len());
        for (a, b) in found.iter().zip(expected) {
            assert!((a - b).abs() < 1e-9, "{found:?}, expected {expected:?}");
        }
    }

    #[test]
    fn quantiles_of_the_normal_distribution() {
        let known =
            [(0.5, 0.0), (0.9, Z), (0.025, -1.959_963_984_540_05), (1e-6, -4.753_424_308_823)];
        for (level, z) in known {
            assert!(
                (normal_quantile(level) - z).abs() < 1e-9,
                "{level}: {}",
                normal_quantile(level)
            );
        }
    }

    #[test]
    fn naive_goes_on_with_the_last_value() {
        // Differences 2, −1 and 3: a mean square of 14 / 3.
        let found = forecast(Baseline::Naive, &[1.0, 3.0, 2.0, 5.0], 2, 3);
        close(&found.mean, &[5.0; 3]);
        let sigma = (14.0f64 / 3.0).sqrt();
        let upper = [1.0, 2.0, 3.0f64].map(|h| 5.0 + Z * sigma * h.sqrt());
        close(&found.quantiles[2], &upper);
        close(&found.quantiles[1], &found.mean);
    }

    #[test]
    fn seasonal_naive_goes_on_with_the_last_season_beyond_its_end() {
        // Differences two apart: 1, 2 and 2.
        let found = forecast(Baseline::SeasonalNaive, &[1.0, 4.0, 2.0, 6.0, 4.0], 2, 5);
        close(&found.mean, &[6.0, 4.0, 6.0, 4.0, 6.0]);
        let sigma = 3.0f64.sqrt();
        let lower = [1.0, 1.0, 2.0, 2.0, 3.0f64].map(|k| Z * sigma * k.sqrt());
        let lower: Vec<f64> = found.mean.iter().zip(lower).map(|(mean, d)| mean - d).collect();
        close(&found.quantiles[0], &lower);
    }

    #[test]
    fn where_the_last_value_is_missing_an_earlier_one_stands_in() {
        let found = forecast(Baseline::Naive, &[1.0, 3.0, N], 1, 2);
        close(&found.mean, &[3.0, 3.0]);
        let upper = [2.0, 3.0f64].map(|h| 3.0 + Z * 2.0 * h.sqrt());
        close(&found.quantiles[2], &upper);
        let found = forecast(Baseline::SeasonalNaive, &[1.0, 7.0, 2.0, N], 2, 2);
        close(&found.mean, &[2.0, 7.0]);
        let found = forecast(Baseline::SeasonalNaive, &[N, 7.0, N, 8.0], 2, 2);
        close(&found.mean, &[8.0, 8.0]);
        let nothing = Observed { id: "a", y: &[N, N, 3.0] };
        let ask = Ask { season: 2, horizon: 1, levels: &LEVELS };
        for method in Baseline::ALL {
            let error = method.forecasts(nothing, &[2], ask).unwrap_err();
            assert!(error.contains("known"), "{}: {error}", method.name());
        }
    }

    #[test]
    fn naive2_puts_the_season_back() {
        let index = [0.5, 1.0, 1.5, 1.0];
        let y: Vec<f64> = (0..18).map(|t| 20.0 * index[t % 4]).collect();
        close(&forecast(Baseline::Naive2, &y, 4, 5).mean, &[30.0, 20.0, 10.0, 20.0, 30.0]);
        // Too short to tell a season.
        close(&forecast(Baseline::Naive2, &y[..10], 4, 2).mean, &[20.0, 20.0]);
    }

    #[test]
    fn a_constant_series_is_forecast_as_such() {
        for method in Baseline::ALL {
            let found = forecast(method, &[7.0; 30], 4, 6);
            let rows = found.quantiles.iter().chain([&found.mean]);
            assert!(rows.flatten().all(|v| (v - 7.0).abs() < 1e-6), "{}: {found:?}", method.name());
        }
    }

    #[test]
    fn nothing_after_an_origin_is_looked_at() {
        let y: Vec<f64> = (0..60).map(|t| 20.0 + f64::from(t % 4) + f64::from(t * 7 % 5)).collect();
        let mut other = y.clone();
        other[40..].fill(1000.0);
        let ask = Ask { season: 4, horizon: 6, levels: &LEVELS };
        for method in Baseline::ALL {
            let found = method.forecasts(Observed { id: "a", y: &y }, &[30, 40], ask).unwrap();
            let again = method.forecasts(Observed { id: "a", y: &other }, &[30, 40], ask).unwrap();
            assert_eq!(found, again, "{}", method.name());
            assert_eq!(found.iter().map(|f| f.origin).collect::<Vec<_>>(), [30, 40]);
            assert_ne!(found[0].mean, found[1].mean, "{}", method.name());
        }
    }

    #[test]
    fn intervals_are_nested() {
        let levels: Vec<f64> = (1..20).map(|k| f64::from(k) / 20.0).collect();
        let shapes: [fn(f64) -> f64; 3] = [
            |t| 50.0 + (t * 1.7).sin() * 5.0,
            |t| {
                (100.0 + t) * (1.0 + 0.3 * (t * std::f64::consts::TAU / 6.0).sin())
                    + (t * 2.3).cos()
            },
            |t| (t * 0.9).sin() - 0.1 * t,
        ];
        for (shape, method) in shapes.iter().flat_map(|s| Baseline::ALL.map(|m| (s, m))) {
            let mut y: Vec<f64> = (0..48).map(|t| shape(f64::from(t))).collect();
            y[10] = N;
            y[47] = N;
            let ask = Ask { season: 6, horizon: 14, levels: &levels };
            let found =
                method.forecasts(Observed { id: "a", y: &y }, &[48], ask).unwrap().remove(0);
            assert_eq!((found.mean.len(), found.quantiles.len()), (14, 19));
            for h in 0..14 {
                let column: Vec<f64> = found.quantiles.iter().map(|row| row[h]).collect();
                assert!(column.iter().all(|v| v.is_finite()), "{}", method.name());
                assert!(
                    column.is_sorted() && column[0] < column[18],
                    "{}: {column:?}",
                    method.name()
                );
            }
        }
    }
}
