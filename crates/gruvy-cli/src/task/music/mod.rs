//! Music on the command line.

pub mod compose;
pub mod demo;
pub mod flags;
#[cfg_attr(not(feature = "sound"), path = "no_sound.rs")]
mod sound;

use self::flags::EvalFlags;
use super::door::{Asked, Demo, Task};
use crate::input::inputs;
use crate::screen::{Screen, thousands};
use anyhow::{Context, Result, bail};
use gruvy::music::{MusicConfig, rolls_for};
use gruvy_data::music::read_music;
use gruvy_runtime::model::{ModelFile, members};
use gruvy_runtime::music::{Composer, MusicCodec};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// The music task.
#[derive(Debug)]
pub struct Music;

impl Task for Music {
    type Config = MusicConfig;
    type Eval = EvalFlags;
    type Report = ();
    const ABOUT: &'static str = "Learn music, to go on from it, to harmonise it or to compose";
    const HEADING: &'static str = "Music";
    const DATA: Option<&'static str> = Some(
        "MIDI files, folders of them, or a JSON file of piano rolls; nothing: embedded \
         traditional tunes",
    );
    const USE: [&'static str; 2] = ["compose", "compose"];
    const DEMO: Option<Demo> = Some(demo::run);

    fn eval(asked: Asked<'_>, flags: EvalFlags, screen: &Screen) -> Result<()> {
        if asked.data.is_empty() {
            bail!("{} is a model of music: give the music to measure it on", asked.path.display());
        }
        let composer = open(asked.path, Some(asked.model))?;
        let music = read_music(&inputs(asked.data)?)?;
        let rolls = rolls_for(composer.codec(), &music, flags.part)?;
        let metrics = composer.evaluate(&rolls)?;
        screen.result(
            || json!({ "nats_per_step": metrics.nats_per_step, "nats_per_note": metrics.nats_per_note, "steps": metrics.steps, "models": composer.size() }),
            || {
                format!(
                    "{:.4} nats per step, {:.4} per note, over {} steps of {} pieces",
                    metrics.nats_per_step,
                    metrics.nats_per_note,
                    thousands(metrics.steps),
                    thousands(rolls.len())
                )
            },
        )
    }
}

/// Opens a model of music, or an ensemble, whose first model may have been read already.
fn open(path: &Path, file: Option<&ModelFile>) -> Result<Composer> {
    let model = |(number, path): (usize, &PathBuf)| match file.filter(|_| number == 0) {
        Some(file) => Composer::from_file(file).with_context(|| path.display().to_string()),
        None => Ok(Composer::open(path)?),
    };
    let models = members(path)?.iter().enumerate().map(model).collect::<Result<_>>()?;
    Ok(Composer::ensemble(models)?)
}

/// What `gruvy info` says of the codec.
pub fn info(codec: &MusicCodec) -> (Value, String) {
    let grid = match codec.steps_per_quarter {
        0 => "a grid of its own".to_owned(),
        steps => format!("{steps} steps to a quarter note"),
    };
    let onsets = if codec.onsets { ", repeated notes told from held ones" } else { "" };
    (json!(codec), format!("88 keys on {grid}{onsets}"))
}
