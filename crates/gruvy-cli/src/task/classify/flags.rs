//! The classification task: its settings as flags, and its subcommands.

use crate::args::settings::{TaskFlags, lay_over, one_of};
use crate::screen::Screen;
use crate::task::classify;
use anyhow::Result;
use clap::{ArgAction, Args};
use gruvy::classify::{ClassifyConfig, ClassifyRun, ClassifyTask, Unit};
use gruvy::settings::Split;
use gruvy::train::RunFolder;
use gruvy_data::examples::{Encoding, ExampleFormat, FileFormat};
use gruvy_runtime::model::Pool;
use serde_json::Value;
use std::path::PathBuf;

/// What stands where in labelled data, named as in [`ExampleFormat`].
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Examples")]
pub struct ExampleFlags {
    /// What kind of files the data are [default: as they look]
    #[arg(long, value_parser = one_of(FileFormat::ALL))]
    pub file_format: Option<FileFormat>,
    /// Column or JSON key with the text; of a table without a header its number, from 1 [default: guessed]
    #[arg(long, value_name = "COLUMN")]
    pub text_column: Option<String>,
    /// Column or JSON key with the label; several columns hold 0 or 1 for a label each [default: guessed]
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',')]
    pub label_column: Vec<String>,
    /// Column with the name of the item, or of the sequence that a row belongs to [default: guessed]
    #[arg(long, value_name = "COLUMN")]
    pub id_column: Option<String>,
    /// Column that orders the steps of a sequence [default: guessed]
    #[arg(long, value_name = "COLUMN")]
    pub step_column: Option<String>,
    /// Columns with the numbers of a step [default: all other columns of numbers]
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',')]
    pub feature_columns: Vec<String>,
    /// Columns to leave out of them
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',')]
    pub ignore_columns: Vec<String>,
    /// What stands between the labels of an item that has several
    #[arg(long, value_name = "CHAR")]
    pub label_separator: Option<char>,
    /// Whether the first line of a table names its columns [default: as it looks]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    pub header: Option<bool>,
    /// Encoding of the text [default: UTF-8, or Latin-1 where it is no UTF-8]
    #[arg(long, value_parser = one_of(Encoding::ALL))]
    pub encoding: Option<Encoding>,
}

impl ExampleFlags {
    /// Lays the flags given over the settings.
    pub fn apply(self, to: &mut ExampleFormat) {
        lay_over!(self => to; file_format encoding);
        to.text_column = self.text_column.or(to.text_column.take());
        to.id_column = self.id_column.or(to.id_column.take());
        to.step_column = self.step_column.or(to.step_column.take());
        to.label_separator = self.label_separator.or(to.label_separator);
        to.header = self.header.or(to.header);
        for (given, list) in [
            (self.label_column, &mut to.label_column),
            (self.feature_columns, &mut to.feature_columns),
            (self.ignore_columns, &mut to.ignore_columns),
        ] {
            if !given.is_empty() {
                *list = given;
            }
        }
    }
}

/// Settings of the classification task as flags, named as in [`ClassifyConfig`].
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Classify")]
pub struct ClassifyFlags {
    /// Labelled texts or sequences: CSV, TSV, Parquet, JSON Lines, fastText lines, a folder per label, .npz; `-` is
    /// stdin; nothing: an embedded synthetic set
    #[arg(value_name = "DATA", help_heading = "Arguments")]
    pub data: Vec<PathBuf>,
    /// What one step of a text is
    #[arg(long, value_parser = one_of(Unit::ALL))]
    pub unit: Option<Unit>,
    /// Most words or word pieces of the vocabulary
    #[arg(long, value_name = "N")]
    pub vocab_size: Option<usize>,
    /// Fewest times that a word must be there to be known
    #[arg(long, value_name = "N")]
    pub min_count: Option<usize>,
    /// Take capitals for small letters
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    pub lowercase: Option<bool>,
    /// Most steps that are read of an item; 0: all [default: 400 of a text, all of a sequence]
    #[arg(long, value_name = "N")]
    pub max_len: Option<usize>,
    /// Numbers in a token's embedding
    #[arg(long, value_name = "N")]
    pub embed: Option<usize>,
    /// Standard deviation of the embeddings at the start
    #[arg(long, value_name = "STD")]
    pub embed_std: Option<f64>,
    /// Word vectors to begin with, in GloVe's or word2vec's text format
    #[arg(long, value_name = "FILE")]
    pub vectors: Option<PathBuf>,
    /// Leave the embeddings as they begin
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    pub freeze_vectors: Option<bool>,
    /// Share of words that are made unknown while training [default: where there are words or characters]
    #[arg(long, value_name = "P")]
    pub word_dropout: Option<f64>,
    /// Read in both directions [default: true for texts]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    pub bidirectional: Option<bool>,
    /// How all steps become one answer [default: max for texts, last for sequences]
    #[arg(long, value_parser = one_of(Pool::ALL))]
    pub pool: Option<Pool>,
    /// Items can have several labels, or none
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    pub multi_label: Option<bool>,
    /// Let every class count alike, however rare it is
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    pub class_weights: Option<bool>,
    /// Percent of the data to train, validate and test on, such as 80/10/10; every label in these shares
    #[arg(long, value_name = "A/B/C")]
    pub split: Option<Split>,
    /// Validate on this file or folder instead
    #[arg(long, value_name = "PATH")]
    pub valid: Option<PathBuf>,
    /// Test on this file or folder instead
    #[arg(long, value_name = "PATH")]
    pub test: Option<PathBuf>,
    /// Train so many models, each tested on another part of the data that it did not learn from: cross-validation
    #[arg(long, value_name = "N")]
    pub folds: Option<usize>,
    /// Train only the model that is tested on this one of the folds, from 1
    #[arg(long, value_name = "N")]
    pub fold: Option<usize>,
    /// What stands where in the data.
    #[command(flatten)]
    pub format: ExampleFlags,
}

impl TaskFlags for ClassifyFlags {
    type Config = ClassifyConfig;
    const USE: [&'static str; 2] = ["predict", "predict"];

    fn apply(self, to: &mut ClassifyRun) {
        if !self.data.is_empty() {
            to.data.paths = self.data;
        }
        let to = &mut to.task;
        lay_over!(self => to; unit vocab_size min_count lowercase embed embed_std freeze_vectors multi_label class_weights
            split folds fold);
        to.max_len = self.max_len.or(to.max_len);
        to.word_dropout = self.word_dropout.or(to.word_dropout);
        to.bidirectional = self.bidirectional.or(to.bidirectional);
        to.pool = self.pool.or(to.pool);
        to.vectors = self.vectors.or(to.vectors.take());
        to.valid = self.valid.or(to.valid.take());
        to.test = self.test.or(to.test.take());
        self.format.apply(&mut to.format);
    }

    fn report(task: &ClassifyTask, folder: &RunFolder, screen: &Screen) -> Result<(Value, String)> {
        classify::report_run(task, folder, screen)
    }
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
    pub format: ExampleFlags,
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
