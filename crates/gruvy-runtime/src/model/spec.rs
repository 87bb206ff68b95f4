//! What a model is made of, and the tensors that follow from it.
//!
//! ```text
//! tokens [T, B] ─ embedding ─┐
//! features [T, B, I] ────────┴─> rnn: L layers, D directions ─> [T, B, D·H] ─ head ─> logits [T, B, V]
//!                                                                     └─ pool ─> [B, D·H] ─ head ─> logits [B, V]
//! ```
//! With a decoder, a network of its own, the head's V numbers at a step are the state from which the
//! decoder reads a sequence of its own.
use crate::error::{Error, Result};
use gruvy_kernels::Cell;
use serde::{Deserialize, Serialize};

/// No dimension is larger, so that sizes computed from a file cannot overflow.
const MAX_DIM: usize = 1 << 24;
/// No model has more layers.
const MAX_LAYERS: usize = 1024;

/// The shape of a model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    /// What enters at each step.
    pub input: Input,
    /// The recurrent layers.
    pub rnn: RnnSpec,
    /// How the top layer's outputs at all steps become one vector, which the head reads; none: it
    /// reads every step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pool: Option<Pool>,
    /// What is read from the top layer.
    pub head: Head,
    /// A second network, each of whose sequences starts from the numbers that the head gives at a
    /// step: its state `[L·K·H]`, layer by layer. None: the head's numbers are the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decoder: Option<Box<Spec>>,
}

/// What the names of the decoder's tensors begin with.
pub(crate) const DECODER: &str = "decoder.";

/// How the outputs `y_t [D·H]` of the top layer at the steps of a sequence become one vector.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pool {
    /// What each direction gives at the last step that it reads.
    Last,
    /// The largest value of each unit.
    Max,
    /// The mean of each unit.
    Mean,
    /// `Σ a_t y_t`, `a = softmax_t(w · tanh(y_t))`, w = `attention.weight [D·H]` (Zhou et al.
    /// 2016).
    Attention,
}

impl Pool {
    /// All, by name.
    pub const ALL: [(&'static str, Self); 4] = [
        ("last", Self::Last),
        ("max", Self::Max),
        ("mean", Self::Mean),
        ("attention", Self::Attention),
    ];

    /// The name used on the command line and in model files.
    pub fn name(self) -> &'static str {
        Self::ALL.into_iter().find(|(_, pool)| *pool == self).map_or("", |(name, _)| name)
    }
}

/// What enters at each step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Input {
    /// Token ids below `vocab`, looked up in a table `embedding.weight [vocab, dim]`.
    Embedding {
        /// `V`, number of tokens.
        vocab: usize,
        /// `E`, width of a row.
        dim: usize,
    },
    /// Vectors of `size` numbers.
    Features {
        /// `I`, width of a vector.
        size: usize,
    },
}

impl Input {
    /// Width of what the first layer sees.
    pub fn width(&self) -> usize {
        match *self {
            Input::Embedding { dim, .. } => dim,
            Input::Features { size } => size,
        }
    }
}

/// The recurrent layers; names and defaults follow `torch.nn.GRU`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RnnSpec {
    /// The recurrence.
    pub cell: Cell,
    /// `I`, width of the input of the first layer.
    pub input_size: usize,
    /// `H`, units of one layer and direction.
    pub hidden_size: usize,
    /// `L`, layers on top of each other.
    pub num_layers: usize,
    /// Whether each layer also runs from the end to the start (D = 2).
    pub bidirectional: bool,
    /// Whether the layers have biases.
    pub bias: bool,
    /// Zoneout's probability of keeping a unit's state, of which a model that is run takes the
    /// mean; 0: none.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub zoneout: f64,
    /// Whether the gates are layer-normalised.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub layer_norm: bool,
}

fn is_zero(value: &f64) -> bool {
    *value == 0.0
}

impl RnnSpec {
    /// `D`, directions of a layer.
    pub fn directions(&self) -> usize {
        if self.bidirectional { 2 } else { 1 }
    }

    /// `K·H`, values of a layer's and direction's state: h, and for the LSTM c behind it.
    pub fn state_size(&self) -> usize {
        self.cell.states() * self.hidden_size
    }

    /// `D·H`, width of what a layer gives.
    pub fn output_size(&self) -> usize {
        self.directions() * self.hidden_size
    }

