//! What the baseline sees of an item: which words, and which pairs of neighbours, are in a text; of
//! a sequence of numbers, how each feature is spread. No order beyond that.
//!
//! ```text
//! text        1 for each word and each pair of words in it that at least two training texts have
//! sequence    mean, standard deviation, least, largest, first and last value of each feature; its length
//! ```
use gruvy_runtime::{
    classify::{Scaler, Words},
    items::{Items, Sequences},
};
use rayon::prelude::*;
use std::collections::HashMap;

/// Most words and pairs that are kept, the most frequent ones.
const MOST: usize = 200_000;
/// Letters of texts to count words and pairs in, 1 GB or less while counting; of more, every second
/// or third text is counted, and so on.
const COUNTED: usize = 200_000_000;
/// Numbers of a feature.
const STATISTICS: usize = 6;

/// Items as sparse vectors: of each the places that are not zero, and what is there.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rows {
    /// `[N + 1]`
    pub(super) offsets: Vec<usize>,
    pub(super) columns: Vec<u32>,
    pub(super) values: Vec<f32>,
}

impl Rows {
    /// Rows of `(column, value)`.
    pub fn new<R: IntoIterator<Item = (u32, f32)>>(rows: impl IntoIterator<Item = R>) -> Self {
        let mut all = Self { offsets: vec![0], ..Self::default() };
        for row in rows {
            for (column, value) in row {
                all.columns.push(column);
                all.values.push(value);
            }
            all.offsets.push(all.columns.len());
        }
        all
    }

    /// Rows.
    pub fn len(&self) -> usize {
        self.offsets.len().saturating_sub(1)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The columns and values of a row.
    pub(super) fn row(&self, at: usize) -> impl Iterator<Item = (usize, f64)> {
        let range = self.offsets[at]..self.offsets[at + 1];
        let columns = self.columns[range.clone()].iter().map(|column| *column as usize);
        columns.zip(self.values[range].iter().map(|value| f64::from(*value)))
    }
}

/// From items to rows, as chosen by the training items.
#[derive(Clone, Debug)]
pub(super) enum Bag {
    Text { words: HashMap<String, u32>, columns: HashMap<Gram, u32> },
    Sequences(Scaler),
}

/// A word, or a word and the next one.
type Gram = (u32, Option<u32>);

impl Bag {
    /// Chooses by the items `train`.
    pub fn new(items: &Items, train: &[usize]) -> Self {
        match items {
            Items::Text(texts) => Self::of_texts(texts, train),
            Items::Sequences(all) => {
                let names = vec![String::new(); width(all)];
                let rows: Vec<Vec<f32>> = train.iter().map(|item| statistics(all, *item)).collect();
                Self::Sequences(Scaler::fit(&names, rows.iter().map(Vec::as_slice)))
            }
        }
    }

    fn of_texts(texts: &[String], train: &[usize]) -> Self {
        let letters: usize = train.iter().map(|item| texts[*item].len()).sum();
        let stride = letters.div_ceil(COUNTED).max(1);
        let (mut words, mut all) = (HashMap::new(), Vec::new());
        for item in train.iter().step_by(stride) {
            let tokens = tokens(&texts[*item], |word| {
                let next = words.len() as u32;
                Some(*words.entry(word).or_insert(next))
            });
            all.extend(grams(&tokens));
        }
        all.par_sort_unstable();
        let often = all.chunk_by(|a, b| a == b).filter(|same| same.len() > 1);
        let mut kept: Vec<(Gram, usize)> = often.map(|same| (same[0], same.len())).collect();
        kept.sort_unstable_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
        kept.truncate(MOST);
        let columns = kept.into_iter().zip(0..).map(|((gram, _), column)| (gram, column)).collect();
        Self::Text { words, columns }
    }

    /// Columns of a row.
    pub fn width(&self) -> usize {
        match self {
            Self::Text { columns, .. } => columns.len(),
            Self::Sequences(scaler) => scaler.mean.len(),
        }
    }

