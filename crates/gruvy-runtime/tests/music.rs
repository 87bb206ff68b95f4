//! A model of music: what it hears, that its likelihoods add up to one, that streams, scores and
//! compositions agree, and what a drawn frame must keep to.
#![allow(clippy::unwrap_used)]
mod common;

use gruvy_runtime::model::{Head, Input, ModelFile, RnnSpec, Spec, Trained};
use gruvy_runtime::music::{
    Bar, Composer, Composing, KEYS, Learned, MusicCodec, Note, Roll, Rules, Sound,
};
use gruvy_runtime::text::Sampling;
use gruvy_runtime::{Cell, Codec, Error, Model, TaskName};
use proptest::prelude::*;
use serde_json::Value;

fn codec(onsets: bool) -> MusicCodec {
    let (steps_per_quarter, bar, meter) = (4, 16, Some([4, 4]));
    MusicCodec { onsets, steps_per_quarter, bar, meter, tempo: 100.0, learned: None }
}

fn rnn(cell: Cell, input_size: usize, hidden_size: usize, num_layers: usize) -> RnnSpec {
    RnnSpec {
        cell,
        input_size,
        hidden_size,
        num_layers,
        bidirectional: false,
        bias: true,
        zoneout: 0.0,
        layer_norm: false,
    }
}

fn file(codec: &MusicCodec, joint: bool, cell: Cell) -> ModelFile {
    let tokens = codec.symbols() + 1;
    let decoder = joint.then(|| {
        Box::new(Spec {
            input: Input::Embedding { vocab: tokens, dim: 6 },
            rnn: rnn(cell, 6, 5, 2),
            pool: None,
            head: Head::Linear { outputs: tokens },
            decoder: None,
        })
    });
    let outputs = decoder.as_ref().map_or(codec.symbols(), |d| 2 * d.rnn.state_size());
    let spec = Spec {
        input: Input::Features { size: codec.features() },
        rnn: rnn(cell, codec.features(), 8, 1),
        pool: None,
        head: Head::Linear { outputs },
        decoder,
    };
    let tensors = common::tensors(&spec);
    let (source, trained) = (Value::Null, Trained::default());
    ModelFile { spec, codec: Codec::Music(codec.clone()), source, trained, tensors }
}

fn composer(onsets: bool, joint: bool) -> Composer {
    Composer::from_file(&file(&codec(onsets), joint, Cell::Gru)).unwrap()
}

fn sounds(keys: &[(u8, bool)]) -> Vec<Sound> {
    keys.iter().map(|(key, onset)| Sound { key: *key, onset: *onset }).collect()
}

fn roll(frames: Vec<Vec<Sound>>) -> Roll {
    let bars = vec![Bar { at: 0, beats: 4, unit: 4 }];
    Roll {
        name: "roll".into(),
        frames,
        onsets: true,
        steps_per_quarter: 4,
        bars,
        tempo: 100.0,
        tempo_changes: Vec::new(),
    }
}

fn some() -> Roll {
    roll(vec![
        sounds(&[(39, true), (43, true)]),
        sounds(&[(39, false), (43, false), (46, true)]),
        sounds(&[(39, true), (46, false)]),
        sounds(&[]),
        sounds(&[(51, true)]),
    ])
}

#[test]
fn files_of_both_heads_open_again_and_fit() {
    for (joint, cell) in [(false, Cell::Gru), (true, Cell::Gru), (true, Cell::Lstm)] {
        let file = file(&codec(true), joint, cell);
        let bytes = file.to_bytes().unwrap();
        let again = ModelFile::from_bytes(&bytes).unwrap();
        assert_eq!((again.task(), again.to_bytes().unwrap()), (TaskName::Music, bytes));
        assert!(matches!(Model::from_file(&again).unwrap(), Model::Music(_)));
        let mut other = file.clone();
        other.codec = Codec::Music(codec(false));
        assert!(matches!(other.validate(), Err(Error::Spec { .. })));
    }
}

#[test]
fn likelihoods_of_all_frames_add_up_to_one() {
    for (onsets, joint) in [(false, false), (false, true), (true, false), (true, true)] {
        // All keys but the last three are next to impossible, so that all frames can be listed.
        let codec = codec(onsets);
        let mut file = file(&codec, joint, Cell::Gru);
        let bias = if joint { "decoder.head.bias" } else { "head.bias" };
        let values = &mut file.tensors.get_mut(bias).unwrap().data;
        for symbol in (0..codec.end()).filter(|symbol| codec.key(*symbol) < 85) {
            values[symbol as usize] = -60.0;
        }
        let composer = Composer::from_file(&file).unwrap();
        let before = sounds(&[(0, true), (86, true)]);
        let choices = |key: u8| {
            let mut all = vec![None, Some(Sound { key, onset: true })];
            if key == 86 {
                let held = Some(Sound { key, onset: false });
                if onsets { all.push(held) } else { all[1] = held }
            }
            all
        };
        let mut rolls = Vec::new();
        for a in choices(85) {
            for b in choices(86) {
                for c in choices(87) {
                    rolls.push(roll(vec![
                        before.clone(),
                        [a, b, c].into_iter().flatten().collect(),
                    ]));
                }
            }
        }
        let total: f64 = composer.score(&rolls).unwrap().iter().map(|nats| (-nats[1]).exp()).sum();
        assert!((total - 1.0).abs() < 1e-5, "{onsets} {joint}: {total} of {} frames", rolls.len());
    }
}

