//! Tables: CSV, TSV and Parquet as rows of text.
//!
//! Parquet becomes text too: one way on from here, and the numbers come back to the same bits.
pub(crate) mod delimited;
#[cfg(feature = "parquet")]
pub(crate) mod parquet;
pub(crate) mod rows;
