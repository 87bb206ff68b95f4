//! The `f64` reference against central differences (every parameter, x and h0, through outputs and
//! last states), and against small facts that need no computation.
#![allow(clippy::unwrap_used)] // A failed step fails the test.

use gruvy_kernels::reference::{Outputs, Params, Setup, backward, forward};
use gruvy_kernels::{Cell, Noise, Sequence};

/// Fixed, irregular values within ±`scale`.
fn values(len: usize, seed: usize, scale: f64) -> Vec<f64> {
    let value = |i: usize| ((i + 1000 * seed) as f64 * 12.9898 + 4.1).sin() * scale;
    (0..len).map(value).collect()
}

/// What regularises the cell.
#[derive(Clone, Copy, Debug, Default)]
struct Variant {
    zoneout: f64,
    noise: Noise,
    norm: bool,
}

const NO_NOISE: Noise = Noise { seed: None, recurrent_dropout: 0.0, candidate_dropout: 0.0 };
const PLAIN: Variant = Variant { zoneout: 0.0, noise: NO_NOISE, norm: false };
const ZONEOUT_MEAN: Variant = Variant { zoneout: 0.3, ..PLAIN };
const ZONEOUT_DRAWN: Variant =
    Variant { zoneout: 0.4, noise: Noise { seed: Some(5), ..NO_NOISE }, norm: false };
const DROPOUT: Variant =
    Variant { noise: Noise { seed: Some(7), recurrent_dropout: 0.4, ..NO_NOISE }, ..PLAIN };
const CANDIDATE: Variant =
    Variant { noise: Noise { seed: Some(9), candidate_dropout: 0.4, ..NO_NOISE }, ..PLAIN };
const NORM: Variant = Variant { norm: true, ..PLAIN };
const ALL: Variant = Variant {
    zoneout: 0.3,
    noise: Noise { seed: Some(3), recurrent_dropout: 0.4, candidate_dropout: 0.3 },
    norm: true,
};

impl Variant {
    fn setup<'a>(&self, cell: Cell, seq: Sequence<'a>, [input, hidden]: [usize; 2]) -> Setup<'a> {
        Setup { cell, seq, input, hidden, zoneout: self.zoneout, noise: self.noise }
    }

    fn params(&self, cell: Cell, [input, hidden]: [usize; 2]) -> Params {
        let (ih, hh) = (cell.gates() * hidden, cell.hidden_gates() * hidden);
        let gain = |len, seed| {
            let gain = values(len, seed, 0.5).into_iter().map(|v| v + 1.0);
            if self.norm { gain.collect() } else { vec![] }
        };
        Params {
            w_ih: values(ih * input, 1, 0.9),
            w_hh: values(hh * hidden, 2, 0.9),
            b_ih: values(ih, 3, 0.9),
            b_hh: values(hh, 4, 0.9),
            gain_ih: gain(ih, 8),
            gain_hh: gain(hh, 9),
        }
    }
}

fn full(seq_len: usize, batch: usize) -> Sequence<'static> {
    Sequence { seq_len, batch, lengths: None, reverse: false }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Everything a loss depends on.
type Inputs = (Params, Vec<f64>, Vec<f64>);

