//! Windows: what a network reads of a series before an origin, and what its answer means.
//!
//! ```text
//! base     none: mean of the context (0 for counts)   last: last value   seasonal: y'[t − k·m]
//! z_t      = (y'_t − base_t) / scale,   y' the transformed series, missing values 0 with a mark
//! direct   step of a segment: [z × w, missing × w, past × w, future × w, calendar, fixed, position]
//!          the context's steps have no position, the horizon's no values
//! autoregressive   step that predicts t: [z_{t−1}, missing, past_{t−1}, future_t, calendar_t, fixed]
//! ```
use super::affine::{Affine, LEAST_SCALE, Spread};
use super::codec::{Decoder, Difference, ForecastCodec, Scale};
use super::output::Output;
use crate::error::{Error, Result};
use crate::series::{Series, calendar::Stamp};

/// A series with everything about it that windows are cut from.
#[derive(Clone, Debug)]
pub struct Prepared {
    /// Its name.
    pub id: String,
    /// Stamp of the first step.
    pub start: Stamp,
    /// `[N]`, transformed; NaN: missing.
    pub y: Vec<f64>,
    /// `[N + H', K]`, H' the horizon in whole segments, K the calendar numbers used.
    calendar: Vec<f32>,
    /// `[P][N]`, standardised; missing: 0
    past: Vec<Vec<f32>>,
    /// `[F][≥ N]`, standardised; missing: 0
    future: Vec<Vec<f32>>,
    /// The same at all steps.
    fixed: Vec<f32>,
    /// By [`Scale::Series`], of a series that was trained on.
    scale: Option<f64>,
}

impl Prepared {
    /// Steps, known and missing.
    pub fn len(&self) -> usize {
        self.y.len()
    }

    /// Steps of which the known-future covariates are known; none if there are no such covariates.
    pub(crate) fn known_ahead(&self) -> Option<usize> {
        self.future.iter().map(Vec::len).min()
    }

    /// Whether there is no step.
    pub fn is_empty(&self) -> bool {
        self.y.is_empty()
    }
}

/// Base and scale of a window: `y' = base + scale · z`.
#[derive(Clone, Debug, PartialEq)]
pub struct Frame {
    /// First step of the horizon.
    pub origin: usize,
    /// The base where it is the same at all steps.
    centre: f64,
    /// The scale, above 0.
    pub scale: f64,
}

/// Windows as a network takes them, time-major.
#[derive(Clone, Debug, Default)]
pub struct Windows {
    /// `[T, B, I]`
    pub steps: Vec<f32>,
    /// `[S, B, I]`, the direct decoder's steps into the horizon; empty for the autoregressive one.
    pub decode: Vec<f32>,
}

impl ForecastCodec {
    /// Makes a series ready for windows.
    ///
    /// # Errors
    /// [`Error::Series`] for a value that the transform or the distribution cannot have, and for
    /// another number of covariates than the codec's.
    pub fn prepare(&self, series: &Series) -> Result<Prepared> {
        Self::check_sizes(series)?;
        let wrong = |what: &str, y: f64, setting: &str| {
            let text = format!(
                "{what}, and the series has {y}: train with the setting `{setting}`, or leave the \
                 series out"
            );
            Error::series(&series.id, text)
        };
        let expected =
            [self.columns.statics.len(), self.columns.past.len(), self.columns.future.len()];
        let got = [series.statics.len(), series.past.len(), series.future.len()];
        if got != expected {
            let text = format!(
                "it has {got:?} static, past and future covariates; the model was trained on \
                 {expected:?}"
            );
            return Err(Error::series(&series.id, text));
        }
        if let Some(y) = series.y.iter().find(|y| self.transform.needs_positive() && **y <= 0.0) {
            let what = format!("the transform `{}` takes values above 0", self.transform);
            return Err(wrong(&what, *y, "transform=none"));
        }
        if let Some(y) = series.y.iter().find(|y| {
            self.output == Output::NegativeBinomial && (**y < 0.0 || y.fract().abs() > 0.0)
        }) {
            let what = "a negative binomial is of whole numbers from 0 on";
            return Err(wrong(what, *y, "output=quantile"));
        }
        let standard = |columns: &[Vec<f64>], by: &[Affine]| -> Vec<Vec<f32>> {
            let column = |(values, by): (&Vec<f64>, &Affine)| {
                let number = |v: &f64| if v.is_nan() { 0.0 } else { by.apply(*v) as f32 };
                values.iter().map(number).collect()
            };
            columns.iter().zip(by).map(column).collect()
        };
        let (of_past, of_future) = self.covariates.split_at(series.past.len());
        let mut calendar = Vec::new();
        for index in 0..series.y.len() + self.padded_horizon() {
            let at = self.wall_clock.at(self.frequency.at(series.start, index));
            self.frequency.calendar(at, &mut calendar);
            calendar.truncate((index + 1) * self.calendar);
        }
        Ok(Prepared {
            id: series.id.clone(),
            start: series.start,
            y: series.y.iter().map(|y| self.transform.apply(*y)).collect(),
            calendar,
            past: standard(&series.past, of_past),
            future: standard(&series.future, of_future),
            fixed: self.fixed(series),
            scale: self.known(&series.id).map(|known| known.scale),
        })
    }

