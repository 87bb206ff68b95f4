//! A model of events: every piece is written in one way, what cannot be played has no likelihood,
//! streams, scores and performances agree, and what drawn events must keep to.
#![allow(clippy::unwrap_used)]
mod common;

use gruvy_runtime::model::{Head, Input, ModelFile, RnnSpec, Spec, Trained};
use gruvy_runtime::music::{
    Composer, Event, EventCodec, KEYS, Keyboard, LOWEST, Learned, Note, Performer, Performing,
    Piece, Played, Tempo,
};
use gruvy_runtime::random::SplitMix64;
use gruvy_runtime::text::Sampling;
use gruvy_runtime::{Cell, Codec, Error, Model, TaskName};
use proptest::prelude::*;
use serde_json::Value;

const CODEC: EventCodec = EventCodec { longest: 150, learned: None };

fn file() -> ModelFile {
    let rnn = RnnSpec {
        cell: Cell::Gru,
        input_size: 6,
        hidden_size: 8,
        num_layers: 1,
        bidirectional: false,
        bias: true,
        zoneout: 0.0,
        layer_norm: false,
    };
    let tokens = CODEC.tokens();
    let input = Input::Embedding { vocab: tokens, dim: 6 };
    let head = Head::Linear { outputs: tokens };
    let spec = Spec { input, rnn, pool: None, head, decoder: None };
    let tensors = common::tensors(&spec);
    let (source, trained) = (Value::Null, Trained::default());
    ModelFile { spec, codec: Codec::Events(CODEC), source, trained, tensors }
}

fn performer() -> Performer {
    Performer::from_file(&file()).unwrap()
}

/// Notes of `(start, end, key, velocity)` in milliseconds.
fn piece(notes: &[(u64, u64, u8, u8)]) -> Piece {
    let note = |(start, end, key, velocity): &(u64, u64, u8, u8)| Note {
        start: *start,
        key: *key,
        end: *end,
        velocity: *velocity,
        channel: 0,
    };
    Piece {
        name: "piece".into(),
        ticks_per_quarter: 500,
        notes: notes.iter().map(note).collect(),
        drums: Vec::new(),
        tempos: Vec::new(),
        meters: Vec::new(),
    }
}

fn some() -> Piece {
    piece(&[(300, 800, 60, 80), (300, 2950, 64, 80), (800, 900, 60, 100), (900, 910, 55, 100)])
}

fn low() -> Piece {
    piece(&[(0, 500, 24, 80)])
}

fn events(piece: &Piece) -> Vec<Event> {
    CODEC.encode(piece).unwrap().into_iter().map(|token| Event::of(token).unwrap()).collect()
}

/// What can be played at random, with all its keys let go.
fn random(seed: u64, count: usize) -> Vec<u32> {
    let (mut random, mut keyboard) = (SplitMix64::new(seed), Keyboard::default());
    let (mut allowed, mut tokens) = (vec![false; CODEC.tokens()], Vec::new());
    let mut draw = |keyboard: &mut Keyboard, among: std::ops::Range<usize>| {
        keyboard.allow(&mut allowed);
        let among: Vec<usize> = among.filter(|token| allowed[*token]).collect();
        let drawn = (random.unit() * among.len() as f64) as usize;
        let token = *among.get(drawn)? as u32;
        keyboard.take(Event::of(token).unwrap());
        tokens.push(token);
        Some(())
    };
    for _ in 0..count {
        draw(&mut keyboard, 0..CODEC.tokens()).unwrap();
    }
    // A stroke for a velocity that waits for one, time for it, and the ends.
    draw(&mut keyboard, 0..KEYS);
    draw(&mut keyboard, 176..276);
    while draw(&mut keyboard, KEYS..2 * KEYS).is_some() {}
    tokens
}