#[test]
fn drawn_frames_come_as_often_as_the_model_says() {
    // Two keys alone may sound, so there are four frames; their likelihoods under the rules are
    // those that a joint head gives them, each divided by their sum over all draws.
    let composer = composer(false, false);
    let rolls = roll(vec![sounds(&[(40, true)])]);
    let mut keys = [false; KEYS];
    (keys[40], keys[47]) = (true, true);
    let rules = Rules { keys, ..Rules::default() };
    let mut counts = [0usize; 4];
    let draws = 4000;
    for seed in 0..draws {
        let mut stream = composer.stream(&Sampling { seed, ..Sampling::default() }).unwrap();
        stream.hear(rolls.place(0), &rolls.frames[0]).unwrap();
        let (frame, _) = stream.play(rolls.place(1), &rules).unwrap();
        counts[frame.iter().map(|s| if s.key == 40 { 1 } else { 2 }).sum::<usize>()] += 1;
    }
    // Each key by itself: the share of a key is its probability.
    let probability = |key: u8| {
        let with = roll(vec![rolls.frames[0].clone(), sounds(&[(key, key != 40)])]);
        let without = roll(vec![rolls.frames[0].clone(), Vec::new()]);
        let nats = composer.score(&[with, without]).unwrap();
        let odds = (nats[1][1] - nats[0][1]).exp();
        odds / (1.0 + odds)
    };
    for (key, bit) in [(40u8, 1), (47, 2)] {
        let count: usize = (0..4).filter(|frame| frame & bit > 0).map(|frame| counts[frame]).sum();
        let (share, p) = (count as f64 / draws as f64, probability(key));
        let slack = 5.0 * (p * (1.0 - p) / draws as f64).sqrt();
        assert!((share - p).abs() < slack, "key {key}: {share} for {p}");
    }
}

#[test]
fn streams_scores_and_compositions_agree() {
    for (onsets, joint) in [(false, false), (false, true), (true, false), (true, true)] {
        let composer = composer(onsets, joint);
        let composing = Composing { steps: 24, ..Composing::default() };
        let made = composer.compose(Some(&some()), &composing).unwrap();
        assert_eq!((made.primer, made.roll.frames.len(), made.surprise.len()), (5, 29, 29));
        let scored = composer.score(std::slice::from_ref(&made.roll)).unwrap();
        for (step, (a, b)) in made.surprise.iter().zip(&scored[0]).enumerate() {
            assert!((a - b).abs() < 1e-4, "{onsets} {joint} {step}: {a} {b}");
        }
        let again = composer.compose(Some(&some()), &composing).unwrap();
        assert_eq!(again.roll, made.roll);
        // Every key that is held sounded before.
        for pair in made.roll.frames.windows(2) {
            for sound in pair[1].iter().filter(|sound| !sound.onset) {
                assert!(pair[0].iter().any(|before| before.key == sound.key));
            }
        }
        // Together with rolls of other lengths.
        let others = [some(), made.roll.clone(), roll(vec![sounds(&[(1, true)]); 3])];
        let together = composer.score(&others).unwrap();
        let alike = together[1].iter().zip(&scored[0]).all(|(a, b)| (a - b).abs() < 1e-5);
        assert!(alike, "{onsets} {joint}");
        let metrics = composer.evaluate(&others).unwrap();
        let nats: f64 = together.iter().flat_map(|nats| &nats[1..]).sum();
        assert_eq!(metrics.steps, 4 + 28 + 2);
        assert!((metrics.nats_per_step - nats / 34.0).abs() < 1e-9);
    }
}

#[test]
fn an_ensemble_is_the_mean_of_its_members_likelihoods() {
    let one = composer(true, true);
    let mut other = file(&codec(true), true, Cell::Gru);
    other.tensors.get_mut("decoder.head.bias").unwrap().data.iter_mut().for_each(|b| *b *= -3.0);
    let other = Composer::from_file(&other).unwrap();
    let both = Composer::ensemble(vec![one.clone(), other.clone()]).unwrap();
    assert_eq!(both.size(), 2);
    let nats = |composer: &Composer| composer.score(&[some()]).unwrap().concat();
    for ((a, b), mean) in nats(&one).iter().zip(nats(&other)).zip(nats(&both)) {
        let expected = -(((-a).exp() + (-b).exp()) / 2.0).ln();
        assert!((mean - expected).abs() < 1e-9, "{mean} {expected}");
    }
    let unlike = Composer::ensemble(vec![one, composer(false, true)]);
    assert!(matches!(unlike, Err(Error::Setting { name: "ensemble", .. })));
}

