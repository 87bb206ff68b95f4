//! Any bytes as a file of examples, a text, or files of a folder, as the first two bytes choose;
//! what is read fits together.
#![no_main]
mod quiet;

use gruvy_data::Input;
use gruvy_data::examples::{ExampleFormat, Examples, Like, read_examples, read_examples_like};
use gruvy_data::text::{TextKind, read_text};
use gruvy_runtime::items::Items;
use libfuzzer_sys::fuzz_target;
use std::path::Path;

const NAMES: [&str; 9] =
    ["a.csv", "a.tsv", "a.jsonl", "a.txt", "a.npz", "a.parquet", "a.csv.gz", "a.jsonl.zst", "stdin"];
const ASKED: [&str; 12] = [
    "{}",
    r#"{"header":false}"#,
    r#"{"header":true,"label_separator":"|"}"#,
    r#"{"file_format":"sequences"}"#,
    r#"{"file_format":"lines"}"#,
    r#"{"file_format":"fast-text"}"#,
    r#"{"file_format":"json-lines"}"#,
    r#"{"text_column":"1","label_column":["2"]}"#,
    r#"{"text_column":"text","label_column":["a","b"]}"#,
    r#"{"id_column":"id","step_column":"step","feature_columns":["x"]}"#,
    r#"{"encoding":"latin-1"}"#,
    r#"{"encoding":"utf-8","ignore_columns":["b"]}"#,
];

fuzz_target!(init: quiet::parquet(), |bytes: &[u8]| {
    let [name, asked, bytes @ ..] = bytes else { return };
    match name {
        200.. => folder(bytes),
        180..200 => text(bytes),
        _ => {
            let format = ASKED[usize::from(*asked) % ASKED.len()];
            let format = serde_json::from_str(format).expect("the settings are right");
            examples(&[Input::bytes(NAMES[usize::from(*name) % NAMES.len()], bytes)], &format);
        }
    }
});

fn examples(inputs: &[Input], format: &ExampleFormat) {
    let Ok(examples) = read_examples(inputs, format) else { return };
    fits(&examples);
    let like = Like { known: &examples.format, asked: format, labelled: false };
    if let Ok(again) = read_examples_like(inputs, &like) {
        fits(&again);
    }
}

fn fits(examples: &Examples) {
    let n = examples.len();
    assert!(n > 0);
    assert!(examples.labels.is_empty() || examples.labels.len() == n);
    assert_eq!(examples.places.len(), n);
    if let Items::Sequences(sequences) = &examples.items {
        let steps: usize = (0..n).map(|i| sequences.item(i).len()).sum();
        assert_eq!(steps, sequences.values.len());
        assert!(sequences.values.iter().all(|value| value.is_finite()));
    }
}

fn text(bytes: &[u8]) {
    for kind in [TextKind::Bytes, TextKind::Utf8] {
        if let Ok(text) = read_text(&[Input::bytes("book.txt", bytes)], kind) {
            assert!(!text.bytes.is_empty());
            assert!(kind == TextKind::Bytes || std::str::from_utf8(&text.bytes).is_ok());
        }
    }
}

/// Files of a folder and of a folder in it: the parts between bytes 1, each behind its place and
/// name.
fn folder(bytes: &[u8]) {
    let shared = Path::new("/dev/shm");
    let place = if shared.is_dir() { shared.to_owned() } else { std::env::temp_dir() };
    let folder = place.join(format!("gruvy-fuzz-{}", std::process::id()));
    for (part, bytes) in bytes.split(|byte| *byte == 1).take(4).enumerate() {
        let Some((name, bytes)) = bytes.split_first() else { continue };
        let at = if name & 128 == 0 { folder.clone() } else { folder.join("label") };
        std::fs::create_dir_all(&at).expect("a folder can be made");
        let name = format!("{part}{}", NAMES[usize::from(name & 127) % NAMES.len()]);
        std::fs::write(at.join(name), bytes).expect("a file can be written");
    }
    examples(&[folder.as_path().into()], &ExampleFormat::default());
    if let Ok(text) = read_text(&[folder.as_path().into()], TextKind::Utf8) {
        assert!(std::str::from_utf8(&text.bytes).is_ok());
    }
    let _ = std::fs::remove_dir_all(&folder);
}