#[test]
fn a_piece_is_what_is_done_on_the_keyboard() {
    let (c, e, g) = (60 - LOWEST, 64 - LOWEST, 55 - LOWEST);
    use Event::{LetGo, Strike, Velocity, Wait};
    let expected = [
        Velocity(20),
        Strike(c),
        Strike(e),
        Wait(50),
        LetGo(c),
        Velocity(25),
        Strike(c),
        Wait(10),
        LetGo(c),
        Strike(g),
        Wait(1),
        LetGo(g),
        Wait(100),
        Wait(100),
        Wait(4),
        LetGo(e),
    ];
    assert_eq!(events(&some()), expected);
    // Half as fast, in ticks of another size.
    let mut slow = some();
    slow.ticks_per_quarter = 250;
    slow.tempos = vec![Tempo { at: 0, quarters_per_minute: 240.0 }];
    assert_eq!(events(&slow), expected);
}

#[test]
fn awkward_notes_become_notes() {
    let (c, beyond) = (60 - LOWEST, 10);
    // One that is struck while it sounds, one of no length, one beyond the keys, two at once.
    let notes = [
        (0, 500, 60, 64),
        (200, 200, 60, 64),
        (200, 201, beyond, 64),
        (400, 500, 60, 64),
        (400, 800, 60, 64),
    ];
    use Event::{LetGo, Strike, Velocity, Wait};
    let expected = [
        Velocity(16),
        Strike(c),
        Wait(20),
        LetGo(c),
        Strike(c),
        Wait(1),
        LetGo(c),
        Wait(19),
        Strike(c),
        Wait(40),
        LetGo(c),
    ];
    assert_eq!(events(&piece(&notes)), expected);
    let tokens = CODEC.encode(&piece(&notes)).unwrap();
    let learned = Some(Learned { keys: vec![c - 1, c, c + 1], voices: 1 });
    assert_eq!(EventCodec::learned_from(&[tokens], 1), EventCodec { longest: 40, learned });
    assert_eq!(EventCodec::learned_from(&[Vec::new()], 1), EventCodec::default());
    assert_eq!(events(&piece(&[])), []);
    let endless = piece(&[(0, u64::MAX / 2, 60, 64)]);
    assert!(matches!(CODEC.encode(&endless), Err(Error::Setting { name: "music", .. })));
}

#[test]
fn files_open_again_as_what_they_are() {
    let bytes = file().to_bytes().unwrap();
    let again = ModelFile::from_bytes(&bytes).unwrap();
    assert_eq!((again.task(), again.to_bytes().unwrap()), (TaskName::Music, bytes));
    assert!(matches!(Model::from_file(&again).unwrap(), Model::Events(_)));
    assert!(matches!(Composer::from_file(&again), Err(Error::Setting { name: "head", .. })));
    let mut wider = file();
    wider.spec.head = Head::Linear { outputs: CODEC.tokens() + 1 };
    assert!(matches!(wider.validate(), Err(Error::Spec { .. })));
}

#[test]
fn a_stream_hears_what_scores_say_and_refuses_what_cannot_be_played() {
    let performer = performer();
    let nats = performer.score(&[piece(&[(0, 10, 60, 1)]), some(), piece(&[])]).unwrap();
    assert_eq!([nats[0].len(), nats[1].len(), nats[2].len()], [4, 16, 0]);
    let mut stream = performer.stream(&Sampling::default()).unwrap();
    for (event, nats) in events(&some()).into_iter().zip(&nats[1]) {
        let heard = stream.hear(event).unwrap();
        assert!((heard - nats).abs() < 1e-5, "{event:?}: {heard} {nats}");
    }
    use Event::{LetGo, Strike, Velocity, Wait};
    let refused = [LetGo(3), Strike(200), Wait(0), Wait(101), Velocity(25), Velocity(32)];
    for event in refused {
        assert!(
            matches!(stream.hear(event), Err(Error::Setting { name: "event", .. })),
            "{event:?}"
        );
    }
    // What it refused, it did not hear.
    stream.hear(Strike(3)).unwrap();
    assert!(stream.hear(Strike(3)).is_err() && stream.hear(Strike(2)).is_err());
    let metrics = performer.evaluate(&[some()]).unwrap();
    let total: f64 = nats[1].iter().sum();
    assert_eq!(metrics.events, 16);
    assert!((metrics.nats_per_event - total / 16.0).abs() < 1e-9);
    assert!((metrics.nats_per_note - total / 4.0).abs() < 1e-9);
    assert!(matches!(performer.evaluate(&[piece(&[])]), Err(Error::Setting { .. })));
}

