//! The flags of the subcommands on music.

use crate::args::settings::TableFlags;
use crate::args::values::one_of;
use clap::Args;
use gruvy::music::{ComposeConfig, ComposeLength, MusicPart};
use std::num::NonZeroUsize;
use std::path::PathBuf;

/// What `gruvy eval` takes for a model of music.
#[derive(Debug, Args)]
#[command(next_help_heading = "Music")]
pub struct EvalFlags {
    /// The part of a file of piano rolls to measure on; of MIDI files all are
    #[arg(long, value_parser = one_of(MusicPart::ALL), default_value = "test")]
    pub part: MusicPart,
}

/// `gruvy compose`
#[derive(Debug, Args)]
pub struct ComposeArgs {
    /// Run folder or model file
    pub model: PathBuf,
    /// A MIDI file to go on from, of any number of voices [default: from nothing]
    #[arg(value_name = "PRIMER")]
    pub primer: Option<PathBuf>,
    /// Where the music goes, a MIDI file; pictures and sound go beside it
    #[arg(short, long, value_name = "FILE", default_value = "composition.mid")]
    pub out: PathBuf,
    /// How the given music is read.
    #[command(flatten)]
    pub given: GivenFlags,
    /// Pieces to compose; of several, each file has a number
    #[arg(long, value_name = "N", default_value = "1")]
    pub count: NonZeroUsize,
    /// Write a page on how much of the pieces is copied from the training music and how similar
    /// they are to it; needs a run folder
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
    /// What is written beside the MIDI file.
    #[command(flatten)]
    pub preview: PreviewFlags,
    /// How much is composed.
    #[command(flatten)]
    pub length: TableFlags<ComposeLength>,
    /// How it is composed.
    #[command(flatten)]
    pub how: TableFlags<ComposeConfig>,
}

/// `gruvy harmonize`
#[derive(Debug, Args)]
pub struct HarmonizeArgs {
    /// Run folder or model file
    pub model: PathBuf,
    /// A MIDI file with the voice to keep
    #[arg(value_name = "MELODY")]
    pub melody: PathBuf,
    /// Where the music goes, a MIDI file; pictures and sound go beside it
    #[arg(short, long, value_name = "FILE", default_value = "harmonized.mid")]
    pub out: PathBuf,
    /// How the given music is read.
    #[command(flatten)]
    pub given: GivenFlags,
    /// Harmonies to try; the likeliest under the model is kept
    #[arg(long, value_name = "N", default_value = "8")]
    pub tries: NonZeroUsize,
    /// What is written beside the MIDI file.
    #[command(flatten)]
    pub preview: PreviewFlags,
    /// How it is composed.
    #[command(flatten)]
    pub how: TableFlags<ComposeConfig>,
}

/// How the music that a model is given is read.
#[derive(Debug, Args)]
pub struct GivenFlags {
    /// Transpose the given music by N semitones; negative is down
    #[arg(long, value_name = "N", default_value = "0", allow_negative_numbers = true)]
    #[arg(value_parser = clap::value_parser!(i32).range(-87..=87))]
    pub transpose: i32,
}

/// What is written beside a MIDI file.
#[derive(Debug, Default, Args)]
pub struct PreviewFlags {
    /// Write the MIDI file alone, without picture and sound
    #[arg(long)]
    pub no_preview: bool,
    /// Play the preview with the instruments of a SoundFont (.sf2)
    #[arg(long, value_name = "FILE", conflicts_with = "no_preview")]
    pub soundfont: Option<PathBuf>,
}
