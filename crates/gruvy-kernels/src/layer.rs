//! One layer and direction: the public calls and their checks.

use crate::cells::with_cell;
use crate::checks::{check, check_layer, check_optional, check_pass};
use crate::dims::{Gradients, Layer, Output, Pass, Sequence, Tape};
use crate::memory::Shared;
use crate::noise::Noise;
use crate::packed::Packed;
use crate::saved::saved_values;
use crate::sequence::{self, Call, Forward, Targets};
use crate::simd::Isa;
use crate::workspace::Workspace;

impl Packed {
    /// Runs the layer over a batch of sequences, on the threads of the current rayon pool.
    ///
    /// # Panics
    /// If a buffer's length does not fit the pass and the layer.
    pub fn forward(&self, pass: &Pass<'_>, output: Output<'_>, ws: &mut Workspace) {
        let (isa, shape) = (self.isa(), self.shape());
        check_pass(pass, shape);
        let (seq, hidden) = (&pass.seq, shape.hidden);
        let steps = seq.seq_len * seq.batch;
        check("y [T, B, H]", steps * hidden, output.y.len());
        check_optional("last [B, K * H]", seq.batch * shape.state(), output.last.as_deref());
        with_cell!(shape.cell, C => {
            let call = Call::new::<C>(isa, pass, shape, self.normed());
            let saved = saved_values(pass, call.saved_ld(), shape.state());
            check_optional("saved [T, B, S, H]", saved, output.saved.as_deref());
            output.y[call.steps * seq.batch * hidden..].fill(0.0);
            let (saved, null) = (Shared::of(output.saved), Shared::NULL);
            let (saved, states) = if pass.recompute { (null, saved) } else { (saved, null) };
            let (y, last) = (Shared::of(Some(output.y)), Shared::of(output.last));
            let targets = Targets { first: 0, y, last, saved, states };
            let (parts, steps) = (self.parts(), 0..call.steps);
            // SAFETY: all lengths were checked, the weights are packed for this call, and the
            // targets are borrowed for it.
            unsafe { Forward { call: &call, parts, steps, targets }.run::<C>(&mut ws.scratch) }
        });
    }

    /// One step of `batch` rows, on the calling thread: `x [B, I]`; `state [B, K * H]` is replaced
    /// by the next.
    ///
    /// # Panics
    /// If a buffer's length does not fit.
    pub fn step(&self, batch: usize, x: &[f32], state: &mut [f32], ws: &mut Workspace) {
        let (isa, shape) = (self.isa(), self.shape());
        check("x [B, I]", batch * shape.input, x.len());
        check("state [B, K * H]", batch * shape.state(), state.len());
        let seq = Sequence { seq_len: 1, batch, lengths: None, reverse: false };
        let pass = Pass { seq, x, h0: Some(&*state), noise: Noise::default(), recompute: false };
        let next = with_cell!(shape.cell, C => {
            let call = Call::on_threads::<C>(isa, &pass, shape, self.normed(), 1);
            // SAFETY: the lengths were checked, and the weights are packed for this call.
            unsafe { sequence::step::<C>(&call, self.parts(), &mut ws.scratch) }
        });
        state.copy_from_slice(next);
    }
}

/// Gradients of a layer, after [`Packed::forward`] of the same layer with the same pass, on the
/// threads of the current rayon pool.
///
/// # Panics
/// If a buffer's length does not fit, or the machine lacks `isa`.
pub fn backward(
    isa: Isa,
    layer: &Layer<'_>,
    pass: &Pass<'_>,
    tape: Tape<'_>,
    grads: Gradients<'_>,
    ws: &mut Workspace,
) {
    let shape = layer.shape();
    check_layer(layer);
    check_pass(pass, shape);
    check_tape(layer, pass, &tape);
    check_gradients(layer, pass, &grads);
    let normed = layer.weights.norm.is_some();
    with_cell!(shape.cell, C => {
        let call = Call::new::<C>(isa, pass, shape, normed);
        // SAFETY: all lengths were checked.
        unsafe { sequence::backward::<C>(&call, layer, tape, grads, ws) }
    });
}

fn check_tape(layer: &Layer<'_>, pass: &Pass<'_>, tape: &Tape<'_>) {
    let (shape, Sequence { seq_len, batch, .. }) = (layer.shape(), pass.seq);
    check("y [T, B, H]", seq_len * batch * shape.hidden, tape.y.len());
    check("dy [T, B, H]", seq_len * batch * shape.hidden, tape.dy.len());
    check("saved [T, B, S, H]", layer.saved_values(pass), tape.saved.len());
    check_optional("dlast [B, K * H]", batch * shape.state(), tape.dlast);
}

fn check_gradients(layer: &Layer<'_>, pass: &Pass<'_>, grads: &Gradients<'_>) {
    let (shape, Sequence { seq_len, batch, .. }) = (layer.shape(), pass.seq);
    let (rows, hidden_rows) = (shape.rows(), shape.hidden_rows());
    check_optional("dx [T, B, I]", seq_len * batch * shape.input, grads.dx.as_deref());
    check_optional("dh0 [B, K * H]", batch * shape.state(), grads.dh0.as_deref());
    check("dw_ih [G * H, I]", rows * shape.input, grads.dw_ih.len());
    check("dw_hh [G * H, H]", hidden_rows * shape.hidden, grads.dw_hh.len());
    check_optional("db_ih [G * H]", rows, grads.db_ih.as_deref());
    check_optional("db_hh [G * H]", hidden_rows, grads.db_hh.as_deref());
    check_optional("dgain_ih [G * H]", rows, grads.dgain_ih.as_deref());
    check_optional("dgain_hh [G * H]", hidden_rows, grads.dgain_hh.as_deref());
}
