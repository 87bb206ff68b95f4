//! The numbers that a page or a picture shows, and `gruvy inspect --json` prints: a trace, bounded.
//!
//! A long sequence through a wide model has millions of gate values. A report keeps those of the
//! first steps and of some units, chosen along the whole range of half-lives, and says in its notes
//! what it left out. What is counted (half-lives, saturation, mean loss, flow) is over all steps of
//! the trace and all units.
use super::flow::{Flow, MAX_DISTANCE};
use super::trace::{GateTrace, LayerTrace, Trace};
use crate::error::{Error, Result};
use gruvy_runtime::{Codec, model::ModelFile};
use serde::Serialize;

/// At most so many gate values in a report: about a megabyte of page.
const MAX_VALUES: usize = 150_000;
/// At most so many half-lives a layer in the curve.
const MAX_HALF_LIVES: usize = 2048;

/// What of a trace goes into a report.
#[derive(Clone, Debug)]
pub struct ReportConfig {
    /// Only this layer, from 0; none: all.
    pub layer: Option<usize>,
    /// Steps shown one by one, from the first.
    pub steps: usize,
    /// Units shown one by one, per layer and direction.
    pub units: usize,
}

impl Default for ReportConfig {
    fn default() -> Self {
        Self { layer: None, steps: 100, units: 32 }
    }
}

/// What is shown of one model on N steps, or of the gradient flow of several.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Every model: one, or those that are compared.
    pub models: Vec<Summary>,
    /// `[N]` what stands under each step.
    pub labels: Vec<String>,
    /// `[N]` the loss at each step; empty for several models.
    pub losses: Vec<Option<f64>>,
    /// What the layers did; empty for several models.
    pub layers: Vec<LayerReport>,
    /// Gradient flow, one line a layer and one for all, or one a model; empty if there is none.
    pub flow: Vec<FlowLine>,
    /// What was left out, and why.
    pub notes: Vec<String>,
}

/// What a model is, in a line.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    /// The file or folder, as it was given.
    pub name: String,
    /// The task.
    pub task: String,
    /// The cell's name.
    pub cell: &'static str,
    /// `H`
    pub hidden: usize,
    /// `L`
    pub layers: usize,
    /// Number of trained values.
    pub parameters: usize,
    /// Mean loss on the sequence.
    pub mean_loss: Option<f64>,
}

/// What one layer and direction did.
#[derive(Clone, Debug, Serialize)]
pub struct LayerReport {
    /// From 0.
    pub layer: usize,
    /// Whether it runs from the end.
    pub reverse: bool,
    /// `H`
    pub hidden: usize,
    /// The units that the maps show, by half-life, longest first (by number if the cell has none).
    pub units: Vec<usize>,
    /// The gates, then the state.
    pub maps: Vec<Map>,
    /// `[N]` norm of the state.
    pub norms: Vec<f64>,
    /// Half-lives in steps with their units, longest first; infinite is `null` in JSON. Empty if
    /// the cell has none.
    pub half_lives: Vec<(usize, f64)>,
}

/// A heat map.
#[derive(Clone, Debug, Serialize)]
pub struct Map {
    /// "update gate", "state".
    pub name: String,
    /// The values' range: 0 to 1, or symmetric about 0.
    pub range: [f64; 2],
    /// Share of all values below the lowest and above the highest tenth; none for the state.
    pub saturation: Option<[f64; 2]>,
    /// One row a unit, `[units][N]`, to three digits.
    pub rows: Vec<Vec<f64>>,
}

/// One line of the gradient flow.
#[derive(Clone, Debug, Serialize)]
pub struct FlowLine {
    /// "all layers", "layer 0"; a model's cell and size.
    pub label: String,
    /// `[D + 1]`, gradient norms by distance.
    pub norms: Vec<f64>,
}

