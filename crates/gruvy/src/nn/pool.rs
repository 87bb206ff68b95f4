//! One vector out of the outputs of all steps, in plain tensor operations; [`Pool`] has the
//! equations.
use burn::tensor::{Device, Tensor, TensorData, activation::softmax};
use gruvy_runtime::model::Pool;

/// Pools `y [T, B, W]`, 0 past the `lengths [B]` of its rows, to `[B, W]`; `attention [W]` where
/// attention pools.
///
/// # Panics
/// For [`Pool::Last`], which is not in `y`, and for attention without weights.
pub(super) fn pool(
    kind: Pool,
    y: Tensor<3>,
    lengths: &[usize],
    attention: Option<Tensor<1>>,
) -> Tensor<2> {
    let ([seq_len, batch, width], device) = (y.dims(), y.device());
    let masked = |x: Tensor<3>| match lengths.iter().all(|len| *len == seq_len) {
        true => x,
        false => x + past(seq_len, lengths, &device),
    };
    let pooled = match kind {
        Pool::Last => panic!("pool: the last outputs are states"),
        Pool::Max => masked(y).max_dim(0),
        Pool::Mean => {
            let lengths: Vec<f32> = lengths.iter().map(|len| *len as f32).collect();
            let lengths = TensorData::new(lengths, [1, batch, 1]);
            y.sum_dim(0) / Tensor::from_data(lengths, &device)
        }
        Pool::Attention => {
            let weight = attention.expect("attention has weights").reshape([1, 1, width]);
            let scores = (y.clone().tanh() * weight).sum_dim(2);
            (y * softmax(masked(scores), 0)).sum_dim(0)
        }
    };
    pooled.reshape([batch, width])
}

/// `[T, B, 1]`: 0 within a row's length, past it so low that no maximum is there.
fn past(seq_len: usize, lengths: &[usize], device: &Device) -> Tensor<3> {
    const LOW: f32 = -1e30;
    let steps = (0..seq_len).flat_map(|t| lengths.iter().map(move |len| t < *len));
    let mask: Vec<f32> = steps.map(|within| if within { 0.0 } else { LOW }).collect();
    Tensor::from_data(TensorData::new(mask, [seq_len, lengths.len(), 1]), device)
}
