//! Sizes, options and buffers that every kernel call shares.

/// The recurrence that a layer runs.
///
/// ```text
/// Gru    r = σ(x W_ir + b_ir + h W_hr + b_hr)      z likewise
///        n = tanh(x W_in + b_in + r ⊙ (h W_hn + b_hn))      h' = (1 − z) ⊙ n + z ⊙ h
/// GruV3  n = tanh(x W_in + b_in + (r ⊙ h) W_hn + b_hn)
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Cell {
    /// GRU with the reset gate after the product (PyTorch, cuDNN; Cho et al., 1406.1078v1).
    Gru,
    /// GRU with the reset gate before the product (Cho et al., 1406.1078v3; ONNX's default).
    GruV3,
}

impl Cell {
    /// Every cell.
    pub const ALL: [Self; 2] = [Cell::Gru, Cell::GruV3];

    /// Gates, in PyTorch's order r, z, n: the weights have `gates() * hidden` rows.
    pub const fn gates(self) -> usize {
        match self {
            Cell::Gru | Cell::GruV3 => 3,
        }
    }

    /// The name used on the command line and in model files.
    pub const fn name(self) -> &'static str {
        match self {
            Cell::Gru => "gru",
            Cell::GruV3 => "gru-v3",
        }
    }

    /// The cell of that [name](Cell::name).
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|cell| cell.name() == name)
    }

    /// Values saved for the backward pass, per step, row and hidden unit.
    pub const fn saved(self) -> usize {
        match self {
            Cell::Gru | Cell::GruV3 => 4,
        }
    }
}

/// Weights of one layer and direction in PyTorch's layout, row-major. `G` is [`Cell::gates`].
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
}

/// The shape of a batch of sequences and the way through it. Everything is time-major.
#[derive(Clone, Copy, Debug)]
pub struct Sequence<'a> {
    /// `T`, steps in the buffers.
    pub seq_len: usize,
    /// `B`, sequences side by side.
    pub batch: usize,
    /// `[B]` valid steps of each sequence, each at most `seq_len`; none: all are full. Outputs past
    /// a sequence's length are zero, and gradients of outputs there are ignored. What x holds there changes
    /// nothing either, but a backward pass needs it finite.
    pub lengths: Option<&'a [usize]>,
    /// Run from the last valid step of each sequence to its first.
    pub reverse: bool,
}

/// Gradients of a backward pass. Parameter gradients add up (`+=`), the others are set (`=`).
#[derive(Debug)]
pub struct Gradients<'a> {
    /// `[T, B, I]`, set; none: not needed.
    pub dx: Option<&'a mut [f32]>,
    /// `[B, H]`, set; none: not needed.
    pub dh0: Option<&'a mut [f32]>,
    /// `[G * H, I]`, added to.
    pub dw_ih: &'a mut [f32],
    /// `[G * H, H]`, added to.
    pub dw_hh: &'a mut [f32],
    /// `[G * H]`, added to.
    pub db_ih: Option<&'a mut [f32]>,
    /// `[G * H]`, added to.
    pub db_hh: Option<&'a mut [f32]>,
}
