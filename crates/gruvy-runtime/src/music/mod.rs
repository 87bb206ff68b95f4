//! Music: pieces of notes, rolls of frames, and the model that goes on from them.
pub(crate) mod codec;
pub(crate) mod composer;
pub(crate) mod ear;
pub(crate) mod frame;
mod repeat;
pub(crate) mod roll;
pub(crate) mod score;

pub use codec::MusicCodec;
pub use composer::{Composer, Composing, Composition, MusicStream};
pub use ear::{Ear, Place};
pub use frame::Rules;
pub use roll::{KEYS, Roll, Sound};
pub use score::{MusicMetrics, score};
