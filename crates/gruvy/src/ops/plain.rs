//! The recurrence in ordinary tensor operations: differentiable by composition, on any backend.
use super::call::{Head, Noise, Settings, Weights, hidden_size, steps_past_end, stream};
use crate::nn::loss::cross_entropy;
use burn::tensor::{Bool, Device, Int, Tensor, TensorData, activation::relu, activation::sigmoid};
use gruvy_kernels::{self as kernels, Cell, NORM_EPSILON};

/// The same function as [`recurrence`](super::recurrence), one tensor operation at a time. It runs
/// where there are no kernels, and the tests hold the kernels against it.
///
/// # Panics
/// If shapes do not fit each other.
pub fn plain(
    settings: &Settings,
    x: Tensor<3>,
    h0: Option<Tensor<2>>,
    weights: Weights,
) -> (Tensor<3>, Tensor<2>) {
    let [seq_len, batch, input] = x.dims();
    let (cell, device) = (settings.cell, x.device());
    let hidden = hidden_size(cell, &weights);
    let past = settings.lengths.as_deref().map(|l| steps_past_end(l, seq_len, &device));
    let x = match &past {
        Some(past) => x.mask_fill(past.clone().expand([seq_len, batch, input]), 0.0),
        None => x,
    };
    let x = match settings.noise {
        Some(noise) => drop_input(noise, x),
        None => x,
    };
    let gates = x.reshape([seq_len * batch, input]).matmul(weights.w_ih.clone().transpose());
    let gates = add(normalise(gates, cell.gates(), weights.gain_ih.clone()), weights.b_ih.clone());
    let gates = gates.reshape([seq_len, batch, cell.gates() * hidden]);

    let step = Step::new(settings, weights, [seq_len, batch, hidden], &device);
    let state = h0.unwrap_or_else(|| Tensor::zeros([batch, cell.states() * hidden], &device));
    if cell == Cell::MinGru && past.is_none() && settings.zoneout == 0.0 {
        let y = scan(gates, step.candidate, state, settings.reverse);
        let last = y.clone().narrow(0, if settings.reverse { 0 } else { seq_len - 1 }, 1);
        return (y, last.squeeze_dim::<2>(0));
    }
    step.all(gates, state, past)
}

/// The same function as [`linear_cross_entropy`](super::linear_cross_entropy), one tensor operation
/// at a time.
///
/// # Panics
/// If shapes do not fit each other.
pub fn plain_head(head: Head, targets: Tensor<1, Int>, smoothing: f64) -> Tensor<1> {
    let x = match head.dropout {
        Some(dropout) => {
            let [rows, inputs] = head.x.dims();
            let mask = TensorData::new(mask(dropout, rows * inputs), [rows, inputs]);
            let mask = Tensor::from_data(mask, &head.x.device());
            head.x * mask
        }
        None => head.x,
    };
    let logits = x.matmul(head.weight.transpose()) + head.bias.unsqueeze();
    cross_entropy(logits, targets, smoothing, None)
}

/// x with its masks.
fn drop_input(noise: Noise, x: Tensor<3>) -> Tensor<3> {
    let [seq_len, batch, input] = x.dims();
    let len = seq_len * batch * input;
    let rates = [(noise.dropout, 0, None), (noise.input_dropout, 1, Some(batch * input))];
    rates.into_iter().fold(x, |x, (rate, n, period)| {
        let seed = stream(noise.seed, n);
        let mask = mask(kernels::Dropout { rate, seed, period }, len);
        let mask = Tensor::from_data(TensorData::new(mask, x.dims()), &x.device());
        x * mask
    })
}

/// What a mask makes of ones.
fn mask(drop: kernels::Dropout, len: usize) -> Vec<f32> {
    let mut mask = vec![1.0; len];
    drop.apply(&mut mask);
    mask
}

/// Layer normalisation of each of the `gates` of v `[N, gates * H]`, if there are gains.
fn normalise(v: Tensor<2>, gates: usize, gain: Option<Tensor<1>>) -> Tensor<2> {
    let Some(gain) = gain else { return v };
    let [rows, width] = v.dims();
    let v = v.reshape([rows, gates, width / gates]);
    let v = v.clone() - v.mean_dim(2);
    let variance = v.clone().powi_scalar(2).mean_dim(2);
    let v = v / (variance + NORM_EPSILON).sqrt();
    v.reshape([rows, width]) * gain.unsqueeze()
}

fn add(v: Tensor<2>, bias: Option<Tensor<1>>) -> Tensor<2> {
    match bias {
        Some(bias) => v + bias.unsqueeze(),
        None => v,
    }
}

