//! Against PyTorch: every single-layer case of `testdata/golden` (see the README there). The `f64` reference
//! within the files' own rounding; the kernels on every instruction set of the machine, forward within 1e-5 and
//! gradients within 1e-4 of each tensor's largest magnitude. Scratch and outputs are dirty on entry.
#![allow(clippy::unwrap_used)] // A failed step fails the test.

use gruvy_kernels::reference::{self, Params, Setup};
use gruvy_kernels::{
    Cell, Gradients, Isa, Layer, Noise, Norm, Output, Packed, Pass, Sequence, Tape, Weights,
    Workspace, backward,
};
use safetensors::{Dtype, SafeTensors};
use std::{collections::BTreeMap, fs, path::Path};

/// Parameters of a layer and direction, in this order everywhere below.
const KINDS: [&str; 6] = ["weight_ih", "weight_hh", "bias_ih", "bias_hh", "gain_ih", "gain_hh"];

/// One file of golden vectors.
struct Golden {
    name: String,
    cell: Cell,
    layers: u64,
    bidirectional: bool,
    ragged: bool,
    zoneout: f32,
    noise: Noise,
    tensors: BTreeMap<String, Vec<f32>>,
    lengths: Vec<usize>,
    /// `[T, B, I, H]`
    sizes: [usize; 4],
}

impl Golden {
    fn read(path: &Path) -> Self {
        let bytes = fs::read(path).unwrap();
        let (_, header) = SafeTensors::read_metadata(&bytes).unwrap();
        let json = &header.metadata().as_ref().unwrap()["golden"];
        let meta: serde_json::Value = serde_json::from_str(json).unwrap();
        let size = |key: &str| meta[key].as_u64().unwrap() as usize;
        let rate = |key: &str| meta[key].as_f64().unwrap_or(0.0) as f32;
        let (mut tensors, mut lengths) = (BTreeMap::new(), Vec::new());
        for (name, view) in SafeTensors::deserialize(&bytes).unwrap().tensors() {
            let data = view.data();
            if view.dtype() == Dtype::F32 {
                let floats =
                    data.chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().unwrap()));
                tensors.insert(name, floats.collect());
            } else {
                let longs = data.chunks_exact(8).map(|b| i64::from_le_bytes(b.try_into().unwrap()));
                lengths = longs.map(|n| n as usize).collect();
            }
        }
        Self {
            name: meta["name"].as_str().unwrap().to_owned(),
            cell: Cell::from_name(meta["cell"].as_str().unwrap()).unwrap(),
            layers: meta["num_layers"].as_u64().unwrap(),
            bidirectional: meta["bidirectional"].as_bool().unwrap(),
            ragged: !meta["lengths"].is_null(),
            zoneout: rate("zoneout"),
            noise: Noise {
                seed: meta["noise_seed"].as_u64(),
                recurrent_dropout: rate("recurrent_dropout"),
            },
            tensors,
            lengths,
            sizes: ["seq_len", "batch", "input_size", "hidden_size"].map(size),
        }
    }

    fn get(&self, name: &str) -> &[f32] {
        self.tensors.get(name).unwrap_or_else(|| panic!("{}: no tensor {name}", self.name))
    }

    /// One of the directions, forward or reverse.
    fn direction(&self, index: usize) -> Direction<'_> {
        let [t, b, _, h] = self.sizes;
        let suffix = if index == 1 { "_reverse" } else { "" };
        let names = KINDS.map(|kind| format!("{kind}_l0{suffix}"));
        let params = names.each_ref().map(|name| self.tensors.get(name).map_or(&[][..], |v| v));
        let lengths = self.ragged.then_some(&self.lengths[..]);
        let seq = Sequence { seq_len: t, batch: b, lengths, reverse: index == 1 };
        let width = self.cell.states() * h;
        let state = |name| &self.get(name)[index * b * width..][..b * width];
        // The directions' columns lie side by side.
        let directions = if self.bidirectional { 2 } else { 1 };
        let columns = |name| {
            let rows = self.get(name).chunks_exact(directions * h);
            rows.flat_map(|row| &row[index * h..][..h]).copied().collect()
        };
        let answer = Answer {
            y: columns("output"),
            last: state("h_n").to_vec(),
            dh0: state("grad.h0").to_vec(),
            params: names
                .each_ref()
                .map(|name| self.tensors.get(&format!("grad.{name}")).cloned().unwrap_or_default()),
            dx: vec![],
        };
        let (x, h0, dy, dlast) = (self.get("x"), state("h0"), columns("dy"), state("dh_n"));
        Direction { golden: self, params, seq, x, h0, dy, dlast, answer }
    }

    /// Compares all answers of `run`; tolerances are those of outputs and of gradients.
    fn check(&self, tolerances: [f32; 2], mut run: impl FnMut(&Direction<'_>) -> Answer) {
        let [outputs, gradients] = tolerances;
        let mut dx = vec![0.0; self.get("x").len()];
        for index in 0..=usize::from(self.bidirectional) {
            let direction = self.direction(index);
            let (got, want) = (run(&direction), &direction.answer);
            self.close("output", &got.y, &want.y, outputs);
            self.close("last state", &got.last, &want.last, outputs);
            self.close("dh0", &got.dh0, &want.dh0, gradients);
            for ((kind, got), want) in KINDS.iter().zip(&got.params).zip(&want.params) {
                self.close(kind, got, want, gradients);
            }
            dx.iter_mut().zip(got.dx).for_each(|(sum, d)| *sum += d);
        }
        self.close("dx", &dx, self.get("grad.x"), gradients);
    }

    fn close(&self, what: &str, got: &[f32], want: &[f32], tolerance: f32) {
        assert_eq!(got.len(), want.len(), "{} {what}: length", self.name);
        let scale = want.iter().fold(0.0, |m: f32, v| m.max(v.abs()));
        for (i, (got, want)) in got.iter().zip(want).enumerate() {
            let error = (got - want).abs();
            assert!(error <= tolerance * scale, "{} {what}[{i}]: {got}, PyTorch {want}", self.name);
        }
    }
}

