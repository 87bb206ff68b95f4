//! What a [`Recurrent`] is made of.
use burn::config::Config;
use gruvy_kernels::Cell;
use serde::{Deserialize, Serialize};

/// The settings of a [`Recurrent`](super::Recurrent), with the names and defaults of `torch.nn.GRU`
/// where it has them.
///
/// ```
/// use gruvy::nn::{Key, RecurrentConfig};
///
/// let config = RecurrentConfig::new(64, 128).with_num_layers(2).with_dropout(0.2);
/// let gru = config.init(Key::new(1), &Default::default());
/// # assert_eq!(gru.num_layers(), 2);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RecurrentConfig {
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
    /// Probability with which an output of a layer is zero for the next one during training; the
    /// last layer's are kept.
    pub dropout: f64,
    /// Variational dropout of each layer's input: the probability with which a feature is zero at
    /// all steps of a sequence during training (Gal and Ghahramani, 1512.05287).
    pub input_dropout: f64,
    /// Variational dropout of the state: the probability with which the hidden weights do not see
    /// a unit, at all steps of a sequence, during training.
    pub recurrent_dropout: f64,
    /// Dropout of the candidate: the probability with which a new value (n; an LSTM's g) is zero
    /// where it joins the state, drawn anew at each step, during training (Semeniuta et al.,
    /// 1603.05118). For cells that [have a candidate](Cell::has_candidate).
    pub candidate_dropout: f64,
    /// Zoneout (Krueger et al., 1606.01305): the probability with which a unit keeps its state at
    /// a step. Drawn during training, the mean afterwards.
    pub zoneout: f64,
    /// DropConnect (Merity et al., 1708.02182): the probability with which a hidden weight is
    /// zero, at all steps of a batch, during training.
    pub weight_dropout: f64,
    /// Layer normalisation (Ba et al., 1607.06450) of every gate's input part and hidden part.
    pub layer_norm: bool,
    /// Save only the states before every √T steps for the backward pass, which computes the rest
    /// again: less memory for long sequences, for the time of one more forward pass.
    pub recompute: bool,
    /// Input and output are `[B, T, ·]` in place of `[T, B, ·]`. The states are `[L * D, B, K *
    /// H]` always.
    pub batch_first: bool,
    /// Longest dependency in steps that the gates are opened for at the start, at least 3; 0:
    /// none, gates as PyTorch draws them. Needs `bias`. See [`chrono`](super::chrono).
    pub chrono: usize,
    /// The recurrence: [`Cell::Gru`] is PyTorch's.
    pub cell: Cell,
}

impl Config for RecurrentConfig {}

impl RecurrentConfig {
    /// One layer and direction with biases, without dropout, time-major, as PyTorch's.
    pub fn new(input_size: usize, hidden_size: usize) -> Self {
        Self {
            input_size,
            hidden_size,
            num_layers: 1,
            bidirectional: false,
            bias: true,
            dropout: 0.0,
            input_dropout: 0.0,
            recurrent_dropout: 0.0,
            candidate_dropout: 0.0,
            zoneout: 0.0,
            weight_dropout: 0.0,
            layer_norm: false,
            recompute: false,
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

    /// Sets [`input_dropout`](Self::input_dropout).
    pub fn with_input_dropout(self, input_dropout: f64) -> Self {
        Self { input_dropout, ..self }
    }

    /// Sets [`recurrent_dropout`](Self::recurrent_dropout).
    pub fn with_recurrent_dropout(self, recurrent_dropout: f64) -> Self {
        Self { recurrent_dropout, ..self }
    }

    /// Sets [`candidate_dropout`](Self::candidate_dropout).
    pub fn with_candidate_dropout(self, candidate_dropout: f64) -> Self {
        Self { candidate_dropout, ..self }
    }

    /// Sets [`zoneout`](Self::zoneout).
    pub fn with_zoneout(self, zoneout: f64) -> Self {
        Self { zoneout, ..self }
    }

    /// Sets [`weight_dropout`](Self::weight_dropout).
    pub fn with_weight_dropout(self, weight_dropout: f64) -> Self {
        Self { weight_dropout, ..self }
    }

    /// Sets [`layer_norm`](Self::layer_norm).
    pub fn with_layer_norm(self, layer_norm: bool) -> Self {
        Self { layer_norm, ..self }
    }

    /// Sets [`recompute`](Self::recompute).
    pub fn with_recompute(self, recompute: bool) -> Self {
        Self { recompute, ..self }
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

    /// The end of the parameter names of layer and direction number `index`: `_l0`, `_l0_reverse`,
    /// `_l1`, …
    pub(super) fn suffix(&self, index: usize) -> String {
        let layer = index / self.directions();
        let reverse = if index % self.directions() == 1 { "_reverse" } else { "" };
        format!("_l{layer}{reverse}")
    }

    /// `K * H`, values of a layer's and direction's state: h, and for the LSTM c behind it.
    pub fn state_size(&self) -> usize {
        self.cell.states() * self.hidden_size
    }
}
