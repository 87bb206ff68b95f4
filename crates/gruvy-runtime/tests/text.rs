//! The text codec in its three units.
#![allow(clippy::unwrap_used)] // Helpers of tests stop at the first surprise, as tests do.

mod common;
use common::tokenizer_json;
use gruvy_runtime::{
    Error,
    text::{Normalize, TextCodec, TextUnit, nfc},
};
use proptest::prelude::*;
use std::sync::LazyLock;
use tokenizers::{
    DecoderWrapper, NormalizerWrapper, PostProcessorWrapper, TokenizerBuilder,
    models::bpe::{BPE, BpeTrainerBuilder},
    pre_tokenizers::byte_level::ByteLevel,
};

const CORPUS: &str =
    "the cat sat on the mat\n  then the “dog” came…\n\nnaïve café, the end 12 123\n";

/// A tokenizer as the training half makes it.
fn trained() -> String {
    let mut tokenizer = TokenizerBuilder::<
        BPE,
        NormalizerWrapper,
        ByteLevel,
        PostProcessorWrapper,
        DecoderWrapper,
    >::new()
    .with_model(BPE::default())
    .with_pre_tokenizer(Some(ByteLevel::new(false, true, true)))
    .with_decoder(Some(DecoderWrapper::from(ByteLevel::default())))
    .build()
    .unwrap();
    let mut trainer = BpeTrainerBuilder::new()
        .show_progress(false)
        .vocab_size(280)
        .initial_alphabet(ByteLevel::alphabet().into_iter().collect())
        .build();
    tokenizer.train(&mut trainer, [CORPUS].into_iter()).unwrap();
    tokenizer.to_string(false).unwrap()
}

fn codecs() -> [TextCodec; 3] {
    static BPE: LazyLock<TextCodec> = LazyLock::new(|| TextCodec::bpe(&trained()).unwrap());
    [TextCodec::byte(), TextCodec::char(CORPUS), BPE.clone()]
}

fn stored(codec: &TextCodec) -> TextCodec {
    serde_json::from_str(&serde_json::to_string(codec).unwrap()).unwrap()
}

#[test]
fn the_corpus_goes_there_and_back() {
    for codec in codecs() {
        for codec in [stored(&codec), codec] {
            let tokens = codec.encode(CORPUS).unwrap();
            assert!(tokens.iter().all(|t| (*t as usize) < codec.vocab_size()));
            assert_eq!(codec.decode(&tokens), CORPUS);
            assert_eq!(codec.unseen(CORPUS), []);
            assert!(codec.encode("").unwrap().is_empty());
        }
    }
    let lengths = codecs().map(|codec| codec.encode(CORPUS).unwrap().len());
    assert_eq!(lengths[0], CORPUS.len());
    assert_eq!(lengths[1], CORPUS.chars().count());
    assert!(lengths[2] < lengths[1], "merges shorten the text: {lengths:?}");
}

#[test]
fn units_have_names_and_sizes() {
    assert_eq!(codecs().map(|codec| codec.unit()), TextUnit::ALL);
    assert_eq!(TextUnit::ALL.map(TextUnit::name), ["byte", "char", "bpe"]);
    assert_eq!(TextUnit::from_name("bpe"), Some(TextUnit::Bpe));
    assert_eq!(TextUnit::from_name("word"), None);
    assert_eq!(codecs().map(|codec| codec.vocab_size())[0], 256);
    assert_eq!(codecs().map(|codec| codec.vocab_size())[2], 280);
    assert_eq!(TextCodec::char("").vocab_size(), 1);
}

#[test]
fn characters_are_sorted_after_the_unknown_one() {
    let codec = TextCodec::char("cabéa");
    assert_eq!(codec.vocab_size(), 5);
    assert_eq!(codec.encode("abcéx").unwrap(), [1, 2, 3, 4, 0]);
    assert_eq!(codec.unknown_token(), Some(0));
    assert_eq!(codec.decode(&[0, 3, 99]), "\u{fffd}c\u{fffd}");
}

