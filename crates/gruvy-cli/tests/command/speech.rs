//! Speech, as a user goes: words are tones.
use crate::place::Place;
use serde_json::{Value, json};
use std::fmt::Write;
use std::io::Write as _;
use std::process::{Command, Stdio};

const RATE: u32 = 8000;
const WORDS: [(&str, f64); 2] = [("low", 400.0), ("high", 1800.0)];

/// 16-bit samples of words with pauses.
fn said(words: &[usize], seed: usize) -> Vec<i16> {
    let mut samples = Vec::new();
    let pause = |samples: &mut Vec<i16>, n: usize| samples.resize(samples.len() + n, 0);
    pause(&mut samples, 800 + 37 * (seed % 11));
    for word in words {
        let hz = WORDS[*word].1 * (1.0 + 0.02 * (seed % 5) as f64);
        let tone = |n: usize| {
            let angle = n as f64 * hz * std::f64::consts::TAU / f64::from(RATE);
            (6000.0 * angle.sin()) as i16
        };
        samples.extend((0..1200 + 50 * (seed % 7)).map(tone));
        pause(&mut samples, 700 + 53 * (seed % 13));
    }
    samples
}

fn wav(samples: &[i16]) -> Vec<u8> {
    let data: Vec<u8> = samples.iter().flat_map(|s| s.to_le_bytes()).collect();
    let number = |n: usize| (n as u32).to_le_bytes();
    let head = [
        &b"RIFF"[..],
        &number(36 + data.len()),
        b"WAVEfmt ",
        &number(16),
        &[1, 0, 1, 0],
        &number(RATE as usize),
        &number(2 * RATE as usize),
        &[2, 0, 16, 0],
        b"data",
        &number(data.len()),
    ];
    [head.concat(), data].concat()
}

/// Recordings and a list of them.
fn recordings(place: &Place) {
    let mut list = String::new();
    for seed in 0..40usize {
        let words: Vec<usize> = (0..1 + seed % 3).map(|at| seed / (3 << at) % 2).collect();
        let name = format!("{seed}.wav");
        std::fs::write(place.path(&name), wav(&said(&words, seed))).unwrap();
        let text: Vec<&str> = words.iter().map(|word| WORDS[*word].0).collect();
        let line = json!({ "audio_filepath": name, "text": text.join(" ") });
        writeln!(list, "{line}").unwrap();
    }
    place.write("list.jsonl", &list);
}

fn train(place: &Place, more: &str) -> Value {
    let args = "train speech list.jsonl --out run --json --hidden 24 --epochs 12 --ema 0.9 --seed 3 \
                --pitch 0 --speed 0.02 --tempo 0 --warp 0";
    let args: Vec<&str> = args.split_whitespace().chain(more.split_whitespace()).collect();
    place.gruvy(&args).json()
}

