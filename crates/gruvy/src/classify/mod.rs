//! Classification: the label of a text, or of a sequence of numbers, learned from labelled ones.
//!
//! [`gruvy_runtime::classify`] says what a model reads and answers, [`gruvy_data::examples`]
//! what files are taken. Items of like length go into a batch together; validation and test items
//! have the labels in the same shares as the training items; probabilities are calibrated on the
//! validation items.
//!
//! ```no_run
//! use gruvy::{classify::{ClassifyConfig, ClassifyRun}, settings::TaskConfig, train::{RunFolder, Silent, train}};
//!
//! let mut run = ClassifyRun::default();
//! run.data.paths = vec!["reviews.csv".into()];
//! let task = ClassifyConfig::load(run.clone())?;
//! let folder = RunFolder::create("runs/reviews", run.to_toml()?, false)?;
//! let outcome = train(&task, &run.train, &folder, &mut Silent, &false.into())?;
//! println!("{:?}", outcome.test);
//! # Ok::<(), gruvy::Error>(())
//! ```
mod choose;
pub(crate) mod config;
pub(crate) mod data;
pub(crate) mod division;
pub(crate) mod folds;
pub mod judge;
pub(crate) mod parts;
pub(crate) mod reader;
pub(crate) mod report;
#[cfg_attr(not(feature = "draw"), path = "no_report_files.rs")]
mod report_files;
pub(crate) mod synthetic;
pub(crate) mod task;
pub(crate) mod vectors;

pub use config::{ClassifyConfig, ClassifyRun, Unit};
pub use data::Labelled;
pub use folds::{FOLD_METRICS, Folds};
pub use report::{PartReport, evaluate};
pub use synthetic::synthetic;
pub use task::ClassifyTask;