impl Report {
    /// The report of one model, called `name`.
    ///
    /// # Errors
    /// If `config.layer` is none of the model's, or no unit is wanted.
    pub fn new(name: &str, trace: &Trace<'_>, config: &ReportConfig) -> Result<Self> {
        let rnn = &trace.model.spec.rnn;
        if let Some(layer) = config.layer.filter(|layer| *layer >= rnn.num_layers) {
            let expected = format!("the model has layers 0 to {}", rnn.num_layers - 1);
            return Err(Error::setting("layer", layer, expected));
        }
        for (setting, value) in [("units", config.units), ("steps", config.steps)] {
            if value == 0 {
                return Err(Error::setting(setting, 0, "expected at least 1"));
            }
        }
        let shown: Vec<&LayerTrace> = trace
            .layers
            .iter()
            .filter(|l| config.layer.is_none_or(|layer| layer == l.layer))
            .collect();
        let mut notes = cut_input(trace);
        let [steps, units] = bound(config, trace, &shown, &mut notes);
        let asked = trace.losses.iter().any(Option::is_some);
        let flow = match trace.gradient_flow(MAX_DISTANCE) {
            Ok(flow) => by_layer(flow),
            Err(_) if !asked && answers_once(&trace.model.codec) => {
                notes.push("The model answers once, about the whole input: there is no loss, and no gradient flow, of single steps.".into());
                Vec::new()
            }
            Err(error) => {
                notes.push(error.to_string());
                Vec::new()
            }
        };
        Ok(Self {
            models: vec![Summary::new(name, trace)],
            labels: trace.example.labels[..steps].to_vec(),
            losses: trace.losses[..steps].iter().map(|loss| loss.map(|l| round(l, 1e4))).collect(),
            layers: shown.into_iter().map(|layer| LayerReport::new(layer, steps, units)).collect(),
            flow,
            notes,
        })
    }

