//! The driver's files: the layer with its inputs, and the answers.
use anyhow::{Context, Result, ensure};
use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
};

/// Numbers in C order.
#[derive(Clone)]
pub struct Tensor {
    pub shape: Vec<usize>,
    pub data: Vec<f32>,
}

impl Tensor {
    /// The rows `from..from + rows` of the first dimension.
    pub fn rows(&self, from: usize, rows: usize) -> Self {
        let row: usize = self.shape[1..].iter().product();
        let shape = [&[rows], &self.shape[1..]].concat();
        Self { shape, data: self.data[from * row..(from + rows) * row].to_vec() }
    }

    /// More rows at the end.
    pub fn append(&mut self, below: Self) {
        self.shape[0] += below.shape[0];
        self.data.extend(below.data);
    }

    /// `[M, N]` as `[N, M]`; a vector stays one.
    pub fn transposed(self) -> Self {
        let &[m, n] = &self.shape[..] else { return self };
        let data = (0..n).flat_map(|j| (0..m).map(move |i| i * n + j));
        Self { shape: vec![n, m], data: data.map(|at| self.data[at]).collect() }
    }
}

/// `x [T, B, I]`, `h0 [1, B, K * H]`, `dy [T, B, H]` and the parameters under PyTorch's names.
pub struct Case {
    tensors: HashMap<String, Tensor>,
    /// The same layer as a model whose inputs are x and the states.
    pub onnx: PathBuf,
}

impl Case {
    pub fn read(file: &Path) -> Result<Self> {
        let bytes = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
        let tensors = SafeTensors::deserialize(&bytes)?;
        let read = |(name, view): (String, TensorView)| {
            ensure!(view.dtype() == Dtype::F32, "{name} is {:?}, expected F32", view.dtype());
            let numbers = view.data().chunks_exact(4).map(bytemuck::pod_read_unaligned);
            Ok((name, Tensor { shape: view.shape().to_vec(), data: numbers.collect() }))
        };
        let tensors = tensors.tensors().into_iter().map(read).collect::<Result<_>>()?;
        Ok(Self { tensors, onnx: file.with_extension("onnx") })
    }

    pub fn get(&self, name: &str) -> Result<&Tensor> {
        self.tensors.get(name).with_context(|| format!("the case has no {name}"))
    }

    /// The initial state or states, each `[1, B, H]`.
    pub fn states(&self) -> Result<Vec<Tensor>> {
        let (h0, hidden) = (self.get("h0")?, self.get("dy")?.shape[2]);
        let &[_, batch, width] = &h0.shape[..] else { unreachable!("h0 has three dimensions") };
        let state = |k: usize| {
            let rows = h0.data.chunks_exact(width).map(|row| &row[k * hidden..(k + 1) * hidden]);
            Tensor { shape: vec![1, batch, hidden], data: rows.flatten().copied().collect() }
        };
        Ok((0..width / hidden).map(state).collect())
    }
}

pub fn write(file: &Path, tensors: Vec<(String, Tensor)>) -> Result<()> {
    let views = tensors.iter().map(|(name, Tensor { shape, data })| {
        Ok((name, TensorView::new(Dtype::F32, shape.clone(), bytemuck::cast_slice(data))?))
    });
    Ok(safetensors::serialize_to_file(views.collect::<Result<Vec<_>>>()?, None, file)?)
}
