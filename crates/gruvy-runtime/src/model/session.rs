//! Running a network: step by step or over chunks, with the state carried.
//!
//! ```text
//! steps [T, B] or [T, B, I] ─ layer 0 ─ … ─ layer L-1 ─> [T, B, D·H] ─ head ─> logits [T, B, V]
//!                state [L·D, B, K·H] in, and out for the next call          └─ pool ─ head ─> logits [B, V]
//! ```
//! Buffers grow to what the largest call needs and are then reused.
use super::capacity::{bytes_of, check_memory};
use super::steps::Steps;
use crate::{
    error::{Error, Result},
    model::{network::Network, pool::Pooled, spec::Pool},
};
use gruvy_kernels::{Noise, Output, Pass, Sequence, Workspace};
use std::sync::Arc;

/// [`Session::feed`] goes in chunks of so many steps, which bounds its memory.
const FEED_STEPS: usize = 256;

/// A running network: `B` independent rows, each with its own state.
#[derive(Debug)]
pub struct Session {
    network: Arc<Network>,
    batch: usize,
    /// `[L·D, B, K·H]`: h, and for the LSTM c behind it
    state: Vec<f32>,
    /// `[B, K·H]`: a layer's state before a chunk.
    before: Vec<f32>,
    /// `[T, B, width]`: what the current layer sees.
    x: Vec<f32>,
    /// `[T, B, H]`: what one direction of it gives.
    y: Vec<f32>,
    /// `[T, B, V]` of the last call; empty before the first step.
    logits: Vec<f32>,
    workspace: Workspace,
}

impl Session {
    /// A session of `batch` rows, with a state of zeros.
    ///
    /// # Errors
    /// [`Error::Setting`] if `batch` is 0.
    pub fn new(network: Arc<Network>, batch: usize) -> Result<Self> {
        if batch == 0 {
            return Err(Error::setting("batch", batch, "at least 1"));
        }
        let values = [network.layers.len(), batch, network.spec().rnn.state_size()];
        check_memory("the state of so many sequences", bytes_of(4, &values))?;
        let state = vec![0.0; network.layers.len() * batch * network.spec().rnn.state_size()];
        let workspace = Workspace::new();
        let (before, x, y, logits) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        Ok(Self { network, batch, state, before, x, y, logits, workspace })
    }

    /// The network.
    pub fn network(&self) -> &Arc<Network> {
        &self.network
    }

    /// `B`, number of rows.
    pub fn batch(&self) -> usize {
        self.batch
    }