#[test]
fn an_ensemble_judges_by_the_mean_likelihood() {
    let one = performer();
    let mut other = file();
    other.tensors.get_mut("head.bias").unwrap().data[60] += 2.0;
    let other = Performer::from_file(&other).unwrap();
    let both = Performer::ensemble(vec![one.clone(), other.clone()]).unwrap();
    assert_eq!(both.size(), 2);
    let nats = |of: &Performer| of.score(&[some()]).unwrap().remove(0);
    for ((a, b), both) in nats(&one).iter().zip(nats(&other)).zip(nats(&both)) {
        let mean = -((-a).exp() / 2.0 + (-b).exp() / 2.0).ln();
        assert!((mean - both).abs() < 1e-9);
    }
}

#[test]
fn a_performance_keeps_to_what_is_asked() {
    let performer = performer();
    let sampling = Sampling { seed: 3, ..Sampling::default() };
    let keys: [bool; KEYS] = std::array::from_fn(|key| (key + 9) % 12 == 0);
    let how = Performing { seconds: 20.0, sampling, keys: Some(keys), voices: Some(2) };
    let made = performer.perform(Some(&some()), &how).unwrap();
    assert_eq!(made, performer.perform(Some(&some()), &how).unwrap());
    assert!((made.primer - 2.65).abs() < 1e-9 && (made.seconds - 22.65).abs() < 1e-9);
    assert!((made.piece.seconds(made.piece.end()) - 22.65).abs() < 1.6);
    let (given, drawn): (Vec<Note>, Vec<Note>) =
        made.piece.notes.iter().partition(|note| note.start < 2650);
    assert_eq!(events(&Piece { notes: given, ..made.piece.clone() }), events(&some()));
    assert!(drawn.len() > 10, "{drawn:?}");
    for note in &drawn {
        assert!(keys[usize::from(note.key - LOWEST)], "{note:?}");
        // As long as the longest that was learned from, and not for ever.
        assert!(note.end - note.start <= 1500, "{note:?}");
    }
    assert_eq!(Piece { notes: drawn, ..made.piece.clone() }.polyphony(), 2);
    // And it scores as it was played, but for the last ends.
    let nats = performer.score(std::slice::from_ref(&made.piece)).unwrap().remove(0);
    for (played, scored) in made.surprise.iter().zip(&nats).take(events(&some()).len() + 20) {
        assert!((played - scored).abs() < 1e-4, "{played} {scored}");
    }
    // No key that was not learned, and a word on a primer that has such.
    let mut knows = file();
    let learned = Learned { keys: vec![39, 41, 43], voices: 2 };
    knows.codec = Codec::Events(EventCodec { learned: Some(learned), ..CODEC });
    let knows = Performer::from_file(&ModelFile::from_bytes(&knows.to_bytes().unwrap()).unwrap());
    let (knows, free) = (knows.unwrap(), Performing { keys: None, ..how.clone() });
    let piece = knows.perform(None, &free).unwrap().piece;
    assert!(piece.notes.iter().all(|note| [60, 62, 64].contains(&note.key)), "{piece:?}");
    assert!(knows.remarks(&some(), &free).unwrap()[0].to_string().contains("G3"));
    assert!(matches!(knows.remarks(&low(), &free), Err(Error::Setting { name: "music", .. })));
    let none = Performing { keys: Some([false; KEYS]), ..how.clone() };
    assert!(matches!(performer.perform(None, &none), Err(Error::Setting { name: "keys", .. })));
    for seconds in [-1.0, f64::NAN, f64::INFINITY] {
        let how = Performing { seconds, ..how.clone() };
        assert!(performer.perform(None, &how).is_err(), "{seconds}");
    }
}