    /// Width of what layer `layer` sees.
    pub fn layer_input(&self, layer: usize) -> usize {
        if layer == 0 { self.input_size } else { self.output_size() }
    }
}

/// What is read from the top layer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Head {
    /// `head.weight [outputs, D·H]` and `head.bias [outputs]`.
    Linear {
        /// `V`, width of the output.
        outputs: usize,
    },
    /// The embedding table serves as the weight; only `head.bias [vocab]` is its own.
    Tied,
}

/// Name and shape of one tensor of a model file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TensorSpec {
    /// The name, PyTorch's where PyTorch has one.
    pub name: String,
    /// The shape, row-major.
    pub shape: Vec<usize>,
}

impl Spec {
    /// `V`, width of the output.
    pub fn outputs(&self) -> usize {
        match (&self.head, &self.input) {
            (Head::Linear { outputs }, _) => *outputs,
            (Head::Tied, Input::Embedding { vocab, .. }) => *vocab,
            (Head::Tied, Input::Features { .. }) => 0,
        }
    }

    /// The tensors of a model of this spec, the one list that reading, writing and training share:
    /// `embedding.weight`, then for each layer and direction `rnn.{weight_ih, weight_hh, bias_ih,
    /// bias_hh, gain_ih, gain_hh}_l{layer}[_reverse]` as far as the layers have them, then
    /// `attention.weight` where attention pools, `head.weight` and `head.bias`; and all of these of
    /// a decoder, under `decoder.`.
    pub fn tensors(&self) -> Vec<TensorSpec> {
        let mut list = Vec::new();
        let mut add = |name: String, shape: &[usize]| {
            list.push(TensorSpec { name, shape: shape.to_vec() });
        };
        if let Input::Embedding { vocab, dim } = self.input {
            add("embedding.weight".into(), &[vocab, dim]);
        }
        let rnn = &self.rnn;
        let rows = rnn.cell.gates() * rnn.hidden_size;
        let hidden_rows = rnn.cell.hidden_gates() * rnn.hidden_size;
        for layer in 0..rnn.num_layers {
            for direction in 0..rnn.directions() {
                let name = |part| rnn_tensor(part, layer, direction == 1);
                let mut pair = |ih, hh, shape_ih: &[usize], shape_hh: &[usize]| {
                    add(name(ih), shape_ih);
                    if hidden_rows > 0 {
                        add(name(hh), shape_hh);
                    }
                };
                let (ih, hh) = ([rows, rnn.layer_input(layer)], [hidden_rows, rnn.hidden_size]);
                pair("weight_ih", "weight_hh", &ih, &hh);
                if rnn.bias {
                    pair("bias_ih", "bias_hh", &ih[..1], &hh[..1]);
                }
                if rnn.layer_norm {
                    pair("gain_ih", "gain_hh", &ih[..1], &hh[..1]);
                }
            }
        }
        if self.pool == Some(Pool::Attention) {
            add("attention.weight".into(), &[rnn.output_size()]);
        }
        if let Head::Linear { outputs } = self.head {
            add("head.weight".into(), &[outputs, rnn.output_size()]);
        }
        add("head.bias".into(), &[self.outputs()]);
        for TensorSpec { name, shape } in self.decoder.iter().flat_map(|decoder| decoder.tensors())
        {
            add(format!("{DECODER}{name}"), &shape);
        }
        list
    }

    /// Number of trained values.
    pub fn parameters(&self) -> usize {
        self.tensors().iter().map(|t| t.shape.iter().product::<usize>()).sum()
    }

