//! What is read.
use super::format::ExampleFormat;
use super::places::Places;
use gruvy_runtime::Remark;
use gruvy_runtime::items::Items;

/// Examples of one kind, in the order in which they stand in their files.
#[derive(Clone, Debug, PartialEq)]
pub struct Examples {
    /// `[N]` what is to be classified.
    pub items: Items,
    /// `[N]` the labels of each item, in the order in which they stand there: one, or any number
    /// where items have several. Empty if the files have no labels.
    pub labels: Vec<Vec<String>>,
    /// `[N]` what the items are called, if there is a column for it.
    pub ids: Option<Vec<String>>,
    /// `[N]` where each item stands.
    pub places: Places,
    /// What was guessed and found, sentences for a person.
    pub notes: Vec<Remark>,
    /// How they were read: what was said and what was found, of the first file. Others are read
    /// like these with [`Like`](super::Like).
    pub format: ExampleFormat,
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
