//! How well a model transcribes: errors of words and characters, and the worst utterances.
use super::batch::steps;
use super::data::Recordings;
use crate::error::Result;
use crate::train::report::Metrics;
use gruvy_kernels::{Ctc, CtcTargets, Isa, Workspace};
use gruvy_runtime::speech::{Decoding, Errors, Labels, Transcriber, Transcript};
use rayon::prelude::*;
use serde::Serialize;

/// A recording, what is said in it and what was heard.
#[derive(Clone, Debug, Serialize)]
pub struct Heard {
    /// What it is called.
    pub name: String,
    /// What is said.
    pub text: String,
    /// What was heard.
    pub heard: Transcript,
    /// Against each other, in words.
    pub words: Errors,
    /// In characters.
    pub chars: Errors,
    /// −ln of the probability of the text for each label; none if the model cannot say it.
    pub nats: Option<f64>,
}

/// Recordings, transcribed.
#[derive(Clone, Debug, Serialize)]
pub struct Judged {
    /// In the order in which they came.
    pub all: Vec<Heard>,
}

impl Judged {
    /// Errors of all words.
    pub fn words(&self) -> Errors {
        self.all.iter().map(|one| one.words).sum()
    }

    /// Errors of all characters.
    pub fn chars(&self) -> Errors {
        self.all.iter().map(|one| one.chars).sum()
    }

    /// Words heard for each word said.
    pub fn said(&self) -> f64 {
        let heard: usize = self.all.iter().map(|one| one.heard.words.len()).sum();
        heard as f64 / self.words().reference.max(1) as f64
    }

    /// `loss` in nats a label, `wer`, `cer`, and the words heard for each that was said.
    pub fn metrics(&self) -> Metrics {
        let nats: Vec<f64> = self.all.iter().filter_map(|one| one.nats).collect();
        let loss = nats.iter().sum::<f64>() / nats.len().max(1) as f64;
        let (words, chars) = (self.words().rate(), self.chars().rate());
        [("loss", loss), ("wer", words), ("cer", chars), ("said", self.said())]
            .map(|(name, value)| (name.to_owned(), value))
            .into()
    }

    /// Those with the most errors for each word, the worst first.
    pub fn worst(&self, count: usize) -> Vec<&Heard> {
        let mut worst: Vec<&Heard> = self.all.iter().filter(|one| one.words.total() > 0).collect();
        let key = |one: &Heard| (one.words.rate(), one.words.total());
        worst.sort_by(|a, b| {
            let ((rate_a, total_a), (rate_b, total_b)) = (key(a), key(b));
            rate_b.total_cmp(&rate_a).then(total_b.cmp(&total_a)).then(a.name.cmp(&b.name))
        });
        worst.truncate(count);
        worst
    }
}

/// Transcribes some of the recordings.
///
/// # Errors
/// As of [`Transcriber`].
pub fn judge(
    transcriber: &Transcriber,
    recordings: &Recordings,
    of: &[usize],
    how: &Decoding,
) -> Result<Judged> {
    let codec = transcriber.codec();
    let heard = |at: &usize| -> Result<Heard> {
        let log_p = transcriber.log_probabilities(&steps(recordings, codec, *at)?)?;
        let text = codec.plain(recordings.text(*at));
        let transcript = transcriber.decode(&log_p, how)?;
        Ok(Heard {
            name: recordings.name(*at),
            words: Errors::of_words(&text, &transcript.text),
            chars: Errors::of_chars(&text, &transcript.text),
            nats: nats(&codec.labels, &log_p, &text),
            heard: transcript,
            text,
        })
    };
    Ok(Judged { all: of.par_iter().map(heard).collect::<Result<_>>()? })
}

/// What a text costs for each label, in nats, by log probabilities `[T, V]`.
fn nats(labels: &Labels, log_p: &[f32], text: &str) -> Option<f64> {
    let encoded = labels.encode(text).ok()?;
    let classes = labels.classes();
    let length = log_p.len() / classes;
    if Ctc::fewest_steps(&encoded) > length {
        return None;
    }
    let (label_counts, lengths) = ([encoded.len()], [length]);
    let targets = CtcTargets { labels: &encoded, label_counts: &label_counts, lengths: &lengths };
    let mut workspace = Workspace::new();
    let nats = Ctc { classes }.loss(Isa::best(), log_p, targets, None, &mut workspace)[0];
    Some(nats / encoded.len().max(1) as f64)
}