    /// Checks that such a model can exist.
    ///
    /// # Errors
    /// [`Error::Spec`] for a size of 0 or beyond reason, and for parts that do not fit each other.
    pub fn validate(&self) -> Result<()> {
        self.validate_decoder()?;
        let rnn = &self.rnn;
        match self.input {
            Input::Embedding { vocab, dim } => {
                size("input.embedding.vocab", vocab, MAX_DIM)?;
                size("input.embedding.dim", dim, MAX_DIM)?;
            }
            Input::Features { size: width } => size("input.features.size", width, MAX_DIM)?,
        }
        size("rnn.hidden_size", rnn.hidden_size, MAX_DIM)?;
        size("rnn.num_layers", rnn.num_layers, MAX_LAYERS)?;
        if !(0.0..1.0).contains(&rnn.zoneout) {
            return Err(Error::Spec {
                field: "rnn.zoneout",
                got: rnn.zoneout.to_string(),
                expected: "at least 0 and less than 1".into(),
            });
        }
        if rnn.input_size != self.input.width() {
            return Err(Error::Spec {
                field: "rnn.input_size",
                got: rnn.input_size.to_string(),
                expected: format!("{}, the width of the input", self.input.width()),
            });
        }
        match (&self.head, &self.input) {
            (Head::Linear { outputs }, _) => size("head.linear.outputs", *outputs, MAX_DIM),
            (Head::Tied, Input::Features { .. }) => Err(Error::Spec {
                field: "head",
                got: "tied".into(),
                expected: "linear, as there is no embedding to tie it to".into(),
            }),
            (Head::Tied, Input::Embedding { dim, .. }) if *dim != rnn.output_size() => {
                Err(Error::Spec {
                    field: "input.embedding.dim",
                    got: dim.to_string(),
                    expected: format!(
                        "{}, the width of the top layer, as the head is tied to the embedding",
                        rnn.output_size()
                    ),
                })
            }
            (Head::Tied, Input::Embedding { .. }) => Ok(()),
        }
    }

    fn validate_decoder(&self) -> Result<()> {
        let Some(decoder) = &self.decoder else { return Ok(()) };
        let fail = |field, got: &dyn std::fmt::Display, expected: String| {
            Err(Error::Spec { field, got: got.to_string(), expected })
        };
        if decoder.decoder.is_some() {
            return fail("decoder.decoder", &"a decoder", "none".into());
        }
        decoder.validate()?;
        if decoder.rnn.bidirectional {
            return fail("decoder.rnn.bidirectional", &true, "false".into());
        }
        let state = decoder.rnn.num_layers * decoder.rnn.state_size();
        if self.outputs() != state {
            let expected = format!("{state}, the values of the decoder's state");
            return fail("head.linear.outputs", &self.outputs(), expected);
        }
        Ok(())
    }
}

/// PyTorch's name of a part of a layer, under `rnn.`.
pub(crate) fn rnn_tensor(part: &str, layer: usize, reverse: bool) -> String {
    format!("rnn.{part}_l{layer}{}", if reverse { "_reverse" } else { "" })
}

