//! Sizes, options and buffers that every kernel call shares.

use crate::noise::Noise;

/// The recurrence that a layer runs.
///
/// ```text
/// Gru    r = σ(x W_ir + b_ir + h W_hr + b_hr)      z likewise
///        n = tanh(x W_in + b_in + r ⊙ (h W_hn + b_hn))      h' = (1 − z) ⊙ n + z ⊙ h
/// GruV3  n = tanh(x W_in + b_in + (r ⊙ h) W_hn + b_hn)
/// Lstm   i, f, o = σ(x W + b + h W + b)      g = tanh(likewise)
///        c' = f ⊙ c + i ⊙ g      h' = o ⊙ tanh(c')
/// Rnn    h' = tanh(x W + b + h W + b)        RnnRelu  max(·, 0)
/// MinGru z = σ(x W_z + b_z)      n = g(x W_n + b_n), g(v) = v + ½ if v ≥ 0, else σ(v)
///        h' = (1 − z) ⊙ h + z ⊙ n
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Cell {
    /// GRU with the reset gate after the product (PyTorch, cuDNN; Cho et al., 1406.1078v1).
    Gru,
    /// GRU with the reset gate before the product (Cho et al., 1406.1078v3; ONNX's default).
    GruV3,
    /// PyTorch's LSTM, with a forget gate (Gers et al., 2000).
    Lstm,
    /// Plain RNN with tanh (Elman, 1990).
    Rnn,
    /// Plain RNN with max(·, 0).
    RnnRelu,
    /// A GRU whose gates see the input alone (Feng et al., 2410.01201). Note that its z is the
    /// share of the new value, where the GRU's is the share of the old state.
    MinGru,
}

impl Cell {
    /// Every cell.
    pub const ALL: [Self; 6] =
        [Cell::Gru, Cell::GruV3, Cell::Lstm, Cell::Rnn, Cell::RnnRelu, Cell::MinGru];

    /// The names of the gates, in PyTorch's order of the weights' rows.
    pub const fn gate_names(self) -> &'static [&'static str] {
        match self {
            Cell::Gru | Cell::GruV3 => &["reset", "update", "new"],
            Cell::Lstm => &["input", "forget", "cell", "output"],
            Cell::Rnn | Cell::RnnRelu => &["new"],
            Cell::MinGru => &["update", "new"],
        }
    }

    /// `G`, gates: the input weights have `gates() * hidden` rows.
    pub const fn gates(self) -> usize {
        self.gate_names().len()
    }

    /// Gates that see the state through weights: the hidden weights have `hidden_gates() * hidden`
    /// rows. The minGRU has none.
    pub const fn hidden_gates(self) -> usize {
        match self {
            Cell::MinGru => 0,
            _ => self.gates(),
        }
    }

    /// `K`, vectors of H values in a state: 2 for the LSTM (h, then c), 1 for all others.
    pub const fn states(self) -> usize {
        match self {
            Cell::Lstm => 2,
            _ => 1,
        }
    }

    /// The name used on the command line and in model files.
    pub const fn name(self) -> &'static str {
        match self {
            Cell::Gru => "gru",
            Cell::GruV3 => "gru-v3",
            Cell::Lstm => "lstm",
            Cell::Rnn => "rnn",
            Cell::RnnRelu => "rnn-relu",
            Cell::MinGru => "mingru",
        }
    }

    /// The cell with that [name](Cell::name).
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|cell| cell.name() == name)
    }

    /// `S`, blocks of H values that a layer without normalisation and noise saves for the backward
    /// pass, per step and row. [`Layer::saved`] is the number for any layer.
    pub const fn saved(self) -> usize {
        match self {
            Cell::Gru | Cell::GruV3 => 4,
            Cell::Lstm => 5,
            Cell::Rnn | Cell::RnnRelu => 1,
            Cell::MinGru => 2,
        }
    }

    /// The saved block that holds each gate's value, in the order of [`Cell::gate_names`].
    #[doc(hidden)]
    pub const fn gate_blocks(self) -> &'static [usize] {
        match self {
            Cell::Gru | Cell::GruV3 => &[1, 2, 0],
            Cell::Lstm => &[0, 1, 2, 3],
            Cell::Rnn | Cell::RnnRelu => &[0],
            Cell::MinGru => &[0, 1],
        }
    }

    /// Whether the next state is made of the state before and a candidate for it, apart from it
    /// (GRU and minGRU: n, LSTM: g), which [dropout](Noise::candidate_dropout) can spare the state.
    pub const fn has_candidate(self) -> bool {
        self.keep_gate().is_some()
    }

    /// The gate whose value is the share of its state that a unit keeps at a step, and whether it
    /// is the opposite, the share of the new value. None for a cell without such a gate.
    #[doc(hidden)]
    pub const fn keep_gate(self) -> Option<(usize, bool)> {
        match self {
            Cell::Gru | Cell::GruV3 | Cell::Lstm => Some((1, false)),
            Cell::MinGru => Some((0, true)),
            Cell::Rnn | Cell::RnnRelu => None,
        }
    }
}

/// One layer and direction: what it computes.
#[derive(Clone, Copy, Debug)]
pub struct Layer<'a> {
    /// The recurrence.
    pub cell: Cell,
    /// `I`, features of the input.
    pub input: usize,
    /// `H`, hidden units.
    pub hidden: usize,
    /// Zoneout (Krueger et al., 1606.01305): the probability, in `[0, 1)`, with which a unit keeps
    /// its state at a step. It is drawn in a [pass with noise](Noise); without noise the mean is
    /// used, `h' = p h + (1 − p) h̃`. An LSTM draws for h and for c separately.
    pub zoneout: f32,
    /// The weights.
    pub weights: Weights<'a>,
}

