//! Burn's dropout with the kernels' mask, which is drawn by all threads.
//!
//! ```text
//! y = x ⊙ m / p,   m ~ Bernoulli(p) for each value,   p = 1 − prob
//! ```
use super::recurrent::seed;
use crate::ops;
use burn::{
    nn::Dropout,
    tensor::{Device, Tensor, TensorData},
};

/// [`Dropout::forward`] with a faster mask: active under the same conditions, governed by the same seed
/// (`device.seed`), the same for any number of threads.
pub fn dropout<const D: usize>(layer: &Dropout, input: Tensor<D>) -> Tensor<D> {
    let (device, shape) = (input.device(), input.dims());
    let Some(drawn) = draw(layer, &device) else { return input };
    let mut mask = vec![1.0; shape.iter().product()];
    drawn.apply(&mut mask);
    input * Tensor::from_data(TensorData::new(mask, shape), &device)
}

/// The mask of one pass; none: nothing is dropped.
pub(super) fn draw(layer: &Dropout, device: &Device) -> Option<ops::Dropout> {
    let active = layer.training.is_enabled() && device.is_autodiff() && layer.prob > 0.0;
    active.then(|| ops::Dropout { rate: layer.prob as f32, seed: seed(device), period: None })
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::{nn::DropoutConfig, tensor::Device};

    #[test]
    fn values_and_gradients_see_the_same_mask_and_inference_sees_none() {
        let device = Device::flex().autodiff();
        let layer = DropoutConfig::new(0.5).init();
        let x = Tensor::<2>::ones([40, 50], &device).require_grad();
        let y = dropout(&layer, x.clone());
        let grads = y.clone().sum().backward();
        let (y, dx) = (y.into_data(), x.grad(&grads).unwrap().into_data());
        assert_eq!(y, dx);
        assert!(y.iter::<f32>().all(|v| v == 0.0 || v == 2.0));
        let plain = dropout(&layer, x.clone().inner()).into_data();
        assert_eq!(plain, x.inner().into_data());
    }
}
