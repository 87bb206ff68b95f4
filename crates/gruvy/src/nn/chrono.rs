//! Chrono initialisation: gates that remember from the start (Tallec and Ollivier, 1804.11188).
//!
//! A gate that keeps the share k of the state at every step forgets within 1 / (1 − k) steps. So
//! that the units begin with memories of 1 to `T_max` steps, the bias of the gate that keeps is
//! drawn as
//!
//! ```text
//! b ~ log U(1, T_max − 1),    σ(b) = 1 − 1 / (1 + U)
//! GRU      b_z =  b             z keeps the old state
//! LSTM     b_f =  b, b_i = −b
//! minGRU   b_z = −b             z takes the new one
//! ```
//! The bias stands in `b_ih`; that of `b_hh` is 0 there. The other gates keep PyTorch's start. An
//! RNN without gates has nothing to open and is left as it is.
use super::{key::Key, weights::LayerWeights};
use burn::{
    module::Param,
    tensor::{Tensor, TensorData},
};
use gruvy_kernels::Cell;

/// The gates of a cell that the bias goes to, with its sign.
fn gates(cell: Cell) -> Vec<(usize, f32)> {
    let keep = cell.keep_gate().map(|(gate, opposite)| (gate, if opposite { -1.0 } else { 1.0 }));
    // What an LSTM keeps and what it takes in are two gates.
    let takes = (cell == Cell::Lstm).then_some((0, -1.0));
    keep.into_iter().chain(takes).collect()
}

/// Draws the biases of the gates for dependencies of up to `longest` steps, at `key`.
///
/// # Panics
/// If `longest` is below 3, or the layer has no biases.
pub(super) fn open(mut layer: LayerWeights, cell: Cell, longest: usize, key: Key) -> LayerWeights {
    assert!(
        longest >= 3,
        "RecurrentConfig: expected chrono of at least 3 steps, or 0, got {longest}"
    );
    let (Some(b_ih), b_hh) = (layer.bias_ih.take(), layer.bias_hh.take()) else {
        panic!("RecurrentConfig: chrono sets biases, and bias is false")
    };
    let (hidden, device) = (b_ih.lazy_shape()[0] / cell.gates(), b_ih.lazy_device());
    let memories = key.uniform(1.0, (longest - 1) as f64, hidden);
    let biases: Vec<f32> = memories.into_iter().map(f32::ln).collect();
    let set = |param: Param<Tensor<1>>, scale: f32| {
        let mut values: Vec<f32> = param.val().into_data().iter().collect();
        for (gate, sign) in gates(cell) {
            for (value, bias) in values[gate * hidden..][..hidden].iter_mut().zip(&biases) {
                *value = sign * scale * bias;
            }
        }
        let (id, shape) = (param.id, [values.len()]);
        param.transform_for_load(Tensor::from_data(TensorData::new(values, shape), &device), id)
    };
    layer.bias_ih = Some(set(b_ih, 1.0));
    layer.bias_hh = b_hh.map(|b_hh| set(b_hh, 0.0));
    layer
}
