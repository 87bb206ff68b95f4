//! Classifiers of made-up weights: pools, batches, streams, explanations, and what is refused.
#![allow(clippy::unwrap_used)]
mod common;

use gruvy_runtime::{
    Cell, Codec,
    classify::{Classifier, ClassifyCodec, Encoded, Reader, Scaler, Words},
    items::{Items, Sequences},
    model::{Head, Input, ModelFile, Network, Pool, RnnSpec, Session, Spec, Trained},
};
use std::sync::Arc;

fn words() -> Reader {
    let words = "the a good bad film not was plot slow great".split(' ').map(String::from);
    Reader::Words(Words::new(words.collect(), true).unwrap())
}

fn sequences() -> Reader {
    let (mean, std) = (vec![1.0, -2.0], vec![2.0, 0.5]);
    Reader::Sequences(Scaler { features: vec!["u".into(), "v".into()], mean, std })
}

fn codec(reader: Reader, multi_label: bool) -> ClassifyCodec {
    ClassifyCodec {
        labels: ["x", "y", "z"].map(String::from).to_vec(),
        multi_label,
        temperature: 1.7,
        priors: vec![0.5, 0.3, 0.2],
        max_len: 0,
        reader,
    }
}

fn spec(codec: &ClassifyCodec, pool: Pool, bidirectional: bool) -> Spec {
    let input = codec.reader.input(5);
    Spec {
        rnn: RnnSpec {
            cell: Cell::Gru,
            input_size: input.width(),
            hidden_size: 7,
            num_layers: 2,
            bidirectional,
            bias: true,
            zoneout: 0.0,
            layer_norm: false,
        },
        input,
        pool: Some(pool),
        decoder: None,
        head: Head::Linear { outputs: 3 },
    }
}

fn model(codec: ClassifyCodec, pool: Pool, bidirectional: bool) -> ModelFile {
    let spec = spec(&codec, pool, bidirectional);
    let tensors = common::tensors(&spec);
    let codec = Codec::Classify(Box::new(codec));
    let (source, trained) = (serde_json::Value::Null, Trained::default());
    ModelFile { spec, codec, source, trained, tensors }
}

fn classifier(pool: Pool, bidirectional: bool) -> Classifier {
    Classifier::from_file(&model(codec(words(), false), pool, bidirectional)).unwrap()
}

const TEXTS: [&str; 5] = [
    "the film was great",
    "not good",
    "",
    "a slow plot, and a bad film: it was not good, not good at all.",
    "unheard of",
];

#[test]
fn pools_agree_with_every_steps_outputs_in_plain_loops() {
    for (pool, name) in [(Pool::Max, "max"), (Pool::Mean, "mean"), (Pool::Attention, "attention")] {
        for bidirectional in [false, true] {
            let model = model(codec(words(), false), pool, bidirectional);
            let mut plain = model.clone();
            // The same layers with a head that shows their outputs.
            let width = plain.spec.rnn.output_size();
            plain.spec.pool = None;
            plain.spec.head = Head::Linear { outputs: width };
            plain.tensors.remove("attention.weight");
            let head = plain.tensors.get_mut("head.weight").unwrap();
            head.shape = vec![width, width];
            head.data = (0..width * width).map(|at| f32::from(at % (width + 1) == 0)).collect();
            let bias = plain.tensors.get_mut("head.bias").unwrap();
            (bias.shape, bias.data) = (vec![width], vec![0.0; width]);
            let plain = Network::from_tensors(&plain.spec, &plain.tensors).unwrap();
            let mut session = Session::new(Arc::new(plain), 1).unwrap();
            let tokens = [1u32, 5, 0, 9, 2];
            let y: Vec<Vec<f64>> = session
                .run(&tokens)
                .unwrap()
                .chunks_exact(width)
                .map(|y| y.iter().map(|v| f64::from(*v)).collect())
                .collect();
            let weights: Vec<f64> = match model.tensors.get("attention.weight") {
                None => vec![1.0 / y.len() as f64; y.len()],
                Some(w) => {
                    let score = |y: &Vec<f64>| -> f64 {
                        y.iter().zip(&w.data).map(|(y, w)| y.tanh() * f64::from(*w)).sum()
                    };
                    let e: Vec<f64> = y.iter().map(|y| score(y).exp()).collect();
                    e.iter().map(|v| v / e.iter().sum::<f64>()).collect()
                }
            };
            let pooled: Vec<f64> = (0..width)
                .map(|unit| match pool {
                    Pool::Max => y.iter().map(|y| y[unit]).fold(f64::NEG_INFINITY, f64::max),
                    _ => y.iter().zip(&weights).map(|(y, w)| y[unit] * w).sum(),
                })
                .collect();
            let (head, bias) =
                (&model.tensors["head.weight"].data, &model.tensors["head.bias"].data);
            let mut session = Session::new(common::network(&model), 1).unwrap();
            let got = session.pool(&tokens, &[tokens.len()]).unwrap();
            for class in 0..3 {
                let row = head[class * width..][..width].iter();
                let want: f64 = row.zip(&pooled).map(|(w, v)| f64::from(*w) * v).sum::<f64>()
                    + f64::from(bias[class]);
                assert!(
                    (f64::from(got[class]) - want).abs() < 1e-5,
                    "{name} {} {want}",
                    got[class]
                );
            }
        }
    }
}

