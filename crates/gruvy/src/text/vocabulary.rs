//! The vocabulary, made from the training text alone.
use crate::error::{Error, Result};
use gruvy_runtime::text::{TextCodec, TextUnit};
use tokenizers::{
    DecoderWrapper, NormalizerWrapper, PostProcessorWrapper, TokenizerBuilder,
    models::bpe::{BPE, BpeTrainerBuilder},
    pre_tokenizers::byte_level::ByteLevel,
};

/// The codec for a unit; of the unit bpe, with at most `vocab_size` pieces.
///
/// # Errors
/// If the text is not UTF-8 although the unit needs it, or BPE cannot be learned.
pub(crate) fn build(unit: TextUnit, vocab_size: usize, train: &[u8]) -> Result<TextCodec> {
    let text = || {
        std::str::from_utf8(train).map_err(|error| {
            let offset = error.valid_up_to();
            let line = 1 + train[..offset].iter().filter(|byte| **byte == b'\n').count();
            Error::from(gruvy_runtime::Error::Utf8 { offset, line })
        })
    };
    Ok(match unit {
        TextUnit::Byte => TextCodec::byte(),
        TextUnit::Char => TextCodec::char(text()?),
        TextUnit::Bpe => TextCodec::bpe(&learn_bpe(text()?, vocab_size).map_err(|error| {
            Error::Data(format!("cannot learn a byte-pair encoding from this text: {error}"))
        })?)?,
    })
}

/// A byte-level BPE as a `tokenizer.json`: all bytes, then the most frequent merges.
fn learn_bpe(text: &str, vocab_size: usize) -> tokenizers::Result<String> {
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
    .build()?;
    let mut trainer = BpeTrainerBuilder::new()
        .show_progress(false)
        .vocab_size(vocab_size)
        .min_frequency(2)
        .initial_alphabet(ByteLevel::alphabet().into_iter().collect())
        .build();
    // In lines, as the pieces that merges are counted in do not cross a line's end but for its break.
    tokenizer.train(&mut trainer, text.split_inclusive('\n'))?;
    tokenizer.to_string(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "the miller and the fox\nthe fox and the miller's wife said: été\n";

    #[test]
    fn bpe_learns_merges_the_same_way_every_time() {
        let build = || build(TextUnit::Bpe, 270, TEXT.as_bytes()).unwrap();
        let codec = build();
        assert_eq!(codec.vocab_size(), 270);
        let tokens = codec.encode(TEXT).unwrap();
        assert!(tokens.len() < TEXT.len() * 3 / 4, "{} tokens", tokens.len());
        assert_eq!(codec.decode(&tokens), TEXT);
        let json = |codec: &TextCodec| serde_json::to_string(codec).unwrap();
        for _ in 0..3 {
            assert_eq!(json(&build()), json(&codec));
        }
    }

    #[test]
    fn characters_come_from_the_training_text() {
        let codec = build(TextUnit::Char, 0, "abba".as_bytes()).unwrap();
        assert_eq!((codec.vocab_size(), codec.unseen("abc")), (3, vec!['c']));
    }

    #[test]
    fn text_that_is_not_utf8_is_refused_but_for_bytes() {
        for unit in TextUnit::ALL {
            let built = build(unit, 300, b"ab\ncd\xff");
            if unit == TextUnit::Byte {
                assert_eq!(built.unwrap().vocab_size(), 256);
            } else {
                let error = built.unwrap_err().to_string();
                assert!(error.contains("byte 5 (line 2)") && error.contains("`byte`"), "{error}");
            }
        }
    }
}
