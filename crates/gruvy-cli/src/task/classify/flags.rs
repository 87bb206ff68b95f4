//! The flags of the subcommands that classify.

use crate::args::settings::TableFlags;
use clap::{ArgAction, Args};
use gruvy_data::examples::ExampleFormat;
use std::path::PathBuf;

/// What `gruvy eval` takes for a classifier.
#[derive(Debug, Args)]
pub struct EvalFlags {
    /// Write a page with the metrics, the confusion matrix and the most confident mistakes
    #[arg(short, long, value_name = "FILE", help_heading = "Classify")]
    pub out: Option<PathBuf>,
    /// What stands where in the data.
    #[command(flatten)]
    pub format: TableFlags<ExampleFormat>,
}

/// `gruvy predict`
#[derive(Debug, Args)]
pub struct PredictArgs {
    /// Run folder or model file
    pub model: PathBuf,
    /// Texts or sequences, in any form that `train classify` takes, or a text a line; `-` is stdin
    #[arg(value_name = "DATA", required_unless_present = "text")]
    pub data: Vec<PathBuf>,
    /// A text to answer about, instead of data
    #[arg(long, value_name = "TEXT", conflicts_with = "data")]
    pub text: Option<String>,
    /// Give the N likeliest labels of each item
    #[arg(long, value_name = "N")]
    pub top_k: Option<usize>,
    /// Give an answer after every step of each item; needs a model that reads in one direction
    #[arg(long, action = ArgAction::SetTrue)]
    pub every_step: bool,
    /// Give JSON Lines instead of CSV
    #[arg(long)]
    pub jsonl: bool,
    /// Write the answers to a file, as JSON Lines if it ends in .jsonl
    #[arg(short, long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// What stands where in the data.
    #[command(flatten)]
    pub format: TableFlags<ExampleFormat>,
}

/// `gruvy explain`
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// Run folder or model file
    pub model: PathBuf,
    /// Text to explain the label of
    #[arg(long, value_name = "TEXT", required_unless_present = "input", conflicts_with = "input")]
    pub text: Option<String>,
    /// File with the text; `-` is stdin
    #[arg(value_name = "FILE")]
    pub input: Option<PathBuf>,
    /// The label to explain [default: the likeliest]
    #[arg(long, value_name = "LABEL")]
    pub label: Option<String>,
    /// Write the explanation as a page
    #[arg(short, long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}
