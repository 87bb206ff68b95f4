//! Against PyTorch: the cases of `testdata/golden` (see the README there). The `f64` reference in
//! all of them; the kernels in those of a single layer, on every instruction set of the machine,
//! with scratch and outputs dirty on entry. Stacks are tested in `gruvy`.
#![allow(clippy::unwrap_used)] // A failed step fails the test.

#[path = "../../../testdata/golden/mod.rs"]
mod golden;

use golden::{Golden, Tensors, Test, files, wide};
use gruvy_kernels::{
    Gradients, Isa, Layer, Norm, Output, Packed, Pass, Sequence, Tape, Weights, Workspace, backward,
};

/// Parameters of a layer and direction, in this order everywhere below.
const KINDS: [&str; 6] = ["weight_ih", "weight_hh", "bias_ih", "bias_hh", "gain_ih", "gain_hh"];

/// What goes into one direction of a layer.
struct Direction<'a> {
    layer: Layer<'a>,
    pass: Pass<'a>,
    names: [String; 6],
    /// Empty where the layer has none.
    params: [&'a [f32]; 6],
    /// `[T, B, H]`
    dy: Vec<f32>,
    dlast: &'a [f32],
}

impl<'a> Direction<'a> {
    /// Forward (0) or reverse (1).
    fn new(golden: &'a Golden, index: usize) -> Self {
        let [seq_len, batch, input, hidden] =
            ["seq_len", "batch", "input_size", "hidden_size"].map(|key| golden.size(key));
        let suffix = ["", "_reverse"][index];
        let names = KINDS.map(|kind| format!("{kind}_l0{suffix}"));
        let params = names.each_ref().map(|name| golden.tensors.get(name).map_or(&[][..], |v| v));
        let [w_ih, w_hh, b_ih, b_hh, gain_ih, gain_hh] = params;
        let norm = (!gain_ih.is_empty()).then_some(Norm { gain_ih, gain_hh });
        let weights = Weights { w_ih, w_hh, b_ih: some(b_ih), b_hh: some(b_hh), norm };
        let cell = golden.cell();
        let width = batch * cell.states() * hidden;
        let state = |name| &golden.get(name)[index * width..][..width];
        let seq = Sequence { seq_len, batch, lengths: golden.lengths(), reverse: index == 1 };
        let (x, h0, noise) = (golden.get("x"), Some(state("h0")), golden.noise());
        // The directions' columns lie side by side.
        let rows = golden.get("dy").chunks_exact(golden.directions() * hidden);
        let dy = rows.flat_map(|row| &row[index * hidden..][..hidden]).copied().collect();
        Self {
            layer: Layer { cell, input, hidden, zoneout: golden.zoneout() as f32, weights },
            pass: Pass { seq, x, h0, noise, recompute: false },
            names,
            params,
            dy,
            dlast: state("dh_n"),
        }
    }

    fn run(&self, isa: Isa, ws: &mut Workspace) -> Answer {
        let Self { layer, pass, .. } = self;
        let packed = Packed::with_isa(isa, layer);
        let dirty = |len| vec![f32::NAN; len];
        let mut a = Answer {
            y: dirty(self.dy.len()),
            last: dirty(self.dlast.len()),
            dx: dirty(pass.x.len()),
            dh0: dirty(self.dlast.len()),
            params: self.params.map(|p| vec![0.0; p.len()]),
        };
        let mut saved = dirty(self.dy.len() * layer.saved(&pass.noise));
        ws.soil(f32::NAN);
        let output = Output { y: &mut a.y, last: Some(&mut a.last), saved: Some(&mut saved) };
        packed.forward(pass, output, ws);

        ws.soil(f32::NAN);
        let tape = Tape { y: &a.y, saved: &mut saved, dy: &self.dy, dlast: Some(self.dlast) };
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
        backward(isa, layer, pass, tape, gradients, ws);
        a
    }

    /// Outputs `[T, B, H]` and last state, step by step.
    fn run_steps(&self, isa: Isa, ws: &mut Workspace) -> [Vec<f32>; 2] {
        let Self { layer, pass, .. } = self;
        let packed = Packed::with_isa(isa, layer);
        let (mut state, mut y) = (pass.h0.unwrap().to_vec(), Vec::new());
        for x in pass.x.chunks_exact(pass.seq.batch * layer.input) {
            packed.step(pass.seq.batch, x, &mut state, ws);
            let rows = state.chunks_exact(layer.cell.states() * layer.hidden);
            y.extend(rows.flat_map(|row| &row[..layer.hidden]));
        }
        [y, state]
    }
}

/// What comes out of one direction.
struct Answer {
    y: Vec<f32>,
    last: Vec<f32>,
    dx: Vec<f32>,
    dh0: Vec<f32>,
    params: [Vec<f32>; 6],
}

fn some(v: &[f32]) -> Option<&[f32]> {
    (!v.is_empty()).then_some(v)
}

fn some_mut(v: &mut [f32]) -> Option<&mut [f32]> {
    (!v.is_empty()).then_some(v)
}

/// All directions of a case, under the names of the files.
fn by_kernels(golden: &Golden, isa: Isa, ws: &mut Workspace) -> Tensors {
    let (directions, hidden) = (golden.directions(), golden.size("hidden_size"));
    let (mut dx, mut y) = (vec![0.0; golden.get("x").len()], vec![0.0; golden.get("dy").len()]);
    let mut results = Tensors::new();
    for index in 0..directions {
        let direction = Direction::new(golden, index);
        let answer = direction.run(isa, ws);
        for (row, own) in y.chunks_exact_mut(directions * hidden).zip(answer.y.chunks_exact(hidden))
        {
            row[index * hidden..][..hidden].copy_from_slice(own);
        }
        dx.iter_mut().zip(&answer.dx).for_each(|(sum, d)| *sum += d);
        results.entry("h_n".into()).or_default().extend(wide(&answer.last));
        results.entry("grad.h0".into()).or_default().extend(wide(&answer.dh0));
        let params = direction.names.iter().zip(&answer.params).filter(|(_, d)| !d.is_empty());
        results.extend(params.map(|(name, d)| (format!("grad.{name}"), wide(d))));
    }
    results.insert("output".into(), wide(&y));
    results.insert("grad.x".into(), wide(&dx));
    results
}

#[test]
fn the_reference_agrees_with_pytorch() {
    // Tolerances are the reference's, and it is compared on the way.
    files(Test::Reference).iter().for_each(|golden| drop(golden.tolerances()));
}

#[test]
fn the_kernels_agree_with_pytorch() {
    let mut ws = Workspace::new();
    for golden in files(Test::Kernels) {
        let tolerances = golden.tolerances();
        for isa in Isa::available() {
            tolerances.check(&format!("{isa:?}"), &by_kernels(&golden, isa, &mut ws));
            if golden.noise().seed.is_none()
                && golden.directions() == 1
                && golden.lengths().is_none()
            {
                let [y, last] = Direction::new(&golden, 0).run_steps(isa, &mut ws);
                let results = [("output".into(), wide(&y)), ("h_n".into(), wide(&last))];
                tolerances.check_some(&format!("{isa:?} by steps"), &results.into());
            }
        }
    }
}
