//! The kernels' calls that a trace needs: one layer and direction, one step at a time.
use gruvy_kernels::{
    self as kernels, Cell, Gradients, Isa, Noise, Norm, Output, Packed, Pass, Sequence, Tape,
    Weights, Workspace,
};
use gruvy_runtime::model::ModelFile;

/// One layer and direction of a model file.
pub(super) struct Layer<'m> {
    pub cell: Cell,
    pub input: usize,
    pub hidden: usize,
    pub reverse: bool,
    layer: kernels::Layer<'m>,
}

/// What a layer did over a sequence, step by step.
#[derive(Clone, Debug)]
pub(super) struct Record {
    /// `[T, I]`
    pub x: Vec<f32>,
    /// `[T, H]`
    pub y: Vec<f32>,
    /// `[T, K·H]`, the state that each step began with.
    pub before: Vec<f32>,
    /// `[T, S, H]`, S = [`Layer::saved`], what the kernels save for their backward pass.
    pub saved: Vec<f32>,
}

/// Some steps of a record side by side, as the rows of one backward pass.
#[derive(Default)]
struct Rows {
    x: Vec<f32>,
    y: Vec<f32>,
    before: Vec<f32>,
    saved: Vec<f32>,
}

/// One step of `x [P, I]` from states `h0 [P, K·H]`, P rows side by side.
fn one_step<'a>(batch: usize, x: &'a [f32], h0: &'a [f32]) -> Pass<'a> {
    let seq = Sequence { seq_len: 1, batch, lengths: None, reverse: false };
    Pass { seq, x, h0: Some(h0), noise: Noise::default(), recompute: false }
}

impl<'m> Layer<'m> {
    /// Every layer and direction of a checked model, in the order of its state.
    pub fn all(model: &'m ModelFile) -> Vec<Self> {
        let rnn = &model.spec.rnn;
        let one = |layer: usize, reverse: bool| {
            let suffix = if reverse { "_reverse" } else { "" };
            let part = |name: &str| {
                let tensor = model.tensors.get(&format!("rnn.{name}_l{layer}{suffix}"));
                tensor.map(|tensor| tensor.data.as_slice())
            };
            let weights = Weights {
                w_ih: part("weight_ih").unwrap_or_default(),
                w_hh: part("weight_hh").unwrap_or_default(),
                b_ih: part("bias_ih"),
                b_hh: part("bias_hh"),
                norm: part("gain_ih")
                    .map(|gain_ih| Norm { gain_ih, gain_hh: part("gain_hh").unwrap_or_default() }),
            };
            let (cell, input, hidden) = (rnn.cell, rnn.layer_input(layer), rnn.hidden_size);
            let zoneout = rnn.zoneout as f32;
            let layer = kernels::Layer { cell, input, hidden, zoneout, weights };
            Self { cell, input, hidden, reverse, layer }
        };
        let directions = rnn.directions();
        (0..rnn.num_layers * directions).map(|i| one(i / directions, i % directions == 1)).collect()
    }

    /// `K·H`, values of a state.
    pub fn state(&self) -> usize {
        self.cell.states() * self.hidden
    }

    /// The share of its state that a unit keeps whatever its gates say.
    pub fn zoneout(&self) -> f64 {
        f64::from(self.layer.zoneout)
    }

    /// `S`, blocks that the kernels save.
    pub fn saved(&self) -> usize {
        self.layer.saved(&Noise::default())
    }

    /// Runs over `x [T, I]` from a state of zeros, one step at a time, so that the state before
    /// each step is known.
    pub fn run(&self, x: Vec<f32>) -> Record {
        let (input, hidden, size) = (self.input, self.hidden, self.saved() * self.hidden);
        let steps = x.len() / input;
        let packed = Packed::new(&self.layer);
        let mut ws = Workspace::new();
        let mut state = vec![0.0; self.state()];
        let mut record = Record {
            y: vec![0.0; steps * hidden],
            before: vec![0.0; steps * self.state()],
            saved: vec![0.0; steps * size],
            x,
        };
        for i in 0..steps {
            let t = if self.reverse { steps - 1 - i } else { i };
            record.before[t * state.len()..][..state.len()].copy_from_slice(&state);
            let x = &record.x[t * input..][..input];
            let y = &mut record.y[t * hidden..][..hidden];
            let saved = &mut record.saved[t * size..][..size];
            let mut last = vec![0.0; state.len()];
            let output = Output { y, last: Some(&mut last), saved: Some(saved) };
            packed.forward(&one_step(1, x, &state), output, &mut ws);
            state = last;
        }
        record
    }

    /// Takes the gradient `d_state [P, K·H]` of the state after step `steps[p]` of row p, and `dy
    /// [P, H]` of the output there, back to the state before that step (in place) and to what
    /// entered it (`dx [P, I]`).
    pub fn back(
        &self,
        record: &Record,
        steps: &[usize],
        (dy, d_state, dx): (&[f32], &mut [f32], &mut [f32]),
        ws: &mut Workspace,
    ) {
        let mut rows = Rows::default();
        let take = |to: &mut Vec<f32>, from: &[f32], t: usize, size: usize| {
            to.extend_from_slice(&from[t * size..][..size]);
        };
        for &t in steps {
            take(&mut rows.x, &record.x, t, self.input);
            take(&mut rows.y, &record.y, t, self.hidden);
            take(&mut rows.before, &record.before, t, self.state());
            // A copy: the backward pass uses it up.
            take(&mut rows.saved, &record.saved, t, self.saved() * self.hidden);
        }
        let dlast = d_state.to_vec();
        // Gradients of the weights come with the call; nobody wants them here.
        let Weights { w_ih, w_hh, .. } = self.layer.weights;
        let (mut dw_ih, mut dw_hh) = (vec![0.0; w_ih.len()], vec![0.0; w_hh.len()]);
        let grads = Gradients {
            dx: Some(dx),
            dh0: Some(d_state),
            dw_ih: &mut dw_ih,
            dw_hh: &mut dw_hh,
            db_ih: None,
            db_hh: None,
            dgain_ih: None,
            dgain_hh: None,
        };
        let tape = Tape { y: &rows.y, saved: &mut rows.saved, dy, dlast: Some(&dlast) };
        let pass = one_step(steps.len(), &rows.x, &rows.before);
        kernels::backward(Isa::best(), &self.layer, &pass, tape, grads, ws);
    }
}
