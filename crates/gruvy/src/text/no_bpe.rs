//! What stands for learning a byte-pair encoding where it is not built in.
use crate::error::Result;
use gruvy_runtime::Error;

/// Learns nothing.
pub(super) fn learn(_: &str, _: usize) -> Result<String> {
    Err(Error::NotBuiltIn { what: "the trainer of byte-pair encodings", feature: "bpe" }.into())
}
