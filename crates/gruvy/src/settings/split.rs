//! How data are divided into training, validation and test.
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// Shares of the data in percent: the first part trains, the next validates, the last tests.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Split {
    /// Percent to train on, above 0.
    pub train: f64,
    /// Percent to validate on; 0 for none.
    pub valid: f64,
    /// Percent to test on; 0 for none.
    pub test: f64,
}

impl Default for Split {
    fn default() -> Self {
        Self { train: 90.0, valid: 5.0, test: 5.0 }
    }
}

impl FromStr for Split {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "{text:?} is no split: expected three percentages that sum to 100, the first \
                 above 0, \
                 like 90/5/5"
            )
        };
        let parts: Vec<f64> = text
            .split('/')
            .map(|p| p.trim().parse().map_err(|_| wrong()))
            .collect::<Result<_, _>>()?;
        let [train, valid, test] = parts[..] else { return Err(wrong()) };
        let good = train > 0.0 && valid >= 0.0 && test >= 0.0;
        if !good || (train + valid + test - 100.0).abs() > 1e-6 {
            return Err(wrong());
        }
        Ok(Self { train, valid, test })
    }
}

impl fmt::Display for Split {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.train, self.valid, self.test)
    }
}

impl TryFrom<String> for Split {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Split> for String {
    fn from(split: Split) -> Self {
        split.to_string()
    }
}
