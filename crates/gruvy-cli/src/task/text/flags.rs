//! The flags of the subcommands on text.

use clap::Args;
use std::num::NonZeroU64;
use std::path::PathBuf;

/// `gruvy generate`
#[derive(Debug, Args)]
pub struct GenerateArgs {
    /// Run folder or model file
    pub model: PathBuf,
    /// Text to go on from; `-` reads it from stdin [default: a line end]
    #[arg(short, long, value_name = "TEXT")]
    pub prompt: Option<String>,
    /// Tokens to write
    #[arg(short, long, value_name = "N", default_value_t = 500)]
    pub length: usize,
    /// Below 1 safer, above 1 wilder; 0 always takes the likeliest token
    #[arg(short, long, value_name = "T", default_value_t = 0.8, allow_negative_numbers = true)]
    pub temperature: f64,
    /// Choose among the N likeliest tokens only
    #[arg(long, value_name = "N")]
    pub top_k: Option<usize>,
    /// Choose among the likeliest tokens that together have probability P
    #[arg(long, value_name = "P")]
    pub top_p: Option<f64>,
    /// Texts to write
    #[arg(short = 'n', long, value_name = "N", default_value = "1")]
    pub samples: NonZeroU64,
}
