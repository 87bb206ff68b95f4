//! Models of made-up weights.
#![allow(dead_code, clippy::unwrap_used)] // Each test file uses its part, and stops at surprises.
use gruvy_runtime::{
    Cell, Codec,
    model::{Head, Input, ModelFile, Network, RnnSpec, Spec, Tensor, TensorSpec, Trained},
    text::TextCodec,
};
use std::{collections::BTreeMap, sync::Arc};

/// A spec for `codec`; the embedding is as wide as the top layer, so that the head can be tied.
pub fn spec(codec: &TextCodec, cell: Cell, layers: usize, bidirectional: bool) -> Spec {
    let hidden_size = 7;
    let dim = if bidirectional { 14 } else { 7 };
    let vocab = codec.vocab_size();
    Spec {
        input: Input::Embedding { vocab, dim },
        rnn: RnnSpec {
            cell,
            input_size: dim,
            hidden_size,
            num_layers: layers,
            bidirectional,
            bias: true,
            zoneout: 0.0,
            layer_norm: false,
        },
        pool: None,
        decoder: None,
        head: Head::Linear { outputs: vocab },
    }
}

/// Weights of this spec that look random, in (−0.8, 0.8).
pub fn tensors(spec: &Spec) -> BTreeMap<String, Tensor> {
    let mut state = 1u32;
    let mut value = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        ((state >> 8) as f32 / (1 << 24) as f32 - 0.5) * 1.6
    };
    let tensor = |t: TensorSpec| {
        let data = (0..t.shape.iter().product()).map(|_| value()).collect();
        (t.name, Tensor { shape: t.shape, data })
    };
    spec.tensors().into_iter().map(tensor).collect()
}

/// A model of this spec with such weights.
pub fn model(codec: TextCodec, spec: Spec) -> ModelFile {
    let tensors = tensors(&spec);
    let trained = Trained {
        seed: u64::MAX,
        data_fingerprint: "f00d".into(),
        steps: 12,
        metrics: [("valid_loss_nats".to_owned(), 1.25)].into(),
    };
    ModelFile { spec, codec: Codec::Text(codec), source: serde_json::Value::Null, trained, tensors }
}

/// A two-layer character model.
pub fn char_model() -> ModelFile {
    let codec = TextCodec::char("abcdefgh \né");
    let spec = spec(&codec, Cell::Gru, 2, false);
    model(codec, spec)
}

pub fn network(model: &ModelFile) -> Arc<Network> {
    Arc::new(Network::new(model).unwrap())
}

pub fn text_codec(model: &ModelFile) -> &TextCodec {
    match &model.codec {
        Codec::Text(codec) => codec,
        other => panic!("{other:?}"),
    }
}

/// A `tokenizer.json` of byte-level BPE with the 256 bytes and these merges.
#[cfg(feature = "bpe")]
pub fn tokenizer_json(merges: &[(&str, &str)]) -> serde_json::Value {
    let mut alphabet: Vec<char> =
        tokenizers::pre_tokenizers::byte_level::ByteLevel::alphabet().into_iter().collect();
    alphabet.sort_unstable();
    let mut tokens: Vec<String> = alphabet.into_iter().map(String::from).collect();
    tokens.extend(merges.iter().map(|(a, b)| format!("{a}{b}")));
    let vocab: serde_json::Map<_, _> =
        tokens.into_iter().enumerate().map(|(id, token)| (token, id.into())).collect();
    serde_json::json!({
        "version": "1.0",
        "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true},
        "decoder": {"type": "ByteLevel"},
        "model": {"type": "BPE", "vocab": vocab, "merges": merges},
    })
}
