//! Nonsense is read or refused; nothing panics, and what is read fits together.
use crate::format;
use gruvy_data::Input;
use gruvy_data::examples::{ExampleFormat, Like, read_examples, read_examples_like};
use gruvy_data::text::{TextKind, read_text};
use gruvy_runtime::items::Items;
use proptest::prelude::*;

const NAMES: [&str; 8] =
    ["a.csv", "a.tsv", "a.jsonl", "a.json", "a.txt", "a.npz", "a.parquet", "stdin"];

pub(crate) fn fits(name: &str, bytes: &[u8], asked: &str) {
    let input = [Input::bytes(name, bytes)];
    let asked = format(asked);
    let examples = match read_examples(&input, &asked) {
        Ok(examples) => examples,
        Err(error) => return assert!(error.to_string().contains(name), "{error}"),
    };
    // What was found finds the same again.
    if !examples.labels.is_empty() && asked == ExampleFormat::default() {
        let like =
            Like { known: &examples.format, asked: &ExampleFormat::default(), labelled: true };
        if let (true, Ok(again)) = (name.ends_with("sv"), read_examples_like(&input, &like)) {
            assert_eq!(again.items, examples.items);
            assert_eq!(again.labels, examples.labels);
        }
    }
    let n = examples.len();
    assert!(n > 0);
    assert!(examples.labels.is_empty() || examples.labels.len() == n);
    assert!(examples.labels.iter().flatten().all(|label| !label.is_empty()));
    assert!(examples.ids.is_none_or(|ids| ids.len() == n));
    assert_eq!(examples.places.len(), n);
    assert!((0..n).all(|i| !examples.places.get(i).to_string().is_empty()));
    match &examples.items {
        Items::Text(texts) => assert!(texts.iter().all(|text| text.trim() == text)),
        Items::Sequences(sequences) => {
            let steps: usize = (0..n).map(|i| sequences.item(i).len()).sum();
            assert_eq!(steps, sequences.values.len());
            assert!((0..n).all(|i| !sequences.item(i).is_empty()));
            assert!(sequences.values.iter().all(|value| value.is_finite()));
        }
    }
}

/// Cells as they may stand in a table, and some that should not.
fn cell() -> impl Strategy<Value = String> {
    const KNOWN: [&str; 24] = [
        "text",
        "label",
        "id",
        "sequence_id",
        "step",
        "x",
        "",
        " ",
        "NA",
        "-1.5",
        "7",
        "1.0",
        "0",
        "true",
        "inf",
        "1e39",
        "a fine film",
        "\"",
        "\"a,b\"",
        "é",
        "__label__a",
        "{}",
        "2",
        "1",
    ];
    prop::sample::select(&KNOWN[..]).prop_map(str::to_owned)
}

fn asked() -> impl Strategy<Value = &'static str> {
    const ASKED: [&str; 10] = [
        "{}",
        r#"{"header":false}"#,
        r#"{"header":true}"#,
        r#"{"file_format":"sequences"}"#,
        r#"{"file_format":"lines"}"#,
        r#"{"file_format":"fast-text"}"#,
        r#"{"text_column":"1"}"#,
        r#"{"label_column":["1","2"]}"#,
        r#"{"id_column":"id","step_column":"step"}"#,
        r#"{"label_separator":"a","encoding":"latin-1"}"#,
    ];
    prop::sample::select(&ASKED[..])
}

/// How files begin that are something.
const STARTS: [&[u8]; 10] = [
    b"\xef\xbb\xbf",
    b"\xff\xfe",
    b"\xfe\xff",
    b"PK\x03\x04",
    b"PAR1",
    b"\x1f\x8b\x08\0\0\0\0\0\0\xff",
    b"\x28\xb5\x2f\xfd",
    b"[{\"text\":\"a\"},",
    b"sep=;\n",
    b"text\tlabel\n\"",
];