/// What goes into one direction, and what must come out.
struct Direction<'a> {
    golden: &'a Golden,
    /// Empty where the layer has none.
    params: [&'a [f32]; 6],
    seq: Sequence<'a>,
    x: &'a [f32],
    h0: &'a [f32],
    dy: Vec<f32>,
    dlast: &'a [f32],
    /// All but dx, which is the directions' sum.
    answer: Answer,
}

#[derive(Default)]
struct Answer {
    y: Vec<f32>,
    last: Vec<f32>,
    dx: Vec<f32>,
    dh0: Vec<f32>,
    params: [Vec<f32>; 6],
}

fn wide(v: &[f32]) -> Vec<f64> {
    v.iter().map(|v| f64::from(*v)).collect()
}

fn narrow(v: Vec<f64>) -> Vec<f32> {
    v.into_iter().map(|v| v as f32).collect()
}

fn by_reference(d: &Direction<'_>) -> Answer {
    let [_, _, input, hidden] = d.golden.sizes;
    let Golden { cell, noise, zoneout, .. } = *d.golden;
    let setup = Setup { cell, seq: d.seq, input, hidden, zoneout: f64::from(zoneout), noise };
    let [w_ih, w_hh, b_ih, b_hh, gain_ih, gain_hh] = d.params.map(wide);
    let p = Params { w_ih, w_hh, b_ih, b_hh, gain_ih, gain_hh };
    let (x, h0) = (wide(d.x), wide(d.h0));
    let out = reference::forward(&setup, &p, &x, &h0);
    let grads = reference::backward(&setup, &p, &x, &h0, &wide(&d.dy), &wide(d.dlast));
    let p = grads.params;
    Answer {
        y: narrow(out.y),
        last: narrow(out.last),
        dx: narrow(grads.dx),
        dh0: narrow(grads.dh0),
        params: [p.w_ih, p.w_hh, p.b_ih, p.b_hh, p.gain_ih, p.gain_hh].map(narrow),
    }
}

fn some(v: &[f32]) -> Option<&[f32]> {
    (!v.is_empty()).then_some(v)
}

fn some_mut(v: &mut [f32]) -> Option<&mut [f32]> {
    (!v.is_empty()).then_some(v)
}

