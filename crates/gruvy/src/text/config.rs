//! Settings of the text task.
use crate::settings::{run::RunSettings, split::Split};
use gruvy_data::settings;
use gruvy_data::settings::Kind;
use gruvy_runtime::text::TextUnit;
use std::path::PathBuf;

settings! {
    /// Settings of the text task. The `[text]` table of `run.toml`.
    pub struct TextConfig {
        unit: TextUnit = TextUnit::Char, Kind::Choice(|| TextUnit::ALL.map(TextUnit::name).to_vec()), "",
            "What a token is";
        vocab_size: usize = 2000, Kind::Whole(257), "N",
            "Most entries of the vocabulary, for the unit bpe";
        /// `E`.
        embed: usize = 64, Kind::Whole(1), "N", "Numbers in a token's embedding";
        tied: bool = false, Kind::Switch, "BOOL",
            "Use the embedding for the output too; needs embed equal to hidden";
        /// `T`. The state itself runs on across batches.
        seq_len: usize = 64, Kind::Whole(1), "N", "Steps that a gradient runs back through time";
        split: Split = Split::default(), Kind::Text, "A/B/C",
            "Percent of the data to train, validate and test on, such as 90/5/5";
        #[serde(skip_serializing_if = "Option::is_none")]
        valid: Option<PathBuf> = None, Kind::Path, "PATH", "Validate on this file or folder instead";
        #[serde(skip_serializing_if = "Option::is_none")]
        test: Option<PathBuf> = None, Kind::Path, "PATH", "Test on this file or folder instead";
    }
}

/// All settings of a run of the text task.
pub type TextRun = RunSettings<TextConfig>;