#[test]
fn unseen_characters_are_reported_once() {
    let codec = TextCodec::char("abc");
    assert_eq!(codec.unseen("zaßzb"), ['z', 'ß']);
    for codec in [&codecs()[0], &codecs()[2]] {
        assert_eq!(codec.unseen("zaßzb"), []);
        assert_eq!(codec.unknown_token(), None);
    }
}

#[test]
fn invalid_utf8_is_located() {
    let [byte, char, bpe] = codecs();
    let text = b"ab\ncd\xff\n";
    assert_eq!(byte.decode(&byte.encode(text).unwrap()), "ab\ncd\u{fffd}\n");
    for codec in [char, bpe] {
        assert!(matches!(codec.encode(text), Err(Error::Utf8 { offset: 5, line: 2 })));
    }
}

#[test]
fn only_whole_characters_are_streamed() {
    for codec in codecs() {
        let (mut decoder, mut text) = (codec.decoder(), String::new());
        for token in codec.encode("né…").unwrap() {
            decoder.push(token, &mut text);
            assert!("né…".starts_with(&text), "{text}");
        }
        assert_eq!(text, "né…");
    }
    let byte = TextCodec::byte();
    assert_eq!(byte.decode(&byte.encode(&"né".as_bytes()[..2]).unwrap()), "n\u{fffd}");
}

#[test]
fn long_text_is_encoded_as_if_in_one_piece() {
    let codec = TextCodec::bpe(&trained()).unwrap();
    let tokenizer: tokenizers::Tokenizer = trained().parse().unwrap();
    // Several pieces; line breaks before spaces, tabs and further line breaks among the cuts.
    let text: String = (0..4000)
        .map(|i| format!("{}the\u{2003}cat {i}\n", ["", " ", "\t", "\n"][i % 4]))
        .collect();
    let long = text.repeat(4);
    let expected = tokenizer.encode(&*long, false).unwrap();
    assert_eq!(codec.encode(&long).unwrap(), expected.get_ids());
    assert_eq!(codec.decode(expected.get_ids()), long);
}