#[test]
fn the_last_pool_is_the_last_steps_answer_of_one_direction() {
    let mut model = model(codec(words(), false), Pool::Last, false);
    let tokens = [3u32, 1, 4];
    let mut session = Session::new(common::network(&model), 1).unwrap();
    let pooled = session.pool(&tokens, &[3]).unwrap().to_vec();
    model.spec.pool = None;
    let plain = Network::from_tensors(&model.spec, &model.tensors).unwrap();
    let mut session = Session::new(Arc::new(plain), 1).unwrap();
    assert_eq!(session.feed(&tokens).unwrap(), pooled);
}

#[test]
fn a_batch_is_its_items_one_by_one() {
    for (_, pool) in Pool::ALL {
        for bidirectional in [false, true] {
            let classifier = classifier(pool, bidirectional);
            let all = classifier.items(&Items::Text(TEXTS.map(String::from).to_vec())).unwrap();
            for (text, together) in TEXTS.iter().zip(all.chunks_exact(3)) {
                let alone = classifier.text(text).unwrap();
                for (a, b) in alone.iter().zip(together) {
                    assert!((a - b).abs() < 1e-6, "{pool:?} {text:?}: {alone:?} {together:?}");
                }
                assert!((alone.iter().sum::<f32>() - 1.0).abs() < 1e-6);
            }
        }
    }
}

#[test]
fn of_nothing_the_answer_is_the_priors() {
    let near = |got: Vec<f32>| {
        assert!(got.iter().zip([0.5, 0.3, 0.2]).all(|(a, b)| (a - b).abs() < 1e-6), "{got:?}");
    };
    for text in ["", " \n\t "] {
        near(classifier(Pool::Max, true).text(text).unwrap());
    }
    let several = Classifier::from_file(&model(codec(words(), true), Pool::Mean, true)).unwrap();
    near(several.text("").unwrap());
}

#[test]
fn a_stream_ends_where_the_whole_item_does() {
    for (_, pool) in Pool::ALL {
        let classifier = classifier(pool, false);
        let mut stream = classifier.stream().unwrap();
        let tokens = classifier.codec().tokens(TEXTS[3]).unwrap();
        for (at, token) in tokens.iter().enumerate() {
            let p = stream.push_token(*token).unwrap();
            let mut so_far = Encoded::tokens();
            so_far.push_tokens(&tokens[..=at]);
            let whole = classifier.probabilities(&so_far).unwrap();
            assert!(p.iter().zip(&whole).all(|(a, b)| (a - b).abs() < 1e-6), "{pool:?} {at}");
        }
        assert_eq!(stream.steps(), tokens.len());
    }
    let error = classifier(Pool::Max, true).stream().unwrap_err().to_string();
    assert!(error.contains("bidirectional"), "{error}");
}

