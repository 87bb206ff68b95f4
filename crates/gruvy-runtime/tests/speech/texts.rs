//! Texts to classes and back, in every unit.
use gruvy_runtime::speech::{Labels, plain};
use gruvy_runtime::text::TextCodec;
use proptest::prelude::*;

proptest! {
    #[test]
    fn characters_come_back(text in "[a-dé ]{0,20}") {
        let text = plain(&text, true);
        let labels = Labels::Text(TextCodec::char("abcdé "));
        let classes = labels.encode(&text).unwrap();
        prop_assert!(classes.iter().all(|class| (1..labels.classes() as u32).contains(class)));
        prop_assert_eq!(labels.text(&classes), text);
    }
}

#[test]
fn words_come_back() {
    let labels = Labels::Words(vec!["ja".into(), "nein".into()]);
    assert_eq!(labels.classes(), 3);
    let classes = labels.encode("nein ja  nein").unwrap();
    assert_eq!(classes, [2, 1, 2]);
    assert_eq!(labels.text(&classes), "nein ja nein");
}
