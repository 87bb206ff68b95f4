//! What stands for the tokenizer where it is not built in: a model of word pieces opens and its
//! tokens become text, but text does not become tokens.
use super::model::Model;
use crate::error::{Error, Result};

/// No tokenizer.
#[derive(Clone)]
pub(super) struct Encoder;

impl Encoder {
    pub fn new(_: Model, _: bool) -> Result<Self> {
        Ok(Self)
    }

    /// # Errors
    /// [`Error::NotBuiltIn`], always.
    pub fn encode(&self, _: &str) -> Result<Vec<u32>> {
        Err(Error::NotBuiltIn { what: "the encoder of byte-pair encodings", feature: "bpe" })
    }
}

#[cfg(test)]
mod tests {
    use crate::text::TextModel;

    #[test]
    fn a_model_of_word_pieces_says_which_feature_it_needs() {
        let path = "/../../testdata/models/v1/text-bpe-mingru.safetensors";
        let model = TextModel::open(format!("{}{path}", env!("CARGO_MANIFEST_DIR"))).unwrap();
        assert!(!model.codec().decode(&[0, 1]).is_empty());
        let error = model.codec().encode("once").unwrap_err().to_string();
        assert_eq!(
            error,
            "the encoder of byte-pair encodings is not in this program: build it with the feature \
             `bpe`"
        );
    }
}
