//! Recurrent layers of any cell, with the scope of `torch.nn.GRU`, `LSTM` and `RNN`.
use super::{chrono, config::RecurrentConfig, key::Key, weights::LayerWeights};
use crate::ops::{self, Noise, Settings, memory::Memory};
use burn::module::Module;
use burn::tensor::Device;
use burn::tensor::{Tensor, TensorData};
use std::sync::Arc;

/// Recurrent layers, made by [`RecurrentConfig`]. What a cell computes is said at
/// [`Cell`](gruvy_kernels::Cell).
///
/// Layer k > 0 reads the outputs of layer k − 1, of both directions side by side `[forward,
/// backward]`.
///
/// A state has `K * H` values, K = 2 for the LSTM: h and then c; else 1.
#[derive(Module, Debug)]
pub struct Recurrent {
    /// `[L * D]` in PyTorch's order: layer 0, layer 0 reverse, layer 1, …
    pub layers: Vec<LayerWeights>,
    /// The settings.
    #[module(skip)]
    pub config: RecurrentConfig,
    /// Scratch of all calls, of this module and its clones.
    #[module(skip)]
    pub memory: Memory,
}

impl RecurrentConfig {
    /// A layer stack with weights drawn from U(−1/√H, 1/√H), as PyTorch draws them: at `key`, each
    /// under its name.
    ///
    /// # Panics
    /// If a size is 0, a probability is outside `[0, 1)`, `chrono` is 1 or 2, or there is
    /// `candidate_dropout` for a cell without a candidate.
    pub fn init(&self, key: Key, device: &Device) -> Recurrent {
        for (name, size) in [
            ("input_size", self.input_size),
            ("hidden_size", self.hidden_size),
            ("num_layers", self.num_layers),
        ] {
            assert!(size > 0, "RecurrentConfig: expected {name} of at least 1, got 0");
        }
        for (name, rate) in [
            ("dropout", self.dropout),
            ("input_dropout", self.input_dropout),
            ("recurrent_dropout", self.recurrent_dropout),
            ("candidate_dropout", self.candidate_dropout),
            ("zoneout", self.zoneout),
            ("weight_dropout", self.weight_dropout),
        ] {
            assert!(
                (0.0..1.0).contains(&rate),
                "RecurrentConfig: expected {name} in [0, 1), got {rate}"
            );
        }
        assert!(
            self.candidate_dropout == 0.0 || self.cell.has_candidate(),
            "RecurrentConfig: expected candidate_dropout 0 for the cell {}, which has no candidate",
            self.cell.name()
        );
        let layer = |index| {
            let input = match index / self.directions() {
                0 => self.input_size,
                _ => self.directions() * self.hidden_size,
            };
            let place = |name: &str| key.named(&format!("{name}{}", self.suffix(index)));
            let layer = LayerWeights::new(self, input, place, device);
            match self.chrono {
                0 => layer,
                longest => chrono::open(layer, self.cell, longest, place("chrono")),
            }
        };
        let layers = (0..self.num_layers * self.directions()).map(layer).collect();
        Recurrent { layers, config: self.clone(), memory: Memory::default() }
    }
}

impl Recurrent {
    /// Runs the layers over a batch of sequences.
    ///
    /// * `x [T, B, I]`, or `[B, T, I]` if `batch_first`.
    /// * `state [L * D, B, K * H]`: the state before the first step, zeros if none. Detach the
    ///   final state of one call to begin the next with it, without a gradient through both.
    /// * `lengths [B]`: valid steps of each sequence; none: all T. What stands past them has no
    ///   effect.
    /// * `masks`: where a training pass draws dropout and all other noise; none, as in inference:
    ///   nothing is drawn. A key draws the same noise every time, so each step needs another:
    ///   `key.fold(step)`.
    ///
    /// Returns the outputs of the last layer, `[T, B, D * H]` (or `[B, T, D * H]`; zero past a
    /// sequence's length), and the final states `[L * D, B, K * H]`, each after its sequence's
    /// last step in its direction.
    ///
    /// # Panics
    /// If shapes do not fit the configuration or each other, or T is 0.
    pub fn forward(
        &self,
        x: Tensor<3>,
        state: Option<Tensor<3>>,
        lengths: Option<&[usize]>,
        masks: Option<Key>,
    ) -> (Tensor<3>, Tensor<3>) {
        let mut x = if self.config.batch_first { x.swap_dims(0, 1) } else { x };
        self.check(&x, state.as_ref());
        let lengths: Option<Arc<[usize]>> = lengths.map(Arc::from);
        let mut finals = Vec::with_capacity(self.layers.len());
        for (index, layer) in self.layers.chunks(self.directions()).enumerate() {
            let noise = masks.and_then(|key| self.noise(index, key));
            let mut outputs = Vec::with_capacity(layer.len());
            for (direction, weights) in layer.iter().enumerate() {
                let settings = Settings {
                    cell: self.config.cell,
                    reverse: direction == 1,
                    lengths: lengths.clone(),
                    zoneout: self.config.zoneout as f32,
                    noise,
                    recompute: self.config.recompute,
                    memory: self.memory.clone(),
                };
                let h0 =
                    state.as_ref().map(|s| s.clone().narrow(0, finals.len(), 1).squeeze_dim(0));
                let (y, last) = ops::recurrence(&settings, x.clone(), h0, weights.values());
                finals.push(last);
                outputs.push(y);
            }
            x = if outputs.len() == 1 { outputs.remove(0) } else { Tensor::cat(outputs, 2) };
        }
        let y = if self.config.batch_first { x.swap_dims(0, 1) } else { x };
        (y, Tensor::stack(finals, 0))
    }

