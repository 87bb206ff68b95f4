//! What a trace says, held against sessions, formulas and finite differences.
#![allow(clippy::unwrap_used)]
// Indices are the notation of the equations.
#![allow(clippy::needless_range_loop)]

use gruvy::inspect::{Example, Report, ReportConfig, Trace};
use gruvy_runtime::{
    Cell, Codec,
    memory::{Adding, Copying},
    model::{Head, Input, ModelFile, Network, RnnSpec, Session, Spec, Tensor, Trained},
    text::TextCodec,
};
use std::sync::Arc;

const TEXT: &str = "abba cab, a bad cad";
const HIDDEN: usize = 5;

/// A character model with weights that look random, in (−0.9, 0.9), and biases.
fn model(cell: Cell, layers: usize, bidirectional: bool) -> ModelFile {
    model_with(cell, layers, |rnn| rnn.bidirectional = bidirectional)
}

/// Every cell as it is, and with all that a layer can have.
fn all_models() -> impl Iterator<Item = ModelFile> {
    let full = |rnn: &mut RnnSpec| (rnn.zoneout, rnn.layer_norm) = (0.2, true);
    Cell::ALL.into_iter().flat_map(move |cell| [model(cell, 2, false), model_with(cell, 2, full)])
}

fn model_with(cell: Cell, layers: usize, edit: impl FnOnce(&mut RnnSpec)) -> ModelFile {
    let codec = TextCodec::char(TEXT);
    let vocab = codec.vocab_size();
    let mut spec = Spec {
        input: Input::Embedding { vocab, dim: 4 },
        rnn: RnnSpec {
            cell,
            input_size: 4,
            hidden_size: HIDDEN,
            num_layers: layers,
            bidirectional: false,
            bias: true,
            zoneout: 0.0,
            layer_norm: false,
        },
        pool: None,
        decoder: None,
        head: Head::Linear { outputs: vocab },
    };
    edit(&mut spec.rnn);
    let mut state = 1u32;
    let mut value = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        ((state >> 8) as f32 / (1 << 24) as f32 - 0.5) * 1.8
    };
    let mut tensor = |shape: Vec<usize>| {
        let data = (0..shape.iter().product()).map(|_| value()).collect();
        Tensor { shape, data }
    };
    let tensors = spec.tensors().into_iter().map(|t| (t.name, tensor(t.shape))).collect();
    let (codec, trained) = (Codec::Text(codec), Trained::default());
    ModelFile { spec, codec, source: serde_json::Value::Null, trained, tensors }
}

fn trace(model: &ModelFile) -> Trace<'_> {
    Trace::new(model, Example::of_text(model, TEXT, 100).unwrap()).unwrap()
}

fn tokens(model: &ModelFile) -> Vec<u32> {
    let Codec::Text(codec) = &model.codec else { panic!("a text model") };
    codec.encode(TEXT).unwrap()
}

fn session(model: &ModelFile) -> Session {
    Session::new(Arc::new(Network::new(model).unwrap()), 1).unwrap()
}

/// −ln p of the target.
fn loss(logits: &[f32], target: u32) -> f64 {
    let sum: f64 = logits.iter().map(|l| f64::from(*l).exp()).sum();
    sum.ln() - f64::from(logits[target as usize])
}

fn assert_close(got: f64, expected: f64, tolerance: f64, what: &str) {
    assert!((got - expected).abs() <= tolerance, "{what}: got {got}, expected {expected}");
}

#[test]
fn states_and_losses_are_those_of_a_session() {
    for model in all_models() {
        let cell = model.spec.rnn.cell;
        let trace = trace(&model);
        let tokens = tokens(&model);
        assert_eq!(trace.steps(), tokens.len());
        let mut session = session(&model);
        for t in 0..tokens.len() {
            let logits = session.step(&tokens[t..=t]).unwrap();
            let expected = tokens.get(t + 1).map(|target| loss(logits, *target));
            match (trace.losses[t], expected) {
                (Some(got), Some(expected)) => assert_close(got, expected, 1e-5, "loss"),
                (got, expected) => assert_eq!(got.is_some(), expected.is_some()),
            }
            let state = session.state().chunks_exact(session.state().len() / 2);
            for (layer, state) in trace.layers.iter().zip(state) {
                let got = &layer.states()[t * HIDDEN..][..HIDDEN];
                for (got, expected) in got.iter().zip(state) {
                    let what = format!("{} state at {t}", cell.name());
                    assert_close(f64::from(*got), f64::from(*expected), 1e-6, &what);
                }
            }
        }
    }
}