    /// The horizon in whole segments.
    pub fn padded_horizon(&self) -> usize {
        match self.decoder {
            Decoder::Direct { segment } => self.segments() * segment,
            Decoder::Autoregressive => self.horizon,
        }
    }

    /// Base and scale of the window of `series` before step `origin`; none if it has no value to go
    /// by.
    pub fn frame(&self, series: &Prepared, origin: usize) -> Option<Frame> {
        let from = origin.saturating_sub(self.context);
        let seen = series.y.get(from..origin)?;
        let known = || seen.iter().copied().filter(|y| !y.is_nan());
        let last = known().next_back()?;
        let mean = Spread::of(seen.iter().copied()).mean;
        let counts = self.output == Output::NegativeBinomial;
        let centre = match self.difference {
            Difference::None if counts => 0.0,
            Difference::None => mean,
            Difference::Last | Difference::Seasonal => last,
        };
        let mut frame = Frame { origin, centre, scale: 1.0 };
        let (mut squares, mut count) = (0.0, 0.0);
        for t in (from..origin).filter(|t| !series.y[*t].is_nan()) {
            let z = series.y[t] - self.base(&series.y, &frame, t);
            if !z.is_nan() {
                (squares, count) = (squares + z * z, count + 1.0);
            }
        }
        let spread = Spread::of(seen.iter().copied());
        let level = LEAST_SCALE * self.transform.size(mean);
        let whole = series.scale.unwrap_or(if spread.moves() { spread.std } else { level });
        let least = LEAST_SCALE * if whole > 0.0 { whole } else { self.unit() };
        frame.scale = match (self.scale, series.scale) {
            _ if counts => 1.0 + mean,
            (Scale::Series, Some(scale)) => scale,
            (Scale::Series, None) => spread.std,
            (Scale::Window, _) if count == 0.0 => spread.std,
            (Scale::Window, _) => (squares / count).sqrt(),
        }
        .max(least);
        Some(frame)
    }

    /// The scale of a window of zeros: that of the series with the least.
    fn unit(&self) -> f64 {
        let scales = self.series.iter().map(|known| known.scale).filter(|scale| *scale > 0.0);
        scales.min_by(f64::total_cmp).unwrap_or(1.0)
    }

    /// The base of step `t` in a window, from the values before its origin; NaN if it is missing.
    pub fn base(&self, y: &[f64], frame: &Frame, t: usize) -> f64 {
        if self.difference != Difference::Seasonal {
            return frame.centre;
        }
        let before = |t: usize| t.checked_sub(self.season);
        if t < frame.origin {
            return before(t).map_or(f64::NAN, |at| y[at]);
        }
        // In the horizon there must be a base: the season before, or the one before that, at last
        // the last value. The autoregressive decoder goes on from what it drew, which the
        // caller has put into `y`.
        let limit = match self.decoder {
            Decoder::Direct { .. } => frame.origin,
            Decoder::Autoregressive => usize::MAX,
        };
        let earliest = frame.origin.saturating_sub(self.reach());
        std::iter::successors(before(t), |at| before(*at))
            .take_while(|at| *at >= earliest)
            .filter(|at| *at < limit)
            .find_map(|at| y.get(at).copied().filter(|y| !y.is_nan()))
            .unwrap_or(frame.centre)
    }

