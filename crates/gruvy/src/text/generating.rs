//! Settings of writing.
use crate::error::{Error, Result};
use crate::train::config::MOST;
use gruvy_data::settings;
use gruvy_data::settings::{Kind, Range};
use gruvy_runtime::text::Sampling;

settings! {
    /// How a text model writes.
    pub struct Generating {
        length: usize = 500, Kind::Whole(0), "N", "Tokens to write";
        temperature: f64 = 0.8, Kind::Number(Range::NotNegative), "T",
            "Below 1 safer, above 1 wilder; 0 always takes the likeliest token";
        #[serde(skip_serializing_if = "Option::is_none")]
        top_k: Option<usize> = None, Kind::Whole(1), "N", "Choose among the N likeliest tokens only";
        #[serde(skip_serializing_if = "Option::is_none")]
        top_p: Option<f64> = None, Kind::Number(Range::Part), "P",
            "Choose among the likeliest tokens that together have probability P";
        samples: u64 = 1, Kind::Whole(1), "N", "Texts to write";
    }
}

impl Generating {
    /// Refuses more than can be waited for.
    ///
    /// # Errors
    /// [`Error::Setting`] with the most there can be.
    pub fn check(&self) -> Result<()> {
        let sizes = [("length", self.length as u64), ("samples", self.samples)];
        match sizes.into_iter().find(|(_, size)| *size > MOST as u64) {
            Some((name, size)) => {
                Err(Error::setting(name, size, format!("expected at most {MOST}")))
            }
            None => Ok(()),
        }
    }

    /// How tokens are drawn from `seed`.
    pub fn sampling(&self, seed: u64) -> Sampling {
        let Self { temperature, top_k, top_p, .. } = *self;
        Sampling { temperature, top_k, top_p, seed }
    }
}