    /// Some items as rows.
    ///
    /// # Panics
    /// If they are of another kind than those that were chosen by.
    pub fn rows(&self, items: &Items, of: &[usize]) -> Rows {
        match (self, items) {
            (Self::Text { words, columns }, Items::Text(texts)) => {
                let row = |item: &usize| -> Vec<(u32, f32)> {
                    let tokens = tokens(&texts[*item], |word| words.get(&word).copied());
                    let known = grams(&tokens).into_iter().filter_map(|gram| columns.get(&gram));
                    let mut row: Vec<(u32, f32)> = known.map(|column| (*column, 1.0)).collect();
                    row.sort_unstable_by_key(|entry| entry.0);
                    row
                };
                Rows::new(of.par_iter().map(row).collect::<Vec<_>>())
            }
            (Self::Sequences(scaler), Items::Sequences(all)) => {
                Rows::new(of.iter().map(|item| (0..).zip(scaler.apply(&statistics(all, *item)))))
            }
            _ => panic!("the baseline: expected items of the kind that it was fitted to"),
        }
    }
}

/// The words of a text as numbers; none for one that has no number.
fn tokens(text: &str, mut number: impl FnMut(String) -> Option<u32>) -> Vec<Option<u32>> {
    Words::split(text).map(|word| number(Words::normal(&text[word], true).into_owned())).collect()
}

/// The words and pairs of a text, each once.
fn grams(tokens: &[Option<u32>]) -> Vec<Gram> {
    let words = tokens.iter().filter_map(|word| Some(((*word)?, None)));
    let pairs = tokens.windows(2).filter_map(|pair| Some((pair[0]?, Some(pair[1]?))));
    let mut grams: Vec<Gram> = words.chain(pairs).collect();
    grams.sort_unstable();
    grams.dedup();
    grams
}

/// Numbers of a sequence.
fn width(all: &Sequences) -> usize {
    all.features.len() * STATISTICS + 1
}

/// What is said of one sequence; nothing of an empty one.
fn statistics(all: &Sequences, item: usize) -> Vec<f32> {
    let (item, features) = (all.item(item), all.features.len());
    let mut row = vec![0.0; width(all)];
    let steps = item.len() / features;
    row[features * STATISTICS] = (1.0 + steps as f32).ln();
    if steps == 0 {
        return row;
    }
    for (feature, to) in row.chunks_exact_mut(STATISTICS).take(features).enumerate() {
        let values = || item[feature..].iter().step_by(features).map(|value| f64::from(*value));
        let mean = values().sum::<f64>() / steps as f64;
        let variance = values().map(|value| (value - mean).powi(2)).sum::<f64>() / steps as f64;
        let (low, high) = values().fold((f64::MAX, f64::MIN), |(a, b), v| (a.min(v), b.max(v)));
        let (first, last) = (item[feature], item[item.len() - features + feature]);
        let all = [mean, variance.sqrt(), low, high, f64::from(first), f64::from(last)];
        to.iter_mut().zip(all).for_each(|(to, value)| *to = value as f32);
    }
    row
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_pairs_that_two_texts_have_are_columns() {
        let texts = ["not good", "Not good, no", "good not"].map(String::from).to_vec();
        let items = Items::Text(texts);
        let bag = Bag::new(&items, &[0, 1, 2]);
        // not, good, "not good"
        assert_eq!(bag.width(), 3);
        let rows = bag.rows(&items, &[0, 2]);
        let counts: Vec<usize> = (0..2).map(|at| rows.row(at).count()).collect();
        assert_eq!(counts, [3, 2]);
    }

    #[test]
    fn sequences_have_their_statistics() {
        let values = vec![1.0, 5.0, 3.0, 5.0, 0.0, 0.0];
        let features = vec!["a".into(), "b".into()];
        let all = Sequences { features, values, offsets: vec![0, 2, 3, 3] };
        let row = statistics(&all, 0);
        assert_eq!(row[..6], [2.0, 1.0, 1.0, 3.0, 1.0, 3.0]);
        assert_eq!(row[6..12], [5.0, 0.0, 5.0, 5.0, 5.0, 5.0]);
        assert!((row[12] - 3f32.ln()).abs() < 1e-6);
        assert_eq!(statistics(&all, 2), [0.0; 13]);
        let items = Items::Sequences(all);
        assert_eq!(Bag::new(&items, &[0, 1]).rows(&items, &[0]).row(0).count(), 13);
    }
}
