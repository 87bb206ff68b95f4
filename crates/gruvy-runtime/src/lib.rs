//! Runs gruvy model files: the file format, packed weights, streaming sessions and each task's codec.
//! No training framework: a model in production is weights, a spec and the kernels.
//!
//! ```text
//! path ──ModelFile::open──> ModelFile ──Network::new──> Arc<Network> ──Session::new──> logits
//!                              └─ Codec: text ⇄ tokens
//! ```
//!
//! ```no_run
//! use gruvy_runtime::{Codec, Generator, ModelFile, Network, Sampling};
//! use std::{ops::ControlFlow, sync::Arc};
//!
//! let model = ModelFile::open("runs/shakespeare")?;
//! let network = Arc::new(Network::new(&model)?);
//! let Codec::Text(codec) = &model.codec else { panic!("expected a text model") };
//! let mut generator = Generator::new(network, codec, &Sampling::default(), 1)?;
//! generator.prompt("ROMEO:")?;
//! generator.generate(200, |_row, text| {
//!     print!("{text}");
//!     ControlFlow::Continue(())
//! })?;
//! # Ok::<(), gruvy_runtime::Error>(())
//! ```
#![forbid(unsafe_code)]

pub mod cell_name;
mod classifier;
pub mod codec;
mod error;
pub mod eval;
pub mod examples;
mod file;
mod forecast;
mod forecaster;
mod generate;
mod network;
mod pool;
#[doc(hidden)]
pub mod random;
mod sampler;
pub mod series;
mod session;
mod spec;
mod table;
mod write;

pub use classifier::{Classifier, ClassifyStream, Explanation, MOST_WORDS, WordEffect};
pub use codec::Codec;
pub use codec::classify::{ClassifyCodec, Encoded, Padded, PaddedSteps, Reader, Scaler, Words};
pub use codec::forecast::{
    Affine, Decoder, Difference, ForecastCodec, Frame, Known, LEAST_SPREAD, Output, Prepared,
    Scale, StaticCoding, Transform, Windows,
};
pub use codec::memory::{Adding, AddingExamples, CopyExamples, Copying, TEST_SEED};
pub use codec::text::{TextCodec, TextDecoder, TextUnit};
pub use error::{Error, Result};
pub use eval::memory::{evaluate_adding, evaluate_copying};
pub use eval::{TextMetrics, evaluate_text, predicted_chars};
pub use file::{FORMAT_VERSION, MODEL_FILE_NAME, ModelFile, Tensor, Trained};
pub use forecast::Forecast;
pub use forecaster::{ForecastStream, Forecaster, Paths};
pub use generate::Generator;
pub use gruvy_kernels::Cell;
pub use network::Network;
pub use sampler::{Sampler, Sampling};
pub use session::{Session, Steps};
pub use spec::{Head, Input, Pool, RnnSpec, Spec, TensorSpec};
pub use write::write_atomic;
