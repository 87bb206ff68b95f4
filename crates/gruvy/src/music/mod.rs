//! Music: what is in files of it, models that go on from it, and how it looks and sounds.
//!
//! [`gruvy_runtime::music`] says what a model hears and answers. Pieces are put on a grid and
//! learned from whole, in excerpts of at most `seq_len` steps; each step predicts the next frame:
//! each key by itself (`bernoulli`), or its keys one after another by a decoder (`joint`). Or they
//! are learned as events in their own time (`events`).
//!
//! ```no_run
//! use gruvy::{music::{MusicConfig, MusicRun}, settings::TaskConfig, train::{RunFolder, Silent, train}};
//!
//! let mut run = MusicRun::default();
//! run.data.paths = vec!["midi".into()];
//! let task = MusicConfig::load(run.clone())?;
//! let folder = RunFolder::create("runs/midi", run.to_toml()?, false)?;
//! train(&task, &run.train, &folder, &mut Silent, &false.into())?;
//! # Ok::<(), gruvy::Error>(())
//! ```
pub(crate) mod batch;
pub(crate) mod composing;
pub(crate) mod config;
pub(crate) mod data;
mod events;
mod examine;
#[cfg(feature = "sound")]
mod font;
mod frames;
pub mod judge;
mod key;
mod material;
pub(crate) mod model;
#[cfg(feature = "draw")]
mod picture;
#[cfg(feature = "sound")]
mod sound;
pub(crate) mod task;
mod thumbnail;
pub(crate) mod tunes;

pub use composing::{ComposeConfig, ComposeLength};
pub use config::{GRIDS, HeadKind, MusicConfig, MusicRun};
pub use data::{MusicPart, Parts, pieces_for, rolls_for};
pub(crate) use examine::examine;
#[cfg(feature = "sound")]
pub use font::Font;
pub use key::{Tonality, tonality};
pub use model::MusicModel;
#[cfg(feature = "draw")]
pub use picture::{Picture, picture};
#[cfg(feature = "sound")]
pub use sound::{Audio, Voice};
pub use task::MusicTask;
pub use tunes::{tunes, tunes_as_files};
