//! What a model of speech hears, and what it says.
use super::labels::{Labels, plain};
use crate::audio::FrontEnd;
use crate::error::{Error, Result};
use crate::model::spec::{Input, Spec};
use serde::{Deserialize, Serialize};

/// Sound, or what else was measured, to steps; classes to text.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SpeechCodec {
    /// What a step is.
    pub hears: Hears,
    /// What is said.
    pub labels: Labels,
    /// Whether texts are in small letters.
    pub lowercase: bool,
}

/// What a step is made of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Hears {
    /// Of sound.
    Sound(FrontEnd),
    /// Of numbers that somebody measured.
    Numbers(Scaling),
}

/// Numbers `[T, I]`, each less its mean, divided by its deviation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scaling {
    /// `[I]`
    pub mean: Vec<f32>,
    /// `[I]`
    pub deviation: Vec<f32>,
}

impl Scaling {
    /// `values [T, I]`, scaled.
    ///
    /// # Errors
    /// [`Error::Setting`] for a number of values that is no multiple of I, or one that is not
    /// finite.
    pub fn apply(&self, values: &[f32]) -> Result<Vec<f32>> {
        let width = self.mean.len();
        if !values.len().is_multiple_of(width) {
            let expected = format!("a multiple of {width}, the values of a step");
            return Err(Error::setting("number of values", values.len(), expected));
        }
        if let Some(at) = values.iter().position(|value| !value.is_finite()) {
            let place = format!("{} in step {}", values[at], at / width + 1);
            return Err(Error::setting("value", place, "finite numbers"));
        }
        let scaled = |(at, value): (usize, &f32)| {
            (value - self.mean[at % width]) / self.deviation[at % width]
        };
        Ok(values.iter().enumerate().map(scaled).collect())
    }
}

impl Hears {
    /// I, the values of a step.
    pub fn width(&self) -> usize {
        match self {
            Self::Sound(front_end) => front_end.width(),
            Self::Numbers(scaling) => scaling.mean.len(),
        }
    }
}

impl SpeechCodec {
    /// A text as it is learned and compared.
    pub fn plain(&self, text: &str) -> String {
        plain(text, self.lowercase)
    }

    /// The front end, of a model of sound.
    ///
    /// # Errors
    /// [`Error::Audio`] for a model of numbers.
    pub fn front_end(&self) -> Result<&FrontEnd> {
        match &self.hears {
            Hears::Sound(front_end) => Ok(front_end),
            Hears::Numbers(scaling) => Err(Error::audio(format!(
                "the model takes {} numbers a step and no sound: give it an .npz file with `x` and \
                 `lengths`",
                scaling.mean.len()
            ))),
        }
    }

    /// See [`Codec::fits`](crate::Codec::fits).
    pub(crate) fn fits(&self, spec: &Spec) -> Result<()> {
        match &self.hears {
            Hears::Sound(front_end) => front_end.check()?,
            Hears::Numbers(Scaling { mean, deviation }) => {
                let fine = mean.len() == deviation.len()
                    && mean.iter().all(|m| m.is_finite())
                    && deviation.iter().all(|d| d.is_normal() && *d > 0.0);
                if mean.is_empty() || !fine {
                    let reason = "as many finite means as positive deviations are expected";
                    return Err(Error::Header { reason: reason.into() });
                }
            }
        }
        let (size, classes) = (self.hears.width(), self.labels.classes());
        if spec.input != (Input::Features { size }) {
            let expected = format!("{size} features, what the codec hears");
            return Err(Error::Spec { field: "input", got: format!("{:?}", spec.input), expected });
        }
        if spec.outputs() != classes || spec.pool.is_some() || spec.decoder.is_some() {
            let got = format!("{} outputs", spec.outputs());
            let expected = format!("{classes} at every step, the codec's classes");
            return Err(Error::Spec { field: "head.linear.outputs", got, expected });
        }
        Ok(())
    }
}
