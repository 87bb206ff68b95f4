//! Dropout with the kernels' mask, which is drawn by all threads.
//!
//! ```text
//! y = x ⊙ m / (1 − rate),   m ~ Bernoulli(1 − rate) for each value
//! ```
use super::key::Key;
use crate::ops;
use burn::tensor::{Tensor, TensorData};

/// Dropout of a share `rate` of all values, drawn at `key`: the same for any number of threads.
/// None, as in inference: nothing is dropped.
pub fn dropout<const D: usize>(rate: f64, input: Tensor<D>, key: Option<Key>) -> Tensor<D> {
    let (device, shape) = (input.device(), input.dims());
    let Some(drawn) = draw(rate, key) else { return input };
    let mut mask = vec![1.0; shape.iter().product()];
    drawn.apply(&mut mask);
    input * Tensor::from_data(TensorData::new(mask, shape), &device)
}

/// The mask of one pass; none: nothing is dropped.
pub(super) fn draw(rate: f64, key: Option<Key>) -> Option<ops::Dropout> {
    let key = key.filter(|_| rate > 0.0)?;
    Some(ops::Dropout { rate: rate as f32, seed: key.seed(), period: None })
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;

    #[test]
    fn values_and_gradients_see_the_same_mask_and_inference_sees_none() {
        let device = Device::flex().autodiff();
        let x = Tensor::<2>::ones([40, 50], &device).require_grad();
        let y = dropout(0.5, x.clone(), Some(Key::new(1)));
        let grads = y.clone().sum().backward();
        let (y, dx) = (y.into_data(), x.grad(&grads).unwrap().into_data());
        assert_eq!(y, dx);
        assert!(y.iter::<f32>().all(|v| v == 0.0 || v == 2.0));
        let plain = dropout(0.5, x.clone(), None).into_data();
        assert_eq!(plain, x.into_data());
    }
}
