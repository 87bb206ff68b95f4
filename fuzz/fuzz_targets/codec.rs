//! Any JSON as a codec, then any text through it.
#![no_main]
use gruvy_runtime::Codec;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&str, &str)| {
    let (json, text) = input;
    let Ok(codec) = serde_json::from_str::<Codec>(json) else { return };
    let Codec::Text(codec) = codec else { return };
    let Ok(tokens) = codec.encode(text) else { return };
    assert!(tokens.iter().all(|token| (*token as usize) < codec.vocab_size()));
    if codec.unseen(text).is_empty() {
        assert_eq!(codec.decode(&tokens), text);
    }
});
