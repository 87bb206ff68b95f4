//! What the classes of a CTC model stand for. Class 0 is the blank in each unit.
//!
//! ```text
//! char   class = token of the text codec, whose token 0, an unknown character, is never said
//! bpe    class = token of the text codec + 1
//! word   class i + 1 is word i
//! ```
use crate::error::{Error, Result};
use crate::text::{TextCodec, TextUnit};
use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;

/// What the classes of a model stand for.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Labels {
    /// Characters or pieces of words, blanks between words among them.
    Text(TextCodec),
    /// Whole words.
    Words(Vec<String>),
}

/// How texts are written before they are learned: composed characters, one blank between words.
pub fn plain(text: &str, lowercase: bool) -> String {
    let text: String = text.nfc().collect();
    let text = if lowercase { text.to_lowercase() } else { text };
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

impl Labels {
    /// V, the blank among them.
    pub fn classes(&self) -> usize {
        match self {
            Self::Text(codec) if codec.unit() == TextUnit::Char => codec.vocab_size(),
            Self::Text(codec) => codec.vocab_size() + 1,
            Self::Words(words) => words.len() + 1,
        }
    }

    /// The classes of a [plain] text.
    ///
    /// # Errors
    /// [`Error::Unspoken`] for a character or word that is no class.
    pub fn encode(&self, text: &str) -> Result<Vec<u32>> {
        match self {
            Self::Words(words) => {
                let class = |word: &str| match words.iter().position(|known| known == word) {
                    Some(at) => Ok(at as u32 + 1),
                    None => Err(Error::Unspoken { what: word.to_owned(), text: text.to_owned() }),
                };
                text.split_whitespace().map(class).collect()
            }
            Self::Text(codec) => {
                if let Some(unseen) = codec.unseen(text).first() {
                    let what = unseen.to_string();
                    return Err(Error::Unspoken { what, text: text.to_owned() });
                }
                let tokens = codec.encode(text)?;
                let first = u32::from(codec.unit() != TextUnit::Char);
                Ok(tokens.into_iter().map(|token| token + first).collect())
            }
        }
    }

    /// What each of a row of classes adds to the text; classes that end within a character add
    /// nothing, and the one that ends it all of it.
    pub fn pieces(&self, classes: &[u32]) -> Vec<String> {
        match self {
            Self::Words(words) => {
                let word = |class: &u32| words.get(*class as usize - 1).map_or("", String::as_str);
                classes.iter().map(|class| format!(" {}", word(class))).collect()
            }
            Self::Text(codec) => {
                let first = u32::from(codec.unit() != TextUnit::Char);
                let mut decoder = codec.decoder();
                let piece = |class: &u32| {
                    let mut piece = String::new();
                    decoder.push(class - first, &mut piece);
                    piece
                };
                classes.iter().map(piece).collect()
            }
        }
    }

    /// The text of a row of classes.
    pub fn text(&self, classes: &[u32]) -> String {
        plain(&self.pieces(classes).concat(), false)
    }
}
