//! The executable specification: the recurrences in plain `f64`, written to be read, not to be
//! fast.
//!
//! ```text
//! h̃ = cell(x, h ⊙ m, h, d)     the step of a cell (the equations are in dims.rs)
//!                              m: recurrent dropout, d: dropout of the candidate
//! h' = h̃ + k ⊙ (h − h̃)         zoneout
//! ```
//! A step is written once, forward. It is computed on a small tape, and running the tape back gives
//! the gradients. Every kernel is tested against these functions, and these functions against
//! central differences and PyTorch.
//!
//! Layouts are those of the fast kernels: `x [T, B, I]`, `y [T, B, H]`, states `[B, K * H]`,
//! weights as PyTorch keeps them, all row-major.

use crate::hash::{Stream, key, uniform};
use crate::{Cell, Noise, Sequence};
use alloc::{vec, vec::Vec};
use tape::{Point, Tape, Var, Vector};

mod tape;

/// Parameters of one layer and direction, or their gradients. `G` is [`Cell::gates`], and for what
/// belongs to the state [`Cell::hidden_gates`]. Empty biases are zero. Empty gains mean no layer
/// normalisation.
#[derive(Clone, Debug)]
pub struct Params {
    /// `[G * H, I]`
    pub w_ih: Vec<f64>,
    /// `[G * H, H]`
    pub w_hh: Vec<f64>,
    /// `[G * H]`
    pub b_ih: Vec<f64>,
    /// `[G * H]`
    pub b_hh: Vec<f64>,
    /// `[G * H]`
    pub gain_ih: Vec<f64>,
    /// `[G * H]`
    pub gain_hh: Vec<f64>,
}

/// What is computed, and on which batch.
#[derive(Clone, Copy, Debug)]
pub struct Setup<'a> {
    /// The recurrence.
    pub cell: Cell,
    /// The batch.
    pub seq: Sequence<'a>,
    /// `I`, features of the input.
    pub input: usize,
    /// `H`, hidden units.
    pub hidden: usize,
    /// As [`Layer::zoneout`](crate::Layer::zoneout).
    pub zoneout: f64,
    /// The noise of the pass.
    pub noise: Noise,
}

/// What [`forward`] returns.
#[derive(Clone, Debug)]
pub struct Outputs {
    /// `[T, B, H]`, zero past each sequence's length.
    pub y: Vec<f64>,
    /// `[B, K * H]`: the state after each sequence's last step.
    pub last: Vec<f64>,
}

/// What [`backward`] returns.
#[derive(Clone, Debug)]
pub struct Grads {
    /// Gradients of the parameters, in their layout.
    pub params: Params,
    /// `[T, B, I]`
    pub dx: Vec<f64>,
    /// `[B, K * H]`
    pub dh0: Vec<f64>,
}

/// Outputs and last states.
///
/// # Panics
/// If a buffer is shorter than `setup` says.
pub fn forward(setup: &Setup<'_>, p: &Params, x: &[f64], h0: &[f64]) -> Outputs {
    let (seq, hidden) = (&setup.seq, setup.hidden);
    let mut y = vec![0.0; seq.seq_len * seq.batch * hidden];
    let mut last = Vec::new();
    for row in 0..seq.batch {
        let run = Run::new(setup, p, x, h0, row);
        for (at, _, h) in &run.steps {
            y[at * hidden..][..hidden].copy_from_slice(&run.tape.read(h));
        }
        last.extend(run.tape.read(&run.last.concat()));
    }
    Outputs { y, last }
}

/// Gradients of a loss whose gradients with respect to [`Outputs`] are `dy [T, B, H]` and
/// `dlast [B, K * H]`.
///
/// # Panics
/// If a buffer is shorter than `setup` says.
pub fn backward(
    setup: &Setup<'_>,
    p: &Params,
    x: &[f64],
    h0: &[f64],
    dy: &[f64],
    dlast: &[f64],
) -> Grads {
    let Setup { input, hidden, .. } = *setup;
    let width = setup.cell.states() * hidden;
    let mut params = p.clone();
    params.parts_mut().into_iter().for_each(|part| part.fill(0.0));
    let (mut dx, mut dh0) = (vec![0.0; x.len()], Vec::new());
    for row in 0..setup.seq.batch {
        let run = Run::new(setup, p, x, h0, row);
        let mut grads = vec![0.0; run.tape.values.len()];
        let seed = |grads: &mut [f64], vars: &[Var], from: &[f64]| {
            vars.iter().zip(from).for_each(|(&var, d)| grads[var] += d);
        };
        for (at, _, h) in &run.steps {
            seed(&mut grads, h, &dy[at * hidden..][..hidden]);
        }
        seed(&mut grads, &run.last.concat(), &dlast[row * width..][..width]);
        run.tape.run_back(&mut grads);

        for (part, leaves) in params.parts_mut().into_iter().zip(&run.params) {
            part.iter_mut().zip(leaves).for_each(|(sum, &leaf)| *sum += grads[leaf]);
        }
        for (at, x, _) in &run.steps {
            let dx = &mut dx[at * input..][..input];
            dx.iter_mut().zip(x).for_each(|(dx, &leaf)| *dx = grads[leaf]);
        }
        dh0.extend(run.h0.iter().flatten().map(|&leaf| grads[leaf]));
    }
    Grads { params, dx, dh0 }
}

