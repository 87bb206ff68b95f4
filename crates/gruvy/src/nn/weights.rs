//! The parameters of one layer and direction, in PyTorch's layout.
use crate::ops::Weights;
use burn::module::{Initializer, Module, Param};
use burn::tensor::{Device, Tensor, TensorData};
use gruvy_kernels::Cell;

/// The parameters of one layer and direction. `G` gates lie below each other in the rows: r, z, n.
#[derive(Module, Debug)]
pub struct LayerWeights {
    /// `[G * H, I]`
    pub weight_ih: Param<Tensor<2>>,
    /// `[G * H, H]`
    pub weight_hh: Param<Tensor<2>>,
    /// `[G * H]`
    pub bias_ih: Option<Param<Tensor<1>>>,
    /// `[G * H]`
    pub bias_hh: Option<Param<Tensor<1>>>,
}

impl LayerWeights {
    /// Parameters from U(−1/√H, 1/√H).
    pub(super) fn new(
        cell: Cell,
        [input, hidden]: [usize; 2],
        bias: bool,
        device: &Device,
    ) -> Self {
        let bound = 1.0 / (hidden as f64).sqrt();
        let uniform = Initializer::Uniform { min: -bound, max: bound };
        let rows = cell.gates() * hidden;
        Self {
            weight_ih: uniform.init([rows, input], device),
            weight_hh: uniform.init([rows, hidden], device),
            bias_ih: bias.then(|| uniform.init([rows], device)),
            bias_hh: bias.then(|| uniform.init([rows], device)),
        }
    }

    /// The parameters' present values.
    pub fn values(&self) -> Weights {
        Weights {
            w_ih: self.weight_ih.val(),
            w_hh: self.weight_hh.val(),
            b_ih: self.bias_ih.as_ref().map(Param::val),
            b_hh: self.bias_hh.as_ref().map(Param::val),
        }
    }

    /// Name (without layer) and value of each parameter.
    pub(super) fn named(&self) -> impl Iterator<Item = (&'static str, TensorData)> {
        let weights = [("weight_ih", &self.weight_ih), ("weight_hh", &self.weight_hh)];
        let biases = [("bias_ih", &self.bias_ih), ("bias_hh", &self.bias_hh)];
        let biases = biases.into_iter().filter_map(|(name, p)| p.as_ref().map(|p| (name, p)));
        let weights = weights.into_iter().map(|(name, p)| (name, p.val().into_data()));
        weights.chain(biases.map(|(name, p)| (name, p.val().into_data())))
    }

    /// The same parameters with the values that `get` answers for their names and shapes.
    pub(super) fn load(self, mut get: impl FnMut(&str, &[usize]) -> TensorData) -> Self {
        Self {
            weight_ih: load(self.weight_ih, "weight_ih", &mut get),
            weight_hh: load(self.weight_hh, "weight_hh", &mut get),
            bias_ih: self.bias_ih.map(|p| load(p, "bias_ih", &mut get)),
            bias_hh: self.bias_hh.map(|p| load(p, "bias_hh", &mut get)),
        }
    }
}

fn load<const D: usize>(
    param: Param<Tensor<D>>,
    name: &str,
    get: &mut impl FnMut(&str, &[usize]) -> TensorData,
) -> Param<Tensor<D>> {
    let data = get(name, param.lazy_shape().as_slice());
    let (id, device) = (param.id, param.lazy_device());
    param.transform_for_load(Tensor::from_data(data, &device), id)
}
