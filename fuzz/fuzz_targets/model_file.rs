//! Any bytes as a model file, or any header with the tensors that it asks for, as the first byte
//! chooses: refused with an error, or a model that goes back to a file and answers.
#![no_main]
use gruvy_runtime::model::{ModelFile, Spec, Tensor, Trained};
use gruvy_runtime::music::{Composing, Performing};
use gruvy_runtime::series::{Panel, Series, Stamp};
use gruvy_runtime::text::Sampling;
use gruvy_runtime::{Codec, Model};
use libfuzzer_sys::fuzz_target;
use serde::Deserialize;
use std::collections::BTreeMap;

/// No model has more weights.
const MOST_WEIGHTS: usize = 1 << 16;
/// No forecast is of more steps, and none looks back on more.
const MOST_STEPS: usize = 1 << 10;

fuzz_target!(|bytes: &[u8]| {
    let [kind, bytes @ ..] = bytes else { return };
    let model = match kind % 2 {
        0 => ModelFile::from_bytes(bytes).ok(),
        _ => of_header(bytes),
    };
    let Some(model) = model else { return };
    let Ok(written) = model.to_bytes() else {
        assert!(kind % 2 == 1, "what was read can be written");
        return;
    };
    ModelFile::from_bytes(&written).expect("what was written can be read");
    if model.spec.parameters() <= MOST_WEIGHTS {
        answers(&Model::from_file(&model).expect("what was read is valid"));
    }
});

#[derive(Deserialize)]
struct Header {
    spec: Spec,
    codec: Codec,
}

/// A model of a header, with made-up weights.
fn of_header(json: &[u8]) -> Option<ModelFile> {
    let Header { spec, codec } = serde_json::from_slice(json).ok()?;
    spec.validate().ok()?;
    if spec.parameters() > MOST_WEIGHTS {
        return None;
    }
    let mut state = 1u32;
    let mut value = |_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 23) as f32 - 1.0
    };
    let tensors: BTreeMap<String, Tensor> = spec
        .tensors()
        .into_iter()
        .map(|t| {
            let data = (0..t.shape.iter().product()).map(&mut value).collect();
            (t.name, Tensor { shape: t.shape, data })
        })
        .collect();
    let (source, trained) = (serde_json::Value::Null, Trained::default());
    Some(ModelFile { spec, codec, source, trained, tensors })
}

/// Asks something small.
fn answers(model: &Model) {
    match model {
        Model::Text(model) => {
            let _ = model.write("ab c", 4, &Sampling::default());
            let _ = model.evaluate("a bé");
        }
        Model::Classify(model) => {
            let _ = model.text("a fine film");
            let _ = model.sequence(&[0.5; 12]);
        }
        Model::Forecast(model) => {
            if model.codec().horizon.max(model.codec().context) > MOST_STEPS {
                return;
            }
            let (codec, words) = (model.codec(), |n| vec!["a".to_owned(); n]);
            let numbers = |n: usize, steps: usize| vec![vec![1.5; steps]; n];
            let autumn = "2024-10-26T00:00".parse().expect("it is a time");
            for start in [Stamp::Index(0), Stamp::Time(autumn)] {
                let series = Series {
                    id: "a".into(),
                    start,
                    y: (0..12).map(f64::from).collect(),
                    statics: words(codec.columns.statics.len()),
                    past: numbers(codec.columns.past.len(), 12),
                    future: numbers(codec.columns.future.len(), 24),
                };
                let (frequency, columns) = (codec.frequency, codec.columns.clone());
                let panel = Panel { frequency, columns, series: vec![series], notes: Vec::new() };
                let _ = model.forecast_panel(&panel);
            }
        }
        Model::Music(model) => {
            let _ = model.compose(None, &Composing { steps: 4, ..Composing::default() });
        }
        Model::Events(model) => {
            let _ = model.perform(None, &Performing { seconds: 0.1, ..Performing::default() });
        }
        Model::Adding(_) | Model::Copy(_) => {}
    }
}