fn by_kernels(isa: Isa, d: &Direction<'_>, ws: &mut Workspace) -> Answer {
    let [_, _, input, hidden] = d.golden.sizes;
    let Golden { cell, noise, zoneout, .. } = *d.golden;
    let [w_ih, w_hh, b_ih, b_hh, gain_ih, gain_hh] = d.params;
    let norm = (!gain_ih.is_empty()).then_some(Norm { gain_ih, gain_hh });
    let weights = Weights { w_ih, w_hh, b_ih: some(b_ih), b_hh: some(b_hh), norm };
    let layer = Layer { cell, input, hidden, zoneout, weights };
    let pass = Pass { seq: d.seq, x: d.x, h0: Some(d.h0), noise, recompute: false };
    let packed = Packed::with_isa(isa, &layer);

    let dirty = |len| vec![f32::NAN; len];
    let mut a = Answer {
        y: dirty(d.dy.len()),
        last: dirty(d.h0.len()),
        dx: dirty(d.x.len()),
        dh0: dirty(d.h0.len()),
        params: d.params.map(|p| vec![0.0; p.len()]),
    };
    let mut saved = dirty(d.dy.len() * layer.saved(&noise));
    ws.soil(f32::NAN);
    let output = Output { y: &mut a.y, last: Some(&mut a.last), saved: Some(&mut saved) };
    packed.forward(&pass, output, ws);
    if noise.seed.is_none() && !d.seq.reverse && !d.golden.ragged {
        check_steps(d, &packed, ws);
    }

    ws.soil(f32::NAN);
    let tape = Tape { y: &a.y, saved: &mut saved, dy: &d.dy, dlast: Some(d.dlast) };
    let [dw_ih, dw_hh, db_ih, db_hh, dgain_ih, dgain_hh] = &mut a.params;
    let gradients = Gradients {
        dx: Some(&mut a.dx),
        dh0: Some(&mut a.dh0),
        dw_ih,
        dw_hh,
        db_ih: some_mut(db_ih),
        db_hh: some_mut(db_hh),
        dgain_ih: some_mut(dgain_ih),
        dgain_hh: some_mut(dgain_hh),
    };
    backward(isa, &layer, &pass, tape, gradients, ws);
    a
}

/// The same outputs step by step.
fn check_steps(d: &Direction<'_>, packed: &Packed, ws: &mut Workspace) {
    let [_, batch, input, hidden] = d.golden.sizes;
    let (mut state, mut y) = (d.h0.to_vec(), Vec::new());
    for x in d.x.chunks_exact(batch * input) {
        packed.step(batch, x, &mut state, ws);
        y.extend(
            state.chunks_exact(packed.cell().states() * hidden).flat_map(|row| &row[..hidden]),
        );
    }
    d.golden.close("output by steps", &y, &d.answer.y, 1e-5);
    d.golden.close("last state by steps", &state, &d.answer.last, 1e-5);
}

/// Every single-layer case; stacks are the business of the layers above.
fn cases() -> Vec<Golden> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/golden");
    let paths = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
    let passes = paths.filter(|path| {
        let name = path.file_name().unwrap().to_str().unwrap();
        name.ends_with(".safetensors") && !name.starts_with("train")
    });
    let all = passes.map(|path| Golden::read(&path));
    let cases: Vec<_> = all.filter(|golden| golden.layers == 1).collect();
    let mut seen = BTreeMap::new();
    cases.iter().for_each(|golden| *seen.entry(golden.cell.name()).or_insert(0) += 1);
    let expected =
        [("gru", 8), ("gru-v3", 4), ("lstm", 6), ("mingru", 5), ("rnn", 4), ("rnn-relu", 4)];
    assert_eq!(seen, BTreeMap::from(expected), "cases found");
    cases
}

#[test]
fn the_reference_agrees_with_pytorch() {
    // Rounded to f32 on both sides, and once more where the directions' dx add up.
    cases().iter().for_each(|golden| golden.check([1.5e-7; 2], by_reference));
}

#[test]
fn the_kernels_agree_with_pytorch() {
    let mut ws = Workspace::new();
    for golden in cases() {
        for isa in Isa::available() {
            golden.check([1e-5, 1e-4], |direction| by_kernels(isa, direction, &mut ws));
        }
    }
}
