//! Examples to classify: files in, texts or sequences of numbers out, with their labels.
//!
//! ```text
//! CSV, TSV, Parquet ──columns──┬─> texts ─────┐
//!                              └─> sequences ─┤
//! JSON Lines, fastText, lines, folders ───────┼─> Examples
//! NumPy .npz ─────────────────────────────────┘
//! ```
//!
//! What a file is shows in its name and its first lines, what a column is in its name; both are said in
//! [`Examples::notes`], and [`ExampleFormat`] says otherwise. Texts stay as they are, but for blanks around them. What
//! cannot be right is an error with file and line.
mod columns;
mod decode;
mod folders;
mod format;
mod json;
mod labels;
mod lines;
#[cfg(feature = "npz")]
mod npz;
mod part;
mod places;
mod read;
mod sequences;
mod table;

pub use format::{Encoding, ExampleFormat, FileFormat};
pub use places::{Place, Places};
pub use read::{parse_examples, read_examples};

/// Examples of one kind, in the order in which they stand in their files.
#[derive(Clone, Debug, PartialEq)]
pub struct Examples {
    /// `[N]` what is to be classified.
    pub items: Items,
    /// `[N]` the labels of each item, in the order in which they stand there: one, or any number where items have
    /// several. Empty if the files have no labels.
    pub labels: Vec<Vec<String>>,
    /// `[N]` what the items are called, if there is a column for it.
    pub ids: Option<Vec<String>>,
    /// `[N]` where each item stands.
    pub places: Places,
    /// What was guessed and found, sentences for a person.
    pub notes: Vec<String>,
}

/// What is to be classified.
#[derive(Clone, Debug, PartialEq)]
pub enum Items {
    /// Texts, without blanks around them.
    Text(Vec<String>),
    /// Sequences of numbers.
    Sequences(Sequences),
}

/// Sequences of numbers, one behind the other.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sequences {
    /// `[I]` the names of the features.
    pub features: Vec<String>,
    /// `[ΣT, I]` finite values.
    pub values: Vec<f32>,
    /// `[N + 1]` where each sequence begins, in steps; at the end, where the last one ends.
    pub offsets: Vec<usize>,
}

impl Examples {
    /// `N`, how many there are.
    pub fn len(&self) -> usize {
        match &self.items {
            Items::Text(texts) => texts.len(),
            Items::Sequences(sequences) => sequences.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Sequences {
    /// `N`, how many there are.
    pub fn len(&self) -> usize {
        self.offsets.len().saturating_sub(1)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// `[T, I]` the values of a sequence.
    ///
    /// # Panics
    /// If there is no such sequence.
    pub fn item(&self, i: usize) -> &[f32] {
        let width = self.features.len();
        &self.values[self.offsets[i] * width..self.offsets[i + 1] * width]
    }
}
