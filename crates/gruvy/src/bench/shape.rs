//! What is measured.
use gruvy_kernels::Cell;
use serde::Serialize;

/// Sizes of a layer and its input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Shape {
    /// What it is called.
    pub name: &'static str,
    /// B, sequences.
    pub batch: usize,
    /// T, steps.
    pub seq_len: usize,
    /// I, features of the input.
    pub input: usize,
    /// H, hidden units.
    pub hidden: usize,
}

impl Shape {
    /// The shapes that people meet, from a small model of a series to a large one, and a single
    /// step of a session.
    pub const ALL: [Self; 6] = [
        Self::new("series", [64, 168, 16, 64]),
        Self::new("small", [32, 100, 64, 128]),
        Self::new("charlm", [64, 128, 128, 512]),
        Self::new("long", [16, 1000, 32, 256]),
        Self::new("large", [128, 64, 1024, 1024]),
        Self::new("step", [1, 1, 64, 256]),
    ];

    pub(super) const fn new(
        name: &'static str,
        [batch, seq_len, input, hidden]: [usize; 4],
    ) -> Self {
        Self { name, batch, seq_len, input, hidden }
    }

    /// The shape of [`Shape::ALL`] with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|shape| shape.name == name)
    }

    /// What is measured at this shape: a lone step is nothing to train on.
    pub(super) fn work(&self) -> &'static [Work] {
        match self.seq_len {
            1 => &[Work::Step],
            _ => &[Work::Forward, Work::Train],
        }
    }
}

/// What one call does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Work {
    /// One step of a session, weights packed beforehand, on one thread.
    Step,
    /// All steps, weights packed beforehand.
    Forward,
    /// Forward and backward to the gradients of x and all parameters, from plain weights.
    Train,
}

impl Work {
    /// The name in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Step => "step",
            Self::Forward => "forward",
            Self::Train => "train",
        }
    }

    /// Floating-point operations of one call, those of the products only.
    pub(super) fn flops(self, cell: Cell, shape: &Shape) -> f64 {
        let Shape { batch, seq_len, input, hidden, .. } = *shape;
        let products = cell.gates() * input + cell.hidden_gates() * hidden;
        let passes = if self == Self::Train { 3 } else { 1 };
        2.0 * (passes * seq_len * batch) as f64 * (hidden * products) as f64
    }
}