#[test]
fn sequences_are_scaled_and_cut_in_streams_too() {
    let mut codec = codec(sequences(), false);
    codec.max_len = 3;
    let classifier = Classifier::from_file(&model(codec, Pool::Mean, false)).unwrap();
    let item: Vec<f32> = (0..8).map(|v| v as f32 * 0.7 - 2.0).collect();
    let whole = classifier.sequence(&item).unwrap();
    assert_eq!(whole, classifier.sequence(&item[..6]).unwrap(), "the fourth step is not read");
    let mut stream = classifier.stream().unwrap();
    let mut last = Vec::new();
    for step in item.chunks_exact(2) {
        last = stream.push_features(step).unwrap();
    }
    assert!(last.iter().zip(&whole).all(|(a, b)| (a - b).abs() < 1e-6));
    assert!(stream.push_features(&[f32::INFINITY, 0.0]).is_err());
    assert!(classifier.text("words").unwrap_err().to_string().contains("sequences of numbers"));
    let others =
        Sequences { features: vec!["v".into(), "u".into()], values: item, offsets: vec![0, 4] };
    let error = classifier.items(&Items::Sequences(others)).unwrap_err().to_string();
    assert!(error.contains("v, u") && error.contains("u, v"), "{error}");
}

#[test]
fn an_explanation_is_made_of_answers_to_other_texts() {
    let classifier = classifier(Pool::Max, true);
    let text = "The plot, not slow";
    let labels = &classifier.codec().labels;
    let explained = classifier.explain(text, Some(&labels[1])).unwrap();
    let p = |text: &str| classifier.text(text).unwrap()[1];
    let near = |a: f32, b: f32| assert!((a - b).abs() < 1e-6, "{a} {b}");
    let words: Vec<&str> = explained.words.iter().map(|word| word.word.as_str()).collect();
    assert_eq!(words, ["The", "plot", ",", "not", "slow"]);
    assert!(explained.words.iter().all(|word| text[word.range.clone()] == word.word));
    near(explained.before, 0.3);
    near(explained.probability, p(text));
    near(explained.words[1].after, p("The plot"));
    near(explained.words[4].after, p(text));
    near(explained.words[3].effect, p(text) - p("The plot,  slow"));
    let likeliest = classifier.explain(text, None).unwrap();
    let all: Vec<f32> = likeliest.all.iter().map(|ranked| ranked.probability).collect();
    let best = classifier.codec().ranked(&all)[0] as usize;
    assert_eq!((&likeliest.label, likeliest.probability), (&labels[best], all[best]));
    let long = "good ".repeat(1100);
    assert_eq!(classifier.explain(&long, None).unwrap().more_words, 100);
    let unknown = classifier.explain(text, Some("odd")).unwrap_err().to_string();
    assert_eq!(unknown, format!("no label `odd`: there are {}", labels.join(", ")));
}

#[test]
fn an_explanation_is_a_row_of_its_label_and_its_words() {
    let explained = classifier(Pool::Max, true).explain("not slow", None).unwrap();
    let json = serde_json::to_value(&explained).unwrap();
    let keys = |value: &serde_json::Value| -> Vec<String> {
        value.as_object().unwrap().keys().cloned().collect()
    };
    assert_eq!(keys(&json), ["before", "label", "probability", "words"]);
    assert_eq!(keys(&json["words"][1]), ["after", "effect", "range", "word"]);
    assert_eq!(json["words"][1]["word"], "slow");
    assert_eq!(json["words"][1]["range"], serde_json::json!({ "start": 4, "end": 8 }));
}

#[test]
fn a_model_comes_back_from_its_bytes_and_answers_alike() {
    for reader in [words(), sequences()] {
        let model = model(codec(reader, false), Pool::Attention, true);
        let bytes = model.to_bytes().unwrap();
        let back = ModelFile::from_bytes(&bytes).unwrap();
        assert_eq!(back.to_bytes().unwrap(), bytes);
        let (a, b) =
            (Classifier::from_file(&model).unwrap(), Classifier::from_file(&back).unwrap());
        match model.spec.input {
            Input::Embedding { .. } => {
                assert_eq!(a.text(TEXTS[3]).unwrap(), b.text(TEXTS[3]).unwrap());
            }
            Input::Features { .. } => {
                let item = [0.5, 1.0, -2.0, 3.0];
                assert_eq!(a.sequence(&item).unwrap(), b.sequence(&item).unwrap());
            }
        }
    }
}