#[test]
fn a_model_that_goes_round_in_a_circle_leaves_it() {
    // Always the same stroke.
    let mut file = file();
    let bias = &mut file.tensors.get_mut("head.bias").unwrap().data;
    bias[40] = 9.0;
    bias[176 + 9] = 6.0;
    bias[88 + 40] = 9.0;
    let performer = Performer::from_file(&file).unwrap();
    let how = Performing { seconds: 60.0, ..Performing::default() };
    let made = performer.perform(None, &how).unwrap();
    let keys: Vec<u8> = made.piece.notes.iter().map(|note| note.key).collect();
    let longest = keys.chunk_by(|a, b| a == b).map(<[u8]>::len).max().unwrap();
    assert!(keys.len() > 100 && longest < 80, "{longest} of {}", keys.len());
}

proptest! {
    #[test]
    fn what_can_be_played_is_written_in_one_way(seed: u64, count in 0usize..120) {
        let tokens = random(seed, count);
        let piece = CODEC.decode(&tokens);
        // A silence before the first note, and a velocity that is not used, are no music: without
        // them it is the same again.
        let again = CODEC.encode(&piece).unwrap();
        prop_assert_eq!(CODEC.decode(&again).notes.len(), piece.notes.len());
        prop_assert_eq!(CODEC.encode(&CODEC.decode(&again)).unwrap(), again.clone());
        let mut keyboard = Keyboard::default();
        let mut allowed = vec![false; CODEC.tokens()];
        for token in again {
            keyboard.allow(&mut allowed);
            prop_assert!(allowed[token as usize], "{:?}", Event::of(token));
            keyboard.take(Event::of(token).unwrap());
        }
    }

    #[test]
    fn any_piece_is_read_and_any_tokens_are_written(
        notes in prop::collection::vec((0u64..5000, 0u64..3000, 0u8..128, 1u8..128), 0..40),
        tokens in prop::collection::vec(0u32..400, 0..200),
    ) {
        let notes: Vec<_> = notes.into_iter().map(|(at, long, key, v)| (at, at + long, key, v)).collect();
        let tokens_of = CODEC.encode(&piece(&notes)).unwrap();
        let mut keyboard = Keyboard::default();
        let mut allowed = vec![false; CODEC.tokens()];
        for token in &tokens_of {
            keyboard.allow(&mut allowed);
            prop_assert!(allowed[*token as usize], "{:?}", Event::of(*token));
            keyboard.take(Event::of(*token).unwrap());
        }
        prop_assert!(keyboard.sounding().next().is_none());
        let written = CODEC.decode(&tokens);
        prop_assert!(written.notes.iter().all(|note| note.end > note.start));
    }

    #[test]
    fn what_is_played_otherwise_can_be_played(
        notes in prop::collection::vec((0u64..5000, 0u64..3000, 21u8..109, 1u8..128), 1..30),
        semitones in -6i32..=6,
        slower in 0.5f64..2.0,
    ) {
        let notes: Vec<_> = notes.into_iter().map(|(at, long, key, v)| (at, at + long, key, v)).collect();
        let tokens = CODEC.encode(&piece(&notes)).unwrap();
        let played = Played { semitones, slower }.apply(&tokens);
        prop_assert_eq!(CODEC.encode(&CODEC.decode(&played)).unwrap(), played.clone());
        let (low, high) = notes.iter().fold((127, 0), |(l, h), n| (n.2.min(l), n.2.max(h)));
        let fits = i32::from(low) + semitones >= 21 && i32::from(high) + semitones <= 108;
        let first = |tokens: &[u32]| tokens.iter().find(|token| **token < 88).copied().unwrap() as i32;
        prop_assert_eq!(first(&played), first(&tokens) + if fits { semitones } else { 0 });
        prop_assert_eq!(Played { semitones: 0, slower: 1.0 }.apply(&tokens), tokens);
    }
}
