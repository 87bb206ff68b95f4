//! Reproducible numbers and comparisons.
use burn::tensor::{Device, Tensor, TensorData};

/// A training device.
pub fn device() -> Device {
    Device::flex().autodiff()
}

/// Numbers in ±`scale`, the same for the same seed.
pub fn numbers(seed: u64, count: usize, scale: f32) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((state >> 40) as f32 / (1 << 23) as f32 - 1.0) * scale
    };
    (0..count).map(|_| next()).collect()
}

/// A tensor of [numbers].
pub fn tensor<const D: usize>(seed: u64, shape: [usize; D], device: &Device) -> Tensor<D> {
    let count = shape.iter().product();
    Tensor::from_data(TensorData::new(numbers(seed, count, 0.9), shape), device)
}

/// The values of a tensor.
pub fn values<const D: usize>(tensor: &Tensor<D>) -> Vec<f32> {
    tensor.to_data().try_to_vec().expect("f32")
}

/// Panics unless every value of `got` is within `tolerance` of `want`, relative to the larger of 1
/// and the largest value of `want`.
#[track_caller]
pub fn assert_close(what: &str, got: &[f32], want: &[f32], tolerance: f32) {
    assert_eq!(got.len(), want.len(), "{what}: number of values");
    let scale = want.iter().fold(1.0f32, |m, v| m.max(v.abs()));
    for (i, (got, want)) in got.iter().zip(want).enumerate() {
        let off = (got - want).abs() / scale;
        assert!(off <= tolerance, "{what}[{i}]: got {got}, want {want}, off by {off:e}");
    }
}