fn refused(edit: impl FnOnce(&mut serde_json::Value)) -> String {
    let mut json = tokenizer_json(&[("a", "b")]);
    assert!(TextCodec::bpe(&json.to_string()).is_ok());
    edit(&mut json);
    match TextCodec::bpe(&json.to_string()) {
        Err(Error::Tokenizer { reason }) => reason,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_tokenizer_that_is_no_json() {
    assert!(matches!(TextCodec::bpe("{"), Err(Error::Tokenizer { .. })));
}

#[test]
fn a_tokenizer_of_another_kind() {
    assert!(refused(|json| json["model"]["type"] = "Unigram".into()).contains("Unigram"));
    assert!(
        refused(|json| json["pre_tokenizer"]["type"] = "Metaspace".into()).contains("ByteLevel")
    );
    assert!(refused(|json| json["pre_tokenizer"] = serde_json::Value::Null).contains("null"));
}

#[test]
fn a_tokenizer_that_changes_the_text() {
    let prefix =
        |json: &mut serde_json::Value| json["pre_tokenizer"]["add_prefix_space"] = true.into();
    assert!(refused(prefix).contains("add_prefix_space"));
    let normalizer = serde_json::json!({"type": "Lowercase"});
    assert!(refused(|json| json["normalizer"] = normalizer).contains("normalises"));
    assert!(refused(|json| json["model"]["dropout"] = 0.5.into()).contains("dropout"));
    let added = serde_json::json!([{"id": 257, "content": "<s>"}]);
    assert!(refused(|json| json["added_tokens"] = added).contains("added tokens"));
}

#[test]
fn a_tokenizer_with_a_merge_into_no_token() {
    assert!(refused(|json| json["model"]["merges"][0][1] = "c".into()).contains("merge `a c`"));
}

#[test]
fn a_tokenizer_without_all_bytes() {
    let reason = refused(|json| {
        let vocab = json["model"]["vocab"].as_object_mut().unwrap();
        let id = vocab.remove("z").unwrap();
        vocab.insert("zz".into(), id);
    });
    assert!(reason.contains("byte 122"), "{reason}");
}

#[test]
fn a_tokenizer_with_an_id_twice_or_too_high() {
    assert!(refused(|json| json["model"]["vocab"]["ab"] = 3.into()).contains("taken or too high"));
    assert!(
        refused(|json| json["model"]["vocab"]["ab"] = 257.into()).contains("taken or too high")
    );
}

#[test]
fn a_tokenizer_with_a_token_that_is_no_bytes() {
    assert!(refused(|json| json["model"]["vocab"]["ab c"] = 257.into()).contains("ab c"));
    assert!(refused(|json| json["model"]["vocab"][""] = 257.into()).contains("``"));
}

#[test]
fn a_codec_of_before_reads_as_it_did() {
    let stored = r#"{"unit":"char","vocabulary":"eé\u0301"}"#;
    let before: TextCodec = serde_json::from_str(stored).unwrap();
    assert_eq!(before.encode("e\u{301}é").unwrap(), [1, 3, 2]);
    assert_eq!(serde_json::to_value(&before).unwrap().get("normalize"), None);
    let codec = TextCodec::char("ée\u{301}");
    assert_eq!((codec.vocab_size(), codec.unseen("e\u{301}").len()), (2, 0));
    assert_eq!(serde_json::to_value(&codec).unwrap()["normalize"], "nfc");
}

proptest! {
    #[test]
    fn any_text_goes_there_and_back(text in "(\\PC|\\s){0,40}") {
        let [byte, _, bpe] = codecs();
        for codec in [byte, bpe] {
            prop_assert_eq!(codec.decode(&codec.encode(&text).unwrap()), &*text);
        }
        let char = TextCodec::char(&text);
        prop_assert_eq!(char.decode(&char.encode(&text).unwrap()), nfc(&text));
    }

    #[test]
    fn a_text_is_the_same_however_its_letters_were_typed(text in "(\\PC|e\u{301}|\u{1100}\u{1161}){0,20}") {
        let [byte, _, bpe] = codecs();
        for codec in [byte.composed(), bpe.composed(), TextCodec::char(&text)] {
            prop_assert_eq!(codec.encode(&text).unwrap(), codec.encode(&*nfc(&text)).unwrap());
            prop_assert_eq!(stored(&codec).normalize(), Normalize::Nfc);
        }
    }

    #[test]
    fn unseen_characters_become_one_replacement_each(text in "\\PC{0,40}") {
        let codec = TextCodec::char("etaoin");
        let known = |c| if "etaoin".contains(c) { c } else { char::REPLACEMENT_CHARACTER };
        let expected: String = nfc(&text).chars().map(known).collect();
        prop_assert_eq!(codec.decode(&codec.encode(&text).unwrap()), expected);
    }

    #[test]
    fn any_tokens_decode(tokens in prop::collection::vec(0u32..300, 0..40)) {
        for codec in codecs() {
            let (mut decoder, mut text) = (codec.decoder(), String::new());
            tokens.iter().for_each(|token| decoder.push(*token, &mut text));
            prop_assert!(codec.decode(&tokens).starts_with(&text));
        }
    }

    /// A damaged tokenizer is refused, or still loses nothing.
    #[test]
    fn mutated_tokenizers_never_panic(
        edits in prop::collection::vec((any::<prop::sample::Index>(), 0x20u8..0x7f), 1..4),
        at_end in any::<bool>(),
    ) {
        let mut json = tokenizer_json(&[("a", "b"), ("ab", "c"), ("b", "c")]).to_string();
        // The settings stand around the long vocabulary.
        let from = if at_end { json.len() - 200 } else { 0 };
        for (at, byte) in edits {
            let at = from + at.index(json.len() - from);
            if json.is_char_boundary(at) && json.is_char_boundary(at + 1) {
                json.replace_range(at..at + 1, &char::from(byte).to_string());
            }
        }
        if let Ok(codec) = TextCodec::bpe(&json) {
            prop_assert_eq!(codec.decode(&codec.encode("abcab c\né").unwrap()), "abcab c\né");
        }
    }
}
