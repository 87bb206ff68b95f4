//! Speech: what is said in recordings, learned from recordings and their texts.
//!
//! [`gruvy_runtime::speech`] says what a model hears and how it is decoded. Which step says which
//! label is not given: the loss is that of all ways to say the labels in order (CTC), one operation
//! ([`ctc_loss`](crate::ops::ctc_loss)).
mod batch;
pub(crate) mod config;
pub(crate) mod data;
pub(crate) mod judge;
#[cfg_attr(not(feature = "draw"), path = "no_picture.rs")]
mod picture;
#[cfg_attr(not(feature = "audio"), path = "no_recordings.rs")]
mod recordings;
pub(crate) mod synthetic;
pub(crate) mod task;

pub use config::{Features, Normalise, SpeechConfig, SpeechRun, Unit};
pub use data::{Divided, How, Recordings, Utterance, read};
pub use judge::{Heard, Judged, judge};
pub use picture::picture;
pub use recordings::{Blocks, Transcribed, audio, transcribe_file};
pub use synthetic::synthetic;
pub use task::SpeechTask;
