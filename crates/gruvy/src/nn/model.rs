//! A model of sequences as every task trains one, and its way into a model file and back.
//!
//! ```text
//! tokens [T * B] ─ embedding [V, E] ─┐
//! features [T, B, I] ────────────────┴─> recurrent layers ─> [T, B, D·H] ─ dropout ─ head ─> [T * B, V]
//!                                        or the last step's, or pooled over all steps: [B, D·H] ─> [B, V]
//! ```
//! The head's V numbers at every step are logits of a class (labelling, language modelling); after
//! the last step, or of the [pooled](Pool) steps, they are what is asked about the whole sequence:
//! a number or several (regression), or logits.
use super::{
    config::RecurrentConfig,
    dropout::{draw, dropout},
    key::{Key, parameter},
    pool::pool,
    recurrent::Recurrent,
};
use crate::{
    error::{Error, Result},
    ops::call::Head as LossHead,
    ops::head::linear_cross_entropy,
};
use burn::{
    module::{Initializer, Module, Param},
    tensor::{Device, Int, Tensor, TensorData},
};
use gruvy_runtime as runtime;
use gruvy_runtime::model::{Head, Input, Pool, RnnSpec, Spec};
use std::collections::BTreeMap;

/// Input, recurrent layers, dropout and head.
#[derive(Module, Debug)]
pub struct SequenceModel {
    /// `[V, E]`; none: the input is features.
    pub embedding: Option<Param<Tensor<2>>>,
    /// Time-major.
    pub rnn: Recurrent,
    /// How all steps become one vector, for [`pooled`](Self::pooled).
    #[module(skip)]
    pub pool: Option<Pool>,
    /// `[D * H]`, where attention pools.
    pub attention: Option<Param<Tensor<1>>>,
    /// `[V, D * H]`; none: the embedding serves as the head's matrix, and E = D · H.
    pub head: Option<Param<Tensor<2>>>,
    /// `[V]`
    pub bias: Param<Tensor<1>>,
}

impl SequenceModel {
    /// Fresh weights, drawn at `key` under their names: embeddings from N(0, 1), the others uniform
    /// in ±1/√H, as PyTorch draws them, the head's bias 0. A tied embedding is a head as well
    /// and starts in ±1/√H too.
    ///
    /// # Panics
    /// If `rnn` does not take what `input` gives, or runs batch first; for a tied head without an
    /// embedding.
    pub fn new(
        input: &Input,
        rnn: &RecurrentConfig,
        head: &Head,
        key: Key,
        device: &Device,
    ) -> Self {
        assert!(
            rnn.input_size == input.width() && !rnn.batch_first,
            "SequenceModel: expected time-major layers over {} inputs, got {rnn:?}",
            input.width()
        );
        let bound = 1.0 / (rnn.hidden_size as f64).sqrt();
        let uniform = |name| {
            let key = key.named(name);
            move |count| key.uniform(-bound, bound, count)
        };
        let normal = key.named("embedding.weight");
        let tied = *head == Head::Tied;
        let outputs = match (head, input) {
            (Head::Linear { outputs }, _) => *outputs,
            (Head::Tied, Input::Embedding { vocab, .. }) => *vocab,
            (Head::Tied, Input::Features { .. }) => {
                panic!("SequenceModel: a tied head needs an embedding")
            }
        };
        let embedding = match *input {
            Input::Embedding { vocab, dim } => {
                let shape = [vocab, dim];
                Some(match tied {
                    true => parameter(shape, device, uniform("embedding.weight")),
                    false => parameter(shape, device, move |count| normal.normal(count)),
                })
            }
            Input::Features { .. } => None,
        };
        let width = rnn.directions() * rnn.hidden_size;
        Self {
            embedding,
            rnn: rnn.init(key.named("rnn"), device),
            pool: None,
            attention: None,
            head: (!tied).then(|| parameter([outputs, width], device, uniform("head.weight"))),
            bias: Initializer::Zeros.init([outputs], device),
        }
    }

    /// This model with a pool, whose weights, if any, are drawn as the layers' are, at the model's
    /// `key`.
    pub fn with_pool(mut self, pool: Pool, key: Key, device: &Device) -> Self {
        let config = &self.rnn.config;
        let bound = 1.0 / (config.hidden_size as f64).sqrt();
        let key = key.named("attention.weight");
        let uniform = move |count| key.uniform(-bound, bound, count);
        let width = config.directions() * config.hidden_size;
        self.attention = (pool == Pool::Attention).then(|| parameter([width], device, uniform));
        self.pool = Some(pool);
        self
    }

    /// This model with these embeddings `[V, E]`, which with `frozen` are never learned.
    ///
    /// # Panics
    /// If the input of the model is features.
    pub fn with_embedding(mut self, rows: TensorData, frozen: bool) -> Self {
        let Some(embedding) = self.embedding else {
            panic!("SequenceModel: got embeddings for a model of features")
        };
        let (id, device) = (embedding.id, embedding.lazy_device());
        let embedding = embedding.transform_for_load(Tensor::from_data(rows, &device), id);
        self.embedding = Some(embedding.set_require_grad(!frozen));
        self
    }

