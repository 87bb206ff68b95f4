//! Music: pieces of notes, and rolls of frames.
pub(crate) mod piece;
pub(crate) mod roll;

pub use piece::{Meter, Note, Piece, Tempo, USUAL_TEMPO};
pub use roll::{Bar, KEYS, LOWEST, MOST_STEPS, Place, Quantised, Roll, Sound, transposed};
