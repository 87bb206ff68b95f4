//! What every gate and unit of a model did on one sequence.
use super::layer::{Layer, Record};
use super::{
    example::{Example, Inputs, Target},
    head::Head,
};
use crate::error::{Error, Result};
use gruvy_kernels::Cell;
use gruvy_runtime::model::{Input, ModelFile};

/// A model's gates, states and losses on one sequence of T steps.
#[derive(Clone, Debug)]
pub struct Trace<'m> {
    /// The model.
    pub model: &'m ModelFile,
    /// What it was given.
    pub example: Example,
    /// Every layer from below, forward before reverse.
    pub layers: Vec<LayerTrace>,
    /// `[T]` the loss at each step, in nats for a class; none where nothing was asked.
    pub losses: Vec<Option<f64>>,
}

/// What one layer and direction did.
#[derive(Clone, Debug)]
pub struct LayerTrace {
    /// From 0, the one that reads the input.
    pub layer: usize,
    /// Whether it runs from the end of the sequence to its start.
    pub reverse: bool,
    /// The recurrence.
    pub cell: Cell,
    /// `H`
    pub hidden: usize,
    /// The gates, in the order of the weights; none for the plain RNN, whose one activation is its
    /// state.
    pub gates: Vec<GateTrace>,
    zoneout: f64,
    pub(super) record: Record,
}

/// What one gate of a layer did.
#[derive(Clone, Debug)]
pub struct GateTrace {
    /// Such as "update".
    pub name: &'static str,
    /// `[T, H]`, after the gate's activation.
    pub values: Vec<f32>,
}

/// How often a gate stood at its ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Saturation {
    /// Share of values below 0.1 (below −0.9 for one that goes from −1).
    pub low: f64,
    /// Share of values above 0.9.
    pub high: f64,
}

impl<'m> Trace<'m> {
    /// Runs the model over the example, from a state of zeros.
    ///
    /// # Errors
    /// If the model is not valid, or the example is empty or not of the model's kind.
    pub fn new(model: &'m ModelFile, example: Example) -> Result<Self> {
        model.validate()?;
        check(model, &example)?;
        let rnn = &model.spec.rnn;
        let (steps, directions) = (example.steps(), rnn.directions());
        let mut x = embed(model, &example.inputs);
        let mut layers = Vec::new();
        for (index, pair) in Layer::all(model).chunks(directions).enumerate() {
            let mut below = vec![0.0; steps * rnn.output_size()];
            for (direction, layer) in pair.iter().enumerate() {
                let record = layer.run(x.clone());
                let columns = below.chunks_exact_mut(rnn.output_size());
                for (to, y) in columns.zip(record.y.chunks_exact(rnn.hidden_size)) {
                    to[direction * rnn.hidden_size..][..rnn.hidden_size].copy_from_slice(y);
                }
                layers.push(LayerTrace::new(index, layer, record));
            }
            x = below;
        }
        let head = Head::new(model);
        let outputs = x.chunks_exact(rnn.output_size());
        let losses = outputs.zip(&example.targets).map(|(y, target)| head.loss(y, target));
        let losses = losses.collect();
        Ok(Self { model, layers, losses, example })
    }

    /// `T`
    pub fn steps(&self) -> usize {
        self.example.steps()
    }

    /// The mean of the losses that are there.
    pub fn mean_loss(&self) -> Option<f64> {
        let losses: Vec<f64> = self.losses.iter().copied().flatten().collect();
        (!losses.is_empty()).then(|| losses.iter().sum::<f64>() / losses.len() as f64)
    }
}

impl LayerTrace {
    fn new(index: usize, layer: &Layer<'_>, record: Record) -> Self {
        let (cell, hidden) = (layer.cell, layer.hidden);
        let size = layer.saved() * hidden;
        let values = |block: usize| {
            let steps = record.saved.chunks_exact(size);
            steps.flat_map(|step| &step[block * hidden..][..hidden]).copied().collect()
        };
        let gates = cell.gate_names().iter().zip(cell.gate_blocks());
        let gates = gates.map(|(name, block)| GateTrace { name, values: values(*block) });
        let gates = if cell.gates() > 1 { gates.collect() } else { Vec::new() };
        let (reverse, zoneout) = (layer.reverse, layer.zoneout());
        Self { layer: index, reverse, cell, hidden, gates, zoneout, record }
    }

    /// `[T, H]`, the output h after each step.
    pub fn states(&self) -> &[f32] {
        &self.record.y
    }

    /// `[T]`, the Euclidean norm of the output h after each step.
    pub fn state_norms(&self) -> Vec<f64> {
        let norm = |h: &[f32]| h.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>().sqrt();
        self.states().chunks_exact(self.hidden).map(norm).collect()
    }

    /// `[H]`, how much of its state each unit keeps in a step, on average over the sequence: the
    /// mean of the GRU's update gate, of the LSTM's forget gate, of 1 − z for the minGRU; with
    /// zoneout p, p + (1 − p) times that. None for a cell without such a gate.
    pub fn keep(&self) -> Option<Vec<f64>> {
        let (gate, complement) = self.cell.keep_gate()?;
        let gate = &self.gates[gate];
        let mean = gate.unit_means(self.hidden);
        let keep = mean.into_iter().map(|m| if complement { 1.0 - m } else { m });
        Some(keep.map(|keep| self.zoneout + (1.0 - self.zoneout) * keep).collect())
    }