#[test]
fn both_directions_are_traced() {
    for cell in Cell::ALL {
        let model = model(cell, 2, true);
        let trace = trace(&model);
        let tokens = tokens(&model);
        assert_eq!(
            trace.layers.iter().map(|l| l.reverse).collect::<Vec<_>>(),
            [false, true, false, true]
        );
        let mut session = session(&model);
        let logits = session.run(&tokens).unwrap();
        let rows = logits.chunks_exact(model.spec.outputs());
        for (t, logits) in rows.enumerate().take(tokens.len() - 1) {
            assert_close(trace.losses[t].unwrap(), loss(logits, tokens[t + 1]), 1e-5, cell.name());
        }
        assert!(trace.gradient_flow(3).unwrap_err().to_string().contains("bidirectional"));
    }
}

/// The mean gradient norms at every distance, by nudging each value of the carried state.
fn by_differences(model: &ModelFile, positions: &[usize], distances: usize) -> Vec<Vec<f64>> {
    const NUDGE: f32 = 4e-3;
    let tokens = tokens(model);
    let mut session = session(model);
    let mut norms = vec![vec![0.0; distances]; 1 + model.spec.rnn.num_layers];
    for &s in positions {
        for d in 0..distances {
            session.reset();
            session.feed(&tokens[..=s - d]).unwrap();
            let state = session.state().to_vec();
            let width = state.len() / model.spec.rnn.num_layers;
            let head = session.logits().to_vec();
            let mut squares = vec![0.0; model.spec.rnn.num_layers];
            for i in 0..state.len() {
                let mut at = |nudge: f32| {
                    let mut nudged = state.clone();
                    nudged[i] += nudge;
                    session.set_state(&nudged).unwrap();
                    loss(session.feed(&tokens[s - d + 1..=s]).unwrap(), tokens[s + 1])
                };
                if d > 0 {
                    let slope = (at(NUDGE) - at(-NUDGE)) / f64::from(2.0 * NUDGE);
                    squares[i / width] += slope * slope;
                }
            }
            if d == 0 {
                *squares.last_mut().unwrap() = head_gradient(model, &head, tokens[s + 1]);
            }
            let count = positions.len() as f64;
            norms[0][d] += squares.iter().sum::<f64>().sqrt() / count;
            for (norm, square) in norms[1..].iter_mut().zip(squares) {
                norm[d] += square.sqrt() / count;
            }
        }
    }
    norms
}

/// The squared norm of Wᵀ (softmax − onehot).
fn head_gradient(model: &ModelFile, logits: &[f32], target: u32) -> f64 {
    let weight = &model.tensors["head.weight"].data;
    let sum: f64 = logits.iter().map(|l| f64::from(*l).exp()).sum();
    let mut dy = [0.0; HIDDEN];
    for (o, logit) in logits.iter().enumerate() {
        let d = f64::from(*logit).exp() / sum - f64::from(u8::from(o == target as usize));
        for (dy, w) in dy.iter_mut().zip(&weight[o * HIDDEN..]) {
            *dy += d * f64::from(*w);
        }
    }
    dy.iter().map(|v| v * v).sum()
}

#[test]
fn gradient_flow_is_what_nudging_the_state_does() {
    for model in all_models() {
        let cell = model.spec.rnn.cell;
        let flow = trace(&model).gradient_flow(6).unwrap();
        assert_eq!(flow.total.len(), 7);
        assert!(flow.positions.len() > 3 && flow.positions[0] >= 6);
        let expected = by_differences(&model, &flow.positions, 7);
        for (d, got) in flow.total.iter().enumerate() {
            let check = |got: f64, expected: f64, layer: &str| {
                let what = format!("{}, layer {layer}, distance {d}", cell.name());
                assert_close(got, expected, 3e-3 * expected + 3e-5, &what);
            };
            check(*got, expected[0][d], "all");
            for (layer, norms) in flow.layers.iter().enumerate() {
                check(norms[d], expected[layer + 1][d], &layer.to_string());
            }
        }
        // The comparison means something: the gradient is there, and changes.
        assert!(expected[0][1] > 0.05 && flow.layers[0][0] == 0.0);
    }
}

