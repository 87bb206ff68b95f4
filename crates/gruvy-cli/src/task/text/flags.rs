//! The flags of the subcommands on text.

use crate::args::settings::TableFlags;
use clap::Args;
use gruvy::text::Generating;
use std::path::PathBuf;

/// `gruvy generate`
#[derive(Debug, Args)]
pub struct GenerateArgs {
    /// Run folder or model file
    pub model: PathBuf,
    /// Text to go on from; `-` reads it from stdin [default: a line end]
    #[arg(short, long, value_name = "TEXT")]
    pub prompt: Option<String>,
    /// How it is written.
    #[command(flatten)]
    pub how: TableFlags<Generating>,
}
