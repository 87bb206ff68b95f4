//! Text: tokens and back, what comes next, how well a model predicts.
pub(crate) mod bpe;
pub(crate) mod codec;
pub(crate) mod eval;
pub(crate) mod generate;
pub(crate) mod model;
pub(crate) mod normalize;
pub(crate) mod sampler;
pub(crate) mod utf8;

pub use codec::{TextCodec, TextDecoder, TextUnit};
pub use eval::{TextMetrics, evaluate_text, predicted_chars};
pub use generate::Generator;
pub use model::TextModel;
pub use normalize::{Normalize, nfc};
pub use sampler::{Sampler, Sampling};