    /// The windows of these series before these origins.
    ///
    /// With `ahead`, the steps of an autoregressive window run on through the horizon, whose values
    /// must be known: as it is learned from. Else they end with the step that predicts the
    /// first of the horizon.
    pub fn windows(&self, of: &[(&Prepared, &Frame)], ahead: bool) -> Windows {
        let mut windows = Windows::default();
        match self.decoder {
            Decoder::Direct { segment } => {
                for step in 0..self.context / segment {
                    for (series, frame) in of {
                        let back = self.context - step * segment;
                        let first = frame.origin as isize - back as isize;
                        self.segment(series, frame, Place::Context(first), &mut windows.steps);
                    }
                }
                for position in 0..self.segments() {
                    for (series, frame) in of {
                        self.segment(series, frame, Place::Horizon(position), &mut windows.decode);
                    }
                }
            }
            Decoder::Autoregressive => {
                let steps = self.context + if ahead { self.horizon - 1 } else { 0 };
                for step in 1..=steps {
                    for (series, frame) in of {
                        let t = (frame.origin + step) as isize - self.context as isize;
                        self.single(series, &series.y, frame, t, &mut windows.steps);
                    }
                }
            }
        }
        windows
    }

    /// One input of the direct decoder.
    fn segment(&self, series: &Prepared, frame: &Frame, place: Place, out: &mut Vec<f32>) {
        let Decoder::Direct { segment } = self.decoder else { return };
        let begin = out.len();
        out.resize(begin + self.input_size(), 0.0);
        let step = &mut out[begin..];
        let (seen, first) = match place {
            Place::Context(first) => (true, first),
            Place::Horizon(position) => (false, (frame.origin + position * segment) as isize),
        };
        let of_past = 2 * segment;
        let of_future = of_past + segment * series.past.len();
        let rest = of_future + segment * series.future.len();
        for i in 0..segment {
            // Before its start a series is missing.
            let t = usize::try_from(first + i as isize).ok();
            if seen {
                let z = t.map_or(f64::NAN, |t| self.z(&series.y, frame, t));
                step[i] = if z.is_nan() { 0.0 } else { z as f32 };
                step[segment + i] = f32::from(u8::from(z.is_nan()));
                for (p, values) in series.past.iter().enumerate() {
                    step[of_past + p * segment + i] = at(values, t);
                }
            }
            // What the last segment has beyond the horizon is nobody's business.
            let asked = t.filter(|t| *t < frame.origin + self.horizon);
            for (f, values) in series.future.iter().enumerate() {
                step[of_future + f * segment + i] = at(values, asked);
            }
        }
        self.of_step(series, first, &mut step[rest..]);
        if let Place::Horizon(position) = place {
            let end = step.len() - self.segments();
            step[end + position] = 1.0;
        }
    }

    /// One input of the autoregressive decoder: what step `t` is predicted from, with `y [≥ t]` for
    /// the values.
    pub(crate) fn single(
        &self,
        series: &Prepared,
        y: &[f64],
        frame: &Frame,
        t: isize,
        out: &mut Vec<f32>,
    ) {
        let begin = out.len();
        out.resize(begin + self.input_size(), 0.0);
        let step = &mut out[begin..];
        let (now, before) = (usize::try_from(t).ok(), usize::try_from(t - 1).ok());
        let z = before.map_or(f64::NAN, |t| self.z(y, frame, t));
        step[0] = if z.is_nan() { 0.0 } else { z as f32 };
        step[1] = f32::from(u8::from(z.is_nan()));
        let seen = before.filter(|t| *t < frame.origin);
        let past = series.past.iter().map(|values| at(values, seen));
        let future = series.future.iter().map(|values| at(values, now));
        let rest = 2 + series.past.len() + series.future.len();
        step[2..rest].iter_mut().zip(past.chain(future)).for_each(|(place, value)| *place = value);
        self.of_step(series, t, &mut step[rest..]);
    }

    /// Calendar of step `t`, then what is the same at all steps.
    fn of_step(&self, series: &Prepared, t: isize, out: &mut [f32]) {
        let size = self.calendar;
        let calendar =
            usize::try_from(t).ok().and_then(|t| series.calendar.get(t * size..(t + 1) * size));
        if let Some(calendar) = calendar {
            out[..size].copy_from_slice(calendar);
        }
        out[size..][..series.fixed.len()].copy_from_slice(&series.fixed);
    }

    /// `z` of step `t` of `y`, NaN where it is missing.
    pub fn z(&self, y: &[f64], frame: &Frame, t: usize) -> f64 {
        match y.get(t) {
            Some(value) if !value.is_nan() => (value - self.base(y, frame, t)) / frame.scale,
            _ => f64::NAN,
        }
    }
}

/// Where a segment lies.
#[derive(Clone, Copy)]
enum Place {
    /// In the context, from this step on, which may be before the series' start.
    Context(isize),
    /// In the horizon, at this position.
    Horizon(usize),
}

fn at(values: &[f32], t: Option<usize>) -> f32 {
    t.and_then(|t| values.get(t)).copied().unwrap_or(0.0)
}
