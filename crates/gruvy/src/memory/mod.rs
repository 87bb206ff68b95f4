//! The memory tasks, which measure how far back a cell can remember: the adding problem and
//! copying.
//!
//! [`gruvy_runtime::memory`] says what the sequences look like. Those that are learned from
//! are made afresh for every step, from the seed of the run; those of validation and test come from
//! seeds of their own, and are the same in every run. So there is no overfitting here, and an epoch
//! is only a number of sequences.
//!
//! ```no_run
//! use gruvy::{memory::{AddingConfig, AddingRun}, settings::TaskConfig, train::{RunFolder, Silent, train}};
//!
//! let mut run = AddingRun::default();
//! run.task.length = 50;
//! let task = AddingConfig::load(run.clone())?;
//! let folder = RunFolder::create("runs/adding", run.to_toml()?, false)?;
//! let outcome = train(&task, &run.train, &folder, &mut Silent, &false.into())?;
//! println!("{:?}", outcome.test);
//! # Ok::<(), gruvy::Error>(())
//! ```
pub(crate) mod adding;
pub(crate) mod config;
pub(crate) mod copying;
pub(crate) mod generator;
pub(crate) mod task;

pub use config::{AddingConfig, AddingRun, CopyConfig, CopyRun, MemoryConfig};
pub use generator::Generator;
pub use task::MemoryTask;
