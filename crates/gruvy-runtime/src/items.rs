//! What is to be classified: plain values, wherever they came from.

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

    /// More sequences of the same features behind these.
    pub fn append(&mut self, other: &Self) {
        let before = self.offsets.last().copied().unwrap_or(0);
        self.values.extend_from_slice(&other.values);
        self.offsets.extend(other.offsets.iter().skip(1).map(|offset| offset + before));
    }
}

impl Items {
    /// What item `at` says, for a person.
    pub fn shown(&self, at: usize) -> String {
        match self {
            Items::Text(texts) => texts[at].clone(),
            Items::Sequences(all) => {
                let steps = all.item(at).len() / all.features.len();
                format!("item {}, a sequence of {steps} steps", at + 1)
            }
        }
    }
}
