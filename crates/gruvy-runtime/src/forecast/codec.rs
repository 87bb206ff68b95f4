//! Forecasts of time series: series to windows of numbers, what a network answers to distributions
//! of what comes.
//!
//! ```text
//! y ─ transform ─ minus base ─ over scale ─> z [C]          the context: the last C steps before the origin
//! direct            segments of z [C/w, w] ─> GRU ─> h;  h and each position [H/w] ─> one step ─> head [w, P]
//! autoregressive    z_{t-1} ─> GRU ─> head [P] ─> distribution of z_t, from which the next input is drawn
//! answer:           transform⁻¹(base + scale · quantile)
//! ```
//! The direct decoder is SegRNN's (Lin et al. 2023, 2308.11200): the network reads segments of `w`
//! steps, and every segment of the horizon is one more step from the same last state, told apart by
//! its position. The autoregressive one is DeepAR's (Salinas et al. 2017, 1704.04110). Both are a
//! plain [`Spec`] of features, layers and a linear head.
//!
//! Base and scale are of the window alone, so that new series of the same kind work, and a model
//! goes on with series whose level moves. A missing value enters as the base with a mark beside it.
use super::affine::{Affine, LEAST_SCALE, Spread};
use super::output::Output;
use super::transform::Transform;
use crate::series::{
    Columns, Series,
    calendar::{Frequency, Stamp},
    wall_clock::WallClock,
};
use crate::{
    error::{Error, Result},
    model::spec::{Input, Spec},
};
use serde::{Deserialize, Serialize};

/// How the horizon is decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Decoder {
    /// All of it at once, in segments.
    Direct {
        /// `w`, steps of a segment.
        segment: usize,
    },
    /// Step by step, each from what was drawn for the step before.
    Autoregressive,
}

/// What is subtracted from a series before it is scaled: the base.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Difference {
    /// The mean of the context; nothing for counts.
    None,
    /// The last value of the context.
    Last,
    /// The value a season before; in the horizon of the direct decoder, that of the last season
    /// seen.
    Seasonal,
}

impl Difference {
    /// All of them, with the names they are written as.
    pub const ALL: [(&'static str, Self); 3] =
        [("none", Self::None), ("last", Self::Last), ("seasonal", Self::Seasonal)];

    /// The name it is written as.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, other)| *other == self).map_or("", |(name, _)| name)
    }
}

/// What a series is divided by, once the base is off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scale {
    /// The root mean square of the window's context.
    #[default]
    Window,
    /// The standard deviation of the series over what was trained on; as `window` for other series.
    Series,
}

impl Scale {
    /// All of them, with the names they are written as.
    pub const ALL: [(&'static str, Self); 2] = [("window", Self::Window), ("series", Self::Series)];
}

/// How a static covariate becomes numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum StaticCoding {
    /// A number, standardised.
    Number(Affine),
    /// One of these, as a vector with a single 1; another is all zeros.
    Category(Vec<String>),
}

impl StaticCoding {
    fn width(&self) -> usize {
        match self {
            Self::Number(_) => 1,
            Self::Category(known) => known.len(),
        }
    }

    fn encode(&self, value: &str, out: &mut Vec<f32>) {
        match self {
            Self::Number(affine) => {
                let number = value.trim().parse().unwrap_or(affine.mean);
                out.push(affine.apply(number) as f32);
            }
            Self::Category(known) => {
                out.extend(known.iter().map(|k| f32::from(u8::from(k == value))));
            }
        }
    }
}

/// A series that was trained on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Known {
    /// Its name.
    pub id: String,
    /// Of the part trained on: what standardised errors are measured in.
    pub standard: Affine,
    /// As [`Known::standard`], after the transform: what [`Scale::Series`] divides by.
    pub scale: f64,
    /// The first step that nothing was learned from.
    pub until: Stamp,
}

