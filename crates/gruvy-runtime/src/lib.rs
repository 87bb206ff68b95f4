//! Uses gruvy's model files: the file, packed weights, sessions, and one room per task with its
//! codec and the object that answers. No training framework, and no reader of data: a model in
//! production is weights, a spec and the kernels.
//!
//! ```text
//! path ──ModelFile::open──> ModelFile ──Network::new──> Arc<Network> ──Session::new──> logits
//!                              └─ Codec: raw values ⇄ numbers
//! ```

pub mod audio;
pub mod classify;
mod codec;
mod error;
pub mod forecast;
pub mod items;
pub mod memory;
pub mod model;
pub mod music;
#[doc(hidden)]
pub mod names;
mod opened;
mod remark;
pub mod series;
pub mod speech;
mod task;
pub mod text;

pub use codec::Codec;
#[doc(hidden)]
pub use error::what_to_do;
pub use error::{Error, Result};
pub use gruvy_kernels::Cell;
#[doc(hidden)]
pub use gruvy_kernels::random;
pub use opened::Model;
pub use remark::Remark;
pub use task::TaskName;
