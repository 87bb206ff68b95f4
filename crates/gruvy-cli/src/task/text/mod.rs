//! Text on the command line.

pub mod demo;
pub mod flags;
pub mod generate;

use super::door::{Asked, Demo, Task};
use crate::input;
use crate::screen::{Screen, thousands};
use anyhow::{Result, bail};
use clap::Args;
use gruvy::settings::{DataConfig, Split};
use gruvy::text::{Corpus, TextConfig, TextRun};
use gruvy_runtime::text::{TextCodec, TextModel, TextUnit};
use serde_json::{Value, json};
use std::path::PathBuf;

/// The text task.
#[derive(Debug)]
pub struct Text;

/// What `gruvy eval` takes for a text model.
#[derive(Debug, Args)]
#[command(next_help_heading = "Text")]
pub struct EvalFlags {
    /// Only the last PERCENT of the data
    #[arg(long, value_name = "PERCENT", value_parser = percent, default_value = "100")]
    pub last: f64,
}

impl Task for Text {
    type Config = TextConfig;
    type Eval = EvalFlags;
    type Report = ();
    const ABOUT: &'static str = "Learn to write text";
    const HEADING: &'static str = "Text";
    const DATA: Option<&'static str> =
        Some("Text files or folders of them; `-` is stdin; nothing: the embedded tales");
    const USE: [&'static str; 2] = ["write", "generate"];
    const DEMO: Option<Demo> = Some(demo::run);

    fn eval(asked: Asked<'_>, flags: EvalFlags, screen: &Screen) -> Result<()> {
        let model = TextModel::from_file(asked.model)?;
        if asked.data.is_empty() {
            bail!("{} is a text model: give the text to measure it on", asked.path.display());
        }
        let text = last_part(asked.data, model.codec().unit(), flags.last, screen)?;
        let metrics = model.evaluate(text)?;
        screen.result(
            || json!(metrics),
            || {
                format!(
                    "{:.4} nats, {:.4} bits per character, perplexity {:.3}, over {} tokens",
                    metrics.loss_nats,
                    metrics.bits_per_char,
                    metrics.perplexity,
                    thousands(metrics.tokens as usize)
                )
            },
        )
    }
}

/// What `gruvy info` says of the codec.
pub fn info(codec: &TextCodec) -> (Value, String) {
    let (unit, size) = (codec.unit(), codec.vocab_size());
    (json!({ "unit": unit, "vocab_size": size }), format!("{}, {size} tokens", unit.name()))
}

fn percent(text: &str) -> Result<f64, String> {
    let wrong = || "expected a number above 0, at most 100".to_owned();
    text.parse().ok().filter(|p| *p > 0.0 && *p <= 100.0).ok_or_else(wrong)
}

/// The last `percent` of the data, cut where a training with such a test part cuts.
fn last_part(data: &[PathBuf], unit: TextUnit, percent: f64, screen: &Screen) -> Result<Vec<u8>> {
    let split = Split { train: 100.0 - percent, valid: 0.0, test: percent };
    let task = TextConfig { unit, split, ..TextConfig::default() };
    let mut data = DataConfig { paths: data.to_vec(), stdin: None };
    input::attach(&mut data)?;
    let corpus = Corpus::load(&TextRun { task, data, ..TextRun::default() })?;
    screen.remarks(&corpus.notes);
    Ok(corpus.test)
}
