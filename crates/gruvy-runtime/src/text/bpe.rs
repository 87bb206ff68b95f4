//! Byte-level byte-pair encoding: a `tokenizer.json` checked, and put to use.
//!
//! Bytes are written as printable characters in such a file (GPT-2's alphabet); merging starts from
//! bytes, so every text can be encoded and decoding gives back the very bytes.
mod model;

use crate::error::{Error, Result};
use serde::Deserialize;
use serde_json::Value;
use std::collections::HashMap;

#[cfg_attr(not(feature = "bpe"), path = "bpe/no_encoder.rs")]
mod encoder;
use encoder::Encoder;
use model::Model;

/// A byte-level BPE.
#[derive(Clone)]
pub(crate) struct Bpe {
    json: Value,
    encoder: Encoder,
    /// The bytes of each token.
    tokens: Vec<Box<[u8]>>,
}

/// The parts of a `tokenizer.json` that matter here. The parts that would change the text must be
/// absent: a tokenizer that normalises or adds tokens is not reversible.
#[derive(Deserialize)]
struct File {
    #[serde(default)]
    truncation: Option<Value>,
    #[serde(default)]
    padding: Option<Value>,
    #[serde(default)]
    added_tokens: Vec<Value>,
    #[serde(default)]
    normalizer: Option<Value>,
    pre_tokenizer: PreTokenizer,
    model: Model,
}

#[derive(Deserialize)]
struct PreTokenizer {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    add_prefix_space: bool,
    #[serde(default = "yes")]
    use_regex: bool,
}

fn yes() -> bool {
    true
}

fn refuse<T>(reason: impl Into<String>) -> Result<T> {
    Err(Error::Tokenizer { reason: reason.into() })
}

impl Bpe {
    /// Checks a `tokenizer.json` and prepares it.
    pub fn new(json: Value) -> Result<Self> {
        let file = File::deserialize(&json)
            .map_err(|error| Error::Tokenizer { reason: error.to_string() })?;
        file.check()?;
        let tokens = token_table(&file.model)?;
        let encoder = Encoder::new(file.model, file.pre_tokenizer.use_regex)?;
        Ok(Self { json, encoder, tokens })
    }

    /// The `tokenizer.json`.
    pub fn json(&self) -> &Value {
        &self.json
    }

    /// `V`, number of tokens.
    pub fn vocab_size(&self) -> usize {
        self.tokens.len()
    }

    /// The bytes that a token stands for, if it exists.
    pub fn token_bytes(&self, token: u32) -> Option<&[u8]> {
        self.tokens.get(token as usize).map(|bytes| &**bytes)
    }

    /// The tokens of `text`.
    pub fn encode(&self, text: &str) -> Result<Vec<u32>> {
        self.encoder.encode(text)
    }
}

impl File {
    fn check(&self) -> Result<()> {
        let (model, splitter) = (&self.model, &self.pre_tokenizer);
        if model.kind != "BPE" {
            return refuse(format!("its model is `{}`; expected `BPE`", model.kind));
        }
        if splitter.kind != "ByteLevel" || splitter.add_prefix_space {
            return refuse("its pre-tokenizer is not `ByteLevel` without `add_prefix_space`");
        }
        if self.normalizer.is_some() || self.truncation.is_some() || self.padding.is_some() {
            return refuse("it normalises, truncates or pads; expected one that keeps the text");
        }
        if !self.added_tokens.is_empty() {
            return refuse("it has added tokens; expected none");
        }
        let affix = |text: &Option<String>| text.as_ref().is_some_and(|text| !text.is_empty());
        if affix(&model.continuing_subword_prefix)
            || affix(&model.end_of_word_suffix)
            || model.dropout.is_some_and(|p| p != 0.0)
            || model.unk_token.is_some()
            || model.ignore_merges
        {
            return refuse("its BPE has affixes, dropout, an unknown token or ignores merges");
        }
        // The library takes these for granted.
        for (a, b) in &model.merges {
            if [a, b, &format!("{a}{b}")].into_iter().any(|t| !model.vocab.contains_key(t)) {
                return refuse(format!("a part or the result of merge `{a} {b}` is no token"));
            }
        }
        Ok(())
    }
}

/// The bytes of each token, which also shows that ids run from 0 and that every byte has a token.
fn token_table(model: &Model) -> Result<Vec<Box<[u8]>>> {
    let alphabet: HashMap<char, u8> = (0..=255).map(|byte| (byte_char(byte), byte)).collect();
    let mut table: Vec<Option<Box<[u8]>>> = vec![None; model.vocab.len()];
    for (token, id) in &model.vocab {
        let bytes: Option<Box<[u8]>> = token.chars().map(|c| alphabet.get(&c).copied()).collect();
        let Some(bytes) = bytes.filter(|bytes| !bytes.is_empty()) else {
            return refuse(format!("token `{token}` is not made of byte-level characters"));
        };
        match table.get_mut(*id as usize) {
            Some(entry @ None) => *entry = Some(bytes),
            _ => return refuse(format!("token `{token}` has id {id}, which is taken or too high")),
        }
    }
    if let Some(byte) = (0..=255).find(|b| !model.vocab.contains_key(&byte_char(*b).to_string())) {
        return refuse(format!("byte {byte} has no token"));
    }
    Ok(table.into_iter().flatten().collect())
}

/// GPT-2's printable stand-in for a byte: itself where Latin-1 prints it, else the next free
/// character from U+0100 on.
fn byte_char(byte: u8) -> char {
    let prints = |b: u8| matches!(b, b'!'..=b'~' | 0xA1..=0xAC | 0xAE..=0xFF);
    if prints(byte) {
        return char::from(byte);
    }
    let rank = (0..byte).filter(|b| !prints(*b)).count() as u32;
    char::from_u32(0x100 + rank).unwrap_or(char::REPLACEMENT_CHARACTER)
}

impl std::fmt::Debug for Bpe {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bpe").field("vocab_size", &self.vocab_size()).finish_non_exhaustive()
    }
}
