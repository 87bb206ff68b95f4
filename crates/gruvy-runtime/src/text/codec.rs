//! Text to tokens and back, in one of three units.
//!
//! ```text
//! byte   token = byte; V = 256
//! char   token 0 = <unk>, then the characters of the corpus in order of their scalar value
//! bpe    byte-level byte-pair encoding, from a tokenizer.json
//! ```
//! Every text can be encoded: a character that `char` has not seen becomes `<unk>`, which decodes
//! to U+FFFD; the other units have all bytes.
//!
//! The unit `char` composes characters first (Unicode's form C), so that `é` is the same however it
//! was typed. The other units keep the very bytes of a text, unless [`TextCodec::composed`] says
//! otherwise. Codecs of before do not compose.
use super::{bpe::Bpe, normalize::Normalize, utf8::Utf8Stream};
use crate::{
    error::{Error, Result},
    model::spec::{Input, Spec},
};
use serde::{Deserialize, Serialize};
use std::{borrow::Cow, collections::BTreeSet, sync::Arc};

/// The token of a character that the vocabulary of the unit `char` does not have.
const UNKNOWN: u32 = 0;

/// Text to tokens and back. Cheap to clone.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct TextCodec {
    kind: Kind,
    normalize: Normalize,
}

#[derive(Clone, Debug)]
enum Kind {
    Byte,
    /// Sorted; token `i + 1` is character `i`.
    Char(Arc<[char]>),
    Bpe(Arc<Bpe>),
}

/// What one token stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TextUnit {
    /// A byte of UTF-8.
    Byte,
    /// A Unicode scalar value.
    Char,
    /// A piece of a word, learned from the corpus.
    Bpe,
}

impl TextUnit {
    /// Every unit.
    pub const ALL: [Self; 3] = [TextUnit::Byte, TextUnit::Char, TextUnit::Bpe];

    /// The name used on the command line and in model files.
    pub const fn name(self) -> &'static str {
        match self {
            TextUnit::Byte => "byte",
            TextUnit::Char => "char",
            TextUnit::Bpe => "bpe",
        }
    }

    /// The unit of that [name](TextUnit::name).
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|unit| unit.name() == name)
    }
}

impl TextCodec {
    /// Tokens are bytes.
    pub fn byte() -> Self {
        Self { kind: Kind::Byte, normalize: Normalize::None }
    }

    /// Tokens are the characters of `corpus`, composed.
    pub fn char(corpus: &str) -> Self {
        let normalize = Normalize::Nfc;
        let vocabulary: BTreeSet<char> = normalize.apply(corpus).chars().collect();
        Self { kind: Kind::Char(vocabulary.into_iter().collect()), normalize }
    }

    /// The same codec, which composes characters before it reads them: for what is read and never
    /// written.
    #[must_use]
    pub fn composed(self) -> Self {
        Self { normalize: Normalize::Nfc, ..self }
    }

    /// What is done to a text before it is read.
    pub fn normalize(&self) -> Normalize {
        self.normalize
    }

    /// Tokens are those of a byte-level BPE in the format of a `tokenizer.json`.
    ///
    /// # Errors
    /// [`Error::Tokenizer`] if it is anything else, or does not have all bytes.
    pub fn bpe(tokenizer_json: &str) -> Result<Self> {
        let json = serde_json::from_str(tokenizer_json)
            .map_err(|error| Error::Tokenizer { reason: error.to_string() })?;
        Ok(Self { kind: Kind::Bpe(Arc::new(Bpe::new(json)?)), normalize: Normalize::None })
    }

    /// What one token stands for.
    pub fn unit(&self) -> TextUnit {
        match self.kind {
            Kind::Byte => TextUnit::Byte,
            Kind::Char(_) => TextUnit::Char,
            Kind::Bpe(_) => TextUnit::Bpe,
        }
    }

    /// `V`, number of tokens.
    pub fn vocab_size(&self) -> usize {
        match &self.kind {
            Kind::Byte => 256,
            Kind::Char(vocabulary) => vocabulary.len() + 1,
            Kind::Bpe(bpe) => bpe.vocab_size(),
        }
    }

    /// The token that stands for what the vocabulary does not have; only the unit `char` needs one.
    pub fn unknown_token(&self) -> Option<u32> {
        matches!(self.kind, Kind::Char(_)).then_some(UNKNOWN)
    }

    /// The tokens of `text`.
    ///
    /// # Errors
    /// [`Error::Utf8`] for invalid UTF-8, unless the unit is `byte`.
    pub fn encode(&self, text: impl AsRef<[u8]>) -> Result<Vec<u32>> {
        let bytes = text.as_ref();
        // Bytes that are no text stay as they are.
        let composed = match std::str::from_utf8(bytes) {
            Ok(text) => self.normalize.apply(text),
            Err(_) => Cow::default(),
        };
        let bytes = if composed.is_empty() { bytes } else { composed.as_bytes() };
        match &self.kind {
            Kind::Byte => Ok(bytes.iter().map(|byte| u32::from(*byte)).collect()),
            Kind::Char(vocabulary) => {
                Ok(utf8(bytes)?.chars().map(|c| char_token(vocabulary, c)).collect())
            }
            Kind::Bpe(bpe) => bpe.encode(utf8(bytes)?),
        }
    }