/// The half of the forecast task that uses a model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ForecastCodec {
    /// Steps between observations.
    pub frequency: Frequency,
    /// Steps of a season; 1: none.
    pub season: usize,
    /// The covariates.
    pub columns: Columns,
    /// `H`, steps forecast.
    pub horizon: usize,
    /// `C`, steps looked back on.
    pub context: usize,
    /// How the horizon is decoded.
    pub decoder: Decoder,
    /// What the head gives.
    pub output: Output,
    /// Quantile levels of an answer, increasing; with [`Output::Quantile`] those that the head
    /// gives.
    pub levels: Vec<f64>,
    /// Before everything else.
    pub transform: Transform,
    /// The base.
    pub difference: Difference,
    /// The scale.
    pub scale: Scale,
    /// `[S]`, one for each of `columns.statics`.
    pub statics: Vec<StaticCoding>,
    /// `[P + F]`, of `columns.past` and then `columns.future`.
    pub covariates: Vec<Affine>,
    /// How many of the frequency's calendar numbers are used, the shortest cycles first.
    pub calendar: usize,
    /// The clock that the calendar's numbers are of. In models of before they are of the stamps'
    /// own.
    #[serde(default, skip_serializing_if = "WallClock::is_none")]
    pub wall_clock: WallClock,
    /// Whether no value is below 0, so that no forecast is.
    pub positive: bool,
    /// Whether the network is told which of `series` it reads.
    pub series_id: bool,
    /// What was trained on.
    pub series: Vec<Known>,
}

/// The sizes of numbers that can be learned from: their squares, and those of their differences,
/// stay far from the ends of what a number can be.
const SIZES: std::ops::RangeInclusive<f64> = 1e-100..=1e100;

/// No window is longer, so that sizes computed from a model file cannot overflow.
const MAX_STEPS: usize = 1 << 20;

impl ForecastCodec {
    /// `I`, numbers that enter the network at each step.
    pub fn input_size(&self) -> usize {
        let (past, future) = (self.columns.past.len(), self.columns.future.len());
        let (values, positions) = match self.decoder {
            Decoder::Direct { segment } => (segment, self.segments()),
            Decoder::Autoregressive => (1, 0),
        };
        values * (2 + past + future) + positions + self.calendar + self.fixed_size()
    }

    /// `V`, numbers that the head gives at each step.
    pub fn outputs(&self) -> usize {
        let values = match self.decoder {
            Decoder::Direct { segment } => segment,
            Decoder::Autoregressive => 1,
        };
        values * self.parameters()
    }

    /// `P`, numbers of the head for one step of the series.
    pub fn parameters(&self) -> usize {
        self.output.parameters(self.levels.len())
    }

    /// Segments of the horizon, the last perhaps longer than what is asked.
    pub fn segments(&self) -> usize {
        match self.decoder {
            Decoder::Direct { segment } => self.horizon.div_ceil(segment),
            Decoder::Autoregressive => self.horizon,
        }
    }

    /// Steps before the origin that a window looks at: the context, and a season more for the base.
    pub fn reach(&self) -> usize {
        match self.difference {
            Difference::Seasonal => self.context + self.season,
            Difference::None | Difference::Last => self.context,
        }
    }

    /// What was trained on under that name.
    pub fn known(&self, id: &str) -> Option<&Known> {
        self.series.iter().find(|known| known.id == id)
    }

    /// The scale of a series by its transformed values `[N]`: their deviation; a small share of
    /// their size where they never change, and so 0 for zeros.
    pub fn scale_of(transformed: &[f64], transform: Transform) -> f64 {
        let spread = Spread::of(transformed.iter().copied());
        if spread.moves() { spread.std } else { LEAST_SCALE * transform.size(spread.mean) }
    }

    /// An error for a series with numbers that cannot be computed with.
    ///
    /// # Errors
    /// [`Error::Series`] with the number and what to do.
    pub fn check_sizes(series: &Series) -> Result<()> {
        let columns = || std::iter::once(&series.y).chain(&series.past).chain(&series.future);
        let wrong = |value: f64| {
            let text = format!(
                "it has the value {value:e}, and numbers beyond {:e} cannot be computed with: \
                 give it in another unit",
                SIZES.end()
            );
            Err(Error::series(&series.id, text))
        };
        if let Some(value) = columns().flatten().find(|v| v.abs() > *SIZES.end()) {
            return wrong(*value);
        }
        for column in columns() {
            let most = column.iter().filter(|v| !v.is_nan()).fold(0.0, |m: f64, v| m.max(v.abs()));
            if most > 0.0 && most < *SIZES.start() {
                let text = format!(
                    "no value of it is larger than {most:e}, and numbers below {:e} cannot be \
                     computed with: give it in \
                     another unit",
                    SIZES.start()
                );
                return Err(Error::series(&series.id, text));
            }
        }
        Ok(())
    }

