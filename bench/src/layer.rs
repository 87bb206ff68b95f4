//! One recurrent layer with its inputs, and the calls that are timed.
use crate::work::{Work, save};
use anyhow::{Context, Result, bail};
use gruvy_kernels::{
    self as kernels, Cell, Dropout, Gradients, Isa, Noise, Norm, Output, Packed, Pass, Sequence,
    Tape, Weights, Workspace, backward,
};
use safetensors::SafeTensors;
use serde::{Deserialize, Serialize};
use std::{fs, path::Path};

/// What one call does.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Forward from plain weights: they are packed in the call.
    Forward,
    /// Forward with weights packed beforehand, as in a session.
    Infer,
    /// Forward that saves, and backward with dx: the weights are packed in the call.
    Train,
}

impl Mode {
    pub const ALL: [Self; 3] = [Self::Forward, Self::Infer, Self::Train];
}

/// What regularises the layer while training, with the rates that people use.
#[derive(Clone, Copy, Default, PartialEq)]
pub struct Regular {
    dropout: f32,
    input_dropout: f32,
    recurrent_dropout: f32,
    candidate_dropout: f32,
    zoneout: f32,
    weight_dropout: f32,
    layer_norm: bool,
    recompute: bool,
}

impl Regular {
    pub fn from_name(name: &str) -> Result<Self> {
        let none = Self::default();
        Ok(match name {
            "" => none,
            "dropout" => Self { dropout: 0.5, ..none },
            "input_dropout" => Self { input_dropout: 0.25, ..none },
            "recurrent_dropout" => Self { recurrent_dropout: 0.25, ..none },
            "candidate_dropout" => Self { candidate_dropout: 0.25, ..none },
            "zoneout" => Self { zoneout: 0.1, ..none },
            "weight_dropout" => Self { weight_dropout: 0.5, ..none },
            "recompute" => Self { recompute: true, ..none },
            "layer_norm" => Self { layer_norm: true, ..none },
            other => bail!("unknown regulariser {other}"),
        })
    }
}

/// Parameters or their gradients, in PyTorch's layout.
struct Params {
    w_ih: Vec<f32>,
    w_hh: Vec<f32>,
    b_ih: Vec<f32>,
    b_hh: Vec<f32>,
    gain_ih: Vec<f32>,
    gain_hh: Vec<f32>,
}

impl Params {
    fn all(&mut self) -> [&mut Vec<f32>; 6] {
        let Self { w_ih, w_hh, b_ih, b_hh, gain_ih, gain_hh } = self;
        [w_ih, w_hh, b_ih, b_hh, gain_ih, gain_hh]
    }

    /// The layer, with hidden weights of choice.
    fn layer<'a>(&'a self, of: &Layer, w_hh: &'a [f32]) -> kernels::Layer<'a> {
        let norm = Norm { gain_ih: &self.gain_ih, gain_hh: &self.gain_hh };
        let weights = Weights {
            w_ih: &self.w_ih,
            w_hh,
            b_ih: Some(&self.b_ih),
            b_hh: (!w_hh.is_empty()).then_some(&self.b_hh[..]),
            norm: of.regular.layer_norm.then_some(norm),
        };
        let [_, _, input, hidden] = of.sizes;
        kernels::Layer { cell: of.cell, input, hidden, zoneout: of.regular.zoneout, weights }
    }
}

/// A layer, its inputs, and the buffers of a call, set up once.
pub struct Layer {
    cell: Cell,
    regular: Regular,
    /// `[T, B, I, H]`
    sizes: [usize; 4],
    x: Vec<f32>,
    h0: Vec<f32>,
    dy: Vec<f32>,
}

/// What a call writes.
pub struct Buffers {
    params: Params,
    packed: Packed,
    y: Vec<f32>,
    saved: Vec<f32>,
    dx: Vec<f32>,
    grads: Params,
    /// x and w_hh with their masks.
    masked_x: Vec<f32>,
    masked_w_hh: Vec<f32>,
    workspace: Workspace,
}

impl Layer {
    /// Reads a case of the driver: `x [T, B, I]`, `h0 [1, B, K * H]`, `dy [T, B, H]` and the
    /// parameters.
    pub fn read(cell: Cell, regular: Regular, file: &Path) -> Result<(Self, Buffers)> {
        let bytes = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
        let tensors = SafeTensors::deserialize(&bytes)?;
        let get = |name: &str| -> Result<Vec<f32>> {
            let bytes = tensors.tensor(name)?.data();
            Ok(bytes.chunks_exact(4).map(bytemuck::pod_read_unaligned).collect())
        };
        let some = |name: &str| if cell.hidden_gates() > 0 { get(name) } else { Ok(Vec::new()) };
        let (x, dy) = (tensors.tensor("x")?, tensors.tensor("dy")?);
        let sizes = [x.shape()[0], x.shape()[1], x.shape()[2], dy.shape()[2]];
        let [t, b, i, h] = sizes;
        let params = Params {
            w_ih: get("weight_ih_l0")?,
            w_hh: some("weight_hh_l0")?,
            b_ih: get("bias_ih_l0")?,
            b_hh: some("bias_hh_l0")?,
            gain_ih: vec![1.0; cell.gates() * h],
            gain_hh: vec![1.0; cell.hidden_gates() * h],
        };
        let zeros = |v: &[f32]| vec![0.0; v.len()];
        let grads = Params {
            w_ih: zeros(&params.w_ih),
            w_hh: zeros(&params.w_hh),
            b_ih: zeros(&params.b_ih),
            b_hh: zeros(&params.b_hh),
            gain_ih: zeros(&params.gain_ih),
            gain_hh: zeros(&params.gain_hh),
        };
        let layer = Self { cell, regular, sizes, x: get("x")?, h0: get("h0")?, dy: get("dy")? };
        let kernel = params.layer(&layer, &params.w_hh);
        let buffers = Buffers {
            packed: Packed::new(&kernel),
            y: vec![0.0; t * b * h],
            saved: vec![0.0; kernel.saved_values(&layer.pass(true))],
            dx: vec![0.0; t * b * i],
            grads,
            masked_x: zeros(&layer.x),
            masked_w_hh: zeros(&params.w_hh),
            workspace: Workspace::new(),
            params,
        };
        Ok((layer, buffers))
    }

