//! Any bytes as a file of examples, of a kind that the first byte chooses; what is read fits together.
#![no_main]
use gruvy_data::Input;
use gruvy_data::examples::{ExampleFormat, read_examples};
use gruvy_runtime::items::Items;
use libfuzzer_sys::fuzz_target;

const NAMES: [&str; 6] = ["a.csv", "a.tsv", "a.jsonl", "a.txt", "a.npz", "stdin"];

fuzz_target!(|bytes: &[u8]| {
    let Some((first, bytes)) = bytes.split_first() else { return };
    let name = NAMES[usize::from(*first) % NAMES.len()];
    let Ok(examples) = read_examples(&[Input::bytes(name, bytes)], &ExampleFormat::default()) else { return };
    let n = examples.len();
    assert!(n > 0);
    assert!(examples.labels.is_empty() || examples.labels.len() == n);
    assert_eq!(examples.places.len(), n);
    if let Items::Sequences(sequences) = &examples.items {
        let steps: usize = (0..n).map(|i| sequences.item(i).len()).sum();
        assert_eq!(steps, sequences.values.len());
        assert!(sequences.values.iter().all(|value| value.is_finite()));
    }
});