/// Compares every gradient of one setup and returns how many there are.
fn check(what: &str, setup: &Setup<'_>, inputs: &Inputs) -> usize {
    let (params, x, h0) = inputs;
    let steps = setup.seq.seq_len * setup.seq.batch;
    let (dy, dlast) = (values(steps * setup.hidden, 6, 0.9), values(h0.len(), 7, 0.9));
    let grads = backward(setup, params, x, h0, &dy, &dlast);
    let loss = |(params, x, h0): &Inputs| {
        let Outputs { y, last } = forward(setup, params, x, h0);
        dot(&y, &dy) + dot(&last, &dlast)
    };
    type Part = fn(&mut Inputs) -> &mut Vec<f64>;
    let g = &grads.params;
    let parts: [(&str, &[f64], Part); 8] = [
        ("w_ih", &g.w_ih, |i| &mut i.0.w_ih),
        ("w_hh", &g.w_hh, |i| &mut i.0.w_hh),
        ("b_ih", &g.b_ih, |i| &mut i.0.b_ih),
        ("b_hh", &g.b_hh, |i| &mut i.0.b_hh),
        ("gain_ih", &g.gain_ih, |i| &mut i.0.gain_ih),
        ("gain_hh", &g.gain_hh, |i| &mut i.0.gain_hh),
        ("x", &grads.dx, |i| &mut i.1),
        ("h0", &grads.dh0, |i| &mut i.2),
    ];
    let mut checked = 0;
    for (name, analytic, part) in parts {
        assert_eq!(analytic.len(), part(&mut inputs.clone()).len(), "{what} {name}: length");
        for (i, &analytic) in analytic.iter().enumerate() {
            let shifted = |by: f64| {
                let mut inputs = inputs.clone();
                part(&mut inputs)[i] += by;
                loss(&inputs)
            };
            // With four points: normalised values that hardly differ have large higher derivatives.
            let step = 1e-5;
            let difference = |step| shifted(step) - shifted(-step);
            let numeric = (8.0 * difference(step) - difference(2.0 * step)) / (12.0 * step);
            let error = (numeric - analytic).abs() / (1.0 + analytic.abs());
            assert!(error < 1e-8, "{what} {name}[{i}]: {analytic}, by differences {numeric}");
        }
        checked += analytic.len();
    }
    checked
}

#[test]
fn gradients_equal_central_differences() {
    let (t, b, sizes) = (4, 3, [2, 5]);
    for cell in Cell::ALL {
        for variant in [PLAIN, ZONEOUT_MEAN, ZONEOUT_DRAWN, DROPOUT, CANDIDATE, NORM, ALL] {
            for (lengths, reverse) in
                [(None, false), (None, true), (Some([4, 2, 0]), false), (Some([1, 4, 3]), true)]
            {
                let lengths = lengths.as_ref().map(|l| &l[..]);
                let seq = Sequence { lengths, reverse, ..full(t, b) };
                let setup = variant.setup(cell, seq, sizes);
                let x = values(t * b * sizes[0], 5, 1.5);
                let h0 = values(b * cell.states() * sizes[1], 10, 0.9);
                let params = variant.params(cell, sizes);
                let what = format!("{cell:?} {variant:?} {lengths:?} reverse {reverse}");
                let checked = check(&what, &setup, &(params, x, h0));
                let [i, h] = sizes;
                let gates = [(cell.gates() * h, i), (cell.hidden_gates() * h, h)]
                    .map(|(rows, columns)| rows * (columns + 1 + usize::from(variant.norm)));
                let states = b * cell.states() * h;
                assert_eq!(checked, gates[0] + gates[1] + t * b * i + states, "{what}");
            }
        }
    }
}

/// The outputs of a fixed full batch `[4, 3]`.
fn outputs(cell: Cell, variant: Variant, params: &Params) -> Outputs {
    let (x, h0) = (values(4 * 3 * 2, 5, 1.5), values(3 * cell.states() * 5, 10, 0.9));
    forward(&variant.setup(cell, full(4, 3), [2, 5]), params, &x, &h0)
}

