//! Music on the command line.

use super::door::{Asked, Task};
use crate::screen::{Screen, thousands};
use anyhow::{Result, bail};
use clap::Args;
use gruvy::music::MusicConfig;
use gruvy_runtime::music::{Composer, MusicCodec};
use serde_json::{Value, json};

/// The music task.
#[derive(Debug)]
pub struct Music;

/// What `gruvy eval` takes for a model of music.
#[derive(Debug, Args)]
#[command(next_help_heading = "Music")]
pub struct EvalFlags {}

impl Task for Music {
    type Config = MusicConfig;
    type Eval = EvalFlags;
    const ABOUT: &'static str = "Learn music from MIDI files, to go on from it, harmonise or compose";
    const HEADING: &'static str = "Music";
    const DATA: Option<&'static str> =
        Some("MIDI files, folders of them, or a JSON file of piano rolls");
    const USE: [&'static str; 2] = ["compose", "compose"];

    fn eval(asked: Asked<'_>, _: EvalFlags, screen: &Screen) -> Result<()> {
        let composer = Composer::from_file(asked.model)?;
        if asked.data.is_empty() {
            bail!("{} is a model of music: give the music to measure it on", asked.path.display());
        }
        let parts = gruvy::music::load(&asked.data[0])?;
        let metrics = composer.evaluate(&parts.test)?;
        screen.result(
            || json!(metrics),
            || {
                format!(
                    "{:.4} nats per step, {:.4} per note, over {} steps",
                    metrics.nats_per_step,
                    metrics.nats_per_note,
                    thousands(metrics.steps)
                )
            },
        )
    }
}

/// What `gruvy info` says of the codec.
pub fn info(codec: &MusicCodec) -> (Value, String) {
    (json!(codec), format!("{} symbols", codec.symbols()))
}
