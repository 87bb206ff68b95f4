//! A model at work: as a whole and as sound comes.
use crate::common;
use gruvy_runtime::audio::{Audio, FrontEnd, Normalisation};
use gruvy_runtime::model::{Head, Input, ModelFile, RnnSpec, Spec, Trained};
use gruvy_runtime::random::SplitMix64;
use gruvy_runtime::speech::{
    Decoding, Heard, Hears, Labels, Scaling, SpeechCodec, Transcriber, Transcript,
};
use gruvy_runtime::text::TextCodec;
use gruvy_runtime::{Cell, Codec, Error, Model, TaskName};
use serde_json::Value;

fn front_end() -> FrontEnd {
    let front_end = FrontEnd { mels: 8, ..FrontEnd::new(8000) };
    let (mean, deviation) = (vec![-8.0; 8], vec![1.5; 8]);
    FrontEnd { normalisation: Normalisation::Training { mean, deviation }, ..front_end }
}

fn file(hears: Hears, cell: Cell, bidirectional: bool) -> ModelFile {
    let labels = Labels::Text(TextCodec::char("abc "));
    let (size, outputs) = (hears.width(), labels.classes());
    let spec = Spec {
        input: Input::Features { size },
        rnn: RnnSpec {
            cell,
            input_size: size,
            hidden_size: 12,
            num_layers: 2,
            bidirectional,
            bias: true,
            zoneout: 0.0,
            layer_norm: false,
        },
        pool: None,
        head: Head::Linear { outputs },
        decoder: None,
    };
    let mut tensors = common::tensors(&spec);
    // Clear answers, so that something is said.
    let head = tensors.get_mut("head.weight").unwrap();
    head.data.iter_mut().for_each(|weight| *weight *= 30.0);
    let codec = Codec::Speech(Box::new(SpeechCodec { hears, labels, lowercase: true }));
    ModelFile { spec, codec, source: Value::Null, trained: Trained::default(), tensors }
}

fn transcriber(cell: Cell, bidirectional: bool) -> Transcriber {
    Transcriber::from_file(&file(Hears::Sound(front_end()), cell, bidirectional)).unwrap()
}

/// Bursts of noise and pauses.
fn sound(seconds: f64, seed: u64) -> Audio {
    let mut random = SplitMix64::new(seed);
    let (mut smooth, mut last) = (0.0, 0.0);
    let sample = |n: usize| {
        if n.is_multiple_of(800) {
            smooth = random.unit();
        }
        last = smooth * last + (1.0 - smooth) * (random.unit() - 0.5);
        if n / 8000 % 3 == 2 { 0.0 } else { last as f32 }
    };
    Audio::new((0..(8000.0 * seconds) as usize).map(sample).collect(), 8000).unwrap()
}

/// All that a stream says, in pieces of these sizes.
fn streamed(
    transcriber: &Transcriber,
    audio: &Audio,
    sizes: &[usize],
    endpoint: f64,
) -> Transcript {
    let mut stream = transcriber.stream(endpoint).unwrap();
    let mut all = Transcript::default();
    let mut take = |heard: Vec<Heard>| {
        for one in heard {
            if let Heard::Final(said) = one {
                all = std::mem::take(&mut all).then(said);
            }
        }
    };
    let mut rest = audio.samples();
    for size in sizes.iter().cycle() {
        let (part, after) = rest.split_at((*size).min(rest.len()));
        take(stream.push(part).unwrap());
        rest = after;
        if rest.is_empty() {
            break;
        }
    }
    take(stream.finish().unwrap());
    all
}

#[test]
fn a_stream_says_what_is_said_of_the_whole_to_the_bit() {
    for cell in [Cell::Gru, Cell::Lstm, Cell::MinGru] {
        let transcriber = transcriber(cell, false);
        let audio = sound(14.0, 3);
        let whole = transcriber.transcribe(&audio, &Decoding::default()).unwrap();
        // The others' random weights say the same at every step.
        assert!(cell != Cell::Gru || whole.text.len() > 3, "{whole:?}");
        for sizes in [&[1, 7, 100_000][..], &[160], &[1000, 3], &[1 << 20]] {
            assert_eq!(streamed(&transcriber, &audio, sizes, 1e9), whole, "{cell:?} {sizes:?}");
        }
    }
}

