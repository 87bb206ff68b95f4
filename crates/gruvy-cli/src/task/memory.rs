//! The memory tasks on the command line.

use super::door::{Asked, Task};
use crate::screen::{Screen, thousands};
use crate::training::metrics_in_words;
use anyhow::{Result, bail};
use clap::Args;
use gruvy::memory::{AddingConfig, CopyConfig};
use gruvy::settings::TaskConfig;
use gruvy::train::Metrics;
use gruvy_runtime::memory::{self, MemoryModel, TEST_SEED};
use serde_json::{Value, json};

/// The adding problem.
#[derive(Debug)]
pub struct Adding;

/// The copying problem.
#[derive(Debug)]
pub struct Copying;

/// What `gruvy eval` takes for a model of a memory task.
#[derive(Debug, Args)]
#[command(next_help_heading = "Memory")]
pub struct EvalFlags {
    /// Sequences to make; --seed says which
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub count: u64,
}

impl Task for Adding {
    type Config = AddingConfig;
    type Eval = EvalFlags;
    type Report = ();
    const ABOUT: &'static str =
        "Learn to add two marked numbers of a long sequence: a measure of memory";
    const HEADING: &'static str = "Memory";
    const DATA: Option<&'static str> = None;
    const USE: [&'static str; 2] = ["measure", "eval"];

    fn eval(asked: Asked<'_>, flags: EvalFlags, screen: &Screen) -> Result<()> {
        let model = MemoryModel::<memory::Adding>::from_file(asked.model)?;
        measured::<AddingConfig>(&asked, flags.count, screen, |seed, count| {
            model.evaluate(seed, count)
        })
    }
}

impl Task for Copying {
    type Config = CopyConfig;
    type Eval = EvalFlags;
    type Report = ();
    const ABOUT: &'static str =
        "Learn to repeat ten digits after a long pause: a measure of memory";
    const HEADING: &'static str = "Memory";
    const DATA: Option<&'static str> = None;
    const USE: [&'static str; 2] = ["measure", "eval"];

    fn eval(asked: Asked<'_>, flags: EvalFlags, screen: &Screen) -> Result<()> {
        let model = MemoryModel::<memory::Copying>::from_file(asked.model)?;
        measured::<CopyConfig>(&asked, flags.count, screen, |seed, count| {
            model.evaluate(seed, count)
        })
    }
}

/// What `gruvy info` says of the codec of the adding problem.
pub fn adding(codec: &memory::Adding) -> (Value, String) {
    (json!(codec), format!("two marked numbers of {}", codec.length))
}

/// What `gruvy info` says of the codec of copying.
pub fn copying(codec: &memory::Copying) -> (Value, String) {
    (json!(codec), format!("ten digits over {} steps", codec.length))
}

/// Measures a model on sequences that are made for it.
fn measured<C: TaskConfig>(
    asked: &Asked<'_>,
    count: u64,
    screen: &Screen,
    evaluate: impl FnOnce(u64, u64) -> gruvy_runtime::Result<Metrics>,
) -> Result<()> {
    if let Some(data) = asked.data.first() {
        bail!(
            "{}: the task `{}` makes its own data: --count and --seed say which",
            data.display(),
            C::TASK
        );
    }
    let metrics = evaluate(asked.seed.unwrap_or(TEST_SEED), count)?;
    let words = || {
        let metrics = metrics_in_words(C::METRICS, &metrics);
        format!("{metrics}, over {} sequences", thousands(count as usize))
    };
    screen.result(|| json!(metrics), words)
}