    /// What layer `index` draws; none where nothing is to be drawn.
    fn noise(&self, index: usize, key: Key) -> Option<Noise> {
        let config = &self.config;
        let dropout = if index == 0 { 0.0 } else { config.dropout };
        let rates = [
            dropout,
            config.input_dropout,
            config.recurrent_dropout,
            config.candidate_dropout,
            config.zoneout,
            config.weight_dropout,
        ];
        let drawn = rates.iter().any(|rate| *rate > 0.0);
        drawn.then(|| Noise {
            seed: key.fold(index as u64).seed(),
            dropout: dropout as f32,
            input_dropout: config.input_dropout as f32,
            recurrent_dropout: config.recurrent_dropout as f32,
            candidate_dropout: config.candidate_dropout as f32,
            weight_dropout: config.weight_dropout as f32,
        })
    }

    /// `L`, layers on top of each other.
    pub fn num_layers(&self) -> usize {
        self.layers.len() / self.directions()
    }

    /// `D`, directions: 1 or 2.
    pub fn directions(&self) -> usize {
        self.config.directions()
    }

    /// Every parameter under PyTorch's name: `weight_ih_l0`, `bias_hh_l1_reverse`, …
    pub fn parameters(&self) -> impl Iterator<Item = (String, TensorData)> {
        self.layers.iter().enumerate().flat_map(|(index, layer)| {
            let suffix = self.config.suffix(index);
            layer.named().map(move |(name, data)| (format!("{name}{suffix}"), data))
        })
    }

    /// The same module with the values that `get` answers for each of PyTorch's names.
    ///
    /// # Panics
    /// If `get` has no answer for a parameter, or one of another shape.
    pub fn load_parameters(mut self, mut get: impl FnMut(&str) -> Option<TensorData>) -> Self {
        let suffixes: Vec<_> =
            (0..self.layers.len()).map(|index| self.config.suffix(index)).collect();
        let load = |(layer, suffix): (LayerWeights, String)| {
            layer.load(|name, shape| {
                let name = format!("{name}{suffix}");
                let Some(data) = get(&name) else {
                    panic!(
                        "Recurrent: no values for the parameter {name}, expected shape {shape:?}"
                    )
                };
                let got = data.shape().as_slice();
                assert!(got == shape, "Recurrent: expected {name} of shape {shape:?}, got {got:?}");
                data
            })
        };
        self.layers = self.layers.into_iter().zip(suffixes).map(load).collect();
        self
    }

    /// Shapes of the time-major input `[T, B, I]` and of the state.
    fn check(&self, x: &Tensor<3>, state: Option<&Tensor<3>>) {
        let [seq_len, batch, input] = x.dims();
        let order =
            if self.config.batch_first { [batch, seq_len, input] } else { [seq_len, batch, input] };
        assert!(
            input == self.config.input_size,
            "Recurrent: expected an input with {} features in its last dimension, got shape \
             {order:?}",
            self.config.input_size
        );
        if let Some(state) = state {
            let expected = [self.layers.len(), batch, self.config.state_size()];
            assert!(
                state.dims() == expected,
                "Recurrent: expected a state [L * D, B, K * H] of shape {expected:?}, got {:?}",
                state.dims()
            );
        }
    }
}
