//! Nonsense is read or refused with the name of the file.
use crate::format;
use gruvy_data::Input;
use gruvy_data::speech::read_clips;
use proptest::prelude::*;

/// A line of a manifest, or nearly.
const LINE: &str = concat!(
    r#"\{"(path|audio)": ?("[a-z/.]{0,9}"|null|[0-9]|\[\]), ?"#,
    r#""(text|duration)": ?("[a-z ]{0,9}"|-?[0-9.e]{1,9})\}"#
);

fn fits(name: &str, bytes: Vec<u8>) {
    match read_clips(&[Input::bytes(name, bytes)], &format("{}")) {
        Ok(clips) => assert!(!clips.is_empty() && clips.places.len() == clips.len()),
        Err(error) => assert!(error.to_string().contains(name), "{error}"),
    }
}

proptest! {
    #[test]
    fn any_list(
        name in prop::sample::select(&["a.jsonl", "a.csv", "a.tsv", "a"][..]),
        bytes in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        fits(name, bytes);
    }

    #[test]
    fn any_json(
        lines in prop::collection::vec(LINE, 0..5),
    ) {
        fits("a.jsonl", lines.join("\n").into_bytes());
    }

    #[test]
    fn any_table(
        header in "(path|file|x)[,\t](text|y|duration)([,\t]offset)?",
        rows in prop::collection::vec("[a-z\"]{0,4}[,\t][a-z0-9\"]{0,5}([,\t][0-9.-]{0,4})?", 0..5),
    ) {
        fits("a.csv", format!("{header}\n{}\n", rows.join("\n")).into_bytes());
    }
}
