//! Text from a model, token by token.
use crate::{
    error::Result,
    model::{network::Network, session::Session},
    text::{
        codec::{TextCodec, TextDecoder},
        sampler::{Sampler, Sampling},
    },
};
use std::{ops::ControlFlow, sync::Arc};

/// Stands for an empty prompt: the model continues as after a line break.
const EMPTY_PROMPT: &str = "\n";

/// Writes one or more texts at once, each continuing the same prompt.
///
/// Text `i` is what a generator of a single text with the seed `seed + i` writes.
#[derive(Debug)]
pub struct Generator {
    session: Session,
    codec: TextCodec,
    samplers: Vec<Sampler>,
    decoders: Vec<TextDecoder>,
    /// `[B]`, drawn last.
    tokens: Vec<u32>,
    /// Whether `tokens` have been drawn but not yet been fed to the session.
    pending: bool,
}

impl Generator {
    /// A generator of `samples` texts at once.
    ///
    /// # Errors
    /// [`Error::Setting`](crate::Error::Setting) for no samples or impossible settings,
    /// [`Error::Spec`](crate::Error::Spec) if the codec is not the network's.
    pub fn new(
        network: Arc<Network>,
        codec: &TextCodec,
        sampling: &Sampling,
        samples: usize,
    ) -> Result<Self> {
        codec.fits(network.spec())?;
        let seeded = |i| Sampling { seed: sampling.seed.wrapping_add(i), ..sampling.clone() };
        let session = Session::new(network, samples)?;
        Ok(Self {
            session,
            codec: codec.clone(),
            samplers: (0..samples as u64)
                .map(|i| Sampler::new(&seeded(i)))
                .collect::<Result<_>>()?,
            decoders: vec![codec.decoder(); samples],
            tokens: vec![0; samples],
            pending: false,
        })
    }

    /// Feeds `text` to every row, after what is already there. Characters that the vocabulary does
    /// not have are fed as unknown; [`TextCodec::unseen`] tells which.
    ///
    /// # Errors
    /// [`Error::Bidirectional`](crate::Error::Bidirectional) for a network that cannot generate.
    pub fn prompt(&mut self, text: &str) -> Result<()> {
        let samples = self.session.batch();
        let tokens: Vec<u32> = self
            .codec
            .encode(text)?
            .into_iter()
            .flat_map(|t| std::iter::repeat_n(t, samples))
            .collect();
        if tokens.is_empty() {
            return Ok(());
        }
        self.feed_pending()?;
        self.session.feed(&tokens)?;
        Ok(())
    }

    /// Draws one token for every row: `[B]`; never the one for unknown characters, which is no
    /// text. Without a prompt, the text begins as after a line break.
    ///
    /// # Errors
    /// As [`Generator::prompt`].
    pub fn next_tokens(&mut self) -> Result<&[u32]> {
        self.feed_pending()?;
        if self.session.logits().is_empty() {
            self.prompt(EMPTY_PROMPT)?;
        }
        let never = self.codec.unknown_token();
        let rows = self.session.logits().chunks_exact(self.session.network().spec().outputs());
        for ((token, sampler), logits) in self.tokens.iter_mut().zip(&mut self.samplers).zip(rows) {
            *token = sampler.sample_but(never, logits);
        }
        self.pending = true;
        Ok(&self.tokens)
    }

    /// Writes up to `length` tokens of every row. `on_text(row, text)` is called after every token,
    /// row by row, with the characters that it completes, possibly none; with
    /// [`ControlFlow::Break`] it stops the generator there and then. At the end it is called
    /// once more for a row whose last character is incomplete, with U+FFFD in its place. Gives
    /// the number of tokens drawn for each row.
    ///
    /// # Errors
    /// As [`Generator::prompt`].
    pub fn generate(
        &mut self,
        length: usize,
        mut on_text: impl FnMut(usize, &str) -> ControlFlow<()>,
    ) -> Result<usize> {
        let mut text = String::new();
        for drawn in 1..=length {
            self.next_tokens()?;
            for (row, (token, decoder)) in self.tokens.iter().zip(&mut self.decoders).enumerate() {
                text.clear();
                decoder.push(*token, &mut text);
                if on_text(row, &text).is_break() {
                    return Ok(drawn);
                }
            }
        }
        for (row, decoder) in self.decoders.iter_mut().enumerate() {
            text.clear();
            decoder.finish(&mut text);
            if !text.is_empty() && on_text(row, &text).is_break() {
                break;
            }
        }
        Ok(length)
    }

    fn feed_pending(&mut self) -> Result<()> {
        if std::mem::take(&mut self.pending) {
            self.session.step(&self.tokens)?;
        }
        Ok(())
    }
}