fn name() -> impl Strategy<Value = &'static str> {
    prop::sample::select(&NAMES[..])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn any_bytes(name in name(), bytes in prop::collection::vec(any::<u8>(), 0..200), asked in asked()) {
        fits(name, &bytes, asked);
    }

    #[test]
    fn any_bytes_behind_a_signature(
        name in name(),
        start in prop::sample::select(&STARTS[..]),
        bytes in prop::collection::vec(any::<u8>(), 0..60),
        asked in asked(),
    ) {
        fits(name, &[start, &bytes].concat(), asked);
    }

    #[test]
    fn any_text(
        start in prop::sample::select(&STARTS[..]),
        bytes in prop::collection::vec(any::<u8>(), 0..60),
        text in "\\PC{0,20}",
    ) {
        for bytes in [[start, &bytes].concat(), [start, text.as_bytes()].concat(), text.into_bytes()] {
            let input = [Input::bytes("book.txt", bytes.clone())];
            for kind in [TextKind::Bytes, TextKind::Utf8] {
                match read_text(&input, kind) {
                    Ok(read) => {
                        prop_assert!(!read.bytes.is_empty());
                        prop_assert!(read.bytes.len() <= 3 * bytes.len());
                        prop_assert!(kind == TextKind::Bytes || std::str::from_utf8(&read.bytes).is_ok());
                    }
                    Err(error) => prop_assert!(error.to_string().contains("book.txt"), "{}", error),
                }
            }
        }
    }

    #[test]
    fn any_files_of_folders(
        files in prop::collection::vec((name(), any::<bool>(), "\\PC{0,20}"), 0..4),
        bytes in prop::collection::vec(any::<u8>(), 0..60),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("label");
        for (name, inside, text) in &files {
            let at = if *inside { &inner } else { folder.path() };
            std::fs::create_dir_all(at).unwrap();
            std::fs::write(at.join(name), [text.as_bytes(), &bytes].concat()).unwrap();
        }
        let input = [Input::from(folder.path())];
        let name = folder.path().display().to_string();
        match read_examples(&input, &ExampleFormat::default()) {
            Ok(examples) => prop_assert!(!examples.is_empty()),
            Err(error) => prop_assert!(error.to_string().contains(&name), "{}", error),
        }
        match read_text(&input, TextKind::Utf8) {
            Ok(text) => prop_assert!(std::str::from_utf8(&text.bytes).is_ok()),
            Err(error) => prop_assert!(error.to_string().contains(&name), "{}", error),
        }
    }

    #[test]
    fn any_characters_of_files(name in name(), text in "[,;\t\"\r\n0-9a-c{}:_ \u{feff}é.]{0,120}", asked in asked()) {
        fits(name, text.as_bytes(), asked);
    }

    #[test]
    fn any_cells(
        name in name(),
        rows in prop::collection::vec(prop::collection::vec(cell(), 1..4), 1..8),
        separator in prop::sample::select(&[",", "\t", ";"][..]),
        asked in asked(),
    ) {
        let lines: Vec<String> = rows.iter().map(|row| row.join(separator)).collect();
        fits(name, lines.join("\n").as_bytes(), asked);
    }

    #[test]
    fn any_rows_of_sequences(rows in prop::collection::vec((cell(), cell(), cell(), cell()), 1..8)) {
        let lines: Vec<String> =
            rows.iter().map(|(a, b, c, d)| format!("{a},{b},{c},{d}\n")).collect();
        fits("a.csv", ["sequence_id,step,x,label\n", &lines.concat()].concat().as_bytes(), "{}");
    }

    #[test]
    fn any_object(text in "[\"{}:,a-c\\[\\]0-9 ]{0,40}", label in "[\"{}\\[\\],a0-9.]{0,6}") {
        fits("a.jsonl", format!("{{\"text\":\"{text}\",\"label\":{label}}}").as_bytes(), "{}");
    }
}
