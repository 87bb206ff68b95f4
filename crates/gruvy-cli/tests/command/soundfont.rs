//! A SoundFont as a preview's instrument: one that is made here, of a single sine.
use crate::music::trained;
use crate::place::Place;
use gruvy_data::Input;
use gruvy_data::midi;
use gruvy_runtime::music::{Note, Piece, Tempo};
use std::f64::consts::TAU;

/// Samples of a second of the font's sine, and of one of its periods: 440 Hz, an A4.
const RATE: u32 = 44_000;
const PERIOD: u32 = 100;
const A4: u8 = 69;

/// A chunk of a RIFF file: its name, its length, its content, padded to an even length.
fn chunk(name: &[u8; 4], content: &[u8]) -> Vec<u8> {
    let mut chunk = name.to_vec();
    chunk.extend((content.len() as u32).to_le_bytes());
    chunk.extend(content);
    chunk.resize(chunk.len().next_multiple_of(2), 0);
    chunk
}

/// A chunk of chunks.
fn list(name: &[u8; 4], kind: &[u8; 4], chunks: &[Vec<u8>]) -> Vec<u8> {
    chunk(name, &[&kind[..], &chunks.concat()].concat())
}

fn words(words: &[u16]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

/// A record that begins with a name of 20 bytes.
fn named(name: &str, rest: &[u8]) -> Vec<u8> {
    let mut record = name.as_bytes().to_vec();
    record.resize(20, 0);
    record.extend(rest);
    record
}

/// A SoundFont 2.01 of one preset, one instrument and one sample that goes round in a loop. Each
/// list ends with a record that marks its end.
fn font() -> Vec<u8> {
    let wave = |i: u32| (20_000.0 * (TAU * f64::from(i) / f64::from(PERIOD)).sin()) as i16;
    let (length, silence) = (40 * PERIOD, [0u8; 92]);
    let mut samples: Vec<u8> = (0..length).flat_map(|i| wave(i).to_le_bytes()).collect();
    samples.extend(silence);
    let preset = |bag: u16| [words(&[0, 0, bag]), vec![0; 12]].concat();
    let sample: Vec<u8> = [0, length, 10 * PERIOD, 30 * PERIOD, RATE]
        .iter()
        .flat_map(|at: &u32| at.to_le_bytes())
        .chain([A4, 0])
        // Linked to no other, mono.
        .chain(words(&[0, 1]))
        .collect();
    let [instrument, sample_modes, sample_id] = [41, 54, 53];
    let info = [
        chunk(b"ifil", &words(&[2, 1])),
        chunk(b"isng", b"EMU8000\0"),
        chunk(b"INAM", b"Sine\0\0"),
    ];
    let parameters = [
        chunk(b"phdr", &[named("Sine", &preset(0)), named("EOP", &preset(1))].concat()),
        chunk(b"pbag", &words(&[0, 0, 1, 0])),
        chunk(b"pmod", &[0; 10]),
        chunk(b"pgen", &words(&[instrument, 0, 0, 0])),
        chunk(b"inst", &[named("Sine", &words(&[0])), named("EOI", &words(&[1]))].concat()),
        chunk(b"ibag", &words(&[0, 0, 2, 0])),
        chunk(b"imod", &[0; 10]),
        chunk(b"igen", &words(&[sample_modes, 1, sample_id, 0, 0, 0])),
        chunk(b"shdr", &[named("Sine", &sample), named("EOS", &[0; 26])].concat()),
    ];
    let lists = [
        list(b"LIST", b"INFO", &info),
        list(b"LIST", b"sdta", &[chunk(b"smpl", &samples)]),
        list(b"LIST", b"pdta", &parameters),
    ];
    list(b"RIFF", b"sfbk", &lists)
}

/// An A4 of two seconds, then an A3.
fn primer() -> Vec<u8> {
    let note = |start, end, key| Note { start, key, end, velocity: 90, channel: 0 };
    midi::write(&Piece {
        name: "primer".into(),
        ticks_per_quarter: 480,
        notes: vec![note(0, 1920, A4), note(1920, 3840, A4 - 12)],
        drums: Vec::new(),
        tempos: vec![Tempo { at: 0, quarters_per_minute: 120.0 }],
        meters: Vec::new(),
    })
}

/// Samples of a second and the left channel of a WAV file of 16 bits and two channels.
fn left(wav: &[u8]) -> (f64, Vec<f64>) {
    assert_eq!(
        (&wav[..4], &wav[8..16], &wav[36..40]),
        (&b"RIFF"[..], &b"WAVEfmt "[..], &b"data"[..])
    );
    let number = |at: usize| u32::from_le_bytes(wav[at..at + 4].try_into().unwrap());
    assert_eq!(u16::from_le_bytes([wav[22], wav[23]]), 2, "channels");
    let sample = |frame: &[u8]| f64::from(i16::from_le_bytes([frame[0], frame[1]]));
    (f64::from(number(24)), wav[44..].chunks_exact(4).map(sample).collect())
}

/// The MIDI key whose pitch has the most power.
fn loudest_key(samples: &[f64], rate: f64) -> u8 {
    let power = |key: &u8| {
        let pitch = 440.0 * ((f64::from(*key) - 69.0) / 12.0).exp2();
        let sum = |wave: fn(f64) -> f64| -> f64 {
            let turn = |i: usize| TAU * pitch * i as f64 / rate;
            samples.iter().enumerate().map(|(i, sample)| sample * wave(turn(i))).sum()
        };
        sum(f64::sin).powi(2) + sum(f64::cos).powi(2)
    };
    (21..=108).max_by(|a, b| power(a).total_cmp(&power(b))).unwrap()
}

#[test]
fn a_composition_is_played_by_a_soundfont() {
    let place = Place::new();
    trained(&place, "joint");
    place.write("sine.sf2", font());
    place.write("primer.mid", primer());
    let compose = "compose run primer.mid --bars 1 --seed 1 --soundfont sine.sf2";
    place.gruvy(&compose.split(' ').collect::<Vec<_>>()).success();
    let (rate, samples) = left(&std::fs::read(place.path("composition.wav")).unwrap());
    let second = |from: f64| &samples[(from * rate) as usize..][..rate as usize];
    assert_eq!([0.5, 2.5].map(|from| loudest_key(second(from), rate)), [A4, A4 - 12]);
    let peak = samples.iter().fold(0.0f64, |peak, sample| peak.max(sample.abs()));
    assert!(peak > 25_000.0, "{peak}");
    // As long as the music, and the time in which it fades.
    let (piece, _) = midi::read(&Input::Path(place.path("composition.mid"))).unwrap();
    let seconds = samples.len() as f64 / rate;
    assert!((seconds - piece.seconds(piece.end()) - 1.5).abs() < 1e-3, "{seconds}");
}

#[test]
fn a_damaged_soundfont_is_named() {
    let place = Place::new();
    trained(&place, "bernoulli");
    let whole = font();
    let compose = || place.gruvy(&["compose", "run", "--bars", "1", "--soundfont", "cut.sf2"]);
    for length in [11, 100, whole.len() / 2, whole.len() - 1] {
        place.write("cut.sf2", &whole[..length]);
        let bytes = format!("{length} of {} bytes", whole.len());
        compose().error(&["cut.sf2", "SoundFont is cut off", &bytes]);
    }
    // A list whose first, or last, record leads nowhere.
    for (name, record, at) in
        [(b"phdr", 38, 24), (b"pbag", 4, 0), (b"inst", 22, 20), (b"ibag", 4, 0)]
    {
        let list = whole.windows(4).position(|four| four == name).unwrap() + 8;
        for index in [0, 1] {
            let mut bytes = whole.clone();
            bytes[list + index * record + at] = 99;
            place.write("cut.sf2", bytes);
            let name = String::from_utf8_lossy(name);
            compose().error(&["cut.sf2", "SoundFont is damaged", &format!("`{name}`")]);
        }
    }
    // Without its length, or with another, it is none.
    place.write("cut.sf2", &whole[..7]);
    compose().error(&["cut.sf2", "cannot be read as a SoundFont"]);
    let cut = [b"RIFF", &500u32.to_le_bytes()[..], &whole[8..508]].concat();
    place.write("cut.sf2", cut);
    compose().error(&["cut.sf2", "cannot be read as a SoundFont"]);
}