#[test]
fn the_flow_reaches_as_far_as_the_sequence() {
    let model = model(Cell::Gru, 1, false);
    let flow = trace(&model).gradient_flow(1000).unwrap();
    assert_eq!(flow.total.len(), flow.positions[0] + 1);
    let short = Example::of_text(&model, "ab", 100).unwrap();
    let error = Trace::new(&model, short).unwrap().gradient_flow(5).unwrap_err();
    assert!(error.to_string().contains("longer input"), "{error}");
}

/// A gate's row of `W x + b_ih` and of `U h + b_hh`, in `f64`; zero for what the model does not
/// have.
fn rows(model: &ModelFile, gate: usize, unit: usize, x: &[f32], h: &[f64]) -> (f64, f64) {
    let data = |name: &str| model.tensors.get(&format!("rnn.{name}_l0")).map(|t| &t.data[..]);
    let row = gate * HIDDEN + unit;
    let dot = |weight: &str, bias: &str, v: &[f64]| {
        let (Some(w), Some(b)) = (data(weight), data(bias)) else { return 0.0 };
        let w = w[row * v.len()..].iter().zip(v);
        w.map(|(w, v)| f64::from(*w) * v).sum::<f64>() + f64::from(b[row])
    };
    let x: Vec<f64> = x.iter().map(|v| f64::from(*v)).collect();
    (dot("weight_ih", "bias_ih", &x), dot("weight_hh", "bias_hh", h))
}

/// The gates of one step of layer 0 by their formulas, `[G][H]`, from the state before.
fn gates(model: &ModelFile, x: &[f32], h: &[f64]) -> Vec<Vec<f64>> {
    let sigmoid = |v: f64| 1.0 / (1.0 + (-v).exp());
    let cell = model.spec.rnn.cell;
    let each = |f: &dyn Fn(usize) -> f64| (0..HIDDEN).map(f).collect::<Vec<_>>();
    let sum = |gate, j| rows(model, gate, j, x, h).0 + rows(model, gate, j, x, h).1;
    let open = |gate: usize| each(&|j| sigmoid(sum(gate, j)));
    match cell {
        Cell::Gru | Cell::GruV3 => {
            let r = open(0);
            let reset: Vec<f64> = r.iter().zip(h).map(|(r, h)| r * h).collect();
            let new = each(&|j| match cell {
                Cell::Gru => {
                    let (input, hidden) = rows(model, 2, j, x, h);
                    (input + r[j] * hidden).tanh()
                }
                _ => (rows(model, 2, j, x, h).0 + rows(model, 2, j, x, &reset).1).tanh(),
            });
            vec![r, open(1), new]
        }
        Cell::Lstm => vec![open(0), open(1), each(&|j| sum(2, j).tanh()), open(3)],
        Cell::MinGru => {
            let g = |v: f64| if v >= 0.0 { v + 0.5 } else { sigmoid(v) };
            let input = |gate, j| rows(model, gate, j, x, &[]).0;
            vec![each(&|j| sigmoid(input(0, j))), each(&|j| g(input(1, j)))]
        }
        _ => Vec::new(),
    }
}

#[test]
fn gates_follow_their_formulas() {
    for cell in Cell::ALL {
        let model = model(cell, 1, false);
        let (trace, tokens) = (trace(&model), tokens(&model));
        let layer = &trace.layers[0];
        let names: Vec<_> = layer.gates.iter().map(|g| g.name).collect();
        assert_eq!(
            names,
            match cell {
                Cell::Gru | Cell::GruV3 => vec!["reset", "update", "new"],
                Cell::Lstm => vec!["input", "forget", "cell", "output"],
                Cell::MinGru => vec!["update", "new"],
                _ => Vec::new(),
            }
        );
        let mut h = vec![0.0; HIDDEN];
        for (t, token) in tokens.iter().enumerate() {
            let x = &model.tensors["embedding.weight"].data[*token as usize * 4..][..4];
            for (gate, expected) in layer.gates.iter().zip(gates(&model, x, &h)) {
                for (got, expected) in gate.values[t * HIDDEN..].iter().zip(expected) {
                    let what = format!("{} gate of {} at {t}", gate.name, cell.name());
                    assert_close(f64::from(*got), expected, 1e-5, &what);
                }
            }
            h = layer.states()[t * HIDDEN..][..HIDDEN].iter().map(|v| f64::from(*v)).collect();
        }
    }
}