/// What all steps share.
struct Step {
    cell: Cell,
    hidden: usize,
    reverse: bool,
    /// `[H, G * H]`, masked; empty for a cell without.
    w_hh: Option<Tensor<2>>,
    b_hh: Option<Tensor<1>>,
    gain_hh: Option<Tensor<1>>,
    /// `[B, H]`
    state_mask: Option<Tensor<2>>,
    /// `[T, B, H]`
    candidate: Option<Tensor<3>>,
    zoneout: f32,
    /// `[T, B, H]` for each vector of the state; none: the mean.
    kept: Vec<Tensor<3>>,
}

impl Step {
    fn new(
        settings: &Settings,
        weights: Weights,
        [seq_len, batch, hidden]: [usize; 3],
        device: &Device,
    ) -> Self {
        let noise = settings.noise.unwrap_or_default();
        let direction = u64::from(settings.reverse);
        let w_hh = weights.w_hh.map(|w| {
            let seed = stream(noise.seed, 2 + direction);
            let drop = kernels::Dropout { rate: noise.weight_dropout, seed, period: None };
            let shape = w.dims();
            let mask = TensorData::new(mask(drop, shape[0] * shape[1]), shape);
            (w * Tensor::from_data(mask, device)).transpose()
        });
        let drawn = settings.kernel_noise();
        let tensor = |mask: Vec<f32>| {
            Tensor::from_data(TensorData::new(mask, [seq_len, batch, hidden]), device)
        };
        let len = seq_len * batch * hidden;
        let kept = (0..settings.cell.states())
            .filter_map(|part| drawn.zoneout_mask(settings.zoneout, part, len).map(tensor))
            .collect();
        Self {
            cell: settings.cell,
            hidden,
            reverse: settings.reverse,
            w_hh,
            b_hh: weights.b_hh,
            gain_hh: weights.gain_hh,
            state_mask: (drawn.state_mask(batch * hidden))
                .map(|mask| Tensor::from_data(TensorData::new(mask, [batch, hidden]), device)),
            candidate: drawn.candidate_mask(len).map(tensor),
            zoneout: settings.zoneout,
            kept,
        }
    }

    /// All steps, one after the other: gates `[T, B, G * H]`, state `[B, K * H]`, steps past the
    /// ends `[T, B, 1]`.
    fn all(
        &self,
        gates: Tensor<3>,
        mut state: Tensor<2>,
        past: Option<Tensor<3, Bool>>,
    ) -> (Tensor<3>, Tensor<2>) {
        let [seq_len, batch, _] = gates.dims();
        let mut y = Vec::with_capacity(seq_len);
        for step in 0..seq_len {
            let t = if self.reverse { seq_len - 1 - step } else { step };
            let at = gates.clone().narrow(0, t, 1).squeeze_dim::<2>(0);
            let next = self.next(t, at, state.clone());
            let h = |state: &Tensor<2>| state.clone().narrow(1, 0, self.hidden);
            match &past {
                None => {
                    state = next;
                    y.push(h(&state));
                }
                Some(past) => {
                    let past = past.clone().narrow(0, t, 1).squeeze_dim::<2>(0);
                    let width = self.cell.states() * self.hidden;
                    state = next.mask_where(past.clone().expand([batch, width]), state);
                    y.push(h(&state).mask_fill(past.expand([batch, self.hidden]), 0.0));
                }
            }
        }
        if self.reverse {
            y.reverse();
        }
        (Tensor::stack(y, 0), state)
    }

    /// `count` gates of the hidden part from `first` on, of what the hidden weights see of a state.
    fn product(&self, seen: Tensor<2>, first: usize, count: usize) -> Tensor<2> {
        let (from, len) = (first * self.hidden, count * self.hidden);
        let w_hh = self.w_hh.clone().expect("checked: a cell with hidden gates has w_hh");
        let gain = self.gain_hh.clone().map(|g| g.narrow(0, from, len));
        let bias = self.b_hh.clone().map(|b| b.narrow(0, from, len));
        add(normalise(seen.matmul(w_hh.narrow(1, from, len)), count, gain), bias)
    }