impl Params {
    fn parts_mut(&mut self) -> [&mut Vec<f64>; 6] {
        let Self { w_ih, w_hh, b_ih, b_hh, gain_ih, gain_hh } = self;
        [w_ih, w_hh, b_ih, b_hh, gain_ih, gain_hh]
    }

    /// Every parameter on a tape, in the order of [`Params::parts_mut`].
    fn leaves(&self, tape: &mut Tape) -> [Vector; 6] {
        let Self { w_ih, w_hh, b_ih, b_hh, gain_ih, gain_hh } = self;
        [w_ih, w_hh, b_ih, b_hh, gain_ih, gain_hh].map(|part| tape.leaves(part))
    }
}

/// One sequence of the batch from its first step to its last, on a tape of its own.
struct Run {
    tape: Tape,
    /// As [`Params::leaves`].
    params: [Vector; 6],
    /// K vectors `[H]`: h, and for the LSTM c.
    h0: Vec<Vector>,
    /// For each valid step, in the order of the recurrence: its place `t * B + b`, x, and h after
    /// it.
    steps: Vec<(usize, Vector, Vector)>,
    /// As `h0`.
    last: Vec<Vector>,
}

impl Run {
    fn new(setup: &Setup<'_>, p: &Params, x: &[f64], h0: &[f64], row: usize) -> Self {
        let Setup { cell, seq, input, hidden, .. } = *setup;
        let mut tape = Tape::default();
        let params = p.leaves(&mut tape);
        let width = cell.states() * hidden;
        let h0: Vec<Vector> =
            h0[row * width..][..width].chunks(hidden).map(|part| tape.leaves(part)).collect();
        let mask = state_mask(setup, row).map(|mask| tape.leaves(&mask));

        let len = seq.lengths.map_or(seq.seq_len, |lengths| lengths[row]);
        let (mut state, mut steps) = (h0.clone(), Vec::new());
        for step in 0..len {
            let at = if seq.reverse { len - 1 - step } else { step } * seq.batch + row;
            let x = tape.leaves(&x[at * input..][..input]);
            let seen = mask.as_ref().map_or(state[0].clone(), |mask| tape.mul(&state[0], mask));
            let dropout = candidate_mask(setup, at).map(|mask| tape.leaves(&mask));
            let step = Step { x: &x, seen: &seen, params: &params, dropout: dropout.as_deref() };
            let new = step.run(cell, &state, &mut tape);
            let streams = [Stream::Zoneout, Stream::ZoneoutCell];
            state = (new.iter().zip(&state).zip(streams))
                .map(|((new, old), stream)| {
                    let keep = tape.leaves(&kept(setup, stream, at));
                    tape.blend(&keep, old, new)
                })
                .collect();
            steps.push((at, x, state[0].clone()));
        }
        Self { tape, params, h0, steps, last: state }
    }
}

/// `[H]`: what [`Noise::recurrent_dropout`] multiplies the state of a sequence with before the
/// hidden weights see it.
fn state_mask(setup: &Setup<'_>, row: usize) -> Option<Vec<f64>> {
    let Setup { noise: Noise { seed, recurrent_dropout, .. }, .. } = *setup;
    Some(mask(setup, key(seed?, Stream::State), recurrent_dropout, row))
}

/// `[H]`: what [`Noise::candidate_dropout`] multiplies the candidates with at place
/// `at = t * B + b`.
fn candidate_mask(setup: &Setup<'_>, at: usize) -> Option<Vec<f64>> {
    let Setup { noise: Noise { seed, candidate_dropout, .. }, .. } = *setup;
    Some(mask(setup, key(seed?, Stream::Candidate), candidate_dropout, at))
}

/// `[H]`: inverted dropout of row `row` of a buffer.
fn mask(setup: &Setup<'_>, key: u64, rate: f32, row: usize) -> Vec<f64> {
    let keep = |j| uniform(key, (row * setup.hidden + j) as u32) >= rate;
    let mask = |j| if keep(j) { 1.0 / (1.0 - f64::from(rate)) } else { 0.0 };
    (0..setup.hidden).map(mask).collect()
}

/// `[H]`: the share of the old state that zoneout keeps at place `at = t * B + b`; 0 or 1 if it is
/// drawn.
fn kept(setup: &Setup<'_>, stream: Stream, at: usize) -> Vec<f64> {
    let Setup { hidden, zoneout, noise, .. } = *setup;
    let Some(seed) = noise.seed else { return vec![zoneout; hidden] };
    let key = key(seed, stream);
    // Compared in f32, as the kernels do.
    let keep = |j| uniform(key, (at * hidden + j) as u32) < zoneout as f32;
    (0..hidden).map(|j| if keep(j) { 1.0 } else { 0.0 }).collect()
}