#[test]
fn a_unit_that_keeps_has_a_long_half_life() {
    let keep = [0.5f32, 0.9, 0.99, 0.1, 0.7];
    // The place of the gate that keeps.
    let gates = [(Cell::Gru, 1), (Cell::GruV3, 1), (Cell::Lstm, 1), (Cell::MinGru, 0)];
    for ((cell, gate), zoneout) in gates.into_iter().flat_map(|g| [(g, 0.0), (g, 0.4)]) {
        let mut model = model_with(cell, 1, |rnn| rnn.zoneout = zoneout);
        // A gate that looks at nothing but its bias: σ(b) is what it shows.
        for name in ["weight_ih", "weight_hh", "bias_ih", "bias_hh"] {
            let Some(tensor) = model.tensors.get_mut(&format!("rnn.{name}_l0")) else { continue };
            let columns = tensor.data.len() / (cell.gates() * HIDDEN);
            let own = &mut tensor.data[gate * HIDDEN * columns..][..HIDDEN * columns];
            own.fill(0.0);
            if name == "bias_ih" {
                // The minGRU's gate is the share of the new.
                let sign = if cell == Cell::MinGru { -1.0 } else { 1.0 };
                own.copy_from_slice(&keep.map(|k| sign * (k / (1.0 - k)).ln()));
            }
        }
        let trace = trace(&model);
        let half_lives = trace.layers[0].half_lives().unwrap();
        for (got, keep) in half_lives.iter().zip(keep) {
            let kept = zoneout + (1.0 - zoneout) * f64::from(keep);
            assert_close(got * kept.ln(), 0.5f64.ln(), 1e-3, cell.name());
        }
        let ends = trace.layers[0].gates[gate].saturation();
        assert!(ends.high + ends.low >= 0.2 && ends.high + ends.low <= 0.6, "{ends:?}");
    }
    assert!(trace(&model(Cell::Rnn, 1, false)).layers[0].half_lives().is_none());
}

#[test]
fn an_example_that_does_not_fit_is_refused() {
    let model = model(Cell::Gru, 1, false);
    let refused = |text: &str| Example::of_text(&model, text, 100).unwrap_err().to_string();
    assert!(refused("").contains("0 tokens"));
    assert!(refused("a").contains("1 tokens"));
    assert!(refused("ab\u{df}a").contains("character 3"));
    // What is not looked at may hold anything.
    let cut = Example::of_text(&model, "abab\u{df}", 3).unwrap();
    assert_eq!((cut.steps(), cut.available), (3, 5));
    assert_eq!(cut.labels, ["a", "b", "a"]);
    let mut strange = cut.clone();
    strange.inputs = gruvy::inspect::Inputs::Tokens(vec![1, 2, 99]);
    assert!(Trace::new(&model, strange).unwrap_err().to_string().contains("99"));
}

/// The generated tasks' models: the same weights by name and shape, another codec.
fn memory_model(codec: Codec, input: Input, outputs: usize) -> ModelFile {
    let mut model = model(Cell::Gru, 1, false);
    model.spec.rnn.input_size = input.width();
    model.spec.input = input;
    model.spec.head = Head::Linear { outputs };
    model.codec = codec;
    let value = |i: usize| ((i * 37 % 101) as f32 / 101.0 - 0.5) * 0.8;
    let tensor = |shape: Vec<usize>| {
        let data = (0..shape.iter().product()).map(value).collect();
        Tensor { shape, data }
    };
    model.tensors = model.spec.tensors().into_iter().map(|t| (t.name, tensor(t.shape))).collect();
    model.validate().unwrap();
    model
}

