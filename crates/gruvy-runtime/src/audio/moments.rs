//! Mean and deviation of each value over many frames.
use super::front_end::Normalisation;

/// A value that changes less than this is taken to change by this: in nats, a few percent of power.
const LEAST: f64 = 0.05;

/// Sums over frames.
#[derive(Clone, Debug)]
pub struct Moments {
    count: f64,
    /// `[width]` mean, and sum of the squared distances from it.
    mean: Vec<f64>,
    spread: Vec<f64>,
}

impl Moments {
    /// Of no frames.
    pub fn new(width: usize) -> Self {
        Self { count: 0.0, mean: vec![0.0; width], spread: vec![0.0; width] }
    }

    /// Adds frames `[n, width]` (Welford's algorithm).
    pub fn add(&mut self, frames: &[f32]) {
        for frame in frames.chunks_exact(self.mean.len()) {
            self.count += 1.0;
            for ((value, mean), spread) in frame.iter().zip(&mut self.mean).zip(&mut self.spread) {
                let off = f64::from(*value) - *mean;
                *mean += off / self.count;
                *spread += off * (f64::from(*value) - *mean);
            }
        }
    }

    /// The normalisation by them.
    pub fn training(&self) -> Normalisation {
        let deviation = |spread: &f64| (spread / self.count.max(1.0)).sqrt().max(LEAST) as f32;
        Normalisation::Training {
            mean: self.mean.iter().map(|mean| *mean as f32).collect(),
            deviation: self.spread.iter().map(deviation).collect(),
        }
    }
}
