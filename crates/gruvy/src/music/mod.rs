//! Music: what is in files of it, and how it looks and sounds.
mod examine;
mod key;
#[cfg(feature = "draw")]
mod picture;
#[cfg(feature = "sound")]
mod sound;
mod thumbnail;

pub(crate) use examine::examine;
pub use key::{Tonality, tonality};
#[cfg(feature = "draw")]
pub use picture::{Picture, picture};
#[cfg(feature = "sound")]
pub use sound::{Audio, Voice};
//! Learns music: frames of keys on a grid.
pub(crate) mod batch;
pub(crate) mod composing;
pub(crate) mod config;
pub(crate) mod data;
pub(crate) mod model;
pub(crate) mod task;
pub(crate) mod tunes;

pub use composing::ComposeConfig;
pub use config::{GRIDS, HeadKind, MusicConfig, MusicRun};
pub use data::{MusicPart, Parts, rolls_for};
pub use model::MusicModel;
pub use task::MusicTask;
pub use tunes::tunes;
