//! rten runs an ONNX file, its weights packed when the model is loaded.
use crate::{Engine, Mode, case};
use anyhow::{Context, Result, ensure};
use rten::{Model, ModelOptions, NodeId, RunOptions, ThreadPool, Value};
use std::sync::Arc;

pub struct Layer {
    model: Model,
    inputs: Vec<(NodeId, Value)>,
    options: RunOptions,
}

impl Engine for Layer {
    const PACKAGE: &str = "rten";
    const MODES: &[Mode] = &[Mode::Infer];
    /// `[T, 1, B, H]`
    type Computed = Value;

    fn load(_cell: &str, threads: usize, case: &case::Case) -> Result<Self> {
        let model = ModelOptions::with_all_ops().prepack_weights(true).load_file(&case.onnx)?;
        let values = [vec![case.get("x")?.clone()], case.states()?].concat();
        ensure!(values.len() == model.input_ids().len(), "the model has other inputs");
        let value = |(&id, tensor): (&NodeId, case::Tensor)| {
            Ok((id, Value::from_shape(tensor.shape, tensor.data)?))
        };
        let inputs = model.input_ids().iter().zip(values).map(value).collect::<Result<_>>()?;
        let pool = Arc::new(ThreadPool::with_num_threads(threads));
        let options = RunOptions::default().with_thread_pool(Some(pool));
        Ok(Self { model, inputs, options })
    }

    fn run(&self, _mode: Mode) -> Result<Value> {
        let inputs = self.inputs.iter().map(|(id, value)| (*id, value.into())).collect();
        let output = self.model.run(inputs, self.model.output_ids(), Some(self.options.clone()))?;
        output.into_iter().next().context("no output")
    }

    fn tensors(&self, y: Value) -> Result<Vec<(String, case::Tensor)>> {
        let ([t, _, b, h], data) = y.into_shape_vec::<f32, 4>()?;
        Ok(vec![("output".into(), case::Tensor { shape: vec![t, b, h], data })])
    }
}
