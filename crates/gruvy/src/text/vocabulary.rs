//! The vocabulary, made from the training text alone.
use super::bpe;
use crate::error::{Error, Result};
use gruvy_runtime::text::{TextCodec, TextUnit};

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
        TextUnit::Bpe => TextCodec::bpe(&bpe::learn(text()?, vocab_size)?)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(feature = "bpe")]
    #[test]
    fn bpe_learns_merges_the_same_way_every_time() {
        const TEXT: &str = "the miller and the fox\nthe fox and the miller's wife said: été\n";
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

    #[cfg(not(feature = "bpe"))]
    #[test]
    fn without_bpe_the_error_names_the_feature() {
        let error = build(TextUnit::Bpe, 270, b"the miller").unwrap_err().to_string();
        assert!(error.contains("feature `bpe`"), "{error}");
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
