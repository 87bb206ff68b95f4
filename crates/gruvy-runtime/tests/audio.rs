//! What is heard of sound: beside librosa and torchaudio, and the same however it comes.
use gruvy_runtime::audio::{Audio, FeatureKind, FrontEnd, MelScale, Moments, Normalisation};
use gruvy_runtime::random::SplitMix64;
use proptest::prelude::*;
use safetensors::SafeTensors;

/// The sound of the golden file.
fn sound(rate: u32) -> Vec<f32> {
    let mut state = 12345u64;
    let sample = |n: u32| {
        state = (state * 1_103_515_245 + 12_345) % (1 << 31);
        let noise = state as f64 / f64::from(1 << 30) - 1.0;
        let (t, turn) = (f64::from(n) / f64::from(rate), std::f64::consts::TAU);
        let chirp = 0.4 * (turn * (200.0 * t + 1500.0 * t * t)).sin();
        (chirp + 0.2 * (turn * 3000.0 * t).sin() + 0.02 * noise + 0.01) as f32
    };
    (0..rate / 2).map(sample).collect()
}

fn audio(samples: Vec<f32>, rate: u32) -> Audio {
    Audio::new(samples, rate).expect("samples")
}

fn noise(count: usize, seed: u64) -> Vec<f32> {
    let mut random = SplitMix64::new(seed);
    (0..count).map(|_| random.below(2001) as f32 / 4000.0 - 0.25).collect()
}

#[test]
fn librosa_and_torchaudio_hear_the_same() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../testdata/audio/golden.safetensors");
    let bytes = std::fs::read(path).expect("the golden file");
    let (_, head) = SafeTensors::read_metadata(&bytes).expect("a header");
    let facts = &head.metadata().as_ref().expect("metadata")["facts"];
    let facts: serde_json::Value = serde_json::from_str(facts).expect("JSON");
    let file = SafeTensors::deserialize(&bytes).expect("a file");
    let cases = facts["cases"].as_array().expect("cases");
    assert_eq!(cases.len(), 4);
    for case in cases {
        let number = |name: &str| case[name].as_f64().expect("a number");
        let rate = number("rate") as u32;
        let ms = |samples: f64| (samples * 1000.0 / f64::from(rate)) as f32;
        let front_end = FrontEnd {
            window_ms: ms(number("window")),
            hop_ms: ms(number("hop")),
            kind: match number("coefficients") as usize {
                0 => FeatureKind::LogMel,
                coefficients => FeatureKind::Mfcc { coefficients },
            },
            mels: number("mels") as usize,
            low_hz: number("low") as f32,
            high_hz: number("high") as f32,
            scale: if case["scale"] == "htk" { MelScale::Htk } else { MelScale::Slaney },
            remove_offset: false,
            deltas: 2,
            ..FrontEnd::new(rate)
        };
        let name = case["name"].as_str().expect("a name");
        let frames = front_end.frames(&audio(sound(rate), rate), 1.0).expect("frames");
        let tensor = file.tensor(name).expect("a tensor");
        let bytes = tensor.data().as_chunks::<4>().0;
        let expected: Vec<f32> = bytes.iter().map(|b| f32::from_le_bytes(*b)).collect();
        assert_eq!(tensor.shape()[1], front_end.frame_width(), "{name}");
        assert_eq!(frames.len(), expected.len(), "{name}");
        for (i, (got, expected)) in frames.iter().zip(&expected).enumerate() {
            let off = (got - expected).abs();
            assert!(off < 1e-4 * expected.abs().max(1.0), "{name} {i}: {got}, not {expected}");
        }
    }
}

fn settings() -> impl Strategy<Value = FrontEnd> {
    let kind = prop_oneof![
        Just(FeatureKind::LogMel),
        (1usize..9).prop_map(|coefficients| FeatureKind::Mfcc { coefficients })
    ];
    let sizes = (1usize..4, 1usize..5, 0usize..3, 5.0f32..30.0, 3.0f32..40.0, 0..3);
    (kind, sizes).prop_map(|(kind, (stack, stride, deltas, window_ms, hop_ms, how))| {
        let mels = 9;
        let plain = FrontEnd {
            kind,
            mels,
            stack,
            stride,
            deltas,
            window_ms,
            hop_ms,
            high_hz: 900.0,
            ..FrontEnd::new(2000)
        };
        let (mean, deviation) = (vec![-3.0; plain.frame_width()], vec![2.0; plain.frame_width()]);
        let normalisation = match how {
            0 => Normalisation::None,
            1 => Normalisation::Training { mean, deviation },
            _ => Normalisation::Running { mean, deviation, weight: 5.0 },
        };
        FrontEnd { normalisation, ..plain }
    })
}