#[test]
fn a_melody_stays_and_voices_are_kept() {
    for joint in [false, true] {
        let composer = composer(true, joint);
        let melody = roll(vec![
            sounds(&[(40, true)]),
            sounds(&[(40, false)]),
            sounds(&[(87, true)]),
            sounds(&[(0, true)]),
            Vec::new(),
        ]);
        let composing = Composing { voices: Some(4), ..Composing::default() };
        let made = composer.harmonize(&melody, &composing, 3).unwrap();
        for (frame, given) in made.roll.frames.iter().zip(&melody.frames) {
            assert!(given.iter().all(|sound| frame.contains(sound)), "{frame:?} {given:?}");
            assert_eq!(frame.len(), 4, "{frame:?}");
            assert!(frame.is_sorted_by(|a, b| a.key < b.key));
        }
        // More tries are no worse.
        let more = composer.harmonize(&melody, &composing, 12).unwrap();
        assert!(more.nats_per_step <= made.nats_per_step);
        let none = composer.harmonize(&roll(vec![Vec::new(); 3]), &composing, 3);
        assert!(matches!(none, Err(Error::Setting { name: "melody", .. })));
    }
}

#[test]
fn only_the_keys_that_may_sound_do() {
    for joint in [false, true] {
        let composer = composer(true, joint);
        let mut keys = [false; KEYS];
        [3, 40, 44, 47].into_iter().for_each(|key| keys[key] = true);
        let composing = Composing { steps: 40, keys: Some(keys), ..Composing::default() };
        let made = composer.compose(None, &composing).unwrap();
        assert!(made.roll.frames.iter().flatten().all(|sound| keys[usize::from(sound.key)]));
        let none = Composing { keys: Some([false; KEYS]), ..Composing::default() };
        assert!(matches!(composer.compose(None, &none), Err(Error::Setting { name: "keys", .. })));
    }
}

/// A model that learned from five keys, three at once.
fn learned(joint: bool) -> Composer {
    let learned = Learned { keys: vec![30, 34, 37, 42, 46], voices: 3 };
    let codec = MusicCodec { learned: Some(learned), ..codec(true) };
    Composer::from_file(&file(&codec, joint, Cell::Gru)).unwrap()
}

#[test]
fn keys_that_were_never_heard_are_never_drawn() {
    for joint in [false, true] {
        let composer = learned(joint);
        let known = composer.codec().learned.as_ref().unwrap().known();
        let mut composing = Composing { steps: 60, ..Composing::default() };
        composing.sampling.temperature = 5.0;
        for voices in [None, Some(2), Some(9)] {
            composing.voices = voices;
            let made = composer.compose(None, &composing).unwrap();
            let mut sounds = made.roll.frames.iter().flatten();
            assert!(sounds.all(|sound| known[usize::from(sound.key)]), "{voices:?}");
        }
        // What is given stays, wherever it is.
        composing.voices = Some(3);
        let melody =
            roll(vec![sounds(&[(37, true)]), sounds(&[(70, true)]), sounds(&[(70, false)])]);
        let made = composer.harmonize(&melody, &composing, 2).unwrap();
        for (frame, given) in made.roll.frames.iter().zip(&melody.frames) {
            assert_eq!(frame.len(), 3);
            assert!(given.iter().all(|sound| frame.contains(sound)));
            let mut others = frame.iter().filter(|sound| !given.contains(sound));
            assert!(others.all(|sound| known[usize::from(sound.key)]), "{frame:?}");
        }
        // A musical key of which nothing was learned.
        let mut keys = [false; KEYS];
        keys[31] = true;
        composing.keys = Some(keys);
        let error = composer.compose(None, &composing).unwrap_err();
        assert!(matches!(error, Error::Setting { name: "keys", .. }), "{error}");
    }
}

#[test]
fn music_of_other_keys_is_remarked_on_or_refused() {
    let composer = learned(true);
    let composing = Composing { voices: Some(4), ..Composing::default() };
    let partly = roll(vec![sounds(&[(46, true), (58, true)])]);
    let remarks = composer.remarks(&partly, &composing).unwrap();
    let [keys, voices] = [0, 1].map(|index| remarks[index].to_string());
    assert!(keys.contains("Eb3 to G4") && keys.contains("of G5 means"), "{keys}");
    assert!(voices.contains("at most 3 keys"), "{voices}");
    assert!(composer.compose(Some(&partly), &composing).is_ok());
    let all = roll(vec![sounds(&[(58, true)]), sounds(&[(60, true)])]);
    for error in [
        composer.compose(Some(&all), &composing).unwrap_err(),
        composer.harmonize(&all, &composing, 1).unwrap_err(),
    ] {
        let error = error.to_string();
        for part in ["music is G5, A5", "Eb3 to G4", "`transpose=-24`"] {
            assert!(error.contains(part), "{error}");
        }
    }
    assert_eq!(self::composer(true, true).remarks(&all, &composing).unwrap(), []);
}

