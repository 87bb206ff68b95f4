//! What becomes of frames: differences, normalisation, steps. Each takes frame after frame.
use super::front_end::Normalisation;
use std::collections::VecDeque;

/// Frames to either side that a difference is over.
const REACH: usize = 2;

/// Puts the slope of some of a frame's values behind them, by regression over five frames; before
/// the first and after the last, these are repeated (torchaudio's `compute_deltas`).
///
/// ```text
/// d_t = Σ n (c_t+n − c_t−n) / (2 Σ n²),   n = 1, 2
/// ```
#[derive(Clone, Debug)]
pub(super) struct Deltas {
    /// The first of the values, which go to the end of a frame.
    from: usize,
    frames: VecDeque<Vec<f32>>,
}

impl Deltas {
    pub fn new(from: usize) -> Self {
        Self { from, frames: VecDeque::new() }
    }

    /// Takes a frame; gives the one of two frames before.
    pub fn push(&mut self, frame: Vec<f32>) -> Option<Vec<f32>> {
        if self.frames.is_empty() {
            self.frames.extend(std::iter::repeat_n(frame.clone(), REACH));
        }
        self.frames.push_back(frame);
        if self.frames.len() <= 2 * REACH {
            return None;
        }
        let with = self.middle();
        self.frames.pop_front();
        Some(with)
    }

    /// So often the last frame is repeated at the end.
    pub const REPEATS: usize = REACH;

    /// Takes the last frame again.
    pub fn repeat(&mut self) -> Option<Vec<f32>> {
        let last = self.frames.back()?.clone();
        self.push(last)
    }

    fn middle(&self) -> Vec<f32> {
        const NORM: f32 = 2.0 * (1.0 + 4.0);
        let mut with = self.frames[REACH].clone();
        for i in self.from..with.len() {
            let slope = |n: usize| self.frames[REACH + n][i] - self.frames[REACH - n][i];
            with.push((slope(1) + 2.0 * slope(2)) / NORM);
        }
        with
    }
}

/// Shifts and scales frames.
#[derive(Clone, Debug)]
pub(super) enum Normaliser {
    None,
    Fixed { mean: Vec<f32>, deviation: Vec<f32> },
    Running { sum: Vec<f64>, count: f64, deviation: Vec<f32> },
}

impl Normaliser {
    /// By the whole recording there is none.
    pub fn new(how: &Normalisation) -> Self {
        match how {
            Normalisation::None | Normalisation::Utterance => Self::None,
            Normalisation::Training { mean, deviation } => {
                Self::Fixed { mean: mean.clone(), deviation: deviation.clone() }
            }
            Normalisation::Running { mean, deviation, weight } => {
                let count = f64::from(*weight);
                let sum = mean.iter().map(|m| f64::from(*m) * count).collect();
                Self::Running { sum, count, deviation: deviation.clone() }
            }
        }
    }

    pub fn apply(&mut self, frame: &mut [f32]) {
        match self {
            Self::None => {}
            Self::Fixed { mean, deviation } => {
                for ((value, mean), deviation) in frame.iter_mut().zip(mean).zip(deviation) {
                    *value = (*value - *mean) / *deviation;
                }
            }
            Self::Running { sum, count, deviation } => {
                *count += 1.0;
                for ((value, sum), deviation) in frame.iter_mut().zip(sum).zip(deviation) {
                    *sum += f64::from(*value);
                    *value = (*value - (*sum / *count) as f32) / *deviation;
                }
            }
        }
    }
}

/// Joins frames to steps.
#[derive(Clone, Debug)]
pub(super) struct Stack {
    width: usize,
    stack: usize,
    stride: usize,
    /// Those from the next step's first on, `[n, width]`.
    frames: Vec<f32>,
    /// Frames to pass over before the next step, where steps are further apart than they are long.
    pass: usize,
}

impl Stack {
    pub fn new(width: usize, stack: usize, stride: usize) -> Self {
        Self { width, stack, stride, frames: Vec::new(), pass: 0 }
    }

    pub fn push(&mut self, frame: &[f32], out: &mut Vec<f32>) {
        if self.pass > 0 {
            self.pass -= 1;
            return;
        }
        self.frames.extend_from_slice(frame);
        if self.frames.len() == self.stack * self.width {
            out.extend_from_slice(&self.frames);
            self.advance();
        }
    }

    fn advance(&mut self) {
        let there = self.frames.len() / self.width;
        self.pass = self.stride.saturating_sub(there);
        self.frames.drain(..self.stride.min(there) * self.width);
    }

    /// The steps whose frames are not all there, with the last repeated.
    pub fn finish(&mut self, out: &mut Vec<f32>) {
        while !self.frames.is_empty() {
            out.extend_from_slice(&self.frames);
            let last = self.frames.len() - self.width;
            for _ in self.frames.len() / self.width..self.stack {
                out.extend_from_slice(&self.frames[last..]);
            }
            self.advance();
        }
    }
}
