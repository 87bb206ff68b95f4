//! Series divided into what is learned from, validated and tested on, and the windows of each part.
use crate::{
    error::{Error, Result},
    train::task::Part,
};
use gruvy_runtime::{
    forecast::{ForecastCodec, Frame, Prepared},
    random::mix,
    series::Panel,
};

/// Most windows that are validated on; of more, every n-th.
const VALID_WINDOWS: usize = 4096;

/// A window: the series, and base and scale before its origin.
pub(super) type Window = (usize, Frame);

/// Where the parts of a series end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Parts {
    /// First step to validate on.
    pub valid: usize,
    /// First step to test on.
    pub test: usize,
    /// Steps.
    pub end: usize,
}

impl Parts {
    /// Of a series of `steps`. One that is too short to be held back from is learned from as a
    /// whole.
    pub fn of(steps: usize, horizon: usize, valid: usize, test: usize) -> Self {
        let end = steps;
        let enough = |rest: usize| rest >= 2 * horizon;
        let test = if test > 0 && enough(end.saturating_sub(test)) { end - test } else { end };
        let valid =
            if valid > 0 && enough(test.saturating_sub(valid)) { test - valid } else { test };
        Self { valid, test, end }
    }
}

/// The windows of the parts.
#[derive(Debug)]
pub(super) struct Division {
    pub parts: Vec<Parts>,
    pub train: Vec<Window>,
    pub valid: Vec<Window>,
    pub test: Vec<Window>,
}

impl Division {
    /// All windows of prepared series.
    ///
    /// # Errors
    /// If there is none to learn from.
    pub fn new(
        codec: &ForecastCodec,
        panel: &Panel,
        series: &[Prepared],
        parts: Vec<Parts>,
    ) -> Result<Self> {
        let horizon = codec.horizon;
        let mut division = Self { parts, train: Vec::new(), valid: Vec::new(), test: Vec::new() };
        for (index, (of, part)) in series.iter().zip(&division.parts).enumerate() {
            // A window may begin before its series does, but should see half of what it could.
            let least = codec.context.min(part.valid.saturating_sub(horizon) / 2).max(1);
            let windows = |from: usize, to: usize| {
                let origins = from..(to + 1).saturating_sub(horizon).max(from);
                let frame = move |origin| Some((index, codec.frame(of, origin)?));
                let known = move |(_, frame): &Window| {
                    of.y[frame.origin..frame.origin + horizon].iter().any(|y| !y.is_nan())
                };
                origins.filter_map(frame).filter(known)
            };
            division.train.extend(windows(least, part.valid));
            division.valid.extend(windows(part.valid, part.test));
            division.test.extend(windows(part.test, part.end));
        }
        if division.train.is_empty() {
            let longest = panel.series.iter().max_by_key(|series| series.y.len());
            let longest = longest.map_or(String::new(), |series| {
                format!("; the longest, `{}`, has {} steps", series.id, series.y.len())
            });
            return Err(Error::Data(format!(
                "no series is long enough to learn from: forecasting {horizon} steps takes at \
                 least {} known \
                 steps{longest}. Use a smaller value of the setting `horizon`, or give more data",
                horizon + 1
            )));
        }
        let every = division.valid.len().div_ceil(VALID_WINDOWS).max(1);
        division.valid = division.valid.into_iter().step_by(every).collect();
        Ok(division)
    }

    pub fn of(&self, part: Part) -> &[Window] {
        match part {
            Part::Train => &self.train,
            Part::Valid => &self.valid,
            Part::Test => &self.test,
        }
    }
}

/// Window `at` of an epoch: the windows in an order drawn from `seed`, then again in another.
pub(super) fn draw(windows: usize, at: u64, seed: u64) -> usize {
    let (n, round) = (windows as u64, at / windows as u64);
    shuffled(n, at % n, mix(seed, round)) as usize
}

/// Where `at` goes in a permutation of `0..n` drawn from `seed`: a Feistel network on the smallest
/// even number of bits that holds `n`, walked until it comes back below `n` (Black and Rogaway
/// 2002).
fn shuffled(n: u64, mut at: u64, seed: u64) -> u64 {
    let half = (64 - (n - 1).max(1).leading_zeros()).div_ceil(2);
    let mask = (1u64 << half) - 1;
    loop {
        let (mut left, mut right) = (at >> half, at & mask);
        for round in 0..4 {
            (left, right) = (right, left ^ (mix(seed ^ round, right) & mask));
        }
        at = left << half | right;
        if at < n {
            return at;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_epoch_draws_each_window_once_before_any_twice() {
        for windows in [1, 2, 3, 7, 64, 100] {
            for seed in [1, 2, 99] {
                let order = |round: u64| -> Vec<usize> {
                    let n = windows as u64;
                    (0..n).map(|at| draw(windows, round * n + at, seed)).collect()
                };
                let (first, mut sorted) = (order(0), order(0));
                sorted.sort();
                assert_eq!(sorted, (0..windows).collect::<Vec<_>>());
                if windows == 100 {
                    assert_ne!(first, sorted);
                    assert_ne!(first, order(1));
                }
            }
        }
    }

    #[test]
    fn parts_lie_at_the_end_and_short_series_have_none() {
        assert_eq!(Parts::of(100, 10, 20, 10), Parts { valid: 70, test: 90, end: 100 });
        assert_eq!(Parts::of(100, 10, 10, 0), Parts { valid: 90, test: 100, end: 100 });
        assert_eq!(Parts::of(25, 10, 10, 0), Parts { valid: 25, test: 25, end: 25 });
    }
}
