//! How large a training is.
use gruvy_runtime::model::Spec;

/// How large a training is.
#[derive(Clone, Debug, PartialEq)]
pub struct Size {
    /// The model.
    pub spec: Spec,
    /// `B`, sequences in a batch.
    pub batch: usize,
    /// `T`, steps of a sequence, as far as is known.
    pub seq_len: usize,
}
