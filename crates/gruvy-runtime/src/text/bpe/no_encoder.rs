//! What stands for the tokenizer where it is not built in.
use super::Model;
use crate::error::{Error, Result};

/// Never made.
#[derive(Clone)]
pub(super) enum Encoder {}

impl Encoder {
    pub fn new(_: Model, _: bool) -> Result<Self> {
        Err(Error::NotBuiltIn { what: "a byte-pair encoding", feature: "bpe" })
    }

    pub fn encode(&self, _: &str) -> Result<Vec<u32>> {
        match *self {}
    }
}
