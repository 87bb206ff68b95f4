//! Where random numbers come from: a run's seed and a place, never a generator of the process.
//!
//! ```text
//! run's seed ─> weights ─> name of a tensor ─> its values, one after the other
//!            └> masks ─> step ─> layer ─> a mask's values, each by its place
//! ```
//! A key is a counter's start: whoever holds the same key draws the same numbers, whatever else
//! draws, in whatever order and on however many threads. Trainings side by side cannot disturb each
//! other, and a resumed one needs no state.
use burn::{
    module::{Param, ParamId},
    tensor::{Device, Shape, Tensor, TensorData},
};
use gruvy_kernels::random::{Fnv, SplitMix64, mix};
use rand_distr::{Distribution, StandardNormal};

/// A place under a seed, to draw at.
///
/// ```
/// use gruvy::nn::Key;
///
/// let run = Key::new(1);
/// assert_eq!(run.named("weights").fold(3), Key::new(1).named("weights").fold(3));
/// assert_ne!(run.fold(0), run.fold(1));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key(u64);

impl Key {
    /// The root of a seed.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The key of number `n` under this one.
    pub fn fold(self, n: u64) -> Self {
        Self(mix(self.0, n))
    }

    /// The key of a name under this one.
    pub fn named(self, name: &str) -> Self {
        self.fold(Fnv::of(name.as_bytes()))
    }

    /// The key as a number: the seed of a mask of [`ops`](crate::ops), for one.
    pub const fn seed(self) -> u64 {
        self.0
    }

    /// `count` values, uniform in `[low, high)`.
    pub fn uniform(self, low: f64, high: f64, count: usize) -> Vec<f32> {
        let mut random = SplitMix64::new(self.0);
        (0..count).map(|_| (low + (high - low) * random.unit()) as f32).collect()
    }

    /// `count` values from N(0, 1).
    pub fn normal(self, count: usize) -> Vec<f32> {
        let mut random = SplitMix64::new(self.0);
        (0..count)
            .map(|_| Distribution::<f64>::sample(&StandardNormal, &mut random) as f32)
            .collect()
    }
}

/// A parameter whose values are drawn when it is first looked at.
pub(super) fn parameter<const D: usize>(
    shape: [usize; D],
    device: &Device,
    draw: impl Fn(usize) -> Vec<f32> + Send + Sync + 'static,
) -> Param<Tensor<D>> {
    let init = move |device: &Device, require_grad| {
        let values = TensorData::new(draw(shape.iter().product()), shape);
        let tensor = Tensor::from_data(values, device);
        if require_grad { tensor.require_grad() } else { tensor }
    };
    Param::uninitialized(ParamId::new(), init, device.clone(), true, Shape::from(shape))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_draw_numbers_of_their_own() {
        let key = Key::new(7);
        let keys = [key, key.fold(0), key.fold(1), key.named("a"), key.named("b"), Key::new(8)];
        let drawn = keys.map(|key| key.uniform(0.0, 1.0, 1000));
        for (i, a) in drawn.iter().enumerate() {
            let mean = a.iter().sum::<f32>() / 1000.0;
            // Five standard deviations of the mean, and of the correlation.
            assert!((mean - 0.5).abs() < 5.0 * 0.289 / 31.6, "{i}: {mean}");
            for b in &drawn[..i] {
                let product = |(a, b): (&f32, &f32)| (a - 0.5) * (b - 0.5);
                let covariance = a.iter().zip(b).map(product).sum::<f32>() / 1000.0;
                assert!(covariance.abs() < 5.0 / 12.0 / 31.6, "{i}: {covariance}");
            }
        }
    }

    #[test]
    fn ranges_and_moments_are_as_asked() {
        let uniform = Key::new(3).uniform(-0.25, 0.75, 100_000);
        assert!(uniform.iter().all(|v| (-0.25..=0.75).contains(v)));
        let normal = Key::new(3).normal(100_000);
        let moment = |power| normal.iter().map(|v| v.powi(power)).sum::<f32>() / 1e5;
        for (power, expected, deviation) in [(1, 0.0, 1.0f32), (2, 1.0, 1.5), (4, 3.0, 10.0)] {
            let got = moment(power);
            assert!((got - expected).abs() < 5.0 * deviation / 316.0, "{power}: {got}");
        }
    }

    /// What a parameter's values are does not depend on when it is looked at, or after what.
    #[test]
    fn the_order_of_drawing_does_not_matter() {
        let device = Device::flex();
        let draw = |name: &str| {
            let key = Key::new(1).named(name);
            parameter([3, 4], &device, move |count| key.normal(count))
        };
        let (a, b) = (draw("a"), draw("b"));
        let second = b.val().into_data();
        assert_eq!(a.val().into_data(), draw("a").val().into_data());
        assert_eq!(second, draw("b").val().into_data());
        assert_ne!(second, a.val().into_data());
    }
}
