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
    classify::{encoded::Encoded, prediction::Ranked, words::Words},
    error::Result,
};
use serde::Serialize;
use std::ops::Range;

/// Most words that are looked at; every one costs two readings of the text.
pub const MOST_WORDS: usize = 1000;

/// Why a text has its label.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Explanation {
    /// The label that is explained.
    pub label: String,
    /// Its probability for the whole text.
    pub probability: f32,
    /// Its probability before anything is read.
    pub before: f32,
    /// The words, in their order.
    pub words: Vec<WordEffect>,
    /// Words behind the first [`MOST_WORDS`], which were read but not looked at.
    #[serde(skip)]
    pub more_words: usize,
    /// The text.
    #[serde(skip)]
    pub text: String,
    /// `[K]` all labels with their probabilities for the whole text, in the order of the codec's.
    #[serde(skip)]
    pub all: Vec<Ranked>,
}

/// What one word does.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct WordEffect {
    /// The word, as it stands in the text.
    pub word: String,
    /// Where it stands there, in bytes.
    pub range: Range<usize>,
    /// The label's probability, were this the last word.
    pub after: f32,
    /// How much the label's probability owes to this word.
    pub effect: f32,
}

impl Classifier {
    /// Explains a label of a text, or if none is given, the likeliest.
    ///
    /// # Errors
    /// [`Error::Label`](crate::Error::Label) for an unknown label, and as [`Classifier::text`].
    pub fn explain(&self, text: &str, label: Option<&str>) -> Result<Explanation> {
        let (codec, classes) = (self.codec(), self.codec().labels.len());
        let label = label.map(|label| codec.label(label)).transpose()?;
        let mut words: Vec<Range<usize>> = Words::split(text).collect();
        let more_words = words.len().saturating_sub(MOST_WORDS);
        words.truncate(MOST_WORDS);
        let answers = self.probabilities(&self.asked(text, &words)?)?;
        let whole = &answers[classes..2 * classes];
        let label = label.unwrap_or_else(|| codec.ranked(whole)[0]) as usize;
        let of = |item: usize| answers[item * classes + label];
        let effects = words.iter().enumerate().map(|(at, range)| WordEffect {
            word: text[range.clone()].to_owned(),
            range: range.clone(),
            after: of(2 + at),
            effect: of(1) - of(2 + words.len() + at),
        });
        let ranked = |(label, p): (&String, &f32)| Ranked { label: label.clone(), probability: *p };
        Ok(Explanation {
            label: codec.labels[label].clone(),
            probability: of(1),
            before: of(0),
            words: effects.collect(),
            more_words,
            text: text.to_owned(),
            all: codec.labels.iter().zip(whole).map(ranked).collect(),
        })
    }

    /// The texts that are asked about: none, the whole, up to each word, without each word.
    fn asked(&self, text: &str, words: &[Range<usize>]) -> Result<Encoded> {
        let codec = self.codec();
        let mut items = Encoded::tokens();
        items.push_tokens(&codec.tokens("")?);
        items.push_tokens(&codec.tokens(text)?);
        for word in words {
            items.push_tokens(&codec.tokens(&text[..word.end])?);
        }
        for word in words {
            let rest = [&text[..word.start], &text[word.end..]].concat();
            items.push_tokens(&codec.tokens(&rest)?);
        }
        Ok(items)
    }
}
