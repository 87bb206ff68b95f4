//! Classification: a text or a sequence of numbers in, the probability of each label out.
pub(crate) mod classifier;
pub(crate) mod codec;
pub(crate) mod encoded;
pub(crate) mod explain;
pub(crate) mod prediction;
pub(crate) mod stream;
pub(crate) mod words;

pub use classifier::Classifier;
pub use codec::{ClassifyCodec, Reader, Scaler};
pub use encoded::{Encoded, Padded, PaddedSteps};
pub use explain::{Explanation, MOST_WORDS, WordEffect};
pub use prediction::{Prediction, Ranked};
pub use stream::ClassifyStream;
pub use words::Words;
