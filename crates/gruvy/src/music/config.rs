//! Settings of the music task.
use crate::settings::{run::RunSettings, split::Split};
use gruvy_data::settings;
use gruvy_data::settings::{Kind, Range};
use serde::{Deserialize, Serialize};

/// What the network answers with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HeadKind {
    /// A yes or no to each key by itself.
    Bernoulli,
    /// The keys of a frame one after another, by a decoder.
    #[default]
    Joint,
    /// What is done on a keyboard, one thing after another, in its own time.
    Events,
}

impl HeadKind {
    /// All of them, with the names they are written as.
    pub const ALL: [(&'static str, Self); 3] =
        [("bernoulli", Self::Bernoulli), ("joint", Self::Joint), ("events", Self::Events)];
}

/// Grids by the note that a step is, and the steps of a quarter note.
pub const GRIDS: [(&str, u32); 8] = [
    ("1/4", 1),
    ("1/8", 2),
    ("1/12", 3),
    ("1/16", 4),
    ("1/24", 6),
    ("1/32", 8),
    ("1/48", 12),
    ("1/96", 24),
];

/// The note of a grid of so many steps to a quarter note; `auto` for one that is not known.
pub(super) fn grid_name(steps: u32) -> &'static str {
    GRIDS.into_iter().find(|(_, known)| *known == steps).map_or("auto", |(name, _)| name)
}

/// A grid is written by its note.
mod grid {
    use super::GRIDS;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub fn serialize<S: Serializer>(steps: &u32, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(super::grid_name(*steps))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<u32, D::Error> {
        let name = String::deserialize(from)?;
        if name == "auto" {
            return Ok(0);
        }
        let known = GRIDS.into_iter().find(|(known, _)| *known == name);
        known.map(|(_, steps)| steps).ok_or_else(|| D::Error::custom(format!("no grid `{name}`")))
    }
}

settings! {
    /// Settings of the music task. The `[music]` table of `run.toml`.
    pub struct MusicConfig {
        head: HeadKind = HeadKind::default(), Kind::Choice(|| HeadKind::ALL.map(|(name, _)| name).to_vec()), "",
            "Predict each key by itself, the keys of a frame one after another, or what is played \
             event by event, with its own timing and loudness";
        /// Steps of a quarter note; 0: by where notes begin.
        #[serde(with = "grid")]
        grid: u32 = 0, Kind::Choice(|| [&["auto"][..], &GRIDS.map(|(name, _)| name)].concat()), "",
            "Grid of MIDI files: the shortest note that can be told apart; 1/12 and 1/24 are \
             triplets [default: by where notes begin]";
        /// `T`.
        seq_len: usize = 256, Kind::Whole(2), "T",
            "Longest excerpt of a piece to learn from at once, in steps or events";
        decoder_hidden: usize = 200, Kind::Whole(1), "N", "Hidden units of the joint head's decoder";
        decoder_dropout: f64 = 0.2, Kind::Number(Range::Share), "P",
            "Share of activations dropped before the joint head's logits";
        /// Each stretch of an epoch by a random number of semitones.
        #[serde(skip_serializing_if = "Option::is_none")]
        transpose: Option<usize> = None, Kind::Whole(0), "N",
            "Transpose by up to N semitones while training [default: 5 for MIDI files, 0 for piano \
             rolls]";
        #[serde(skip_serializing_if = "Option::is_none")]
        tempo_change: Option<f64> = None, Kind::Number(Range::Share), "P",
            "Play events up to this share faster or slower while training [default: 0.05]";
        ensemble: usize = 1, Kind::Whole(1), "N", "Train N models that differ in their seed";
        /// Of MIDI files; the JSON sets are divided already.
        split: Split = Split { train: 80.0, valid: 10.0, test: 10.0 }, Kind::Text, "A/B/C",
            "Percentages of MIDI files to train, validate and test on";
    }
}

/// All settings of a run of the music task.
pub type MusicRun = RunSettings<MusicConfig>;
