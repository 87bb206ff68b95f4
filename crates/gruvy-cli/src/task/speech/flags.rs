//! The flags of the subcommands of speech.

use crate::args::settings::TableFlags;
use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use gruvy_data::speech::SpeechFormat;
use gruvy_runtime::speech::{Arpa, Decoding, Phrase};
use std::path::PathBuf;
use std::sync::Arc;

/// How words are searched for.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Search")]
pub struct SearchFlags {
    /// Width of the beam search; 1 takes the best label of each step [default: 1; 16 with a language
    /// model or phrases]
    #[arg(long, value_name = "N")]
    pub beam: Option<usize>,
    /// A language model of words in the ARPA format
    #[arg(long, value_name = "FILE")]
    pub lm: Option<PathBuf>,
    /// Weight of the language model
    #[arg(long, value_name = "WEIGHT", default_value_t = 0.5, allow_negative_numbers = true)]
    pub lm_weight: f64,
    /// Bonus in nats for each word, as a language model prefers few words
    #[arg(long, value_name = "NATS", default_value_t = 0.5, allow_negative_numbers = true)]
    pub word_bonus: f64,
    /// A word or phrase to prefer; can be given several times
    #[arg(long = "phrase", value_name = "TEXT")]
    pub phrases: Vec<String>,
    /// A file with a word or phrase to prefer in each line
    #[arg(long, value_name = "FILE")]
    pub phrase_list: Option<PathBuf>,
    /// Bonus in nats for each label of a preferred phrase
    #[arg(long, value_name = "NATS", default_value_t = 1.5, allow_negative_numbers = true)]
    pub boost: f64,
}

impl SearchFlags {
    /// As the library takes it.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn decoding(&self) -> Result<Decoding> {
        let read = |path: &PathBuf| {
            std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
        };
        let language_model = match &self.lm {
            Some(path) => {
                let model =
                    Arpa::parse(&read(path)?).with_context(|| path.display().to_string())?;
                Some(Arc::new(model))
            }
            None => None,
        };
        let mut texts = self.phrases.clone();
        if let Some(path) = &self.phrase_list {
            texts.extend(read(path)?.lines().map(str::trim).map(str::to_owned));
        }
        texts.retain(|text| !text.trim().is_empty());
        let phrases: Vec<Phrase> =
            texts.into_iter().map(|text| Phrase { text, boost: self.boost }).collect();
        let searches = language_model.is_some() || !phrases.is_empty();
        let decoding = Decoding {
            beam: self.beam.unwrap_or(if searches { 16 } else { 1 }),
            language_model,
            lm_weight: self.lm_weight,
            word_bonus: self.word_bonus,
            phrases,
        };
        decoding.check()?;
        Ok(decoding)
    }
}

/// The format of a transcript.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// The words.
    Text,
    /// Subtitles as SubRip has them.
    Srt,
    /// Subtitles as WebVTT has them.
    Vtt,
}

/// What `gruvy eval` takes for a model of speech.
#[derive(Debug, Args)]
pub struct EvalFlags {
    /// How recordings and texts lie in their files.
    #[command(flatten)]
    pub format: TableFlags<SpeechFormat>,
    /// How words are searched for.
    #[command(flatten)]
    pub search: SearchFlags,
}

/// `gruvy transcribe`
#[derive(Debug, Args)]
pub struct TranscribeArgs {
    /// Run folder or model file
    pub model: PathBuf,
    /// Recordings: WAV, FLAC, MP3, Ogg Vorbis, AIFF, M4A; `-` is stdin
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Output format; --json has the times and confidences of the words
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    /// Write the transcript to a file
    #[arg(short, long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// How words are searched for.
    #[command(flatten)]
    pub search: SearchFlags,
}

/// `gruvy align`
#[derive(Debug, Args)]
pub struct AlignArgs {
    /// Run folder or model file
    pub model: PathBuf,
    /// The recording
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// What is said in it: a file, or with --text the text itself
    #[arg(value_name = "TEXT_FILE", required_unless_present = "text", conflicts_with = "text")]
    pub text_file: Option<PathBuf>,
    /// What is said in it
    #[arg(long, value_name = "TEXT")]
    pub text: Option<String>,
    /// Output format; --json has the times and confidences of the words
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    /// Write it to a file
    #[arg(short, long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// `gruvy listen`
#[derive(Debug, Args)]
pub struct ListenArgs {
    /// Run folder or model file
    pub model: PathBuf,
    /// A recording to listen to as if it were live; without one, raw samples are read from stdin
    /// (16-bit signed little-endian, one channel, at the model's rate)
    #[arg(value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// Seconds of silence that end an utterance
    #[arg(long, value_name = "S", default_value_t = 0.8)]
    pub endpoint: f64,
    /// Play the recording at its own speed
    #[arg(long, requires = "file")]
    pub live: bool,
}
