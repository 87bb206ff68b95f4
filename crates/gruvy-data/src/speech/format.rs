//! What the user can say of recordings and their texts. What is not said is guessed.
use crate::settings;
use crate::settings::Kind;
use serde::{Deserialize, Serialize};

settings! {
    /// How recordings and what is said in them lie in files.
    pub struct SpeechFormat {
        layout: Layout = Layout::Auto,
            Kind::Choice(|| Layout::ALL.map(|(name, _)| name).to_vec()), "",
            "Where the texts of recordings stand";
        #[serde(skip_serializing_if = "Option::is_none")]
        audio_column: Option<String> = None, Kind::Text, "COLUMN",
            "Column or JSON key with the path of the recording [default: guessed]";
        #[serde(skip_serializing_if = "Option::is_none")]
        text_column: Option<String> = None, Kind::Text, "COLUMN",
            "Column or JSON key with what is said in it [default: guessed]";
        #[serde(skip_serializing_if = "Option::is_none")]
        speaker_column: Option<String> = None, Kind::Text, "COLUMN",
            "Column or JSON key with who says it [default: guessed]";
        #[serde(skip_serializing_if = "Option::is_none")]
        pattern: Option<String> = None, Kind::Text, "PATTERN",
            "What the names of recordings say, of {text}, {label}, {speaker} and {index}, such as \
             {label}_{speaker}_{index}.wav; in {text}, _ stands between words";
        words: Vec<String> = Vec::new(), Kind::Texts, "CODE=WORD,…",
            "Words that the parts of {text} in a name stand for, such as 0=no,1=yes";
    }
}

/// Where the texts of recordings stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Layout {
    /// As it looks.
    #[default]
    Auto,
    /// A table with a recording per row: CSV, TSV, Parquet.
    Table,
    /// A JSON object per recording.
    JsonLines,
    /// A folder with one folder per label, and in it recordings.
    Folders,
    /// In the names of the recordings.
    Names,
    /// In a text file beside each recording, or in LibriSpeech's `*.trans.txt`.
    Beside,
}

impl Layout {
    /// All, by name.
    pub const ALL: [(&'static str, Self); 6] = [
        ("auto", Self::Auto),
        ("table", Self::Table),
        ("json-lines", Self::JsonLines),
        ("folders", Self::Folders),
        ("names", Self::Names),
        ("beside", Self::Beside),
    ];

    pub(super) fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, layout)| *layout == self).map_or("", |(name, _)| name)
    }
}
