//! What the driver has an engine do.
use crate::layer::Mode;
use anyhow::Result;
use safetensors::{Dtype, tensor::TensorView};
use std::path::Path;

/// A case with its buffers.
pub trait Work {
    /// One call: what is timed.
    fn run(&mut self, mode: Mode);

    /// Runs one call and writes what it computed, for the driver to compare.
    fn answer(&mut self, mode: Mode, file: &Path) -> Result<()>;
}

/// Writes tensors, each with its name and shape.
pub fn save(tensors: Vec<(&str, Vec<usize>, &Vec<f32>)>, file: &Path) -> Result<()> {
    let views = tensors
        .into_iter()
        .map(|(name, shape, data)| {
            Ok((name, TensorView::new(Dtype::F32, shape, bytemuck::cast_slice(data))?))
        })
        .collect::<Result<Vec<_>>>()?;
    Ok(safetensors::serialize_to_file(views, None, file)?)
}
