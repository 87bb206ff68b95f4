//! Music: pieces of notes, rolls of frames, and the model that goes on from them.
pub(crate) mod codec;
pub(crate) mod composer;
pub(crate) mod ear;
pub(crate) mod events;
pub(crate) mod frame;
pub(crate) mod learned;
pub(crate) mod performer;
pub(crate) mod piece;
mod repeat;
pub(crate) mod roll;
pub(crate) mod score;

pub use codec::{MOST_BAR, MusicCodec};
pub use composer::{Composer, Composing, Composition, MusicStream};
pub use ear::Ear;
pub use events::{Event, EventCodec, EventRules, Keyboard, Played, UNITS};
pub use frame::Rules;
pub use learned::Learned;
pub use performer::{EventMetrics, EventStream, Performance, Performer, Performing, score_events};
pub use piece::{Clock, Meter, Note, Piece, Tempo, USUAL_TEMPO, key_name};
pub use roll::{
    Bar, KEYS, LOWEST, MOST_STEPS, Place, Quantised, Roll, Sound, Span, TempoChange, transposed,
};
pub use score::{MusicMetrics, score};
