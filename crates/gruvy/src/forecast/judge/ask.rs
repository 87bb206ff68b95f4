//! What is asked of a simple method.
use super::seasonal::Season;
use gruvy_runtime::forecast::Forecast;
use gruvy_runtime::series::Panel;

/// Why ETS is not there.
pub(super) const NO_ETS: &str =
    "this program has no exponential smoothing: build it with the feature `ets`";

/// A series as it was observed, `[N]`, NaN where a value is missing.
#[derive(Clone, Copy, Debug)]
pub struct Observed<'a> {
    /// Which series.
    pub id: &'a str,
    /// `[N]`
    pub y: &'a [f64],
}

impl<'a> Observed<'a> {
    /// All series of a panel.
    pub fn of(panel: &'a Panel) -> Vec<Self> {
        panel.series.iter().map(|series| Self { id: &series.id, y: &series.y }).collect()
    }
}

/// What is to be forecast.
#[derive(Clone, Copy, Debug)]
pub struct Ask<'a> {
    /// `m`, steps of a season; 1: none.
    pub season: usize,
    /// `H`, steps ahead.
    pub horizon: usize,
    /// `[K]` levels of the quantiles, increasing.
    pub levels: &'a [f64],
}

impl Ask<'_> {
    /// Normal distributions around `mean` with standard deviations `sigma`, both `[H]`.
    pub(super) fn normal(
        &self,
        (id, origin): (&str, usize),
        mean: Vec<f64>,
        sigma: &[f64],
    ) -> Forecast {
        let row = |level: &f64| {
            let z = normal_quantile(*level);
            mean.iter().zip(sigma).map(|(mean, sigma)| mean + sigma * z).collect()
        };
        let quantiles = self.levels.iter().map(row).collect();
        Forecast { id: id.to_owned(), origin, levels: self.levels.to_vec(), quantiles, mean }
    }
}

/// Puts the season back into a forecast of a series without it, whose step 0 is step `start` of the
/// forecast's.
pub(super) fn restore(forecast: &mut Forecast, season: &Season, start: usize) {
    let origin = forecast.origin - start;
    for row in forecast.quantiles.iter_mut().chain([&mut forecast.mean]) {
        for (h, value) in row.iter_mut().enumerate() {
            *value = season.restore(origin + h, *value);
        }
    }
}

/// The value that a standard normal variable stays below with probability `level`, by bisection.
pub(super) fn normal_quantile(level: f64) -> f64 {
    let below = |z: f64| 0.5 * libm::erfc(-z / std::f64::consts::SQRT_2);
    let (mut low, mut high) = (-40.0, 40.0);
    for _ in 0..64 {
        let middle = 0.5 * (low + high);
        if below(middle) < level { low = middle } else { high = middle }
    }
    0.5 * (low + high)
}
