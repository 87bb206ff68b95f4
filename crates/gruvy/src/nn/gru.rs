//! Layers of gated recurrent units, with the scope of `torch.nn.GRU`.
use super::LayerWeights;
use crate::ops::{self, Settings};
use burn::module::Module;
use burn::nn::Dropout;
use burn::tensor::{Tensor, TensorData};
use gruvy_kernels::Cell;
use std::sync::Arc;

/// Layers of gated recurrent units, made by [`GruConfig`](super::GruConfig).
///
/// ```text
/// r  = σ(W_ir x + b_ir + W_hr h + b_hr)
/// z  = σ(W_iz x + b_iz + W_hz h + b_hz)
/// n  = tanh(W_in x + b_in + r ⊙ (W_hn h + b_hn))        (Cell::GruV3: W_hn (r ⊙ h) + b_hn)
/// h' = (1 − z) ⊙ n + z ⊙ h
/// ```
///
/// Layer k > 0 reads the outputs of layer k − 1, of both directions side by side `[forward, backward]`.
#[derive(Module, Debug)]
pub struct Gru {
    /// `[L * D]` in PyTorch's order: layer 0, layer 0 reverse, layer 1, …
    pub layers: Vec<LayerWeights>,
    /// Between layers, active on an autodiff device (not after [`Module::valid`]).
    pub dropout: Dropout,
    /// `I`
    pub input_size: usize,
    /// `H`
    pub hidden_size: usize,
    /// Whether every layer has a second direction.
    pub bidirectional: bool,
    /// Whether input and output are `[B, T, ·]`.
    pub batch_first: bool,
    /// The recurrence.
    #[module(skip)]
    pub cell: Cell,
}

impl Gru {
    /// Runs the layers over a batch of sequences.
    ///
    /// * `x [T, B, I]`, or `[B, T, I]` if `batch_first`.
    /// * `state [L * D, B, H]`: the state before the first step, zeros if none. Detach the final state of
    ///   one call to begin the next with it, without a gradient through both.
    /// * `lengths [B]`: valid steps of each sequence; none: all T. What stands past them has no effect.
    ///
    /// Returns the outputs of the last layer, `[T, B, D * H]` (or `[B, T, D * H]`; zero past a sequence's
    /// length), and the final states `[L * D, B, H]`, each after its sequence's last step in its direction.
    ///
    /// # Panics
    /// If shapes do not fit the configuration or each other, or T is 0.
    pub fn forward(
        &self,
        x: Tensor<3>,
        state: Option<Tensor<3>>,
        lengths: Option<&[usize]>,
    ) -> (Tensor<3>, Tensor<3>) {
        let mut x = if self.batch_first { x.swap_dims(0, 1) } else { x };
        self.check(&x, state.as_ref());
        let lengths: Option<Arc<[usize]>> = lengths.map(Arc::from);
        let mut finals = Vec::with_capacity(self.layers.len());
        for layer in self.layers.chunks(self.directions()) {
            if !finals.is_empty() {
                x = super::dropout(&self.dropout, x);
            }
            let mut outputs = Vec::with_capacity(layer.len());
            for (direction, weights) in layer.iter().enumerate() {
                let settings =
                    Settings { cell: self.cell, reverse: direction == 1, lengths: lengths.clone() };
                let h0 =
                    state.as_ref().map(|s| s.clone().narrow(0, finals.len(), 1).squeeze_dim(0));
                let y = ops::recurrence(&settings, x.clone(), h0.clone(), weights.values());
                finals.push(ops::last_state(&settings, &y, h0.as_ref()));
                outputs.push(y);
            }
            x = if outputs.len() == 1 { outputs.remove(0) } else { Tensor::cat(outputs, 2) };
        }
        let y = if self.batch_first { x.swap_dims(0, 1) } else { x };
        (y, Tensor::stack(finals, 0))
    }

    /// `L`, layers on top of each other.
    pub fn num_layers(&self) -> usize {
        self.layers.len() / self.directions()
    }

    /// `D`, directions: 1 or 2.
    pub fn directions(&self) -> usize {
        if self.bidirectional { 2 } else { 1 }
    }

    /// Every parameter under PyTorch's name: `weight_ih_l0`, `bias_hh_l1_reverse`, …
    pub fn parameters(&self) -> impl Iterator<Item = (String, TensorData)> {
        self.layers.iter().enumerate().flat_map(|(index, layer)| {
            let suffix = self.suffix(index);
            layer.named().map(move |(name, data)| (format!("{name}{suffix}"), data))
        })
    }

    /// The same module with the values that `get` answers for each of PyTorch's names.
    ///
    /// # Panics
    /// If `get` has no answer for a parameter, or one of another shape.
    pub fn load_parameters(mut self, mut get: impl FnMut(&str) -> Option<TensorData>) -> Self {
        let suffixes: Vec<_> = (0..self.layers.len()).map(|index| self.suffix(index)).collect();
        let load = |(layer, suffix): (LayerWeights, String)| {
            layer.load(|name, shape| {
                let name = format!("{name}{suffix}");
                let Some(data) = get(&name) else {
                    panic!("Gru: no values for the parameter {name}, expected shape {shape:?}")
                };
                let got = data.shape().as_slice();
                assert!(got == shape, "Gru: expected {name} of shape {shape:?}, got {got:?}");
                data
            })
        };
        self.layers = self.layers.into_iter().zip(suffixes).map(load).collect();
        self
    }

    /// The end of the parameter names of `layers[index]`.
    fn suffix(&self, index: usize) -> String {
        let layer = index / self.directions();
        let reverse = if index % self.directions() == 1 { "_reverse" } else { "" };
        format!("_l{layer}{reverse}")
    }

    /// Shapes of the time-major input `[T, B, I]` and of the state.
    fn check(&self, x: &Tensor<3>, state: Option<&Tensor<3>>) {
        let [seq_len, batch, input] = x.dims();
        let order =
            if self.batch_first { [batch, seq_len, input] } else { [seq_len, batch, input] };
        assert!(
            input == self.input_size,
            "Gru: expected an input with {} features in its last dimension, got shape {order:?}",
            self.input_size
        );
        if let Some(state) = state {
            let expected = [self.layers.len(), batch, self.hidden_size];
            assert!(
                state.dims() == expected,
                "Gru: expected a state [L * D, B, H] of shape {expected:?}, got {:?}",
                state.dims()
            );
        }
    }
}
