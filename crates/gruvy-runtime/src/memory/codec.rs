//! The two tasks that measure memory. Their data come from a generator, not from a file: what a
//! user would give another codec as raw input is here a seed and a number of sequences.
//!
//! ```text
//! adding   x [T, B, 2]: a number uniform in [0, 1), and a mark that is 1 at two steps, else 0
//!          y [B]: the sum of the two marked numbers, asked for after the last step
//!
//! copy     x [T + 20, B]: ten digits of 1..=8, T − 1 zeros, eleven 9s
//!          y [T + 20, B]: T + 10 zeros, then the ten digits, while the last ten 9s go in
//! ```
//! The adding problem is Hochreiter and Schmidhuber's (1997), both tasks are made as by Bai, Kolter
//! and Koltun (1803.01271), so that results can be put beside theirs: the two marks stand at any
//! two different steps, neither bound to its half. Sequence `i` of a seed is the same in whatever
//! batch it comes.
use crate::{
    error::{Error, Result},
    model::spec::{Input, Spec},
};
use gruvy_kernels::random::{SplitMix64, mix};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, ops::Range};

/// The seed of the sequences that the memory tasks are tested on.
pub const TEST_SEED: u64 = 0x7e57;
/// Longest sequences, so that sizes computed from a model file cannot overflow.
const MAX_LENGTH: usize = 1 << 24;

/// The adding problem over sequences of `length` steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Adding {
    /// `T`, steps of a sequence, at least 2.
    pub length: usize,
}

/// Sequences of [`Adding`].
#[derive(Clone, Debug, PartialEq)]
pub struct AddingExamples {
    /// `[T, B, 2]`: number, mark.
    pub x: Vec<f32>,
    /// `[B]`
    pub sums: Vec<f32>,
}

impl Adding {
    /// Width of an input step.
    pub const FEATURES: usize = 2;
    /// Mean squared error of a model without memory, which answers 1: twice the variance of a
    /// number.
    pub const BASELINE: f64 = 1.0 / 6.0;

    /// Checks the length.
    ///
    /// # Errors
    /// [`Error::Setting`] naming it.
    pub fn check(&self) -> Result<()> {
        check_length(self.length, 2)
    }

    /// The sequences `rows` of a seed, side by side.
    pub fn examples(&self, seed: u64, rows: Range<u64>) -> AddingExamples {
        let (length, batch) = (self.length, (rows.end - rows.start) as usize);
        let mut x = vec![0.0; length * batch * 2];
        let mut sums = vec![0.0; batch];
        for ((b, row), sum) in rows.enumerate().zip(&mut sums) {
            let mut random = sequence(seed, row);
            let first = random.below(length as u64) as usize;
            let second = random.below(length as u64 - 1) as usize;
            let marked = [first, second + usize::from(second >= first)];
            for t in 0..length {
                let step = &mut x[(t * batch + b) * 2..][..2];
                // 24 bits, so that the number is below 1 in f32 too.
                step[0] = (random.next() >> 40) as f32 / (1 << 24) as f32;
                if marked.contains(&t) {
                    step[1] = 1.0;
                    *sum += step[0];
                }
            }
        }
        AddingExamples { x, sums }
    }

    /// What is reported of a mean squared error.
    pub fn metrics(&self, mse: f64) -> BTreeMap<String, f64> {
        named([("loss", mse), ("mse", mse), ("baseline", Self::BASELINE)])
    }

    /// See [`Codec::fits`](crate::Codec::fits).
    pub(crate) fn fits(&self, spec: &Spec) -> Result<()> {
        self.check()?;
        expect_input(spec, &Input::Features { size: Self::FEATURES })?;
        expect_outputs(spec, 1)
    }
}

/// Copying ten digits over a pause of `length` steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Copying {
    /// `T`, steps from the first digit's end to the answer; a sequence has `T + 20`.
    pub length: usize,
}

/// Sequences of [`Copying`].
#[derive(Clone, Debug, PartialEq)]
pub struct CopyExamples {
    /// `[T + 20, B]`
    pub x: Vec<u32>,
    /// `[T + 20, B]`
    pub targets: Vec<u32>,
}

impl Copying {
    /// Digits to remember.
    pub const DIGITS: usize = 10;
    /// Symbols: blank, the digits 1 to 8, and 9, which asks for the answer.
    pub const SYMBOLS: usize = 10;

    /// Checks the length.
    ///
    /// # Errors
    /// [`Error::Setting`] naming it.
    pub fn check(&self) -> Result<()> {
        check_length(self.length, 1)
    }

    /// Steps of a sequence.
    pub fn steps(&self) -> usize {
        self.length + 2 * Self::DIGITS
    }

    /// Mean cross entropy of a model that knows where the answer stands but remembers no digit.
    pub fn baseline(&self) -> f64 {
        Self::DIGITS as f64 * 8f64.ln() / self.steps() as f64
    }

    /// The sequences `rows` of a seed, side by side.
    pub fn examples(&self, seed: u64, rows: Range<u64>) -> CopyExamples {
        let (steps, batch) = (self.steps(), (rows.end - rows.start) as usize);
        let (answer, ask) = (steps - Self::DIGITS, steps - Self::DIGITS - 1);
        let mut x = vec![0; steps * batch];
        let mut targets = vec![0; steps * batch];
        x[ask * batch..].fill(9);
        for (b, row) in rows.enumerate() {
            let mut random = sequence(seed, row);
            for t in 0..Self::DIGITS {
                let digit = 1 + random.below(8) as u32;
                x[t * batch + b] = digit;
                targets[(answer + t) * batch + b] = digit;
            }
        }
        CopyExamples { x, targets }
    }

    /// What is reported of a mean cross entropy over all steps and the share of the digits that are
    /// right (none: not known).
    pub fn metrics(&self, loss: f64, accuracy: Option<f64>) -> BTreeMap<String, f64> {
        let known = [("loss", loss), ("baseline", self.baseline())];
        named(known.into_iter().chain(accuracy.map(|a| ("accuracy", a))))
    }

    /// See [`Codec::fits`](crate::Codec::fits).
    pub(crate) fn fits(&self, spec: &Spec) -> Result<()> {
        self.check()?;
        let dim = spec.input.width();
        expect_input(spec, &Input::Embedding { vocab: Self::SYMBOLS, dim })?;
        expect_outputs(spec, Self::SYMBOLS)
    }
}

/// The random numbers of one sequence. The seed is mixed first, so that neighbouring seeds do not
/// share their sequences shifted by one.
fn sequence(seed: u64, row: u64) -> SplitMix64 {
    SplitMix64::new(mix(seed, row))
}

fn named<'a>(metrics: impl IntoIterator<Item = (&'a str, f64)>) -> BTreeMap<String, f64> {
    metrics.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn check_length(length: usize, least: usize) -> Result<()> {
    if (least..=MAX_LENGTH).contains(&length) {
        return Ok(());
    }
    Err(Error::setting("length", length, format!("{least} to {MAX_LENGTH}")))
}

fn expect_input(spec: &Spec, expected: &Input) -> Result<()> {
    if spec.input == *expected {
        return Ok(());
    }
    let (got, expected) = (format!("{:?}", spec.input), format!("{expected:?}, for this task"));
    Err(Error::Spec { field: "input", got, expected })
}

fn expect_outputs(spec: &Spec, outputs: usize) -> Result<()> {
    if spec.outputs() == outputs {
        return Ok(());
    }
    let (got, expected) = (spec.outputs().to_string(), format!("{outputs}, for this task"));
    Err(Error::Spec { field: "head.linear.outputs", got, expected })
}
