//! The parameters of one layer and direction, in PyTorch's layout.
use super::{
    config::RecurrentConfig,
    key::{Key, parameter},
};
use crate::ops::Weights;
use burn::module::{Initializer, Module, Param};
use burn::tensor::{Device, Tensor, TensorData};

/// The parameters of one layer and direction. `G` gates lie below each other in the rows, as
/// [`Cell::gate_names`](gruvy_kernels::Cell::gate_names) says; for the hidden weights
/// [`Cell::hidden_gates`](gruvy_kernels::Cell::hidden_gates) of them.
#[derive(Module, Debug)]
pub struct LayerWeights {
    /// `[G * H, I]`
    pub weight_ih: Param<Tensor<2>>,
    /// `[G * H, H]`; none for a cell without hidden gates.
    pub weight_hh: Option<Param<Tensor<2>>>,
    /// `[G * H]`
    pub bias_ih: Option<Param<Tensor<1>>>,
    /// `[G * H]`
    pub bias_hh: Option<Param<Tensor<1>>>,
    /// `[G * H]`, gains of the layer normalisation.
    pub gain_ih: Option<Param<Tensor<1>>>,
    /// `[G * H]`, gains of the layer normalisation.
    pub gain_hh: Option<Param<Tensor<1>>>,
}

impl LayerWeights {
    /// Parameters from U(−1/√H, 1/√H), drawn at `place(name)`, gains of 1.
    pub(super) fn new(
        config: &RecurrentConfig,
        input: usize,
        place: impl Fn(&str) -> Key,
        device: &Device,
    ) -> Self {
        let RecurrentConfig { cell, hidden_size: hidden, bias, layer_norm, .. } = *config;
        let bound = 1.0 / (hidden as f64).sqrt();
        fn uniform<const D: usize>(
            (key, bound): (Key, f64),
            shape: [usize; D],
            device: &Device,
        ) -> Param<Tensor<D>> {
            parameter(shape, device, move |count| key.uniform(-bound, bound, count))
        }
        let at = |name| (place(name), bound);
        let (rows, hidden_rows) = (cell.gates() * hidden, cell.hidden_gates() * hidden);
        let some = hidden_rows > 0;
        Self {
            weight_ih: uniform(at("weight_ih"), [rows, input], device),
            weight_hh: some.then(|| uniform(at("weight_hh"), [hidden_rows, hidden], device)),
            bias_ih: bias.then(|| uniform(at("bias_ih"), [rows], device)),
            bias_hh: (bias && some).then(|| uniform(at("bias_hh"), [hidden_rows], device)),
            gain_ih: layer_norm.then(|| Initializer::Ones.init([rows], device)),
            gain_hh: (layer_norm && some).then(|| Initializer::Ones.init([hidden_rows], device)),
        }
    }

    /// The parameters' present values.
    pub fn values(&self) -> Weights {
        let vector = |p: &Option<Param<Tensor<1>>>| p.as_ref().map(Param::val);
        Weights {
            w_ih: self.weight_ih.val(),
            w_hh: self.weight_hh.as_ref().map(Param::val),
            b_ih: vector(&self.bias_ih),
            b_hh: vector(&self.bias_hh),
            gain_ih: vector(&self.gain_ih),
            gain_hh: vector(&self.gain_hh),
        }
    }

    /// Name (without layer) and value of each parameter.
    pub(super) fn named(&self) -> impl Iterator<Item = (&'static str, TensorData)> {
        let matrices =
            [("weight_ih", Some(&self.weight_ih)), ("weight_hh", self.weight_hh.as_ref())];
        let vectors = [
            ("bias_ih", &self.bias_ih),
            ("bias_hh", &self.bias_hh),
            ("gain_ih", &self.gain_ih),
            ("gain_hh", &self.gain_hh),
        ];
        let matrices = matrices.into_iter().map(|(name, p)| (name, p.map(|p| p.val().into_data())));
        let vectors = vectors.into_iter();
        let vectors = vectors.map(|(name, p)| (name, p.as_ref().map(|p| p.val().into_data())));
        matrices.chain(vectors).filter_map(|(name, data)| Some((name, data?)))
    }

    /// The same parameters with the values that `get` answers for their names and shapes.
    pub(super) fn load(self, mut get: impl FnMut(&str, &[usize]) -> TensorData) -> Self {
        Self {
            weight_ih: load(self.weight_ih, "weight_ih", &mut get),
            weight_hh: self.weight_hh.map(|p| load(p, "weight_hh", &mut get)),
            bias_ih: self.bias_ih.map(|p| load(p, "bias_ih", &mut get)),
            bias_hh: self.bias_hh.map(|p| load(p, "bias_hh", &mut get)),
            gain_ih: self.gain_ih.map(|p| load(p, "gain_ih", &mut get)),
            gain_hh: self.gain_hh.map(|p| load(p, "gain_hh", &mut get)),
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
