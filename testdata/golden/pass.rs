//! One pass forward and backward in `f64`: the layers and directions around
//! [`gruvy_kernels::reference`].

use super::{Golden, Tensors};
use gruvy_kernels::reference::{self, Params, Setup};
use gruvy_kernels::{Cell, Sequence};

/// A parameter of a layer and direction is `KIND_l0`, `KIND_l0_reverse`, `KIND_l1`, ..
const KINDS: [&str; 6] = ["weight_ih", "weight_hh", "bias_ih", "bias_hh", "gain_ih", "gain_hh"];

/// Sizes of the whole stack.
struct Stack<'a> {
    golden: &'a Golden,
    cell: Cell,
    seq_len: usize,
    batch: usize,
    hidden: usize,
    directions: usize,
}

/// `output`, `h_n` and every `grad.*` from operands under the names of the files.
pub fn pass(golden: &Golden, operands: &Tensors) -> Tensors {
    let stack = Stack {
        golden,
        cell: golden.cell(),
        seq_len: golden.size("seq_len"),
        batch: golden.size("batch"),
        hidden: golden.size("hidden_size"),
        directions: golden.directions(),
    };
    let mut results = Tensors::new();
    let mut inputs = vec![operands["x"].clone()];
    for layer in 0..golden.layers() {
        let y = stack.forward(layer, &inputs[layer], operands, &mut results);
        inputs.push(y);
    }
    results.insert("output".into(), inputs.pop().unwrap());
    let mut dy = operands["dy"].clone();
    for layer in (0..golden.layers()).rev() {
        dy = stack.backward(layer, &inputs[layer], &dy, operands, &mut results);
    }
    results.insert("grad.x".into(), dy);
    results
}

impl Stack<'_> {
    fn names(layer: usize, direction: usize) -> [String; 6] {
        let suffix = ["", "_reverse"][direction];
        KINDS.map(|kind| format!("{kind}_l{layer}{suffix}"))
    }

    fn params(layer: usize, direction: usize, operands: &Tensors) -> Params {
        let params = Self::names(layer, direction);
        let params = params.map(|name| operands.get(&name).cloned().unwrap_or_default());
        let [w_ih, w_hh, b_ih, b_hh, gain_ih, gain_hh] = params;
        Params { w_ih, w_hh, b_ih, b_hh, gain_ih, gain_hh }
    }

    fn setup(&self, direction: usize, x: &[f64]) -> Setup<'_> {
        let Self { golden, cell, seq_len, batch, hidden, .. } = *self;
        Setup {
            cell,
            seq: Sequence { seq_len, batch, lengths: golden.lengths(), reverse: direction == 1 },
            input: x.len() / (seq_len * batch),
            hidden,
            zoneout: golden.zoneout(),
            noise: golden.noise(),
        }
    }

    /// The part `[B, K * H]` of `[L * D, B, K * H]`.
    fn state<'a>(&self, layer: usize, direction: usize, states: &'a [f64]) -> &'a [f64] {
        let len = self.batch * self.cell.states() * self.hidden;
        &states[(layer * self.directions + direction) * len..][..len]
    }

    /// The layer's output `[T, B, D * H]`.
    fn forward(
        &self,
        layer: usize,
        x: &[f64],
        operands: &Tensors,
        results: &mut Tensors,
    ) -> Vec<f64> {
        let mut y = vec![0.0; self.seq_len * self.batch * self.directions * self.hidden];
        for direction in 0..self.directions {
            let setup = self.setup(direction, x);
            let h0 = self.state(layer, direction, &operands["h0"]);
            let p = Self::params(layer, direction, operands);
            let out = reference::forward(&setup, &p, x, h0);
            let rows = y.chunks_exact_mut(self.directions * self.hidden);
            for (row, own) in rows.zip(out.y.chunks_exact(self.hidden)) {
                row[direction * self.hidden..][..self.hidden].copy_from_slice(own);
            }
            results.entry("h_n".into()).or_default().extend(out.last);
        }
        y
    }

    /// The gradient of the layer's input.
    fn backward(
        &self,
        layer: usize,
        x: &[f64],
        dy: &[f64],
        operands: &Tensors,
        results: &mut Tensors,
    ) -> Vec<f64> {
        let (mut dx, mut dh0) = (vec![0.0; x.len()], Vec::new());
        for direction in 0..self.directions {
            let setup = self.setup(direction, x);
            let h0 = self.state(layer, direction, &operands["h0"]);
            let dlast = self.state(layer, direction, &operands["dh_n"]);
            let p = Self::params(layer, direction, operands);
            let rows = dy.chunks_exact(self.directions * self.hidden);
            let dy: Vec<f64> = rows
                .flat_map(|row| &row[direction * self.hidden..][..self.hidden])
                .copied()
                .collect();
            let grads = reference::backward(&setup, &p, x, h0, &dy, dlast);
            dx.iter_mut().zip(grads.dx).for_each(|(sum, d)| *sum += d);
            dh0.extend(grads.dh0);
            let p = grads.params;
            let parts = [p.w_ih, p.w_hh, p.b_ih, p.b_hh, p.gain_ih, p.gain_hh];
            for (name, part) in Self::names(layer, direction).iter().zip(parts) {
                if operands.contains_key(name) {
                    results.insert(format!("grad.{name}"), part);
                }
            }
        }
        // Layers come last to first.
        let above = results.remove("grad.h0").unwrap_or_default();
        dh0.extend(above);
        results.insert("grad.h0".into(), dh0);
        dx
    }
}
