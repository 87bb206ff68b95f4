//! Text to tokens by a checked BPE, through the crate `tokenizers`.
use super::model::Model;
use crate::error::{Error, Result};
use tokenizers::{
    DecoderWrapper, NormalizerWrapper, PostProcessorWrapper, TokenizerImpl,
    models::bpe::{BPE, Vocab},
    pre_tokenizers::byte_level::ByteLevel,
};

/// Text is handed over in pieces of at least so many bytes, as the tokenizer keeps several copies
/// of what it works on.
const PIECE_BYTES: usize = 1 << 16;

/// The tokenizer.
#[derive(Clone)]
pub(super) struct Encoder(
    TokenizerImpl<BPE, NormalizerWrapper, ByteLevel, PostProcessorWrapper, DecoderWrapper>,
);

impl Encoder {
    pub fn new(model: Model, use_regex: bool) -> Result<Self> {
        let vocab: Vocab = model.vocab.into_iter().collect();
        let model = BPE::builder()
            .vocab_and_merges(vocab, model.merges)
            .build()
            .map_err(|error| Error::Tokenizer { reason: error.to_string() })?;
        let mut tokenizer = TokenizerImpl::new(model);
        tokenizer.with_pre_tokenizer(Some(ByteLevel::new(false, false, use_regex)));
        Ok(Self(tokenizer))
    }

    /// The tokens of `text`.
    pub fn encode(&self, text: &str) -> Result<Vec<u32>> {
        let mut out = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            let (piece, after) = rest.split_at(piece_end(rest));
            let encoding = self
                .0
                .encode_fast(piece, false)
                .map_err(|error| Error::Tokenizer { reason: error.to_string() })?;
            out.extend_from_slice(encoding.get_ids());
            rest = after;
        }
        Ok(out)
    }
}

/// Where the first piece of `text` ends: after a line break that no whitespace follows, which the
/// splitting rule never crosses, so that pieces give the tokens of the whole.
fn piece_end(text: &str) -> usize {
    let bytes = text.as_bytes();
    let cut = |at: usize| {
        bytes[at - 1] == b'\n'
            && text.is_char_boundary(at)
            && text[at..].starts_with(|c: char| !c.is_whitespace())
    };
    (PIECE_BYTES..bytes.len()).find(|at| cut(*at)).unwrap_or(bytes.len())
}
