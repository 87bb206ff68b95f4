//! What every model is: a file, the shape and the weights in it, and a session that runs them.
pub(crate) mod capacity;
pub(crate) mod checksum;
pub(crate) mod file;
pub(crate) mod likelihood;
pub(crate) mod members;
pub(crate) mod network;
pub(crate) mod pool;
pub(crate) mod session;
pub(crate) mod spec;
pub(crate) mod steps;
pub(crate) mod versions;
pub(crate) mod write;

pub use capacity::{available_bytes, bytes_of, check_memory};
pub use checksum::Checksum;
pub use file::{MODEL_FILE_NAME, ModelFile, Tensor, Trained};
pub use members::{members, open_members};
pub use network::Network;
pub use session::Session;
pub use spec::{Head, Input, Pool, RnnSpec, Spec, TensorSpec};
pub use steps::Steps;
pub use versions::FORMAT_VERSION;
pub use write::{remove_leftovers, write_atomic};
