//! Mean and deviation.
use serde::{Deserialize, Serialize};

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
        let known = values.filter(|v| !v.is_nan());
        let count = known.clone().count().max(1) as f64;
        let mean = known.clone().sum::<f64>() / count;
        let std = (known.map(|v| (v - mean) * (v - mean)).sum::<f64>() / count).sqrt();
        Self { mean, std: if std > 0.0 { std } else { 1.0 } }
    }

    /// `(x − mean) / std`
    pub fn apply(self, x: f64) -> f64 {
        (x - self.mean) / self.std
    }
}
