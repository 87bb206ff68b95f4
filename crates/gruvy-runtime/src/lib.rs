//! Runs gruvy model files: the file format, packed weights, streaming sessions and each task's codec.
//! No training framework: a model in production is weights, a spec and the kernels.
//!
//! ```text
//! path ──ModelFile::open──> ModelFile ──Network::new──> Arc<Network> ──Session::new──> logits
//!                              └─ Codec: text ⇄ tokens
//! ```
pub mod codec;
mod error;
mod file;
mod spec;
mod write;

pub use codec::Codec;
pub use codec::text::{TextCodec, TextDecoder, TextUnit};
pub use error::{Error, Result};
pub use file::{FORMAT_VERSION, MODEL_FILE_NAME, ModelFile, Tensor, Trained};
pub use gruvy_kernels::Cell;
pub use spec::{Head, Input, RnnSpec, Spec, TensorSpec};
pub use write::write_atomic;
