//! What the user can say of files of examples. What is not said is guessed.
use crate::settings;
use crate::settings::Kind;
use serde::{Deserialize, Serialize};

settings! {
    /// How examples lie in their files. A table without a header has the columns `1`, `2`, ….
    pub struct ExampleFormat {
        file_format: FileFormat = FileFormat::Auto,
            Kind::Choice(|| FileFormat::ALL.map(|(name, _)| name).to_vec()), "",
            "What kind of files the data are";
        #[serde(skip_serializing_if = "Option::is_none")]
        text_column: Option<String> = None, Kind::Text, "COLUMN",
            "Column or JSON key with the text; of a table without a header its number, from 1 \
             [default: guessed]";
        label_column: Vec<String> = Vec::new(), Kind::Texts, "COLUMNS",
            "Column or JSON key with the label; several columns hold 0 or 1 for a label each \
             [default: guessed]";
        #[serde(skip_serializing_if = "Option::is_none")]
        id_column: Option<String> = None, Kind::Text, "COLUMN",
            "Column with the name of the item, or of the sequence that a row belongs to [default: \
             guessed]";
        #[serde(skip_serializing_if = "Option::is_none")]
        step_column: Option<String> = None, Kind::Text, "COLUMN",
            "Column that orders the steps of a sequence [default: guessed]";
        feature_columns: Vec<String> = Vec::new(), Kind::Texts, "COLUMNS",
            "Columns with the numbers of a step [default: all other columns of numbers]";
        ignore_columns: Vec<String> = Vec::new(), Kind::Texts, "COLUMNS",
            "Columns, keys or folders of labels to leave out";
        #[serde(skip_serializing_if = "Option::is_none")]
        label_separator: Option<char> = None, Kind::Character, "CHAR",
            "What stands between the labels of an item that has several";
        #[serde(skip_serializing_if = "Option::is_none")]
        header: Option<bool> = None, Kind::Switch, "BOOL",
            "Whether the first line of a table names its columns [default: as it looks]";
        encoding: Encoding = Encoding::Auto,
            Kind::Choice(|| Encoding::ALL.map(|(name, _)| name).to_vec()), "",
            "Encoding of the text; auto: UTF-8, or Latin-1 where it is no UTF-8";
    }
}

impl ExampleFormat {
    /// The columns that are named, each with the setting that names it.
    pub(super) fn named(&self) -> impl Iterator<Item = (&'static str, &String)> {
        let setting = |name: &'static str| move |column| (name, column);
        let text = self.text_column.iter().map(setting("the setting `text_column`"));
        let label = self.label_column.iter().map(setting("the setting `label_column`"));
        let id = self.id_column.iter().map(setting("the setting `id_column`"));
        let step = self.step_column.iter().map(setting("the setting `step_column`"));
        let features = self.feature_columns.iter().map(setting("the setting `feature_columns`"));
        let ignore = self.ignore_columns.iter().map(setting("the setting `ignore_columns`"));
        text.chain(label).chain(id).chain(step).chain(features).chain(ignore)
    }
}

/// What kind of file examples lie in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FileFormat {
    /// As it looks.
    #[default]
    Auto,
    /// A table with a text per row: CSV, TSV, Parquet.
    Table,
    /// A JSON object per line.
    JsonLines,
    /// A text per line, behind its labels: `__label__good fine film`.
    FastText,
    /// A text per line, without labels.
    Lines,
    /// A folder with one folder per label, and in it a file per text.
    Folders,
    /// A table with a step of a sequence per row.
    Sequences,
    /// NumPy's arrays `x`, and `y` and `lengths` if they are there.
    Npz,
}

impl FileFormat {
    /// All, by name.
    pub const ALL: [(&'static str, Self); 8] = [
        ("auto", Self::Auto),
        ("table", Self::Table),
        ("json-lines", Self::JsonLines),
        ("fast-text", Self::FastText),
        ("lines", Self::Lines),
        ("folders", Self::Folders),
        ("sequences", Self::Sequences),
        ("npz", Self::Npz),
    ];
}

/// How characters are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Encoding {
    /// UTF-8, or UTF-16 with its mark; what is neither, is taken for Latin-1.
    #[default]
    #[serde(rename = "auto")]
    Auto,
    /// UTF-8, and anything else is an error.
    #[serde(rename = "utf-8")]
    Utf8,
    /// Latin-1, as Windows has it (code page 1252).
    #[serde(rename = "latin-1")]
    Latin1,
}

impl Encoding {
    /// All, by name.
    pub const ALL: [(&'static str, Self); 3] =
        [("auto", Self::Auto), ("utf-8", Self::Utf8), ("latin-1", Self::Latin1)];
}
