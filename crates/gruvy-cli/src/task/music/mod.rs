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
use anyhow::{Result, bail};
use gruvy::music::{MusicConfig, pieces_for, rolls_for};
use gruvy_data::music::read_music;
use gruvy_runtime::Codec;
use gruvy_runtime::model::open_members;
use gruvy_runtime::music::{Composer, EventCodec, Learned, MusicCodec, Performer, UNITS};
use serde_json::{Value, json};

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
        let music = read_music(&inputs(asked.data)?)?;
        let (path, first) = (asked.path, Some(asked.model));
        let words = |unit: &str, nats: [f64; 2], steps: usize, pieces: usize| {
            format!(
                "{:.4} nats per {unit}, {:.4} per note, over {} {unit}s of {} pieces",
                nats[0],
                nats[1],
                thousands(steps),
                thousands(pieces)
            )
        };
        let (metrics, words, models) = match &asked.model.codec {
            Codec::Events(_) => {
                let models = open_members(path, first, Performer::from_file)?;
                let performer = Performer::ensemble(models)?;
                let pieces = pieces_for(&music, flags.part)?;
                let metrics = performer.evaluate(&pieces)?;
                let nats = [metrics.nats_per_event, metrics.nats_per_note];
                let words = words("event", nats, metrics.events, pieces.len());
                (json!(metrics), words, performer.size())
            }
            _ => {
                let composer = Composer::ensemble(open_members(path, first, Composer::from_file)?)?;
                let rolls = rolls_for(composer.codec(), &music, flags.part)?;
                let metrics = composer.evaluate(&rolls)?;
                let nats = [metrics.nats_per_step, metrics.nats_per_note];
                let words = words("step", nats, metrics.steps, rolls.len());
                (json!(metrics), words, composer.size())
            }
        };
        let json = || {
            let mut json = metrics;
            json["models"] = json!(models);
            json
        };
        screen.result(json, || words)
    }
}

/// What `gruvy info` says of the codec.
pub fn info(codec: &MusicCodec) -> (Value, String) {
    let grid = match codec.steps_per_quarter {
        0 => "a grid of its own".to_owned(),
        steps => format!("{steps} steps to a quarter note"),
    };
    let onsets = if codec.onsets { ", repeated notes told from held ones" } else { "" };
    (json!(codec), format!("88 keys on {grid}{onsets}{}", learned(codec.learned.as_ref())))
}

fn learned(learned: Option<&Learned>) -> String {
    learned.map_or(String::new(), |learned| {
        format!("; learned from {}, at most {} at once", learned.span(), learned.voices)
    })
}

/// What `gruvy info` says of the codec of events.
pub fn info_of_events(codec: &EventCodec) -> (Value, String) {
    let longest = f64::from(codec.longest) / f64::from(UNITS);
    let words = format!(
        "{} events on 88 keys in steps of 10 ms, notes up to {longest:.1} s{}",
        codec.tokens(),
        learned(codec.learned.as_ref())
    );
    (json!(codec), words)
}
