//! One recurrent layer with made-up contents, and the calls that are timed.

use super::shape::{Shape, Work};
use gruvy_kernels::{
    Cell, Gradients, Isa, Layer, Noise, Output, Packed, Pass, Sequence, Tape, Weights, Workspace,
    backward,
};

/// Parameters or their gradients, in PyTorch's layout.
struct Params {
    w_ih: Vec<f32>,
    w_hh: Vec<f32>,
    b_ih: Vec<f32>,
    b_hh: Vec<f32>,
}

/// A layer, its inputs, and the buffers of a call, set up once.
pub(super) struct Bench {
    cell: Cell,
    shape: Shape,
    params: Params,
    grads: Params,
    packed: Packed,
    /// `[T, B, I]`
    x: Vec<f32>,
    /// `[T, B, H]`
    dy: Vec<f32>,
    y: Vec<f32>,
    saved: Vec<f32>,
    dx: Vec<f32>,
    /// `[B, K * H]`, of [`Work::Step`].
    state: Vec<f32>,
    workspace: Workspace,
}

impl Bench {
    pub fn new(cell: Cell, shape: Shape) -> Self {
        let Shape { batch, seq_len, input, hidden, .. } = shape;
        let (rows, hidden_rows) = (cell.gates() * hidden, cell.hidden_gates() * hidden);
        let steps = seq_len * batch;
        let scale = (hidden as f32).sqrt().recip();
        let params = Params {
            w_ih: values(rows * input, scale),
            w_hh: values(hidden_rows * hidden, scale),
            b_ih: values(rows, scale),
            b_hh: values(hidden_rows, scale),
        };
        let grads = Params {
            w_ih: vec![0.0; rows * input],
            w_hh: vec![0.0; hidden_rows * hidden],
            b_ih: vec![0.0; rows],
            b_hh: vec![0.0; hidden_rows],
        };
        let layer = params.layer(cell, shape);
        let (packed, saved) = (Packed::new(&layer), layer.saved(&Noise::default()));
        Self {
            cell,
            shape,
            grads,
            packed,
            x: values(steps * input, 1.0),
            dy: values(steps * hidden, 1.0),
            y: vec![0.0; steps * hidden],
            saved: vec![0.0; steps * hidden * saved],
            dx: vec![0.0; steps * input],
            state: vec![0.0; batch * cell.states() * hidden],
            workspace: Workspace::new(),
            params,
        }
    }

    pub fn run(&mut self, work: Work) {
        match work {
            Work::Step => {
                let x = &self.x[..self.shape.batch * self.shape.input];
                self.packed.step(self.shape.batch, x, &mut self.state, &mut self.workspace);
            }
            Work::Forward => {
                let output = Output { y: &mut self.y, last: None, saved: None };
                self.packed.forward(&pass(self.shape, &self.x), output, &mut self.workspace);
            }
            Work::Train => self.train(),
        }
    }

    /// Forward and backward to the gradients of x and of all parameters, from plain weights.
    fn train(&mut self) {
        let layer = self.params.layer(self.cell, self.shape);
        let pass = pass(self.shape, &self.x);
        self.packed.repack(&layer);
        let output = Output { y: &mut self.y, last: None, saved: Some(&mut self.saved) };
        self.packed.forward(&pass, output, &mut self.workspace);
        let Params { w_ih, w_hh, b_ih, b_hh } = &mut self.grads;
        [&mut *w_ih, w_hh, b_ih, b_hh].into_iter().for_each(|grad| grad.fill(0.0));
        let grads = Gradients {
            dx: Some(&mut self.dx),
            dh0: None,
            dw_ih: w_ih,
            dw_hh: w_hh,
            db_ih: Some(b_ih),
            db_hh: Some(b_hh),
            dgain_ih: None,
            dgain_hh: None,
        };
        let tape = Tape { y: &self.y, saved: &mut self.saved, dy: &self.dy, dlast: None };
        backward(Isa::best(), &layer, &pass, tape, grads, &mut self.workspace);
    }
}

impl Params {
    fn layer(&self, cell: Cell, shape: Shape) -> Layer<'_> {
        let Self { w_ih, w_hh, b_ih, b_hh } = self;
        let weights = Weights { w_ih, w_hh, b_ih: Some(b_ih), b_hh: Some(b_hh), norm: None };
        Layer { cell, input: shape.input, hidden: shape.hidden, zoneout: 0.0, weights }
    }
}

fn pass(shape: Shape, x: &[f32]) -> Pass<'_> {
    let Shape { batch, seq_len, .. } = shape;
    let seq = Sequence { seq_len, batch, lengths: None, reverse: false };
    Pass { seq, x, h0: None, noise: Noise::default(), recompute: false }
}

/// Irregular values within ±`scale`.
pub(super) fn values(len: usize, scale: f32) -> Vec<f32> {
    let mut state = 1u32;
    let mut value = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        ((state >> 8) as f32 / (1 << 23) as f32 - 1.0) * scale
    };
    (0..len).map(|_| value()).collect()
}
