//! The network of the text task.
//!
//! ```text
//! tokens [T, B] ─ embedding [V, E] ─> [T, B, E] ─ Gru, L layers ─> [T, B, H] ─ dropout ─ head ─> [T, B, V]
//! loss = −mean log softmax(logits)[target]
//! ```
use super::config::TextRun;
use crate::{
    error::{Error, Result},
    nn::{Gru, GruConfig, dropout},
};
use burn::{
    module::{Initializer, Module, Param},
    nn::{Dropout, DropoutConfig},
    tensor::{Device, Int, Tensor, TensorData, activation::log_softmax},
};
use gruvy_runtime as runtime;
use gruvy_runtime::{Head, Input, RnnSpec, Spec};
use std::collections::BTreeMap;

/// Embedding, recurrent layers, dropout and head.
#[derive(Module, Debug)]
pub struct TextModel {
    /// `[V, E]`
    pub embedding: Param<Tensor<2>>,
    /// Time-major.
    pub rnn: Gru,
    /// Before the head.
    pub dropout: Dropout,
    /// `[V, H]`; none: the embedding serves as the head's matrix, and E = H.
    pub head: Option<Param<Tensor<2>>>,
    /// `[V]`
    pub bias: Param<Tensor<1>>,
}

impl TextModel {
    /// Fresh weights: embeddings from N(0, 1), the others uniform in ±1/√H, as PyTorch draws them. A tied
    /// embedding is a head as well and starts in ±1/√H too.
    pub fn new(run: &TextRun, vocab: usize, device: &Device) -> Self {
        let (train, text) = (&run.train, &run.task);
        let bound = 1.0 / (train.hidden as f64).sqrt();
        let uniform = Initializer::Uniform { min: -bound, max: bound };
        let normal = Initializer::Normal { mean: 0.0, std: 1.0 };
        let embedding = if text.tied { &uniform } else { &normal };
        let rnn = GruConfig::new(text.embed, train.hidden)
            .with_num_layers(train.layers)
            .with_dropout(train.dropout)
            .with_cell(train.cell);
        Self {
            embedding: embedding.init([vocab, text.embed], device),
            rnn: rnn.init(device),
            dropout: DropoutConfig::new(train.dropout).init(),
            head: (!text.tied).then(|| uniform.init([vocab, train.hidden], device)),
            bias: Initializer::Zeros.init([vocab], device),
        }
    }

    /// Mean negative log-likelihood `[1]`, in nats, of `targets [T * B]` after `inputs [T * B]` (both
    /// time-major, `batch` rows), from `state [L, B, H]` (none: zeros); and the state afterwards.
    pub fn loss(
        &self,
        inputs: Tensor<1, Int>,
        targets: Tensor<1, Int>,
        batch: usize,
        state: Option<Tensor<3>>,
    ) -> (Tensor<1>, Tensor<3>) {
        let count = targets.dims()[0];
        let (logits, state) = self.logits(inputs, batch, state);
        let picked = log_softmax(logits, 1).gather(1, targets.reshape([count, 1]));
        (picked.mean().neg(), state)
    }

    /// Logits `[T * B, V]` of the tokens that follow, and the state afterwards.
    pub fn logits(
        &self,
        inputs: Tensor<1, Int>,
        batch: usize,
        state: Option<Tensor<3>>,
    ) -> (Tensor<2>, Tensor<3>) {
        let rows = inputs.dims()[0];
        let embedding = self.embedding.val();
        let [_, embed] = embedding.dims();
        let x = embedding.clone().select(0, inputs).reshape([rows / batch, batch, embed]);
        let (y, state) = self.rnn.forward(x, state, None);
        let y = dropout(&self.dropout, y).reshape([rows, self.rnn.hidden_size]);
        let head = self.head.as_ref().map_or(embedding, Param::val);
        (y.matmul(head.transpose()) + self.bias.val().unsqueeze(), state)
    }

    /// What the model is made of.
    pub fn spec(&self) -> Spec {
        // Without drawing weights that nobody looked at yet.
        let shape = self.embedding.lazy_shape();
        let (vocab, dim) = (shape[0], shape[1]);
        let rnn = RnnSpec {
            cell: self.rnn.cell,
            input_size: dim,
            hidden_size: self.rnn.hidden_size,
            num_layers: self.rnn.num_layers(),
            bidirectional: false,
            bias: true,
        };
        let head = if self.head.is_some() { Head::Linear { outputs: vocab } } else { Head::Tied };
        Spec { input: Input::Embedding { vocab, dim }, rnn, head }
    }

    /// Every weight under the name and in the layout of a model file.
    pub fn tensors(&self) -> BTreeMap<String, runtime::Tensor> {
        let tensor = |data: TensorData| runtime::Tensor {
            shape: data.shape().to_vec(),
            data: data.iter::<f32>().collect(),
        };
        let mut all = BTreeMap::new();
        let mut add = |name: &str, data| all.insert(name.to_owned(), tensor(data));
        add("embedding.weight", self.embedding.val().into_data());
        for (name, data) in self.rnn.parameters() {
            add(&format!("rnn.{name}"), data);
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
    pub fn with_tensors(mut self, file: &runtime::ModelFile) -> Result<Self> {
        if file.spec != self.spec() {
            return Err(Error::Data(format!(
                "the model file holds {:?}; these settings make {:?}",
                file.spec,
                self.spec()
            )));
        }
        let get = |name: &str| {
            let tensor = file.tensors.get(name)?;
            Some(TensorData::new(tensor.data.clone(), tensor.shape.clone()))
        };
        // A valid file has every tensor of its spec.
        fn load<const D: usize>(
            param: Param<Tensor<D>>,
            data: Option<TensorData>,
        ) -> Param<Tensor<D>> {
            let Some(data) = data else { return param };
            let (id, device) = (param.id, param.lazy_device());
            param.transform_for_load(Tensor::from_data(data, &device), id)
        }
        self.embedding = load(self.embedding, get("embedding.weight"));
        self.rnn = self.rnn.load_parameters(|name| get(&format!("rnn.{name}")));
        self.head = self.head.map(|head| load(head, get("head.weight")));
        self.bias = load(self.bias, get("head.bias"));
        Ok(self)
    }
}
