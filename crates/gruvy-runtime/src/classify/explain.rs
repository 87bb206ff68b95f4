//! Which words move the answer.
//!
//! ```text
//! after   p(label | the text up to and with this word): how the answer moves as the words are read
//! effect  p(label | the text) − p(label | the text without this word): above 0, the word speaks for the label
//! ```
//! Both are answers of the model itself to other texts, whatever it is made of; no gradient, no
//! approximation.
use super::classifier::Classifier;
use crate::{
    classify::{encoded::Encoded, words::Words},
    error::Result,
};
use serde::Serialize;
use std::ops::Range;

/// Most words that are looked at; every one costs two readings of the text.
pub const MOST_WORDS: usize = 1000;

/// Why a text has its label.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Explanation {
    /// The label that is explained, as an index.
    pub label: u32,
    /// Probabilities `[K]` of the whole text.
    pub probabilities: Vec<f32>,
    /// The label's probability before anything is read.
    pub before: f32,
    /// The words, in their order.
    pub words: Vec<WordEffect>,
    /// Words behind the first [`MOST_WORDS`], which were read but not looked at.
    pub more_words: usize,
}

/// What one word does.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct WordEffect {
    /// Where it stands in the text, in bytes.
    pub range: Range<usize>,
    /// The label's probability, were this the last word.
    pub after: f32,
    /// How much the label's probability owes to this word.
    pub effect: f32,
}

impl Classifier {
    /// Explains the label of a text, or if none is given, the likeliest.
    ///
    /// # Errors
    /// As [`Classifier::text`].
    ///
    /// # Panics
    /// If there is no such label.
    pub fn explain(&self, text: &str, label: Option<u32>) -> Result<Explanation> {
        let (codec, classes) = (self.codec(), self.codec().labels.len());
        assert!(
            label.is_none_or(|label| (label as usize) < classes),
            "explain: expected a label below {classes}, got {label:?}"
        );
        let mut words: Vec<Range<usize>> = Words::split(text).collect();
        let more_words = words.len().saturating_sub(MOST_WORDS);
        words.truncate(MOST_WORDS);
        let mut items = Encoded::tokens();
        items.push_tokens(&codec.tokens("")?);
        items.push_tokens(&codec.tokens(text)?);
        for word in &words {
            items.push_tokens(&codec.tokens(&text[..word.end])?);
        }
        for word in &words {
            let rest = [&text[..word.start], &text[word.end..]].concat();
            items.push_tokens(&codec.tokens(&rest)?);
        }
        let all = self.probabilities(&items)?;
        let whole = &all[classes..2 * classes];
        let label = label.unwrap_or_else(|| codec.ranked(whole)[0]);
        let of = |item: usize| all[item * classes + label as usize];
        let effects = words.iter().enumerate().map(|(at, range)| WordEffect {
            range: range.clone(),
            after: of(2 + at),
            effect: of(1) - of(2 + words.len() + at),
        });
        Ok(Explanation {
            label,
            probabilities: whole.to_vec(),
            before: of(0),
            words: effects.collect(),
            more_words,
        })
    }
}
