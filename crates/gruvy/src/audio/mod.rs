//! Augmentation: recordings that are heard a little differently each time a network learns from
//! them, so that a few speakers in one room stand for many speakers in many rooms.
//!
//! [`AugmentConfig`] says how far a recording may be changed, [`AugmentConfig::draw`] draws one
//! [`Augmentation`] from a seed, and [`Augmentation::apply`] carries it out:
//!
//! ```text
//! audio ─ resample (speed, pitch) ─ stretch (pitch, tempo) ─ shift ─ gain ─ noise ─> audio
//! ```
//! A warp of the mel filters goes to [`FrontEnd::frames`](gruvy_runtime::audio::FrontEnd::frames),
//! and [`AugmentConfig::mask`] works on the features. All of it is a function of its arguments:
//! the same seed gives the same bits.
mod augment;
mod mask;
mod noise;
mod resample;
mod stretch;

pub use augment::{AugmentConfig, Augmentation};
