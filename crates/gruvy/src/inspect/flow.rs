//! How far back a gradient reaches: |∂ loss_s / ∂ state_{s−d}| over the distance d.
//!
//! The state is what the layers carry from step to step, of all layers side by side (for the LSTM h
//! and c). The gradient at distance d is that of the loss at s by the state after step s − d, with
//! the inputs of the later steps held fixed; it is averaged over several s. At d = 0 only the top
//! layer has one: the loss is read from it.
//!
//! ```text
//! g_s = ∂ loss_s / ∂ y_s (top);  for t = s, s−1, …: for each layer from the top
//!     (∂ state_{t−1}, ∂ x_t) = backward of step t (g_t, plus ∂ x_t of the layer above)
//! ```
//! A gradient that shrinks by a factor with every step is a straight line on a logarithmic scale:
//! it vanishes, and nothing is learned about what lies further back.
use super::{head::Head, layer::Layer, trace::Trace};
use crate::error::{Error, Result};
use gruvy_kernels::Workspace;
use serde::Serialize;

/// The longest distance that is shown.
pub(super) const MAX_DISTANCE: usize = 1000;

/// At most so many positions s are averaged over.
const POSITIONS: usize = 32;

/// Gradient norms over the distance back in time.
#[derive(Clone, Debug, Serialize)]
pub struct Flow {
    /// `[D + 1]`, distance 0 to D: the norm over the states of all layers, averaged over the
    /// positions.
    pub total: Vec<f64>,
    /// `[L][D + 1]`, of each layer's state alone.
    pub layers: Vec<Vec<f64>>,
    /// The steps s whose losses were taken.
    pub positions: Vec<usize>,
}

impl Trace<'_> {
    /// The gradient flow up to `max_distance` steps back, or as far as the sequence allows: the
    /// positions s are taken from its second half, so that each distance is averaged over the
    /// same positions.
    ///
    /// # Errors
    /// If the model is bidirectional, or there is no step with a target and another before it.
    pub fn gradient_flow(&self, max_distance: usize) -> Result<Flow> {
        if self.model.spec.rnn.bidirectional {
            return Err(Error::Data(
                "a bidirectional model has no gradient flow: its state is not carried one way"
                    .into(),
            ));
        }
        let positions = self.positions()?;
        let distance = max_distance.min(positions[0]);
        let layers = Layer::all(self.model);
        let mut chain = Chain::new(self, &layers, &positions);
        let mut flow =
            Flow { total: Vec::new(), layers: vec![Vec::new(); layers.len()], positions };
        chain.measure(&mut flow);
        for d in 1..=distance {
            chain.step_back(&flow.positions, d);
            chain.measure(&mut flow);
        }
        Ok(flow)
    }

    /// Steps with a loss, from the second half of the sequence, evenly spread.
    fn positions(&self) -> Result<Vec<usize>> {
        let asked: Vec<usize> = (1..self.steps()).filter(|t| self.losses[*t].is_some()).collect();
        let Some(last) = asked.last() else {
            let what = "gradient flow needs a step with a target and a step before it: give a longer input";
            return Err(Error::Data(what.into()));
        };
        let late: Vec<usize> = asked.iter().copied().filter(|t| t * 2 >= *last).collect();
        let count = late.len().min(POSITIONS);
        Ok((1..=count).map(|i| late[i * late.len() / count - 1]).collect())
    }
}

/// The backward pass of several positions side by side, one step at a time.
struct Chain<'a, 'm> {
    trace: &'a Trace<'m>,
    layers: &'a [Layer<'m>],
    /// `[L][P, K·H]`, the gradient by each layer's state.
    states: Vec<Vec<f32>>,
    ws: Workspace,
}

impl<'a, 'm> Chain<'a, 'm> {
    /// At distance 0: the loss is read from the top layer's output.
    fn new(trace: &'a Trace<'m>, layers: &'a [Layer<'m>], positions: &[usize]) -> Self {
        let head = Head::new(trace.model);
        let top = layers.len() - 1;
        let hidden = layers[top].hidden;
        let mut states: Vec<_> =
            layers.iter().map(|layer| vec![0.0; positions.len() * layer.state()]).collect();
        let rows = states[top].chunks_exact_mut(layers[top].state());
        for (row, &s) in rows.zip(positions) {
            let y = &trace.layers[top].states()[s * hidden..][..hidden];
            row[..hidden].copy_from_slice(&head.gradient(y, &trace.example.targets[s]));
        }
        Self { trace, layers, states, ws: Workspace::new() }
    }

    /// From distance `d − 1` to `d`.
    fn step_back(&mut self, positions: &[usize], d: usize) {
        let steps: Vec<usize> = positions.iter().map(|s| s + 1 - d).collect();
        let mut dy = vec![0.0; steps.len() * self.layers[0].hidden];
        for (index, layer) in self.layers.iter().enumerate().rev() {
            let mut dx = vec![0.0; steps.len() * layer.input];
            let record = &self.trace.layers[index].record;
            layer.back(record, &steps, (&dy, &mut self.states[index], &mut dx), &mut self.ws);
            dy = dx;
        }
    }

    /// Adds the mean norms of the present distance.
    fn measure(&self, flow: &mut Flow) {
        let count = flow.positions.len();
        let mut totals = vec![0.0; count];
        for (states, norms) in self.states.iter().zip(&mut flow.layers) {
            let squares = states.chunks_exact(states.len() / count);
            let squares: Vec<f64> =
                squares.map(|row| row.iter().map(|v| f64::from(*v).powi(2)).sum()).collect();
            norms.push(squares.iter().map(|s| s.sqrt()).sum::<f64>() / count as f64);
            totals.iter_mut().zip(squares).for_each(|(total, square)| *total += square);
        }
        flow.total.push(totals.iter().map(|t| t.sqrt()).sum::<f64>() / count as f64);
    }
}
