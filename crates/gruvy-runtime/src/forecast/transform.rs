//! Monotone transforms that make the spread of a series less dependent on its level.
//!
//! ```text
//! log       ln y                          for y > 0
//! box-cox   (y^λ − 1) / λ, ln y at λ = 0  for y > 0
//! ```
//! Box and Cox (1964); λ chosen after Guerrero (1993): the one at which the spread of the seasons
//! varies least with their level.
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// A transform of the values of all series.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Transform {
    /// The values themselves.
    #[default]
    None,
    /// `ln y`
    Log,
    /// Box-Cox with this λ, at most 2 from 0.
    BoxCox(f64),
}

impl Transform {
    /// Whether only values above 0 can be transformed.
    pub fn needs_positive(self) -> bool {
        self != Self::None
    }

    /// The transformed value.
    pub fn apply(self, y: f64) -> f64 {
        match self {
            Self::None => y,
            Self::Log => y.ln(),
            Self::BoxCox(lambda) => (y.powf(lambda) - 1.0) / lambda,
        }
    }

    /// By how much a transformed value around `z` changes where the value changes by its own size.
    pub(super) fn size(self, z: f64) -> f64 {
        match self {
            Self::None => z.abs(),
            Self::Log => 1.0,
            Self::BoxCox(lambda) => (lambda * z + 1.0).abs(),
        }
    }

    /// The value that was transformed to `z`; 0, or infinity, where there is none.
    pub fn invert(self, z: f64) -> f64 {
        match self {
            Self::None => z,
            Self::Log => z.exp(),
            Self::BoxCox(lambda) => {
                let base = lambda * z + 1.0;
                if base > 0.0 { base.powf(1.0 / lambda) } else { 0.0 }
            }
        }
    }

    /// Guerrero's λ for these series, in steps of 0.1 from −1 to 1: the least coefficient of
    /// variation of `spread / level^(1 − λ)` over pieces of `season` steps (at least two),
    /// averaged over the series. A value that is not above 0 makes λ 1.
    pub fn guerrero<'a>(series: impl Iterator<Item = &'a [f64]> + Clone, season: usize) -> f64 {
        if series.clone().flatten().any(|y| *y <= 0.0) {
            return 1.0;
        }
        let candidates = (-10..=10).map(|tenths| f64::from(tenths) / 10.0);
        let cost = |lambda: f64| {
            let of_series = series.clone().filter_map(|y| variation(y, season.max(2), lambda));
            let (sum, count) = of_series.fold((0.0, 0.0), |(sum, n), cv| (sum + cv, n + 1.0));
            if count == 0.0 { f64::INFINITY } else { sum / count }
        };
        let best =
            candidates.map(|lambda| (cost(lambda), lambda)).min_by(|a, b| a.0.total_cmp(&b.0));
        best.filter(|(cost, _)| cost.is_finite()).map_or(1.0, |(_, lambda)| lambda)
    }
}

/// Coefficient of variation of `spread / level^(1 − λ)` over whole pieces without a missing value;
/// none for fewer than three pieces.
fn variation(y: &[f64], season: usize, lambda: f64) -> Option<f64> {
    let whole = y.chunks_exact(season).filter(|piece| piece.iter().all(|v| !v.is_nan()));
    let ratios: Vec<f64> = whole
        .map(|piece| {
            let level = piece.iter().sum::<f64>() / season as f64;
            let squares = piece.iter().map(|v| (v - level) * (v - level)).sum::<f64>();
            (squares / (season as f64 - 1.0)).sqrt() / level.powf(1.0 - lambda)
        })
        .collect();
    if ratios.len() < 3 {
        return None;
    }
    let super::affine::Affine { mean, std } = super::affine::Affine::of(ratios.iter().copied());
    (mean > 0.0).then_some(std / mean)
}

impl fmt::Display for Transform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("none"),
            Self::Log => f.write_str("log"),
            Self::BoxCox(lambda) => write!(f, "box-cox:{lambda}"),
        }
    }
}

impl FromStr for Transform {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "{text:?} is no transform: expected none, log or box-cox:LAMBDA, such as \
                 box-cox:0.5"
            )
        };
        match text {
            "none" => Ok(Self::None),
            "log" | "box-cox:0" => Ok(Self::Log),
            _ => {
                let lambda = text.strip_prefix("box-cox:").and_then(|l| l.parse::<f64>().ok());
                lambda.filter(|l| l.abs() <= 2.0 && *l != 0.0).map(Self::BoxCox).ok_or_else(wrong)
            }
        }
    }
}

impl TryFrom<String> for Transform {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Transform> for String {
    fn from(transform: Transform) -> Self {
        transform.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_transformed_comes_back() {
        for text in ["none", "log", "box-cox:0.5", "box-cox:-1", "box-cox:2"] {
            let transform: Transform = text.parse().unwrap();
            assert_eq!(transform.to_string(), text);
            for y in [0.3, 1.0, 17.0, 622.0] {
                let back = transform.invert(transform.apply(y));
                assert!((back - y).abs() < 1e-9 * y, "{text}: {y} came back as {back}");
            }
        }
        assert!(
            "box-cox:9".parse::<Transform>().is_err() && "boxcox".parse::<Transform>().is_err()
        );
        // Below what Box-Cox can give there is only 0.
        assert_eq!(Transform::BoxCox(0.5).invert(-3.0), 0.0);
    }

    #[test]
    fn guerrero_finds_how_the_spread_grows() {
        let season = |t: usize| ((t % 12) as f64 / 12.0 * std::f64::consts::TAU).sin();
        let level = |t: usize| 100.0 * 1.01f64.powi(t as i32);
        let grows: Vec<f64> = (0..120).map(|t| level(t) * (1.0 + 0.2 * season(t))).collect();
        let steady: Vec<f64> = (0..120).map(|t| 100.0 + t as f64 + 20.0 * season(t)).collect();
        let of = |y: &[f64]| Transform::guerrero([y].into_iter(), 12);
        assert!(of(&grows).abs() < 0.2, "{}", of(&grows));
        assert!(of(&steady) > 0.8, "{}", of(&steady));
        assert_eq!(of(&[1.0, -1.0, 3.0, 4.0]), 1.0);
    }
}
