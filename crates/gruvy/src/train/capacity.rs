//! Whether a training fits into memory, asked before anything of it is there.
use super::{config::TrainConfig, size::Size, task::Task};
use crate::error::Result;
use gruvy_runtime::model::{Spec, bytes_of, check_memory};

/// Numbers that are there for each weight: itself, its gradient and two moments of AdamW.
const PER_WEIGHT: u64 = 4;

impl Size {
    /// Bytes that the training takes at least.
    fn least_bytes(&self, config: &TrainConfig) -> u64 {
        let Spec { rnn, .. } = &self.spec;
        let copies = PER_WEIGHT + u64::from(config.ema > 0.0);
        let weights = bytes_of(4, &[self.spec.parameters()]).saturating_mul(copies);
        // What a layer gives is kept for the gradient; so are its gates, unless they are computed
        // again.
        let gates = if config.recompute { 0 } else { rnn.cell.gates() };
        let width = rnn.output_size() * rnn.num_layers * (1 + gates) + rnn.input_size;
        weights.saturating_add(bytes_of(4, &[self.batch, self.seq_len, width]))
    }
}

/// Refuses a training that does not fit, or a model that cannot exist.
pub(super) fn check<T: Task>(task: &T, config: &TrainConfig) -> Result<()> {
    let Some(size) = task.size() else { return Ok(()) };
    size.spec.validate()?;
    Ok(check_memory("this training", size.least_bytes(config))?)
}
