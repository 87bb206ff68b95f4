//! A byte-pair encoding learned from a text.
use crate::error::{Error, Result};
use tokenizers::{
    DecoderWrapper, NormalizerWrapper, PostProcessorWrapper, TokenizerBuilder,
    models::bpe::{BPE, BpeTrainerBuilder},
    pre_tokenizers::byte_level::ByteLevel,
};

/// A byte-level BPE as a `tokenizer.json`: all bytes, then the most frequent merges.
pub(super) fn learn(text: &str, vocab_size: usize) -> Result<String> {
    learned(text, vocab_size).map_err(|error| {
        Error::Data(format!("cannot learn a byte-pair encoding from this text: {error}"))
    })
}

fn learned(text: &str, vocab_size: usize) -> tokenizers::Result<String> {
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
    // In lines, as the pieces that merges are counted in do not cross a line's end but for its
    // break.
    tokenizer.train(&mut trainer, text.split_inclusive('\n'))?;
    tokenizer.to_string(false)
}
