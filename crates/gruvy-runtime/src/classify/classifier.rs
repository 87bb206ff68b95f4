//! A classifier at work: on many items at once, or on one as its steps come.
//!
//! ```no_run
//! use gruvy_runtime::classify::Classifier;
//!
//! let classifier = Classifier::open("runs/reviews")?;
//! let p = classifier.text("a film worth seeing twice")?;
//! let best = classifier.codec().ranked(&p)[0] as usize;
//! println!("{}: {:.3}", classifier.codec().labels[best], p[best]);
//! # Ok::<(), gruvy_runtime::Error>(())
//! ```
use crate::task::TaskName;
use crate::{
    classify::{codec::ClassifyCodec, encoded::Encoded},
    codec::Codec,
    error::{Error, Result},
    items::Items,
    model::{file::ModelFile, network::Network, session::Session},
};
use serde_json::Value;
use std::path::Path;
use std::sync::Arc;

/// Most items that run side by side.
const ROWS: usize = 64;
/// Most steps of a batch, padding included, unless one item has more: bounds the memory.
const STEPS: usize = 1 << 16;

/// A classification model, ready to run.
#[derive(Clone, Debug)]
pub struct Classifier {
    pub(super) network: Arc<Network>,
    pub(super) codec: Arc<ClassifyCodec>,
    source: Value,
}

impl Classifier {
    /// Makes a network ready.
    ///
    /// # Errors
    /// [`Error::Spec`] if network and codec do not fit.
    pub fn new(network: Arc<Network>, codec: ClassifyCodec) -> Result<Self> {
        codec.fits(network.spec())?;
        Ok(Self { network, codec: Arc::new(codec), source: Value::Null })
    }

    /// Opens a model file, or the model of a run folder.
    ///
    /// # Errors
    /// As [`ModelFile::open`] and [`Classifier::from_file`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Self::from_file(&ModelFile::open(path)?)
    }

    /// Makes the model of a file ready.
    ///
    /// # Errors
    /// [`Error::Task`] for a model of another task, and as [`Network::new`].
    pub fn from_file(file: &ModelFile) -> Result<Self> {
        let Codec::Classify(codec) = &file.codec else {
            return Err(Error::Task { expected: TaskName::Classify, got: file.task() });
        };
        let classifier = Self::new(Arc::new(Network::new(file)?), (**codec).clone())?;
        Ok(Self { source: file.source.clone(), ..classifier })
    }

    /// How the training data were read; for those who read data.
    pub fn source(&self) -> &Value {
        &self.source
    }

    /// The codec.
    pub fn codec(&self) -> &ClassifyCodec {
        &self.codec
    }

    /// The network.
    pub fn network(&self) -> &Arc<Network> {
        &self.network
    }

    /// The probability of each label for a text, `[K]`.
    ///
    /// # Errors
    /// As [`ClassifyCodec::encode`].
    pub fn text(&self, text: &str) -> Result<Vec<f32>> {
        let mut items = Encoded::tokens();
        items.push_tokens(&self.codec.tokens(text)?);
        self.probabilities(&items)
    }

    /// The probability of each label for a sequence `[T, I]`, `[K]`.
    ///
    /// # Errors
    /// As [`ClassifyCodec::encode`].
    pub fn sequence(&self, sequence: &[f32]) -> Result<Vec<f32>> {
        let sequence = self.codec.features(sequence)?;
        let mut items = Encoded::features(self.network.spec().rnn.input_size);
        items.push_features(&sequence);
        self.probabilities(&items)
    }

    /// The probability of each label for each item, `[N, K]`.
    ///
    /// # Errors
    /// As [`ClassifyCodec::encode`].
    pub fn items(&self, items: &Items) -> Result<Vec<f32>> {
        self.probabilities(&self.codec.encode(items)?)
    }

    /// The probability of each label for each encoded item, `[N, K]`.
    ///
    /// # Errors
    /// As [`Session::pool`].
    pub fn probabilities(&self, items: &Encoded) -> Result<Vec<f32>> {
        let logits = self.logits(items)?;
        let rows = logits.chunks_exact(self.codec.labels.len());
        Ok(rows.flat_map(|row| self.codec.probabilities(row)).collect())
    }

    /// The logits of each encoded item, `[N, K]`: what the head says, and of an item without steps
    /// the logits that give the priors.
    ///
    /// # Errors
    /// As [`Session::pool`].
    pub fn logits(&self, items: &Encoded) -> Result<Vec<f32>> {
        let classes = self.codec.labels.len();
        let mut logits = vec![0.0; items.len() * classes];
        let mut order: Vec<usize> = (0..items.len()).collect();
        // The longest first, so that rows of a batch are of like length.
        order.sort_by_key(|item| std::cmp::Reverse(items.length(*item)));
        let empty = order.partition_point(|item| items.length(*item) > 0);
        for item in &order[empty..] {
            logits[item * classes..][..classes].copy_from_slice(&self.prior_logits());
        }
        let mut rest = &order[..empty];
        while let Some(longest) = rest.first() {
            let most = (STEPS / items.length(*longest)).clamp(1, ROWS);
            let (rows, after) = rest.split_at(most.min(rest.len()));
            let batch = items.batch(rows);
            let mut session = Session::new(self.network.clone(), rows.len())?;
            let answers = session.pool(batch.steps(), &batch.lengths)?;
            for (item, answer) in rows.iter().zip(answers.chunks_exact(classes)) {
                logits[item * classes..][..classes].copy_from_slice(answer);
            }
            rest = after;
        }
        Ok(logits)
    }

    fn prior_logits(&self) -> Vec<f32> {
        let logit = |prior: &f64| {
            let prior = prior.clamp(1e-6, 1.0 - 1e-6);
            let odds = if self.codec.multi_label { prior / (1.0 - prior) } else { prior };
            (odds.ln() * self.codec.temperature) as f32
        };
        self.codec.priors.iter().map(logit).collect()
    }
}
