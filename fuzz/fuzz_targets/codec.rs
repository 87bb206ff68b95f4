//! Any JSON as a codec, then any text, and numbers, through it.
#![no_main]
use gruvy_runtime::Codec;
use gruvy_runtime::items::{Items, Sequences};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&str, &str)| {
    let (json, text) = input;
    match serde_json::from_str::<Codec>(json) {
        Ok(Codec::Text(codec)) => {
            let Ok(tokens) = codec.encode(text) else { return };
            assert!(tokens.iter().all(|token| (*token as usize) < codec.vocab_size()));
            if codec.unseen(text).is_empty() {
                assert_eq!(codec.decode(&tokens), *codec.normalize().apply(text));
            }
        }
        Ok(Codec::Classify(codec)) => {
            let _ = codec.encode(&Items::Text(vec![text.to_owned()]));
            let values: Vec<f32> = text.bytes().map(f32::from).collect();
            let (features, offsets) = (vec!["x".to_owned()], vec![0, values.len()]);
            let _ = codec.encode(&Items::Sequences(Sequences { features, values, offsets }));
        }
        _ => {}
    }
});
