//! `gruvy info`: what a model is and how it was trained.

use crate::args::InfoArgs;
use crate::model::{self, Opened};
use crate::screen::{Screen, bytes, thousands};
use crate::task::{classify, forecast, memory, music, speech, text};
use anyhow::Result;
use gruvy_runtime::Codec;
use gruvy_runtime::model::{Head, Input};
use serde_json::{Value, json};
use std::process::ExitCode;

/// Runs the subcommand.
///
/// # Errors
/// When the model cannot be read.
pub fn run(args: &InfoArgs, screen: &Screen) -> Result<ExitCode> {
    let opened = model::open(&args.model)?;
    screen.result(|| as_json(&opened), || as_text(&opened))?;
    Ok(ExitCode::SUCCESS)
}

fn as_json(opened: &Opened) -> Value {
    let model = &opened.model;
    json!({
        "path": opened.path,
        "bytes": opened.bytes,
        "task": model.task().name(),
        "spec": model.spec,
        "parameters": model.spec.parameters(),
        "codec": of_codec(&model.codec).0,
        "trained": model.trained,
    })
}

/// What is said of a codec, as JSON and in words; without its vocabulary, which can be long.
fn of_codec(codec: &Codec) -> (Value, String) {
    match codec {
        Codec::Text(codec) => text::info(codec),
        Codec::Classify(codec) => classify::info(codec),
        Codec::Forecast(codec) => forecast::info(codec),
        Codec::Music(codec) => music::info(codec),
        Codec::Events(codec) => music::info_of_events(codec),
        Codec::Speech(codec) => speech::info(codec),
        Codec::Adding(codec) => memory::adding(codec),
        Codec::Copy(codec) => memory::copying(codec),
    }
}

fn as_text(opened: &Opened) -> String {
    let model = &opened.model;
    let (rnn, trained) = (&model.spec.rnn, &model.trained);
    let input = match model.spec.input {
        Input::Embedding { vocab, dim } => format!("embedding of {vocab} tokens in {dim} numbers"),
        Input::Features { size } => format!("{size} numbers a step"),
    };
    let zoneout = match rnn.zoneout {
        0.0 => String::new(),
        rate => format!(", zoneout {rate}"),
    };
    let layers = format!(
        "{} x {} of {} units{}{}{}{zoneout}",
        rnn.num_layers,
        rnn.cell.name(),
        rnn.hidden_size,
        if rnn.bidirectional { ", both directions" } else { "" },
        if rnn.bias { "" } else { ", without biases" },
        if rnn.layer_norm { ", layer-normalised" } else { "" },
    );
    let pool =
        model.spec.pool.map_or(String::new(), |pool| format!("{} over the steps, ", pool.name()));
    let head = match model.spec.head {
        Head::Linear { outputs } => format!("{pool}linear, {outputs} outputs"),
        Head::Tied => "tied to the embedding".to_owned(),
    };
    let codec = of_codec(&model.codec).1;
    let mut rows = vec![
        ("file", format!("{} ({})", opened.path.display(), bytes(opened.bytes))),
        ("task", model.task().name().to_owned()),
        ("codec", codec),
        ("input", input),
        ("layers", layers),
        ("head", head),
        ("parameters", thousands(model.spec.parameters())),
        ("trained", format!("{} steps, seed {}", thousands(trained.steps as usize), trained.seed)),
        ("data", trained.data_fingerprint.clone()),
    ];
    let metrics =
        trained.metrics.iter().map(|(name, value)| (name.as_str(), format!("{value:.4}")));
    rows.extend(metrics);
    let width = rows.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let lines: Vec<String> =
        rows.iter().map(|(name, value)| format!("{name:width$}  {value}")).collect();
    lines.join("\n")
}