    /// This model with this bias `[V]` of its head.
    pub fn with_bias(mut self, bias: TensorData) -> Self {
        let (id, device) = (self.bias.id, self.bias.lazy_device());
        self.bias = self.bias.transform_for_load(Tensor::from_data(bias, &device), id);
        self
    }

    /// Where the weights are.
    pub fn device(&self) -> Device {
        self.bias.val().device()
    }

    /// The embeddings `[T, B, E]` of `tokens [T * B]`, time-major, of `batch` rows.
    ///
    /// # Panics
    /// If the input of the model is features.
    pub fn embed(&self, tokens: Tensor<1, Int>, batch: usize) -> Tensor<3> {
        let Some(embedding) = &self.embedding else {
            panic!("SequenceModel: got tokens, expected features")
        };
        let embedding = embedding.val();
        let ([rows], [_, dim]) = (tokens.dims(), embedding.dims());
        embedding.select(0, tokens).reshape([rows / batch, batch, dim])
    }

    /// The head at every step of `x [T, B, I]`, from `state` (none: zeros): `[T * B, V]`,
    /// time-major, and the state afterwards. `masks` is where a training pass draws its noise,
    /// here and below; none: nothing is drawn.
    pub fn every(
        &self,
        x: Tensor<3>,
        state: Option<Tensor<3>>,
        masks: Option<Key>,
    ) -> (Tensor<2>, Tensor<3>) {
        let (y, state) = self.rnn.forward(x, state, None, masks);
        let [seq_len, batch, width] = y.dims();
        (self.answer(y.reshape([seq_len * batch, width]), masks), state)
    }

    /// The head after the last step of each sequence in `x [T, B, I]`, of `lengths [B]` steps
    /// (none: all of T): `[B, V]`.
    pub fn last(&self, x: Tensor<3>, lengths: Option<&[usize]>, masks: Option<Key>) -> Tensor<2> {
        let (_, state) = self.rnn.forward(x, None, lengths, masks);
        self.answer(self.top(state), masks)
    }

    /// The head's answer about each sequence of `x [T, B, I]`, of `lengths [B]` steps, as a whole:
    /// `[B, V]`. As [`last`](Self::last), unless the model has another [pool](Self::pool).
    pub fn pooled(&self, x: Tensor<3>, lengths: &[usize], masks: Option<Key>) -> Tensor<2> {
        let (y, state) = self.rnn.forward(x, None, Some(lengths), masks);
        let pooled = match self.pool {
            None | Some(Pool::Last) => self.top(state),
            Some(kind) => pool(kind, y, lengths, self.attention.as_ref().map(Param::val)),
        };
        self.answer(pooled, masks)
    }

    /// The top layer's h `[B, D * H]` of final states `[L * D, B, K * H]`.
    fn top(&self, state: Tensor<3>) -> Tensor<2> {
        let [layers, batch, _] = state.dims();
        let (directions, hidden) = (self.rnn.directions(), self.rnn.config.hidden_size);
        let top = state.narrow(0, layers - directions, directions);
        top.narrow(2, 0, hidden).swap_dims(0, 1).reshape([batch, directions * hidden])
    }

    /// Mean cross entropy `[1]`, in nats, of the head's logits at every step of `x [T, B, I]`
    /// against the classes `targets [T * B]`, a share `smoothing` of each target spread over
    /// all classes; and the state afterwards.
    ///
    /// [`every`](Self::every) with [`cross_entropy`](super::cross_entropy), fused.
    pub fn every_loss(
        &self,
        x: Tensor<3>,
        state: Option<Tensor<3>>,
        targets: Tensor<1, Int>,
        smoothing: f64,
        masks: Option<Key>,
    ) -> (Tensor<1>, Tensor<3>) {
        let (y, state) = self.rnn.forward(x, state, None, masks);
        let [seq_len, batch, width] = y.dims();
        let head = LossHead {
            x: y.reshape([seq_len * batch, width]),
            dropout: draw(self.rnn.config.dropout, masks.map(before_head)),
            weight: self.head_weight(),
            bias: self.bias.val(),
            memory: self.rnn.memory.clone(),
        };
        (linear_cross_entropy(head, targets, smoothing), state)
    }

    /// The head at some of the `T * B` steps of `x [T, B, I]`, time-major, those in `rows [N]`: `[N,
    /// V]`. As [`every`](Self::every) of sequences of `lengths [B]` steps, but for the rest no head
    /// is computed.
    pub fn picked(
        &self,
        x: Tensor<3>,
        state: Option<Tensor<3>>,
        lengths: &[usize],
        rows: Tensor<1, Int>,
        masks: Option<Key>,
    ) -> Tensor<2> {
        let (y, _) = self.rnn.forward(x, state, Some(lengths), masks);
        let [seq_len, batch, width] = y.dims();
        self.answer(y.reshape([seq_len * batch, width]).select(0, rows), masks)
    }