    /// The gradient flow of several models on the same sequence, side by side.
    ///
    /// # Errors
    /// If one has no gradient flow, or the models are not of the same task and vocabulary.
    pub fn of_flows(traces: &[(String, Trace<'_>)]) -> Result<Self> {
        for pair in traces.windows(2) {
            comparable((&pair[0].0, pair[0].1.model), (&pair[1].0, pair[1].1.model))?;
        }
        let mut flow = Vec::new();
        for (name, trace) in traces {
            let norms = trace.gradient_flow(MAX_DISTANCE)?.total;
            let rnn = &trace.model.spec.rnn;
            let mut label = format!("{}, {} units", rnn.cell.name(), rnn.hidden_size);
            if rnn.num_layers > 1 {
                label += &format!(" × {}", rnn.num_layers);
            }
            let same = |(_, other): &&(String, Trace<'_>)| {
                let other = &other.model.spec.rnn;
                (other.cell, other.hidden_size) == (rnn.cell, rnn.hidden_size)
            };
            if traces.iter().filter(same).count() > 1 {
                label += &format!(" ({name})");
            }
            flow.push(FlowLine { label, norms: norms.into_iter().map(short).collect() });
        }
        Ok(Self {
            models: traces.iter().map(|(name, trace)| Summary::new(name, trace)).collect(),
            labels: Vec::new(),
            losses: Vec::new(),
            layers: Vec::new(),
            flow,
            notes: traces.first().map(|(_, trace)| cut_input(trace)).unwrap_or_default(),
        })
    }
}

impl Summary {
    fn new(name: &str, trace: &Trace<'_>) -> Self {
        let (task, spec) = (trace.model.task(), &trace.model.spec);
        Self {
            name: name.to_owned(),
            task: task.name().to_owned(),
            cell: spec.rnn.cell.name(),
            hidden: spec.rnn.hidden_size,
            layers: spec.rnn.num_layers,
            parameters: spec.parameters(),
            mean_loss: trace.mean_loss(),
        }
    }
}

impl LayerReport {
    fn new(trace: &LayerTrace, steps: usize, units: usize) -> Self {
        let half_lives = trace.half_lives();
        let mut order: Vec<usize> = (0..trace.hidden).collect();
        if let Some(lives) = &half_lives {
            order.sort_by(|a, b| lives[*b].total_cmp(&lives[*a]));
        }
        let units = spread(&order, units);
        let rows = |values: &[f32]| -> Vec<Vec<f64>> {
            let row = |unit: &usize| {
                let values = values.iter().skip(*unit).step_by(trace.hidden).take(steps);
                values.map(|v| round(f64::from(*v), 1e3)).collect()
            };
            units.iter().map(row).collect()
        };
        let map = |gate: &GateTrace| {
            let ends = gate.saturation();
            let name = format!("{} gate", gate.name);
            let saturation = Some([ends.low, ends.high].map(|share| round(share, 1e4)));
            let floor = if gate.is_sigmoid() { 0.0 } else { -1.0 };
            Map { saturation, ..Map::new(name, floor, rows(&gate.values)) }
        };
        let mut maps: Vec<Map> = trace.gates.iter().map(map).collect();
        maps.push(Map::new("state".into(), -1.0, rows(trace.states())));
        let pair = |lives: &Vec<f64>| {
            let order = spread(&order, MAX_HALF_LIVES);
            order.into_iter().map(|unit| (unit, short(lives[unit]))).collect()
        };
        Self {
            layer: trace.layer,
            reverse: trace.reverse,
            hidden: trace.hidden,
            norms: trace.state_norms().into_iter().take(steps).map(short).collect(),
            half_lives: half_lives.as_ref().map(pair).unwrap_or_default(),
            units,
            maps,
        }
    }
}

impl Map {
    /// A map from `floor` (0, or −1 for what has a sign) to 1, wider if the values are.
    fn new(name: String, floor: f64, rows: Vec<Vec<f64>>) -> Self {
        let top = rows.iter().flatten().fold(1.0, |top: f64, v| top.max(v.abs()));
        Self { name, range: [floor * top, top], saturation: None, rows }
    }
}

/// A line for each layer, and first one for all if there are several.
fn by_layer(flow: Flow) -> Vec<FlowLine> {
    let line = |label: String, norms: Vec<f64>| FlowLine {
        label,
        norms: norms.into_iter().map(short).collect(),
    };
    let layers = flow.layers.into_iter().enumerate();
    let mut lines: Vec<_> = layers.map(|(i, norms)| line(format!("layer {i}"), norms)).collect();
    if lines.len() > 1 {
        lines.insert(0, line("all layers".into(), flow.total));
    }
    lines
}

/// At most `count` of a list, evenly spread, with its first and last.
fn spread(list: &[usize], count: usize) -> Vec<usize> {
    if count >= list.len() {
        return list.to_vec();
    }
    let at = |i: usize| list[i * (list.len() - 1) / (count - 1).max(1)];
    (0..count).map(at).collect()
}

/// How many steps and units are shown, so that the report stays small.
fn bound(
    config: &ReportConfig,
    trace: &Trace<'_>,
    shown: &[&LayerTrace],
    notes: &mut Vec<String>,
) -> [usize; 2] {
    let hidden = trace.model.spec.rnn.hidden_size;
    let maps: usize = shown.iter().map(|layer| layer.gates.len() + 1).sum();
    let asked = [config.steps.min(trace.steps()), config.units.min(hidden)];
    let steps = asked[0].min(MAX_VALUES / maps).max(1);
    let units = asked[1].min(MAX_VALUES / (maps * steps)).max(1);
    if steps < trace.steps() {
        notes.push(format!(
            "The first {steps} steps are shown one by one; half-lives, saturation, mean loss and \
             gradient flow \
             are over the first {}.",
            trace.steps()
        ));
    }
    if units < hidden {
        notes.push(format!(
            "The maps show {units} of {hidden} units a layer, evenly spread over the order of \
             their half-lives."
        ));
    }
    if [steps, units] != asked {
        notes.push(format!(
            "{} steps of {} units were asked for: a page has room for {MAX_VALUES} values.",
            asked[0], asked[1]
        ));
    }
    [steps, units]
}

/// Whether a task's models are asked nothing at single steps.
fn answers_once(codec: &Codec) -> bool {
    matches!(codec, Codec::Classify(_) | Codec::Forecast(_) | Codec::Music(_) | Codec::Speech(_))
}

fn cut_input(trace: &Trace<'_>) -> Vec<String> {
    let (steps, available) = (trace.steps(), trace.example.available);
    if steps >= available {
        return Vec::new();
    }
    vec![format!("The model read the first {steps} of the input's {available} steps.")]
}

/// Refuses models whose losses do not mean the same.
fn comparable(a: (&str, &ModelFile), b: (&str, &ModelFile)) -> Result<()> {
    if a.1.task() != b.1.task() {
        return Err(Error::Data(format!(
            "{} is of the task `{}` and {} of `{}`: their gradients cannot be compared",
            a.0,
            a.1.task(),
            b.0,
            b.1.task()
        )));
    }
    let vocabulary = |model: &ModelFile| serde_json::to_string(&model.codec).unwrap_or_default();
    if vocabulary(a.1) != vocabulary(b.1) {
        return Err(Error::Data(format!(
            "{} and {} have different vocabularies or lengths: their gradients cannot be \
             compared; train \
             them on the same data",
            a.0, b.0
        )));
    }
    Ok(())
}

fn round(value: f64, scale: f64) -> f64 {
    (value * scale).round() / scale
}

/// Four significant digits, so that a page stays short.
fn short(value: f64) -> f64 {
    format!("{value:.3e}").parse().unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_selection_is_even_and_has_both_ends() {
        let list: Vec<usize> = (0..100).collect();
        assert_eq!(spread(&list, 4), [0, 33, 66, 99]);
        assert_eq!(spread(&list, 1), [0]);
        assert_eq!(spread(&list, 200), list);
    }

    #[test]
    fn four_digits_are_kept() {
        assert_eq!(short(0.000123456), 0.0001235);
        assert_eq!(short(f64::INFINITY), f64::INFINITY);
        assert_eq!(round(0.73149, 1e3), 0.731);
    }
}