proptest! {
    #[test]
    fn a_stream_hears_the_same_bits(
        front_end in settings(),
        count in 0usize..1500,
        cuts in proptest::collection::vec(0usize..200, 0..30),
    ) {
        let samples = noise(count, 7);
        let whole = front_end.features(&audio(samples.clone(), 2000)).expect("features");
        prop_assert_eq!(whole.len(), front_end.steps(count) * front_end.width());
        let mut stream = front_end.stream().expect("a stream");
        let (mut steps, mut rest) = (Vec::new(), &samples[..]);
        for cut in cuts {
            let (part, after) = rest.split_at(cut.min(rest.len()));
            stream.push(part, &mut steps);
            rest = after;
        }
        stream.push(rest, &mut steps);
        stream.finish(&mut steps);
        let bits = |values: &[f32]| values.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
        prop_assert_eq!(bits(&steps), bits(&whole));
    }
}

#[test]
fn silence_an_offset_and_the_loudest_sound_are_finite() {
    let front_end = FrontEnd::new(16_000);
    let of = |sample: fn(usize) -> f32| {
        let samples = (0..8000).map(sample).collect();
        front_end.features(&audio(samples, 16_000)).expect("features")
    };
    let silence = of(|_| 0.0);
    assert_eq!(silence, of(|_| 0.5), "an offset is not heard");
    assert!(silence.iter().all(|value| *value == 1e-8f32.ln()));
    let loudest = of(|i| if i % 3 == 0 { f32::MAX } else { f32::MIN });
    assert!(loudest.iter().all(|value| value.is_finite()));
}

#[test]
fn the_mean_and_deviation_of_a_recording() {
    let front_end = FrontEnd { stack: 1, stride: 1, ..FrontEnd::new(8000) };
    let sound = audio(noise(8000, 3), 8000);
    let frames = front_end.frames(&sound, 1.0).expect("frames");
    let mut moments = Moments::new(40);
    moments.add(&frames);
    let with = |normalisation| FrontEnd { normalisation, ..front_end.clone() };
    let whole = with(Normalisation::Utterance).features(&sound).expect("features");
    assert_eq!(whole, with(moments.training()).features(&sound).expect("features"));
    for value in 0..40 {
        let column = whole.iter().skip(value).step_by(40);
        let count = column.clone().count() as f32;
        let mean = column.clone().sum::<f32>() / count;
        let square = column.map(|v| v * v).sum::<f32>() / count;
        assert!(mean.abs() < 1e-4 && (square - 1.0).abs() < 1e-3, "{value}: {mean}, {square}");
    }
    let error = with(Normalisation::Utterance).stream().expect_err("no stream");
    assert!(error.to_string().contains("normalisation"), "{error}");
}

/// The peak of a tone moves by the warp, below the bend.
#[test]
fn a_warp_stretches_frequencies() {
    let front_end = FrontEnd { low_hz: 0.0, mels: 80, ..FrontEnd::new(16_000) };
    let tone = |n: usize| (n as f32 * 1500.0 / 16_000.0 * std::f32::consts::TAU).sin();
    let sound = audio((0..4000).map(tone).collect(), 16_000);
    let peak = |warp| {
        let frames = front_end.frames(&sound, warp).expect("frames");
        (0..80).max_by(|a, b| frames[*a].total_cmp(&frames[*b])).expect("values") as f64
    };
    let mel = |hz: f64| 81.0 * MelScale::Htk.mel(hz) / MelScale::Htk.mel(8000.0) - 1.0;
    for warp in [0.85, 1.0, 1.2] {
        // A filter that stands at f hears warp · f.
        let expected = mel(1500.0 / f64::from(warp));
        assert!((peak(warp) - expected).abs() <= 1.0, "{warp}: {} {expected}", peak(warp));
    }
}

#[test]
fn what_makes_no_sense_is_named() {
    let wrong = |change: fn(&mut FrontEnd)| {
        let mut front_end = FrontEnd::new(16_000);
        change(&mut front_end);
        front_end.check().expect_err("refused").to_string()
    };
    assert!(wrong(|f| f.mels = 100_000).contains("mels"));
    assert!(wrong(|f| f.window_ms = f32::NAN).contains("window_ms"));
    assert!(wrong(|f| f.hop_ms = 0.0).contains("hop_ms"));
    assert!(wrong(|f| f.high_hz = 9000.0).contains("high_hz"));
    assert!(wrong(|f| f.low_hz = 8000.0).contains("low_hz"));
    assert!(wrong(|f| f.stack = 0).contains("stack"));
    assert!(wrong(|f| f.deltas = 3).contains("deltas"));
    assert!(wrong(|f| f.sample_rate_hz = 0).contains("sample_rate"));
    assert!(wrong(|f| f.kind = FeatureKind::Mfcc { coefficients: 41 }).contains("coefficients"));
    assert!(
        wrong(|f| f.normalisation =
            Normalisation::Training { mean: vec![0.0; 3], deviation: vec![1.0; 3] })
        .contains("normalisation")
    );
    let error = FrontEnd::new(16_000).features(&audio(vec![0.0; 9], 8000)).expect_err("a rate");
    assert!(error.to_string().contains("resample"), "{error}");
    let error = Audio::new(vec![0.0, f32::NAN], 8000).expect_err("a NaN");
    assert!(error.to_string().contains("sample 2 of 2 is NaN"), "{error}");
}