    /// The head at every step of sequences `x [T, B, I]` of `lengths [B]` steps: `[T, B, V]`. What
    /// it gives past a sequence's length is of no use.
    pub fn ragged(&self, x: Tensor<3>, lengths: &[usize], masks: Option<Key>) -> Tensor<3> {
        let (y, _) = self.rnn.forward(x, None, Some(lengths), masks);
        let [seq_len, batch, width] = y.dims();
        let logits = self.answer(y.reshape([seq_len * batch, width]), masks);
        let [_, outputs] = logits.dims();
        logits.reshape([seq_len, batch, outputs])
    }

    /// Dropout and head: `[N, D * H]` to `[N, V]`.
    fn answer(&self, y: Tensor<2>, masks: Option<Key>) -> Tensor<2> {
        let head = self.head_weight().transpose();
        let y = dropout(self.rnn.config.dropout, y, masks.map(before_head));
        y.matmul(head) + self.bias.val().unsqueeze()
    }

    /// `[V, D * H]`
    fn head_weight(&self) -> Tensor<2> {
        let head = self.head.as_ref().or(self.embedding.as_ref()).map(Param::val);
        head.expect("there is a head or an embedding that it is tied to")
    }

    /// What the model is made of.
    pub fn spec(&self) -> Spec {
        // Shapes without drawing weights that nobody looked at yet.
        let input = match self.embedding.as_ref().map(|embedding| embedding.lazy_shape()) {
            Some(shape) => Input::Embedding { vocab: shape[0], dim: shape[1] },
            None => Input::Features { size: self.rnn.config.input_size },
        };
        let outputs = self.bias.lazy_shape()[0];
        let head = if self.head.is_some() { Head::Linear { outputs } } else { Head::Tied };
        Spec { input, rnn: self.rnn.config.spec(), pool: self.pool, head, decoder: None }
    }

    /// Every weight under the name and in the layout of a model file.
    pub fn tensors(&self) -> BTreeMap<String, runtime::model::Tensor> {
        let tensor = |data: TensorData| runtime::model::Tensor {
            shape: data.shape().to_vec(),
            data: data.iter::<f32>().collect(),
        };
        let mut all = BTreeMap::new();
        let mut add = |name: &str, data| all.insert(name.to_owned(), tensor(data));
        if let Some(embedding) = &self.embedding {
            add("embedding.weight", embedding.val().into_data());
        }
        for (name, data) in self.rnn.parameters() {
            add(&format!("rnn.{name}"), data);
        }
        if let Some(attention) = &self.attention {
            add("attention.weight", attention.val().into_data());
        }
        if let Some(head) = &self.head {
            add("head.weight", head.val().into_data());
        }
        add("head.bias", self.bias.val().into_data());
        all
    }

    /// This model with the weights of a model file.
    ///
    /// # Errors
    /// [`Error::Data`] if the file's spec is another.
    pub fn with_tensors(self, file: &runtime::model::ModelFile) -> Result<Self> {
        if file.spec != self.spec() {
            return Err(Error::Data(format!(
                "the model file holds {:?}; these settings make {:?}",
                file.spec,
                self.spec()
            )));
        }
        Ok(self.with_values(&file.tensors, ""))
    }

    /// This model with those of `tensors` whose names begin with `prefix`: they are all there, as in
    /// a valid file of its spec.
    pub(crate) fn with_values(
        mut self,
        tensors: &BTreeMap<String, runtime::model::Tensor>,
        prefix: &str,
    ) -> Self {
        let get = |name: &str| {
            let tensor = tensors.get(&format!("{prefix}{name}"))?;
            Some(TensorData::new(tensor.data.clone(), tensor.shape.clone()))
        };
        fn load<const D: usize>(
            param: Param<Tensor<D>>,
            data: Option<TensorData>,
        ) -> Param<Tensor<D>> {
            let Some(data) = data else { return param };
            let (id, device) = (param.id, param.lazy_device());
            param.transform_for_load(Tensor::from_data(data, &device), id)
        }
        self.embedding = self.embedding.map(|param| load(param, get("embedding.weight")));
        self.rnn = self.rnn.load_parameters(|name| get(&format!("rnn.{name}")));
        self.attention = self.attention.map(|param| load(param, get("attention.weight")));
        self.head = self.head.map(|head| load(head, get("head.weight")));
        self.bias = load(self.bias, get("head.bias"));
        self
    }
}

impl RecurrentConfig {
    /// The part of a model file's spec that these layers are.
    pub fn spec(&self) -> RnnSpec {
        RnnSpec {
            cell: self.cell,
            input_size: self.input_size,
            hidden_size: self.hidden_size,
            num_layers: self.num_layers,
            bidirectional: self.bidirectional,
            bias: self.bias,
            zoneout: self.zoneout,
            layer_norm: self.layer_norm,
        }
    }
}

/// Where the dropout before the head is drawn.
fn before_head(masks: Key) -> Key {
    masks.named("head")
}
