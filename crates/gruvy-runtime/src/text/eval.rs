//! How well a model predicts a text.
//!
//! ```text
//! tokens x_1 … x_N, the state carried from start to end; x_1 is given, x_2 … x_N are predicted
//! nats          = − Σ_{i=2..N} ln p(x_i | x_1 … x_{i−1})
//! loss_nats     = nats / (N − 1)
//! perplexity    = exp(loss_nats)
//! bits_per_char = nats / ln 2 / (characters whose last byte is in a predicted token)
//! ```
//! Invalid UTF-8 (unit `byte`) counts as the U+FFFD it decodes to.
use crate::model::likelihood::negative_log_likelihood;
use crate::{
    error::{Error, Result},
    model::{network::Network, session::Session},
    text::codec::TextCodec,
};
use serde::Serialize;
use std::sync::Arc;

/// Steps of one call: long enough to be fast, short enough that the logits `[T, V]` stay small.
const CHUNK_STEPS: usize = 512;

/// How well a model predicts a text: over N tokens, the state carried from start to end, the first
/// given and the others predicted.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct TextMetrics {
    /// Mean negative log-likelihood of a token, in nats.
    pub loss_nats: f64,
    /// Negative log-likelihood of a character, in bits: comparable between units.
    pub bits_per_char: f64,
    /// `exp(loss_nats)`
    pub perplexity: f64,
    /// Tokens predicted.
    pub tokens: u64,
    /// Characters predicted.
    pub chars: u64,
}

impl TextMetrics {
    /// From the summed negative log-likelihood of so many tokens and characters, each at least 1.
    pub fn new(nats: f64, tokens: u64, chars: u64) -> Self {
        let loss_nats = nats / tokens as f64;
        let bits_per_char = nats / std::f64::consts::LN_2 / chars as f64;
        Self { loss_nats, bits_per_char, perplexity: loss_nats.exp(), tokens, chars }
    }
}

/// Predicts `text` from start to end.
///
/// # Errors
/// [`Error::TooShort`] below two tokens, [`Error::Utf8`] unless the unit is `byte`,
/// [`Error::Bidirectional`] if the network sees what it should predict, [`Error::Spec`] if the
/// codec is not the network's.
pub fn evaluate_text(
    network: &Arc<Network>,
    codec: &TextCodec,
    text: impl AsRef<[u8]>,
) -> Result<TextMetrics> {
    codec.fits(network.spec())?;
    if network.spec().rnn.bidirectional {
        return Err(Error::Bidirectional { action: "be evaluated on text" });
    }
    let tokens = codec.encode(text)?;
    if tokens.len() < 2 {
        return Err(Error::TooShort { expected: 2, got: tokens.len() });
    }
    let mut session = Session::new(network.clone(), 1)?;
    let outputs = network.spec().outputs();
    let mut nats = 0.0;
    let (inputs, targets) = (&tokens[..tokens.len() - 1], &tokens[1..]);
    for (inputs, targets) in inputs.chunks(CHUNK_STEPS).zip(targets.chunks(CHUNK_STEPS)) {
        let logits = session.run(inputs)?;
        for (logits, target) in logits.chunks_exact(outputs).zip(targets) {
            nats += negative_log_likelihood(logits, *target as usize);
        }
    }
    Ok(TextMetrics::new(nats, targets.len() as u64, predicted_chars(codec, &tokens)))
}

/// Characters of `tokens` whose last byte is not in the first token.
pub fn predicted_chars(codec: &TextCodec, tokens: &[u32]) -> u64 {
    let (mut decoder, mut text, mut count) = (codec.decoder(), String::new(), 0);
    for (i, token) in tokens.iter().enumerate() {
        text.clear();
        decoder.push(*token, &mut text);
        if i > 0 {
            count += text.chars().count();
        }
    }
    text.clear();
    decoder.finish(&mut text);
    (count + text.chars().count()) as u64
}