    /// `[H]`, after how many steps half of what a unit held is gone: ln ½ / ln k for a unit that
    /// keeps k a step. Infinite if it keeps everything. None for a cell without a gate that
    /// keeps.
    pub fn half_lives(&self) -> Option<Vec<f64>> {
        Some(self.keep()?.into_iter().map(half_life).collect())
    }
}

impl GateTrace {
    /// Whether it is a sigmoid, and goes from 0 to 1; the others go from −1 to 1, or are not
    /// bounded.
    pub fn is_sigmoid(&self) -> bool {
        !matches!(self.name, "new" | "cell")
    }

    /// `[H]`, each unit's mean over the sequence.
    pub fn unit_means(&self, hidden: usize) -> Vec<f64> {
        let mut sums = vec![0.0; hidden];
        for step in self.values.chunks_exact(hidden) {
            sums.iter_mut().zip(step).for_each(|(sum, v)| *sum += f64::from(*v));
        }
        let steps = (self.values.len() / hidden).max(1) as f64;
        sums.into_iter().map(|sum| sum / steps).collect()
    }

    /// How often the gate stood at its ends.
    pub fn saturation(&self) -> Saturation {
        let floor = if self.is_sigmoid() { 0.1 } else { -0.9 };
        let share = |at_end: &dyn Fn(f32) -> bool| {
            let count = self.values.iter().filter(|v| at_end(**v)).count();
            count as f64 / self.values.len().max(1) as f64
        };
        Saturation { low: share(&|v| v < floor), high: share(&|v| v > 0.9) }
    }
}

/// Steps until half is left when `keep` is left after each.
pub(super) fn half_life(keep: f64) -> f64 {
    match keep {
        k if k <= 0.0 => 0.0,
        k if k >= 1.0 => f64::INFINITY,
        k => 0.5f64.ln() / k.ln(),
    }
}

/// What the first layer sees, `[T, I]`.
fn embed(model: &ModelFile, inputs: &Inputs) -> Vec<f32> {
    match inputs {
        Inputs::Features(values) => values.clone(),
        Inputs::Tokens(tokens) => {
            let dim = model.spec.input.width();
            let table = model.tensors.get("embedding.weight").map_or(&[][..], |t| &t.data);
            let row = |token: &u32| &table[*token as usize * dim..][..dim];
            tokens.iter().flat_map(row).copied().collect()
        }
    }
}

/// Kind, lengths and ranges of an example.
fn check(model: &ModelFile, example: &Example) -> Result<()> {
    let (steps, outputs) = (example.steps(), model.spec.outputs());
    let wrong = |what: String| Err(Error::Data(format!("the example cannot be shown: {what}")));
    if steps == 0 {
        return wrong("it has no steps".into());
    }
    let got = match (&example.inputs, &model.spec.input) {
        (Inputs::Tokens(tokens), Input::Embedding { vocab, .. }) => {
            if let Some(token) = tokens.iter().find(|token| **token as usize >= *vocab) {
                return wrong(format!("token {token}, the model has {vocab}"));
            }
            tokens.len()
        }
        (Inputs::Features(values), Input::Features { size }) => values.len() / size,
        _ => return wrong("the model takes tokens and it has features, or the reverse".into()),
    };
    if got != steps || example.labels.len() != steps {
        let labels = example.labels.len();
        return wrong(format!(
            "{got} inputs, {labels} labels, {steps} targets; all must be as many"
        ));
    }
    let fits = |target: &Target| match target {
        Target::None => true,
        Target::Class(class) => (*class as usize) < outputs,
        Target::Values(values) => values.len() == outputs,
    };
    match example.targets.iter().position(|target| !fits(target)) {
        Some(at) => wrong(format!("target {at} does not fit the model's {outputs} outputs")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_lives_are_those_of_a_known_decay() {
        assert!((half_life(0.5) - 1.0).abs() < 1e-12);
        assert!((half_life(0.5f64.powf(1.0 / 37.0)) - 37.0).abs() < 1e-9);
        assert_eq!(half_life(0.0), 0.0);
        assert_eq!(half_life(1.0), f64::INFINITY);
    }

    #[test]
    fn a_gates_ends_and_means_are_counted() {
        let gate = |name| GateTrace { name, values: vec![0.05, 0.95, 0.2, 1.0, -0.95, 0.5] };
        assert_eq!(gate("update").saturation(), Saturation { low: 2.0 / 6.0, high: 2.0 / 6.0 });
        assert_eq!(gate("new").saturation(), Saturation { low: 1.0 / 6.0, high: 2.0 / 6.0 });
        let means = gate("update").unit_means(2);
        assert!((means[0] + 0.7 / 3.0).abs() < 1e-6 && (means[1] - 2.45 / 3.0).abs() < 1e-6);
    }
}