/// One step of a cell.
struct Step<'a> {
    /// `[I]`
    x: &'a [Var],
    /// `[H]`: h as the hidden weights see it.
    seen: &'a [Var],
    params: &'a [Vector; 6],
    /// `[H]`: what the candidate is multiplied with; none: nothing.
    dropout: Option<&'a [Var]>,
}

impl Step<'_> {
    /// The next state, before zoneout. h itself comes through `state`, with the LSTM's c.
    fn run(&self, cell: Cell, state: &[Vector], t: &mut Tape) -> Vec<Vector> {
        let h = &state[0];
        let sum = |gate, t: &mut Tape| {
            let (input, hidden) = (self.input(gate, t), self.hidden(gate, self.seen, t));
            t.add(&input, &hidden)
        };
        let sigmoid_of = |gate, t: &mut Tape| {
            let sum = sum(gate, t);
            t.map(&sum, sigmoid)
        };
        match cell {
            Cell::Gru | Cell::GruV3 => {
                let (r, z, input) = (sigmoid_of(0, t), sigmoid_of(1, t), self.input(2, t));
                let hidden = if cell == Cell::Gru {
                    let q = self.hidden(2, self.seen, t);
                    t.mul(&r, &q)
                } else {
                    let reset = t.mul(&r, self.seen);
                    self.hidden(2, &reset, t)
                };
                let sum = t.add(&input, &hidden);
                let n = t.map(&sum, tanh);
                let n = self.dropped(n, t);
                vec![t.blend(&z, h, &n)]
            }
            Cell::Lstm => {
                let (i, f, o) = (sigmoid_of(0, t), sigmoid_of(1, t), sigmoid_of(3, t));
                let sum = sum(2, t);
                let g = t.map(&sum, tanh);
                let g = self.dropped(g, t);
                let (kept, new) = (t.mul(&f, &state[1]), t.mul(&i, &g));
                let c = t.add(&kept, &new);
                let shown = t.map(&c, tanh);
                vec![t.mul(&o, &shown), c]
            }
            Cell::Rnn | Cell::RnnRelu => {
                let sum = sum(0, t);
                vec![t.map(&sum, if cell == Cell::Rnn { tanh } else { relu })]
            }
            Cell::MinGru => {
                let (z, n) = (self.input(0, t), self.input(1, t));
                let (z, n) = (t.map(&z, sigmoid), t.map(&n, positive));
                let n = self.dropped(n, t);
                vec![t.blend(&z, &n, h)]
            }
        }
    }

    /// `[H]`: the candidate as it joins the state.
    fn dropped(&self, candidate: Vector, t: &mut Tape) -> Vector {
        match self.dropout {
            Some(mask) => t.mul(&candidate, mask),
            None => candidate,
        }
    }

    /// `[H]`: the input's part of a gate's argument.
    fn input(&self, gate: usize, t: &mut Tape) -> Vector {
        let [w_ih, _, b_ih, _, gain_ih, _] = self.params;
        linear([w_ih, b_ih, gain_ih], gate, self.seen.len(), self.x, t)
    }

    /// `[H]`: the product of the hidden weights and `v [H]`, for a gate's argument.
    fn hidden(&self, gate: usize, v: &[Var], t: &mut Tape) -> Vector {
        let [_, w_hh, _, b_hh, _, gain_hh] = self.params;
        linear([w_hh, b_hh, gain_hh], gate, self.seen.len(), v, t)
    }
}

/// `W_g v + b_g`, or `gain_g ⊙ normalised(W_g v) + b_g`.
fn linear(parts: [&Vector; 3], gate: usize, hidden: usize, v: &[Var], t: &mut Tape) -> Vector {
    let [w, b, gain] = parts;
    let rows = w[gate * hidden * v.len()..][..hidden * v.len()].chunks(v.len());
    let mut sum: Vector = rows.map(|row| t.dot(row, v)).collect();
    if !gain.is_empty() {
        let normalised = t.normalised(&sum);
        sum = t.mul(&gain[gate * hidden..][..hidden], &normalised);
    }
    if b.is_empty() { sum } else { t.add(&sum, &b[gate * hidden..][..hidden]) }
}

fn sigmoid(v: f64) -> Point {
    let s = 1.0 / (1.0 + libm::exp(-v));
    (s, s * (1.0 - s))
}

fn tanh(v: f64) -> Point {
    let y = libm::tanh(v);
    (y, 1.0 - y * y)
}

fn relu(v: f64) -> Point {
    if v > 0.0 { (v, 1.0) } else { (0.0, 0.0) }
}

/// The minGRU's g.
fn positive(v: f64) -> Point {
    if v >= 0.0 { (v + 0.5, 1.0) } else { sigmoid(v) }
}
