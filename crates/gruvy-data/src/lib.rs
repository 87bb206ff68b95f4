//! Turns people's files into the plain values that models take: labelled texts and sequences, time
//! series.
//!
//! ```text
//! CSV, TSV, Parquet, JSON Lines, fastText, lines, folders, .npz ──examples──> Examples
//! CSV, Parquet ─────────────────────────────────────────────────────series──> Panel
//! ```
mod decode;
mod error;
pub mod examples;
mod input;
mod packed;
pub mod series;
pub mod settings;
mod source;
mod table;
pub mod text;

pub use error::{Error, Result};
pub use input::Input;
pub use source::{from_source, to_source};