#[test]
fn variants_differ() {
    for cell in Cell::ALL {
        let outputs = |variant: Variant| outputs(cell, variant, &variant.params(cell, [2, 5])).y;
        let plain = outputs(PLAIN);
        for variant in [ZONEOUT_MEAN, ZONEOUT_DRAWN, DROPOUT, CANDIDATE, NORM] {
            // The minGRU has no hidden weights for dropout to hide the state from, an RNN no
            // candidate.
            let same = cell == Cell::MinGru && variant.noise.recurrent_dropout > 0.0
                || !cell.has_candidate() && variant.noise.candidate_dropout > 0.0;
            assert_eq!(outputs(variant) == plain, same, "{cell:?} {variant:?}");
        }
        // Without a seed nothing is dropped; with another the masks are others.
        let rate = Noise { seed: None, ..ALL.noise };
        assert_eq!(outputs(Variant { noise: rate, ..PLAIN }), plain, "{cell:?}");
        let other = Noise { seed: Some(6), ..ZONEOUT_DRAWN.noise };
        let other = Variant { noise: other, ..ZONEOUT_DRAWN };
        assert_ne!(outputs(other), outputs(ZONEOUT_DRAWN), "{cell:?}");
    }
}

/// A layer of zeros.
fn zeros(cell: Cell, [input, hidden]: [usize; 2]) -> Params {
    let (ih, hh) = (cell.gates() * hidden, cell.hidden_gates() * hidden);
    Params {
        w_ih: vec![0.0; ih * input],
        w_hh: vec![0.0; hh * hidden],
        b_ih: vec![],
        b_hh: vec![],
        gain_ih: vec![],
        gain_hh: vec![],
    }
}

#[test]
fn a_layer_of_zeros_opens_its_gates_halfway() {
    for cell in Cell::ALL {
        for zoneout in [0.0, 0.25] {
            let variant = Variant { zoneout, ..PLAIN };
            let Outputs { y, last } = outputs(cell, variant, &zeros(cell, [2, 5]));
            let (states, h0) = (cell.states() * 5, values(3 * cell.states() * 5, 10, 0.9));
            for b in 0..3 {
                for j in 0..5 {
                    let mut h = h0[b * states + j];
                    let mut c = h0[b * states + (cell.states() - 1) * 5 + j];
                    for t in 0..4 {
                        let (new_h, new_c) = match cell {
                            Cell::Lstm => (0.5 * (0.5 * c).tanh(), 0.5 * c),
                            Cell::Gru | Cell::GruV3 => (0.5 * h, 0.0),
                            Cell::MinGru => (0.5 * h + 0.25, 0.0),
                            _ => (0.0, 0.0),
                        };
                        h = zoneout * h + (1.0 - zoneout) * new_h;
                        c = zoneout * c + (1.0 - zoneout) * new_c;
                        let got = y[(t * 3 + b) * 5 + j];
                        assert!((got - h).abs() < 1e-14, "{cell:?} {t} {b} {j}: {got} {h}");
                    }
                    let (got_h, got_c) = (last[b * states + j], last[(b + 1) * states - 5 + j]);
                    assert!((got_h - h).abs() < 1e-14, "{cell:?} last h");
                    assert!(cell != Cell::Lstm || (got_c - c).abs() < 1e-14, "last c");
                }
            }
        }
    }
}

#[test]
fn a_sequence_without_steps_keeps_its_state() {
    for cell in Cell::ALL {
        let seq = Sequence { lengths: Some(&[0, 2]), ..full(3, 2) };
        let setup = ALL.setup(cell, seq, [2, 5]);
        let width = cell.states() * 5;
        let (p, mut x) = (ALL.params(cell, [2, 5]), values(3 * 2 * 2, 5, 1.5));
        for padding in [0, 1, 4, 5, 8, 9, 10, 11] {
            x[padding] = f64::NAN;
        }
        let (h0, dlast) = (values(2 * width, 6, 0.9), values(2 * width, 7, 0.9));
        let out = forward(&setup, &p, &x, &h0);
        assert_eq!(out.last[..width], h0[..width], "{cell:?}");
        let is_zero = |at: &usize| out.y[at * 5..][..5].iter().all(|v| *v == 0.0);
        assert_eq!((0..6).filter(is_zero).collect::<Vec<_>>(), [0, 2, 4, 5], "{cell:?}");
        let dy = values(3 * 2 * 5, 8, 0.9);
        let grads = backward(&setup, &p, &x, &h0, &dy, &dlast);
        assert_eq!(grads.dh0[..width], dlast[..width], "{cell:?}");
        assert!(grads.params.w_ih.iter().chain(&grads.dx).all(|v| v.is_finite()), "{cell:?}");
    }
}