#[test]
fn generated_tasks_are_traced_where_they_ask() {
    let codec = Codec::Adding(Adding { length: 30 });
    let adding = memory_model(codec, Input::Features { size: 2 }, 1);
    let trace = Trace::new(&adding, Example::generated(&adding, 3).unwrap()).unwrap();
    assert_eq!(trace.losses.iter().filter(|loss| loss.is_some()).count(), 1);
    assert_eq!(trace.example.labels.iter().filter(|label| label.starts_with('+')).count(), 2);
    let flow = trace.gradient_flow(1000).unwrap();
    assert_eq!((flow.positions.as_slice(), flow.total.len()), (&[29][..], 30));
    let mut session = session(&adding);
    let x = adding_input(3);
    let answer = session.feed(gruvy_runtime::model::Steps::Features(&x)).unwrap()[0];
    let sum: f32 = x.chunks_exact(2).map(|step| step[0] * step[1]).sum();
    let expected = f64::from(answer - sum).powi(2);
    assert_close(trace.losses[29].unwrap(), expected, 1e-5, "squared error");

    let codec = Codec::Copy(Copying { length: 12 });
    let copy = memory_model(codec, Input::Embedding { vocab: 10, dim: 4 }, 10);
    let trace = Trace::new(&copy, Example::generated(&copy, 3).unwrap()).unwrap();
    assert!(trace.losses[..22].iter().all(Option::is_none));
    assert!(trace.losses[22..].iter().all(Option::is_some));
    assert!(Example::of_text(&copy, "12", 10).unwrap_err().to_string().contains("copy"));
    let text = model(Cell::Gru, 1, false);
    assert!(Example::generated(&text, 1).unwrap_err().to_string().contains("text"));
}

fn adding_input(seed: u64) -> Vec<f32> {
    Adding { length: 30 }.examples(seed, 0..1).x
}

#[test]
fn a_page_is_whole_and_needs_nothing_from_elsewhere() {
    for cell in Cell::ALL {
        let model = model(cell, 2, false);
        let report = Report::new("my <run>", &trace(&model), &ReportConfig::default()).unwrap();
        let page = report.to_html();
        for part in ["my \\u003crun>", "\"layer\":1", "Gradient flow", "state", cell.name()] {
            assert!(page.contains(part), "{part} is missing from the page of {}", cell.name());
        }
        for reference in ["http", "src=", "href=", "@import", "url("] {
            assert!(!page.contains(reference), "the page refers to something: {reference}");
        }
        let svg = report.to_svg().unwrap();
        assert!(svg.contains("gradient norm") && svg.contains("state"), "{}", cell.name());
        assert_eq!(report.to_png().unwrap()[1..4], *b"PNG");
    }
}

#[test]
fn a_report_keeps_to_its_bounds_and_says_so() {
    let model = model(Cell::Gru, 2, false);
    let long = TEXT.repeat(1_000);
    let example = Example::of_text(&model, &long, 15_000).unwrap();
    let trace = Trace::new(&model, example).unwrap();
    let config = ReportConfig { steps: 15_000, ..ReportConfig::default() };
    let report = Report::new("m", &trace, &config).unwrap();
    let page = report.to_html();
    assert!(page.len() < 1_600_000, "{} bytes", page.len());
    for part in ["first 15000 of the input's 19000", "of 5 units", "room for"] {
        assert!(report.notes.iter().any(|note| note.contains(part)), "{part}: {:?}", report.notes);
    }
    assert!(report.to_svg().unwrap().len() < 1_000_000);
    let small = ReportConfig { layer: Some(1), steps: 7, units: 2 };
    let report = Report::new("m", &trace, &small).unwrap();
    assert_eq!((report.layers.len(), report.labels.len(), report.losses.len()), (1, 7, 7));
    let map = &report.layers[0].maps[0];
    assert_eq!((map.rows.len(), map.rows[0].len()), (2, 7));
    let refused = |config: ReportConfig| Report::new("m", &trace, &config).unwrap_err().to_string();
    assert!(refused(ReportConfig { layer: Some(2), ..small.clone() }).contains("0 to 1"));
    assert!(refused(ReportConfig { units: 0, ..small.clone() }).contains("units"));
    assert!(refused(ReportConfig { steps: 0, ..small }).contains("steps"));
}

#[test]
fn flows_of_several_models_have_a_line_each() {
    let (a, b) = (model(Cell::Gru, 1, false), model(Cell::GruV3, 2, false));
    let report = Report::of_flows(&[("a".into(), trace(&a)), ("b".into(), trace(&b))]).unwrap();
    let labels: Vec<_> = report.flow.iter().map(|line| line.label.as_str()).collect();
    assert_eq!(labels, ["gru, 5 units", "gru-v3, 5 units × 2"]);
    assert_eq!(report.flow[0].norms.len(), report.flow[1].norms.len());
    let mut other = model(Cell::Gru, 1, false);
    other.codec = Codec::Text(TextCodec::char("abcd ,.x"));
    let other = Trace { model: &other, ..trace(&a) };
    let error = Report::of_flows(&[("a".into(), trace(&a)), ("b".into(), other)]).unwrap_err();
    assert!(error.to_string().contains("vocabularies"), "{error}");
}
