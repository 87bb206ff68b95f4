//! The weights of a model, packed for running it.
use crate::{
    error::Result,
    model::{
        file::{ModelFile, Tensor, check_tensors},
        spec::{DECODER, Head, Input, RnnSpec, Spec, rnn_tensor},
    },
};
use gruvy_kernels::{Layer, Linear, Norm, Packed, Weights};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The weights of a model, packed once and shared by any number of
/// [sessions](crate::model::Session).
#[derive(Debug)]
pub struct Network {
    spec: Spec,
    /// `[V, E]`; empty for features.
    pub(crate) embedding: Vec<f32>,
    /// `[L, D]`
    pub(crate) layers: Vec<Packed>,
    /// `[D·H]`; empty unless attention pools.
    pub(crate) attention: Vec<f32>,
    pub(crate) head: Linear,
    decoder: Option<Arc<Network>>,
}

impl Network {
    /// Packs the weights of `model`.
    ///
    /// # Errors
    /// As [`ModelFile::validate`].
    pub fn new(model: &ModelFile) -> Result<Self> {
        model.validate()?;
        Self::from_tensors(&model.spec, &model.tensors)
    }

    /// Packs weights by the names of [`Spec::tensors`].
    ///
    /// # Errors
    /// As [`Spec::validate`], and for a tensor that is missing, unknown, of a wrong shape or not
    /// finite.
    pub fn from_tensors(spec: &Spec, tensors: &BTreeMap<String, Tensor>) -> Result<Self> {
        spec.validate()?;
        check_tensors(spec, tensors)?;
        Ok(Self::packed(spec, tensors, ""))
    }

    /// Packs the checked tensors whose names begin with `prefix`.
    fn packed(spec: &Spec, tensors: &BTreeMap<String, Tensor>, prefix: &str) -> Self {
        let tensor = |name: &str| data(tensors, &format!("{prefix}{name}"));
        let embedding = tensor("embedding.weight");
        let mut layers = Vec::new();
        for layer in 0..spec.rnn.num_layers {
            for direction in 0..spec.rnn.directions() {
                layers.push(pack(&spec.rnn, tensor, layer, direction == 1));
            }
        }
        let weight = match spec.head {
            Head::Linear { .. } => tensor("head.weight"),
            Head::Tied => embedding,
        };
        let bias = tensor("head.bias");
        let head = Linear::new(weight.len() / bias.len(), bias.len(), weight, Some(bias));
        let (embedding, attention) = (embedding.to_vec(), tensor("attention.weight").to_vec());
        let decoder = spec.decoder.as_deref();
        let decoder = decoder.map(|spec| Arc::new(Self::packed(spec, tensors, DECODER)));
        Self { embedding, layers, attention, head, decoder, spec: spec.clone() }
    }

    /// The shape of the model.
    pub fn spec(&self) -> &Spec {
        &self.spec
    }

    /// The second network, which starts from what the head gives, if there is one.
    pub fn decoder(&self) -> Option<&Arc<Network>> {
        self.decoder.as_ref()
    }

    /// `V`, number of tokens, or none if the input is features.
    pub(crate) fn vocab(&self) -> Option<usize> {
        match self.spec.input {
            Input::Embedding { vocab, .. } => Some(vocab),
            Input::Features { .. } => None,
        }
    }
}

/// The values of a checked tensor; empty for one that the spec does not have.
fn data<'a>(tensors: &'a BTreeMap<String, Tensor>, name: &str) -> &'a [f32] {
    tensors.get(name).map_or(&[], |tensor| &tensor.data)
}

fn pack<'a>(
    rnn: &RnnSpec,
    tensor: impl Fn(&str) -> &'a [f32],
    layer: usize,
    reverse: bool,
) -> Packed {
    let part = |name| tensor(&rnn_tensor(name, layer, reverse));
    let norm = Norm { gain_ih: part("gain_ih"), gain_hh: part("gain_hh") };
    let weights = Weights {
        w_ih: part("weight_ih"),
        w_hh: part("weight_hh"),
        b_ih: rnn.bias.then(|| part("bias_ih")),
        b_hh: rnn.bias.then(|| part("bias_hh")),
        norm: rnn.layer_norm.then_some(norm),
    };
    Packed::new(&Layer {
        cell: rnn.cell,
        input: rnn.layer_input(layer),
        hidden: rnn.hidden_size,
        zoneout: rnn.zoneout as f32,
        weights,
    })
}