/// With the identity as hidden weights the state shows its mask: 0, or 1 / (1 - rate) once more at
/// every step.
#[test]
fn recurrent_dropout_has_one_mask_for_all_steps() {
    let (hidden, rate) = (64, 0.25);
    let noise = Noise { seed: Some(11), recurrent_dropout: rate, ..NO_NOISE };
    let setup = Variant { noise, ..PLAIN }.setup(Cell::RnnRelu, full(3, 4), [1, hidden]);
    let mut params = zeros(Cell::RnnRelu, [1, hidden]);
    (0..hidden).for_each(|j| params.w_hh[j * hidden + j] = 1.0);
    let y = forward(&setup, &params, &[1.0; 12], &vec![1.0; 4 * hidden]).y;
    let steps: Vec<&[f64]> = y.chunks(4 * hidden).collect();
    let close = |a: f64, b: f64| (a - b).abs() < 1e-12;
    for ((a, b), c) in steps[0].iter().zip(steps[1]).zip(steps[2]) {
        assert!(*a == 0.0 || close(*a, 1.0 / 0.75), "{a}");
        assert!(close(*b, a.powi(2)) && close(*c, a.powi(3)), "{a} {b} {c}");
    }
    let dropped = steps[0].iter().filter(|v| **v == 0.0).count() as f64 / 256.0;
    // Five standard deviations.
    assert!((dropped - 0.25).abs() < 5.0 * 0.433 / 16.0, "{dropped}");
    assert_ne!(steps[0][..hidden], steps[0][hidden..2 * hidden], "rows have masks of their own");
}

/// The candidate of an RNN of zeros is zero, so whatever is left was kept at every step.
#[test]
fn zoneout_draws_at_every_step_by_the_place_in_the_buffer() {
    let (hidden, p) = (512, 0.6);
    let zoneout = Variant { zoneout: p, noise: ZONEOUT_DRAWN.noise, norm: false };
    let run = |reverse| {
        let seq = Sequence { reverse, ..full(3, 2) };
        let setup = zoneout.setup(Cell::Rnn, seq, [1, hidden]);
        let params = zeros(Cell::Rnn, [1, hidden]);
        forward(&setup, &params, &[1.0; 6], &vec![1.0; 2 * hidden]).y
    };
    let (forwards, backwards) = (run(false), run(true));
    let alive = |y: &[f64], t: usize| y[t * 2 * hidden..][..2 * hidden].to_vec();
    for t in 0..3 {
        let share = alive(&forwards, t).iter().sum::<f64>() / 1024.0;
        let expected = p.powi(t as i32 + 1);
        assert!((share - expected).abs() < 5.0 * 0.5 / 32.0, "{t}: {share} {expected}");
    }
    // After all steps the same have survived, after the first of each order others.
    assert_eq!(alive(&forwards, 2), alive(&backwards, 0));
    assert_ne!(alive(&forwards, 0), alive(&backwards, 2));
}

