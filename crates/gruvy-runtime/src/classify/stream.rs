//! One item as its steps come.
use super::classifier::Classifier;
use crate::{
    classify::codec::ClassifyCodec,
    error::{Error, Result},
    model::{network::Network, pool::Pooled, session::Session, steps::Steps},
};
use std::sync::Arc;

/// Reads one item step by step. After the last step its answer is that of the whole item at once,
/// to rounding.
#[derive(Debug)]
pub struct ClassifyStream {
    codec: Arc<ClassifyCodec>,
    network: Arc<Network>,
    session: Session,
    pooled: Pooled,
    steps: usize,
    /// `[D·H]`
    y: Vec<f32>,
    /// `[K]`
    logits: Vec<f32>,
}

impl Classifier {
    /// Reads an item as its steps come, with an answer after every one.
    ///
    /// # Errors
    /// [`Error::Bidirectional`] if the network needs the end first.
    pub fn stream(&self) -> Result<ClassifyStream> {
        ClassifyStream::new(self)
    }
}

impl ClassifyStream {
    fn new(classifier: &Classifier) -> Result<Self> {
        let (network, codec) = (classifier.network.clone(), classifier.codec.clone());
        let (spec, classes) = (network.spec(), codec.labels.len());
        if spec.rnn.bidirectional {
            return Err(Error::Bidirectional { action: "answer after every step" });
        }
        let Some(pool) = spec.pool else {
            return Err(Error::setting("pool", "none", "a network with a pool"));
        };
        let width = spec.rnn.output_size();
        Ok(Self {
            session: Session::new(network.clone(), 1)?,
            pooled: Pooled::new(pool, width),
            steps: 0,
            y: vec![0.0; width],
            logits: vec![0.0; classes],
            codec,
            network,
        })
    }

    /// Takes a token; gives the probabilities `[K]` of the item so far.
    ///
    /// # Errors
    /// As [`Session::step`].
    pub fn push_token(&mut self, token: u32) -> Result<Vec<f32>> {
        self.push(Steps::Tokens(&[token]))
    }

    /// Takes the features of a step, `[I]`, as they were measured; gives the probabilities `[K]` of
    /// the item so far.
    ///
    /// # Errors
    /// As [`ClassifyCodec::features`], and for a number of values other than I.
    pub fn push_features(&mut self, step: &[f32]) -> Result<Vec<f32>> {
        let scaled = self.codec.features(step)?;
        self.push(Steps::Features(&scaled))
    }

    /// Steps taken, those beyond `max_len` included, which change nothing.
    pub fn steps(&self) -> usize {
        self.steps
    }

    fn push(&mut self, step: Steps<'_>) -> Result<Vec<f32>> {
        if self.codec.max_len == 0 || self.steps < self.codec.max_len {
            self.session.step(step)?;
            self.session.last(0, &mut self.y);
            self.pooled.push(&self.y, &self.network.attention);
            self.pooled.read(&mut self.y);
            self.network.head.apply(1, &self.y, &mut self.logits);
        }
        self.steps += 1;
        Ok(self.codec.probabilities(&self.logits))
    }
}