#[test]
fn models_that_do_not_fit_their_codec_are_refused() {
    let refused = |change: &dyn Fn(&mut ClassifyCodec, &mut Spec), want: &str| {
        let mut codec = codec(words(), false);
        let mut spec = spec(&codec, Pool::Max, false);
        change(&mut codec, &mut spec);
        let tensors = common::tensors(&spec);
        let codec = Codec::Classify(Box::new(codec));
        let model = ModelFile {
            source: serde_json::Value::Null,
            spec,
            codec,
            trained: Trained::default(),
            tensors,
        };
        let error = model.to_bytes().unwrap_err().to_string();
        assert!(error.contains(want), "{want}: {error}");
    };
    refused(&|codec, _| codec.labels.truncate(1), "codec.labels");
    refused(&|codec, _| codec.labels[1] = "x".into(), "`x` twice");
    refused(&|codec, _| codec.temperature = 0.0, "codec.temperature");
    refused(&|codec, _| codec.temperature = f64::NAN, "codec.temperature");
    refused(&|codec, _| codec.priors[0] = -0.1, "codec.priors");
    refused(&|codec, _| codec.reader = sequences(), "input");
    refused(&|_, spec| spec.pool = None, "pool");
    refused(&|_, spec| spec.head = Head::Linear { outputs: 4 }, "head.linear.outputs");
}

#[test]
fn a_pool_needs_lengths_within_the_steps_and_a_network_that_has_one() {
    let model = model(codec(words(), false), Pool::Max, false);
    let mut session = Session::new(common::network(&model), 2).unwrap();
    let tokens = [1u32, 2, 3, 4];
    for lengths in [&[2][..], &[0, 2], &[3, 1]] {
        assert!(session.pool(&tokens, lengths).unwrap_err().to_string().contains("lengths"));
    }
    assert!(session.pool(&tokens, &[2, 1]).is_ok());
    let text = common::char_model();
    let mut session = Session::new(common::network(&text), 1).unwrap();
    assert!(session.pool(&[1u32], &[1]).unwrap_err().to_string().contains("pool"));
}

#[test]
fn predictions_are_rows_of_what_the_classifier_answers() {
    let classifier = classifier(Pool::Max, false);
    let items = Items::Text(TEXTS.map(str::to_owned).to_vec());
    let predictions = classifier.predict(&items, 2).unwrap();
    assert_eq!(predictions.len(), TEXTS.len());
    let labels = &classifier.codec().labels;
    for (prediction, text) in predictions.iter().zip(TEXTS) {
        let p = classifier.text(text).unwrap();
        let best = classifier.codec().ranked(&p)[0] as usize;
        assert_eq!((&prediction.top[0].label, prediction.step), (&labels[best], None));
        assert!((prediction.top[0].probability - p[best]).abs() < 1e-6);
        assert_eq!(prediction.labels, [labels[best].clone()]);
        let row = prediction.row("seven", false);
        let names: Vec<&str> = row.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["id", "label", "probability", "label2", "probability2"]);
        assert_eq!(row[0].1, "seven");
    }
    let steps = classifier.predict_steps(&items, 1).unwrap();
    let of_second: Vec<_> = steps.iter().filter(|prediction| prediction.item == 1).collect();
    assert_eq!(of_second.iter().map(|p| p.step).collect::<Vec<_>>(), [Some(1), Some(2)]);
    let last = &of_second[1].top[0];
    assert!((last.probability - predictions[1].top[0].probability).abs() < 1e-6);
    let error = classifier.predict(&items, labels.len() + 1).unwrap_err();
    assert!(matches!(error, gruvy_runtime::Error::Setting { name: "top_k", .. }), "{error}");
}
