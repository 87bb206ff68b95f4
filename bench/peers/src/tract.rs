//! tract runs an ONNX file, optimised for its shapes when it is loaded.
use crate::{Engine, Mode, case};
use anyhow::{Context, Result};
use std::sync::Arc;
use tract_onnx::prelude::{
    Framework, InferenceModelExt, IntoRunnable, IntoTValue, TValue, TVec, Tensor,
    TypedRunnableModel, multithread,
};

pub struct Layer {
    model: Arc<TypedRunnableModel>,
    inputs: Vec<Arc<Tensor>>,
}

impl Engine for Layer {
    const PACKAGE: &str = "tract-onnx";
    const MODES: &[Mode] = &[Mode::Infer];
    /// `[T, 1, B, H]`
    type Computed = TValue;

    fn load(_cell: &str, threads: usize, case: &case::Case) -> Result<Self> {
        if threads > 1 {
            multithread::set_default_executor(multithread::Executor::multithread(threads));
        }
        let model =
            tract_onnx::onnx().model_for_path(&case.onnx)?.into_optimized()?.into_runnable()?;
        let inputs = [vec![case.get("x")?.clone()], case.states()?].concat();
        let tensor = |t: case::Tensor| Ok(Arc::new(Tensor::from_shape(&t.shape, &t.data)?));
        Ok(Self { model, inputs: inputs.into_iter().map(tensor).collect::<Result<_>>()? })
    }

    fn run(&self, _mode: Mode) -> Result<TValue> {
        let inputs: TVec<TValue> = self.inputs.iter().map(|x| x.clone().into_tvalue()).collect();
        self.model.run(inputs)?.into_iter().next().context("no output")
    }

    fn tensors(&self, y: TValue) -> Result<Vec<(String, case::Tensor)>> {
        let &[t, _, b, h] = y.shape() else { unreachable!("Y has four dimensions") };
        let data = y.to_plain_array_view::<f32>()?.iter().copied().collect();
        Ok(vec![("output".into(), case::Tensor { shape: vec![t, b, h], data })])
    }
}