    /// One step: input part of the gates `[B, G * H]`, state `[B, K * H]` → the next state.
    fn next(&self, t: usize, gates: Tensor<2>, state: Tensor<2>) -> Tensor<2> {
        let hidden = self.hidden;
        let part = |v: &Tensor<2>, n: usize| v.clone().narrow(1, n * hidden, hidden);
        let h = part(&state, 0);
        let seen = match &self.state_mask {
            Some(mask) => h.clone() * mask.clone(),
            None => h.clone(),
        };
        let sum = || gates.clone() + self.product(seen.clone(), 0, self.cell.hidden_gates());
        match self.cell {
            Cell::Gru => {
                let from_h = self.product(seen.clone(), 0, 3);
                let r = sigmoid(part(&gates, 0) + part(&from_h, 0));
                let z = sigmoid(part(&gates, 1) + part(&from_h, 1));
                let n = self.dropped(t, (part(&gates, 2) + r * part(&from_h, 2)).tanh());
                self.zoned(t, 0, n.clone() + z * (h.clone() - n), h)
            }
            Cell::GruV3 => {
                let from_h = self.product(seen.clone(), 0, 2);
                let r = sigmoid(part(&gates, 0) + part(&from_h, 0));
                let z = sigmoid(part(&gates, 1) + part(&from_h, 1));
                let n = (part(&gates, 2) + self.product(r * seen, 2, 1)).tanh();
                let n = self.dropped(t, n);
                self.zoned(t, 0, n.clone() + z * (h.clone() - n), h)
            }
            Cell::Lstm => {
                let (sum, c) = (sum(), part(&state, 1));
                let [i, f, o] = [0, 1, 3].map(|gate| sigmoid(part(&sum, gate)));
                let next = f * c.clone() + i * self.dropped(t, part(&sum, 2).tanh());
                let h = self.zoned(t, 0, o * next.clone().tanh(), h);
                Tensor::cat(vec![h, self.zoned(t, 1, next, c)], 1)
            }
            Cell::Rnn => self.zoned(t, 0, sum().tanh(), h),
            Cell::RnnRelu => self.zoned(t, 0, relu(sum()), h),
            Cell::MinGru => {
                let (z, n) = min_gru_gates(gates);
                let n = self.dropped(t, n);
                self.zoned(t, 0, h.clone() + z * (n - h.clone()), h)
            }
            other => panic!("recurrence: no plain form of the cell {}", other.name()),
        }
    }

    /// The candidate as it joins the state.
    fn dropped(&self, t: usize, candidate: Tensor<2>) -> Tensor<2> {
        match &self.candidate {
            Some(mask) => candidate * mask.clone().narrow(0, t, 1).squeeze_dim::<2>(0),
            None => candidate,
        }
    }

    /// Vector `part` of the next state: zoneout between what the cell computes and what was there.
    fn zoned(&self, t: usize, part: usize, new: Tensor<2>, old: Tensor<2>) -> Tensor<2> {
        if self.zoneout == 0.0 {
            return new;
        }
        let change = old - new.clone();
        match self.kept.get(part) {
            Some(kept) => new + change * kept.clone().narrow(0, t, 1).squeeze_dim::<2>(0),
            None => new + change * self.zoneout,
        }
    }
}

/// z and n of gates `[.., 2 * H]`.
fn min_gru_gates<const D: usize>(gates: Tensor<D>) -> (Tensor<D>, Tensor<D>) {
    let hidden = gates.dims()[D - 1] / 2;
    let v = gates.clone().narrow(D - 1, hidden, hidden);
    let negative = v.clone().lower_elem(0.0);
    let n = (v.clone() + 0.5).mask_where(negative, sigmoid(v));
    (sigmoid(gates.narrow(D - 1, 0, hidden)), n)
}

/// The minGRU's states from its gates `[T, B, 2 * H]`, and the mask `[T, B, H]` of its candidates,
/// by a parallel scan (Hillis and Steele, 1986).
///
/// ```text
/// h_t = a_t h_{t−1} + b_t,  a = 1 − z,  b = z n
/// in rounds d = 1, 2, 4, …:  b_t += a_t b_{t−d}    a_t *= a_{t−d}
/// ```
/// log₂ T rounds of whole-sequence operations. The paper divides by cumulative products, and has to
/// go through logarithms of positive numbers for it; composing the steps' maps divides by nothing
/// and takes any h0.
fn scan(gates: Tensor<3>, mask: Option<Tensor<3>>, h0: Tensor<2>, reverse: bool) -> Tensor<3> {
    let [seq_len, batch, width] = gates.dims();
    let (z, n) = min_gru_gates(gates);
    let n = match mask {
        Some(mask) => n * mask,
        None => n,
    };
    let (mut a, mut b) = (z.clone().neg() + 1.0, z * n);
    let hidden = width / 2;
    let shifted = |v: &Tensor<3>, by: usize, fill: f32| {
        let edge = Tensor::full([by, batch, hidden], fill, &v.device());
        let rest = seq_len - by;
        match reverse {
            false => Tensor::cat(vec![edge, v.clone().narrow(0, 0, rest)], 0),
            true => Tensor::cat(vec![v.clone().narrow(0, by, rest), edge], 0),
        }
    };
    let mut by = 1;
    while by < seq_len {
        b = b.clone() + a.clone() * shifted(&b, by, 0.0);
        a = a.clone() * shifted(&a, by, 1.0);
        by *= 2;
    }
    a * h0.unsqueeze_dim(0) + b
}