    /// Takes one step of every row, `[B]` tokens or `[B, I]` features; gives the logits `[B, V]`.
    ///
    /// # Errors
    /// [`Error::Token`] for a token that is not in the vocabulary, [`Error::Setting`] for a wrong
    /// kind or number of values, [`Error::Bidirectional`] if the network needs the future. The
    /// state is then as before.
    pub fn step<'s>(&mut self, step: impl Into<Steps<'s>>) -> Result<&[f32]> {
        let step = step.into();
        self.one_direction("take single steps")?;
        let seq_len = self.check(step)?;
        if seq_len != 1 {
            return Err(Error::setting("steps", seq_len, "1; run a chunk with `run`"));
        }
        self.load(step);
        let Self { network, batch, state, x, logits, workspace, .. } = self;
        let rnn = &network.spec().rnn;
        let (batch, width) = (*batch, rnn.state_size());
        for (layer, state) in network.layers.iter().zip(state.chunks_exact_mut(batch * width)) {
            layer.step(batch, x, state, workspace);
            x.clear();
            // The next layer sees h.
            state.chunks_exact(width).for_each(|row| x.extend_from_slice(&row[..rnn.hidden_size]));
        }
        logits.resize(batch * network.spec().outputs(), 0.0);
        network.head.apply(batch, x, logits);
        Ok(logits)
    }

    /// Runs over a chunk of T steps, `[T, B]` tokens or `[T, B, I]` features; gives the logits of
    /// every step `[T, B, V]`. The state is carried from call to call, except that a
    /// bidirectional network takes each chunk for a whole sequence and starts from zeros.
    ///
    /// # Errors
    /// As [`Session::step`], without [`Error::Bidirectional`].
    pub fn run<'s>(&mut self, steps: impl Into<Steps<'s>>) -> Result<&[f32]> {
        let steps = steps.into();
        let seq_len = self.check(steps)?;
        if self.network.spec().rnn.bidirectional {
            self.state.fill(0.0);
        }
        self.layers(seq_len, steps, None);
        let outputs = self.network.spec().outputs();
        self.logits.resize(seq_len * self.batch * outputs, 0.0);
        self.network.head.apply(seq_len * self.batch, &self.x, &mut self.logits);
        Ok(&self.logits)
    }

    /// Runs over steps of any number, as a prompt, and gives only the last step's logits `[B, V]`.
    ///
    /// # Errors
    /// As [`Session::step`]; [`Error::Setting`] if there is no step.
    pub fn feed<'s>(&mut self, steps: impl Into<Steps<'s>>) -> Result<&[f32]> {
        let steps = steps.into();
        self.one_direction("be fed piece by piece")?;
        let seq_len = self.check(steps)?;
        if seq_len == 0 {
            return Err(Error::setting("steps", 0, "at least 1"));
        }
        let width = steps.len() / seq_len;
        for from in (0..seq_len).step_by(FEED_STEPS) {
            let to = seq_len.min(from + FEED_STEPS);
            self.layers(to - from, steps.part(from * width, to * width), None);
        }
        let last = self.x.len() - self.batch * self.network.spec().rnn.output_size();
        self.logits.resize(self.batch * self.network.spec().outputs(), 0.0);
        self.network.head.apply(self.batch, &self.x[last..], &mut self.logits);
        Ok(&self.logits)
    }

    /// Reads whole sequences from zeros, of `lengths [B]` steps each, at least one; gives the
    /// head's answer about each as a whole, `[B, V]`, by the spec's
    /// [`Pool`](crate::model::Pool). What stands past a sequence's length has no effect.
    ///
    /// # Errors
    /// As [`Session::run`]; [`Error::Setting`] for a length that is 0 or beyond the steps, and for
    /// a network that answers at every step.
    pub fn pool<'s>(&mut self, steps: impl Into<Steps<'s>>, lengths: &[usize]) -> Result<&[f32]> {
        let steps = steps.into();
        let seq_len = self.check(steps)?;
        let (network, batch) = (self.network.clone(), self.batch);
        let Some(pool) = network.spec().pool else {
            return Err(Error::setting("pool", "none", "a network with a pool"));
        };
        if lengths.len() != batch || lengths.iter().any(|len| *len == 0 || *len > seq_len) {
            let expected = format!("{batch} numbers from 1 to {seq_len}");
            return Err(Error::setting("lengths", format!("{lengths:?}"), expected));
        }
        self.state.fill(0.0);
        self.layers(seq_len, steps, Some(lengths));
        let width = network.spec().rnn.output_size();
        let mut pooled = vec![0.0; batch * width];
        for (row, (pooled, len)) in pooled.chunks_exact_mut(width).zip(lengths).enumerate() {
            if pool == Pool::Last {
                self.last(row, pooled);
                continue;
            }
            let mut sum = Pooled::new(pool, width);
            for t in 0..*len {
                sum.push(&self.x[(t * batch + row) * width..][..width], &network.attention);
            }
            sum.read(pooled);
        }
        self.logits.resize(batch * network.spec().outputs(), 0.0);
        network.head.apply(batch, &pooled, &mut self.logits);
        Ok(&self.logits)
    }

    /// The top layer's h of one row, both directions side by side, into `to [D·H]`.
    pub(crate) fn last(&self, row: usize, to: &mut [f32]) {
        let rnn = &self.network.spec().rnn;
        let (hidden, width) = (rnn.hidden_size, rnn.state_size());
        let top = self.state.len() - rnn.directions() * self.batch * width;
        let directions = self.state[top..].chunks_exact(self.batch * width);
        for (state, to) in directions.zip(to.chunks_exact_mut(hidden)) {
            to.copy_from_slice(&state[row * width..][..hidden]);
        }
    }

    /// The logits `[B, V]` of the last step taken; empty before the first.
    pub fn logits(&self) -> &[f32] {
        let len = self.batch * self.network.spec().outputs();
        &self.logits[self.logits.len().saturating_sub(len)..]
    }

    /// The logits `[V]` of one row of the last step taken; none before the first, or beyond the
    /// batch.
    pub fn row_logits(&self, row: usize) -> Option<&[f32]> {
        self.logits().chunks_exact(self.network.spec().outputs()).nth(row)
    }

    /// The state `[L·D, B, K·H]`: h, and for the LSTM c behind it.
    pub fn state(&self) -> &[f32] {
        &self.state
    }

    /// Continues from `state [L·D, B, K·H]`, as [`Session::state`] gave it.
    ///
    /// # Errors
    /// [`Error::Setting`] for another length; [`Error::Bidirectional`] if the network carries no
    /// state.
    pub fn set_state(&mut self, state: &[f32]) -> Result<()> {
        self.one_direction("continue from a state")?;
        if state.len() != self.state.len() {
            let expected = format!("{} (layers × batch × hidden size)", self.state.len());
            return Err(Error::setting("state length", state.len(), expected));
        }
        self.state.copy_from_slice(state);
        Ok(())
    }

    /// Sets the state of every row to zeros.
    pub fn reset(&mut self) {
        self.state.fill(0.0);
        self.logits.clear();
    }

    /// Sets the state of one row to zeros, as for a new conversation beside others.
    ///
    /// # Errors
    /// [`Error::Setting`] if there is no such row.
    pub fn reset_row(&mut self, row: usize) -> Result<()> {
        if row >= self.batch {
            return Err(Error::setting("row", row, format!("below the batch size {}", self.batch)));
        }
        let width = self.network.spec().rnn.state_size();
        for state in self.state.chunks_exact_mut(self.batch * width) {
            state[row * width..][..width].fill(0.0);
        }
        Ok(())
    }

    fn one_direction(&self, action: &'static str) -> Result<()> {
        match self.network.spec().rnn.bidirectional {
            true => Err(Error::Bidirectional { action }),
            false => Ok(()),
        }
    }

    /// The number of steps, after a check of everything about them.
    fn check(&self, steps: Steps<'_>) -> Result<usize> {
        let width = match (steps, self.network.vocab()) {
            (Steps::Tokens(tokens), Some(vocab)) => {
                if let Some(token) = tokens.iter().find(|token| **token as usize >= vocab) {
                    return Err(Error::Token { token: *token, vocab });
                }
                1
            }
            (Steps::Features(_), None) => self.network.spec().rnn.input_size,
            (Steps::Tokens(_), None) => return Err(Error::setting("input", "tokens", "features")),
            (Steps::Features(_), Some(_)) => {
                return Err(Error::setting("input", "features", "tokens"));
            }
        };
        let step = self.batch * width;
        if !steps.len().is_multiple_of(step) {
            let expected = format!("a multiple of {step} (batch × values of a row)");
            return Err(Error::setting("number of values", steps.len(), expected));
        }
        Ok(steps.len() / step)
    }

    /// Puts what the first layer sees into `x`.
    fn load(&mut self, steps: Steps<'_>) {
        self.x.clear();
        match steps {
            Steps::Features(values) => self.x.extend_from_slice(values),
            Steps::Tokens(tokens) => {
                let dim = self.network.spec().input.width();
                for token in tokens {
                    let row = &self.network.embedding[*token as usize * dim..][..dim];
                    self.x.extend_from_slice(row);
                }
            }
        }
    }

    /// Runs every layer over checked steps; `x` is then what the top layer gives, `[T, B, D·H]`.
    fn layers(&mut self, seq_len: usize, steps: Steps<'_>, lengths: Option<&[usize]>) {
        self.load(steps);
        if seq_len == 0 {
            return;
        }
        let Self { network, batch, state, before, x, y, workspace, .. } = self;
        let rnn = &network.spec().rnn;
        let (hidden, directions, rows) = (rnn.hidden_size, rnn.directions(), seq_len * *batch);
        y.resize(directions * rows * hidden, 0.0);
        let of_direction = *batch * rnn.state_size();
        let states = state.chunks_exact_mut(directions * of_direction);
        for (layer, states) in network.layers.chunks_exact(directions).zip(states) {
            let outputs = y.chunks_exact_mut(rows * hidden);
            let parts = layer.iter().zip(states.chunks_exact_mut(of_direction)).zip(outputs);
            for (direction, ((packed, state), y)) in parts.enumerate() {
                let reverse = direction == 1;
                let seq = Sequence { seq_len, batch: *batch, lengths, reverse };
                before.clear();
                before.extend_from_slice(state);
                let pass =
                    Pass { seq, x, h0: Some(before), noise: Noise::default(), recompute: false };
                packed.forward(&pass, Output { y, last: Some(state), saved: None }, workspace);
            }
            if directions == 1 {
                std::mem::swap(x, y);
                y.resize(rows * hidden, 0.0);
            } else {
                side_by_side(y, hidden, x);
            }
        }
    }
}

/// `[D, rows, H]` to `[rows, D·H]`.
fn side_by_side(y: &[f32], hidden: usize, x: &mut Vec<f32>) {
    let (forward, reverse) = y.split_at(y.len() / 2);
    x.clear();
    for (a, b) in forward.chunks_exact(hidden).zip(reverse.chunks_exact(hidden)) {
        x.extend_from_slice(a);
        x.extend_from_slice(b);
    }
}
