//! Items with their labels as numbers.
use crate::error::{Error, Result};
use gruvy_data::examples::Examples;
use gruvy_runtime::{items::Items, names::in_words, random::Fnv, text::nfc};
use std::collections::{BTreeSet, HashMap};

/// Items that are labelled.
#[derive(Clone, Debug)]
pub struct Labelled {
    /// The items.
    pub items: Items,
    /// `[K]` names of the labels.
    pub labels: Vec<String>,
    /// `[N]`: the labels of each item, as indices, rising.
    pub truth: Vec<Vec<u32>>,
}

impl Labelled {
    /// Numbers the labels of `examples`: by value if all are whole numbers, else by name.
    ///
    /// # Errors
    /// If they have none, or without `multi_label` an item has not exactly one.
    pub fn new(examples: Examples, multi_label: bool) -> Result<Self> {
        let all = examples.labels.iter().flatten();
        let distinct: BTreeSet<String> = all.map(|label| nfc(label).into_owned()).collect();
        let mut labels: Vec<String> = distinct.into_iter().collect();
        let value = |label: &String| label.parse::<i64>();
        if labels.iter().all(|label| value(label).is_ok()) {
            labels.sort_by_key(|label| value(label).unwrap_or_default());
        }
        Self::with_labels(examples, labels, multi_label)
    }

    /// As [`Labelled::new`], with labels that are known already.
    ///
    /// # Errors
    /// Also for a label that is not among them.
    pub fn with_labels(examples: Examples, labels: Vec<String>, multi_label: bool) -> Result<Self> {
        if examples.labels.is_empty() {
            return Err(Error::Data(
                "the data have no labels; name the column that holds them with the setting \
                 `label_column`, or what the file is with the setting `file_format`"
                    .into(),
            ));
        }
        // A name is the same however its letters were typed. Of models of before, the names as they
        // are count first.
        let exact = labels.iter().zip(0..).map(|(label, at)| (label.clone(), at));
        let composed = labels.iter().zip(0..).map(|(label, at)| (nfc(label).into_owned(), at));
        let known: HashMap<String, u32> = composed.chain(exact).collect();
        let mut truth = Vec::with_capacity(examples.labels.len());
        for (item, names) in examples.labels.iter().enumerate() {
            let place = || examples.places.get(item);
            if !multi_label && names.len() != 1 {
                return Err(Error::Data(format!(
                    "{}: the item has {} labels ({}), expected one; the setting \
                     `multi_label=true` learns several",
                    place(),
                    names.len(),
                    in_words(names)
                )));
            }
            let number = |name: &String| {
                known.get(name).or_else(|| known.get(&*nfc(name))).copied().ok_or_else(|| {
                    Error::Data(format!(
                        "{}: the label `{name}` is not known; those learned from are {}",
                        place(),
                        in_words(&labels)
                    ))
                })
            };
            let numbers: BTreeSet<u32> = names.iter().map(number).collect::<Result<_>>()?;
            truth.push(numbers.into_iter().collect());
        }
        Ok(Self { items: examples.items, labels, truth })
    }

    /// Items.
    pub fn len(&self) -> usize {
        self.truth.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.truth.is_empty()
    }

    /// How many of some items have each label, `[K]`.
    pub(super) fn counts(&self, of: &[usize]) -> Vec<usize> {
        let mut counts = vec![0; self.labels.len()];
        for label in of.iter().flat_map(|item| &self.truth[*item]) {
            counts[*label as usize] += 1;
        }
        counts
    }

    /// Adds other items, whose labels are numbered alike.
    ///
    /// # Errors
    /// If they are of another kind, or have other features.
    pub(super) fn append(&mut self, other: Self) -> Result<()> {
        match (&mut self.items, other.items) {
            (Items::Text(all), Items::Text(more)) => all.extend(more),
            (Items::Sequences(all), Items::Sequences(more)) if all.features == more.features => {
                let steps = all.offsets.last().copied().unwrap_or(0);
                all.values.extend(more.values);
                all.offsets.extend(more.offsets.iter().skip(1).map(|at| steps + at));
            }
            _ => {
                let why = "validation and test data must be of the kind, and have the features, of the training data";
                return Err(Error::Data(why.into()));
            }
        }
        self.truth.extend(other.truth);
        Ok(())
    }

    pub(super) fn fingerprint(&self) -> Fnv {
        let mut print = Fnv::new();
        for label in &self.labels {
            print.add(label.as_bytes());
        }
        for labels in &self.truth {
            print.add_number(labels.len() as u64);
            labels.iter().for_each(|label| print.add_number(u64::from(*label)));
        }
        match &self.items {
            Items::Text(texts) => texts.iter().for_each(|text| {
                print.add_number(text.len() as u64);
                print.add(text.as_bytes());
            }),
            Items::Sequences(all) => {
                all.offsets.iter().for_each(|at| print.add_number(*at as u64));
                all.values.iter().for_each(|value| print.add(&value.to_le_bytes()));
            }
        }
        print
    }
}
