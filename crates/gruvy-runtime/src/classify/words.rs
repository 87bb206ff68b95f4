//! Text to words.
//!
//! ```text
//! word   token 0 = <unk>, then the words of the vocabulary; V = words + 1
//! ```
//! Characters are composed first (Unicode's form C), so that `é` is the same however it was typed;
//! not in files of before. Words end where Unicode says (UAX #29): `don't` is one word, each mark
//! of punctuation is one, blanks are none.
use crate::error::{Error, Result};
use crate::text::normalize::Normalize;
use serde::{Deserialize, Serialize};
use std::{borrow::Cow, collections::HashMap, ops::Range, sync::Arc};
use unicode_segmentation::UnicodeSegmentation;

/// The token of a word that the vocabulary does not have.
const UNKNOWN: u32 = 0;

/// Text to tokens, a word each. Cheap to clone.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct Words {
    lowercase: bool,
    normalize: Normalize,
    /// Token `i + 1` is word `i`.
    words: Arc<[String]>,
    tokens: Arc<HashMap<String, u32>>,
}

/// How words stand in a model file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    lowercase: bool,
    #[serde(default, skip_serializing_if = "Normalize::is_none")]
    normalize: Normalize,
    words: Vec<String>,
}

impl Words {
    /// A vocabulary, of words as [`Words::normal`] has them. With `lowercase`, capitals are small
    /// letters to it.
    ///
    /// # Errors
    /// [`Error::Tokenizer`] for a word that is empty or there twice.
    pub fn new(words: Vec<String>, lowercase: bool) -> Result<Self> {
        Self::with(words, lowercase, Normalize::Nfc)
    }

    fn with(words: Vec<String>, lowercase: bool, normalize: Normalize) -> Result<Self> {
        let mut tokens = HashMap::with_capacity(words.len());
        for (word, token) in words.iter().zip(1..) {
            if word.is_empty() || tokens.insert(word.clone(), token).is_some() {
                let reason = format!("the word `{word}` is empty or there twice");
                return Err(Error::Tokenizer { reason });
            }
        }
        Ok(Self { lowercase, normalize, words: words.into(), tokens: Arc::new(tokens) })
    }

    /// The words in `text`, as its parts.
    pub fn split(text: &str) -> impl Iterator<Item = Range<usize>> {
        text.split_word_bound_indices()
            .filter(|(_, word)| !word.trim().is_empty())
            .map(|(at, word)| at..at + word.len())
    }

    /// A word as the vocabulary has it.
    pub fn normal(word: &str, lowercase: bool) -> Cow<'_, str> {
        Self::spelled(word, lowercase, Normalize::Nfc)
    }

    fn spelled(word: &str, lowercase: bool, normalize: Normalize) -> Cow<'_, str> {
        let word = normalize.apply(word);
        if lowercase { word.to_lowercase().into() } else { word }
    }

    /// The words, in the order of their tokens, from 1 on.
    pub fn words(&self) -> &[String] {
        &self.words
    }

    /// The tokens of `text`.
    pub fn encode(&self, text: &str) -> Vec<u32> {
        let token = |word: Range<usize>| {
            let word = Self::spelled(&text[word], self.lowercase, self.normalize);
            self.tokens.get(&*word).copied().unwrap_or(UNKNOWN)
        };
        Self::split(text).map(token).collect()
    }
}

impl From<Words> for Stored {
    fn from(words: Words) -> Self {
        Self { lowercase: words.lowercase, normalize: words.normalize, words: words.words.to_vec() }
    }
}

impl TryFrom<Stored> for Words {
    type Error = Error;

    fn try_from(stored: Stored) -> Result<Self> {
        Self::with(stored.words, stored.lowercase, stored.normalize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(text: &str) -> Vec<&str> {
        Words::split(text).map(|at| &text[at]).collect()
    }

    #[test]
    fn words_keep_their_apostrophes_and_marks_stand_alone() {
        assert_eq!(
            split("I don't -- it's 3.5% great!"),
            ["I", "don't", "-", "-", "it's", "3.5", "%", "great", "!"]
        );
        assert_eq!(split(" \t\n"), [""; 0]);
        assert_eq!(split("東京は"), ["東", "京", "は"]);
    }

    #[test]
    fn what_is_not_known_is_unknown() {
        let words = Words::new(vec!["great".into(), "été".into()], true).unwrap();
        assert_eq!(words.encode("Great ÉTÉ, no"), [1, 2, 0, 0]);
        let exact = Words::new(vec!["great".into()], false).unwrap();
        assert_eq!(exact.encode("Great great"), [0, 1]);
    }

    #[test]
    fn a_letter_is_the_same_however_it_was_typed() {
        let words = Words::new(vec!["é".into(), "été".into()], true).unwrap();
        assert_eq!(words.encode("e\u{301} E\u{301}te\u{301}"), [1, 2]);
        assert_eq!(Words::normal("E\u{301}", true), "é");
        // A model of before keeps its way.
        let before = r#"{"lowercase":true,"words":["é","e\u0301"]}"#;
        let before: Words = serde_json::from_str(before).unwrap();
        assert_eq!(before.encode("é e\u{301}"), [1, 2]);
        let json = serde_json::to_value(&words).unwrap();
        assert_eq!(json["normalize"], "nfc");
    }

    #[test]
    fn a_vocabulary_comes_back_from_json_and_no_word_is_twice() {
        let words = Words::new(vec!["a".into(), "b".into()], true).unwrap();
        let json = serde_json::to_string(&words).unwrap();
        assert_eq!(serde_json::from_str::<Words>(&json).unwrap().words(), ["a", "b"]);
        for bad in [r#"["a","a"]"#, r#"[""]"#] {
            let json = format!(r#"{{"lowercase":true,"words":{bad}}}"#);
            assert!(serde_json::from_str::<Words>(&json).is_err(), "{bad}");
        }
    }
}
