//! What a [`Gru`] is made of.
use super::{Gru, LayerWeights, chrono};
use burn::config::Config;
use burn::nn::DropoutConfig;
use burn::tensor::Device;
use gruvy_kernels::Cell;
use serde::{Deserialize, Serialize};

/// The settings of a [`Gru`], with the names and defaults of `torch.nn.GRU`.
///
/// ```
/// use gruvy::nn::GruConfig;
///
/// let gru = GruConfig::new(64, 128).with_num_layers(2).with_dropout(0.2).init(&Default::default());
/// # assert_eq!(gru.num_layers(), 2);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GruConfig {
    /// `I`, features of an input step.
    pub input_size: usize,
    /// `H`, hidden units.
    pub hidden_size: usize,
    /// `L`, layers on top of each other.
    pub num_layers: usize,
    /// Run a second direction beside the first, from the last step to the first.
    pub bidirectional: bool,
    /// Add `b_ih` and `b_hh`.
    pub bias: bool,
    /// Probability with which an output of a layer is zero for the next one during training; the last
    /// layer's are kept.
    pub dropout: f64,
    /// Input and output are `[B, T, ·]` in place of `[T, B, ·]`. The states are `[L * D, B, H]` always.
    pub batch_first: bool,
    /// Longest dependency in steps that the gates are opened for at the start, at least 3; 0: none, gates as
    /// PyTorch draws them. Needs `bias`. See [`chrono`](super::chrono).
    pub chrono: usize,
    /// The recurrence: [`Cell::Gru`] is PyTorch's.
    #[serde(with = "gruvy_runtime::cell_name")]
    pub cell: Cell,
}

impl Config for GruConfig {}

impl GruConfig {
    /// One layer and direction with biases, without dropout, time-major, as PyTorch's.
    pub fn new(input_size: usize, hidden_size: usize) -> Self {
        Self {
            input_size,
            hidden_size,
            num_layers: 1,
            bidirectional: false,
            bias: true,
            dropout: 0.0,
            batch_first: false,
            chrono: 0,
            cell: Cell::Gru,
        }
    }

    /// Sets [`num_layers`](Self::num_layers).
    pub fn with_num_layers(self, num_layers: usize) -> Self {
        Self { num_layers, ..self }
    }

    /// Sets [`bidirectional`](Self::bidirectional).
    pub fn with_bidirectional(self, bidirectional: bool) -> Self {
        Self { bidirectional, ..self }
    }

    /// Sets [`bias`](Self::bias).
    pub fn with_bias(self, bias: bool) -> Self {
        Self { bias, ..self }
    }

    /// Sets [`dropout`](Self::dropout).
    pub fn with_dropout(self, dropout: f64) -> Self {
        Self { dropout, ..self }
    }

    /// Sets [`batch_first`](Self::batch_first).
    pub fn with_batch_first(self, batch_first: bool) -> Self {
        Self { batch_first, ..self }
    }

    /// Sets [`chrono`](Self::chrono).
    pub fn with_chrono(self, chrono: usize) -> Self {
        Self { chrono, ..self }
    }

    /// Sets [`cell`](Self::cell).
    pub fn with_cell(self, cell: Cell) -> Self {
        Self { cell, ..self }
    }

    /// Directions, `D`: 1 or 2.
    pub fn directions(&self) -> usize {
        if self.bidirectional { 2 } else { 1 }
    }

    /// A layer stack with weights drawn from U(−1/√H, 1/√H), as PyTorch draws them.
    ///
    /// # Panics
    /// If a size is 0, `dropout` is outside `[0, 1)`, or `chrono` is 1 or 2.
    pub fn init(&self, device: &Device) -> Gru {
        for (name, size) in [
            ("input_size", self.input_size),
            ("hidden_size", self.hidden_size),
            ("num_layers", self.num_layers),
        ] {
            assert!(size > 0, "GruConfig: expected {name} of at least 1, got 0");
        }
        assert!(
            (0.0..1.0).contains(&self.dropout),
            "GruConfig: expected dropout in [0, 1), got {}",
            self.dropout
        );
        let layers: Vec<_> = (0..self.num_layers * self.directions())
            .map(|index| match index / self.directions() {
                0 => self.input_size,
                _ => self.directions() * self.hidden_size,
            })
            .map(|input| LayerWeights::new(self.cell, [input, self.hidden_size], self.bias, device))
            .collect();
        let open = |layer| chrono::open(layer, self.cell, self.chrono);
        Gru {
            layers: if self.chrono > 0 { layers.into_iter().map(open).collect() } else { layers },
            dropout: DropoutConfig::new(self.dropout).init(),
            input_size: self.input_size,
            hidden_size: self.hidden_size,
            bidirectional: self.bidirectional,
            batch_first: self.batch_first,
            cell: self.cell,
        }
    }
}
