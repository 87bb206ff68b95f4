//! Speech: from recordings to words.
//!
//! ```text
//! Audio ─ FrontEnd ─> steps [T, I] ─ Network ─> logits [T, V] ─ greedy or beam search ─> Transcript
//! ```
//! A model gives at each step the probability of each label and of a blank, class 0 (CTC, Graves et
//! al. 2006). A model that takes other numbers than those of sound has no front end.
pub(crate) mod arpa;
pub(crate) mod beam;
pub(crate) mod codec;
pub(crate) mod labels;
pub(crate) mod path;
pub(crate) mod phrases;
pub(crate) mod score;
pub(crate) mod stream;
pub(crate) mod transcriber;
pub(crate) mod transcript;

pub use arpa::{Arpa, History};
pub use beam::{Decoding, Search};
pub use codec::{Hears, Scaling, SpeechCodec};
pub use labels::{Labels, plain};
pub use path::{Spoken, align, log_softmax};
pub use phrases::Phrase;
pub use score::{Edit, Errors, edits};
pub use stream::{Heard, TranscriptStream};
pub use transcriber::Transcriber;
pub use transcript::{Transcript, Word};
