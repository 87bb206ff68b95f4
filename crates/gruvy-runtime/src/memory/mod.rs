//! The two tasks that measure memory, adding and copying: sequences made from a seed, and how well
//! they are answered.
pub(crate) mod codec;
pub(crate) mod eval;
pub(crate) mod model;

pub use codec::{Adding, AddingExamples, CopyExamples, Copying, TEST_SEED};
pub use eval::{evaluate_adding, evaluate_copying};
pub use model::MemoryModel;
