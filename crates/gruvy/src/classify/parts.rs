//! What is odd about the parts that a model is validated and tested on.
use super::{data::Labelled, division::Division};
use crate::train::task::Part;
use gruvy_runtime::Remark;
use gruvy_runtime::items::Items;
use gruvy_runtime::names::in_words;
use std::collections::HashSet;

/// Items of a label below which its metrics say little.
const FEW: usize = 5;

/// Tells which labels to learn from are not in a part or hardly, and how many of its items are
/// learned from too.
pub(super) fn told(data: &Labelled, division: &Division) -> Vec<Remark> {
    let learned = data.counts(&division.train);
    let known: HashSet<Content<'_>> =
        division.train.iter().map(|item| content(&data.items, *item)).collect();
    let mut notes = Vec::new();
    for (part, action) in [(Part::Valid, "validate"), (Part::Test, "test")] {
        let of = division.of(part);
        if of.is_empty() {
            continue;
        }
        let counts = data.counts(of);
        let with = |is: &dyn Fn(usize) -> bool| -> Vec<String> {
            let all = data.labels.iter().zip(counts.iter().zip(&learned));
            let some = all.filter(|(_, (count, learned))| **learned > 0 && is(**count));
            some.map(|(label, _)| label.clone()).collect()
        };
        let (none, few) = (with(&|count| count == 0), with(&|count| (1..FEW).contains(&count)));
        if !none.is_empty() {
            notes.push(
                format!(
                    "no item to {action} on has the label {}: the metrics say nothing of it",
                    in_words(&none)
                )
                .into(),
            );
        }
        if !few.is_empty() {
            notes.push(format!(
                "fewer than {FEW} items to {action} on have the label {}: the metrics say little \
                 of it",
                in_words(&few)
            ).into());
        }
        let alike = of.iter().filter(|item| known.contains(&content(&data.items, **item))).count();
        if alike > 0 {
            notes.push(format!(
                "{alike} of {} items to {action} on are among those to learn from, word for word: \
                 the metrics are better \
                 than they would be on new ones",
                of.len()
            ).into());
        }
    }
    notes
}

/// What is in an item.
#[derive(PartialEq, Eq, Hash)]
enum Content<'a> {
    Text(&'a str),
    /// The bits of the values.
    Values(Vec<u32>),
}

fn content(items: &Items, item: usize) -> Content<'_> {
    match items {
        Items::Text(texts) => Content::Text(&texts[item]),
        Items::Sequences(all) => {
            Content::Values(all.item(item).iter().map(|value| value.to_bits()).collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_part_lacks_and_what_it_shares_is_said() {
        let texts = (0..20).map(|item| format!("text {}", item % 18)).collect();
        let truth = (0..20u32).map(|item| vec![u32::from(item == 7 || item == 16)]).collect();
        let labels = vec!["a".to_owned(), "b, c".to_owned()];
        let data = Labelled { items: Items::Text(texts), labels, truth };
        let part = |range: std::ops::Range<usize>| range.collect();
        let division = Division { train: part(0..8), valid: part(8..14), test: part(14..20) };
        let notes = told(&data, &division);
        assert_eq!(notes.len(), 3, "{notes:#?}");
        assert!(
            notes[0].why.starts_with("no item to validate on has the label `b, c`"),
            "{}",
            notes[0]
        );
        assert!(notes[1].why.starts_with("fewer than 5 items to test on have the label `b, c`"));
        assert!(notes[2].why.starts_with("2 of 6 items to test on are among those to learn from"));
        let good = Division { train: part(0..8), ..Division::default() };
        assert_eq!(told(&data, &good), []);
    }
}
