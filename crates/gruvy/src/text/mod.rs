//! Language modelling: a recurrent network that predicts the next token of a text.
//!
//! ```no_run
//! use gruvy::{settings::TaskConfig, text::{TextConfig, TextRun}, train::{RunFolder, Silent, train}};
//!
//! let mut run = TextRun::default();
//! run.data.paths = vec!["book.txt".into()];
//! let task = TextConfig::load(run.clone())?;
//! let folder = RunFolder::create("runs/book", run.to_toml()?, false)?;
//! let outcome = train(&task, &run.train, &folder, &mut Silent, &false.into())?;
//! println!("{:?}", outcome.valid);
//! # Ok::<(), gruvy::Error>(())
//! ```
pub(crate) mod batches;
#[cfg_attr(not(feature = "bpe"), path = "no_bpe.rs")]
mod bpe;
pub(crate) mod config;
pub(crate) mod corpus;
pub(crate) mod generating;
pub(crate) mod task;
pub(crate) mod vocabulary;

pub use config::{TextConfig, TextRun};
pub use corpus::{Corpus, EMBEDDED_TALES};
pub use generating::Generating;
pub use task::TextTask;