    /// What goes into a call.
    fn pass(&self, train: bool) -> Pass<'_> {
        let [seq_len, batch, ..] = self.sizes;
        let seq = Sequence { seq_len, batch, lengths: None, reverse: false };
        let Regular { recurrent_dropout, candidate_dropout, zoneout, recompute, .. } = self.regular;
        let drawn = recurrent_dropout + candidate_dropout + zoneout > 0.0;
        let seed = (train && drawn).then_some(1);
        let noise = Noise { seed, recurrent_dropout, candidate_dropout };
        Pass { seq, x: &self.x, h0: Some(&self.h0), noise, recompute: train && recompute }
    }

    /// The masks over x, and the one over the hidden weights.
    fn drops(&self) -> [Option<Dropout>; 3] {
        let [_, batch, input, _] = self.sizes;
        let Regular { dropout, input_dropout, weight_dropout, .. } = self.regular;
        let drop = |rate, period| (rate > 0.0).then_some(Dropout { rate, seed: 1, period });
        [drop(dropout, None), drop(input_dropout, Some(batch * input)), drop(weight_dropout, None)]
    }

    fn run(&self, to: &mut Buffers, mode: Mode) {
        let train = mode == Mode::Train;
        let [dropout, input_dropout, weight_dropout] =
            self.drops().map(|drop| drop.filter(|_| train));
        let (mut x, mut w_hh) = (&self.x[..], &to.params.w_hh[..]);
        if let Some(drop) = dropout.or(input_dropout) {
            to.masked_x.copy_from_slice(x);
            drop.apply(&mut to.masked_x);
            x = &to.masked_x;
        }
        if let Some(drop) = weight_dropout {
            to.masked_w_hh.copy_from_slice(w_hh);
            drop.apply(&mut to.masked_w_hh);
            w_hh = &to.masked_w_hh;
        }
        let layer = to.params.layer(self, w_hh);
        if mode != Mode::Infer {
            to.packed.repack(&layer);
        }
        let pass = Pass { x, ..self.pass(train) };
        let saved = train.then_some(&mut to.saved[..]);
        to.packed.forward(&pass, Output { y: &mut to.y, last: None, saved }, &mut to.workspace);
        if !train {
            return;
        }
        to.grads.all().into_iter().for_each(|v| v.fill(0.0));
        let hidden = !w_hh.is_empty();
        let normed = self.regular.layer_norm;
        let grads = Gradients {
            dx: Some(&mut to.dx),
            dh0: None,
            dw_ih: &mut to.grads.w_ih,
            dw_hh: &mut to.grads.w_hh,
            db_ih: Some(&mut to.grads.b_ih),
            db_hh: hidden.then_some(&mut to.grads.b_hh),
            dgain_ih: normed.then_some(&mut to.grads.gain_ih),
            dgain_hh: normed.then_some(&mut to.grads.gain_hh),
        };
        let tape = Tape { y: &to.y, saved: &mut to.saved, dy: &self.dy, dlast: None };
        backward(Isa::best(), &layer, &pass, tape, grads, &mut to.workspace);
        dropout.or(input_dropout).iter().for_each(|drop| drop.apply(&mut to.dx));
        weight_dropout.iter().for_each(|drop| drop.apply(&mut to.grads.w_hh));
    }

    fn answer(&self, to: &mut Buffers, mode: Mode, file: &Path) -> Result<()> {
        self.run(to, mode);
        let [t, b, i, h] = self.sizes;
        let rows = self.cell.gates() * h;
        let mut out = vec![("output", vec![t, b, h], &to.y)];
        if mode == Mode::Train {
            let g = &to.grads;
            out.extend([
                ("grad.x", vec![t, b, i], &to.dx),
                ("grad.weight_ih_l0", vec![rows, i], &g.w_ih),
                ("grad.bias_ih_l0", vec![rows], &g.b_ih),
            ]);
            if self.cell.hidden_gates() > 0 {
                let rows = self.cell.hidden_gates() * h;
                out.push(("grad.weight_hh_l0", vec![rows, h], &g.w_hh));
                out.push(("grad.bias_hh_l0", vec![rows], &g.b_hh));
            }
        }
        save(out, file)
    }
}

impl Work for (Layer, Buffers) {
    fn run(&mut self, mode: Mode) {
        self.0.run(&mut self.1, mode);
    }

    fn answer(&mut self, mode: Mode, file: &Path) -> Result<()> {
        self.0.answer(&mut self.1, mode, file)
    }
}