impl Layer<'_> {
    pub(crate) fn shape(&self) -> Shape {
        let Self { cell, input, hidden, .. } = *self;
        Shape { cell, input, hidden }
    }
}

/// The cell and the sizes of a layer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Shape {
    pub cell: Cell,
    /// `I`
    pub input: usize,
    /// `H`
    pub hidden: usize,
}

impl Shape {
    /// `K * H`, values of a state.
    pub const fn state(&self) -> usize {
        self.cell.states() * self.hidden
    }

    /// `G * H`, rows of the input weights.
    pub const fn rows(&self) -> usize {
        self.cell.gates() * self.hidden
    }

    /// Rows of the hidden weights.
    pub const fn hidden_rows(&self) -> usize {
        self.cell.hidden_gates() * self.hidden
    }
}

/// Weights of one layer and direction in PyTorch's layout, row-major. `G` is [`Cell::gates`], and
/// for the hidden weights [`Cell::hidden_gates`].
#[derive(Clone, Copy, Debug)]
pub struct Weights<'a> {
    /// `[G * H, I]`
    pub w_ih: &'a [f32],
    /// `[G * H, H]`
    pub w_hh: &'a [f32],
    /// `[G * H]`, or none for zero.
    pub b_ih: Option<&'a [f32]>,
    /// `[G * H]`, or none for zero.
    pub b_hh: Option<&'a [f32]>,
    /// Layer normalisation, or none.
    pub norm: Option<Norm<'a>>,
}

/// Layer normalisation (Ba et al., 1607.06450) of each gate on its own, separately for the part of
/// the input and the part of the state:
///
/// ```text
/// x W_g  becomes  gain_ih ⊙ (v − mean v) / √(var v + ε),  v = x W_g [H],  ε = 1e-5
/// h W_g  likewise, with gain_hh
/// ```
/// The biases are added afterwards.
#[derive(Clone, Copy, Debug)]
pub struct Norm<'a> {
    /// `[G * H]`
    pub gain_ih: &'a [f32],
    /// `[G * H]`
    pub gain_hh: &'a [f32],
}

/// ε of [`Norm`].
pub const NORM_EPSILON: f32 = 1e-5;

/// The shape of a batch of sequences, and the direction in which they are read. Everything is
/// time-major.
#[derive(Clone, Copy, Debug)]
pub struct Sequence<'a> {
    /// `T`, steps in the buffers.
    pub seq_len: usize,
    /// `B`, sequences in the batch.
    pub batch: usize,
    /// `[B]`: the valid steps of each sequence, at most `seq_len`; none: all are full. Outputs
    /// past a sequence's length are zero, and gradients of outputs there are ignored. What x
    /// holds there has no effect either, but a backward pass needs it to be finite.
    pub lengths: Option<&'a [usize]>,
    /// Run from the last valid step of each sequence to its first.
    pub reverse: bool,
}

/// What goes into a layer.
#[derive(Clone, Copy, Debug)]
pub struct Pass<'a> {
    /// The batch.
    pub seq: Sequence<'a>,
    /// `[T, B, I]`
    pub x: &'a [f32],
    /// `[B, K * H]`, or none for zeros. K is [`Cell::states`].
    pub h0: Option<&'a [f32]>,
    /// What is drawn while training.
    pub noise: Noise,
    /// Save only the states before every √T steps. The backward pass then recomputes the rest from
    /// them (gradient checkpointing; Chen et al., 1604.06174). The gradients are the same (those
    /// of the weights up to rounding), for the time of one more forward pass.
    pub recompute: bool,
}

/// What a forward pass writes.
#[derive(Debug)]
pub struct Output<'a> {
    /// `[T, B, H]`, overwritten.
    pub y: &'a mut [f32],
    /// `[B, K * H]`: the state of each sequence after its last step, overwritten. A sequence
    /// without steps keeps h0.
    pub last: Option<&'a mut [f32]>,
    /// What [`backward`](crate::backward) needs, [`Layer::saved_values`] values, overwritten:
    /// `[T, B, S, H]` with S = [`Layer::saved`], or `[windows, B, K * H]` for a pass that
    /// [recomputes](Pass::recompute).
    pub saved: Option<&'a mut [f32]>,
}

/// What a forward pass left, and the gradients that come back.
#[derive(Debug)]
pub struct Tape<'a> {
    /// `[T, B, H]`, as the forward pass wrote it.
    pub y: &'a [f32],
    /// [`Output::saved`], as the forward pass wrote it. Its content is lost.
    pub saved: &'a mut [f32],
    /// `[T, B, H]`: gradient with respect to y.
    pub dy: &'a [f32],
    /// `[B, K * H]`: gradient with respect to the states after the last steps, or none for zero.
    /// It must not repeat what `dy` already holds for those steps.
    pub dlast: Option<&'a [f32]>,
}

/// Gradients of a backward pass. Parameter gradients are added to (`+=`), the others are set (`=`).
#[derive(Debug)]
pub struct Gradients<'a> {
    /// `[T, B, I]`, set; none: not needed.
    pub dx: Option<&'a mut [f32]>,
    /// `[B, K * H]`, set; none: not needed.
    pub dh0: Option<&'a mut [f32]>,
    /// `[G * H, I]`, added to.
    pub dw_ih: &'a mut [f32],
    /// `[G * H, H]`, added to.
    pub dw_hh: &'a mut [f32],
    /// `[G * H]`, added to.
    pub db_ih: Option<&'a mut [f32]>,
    /// `[G * H]`, added to.
    pub db_hh: Option<&'a mut [f32]>,
    /// `[G * H]`, added to.
    pub dgain_ih: Option<&'a mut [f32]>,
    /// `[G * H]`, added to.
    pub dgain_hh: Option<&'a mut [f32]>,
}