#[test]
fn train_transcribe_align_listen_eval_info_inspect() {
    let place = Place::new();
    recordings(&place);
    let trained = train(&place, "");
    assert!(trained["outcome"]["test"]["wer"].as_f64().unwrap() < 0.05, "{trained}");
    std::fs::write(place.path("new.wav"), wav(&said(&[1, 0, 0], 23))).unwrap();

    let out = place.gruvy(&["transcribe", "run", "new.wav", "-q"]).success().out;
    assert_eq!(out, "high low low\n");
    let json = place.gruvy(&["transcribe", "run", "new.wav", "--json"]).json();
    let words = json["recordings"][0]["words"].as_array().unwrap().clone();
    assert_eq!(words.len(), 3, "{json}");
    let at = |word: usize, what: &str| words[word][what].as_f64().unwrap();
    assert!(at(0, "start") < at(0, "end") && at(0, "end") <= at(1, "start"), "{json}");
    assert!((0.5..=1.0).contains(&at(0, "confidence")), "{json}");
    let srt = place.gruvy(&["transcribe", "run", "new.wav", "--format", "srt", "-q"]).success().out;
    assert!(srt.starts_with("1\n00:00:00,") && srt.contains("-->"), "{srt}");
    let searched = ["transcribe", "run", "new.wav", "-q", "--beam", "8", "--phrase", "low low"];
    assert_eq!(place.gruvy(&searched).success().out, "high low low\n");

    let aligned =
        place.gruvy(&["align", "run", "new.wav", "--text", "High low low", "--json"]).json();
    assert_eq!(aligned["words"][2]["text"], "low");
    place.gruvy(&["align", "run", "new.wav", "--text", "high mid"]).error(&["`mid`"]);

    let heard = place.gruvy(&["listen", "run", "new.wav", "--json"]).success().out;
    let events: Vec<Value> =
        heard.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let finals = events.iter().filter(|event| event["event"] == "final");
    let text: Vec<&str> = finals.map(|event| event["text"].as_str().unwrap()).collect();
    assert_eq!(text.join(" "), "high low low");
    assert!(events.iter().any(|event| event["event"] == "partial"), "{heard}");

    let eval = place.gruvy(&["eval", "run", "list.jsonl", "--json"]).json();
    assert!(eval["wer"].as_f64().unwrap() < 0.05, "{eval}");
    for name in ["cer", "substitutions", "insertions", "deletions", "worst"] {
        assert!(!eval[name].is_null(), "{name}: {eval}");
    }
    assert_eq!(place.gruvy(&["info", "run", "--json"]).json()["task"], "speech");
    place.gruvy(&["inspect", "run", "new.wav", "-q"]).success();
    place.gruvy(&["inspect", "run"]).error(&["recording"]);
    let data = place.gruvy(&["train", "--resume", "run", "--epochs", "13", "--json"]).json();
    assert!(data["outcome"]["test"].is_object(), "{data}");
}

#[test]
fn silence_and_noise_give_no_words() {
    let place = Place::new();
    recordings(&place);
    train(&place, "");
    let mut state = 1u32;
    let mut noise = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        ((state >> 16) as i16) / 40
    };
    let samples: Vec<i16> =
        (0..60 * RATE).map(|n| if n < 30 * RATE { 0 } else { noise() }).collect();
    let bytes: Vec<u8> = samples.iter().flat_map(|s| s.to_le_bytes()).collect();
    let mut listening = Command::new(env!("CARGO_BIN_EXE_gruvy"))
        .args(["listen", "run"])
        .current_dir(place.path("."))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    listening.stdin.take().unwrap().write_all(&bytes).unwrap();
    let out = listening.wait_with_output().unwrap();
    let said = String::from_utf8(out.stderr).unwrap();
    assert!(out.status.success() && out.stdout.is_empty(), "{:?}", out.stdout);
    assert!(said.contains("60.0 s heard") && said.contains("real-time factor"), "{said}");
}

#[test]
fn what_speech_refuses() {
    let place = Place::new();
    recordings(&place);
    let args = |more: &[&'static str]| [&["train", "speech"], more, &["--out", "bad"]].concat();
    place.write("none.jsonl", "{\"audio_filepath\": \"gone.wav\", \"text\": \"low\"}\n");
    place.gruvy(&args(&["none.jsonl"])).error(&["gone.wav", "not there"]);
    place.write("empty.jsonl", "");
    place.gruvy(&args(&["empty.jsonl"])).error(&["empty.jsonl"]);
    place.write("silent.jsonl", "{\"audio_filepath\": \"1.wav\", \"text\": \"\"}\n");
    place.gruvy(&args(&["silent.jsonl"])).error(&["silent.jsonl", "text"]);
    let long = format!("{{\"audio_filepath\": \"1.wav\", \"text\": \"{}\"}}\n", "low ".repeat(500));
    place.write("long.jsonl", &long);
    place.gruvy(&args(&["long.jsonl"])).error(&["too short", "stride"]);
    place.write("text.wav", "this is no sound");
    place.write("text.jsonl", "{\"audio_filepath\": \"text.wav\", \"text\": \"low\"}\n");
    place.gruvy(&args(&["text.jsonl"])).error(&["text.wav", "not a recording"]);
    place.gruvy(&args(&["list.jsonl", "--label-smoothing", "0.1"])).error(&["label_smoothing"]);
    place.gruvy(&args(&["list.jsonl", "--mels", "100000"])).error(&["mels"]);
    place.gruvy(&args(&["list.jsonl", "--pitch", "99"])).error(&["pitch"]);
    place.gruvy(&["listen", "list.jsonl"]).error(&["list.jsonl"]);
}