    /// Whether the transform and the distribution can have a value; a missing one they can.
    pub fn takes(&self, y: f64) -> bool {
        let positive = !self.transform.needs_positive() || y > 0.0;
        let counts = self.output == Output::NegativeBinomial;
        y.is_nan() || (positive && (!counts || (y >= 0.0 && y.fract() == 0.0)))
    }

    /// What standardised errors of a series are measured in: of what was trained on, or of all its
    /// values.
    pub fn standard(&self, series: &Series) -> Affine {
        self.known(&series.id)
            .map_or_else(|| Affine::of(series.y.iter().copied()), |known| known.standard)
    }

    /// Numbers that are the same at all steps of a series.
    fn fixed_size(&self) -> usize {
        let statics: usize = self.statics.iter().map(StaticCoding::width).sum();
        statics + if self.series_id { self.series.len() } else { 0 }
    }

    /// `[fixed_size]` of a series.
    pub(super) fn fixed(&self, series: &Series) -> Vec<f32> {
        let mut out = Vec::with_capacity(self.fixed_size());
        for (coding, value) in self.statics.iter().zip(&series.statics) {
            coding.encode(value, &mut out);
        }
        if self.series_id {
            out.extend(self.series.iter().map(|known| f32::from(u8::from(known.id == series.id))));
        }
        out
    }

    /// The value that stands for the transformed one.
    pub(crate) fn value(&self, transformed: f64) -> f64 {
        let value = self.transform.invert(transformed);
        if self.positive { value.max(0.0) } else { value }
    }

    /// See [`Codec::fits`](crate::Codec::fits).
    pub(crate) fn fits(&self, spec: &Spec) -> Result<()> {
        for (field, value) in [
            ("codec.horizon", self.horizon),
            ("codec.context", self.context),
            ("codec.season", self.season),
        ] {
            if !(1..=MAX_STEPS).contains(&value) {
                return Err(impossible(field, value, format!("1 to {MAX_STEPS}")));
            }
        }
        if let Decoder::Direct { segment } = self.decoder
            && (segment == 0 || !self.context.is_multiple_of(segment))
        {
            let expected = format!("a divisor of the context, {}", self.context);
            return Err(impossible("codec.decoder.segment", segment, expected));
        }
        let rising = self.levels.windows(2).all(|pair| pair[0] < pair[1]);
        if self.levels.is_empty() || !rising || !self.levels.iter().all(|l| *l > 0.0 && *l < 1.0) {
            let expected = "rising numbers between 0 and 1";
            return Err(impossible("codec.levels", format!("{:?}", self.levels), expected));
        }
        if self.calendar > self.frequency.calendar_size() {
            let expected = format!("at most {}, by the frequency", self.frequency.calendar_size());
            return Err(impossible("codec.calendar", self.calendar, expected));
        }
        if !self.wall_clock.is_possible() {
            let expected = "rising stamps, each with at most a day in seconds";
            let got = format!("{:?}", self.wall_clock.changes);
            return Err(impossible("codec.wall_clock", got, expected));
        }
        if self.covariates.len() != self.columns.past.len() + self.columns.future.len()
            || self.statics.len() != self.columns.statics.len()
        {
            let got = format!("{} and {}", self.covariates.len(), self.statics.len());
            return Err(impossible("codec.covariates", got, "one for each column of its kind"));
        }
        if self.output == Output::NegativeBinomial
            && (self.difference != Difference::None || self.transform != Transform::None)
        {
            let expected = "none, as counts are neither differenced nor transformed";
            return Err(impossible("codec.difference", format!("{:?}", self.difference), expected));
        }
        let input = Input::Features { size: self.input_size() };
        if spec.input != input {
            let (got, expected) = (format!("{:?}", spec.input), format!("{input:?}, by the codec"));
            return Err(impossible("input", got, expected));
        }
        if spec.outputs() != self.outputs() {
            let expected = format!("{}, by the codec", self.outputs());
            return Err(impossible("head.linear.outputs", spec.outputs(), expected));
        }
        if spec.rnn.bidirectional {
            return Err(impossible(
                "rnn.bidirectional",
                "true",
                "false, as the future is not known",
            ));
        }
        Ok(())
    }
}

fn impossible(field: &'static str, got: impl ToString, expected: impl Into<String>) -> Error {
    Error::Spec { field, got: got.to_string(), expected: expected.into() }
}
