//! What the user can say of files of examples. What is not said is guessed.
use serde::{Deserialize, Serialize};

/// How examples lie in their files. A table without a header has the columns `1`, `2`, ….
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ExampleFormat {
    /// What kind of files they are.
    pub file_format: FileFormat,
    /// The column, or the key of an object, with the text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text_column: Option<String>,
    /// The column, or the key, with the label; several: one of 0 and 1 for each label.
    pub label_column: Vec<String>,
    /// The column, or the key, that names an item; of sequences, the column that says which sequence a row belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id_column: Option<String>,
    /// Of sequences, the column that orders the steps; without one, the order of the rows counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step_column: Option<String>,
    /// Of sequences, the columns with the values; without them, all others that hold numbers.
    pub feature_columns: Vec<String>,
    /// Columns, keys or folders of labels to be left out.
    pub ignore_columns: Vec<String>,
    /// Splits a label's cell into several labels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label_separator: Option<char>,
    /// Whether the first line of a table names the columns; without a word, as it looks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub header: Option<bool>,
    /// How characters are written.
    pub encoding: Encoding,
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