fn size(field: &'static str, value: usize, most: usize) -> Result<()> {
    if (1..=most).contains(&value) {
        return Ok(());
    }
    Err(Error::Spec { field, got: value.to_string(), expected: format!("1 to {most}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec() -> Spec {
        Spec {
            input: Input::Embedding { vocab: 5, dim: 4 },
            rnn: RnnSpec {
                cell: Cell::Gru,
                input_size: 4,
                hidden_size: 3,
                num_layers: 2,
                bidirectional: true,
                bias: true,
                zoneout: 0.0,
                layer_norm: false,
            },
            pool: None,
            head: Head::Linear { outputs: 5 },
            decoder: None,
        }
    }

    fn field(spec: &Spec) -> &'static str {
        match spec.validate() {
            Err(Error::Spec { field, .. }) => field,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn tensors_carry_pytorchs_names_and_shapes() {
        let list = spec().tensors();
        let text: Vec<_> = list.iter().map(|t| format!("{} {:?}", t.name, t.shape)).collect();
        let mut expected = vec!["embedding.weight [5, 4]".to_owned()];
        for (suffix, width) in [("l0", 4), ("l0_reverse", 4), ("l1", 6), ("l1_reverse", 6)] {
            expected.push(format!("rnn.weight_ih_{suffix} [9, {width}]"));
            expected.push(format!("rnn.weight_hh_{suffix} [9, 3]"));
            expected.push(format!("rnn.bias_ih_{suffix} [9]"));
            expected.push(format!("rnn.bias_hh_{suffix} [9]"));
        }
        expected.push("head.weight [5, 6]".into());
        expected.push("head.bias [5]".into());
        assert_eq!(text, expected);
        assert_eq!(spec().parameters(), 20 + 2 * (36 + 27 + 18) + 2 * (54 + 27 + 18) + 30 + 5);
    }

    #[test]
    fn a_tied_head_has_only_a_bias() {
        let mut spec = spec();
        spec.head = Head::Tied;
        assert_eq!(field(&spec), "input.embedding.dim");
        spec.input = Input::Embedding { vocab: 5, dim: 6 };
        spec.rnn.input_size = 6;
        spec.validate().unwrap();
        let heads: Vec<_> =
            spec.tensors().into_iter().filter(|t| t.name.starts_with("head")).collect();
        assert_eq!(heads, [TensorSpec { name: "head.bias".into(), shape: vec![5] }]);
    }

    #[test]
    fn a_decoder_starts_from_what_the_head_gives() {
        let mut small = spec();
        small.rnn.bidirectional = false;
        let mut whole = Spec { decoder: Some(Box::new(small.clone())), ..spec() };
        assert_eq!(field(&whole), "head.linear.outputs");
        whole.head = Head::Linear { outputs: 6 };
        whole.validate().unwrap();
        assert_eq!(whole.parameters(), spec().parameters() + 7 + small.parameters());
        assert_eq!(whole.tensors().last().unwrap().name, "decoder.head.bias");
        let json = serde_json::to_string(&whole).unwrap();
        assert_eq!(serde_json::from_str::<Spec>(&json).unwrap(), whole);
        whole.decoder.as_mut().unwrap().rnn.bidirectional = true;
        assert_eq!(field(&whole), "decoder.rnn.bidirectional");
        whole.decoder = Some(Box::new(whole.clone()));
        assert_eq!(field(&whole), "decoder.decoder");
    }

    #[test]
    fn impossible_sizes_are_named() {
        let mut s = spec();
        s.rnn.hidden_size = 0;
        assert_eq!(field(&s), "rnn.hidden_size");
        let mut s = spec();
        s.rnn.hidden_size = usize::MAX;
        assert_eq!(field(&s), "rnn.hidden_size");
        let mut s = spec();
        s.rnn.num_layers = 0;
        assert_eq!(field(&s), "rnn.num_layers");
        let mut s = spec();
        s.rnn.input_size = 7;
        assert_eq!(field(&s), "rnn.input_size");
        let mut s = spec();
        s.input = Input::Embedding { vocab: 0, dim: 4 };
        assert_eq!(field(&s), "input.embedding.vocab");
        let mut s = spec();
        s.input = Input::Features { size: 4 };
        s.head = Head::Tied;
        assert_eq!(field(&s), "head");
    }

    #[test]
    fn cells_and_normalisation_have_the_tensors_they_need() {
        let shapes = |cell, layer_norm| -> Vec<String> {
            let mut spec = spec();
            spec.rnn =
                RnnSpec { cell, layer_norm, num_layers: 1, bidirectional: false, ..spec.rnn };
            let list = spec.tensors().into_iter().filter(|t| t.name.starts_with("rnn."));
            list.map(|t| format!("{} {:?}", &t.name[4..], t.shape)).collect()
        };
        assert_eq!(
            shapes(Cell::Lstm, false),
            ["weight_ih_l0 [12, 4]", "weight_hh_l0 [12, 3]", "bias_ih_l0 [12]", "bias_hh_l0 [12]"]
        );
        assert_eq!(
            shapes(Cell::MinGru, true),
            ["weight_ih_l0 [6, 4]", "bias_ih_l0 [6]", "gain_ih_l0 [6]"]
        );
        assert_eq!(shapes(Cell::Gru, true)[4..], ["gain_ih_l0 [9]", "gain_hh_l0 [9]"]);
    }

    #[test]
    fn zoneout_and_normalisation_are_written_only_where_they_are() {
        let plain = serde_json::to_string(&spec()).unwrap();
        assert!(!plain.contains("zoneout") && !plain.contains("layer_norm"), "{plain}");
        let mut other = spec();
        (other.rnn.zoneout, other.rnn.layer_norm) = (0.1, true);
        let json = serde_json::to_string(&other).unwrap();
        assert_eq!(serde_json::from_str::<Spec>(&json).unwrap(), other);
        other.rnn.zoneout = 1.0;
        assert_eq!(field(&other), "rnn.zoneout");
    }

    #[test]
    fn the_cell_is_written_by_name() {
        let json = serde_json::to_string(&spec()).unwrap();
        assert!(json.contains(r#""cell":"gru""#), "{json}");
        assert_eq!(serde_json::from_str::<Spec>(&json).unwrap(), spec());
        let error =
            serde_json::from_str::<Spec>(&json.replace(r#""gru""#, r#""gro""#)).unwrap_err();
        assert!(error.to_string().contains("gru-v3"), "{error}");
    }
}