    /// The characters of `text` that encode to [`unknown_token`](Self::unknown_token), each once,
    /// sorted.
    pub fn unseen(&self, text: &str) -> Vec<char> {
        let Kind::Char(vocabulary) = &self.kind else { return Vec::new() };
        let text = self.normalize.apply(text);
        let unseen = text.chars().filter(|c| char_token(vocabulary, *c) == UNKNOWN);
        unseen.collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// The text of `tokens`; what is not valid UTF-8 becomes U+FFFD, as does a token that does not
    /// exist.
    pub fn decode(&self, tokens: &[u32]) -> String {
        let (mut decoder, mut text) = (self.decoder(), String::new());
        tokens.iter().for_each(|token| decoder.push(*token, &mut text));
        decoder.finish(&mut text);
        text
    }

    /// Decodes tokens that arrive one by one.
    pub fn decoder(&self) -> TextDecoder {
        TextDecoder { codec: self.clone(), stream: Utf8Stream::default() }
    }

    /// See [`Codec::fits`](crate::Codec::fits).
    pub(crate) fn fits(&self, spec: &Spec) -> Result<()> {
        let vocab = self.vocab_size();
        let expected = || format!("{vocab}, the size of the codec's vocabulary");
        match spec.input {
            Input::Embedding { vocab: got, .. } if got == vocab => {}
            Input::Embedding { vocab: got, .. } => {
                let field = "input.embedding.vocab";
                return Err(Error::Spec { field, got: got.to_string(), expected: expected() });
            }
            Input::Features { .. } => {
                let (got, expected) = ("features".into(), "embedding, for text".into());
                return Err(Error::Spec { field: "input", got, expected });
            }
        }
        if spec.outputs() != vocab {
            let got = spec.outputs().to_string();
            return Err(Error::Spec { field: "head.linear.outputs", got, expected: expected() });
        }
        Ok(())
    }
}

fn char_token(vocabulary: &[char], c: char) -> u32 {
    vocabulary.binary_search(&c).map_or(UNKNOWN, |index| index as u32 + 1)
}

fn utf8(bytes: &[u8]) -> Result<&str> {
    std::str::from_utf8(bytes).map_err(|error| {
        let offset = error.valid_up_to();
        let line = 1 + bytes[..offset].iter().filter(|byte| **byte == b'\n').count();
        Error::Utf8 { offset, line }
    })
}

/// Decodes tokens that arrive one by one into whole characters: a token may end inside a character,
/// which then appears with the token that completes it.
#[derive(Clone, Debug)]
pub struct TextDecoder {
    codec: TextCodec,
    stream: Utf8Stream,
}

impl TextDecoder {
    /// Takes one token and appends the characters that it completes to `out`.
    pub fn push(&mut self, token: u32, out: &mut String) {
        let mut buffer = [0; 4];
        let bytes: Option<&[u8]> = match &self.codec.kind {
            Kind::Byte => u8::try_from(token).ok().map(|byte| {
                buffer[0] = byte;
                &buffer[..1]
            }),
            Kind::Char(vocabulary) => (token as usize)
                .checked_sub(1)
                .and_then(|index| vocabulary.get(index))
                .map(|c| c.encode_utf8(&mut buffer).as_bytes()),
            Kind::Bpe(bpe) => bpe.token_bytes(token),
        };
        match bytes {
            Some(bytes) => self.stream.push(bytes, out),
            None => {
                self.stream.finish(out);
                out.push(char::REPLACEMENT_CHARACTER);
            }
        }
    }

    /// Ends the text: a character that is still incomplete becomes U+FFFD. The decoder is then as
    /// new.
    pub fn finish(&mut self, out: &mut String) {
        self.stream.finish(out);
    }
}

/// How a codec stands in a model file.
#[derive(Serialize, Deserialize)]
#[serde(tag = "unit", rename_all = "snake_case", deny_unknown_fields)]
enum Stored {
    Byte {
        #[serde(default, skip_serializing_if = "Normalize::is_none")]
        normalize: Normalize,
    },
    Char {
        vocabulary: String,
        #[serde(default, skip_serializing_if = "Normalize::is_none")]
        normalize: Normalize,
    },
    Bpe {
        tokenizer: serde_json::Value,
        #[serde(default, skip_serializing_if = "Normalize::is_none")]
        normalize: Normalize,
    },
}

impl From<TextCodec> for Stored {
    fn from(codec: TextCodec) -> Self {
        let normalize = codec.normalize;
        match codec.kind {
            Kind::Byte => Stored::Byte { normalize },
            Kind::Char(vocabulary) => {
                Stored::Char { vocabulary: vocabulary.iter().collect(), normalize }
            }
            Kind::Bpe(bpe) => Stored::Bpe { tokenizer: bpe.json().clone(), normalize },
        }
    }
}

impl TryFrom<Stored> for TextCodec {
    type Error = Error;

    fn try_from(stored: Stored) -> Result<Self> {
        let (kind, normalize) = match stored {
            Stored::Byte { normalize } => (Kind::Byte, normalize),
            Stored::Char { vocabulary, normalize } => {
                let vocabulary: Arc<[char]> = vocabulary.chars().collect();
                if !vocabulary.is_sorted_by(|a, b| a < b) {
                    let reason = "its characters are not sorted and distinct".into();
                    return Err(Error::Tokenizer { reason });
                }
                (Kind::Char(vocabulary), normalize)
            }
            Stored::Bpe { tokenizer, normalize } => {
                (Kind::Bpe(Arc::new(Bpe::new(tokenizer)?)), normalize)
            }
        };
        Ok(Self { kind, normalize })
    }
}