#[test]
fn a_pause_makes_what_was_said_final() {
    let transcriber = transcriber(Cell::Gru, false);
    let mut stream = transcriber.stream(0.06).unwrap();
    let audio = sound(14.0, 3);
    let mut finals = 0;
    let mut partials = 0;
    for part in audio.samples().chunks(400) {
        for one in stream.push(part).unwrap() {
            match one {
                Heard::Final(said) => {
                    finals += 1;
                    assert!(!said.words.is_empty());
                }
                Heard::Partial(_) => partials += 1,
            }
        }
    }
    assert!(finals > 1 && partials > 1, "{finals} {partials}");
    assert!(stream.push(&[f32::NAN]).is_err());
}

#[test]
fn words_have_their_times() {
    let transcriber = transcriber(Cell::Gru, true);
    let audio = sound(5.0, 9);
    let said = transcriber.transcribe(&audio, &Decoding::default()).unwrap();
    assert!(!said.words.is_empty());
    for pair in said.words.windows(2) {
        assert!(pair[0].end <= pair[1].start + 1e-9, "{pair:?}");
    }
    for word in &said.words {
        assert!(word.start < word.end && word.end <= 5.01 && !word.text.contains(' '), "{word:?}");
        assert!(word.confidence > 0.0 && word.confidence <= 1.0, "{word:?}");
    }
    // What was heard, aligned, is at the same places.
    let aligned = transcriber.align(&audio, &said.text).unwrap();
    assert_eq!(aligned.text, said.text);
    let searched = Decoding { beam: 8, word_bonus: 0.0, ..Decoding::default() };
    let searched = transcriber.transcribe(&audio, &searched).unwrap();
    let aligned = transcriber.align(&audio, &searched.text).unwrap();
    assert_eq!(aligned, searched);
}

#[test]
fn what_does_not_go_is_named() {
    let both = transcriber(Cell::Gru, true);
    assert!(matches!(both.stream(1.0), Err(Error::Bidirectional { .. })));
    let one = transcriber(Cell::Gru, false);
    assert!(one.stream(0.0).unwrap_err().to_string().contains("endpoint"));
    let other = Audio::new(vec![0.0; 100], 16_000).unwrap();
    let error = one.transcribe(&other, &Decoding::default()).unwrap_err().to_string();
    assert!(error.contains("16000") && error.contains("8000"), "{error}");
    let error = one.align(&sound(0.1, 1), &"abc ".repeat(20)).unwrap_err().to_string();
    assert!(error.contains("80 labels") || error.contains("79 labels"), "{error}");
    assert!(one.align(&sound(1.0, 1), "xyz").unwrap_err().to_string().contains("`x`"));
    let empty = Audio::new(vec![], 8000).unwrap();
    assert_eq!(one.transcribe(&empty, &Decoding::default()).unwrap(), Transcript::default());
    assert_eq!(both.transcribe(&empty, &Decoding::default()).unwrap(), Transcript::default());

    let scaling = Scaling { mean: vec![0.0; 3], deviation: vec![1.0; 3] };
    let numbers = file(Hears::Numbers(scaling), Cell::Gru, false);
    let numbers = Transcriber::from_file(&numbers).unwrap();
    let error = numbers.transcribe(&empty, &Decoding::default()).unwrap_err().to_string();
    assert!(error.contains("3 numbers a step"), "{error}");
    assert!(numbers.transcribe_steps(&[0.5; 30], &Decoding::default()).is_ok());
}

#[test]
fn a_codec_that_does_not_fit_is_refused() {
    let good = file(Hears::Sound(front_end()), Cell::Gru, false);
    assert_eq!(Model::from_file(&good).unwrap().task(), TaskName::Speech);
    let mut wrong = good.clone();
    let Codec::Speech(codec) = &mut wrong.codec else { unreachable!() };
    codec.labels = Labels::Words(vec!["one".into()]);
    assert!(matches!(Transcriber::from_file(&wrong), Err(Error::Spec { .. })));
    let mut wrong = good.clone();
    let Codec::Speech(codec) = &mut wrong.codec else { unreachable!() };
    codec.hears = Hears::Sound(FrontEnd { mels: 1 << 40, ..front_end() });
    assert!(Transcriber::from_file(&wrong).unwrap_err().to_string().contains("mels"));
    let mut wrong = good;
    let Codec::Speech(codec) = &mut wrong.codec else { unreachable!() };
    let zero = Scaling { mean: vec![0.0; 24], deviation: vec![0.0; 24] };
    codec.hears = Hears::Numbers(zero);
    assert!(Transcriber::from_file(&wrong).is_err());
}
