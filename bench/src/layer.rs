//! One GRU layer with its inputs, and the calls that are timed.
use anyhow::{Context, Result};
use gruvy_kernels::{
    Cell, Gradients, Isa, Noise, Output, Packed, Pass, Sequence, Tape, Weights, Workspace, backward,
};
use safetensors::{Dtype, SafeTensors, tensor::TensorView};
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

/// Parameters or their gradients, in PyTorch's layout.
struct Params {
    w_ih: Vec<f32>,
    w_hh: Vec<f32>,
    b_ih: Vec<f32>,
    b_hh: Vec<f32>,
}

impl Params {
    fn weights(&self) -> Weights<'_> {
        Weights {
            w_ih: &self.w_ih,
            w_hh: &self.w_hh,
            b_ih: Some(&self.b_ih),
            b_hh: Some(&self.b_hh),
            norm: None,
        }
    }

    fn layer(&self, [_, _, input, hidden]: [usize; 4]) -> gruvy_kernels::Layer<'_> {
        let weights = self.weights();
        gruvy_kernels::Layer { cell: Cell::Gru, input, hidden, zoneout: 0.0, weights }
    }

    fn zero(&mut self) {
        for v in [&mut self.w_ih, &mut self.w_hh, &mut self.b_ih, &mut self.b_hh] {
            v.fill(0.0);
        }
    }
}

/// A layer, its inputs, and the buffers of a call, set up once.
pub struct Layer {
    /// `[T, B, I, H]`
    sizes: [usize; 4],
    params: Params,
    packed: Packed,
    x: Vec<f32>,
    h0: Vec<f32>,
    dy: Vec<f32>,
    y: Vec<f32>,
    saved: Vec<f32>,
    dx: Vec<f32>,
    grads: Params,
    workspace: Workspace,
}

impl Layer {
    /// Reads a case of the driver: `x [T, B, I]`, `h0 [1, B, H]`, `dy [T, B, H]` and the parameters.
    pub fn read(file: &Path) -> Result<Self> {
        let bytes = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
        let tensors = SafeTensors::deserialize(&bytes)?;
        let get = |name: &str| -> Result<Vec<f32>> {
            let bytes = tensors.tensor(name)?.data();
            Ok(bytes.chunks_exact(4).map(bytemuck::pod_read_unaligned).collect())
        };
        let (x, dy) = (tensors.tensor("x")?, tensors.tensor("dy")?);
        let sizes = [x.shape()[0], x.shape()[1], x.shape()[2], dy.shape()[2]];
        let [t, b, i, h] = sizes;
        let params = Params {
            w_ih: get("weight_ih_l0")?,
            w_hh: get("weight_hh_l0")?,
            b_ih: get("bias_ih_l0")?,
            b_hh: get("bias_hh_l0")?,
        };
        let grads = Params {
            w_ih: vec![0.0; 3 * h * i],
            w_hh: vec![0.0; 3 * h * h],
            b_ih: vec![0.0; 3 * h],
            b_hh: vec![0.0; 3 * h],
        };
        Ok(Self {
            sizes,
            packed: Packed::new(&params.layer(sizes)),
            params,
            x: get("x")?,
            h0: get("h0")?,
            dy: get("dy")?,
            y: vec![0.0; t * b * h],
            saved: vec![0.0; t * b * Cell::Gru.saved() * h],
            dx: vec![0.0; t * b * i],
            grads,
            workspace: Workspace::new(),
        })
    }

    /// One call: what is timed.
    pub fn run(&mut self, mode: Mode) {
        let [seq_len, batch, ..] = self.sizes;
        let seq = Sequence { seq_len, batch, lengths: None, reverse: false };
        let layer = self.params.layer(self.sizes);
        if mode != Mode::Infer {
            self.packed.repack(&layer);
        }
        let saved = (mode == Mode::Train).then_some(&mut self.saved[..]);
        let pass = Pass { seq, x: &self.x, h0: Some(&self.h0), noise: Noise::default() };
        let output = Output { y: &mut self.y, last: None, saved };
        self.packed.forward(&pass, output, &mut self.workspace);
        if mode != Mode::Train {
            return;
        }
        self.grads.zero();
        let grads = Gradients {
            dx: Some(&mut self.dx),
            dh0: None,
            dw_ih: &mut self.grads.w_ih,
            dw_hh: &mut self.grads.w_hh,
            db_ih: Some(&mut self.grads.b_ih),
            db_hh: Some(&mut self.grads.b_hh),
            dgain_ih: None,
            dgain_hh: None,
        };
        let tape = Tape { y: &self.y, saved: &mut self.saved, dy: &self.dy, dlast: None };
        backward(Isa::best(), &layer, &pass, tape, grads, &mut self.workspace);
    }

    /// Runs one call and writes what it computed, for the driver to compare.
    pub fn answer(&mut self, mode: Mode, file: &Path) -> Result<()> {
        self.run(mode);
        let [t, b, i, h] = self.sizes;
        let mut out = vec![("output", vec![t, b, h], &self.y)];
        if mode == Mode::Train {
            let g = &self.grads;
            out.extend([
                ("grad.x", vec![t, b, i], &self.dx),
                ("grad.weight_ih_l0", vec![3 * h, i], &g.w_ih),
                ("grad.weight_hh_l0", vec![3 * h, h], &g.w_hh),
                ("grad.bias_ih_l0", vec![3 * h], &g.b_ih),
                ("grad.bias_hh_l0", vec![3 * h], &g.b_hh),
            ]);
        }
        let views = out
            .into_iter()
            .map(|(name, shape, data)| {
                Ok((name, TensorView::new(Dtype::F32, shape, bytemuck::cast_slice(data))?))
            })
            .collect::<Result<Vec<_>>>()?;
        Ok(safetensors::serialize_to_file(views, None, file)?)
    }
}