#[test]
fn files_that_do_not_say_what_was_learned_open() {
    let before = r#"{"onsets":true,"steps_per_quarter":4,"bar":16,"meter":[4,4],"tempo":100.0}"#;
    assert_eq!(serde_json::from_str::<MusicCodec>(before).unwrap(), codec(true));
    assert_eq!(serde_json::to_string(&codec(true)).unwrap(), before);
    let wrong = Learned { keys: vec![88], voices: 1 };
    let codec = MusicCodec { learned: Some(wrong), ..codec(true) };
    let error = file(&codec, true, Cell::Gru).validate().unwrap_err();
    assert!(matches!(error, Error::Header { .. }), "{error}");
}

#[test]
fn nothing_goes_round_for_ever() {
    // A model that is all but sure to hold what sounds.
    let mut file = file(&codec(true), false, Cell::Gru);
    for (name, tensor) in &mut file.tensors {
        match name.as_str() {
            "head.weight" => tensor.data.fill(0.0),
            "head.bias" => tensor.data.fill(-9.0),
            _ => {}
        }
    }
    let composer = Composer::from_file(&file).unwrap();
    let composing = Composing { steps: 2000, ..Composing::default() };
    let made = composer.compose(None, &composing).unwrap();
    let runs = made.roll.frames.chunk_by(|a, b| a == b).map(<[_]>::len).max().unwrap();
    assert!((32..400).contains(&runs), "the longest silence has {runs} steps");
}

#[test]
fn what_a_model_cannot_hear_is_named() {
    let composer = composer(true, true);
    let fine = Roll { steps_per_quarter: 8, ..some() };
    let error = composer.score(&[fine]).unwrap_err();
    assert!(matches!(error, Error::Setting { name: "grid", .. }), "{error}");
    let error = composer.evaluate(&[roll(vec![Vec::new()])]).unwrap_err();
    assert!(matches!(error, Error::Setting { name: "music", .. }), "{error}");
    let mut stream = composer.stream(&Sampling::default()).unwrap();
    let likeliest = Sampling { top_k: Some(3), ..Sampling::default() };
    assert!(composer.stream(&likeliest).is_ok());
    let error = self::composer(true, false).stream(&likeliest).unwrap_err();
    assert!(matches!(error, Error::Setting { name: "top_k", .. }), "{error}");
    let beyond = sounds(&[(88, true)]);
    let error = stream.hear(some().place(0), &beyond).unwrap_err();
    assert!(matches!(error, Error::Setting { name: "key", .. }), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn whatever_is_asked_frames_fit_together(
        seed in any::<u64>(),
        joint in any::<bool>(),
        temperature in 0.0f64..3.0,
        voices in prop::option::of(1usize..90),
        given in prop::collection::btree_set(0u8..88, 0..8),
    ) {
        let composer = composer(true, joint);
        let sampling = Sampling { temperature, seed, ..Sampling::default() };
        let mut stream = composer.stream(&sampling).unwrap();
        let given: Vec<Sound> = given.into_iter().map(|key| Sound { key, onset: true }).collect();
        let rules = Rules { voices, given: given.clone(), ..Rules::default() };
        let place = some().place(0);
        for _ in 0..4 {
            let (frame, nats) = stream.play(place, &rules).unwrap();
            prop_assert!(nats.is_finite());
            prop_assert!(frame.is_sorted_by(|a, b| a.key < b.key));
            prop_assert!(given.iter().all(|sound| frame.contains(sound)));
            if let Some(voices) = voices {
                let expected = voices.max(given.len()).min(KEYS);
                prop_assert_eq!(frame.len(), expected);
            }
        }
    }
}

#[test]
fn pieces_move_and_drums_stay() {
    let note = |key| Note { start: 0, key, end: 480, velocity: 80, channel: 0 };
    let keys = |notes: &[Note]| notes.iter().map(|note| note.key).collect::<Vec<_>>();
    let mut piece = some().to_piece();
    (piece.notes, piece.drums) = (vec![note(3), note(60), note(127)], vec![note(36)]);
    let low = piece.clone().transposed(-4);
    assert_eq!((keys(&low.notes), keys(&low.drums)), (vec![56, 123], vec![36]));
    assert_eq!(keys(&piece.transposed(1).notes), [4, 61]);
}
