//! Checks of calls, whose errors name the buffer, what was expected and what came.

use crate::dims::{Layer, Pass, Sequence, Shape};

/// Checks the numbers of a layer and the lengths of its weights.
///
/// # Panics
/// If one does not fit.
pub(crate) fn check_layer(layer: &Layer<'_>) {
    let Layer { zoneout, weights: w, .. } = *layer;
    let shape = layer.shape();
    assert!(shape.hidden > 0, "a layer needs at least one hidden unit");
    assert!((0.0..1.0).contains(&zoneout), "expected zoneout in [0, 1), got {zoneout}");
    let (rows, hidden_rows) = (shape.rows(), shape.hidden_rows());
    check("w_ih [G * H, I]", rows * shape.input, w.w_ih.len());
    check("w_hh [G * H, H]", hidden_rows * shape.hidden, w.w_hh.len());
    check_optional("b_ih [G * H]", rows, w.b_ih);
    check_optional("b_hh [G * H]", hidden_rows, w.b_hh);
    check_optional("gain_ih [G * H]", rows, w.norm.map(|n| n.gain_ih));
    check_optional("gain_hh [G * H]", hidden_rows, w.norm.map(|n| n.gain_hh));
}

/// Checks what goes into a layer.
///
/// # Panics
/// If a length or a rate does not fit, or a rate the cell.
pub(crate) fn check_pass(pass: &Pass<'_>, shape: Shape) {
    let Pass { ref seq, x, h0, noise, .. } = *pass;
    check_sequence(seq);
    for (what, rate) in
        [("recurrent", noise.recurrent_dropout), ("candidate", noise.candidate_dropout)]
    {
        assert!((0.0..1.0).contains(&rate), "expected {what} dropout in [0, 1), got {rate}");
    }
    let cell = shape.cell;
    assert!(
        noise.candidate_dropout == 0.0 || cell.has_candidate(),
        "the cell {} has no candidate that candidate dropout could drop",
        cell.name()
    );
    check("x [T, B, I]", seq.seq_len * seq.batch * shape.input, x.len());
    check_optional("h0 [B, K * H]", seq.batch * shape.state(), h0);
}

fn check_sequence(seq: &Sequence<'_>) {
    let Some(lengths) = seq.lengths else { return };
    check("lengths [B]", seq.batch, lengths.len());
    if let Some(&len) = lengths.iter().find(|&&len| len > seq.seq_len) {
        check("a sequence's length, at most T", seq.seq_len, len);
    }
}

/// Checks the length of a buffer that may be missing.
///
/// # Panics
/// If it is there and of another length.
pub(crate) fn check_optional(what: &str, expected: usize, got: Option<&[f32]>) {
    if let Some(got) = got {
        check(what, expected, got.len());
    }
}

/// Checks a length, or another number.
///
/// # Panics
/// If it is another than expected.
#[inline]
pub(crate) fn check(what: &str, expected: usize, got: usize) {
    if expected != got {
        mismatch(what, expected, got);
    }
}

#[cold]
#[inline(never)]
fn mismatch(what: &str, expected: usize, got: usize) -> ! {
    panic!("{what}: expected {expected}, got {got}")
}
