//! Mean and deviation.
use serde::{Deserialize, Serialize};

/// A deviation below this share of the values' size is that of rounding.
const ROUNDING: f64 = 1e-13;
/// Least scale, as a share of the series' deviation: where a window hardly moves, as in a long
/// pause or a strictly periodic series, what comes after it is not blown up.
pub(super) const LEAST_SCALE: f64 = 0.02;

/// A shift and a scale: `(x − mean) / std`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Affine {
    /// The mean.
    pub mean: f64,
    /// The standard deviation; 1 where it would be 0.
    pub std: f64,
}

impl Affine {
    /// Of the values that are not missing; `{0, 1}` if there are none.
    pub fn of(values: impl Iterator<Item = f64> + Clone) -> Self {
        let spread = Spread::of(values);
        let std = if spread.moves() { spread.std } else { 1.0 };
        Self { mean: spread.mean, std }
    }

    /// `(x − mean) / std`
    pub fn apply(self, x: f64) -> f64 {
        (x - self.mean) / self.std
    }
}

/// Mean and deviation, as they are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spread {
    pub mean: f64,
    pub std: f64,
    /// The greatest size of a value.
    most: f64,
}

impl Spread {
    /// Of the values that are not missing; zeros if there are none.
    pub fn of(values: impl Iterator<Item = f64> + Clone) -> Self {
        let known = values.filter(|v| !v.is_nan());
        let count = known.clone().count().max(1) as f64;
        let mean = known.clone().sum::<f64>() / count;
        let std = (known.clone().map(|v| (v - mean) * (v - mean)).sum::<f64>() / count).sqrt();
        let most = known.fold(0.0, |most: f64, v| most.max(v.abs()));
        Self { mean, std, most }
    }

    /// Whether the deviation is more than what rounding makes of equal values.
    pub fn moves(self) -> bool {
        self.std > ROUNDING * self.most
    }
}
