//! Examples to classify: files in, texts or sequences of numbers out, with their labels.
//!
//! ```text
//! CSV, TSV, Parquet ──columns──┬─> texts ─────┐
//!                              └─> sequences ─┤
//! JSON Lines, fastText, lines, folders ───────┼─> Examples
//! NumPy .npz ─────────────────────────────────┘
//! ```
//!
//! What a file is shows in its name and its first lines, what a column is in its name; both are
//! said in [`Examples::notes`], and [`ExampleFormat`] says otherwise. Texts stay as they are, but
//! for blanks around them. What cannot be right is an error with file and line.
pub(crate) mod columns;
mod folders;
pub(crate) mod format;
pub(crate) mod json;
mod labels;
mod lines;
#[cfg(feature = "npz")]
mod npz;
pub(crate) mod part;
pub(crate) mod places;
mod read;
mod sequences;
mod set;
pub(crate) mod table;
pub(crate) mod wanted;

pub use format::{Encoding, ExampleFormat, FileFormat};
pub use places::{Place, Places};
pub use read::{read_examples, read_examples_like};
pub use set::Examples;
pub use wanted::Like;
