//! How far a transcript is from what was said.
//!
//! ```text
//! word error rate = (substitutions + insertions + deletions) / words of the reference
//! ```
//! The alignment is one with the fewest errors (Levenshtein 1966).
use serde::Serialize;
use std::iter::Sum;
use std::ops::Add;

/// Errors against a reference, in words or characters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Errors {
    /// Units of the reference that were taken for another.
    pub substitutions: usize,
    /// Units that the reference does not have.
    pub insertions: usize,
    /// Units of the reference that are missing.
    pub deletions: usize,
    /// Units of the reference.
    pub reference: usize,
}

/// How a unit of an alignment came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edit {
    /// The same in both.
    Same,
    /// One for another.
    Substituted,
    /// In the transcript alone.
    Inserted,
    /// In the reference alone.
    Deleted,
}

impl Errors {
    /// Between two sequences.
    pub fn between<T: PartialEq>(reference: &[T], got: &[T]) -> Self {
        let mut errors = Self { reference: reference.len(), ..Self::default() };
        for edit in edits(reference, got) {
            match edit {
                Edit::Same => {}
                Edit::Substituted => errors.substitutions += 1,
                Edit::Inserted => errors.insertions += 1,
                Edit::Deleted => errors.deletions += 1,
            }
        }
        errors
    }

    /// Between the words of two texts, divided at white space.
    pub fn of_words(reference: &str, got: &str) -> Self {
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        Self::between(&words(reference), &words(got))
    }

    /// Between the characters of two texts, white space counted as one blank.
    pub fn of_chars(reference: &str, got: &str) -> Self {
        let chars = |text: &str| -> Vec<char> {
            text.split_whitespace().collect::<Vec<_>>().join(" ").chars().collect()
        };
        Self::between(&chars(reference), &chars(got))
    }

    /// All of them.
    pub fn total(&self) -> usize {
        self.substitutions + self.insertions + self.deletions
    }

    /// Errors for each unit of the reference. Against an empty reference, 0 without errors and
    /// else 1.
    pub fn rate(&self) -> f64 {
        match (self.total(), self.reference) {
            (0, _) => 0.0,
            (_, 0) => 1.0,
            (total, reference) => total as f64 / reference as f64,
        }
    }
}

impl Add for Errors {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            substitutions: self.substitutions + other.substitutions,
            insertions: self.insertions + other.insertions,
            deletions: self.deletions + other.deletions,
            reference: self.reference + other.reference,
        }
    }
}

impl Sum for Errors {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), Add::add)
    }
}

/// How a sequence becomes another with the fewest edits, in order.
pub fn edits<T: PartialEq>(reference: &[T], got: &[T]) -> Vec<Edit> {
    let width = got.len() + 1;
    let mut cost = vec![0u32; (reference.len() + 1) * width];
    for i in 0..=reference.len() {
        for j in 0..width {
            cost[i * width + j] = match (i, j) {
                (0, j) => j as u32,
                (i, 0) => i as u32,
                (i, j) => {
                    let differs = u32::from(reference[i - 1] != got[j - 1]);
                    let either = cost[(i - 1) * width + j].min(cost[i * width + j - 1]) + 1;
                    either.min(cost[(i - 1) * width + j - 1] + differs)
                }
            };
        }
    }
    let (mut i, mut j) = (reference.len(), got.len());
    let mut edits = Vec::with_capacity(i.max(j));
    while i > 0 || j > 0 {
        let here = cost[i * width + j];
        let same = i > 0 && j > 0 && reference[i - 1] == got[j - 1];
        if i > 0 && j > 0 && here == cost[(i - 1) * width + j - 1] + u32::from(!same) {
            edits.push(if same { Edit::Same } else { Edit::Substituted });
            (i, j) = (i - 1, j - 1);
        } else if i > 0 && here == cost[(i - 1) * width + j] + 1 {
            edits.push(Edit::Deleted);
            i -= 1;
        } else {
            edits.push(Edit::Inserted);
            j -= 1;
        }
    }
    edits.reverse();
    edits
}