/// With weights of zero and a bias the candidate is tanh 1, and the gates are open halfway: h' is
/// half of the old state and half of what dropout left of the candidate.
#[test]
fn dropped_candidates_leave_the_old_state_whole() {
    let (hidden, rate) = (64, 0.25);
    let noise = Noise { seed: Some(11), candidate_dropout: rate, ..NO_NOISE };
    let setup = Variant { noise, ..PLAIN }.setup(Cell::Gru, full(3, 4), [1, hidden]);
    let mut params = zeros(Cell::Gru, [1, hidden]);
    params.b_ih = [vec![0.0; 2 * hidden], vec![1.0; hidden]].concat();
    let y = forward(&setup, &params, &[0.0; 12], &vec![1.0; 4 * hidden]).y;
    let (kept, mut before, mut masks) = (1f64.tanh() / 0.75, vec![1.0; 4 * hidden], vec![]);
    for y in y.chunks(4 * hidden) {
        let candidates = y.iter().zip(&before).map(|(y, h)| 2.0 * y - h);
        let is_kept = |v: f64| {
            assert!(v.abs() < 1e-12 || (v - kept).abs() < 1e-12, "{v}");
            v > 0.5
        };
        masks.push(candidates.map(is_kept).collect::<Vec<_>>());
        before = y.to_vec();
    }
    assert!(masks[0] != masks[1] && masks[1] != masks[2], "each step draws for itself");
    assert_ne!(masks[0][..hidden], masks[0][hidden..2 * hidden], "so does each row");
    let dropped = masks.concat().iter().filter(|kept| !**kept).count() as f64 / 768.0;
    // Five standard deviations.
    assert!((dropped - 0.25).abs() < 5.0 * 0.433 / 768f64.sqrt(), "{dropped}");
}

/// In an LSTM of zeros with c = 1 a unit's c is kept or halved, and its h kept or that of the
/// halved c, each with a draw of its own.
#[test]
fn zoneout_keeps_h_and_c_each_on_their_own() {
    let hidden = 512;
    let setup = ZONEOUT_DRAWN.setup(Cell::Lstm, full(1, 1), [1, hidden]);
    let state = [vec![0.9; hidden], vec![1.0; hidden]].concat();
    let last = forward(&setup, &zeros(Cell::Lstm, [1, hidden]), &[1.0], &state).last;
    let (h, c) = last.split_at(hidden);
    let mut seen = [0; 4];
    for (&h, &c) in h.iter().zip(c) {
        let candidate = 0.5 * 0.5f64.tanh();
        assert!(h == 0.9 || (h - candidate).abs() < 1e-15, "{h}");
        assert!(c == 1.0 || c == 0.5, "{c}");
        seen[usize::from(h == 0.9) * 2 + usize::from(c == 1.0)] += 1;
    }
    let expected = [0.36, 0.24, 0.24, 0.16].map(|share| share * hidden as f64);
    for (seen, expected) in seen.iter().zip(expected) {
        assert!((f64::from(*seen) - expected).abs() < 5.0 * expected.sqrt(), "{seen} {expected}");
    }
}

/// Normalisation removes from each gate separately what all its rows share, and their scale.
#[test]
fn normalisation_ignores_shift_and_scale_of_a_gate() {
    for cell in Cell::ALL {
        let mut params = NORM.params(cell, [2, 5]);
        // Large, so that ε, which is not scaled along, is small beside every variance.
        params.w_ih.iter_mut().chain(&mut params.w_hh).for_each(|w| *w *= 100.0);
        let plain = outputs(cell, NORM, &params).y;
        let mut moved = params.clone();
        for (weights, columns) in [(&mut moved.w_ih, 2), (&mut moved.w_hh, 5)] {
            for (gate, weights) in weights.chunks_mut(5 * columns).enumerate() {
                let (shift, scale) = (values(columns, gate, 1.0), 1.0 + gate as f64);
                for row in weights.chunks_mut(columns) {
                    row.iter_mut().zip(&shift).for_each(|(w, shift)| *w = scale * (*w + shift));
                }
            }
        }
        for (a, b) in plain.iter().zip(outputs(cell, NORM, &moved).y) {
            assert!((a - b).abs() < 1e-6, "{cell:?}: {a} {b}");
        }
        // A difference between its rows is not ignored.
        moved.w_ih[0] *= -1.0;
        let far = |(a, b): (&f64, f64)| (a - b).abs() > 0.01;
        assert!(plain.iter().zip(outputs(cell, NORM, &moved).y).any(far), "{cell:?}");
    }
}
