//! Errors, and how transcripts are written.
use gruvy_runtime::speech::{Edit, Errors, Transcript, Word, edits};
use proptest::prelude::*;

#[test]
fn errors_are_counted() {
    let errors = Errors::of_words("a b c d e f", "z a b x d e");
    let Errors { substitutions, insertions, deletions, reference } = errors;
    assert_eq!((substitutions, insertions, deletions, reference), (1, 1, 1, 6));
    assert_eq!(errors.rate(), 0.5);
    assert_eq!(Errors::of_chars("a  b", "a b").total(), 0);
    assert_eq!(Errors::of_words("", "").rate(), 0.0);
    assert_eq!(Errors::of_words("", "ghost").rate(), 1.0);
    assert_eq!(Errors::of_words("a b", "").deletions, 2);
    let sum: Errors = [errors, Errors::of_words("a", "b")].into_iter().sum();
    assert_eq!((sum.substitutions, sum.reference), (2, 7));
}

proptest! {
    #[test]
    fn edits_lead_from_one_to_the_other(
        a in proptest::collection::vec(0u8..4, 0..9),
        b in proptest::collection::vec(0u8..4, 0..9),
    ) {
        let (mut i, mut j) = (0, 0);
        for edit in edits(&a, &b) {
            match edit {
                Edit::Same => {
                    prop_assert_eq!(a[i], b[j]);
                    (i, j) = (i + 1, j + 1);
                }
                Edit::Substituted => {
                    prop_assert_ne!(a[i], b[j]);
                    (i, j) = (i + 1, j + 1);
                }
                Edit::Deleted => i += 1,
                Edit::Inserted => j += 1,
            }
        }
        prop_assert_eq!((i, j), (a.len(), b.len()));
        let there = Errors::between(&a, &b);
        let back = Errors::between(&b, &a);
        prop_assert_eq!(there.total(), back.total());
        prop_assert!(there.total() <= a.len().max(b.len()));
        prop_assert!(there.total() >= a.len().abs_diff(b.len()));
    }
}

#[test]
fn subtitles() {
    let word = |text: &str, start: f64| Word {
        text: text.into(),
        start,
        end: start + 0.3,
        confidence: 0.9,
    };
    let first =
        Transcript { text: String::new(), words: vec![word("one", 0.5), word("<two>", 1.0)] };
    let later = Transcript { text: String::new(), words: vec![word("three", 3661.25)] };
    let said = first.then(later);
    assert_eq!(said.text, "one <two> three");
    assert_eq!(
        said.to_srt(),
        "1\n00:00:00,500 --> 00:00:01,300\none <two>\n\n\
         2\n01:01:01,250 --> 01:01:01,550\nthree\n\n"
    );
    assert!(
        said.to_vtt().starts_with("WEBVTT\n\n00:00:00.500 --> 00:00:01.300\none &lt;two&gt;\n")
    );
    assert_eq!(Transcript::default().to_srt(), "");
}
