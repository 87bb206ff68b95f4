//! Music, as a user goes.
use crate::place::Place;
use gruvy_data::Input;
use gruvy_data::midi;
use gruvy_runtime::music::{Meter, Note, Piece, Tempo};

/// A model of the embedded tunes that takes about a second.
pub fn trained(place: &Place, head: &str) {
    let args = "train music --hidden 16 --decoder-hidden 16 --epochs 3 --out run -q --head";
    let args: Vec<&str> = args.split(' ').chain([head]).collect();
    place.gruvy(&args).success();
}

#[test]
fn train_compose_go_on_harmonize_eval_info_inspect() {
    for head in ["joint", "bernoulli"] {
        let place = Place::new();
        trained(&place, head);
        place.gruvy(&["info", "run"]).success();
        let compose = ["compose", "run", "--bars", "4", "--seed", "5", "--json"];
        let made = place.gruvy(&compose).json()["pieces"][0].clone();
        assert_eq!((&made["steps"], &made["primer_steps"]), (&32.into(), &0.into()), "{made}");
        let files: Vec<&str> =
            made["files"].as_array().unwrap().iter().map(|file| file.as_str().unwrap()).collect();
        let beside = ["composition.mid", "composition.svg", "composition.png", "composition.wav"];
        assert_eq!(files, beside);
        let midi = std::fs::read(place.path("composition.mid")).unwrap();
        assert!(midi.starts_with(b"MThd"));
        assert!(place.read("composition.svg").contains("</svg>"));
        // The same seed makes the same again, in a file that the doctor finds nothing wrong with.
        place.gruvy(&[
            "compose",
            "run",
            "--bars",
            "4",
            "--seed",
            "5",
            "-o",
            "b.mid",
            "--no-preview",
        ]);
        assert_eq!(std::fs::read(place.path("b.mid")).unwrap(), midi);
        assert!(!place.path("b.wav").exists());
        let doctor = place.gruvy(&["data", "b.mid", "--json"]).json();
        assert_eq!(doctor["files"][0]["verdict"], "ok", "{doctor}");
        // On from there, and with other voices under it.
        let args = ["compose", "run", "b.mid", "--seconds", "3", "--count", "2", "-q", "--json"];
        let pieces = place.gruvy(&args).json()["pieces"].clone();
        assert_eq!(pieces.as_array().unwrap().len(), 2);
        assert_eq!(pieces[1]["files"][0], "composition-2.mid");
        let primer = pieces[0]["primer_steps"].as_u64().unwrap();
        assert_eq!(pieces[0]["steps"].as_u64().unwrap() - primer, 12, "3 s of eighths at 120");
        let args = ["harmonize", "run", "b.mid", "--tries", "2", "--voices", "3", "--no-preview"];
        place.gruvy(&args).success();
        let metrics = place.gruvy(&["eval", "run", "b.mid", "--json"]).json();
        assert!(metrics["nats_per_step"].as_f64().unwrap() > 0.0, "{metrics}");
        place.gruvy(&["inspect", "run", "b.mid", "-q"]).success();
        place.gruvy(&["inspect", "run", "-q"]).success();
    }
}

#[test]
fn events_are_learned_and_performed() {
    let place = Place::new();
    trained(&place, "events");
    let info = place.gruvy(&["info", "run", "--json"]).json();
    assert_eq!(
        (&info["task"], &info["codec"]["longest"]),
        (&"music".into(), &200.into()),
        "{info}"
    );
    let args = ["compose", "run", "--seconds", "6", "--seed", "5", "--json"];
    let made = place.gruvy(&args).json()["pieces"][0].clone();
    assert_eq!((&made["seconds"], &made["primer_seconds"]), (&6.0.into(), &0.0.into()), "{made}");
    assert!(place.read("composition.svg").contains("</svg>"));
    let midi = std::fs::read(place.path("composition.mid")).unwrap();
    let args = ["compose", "run", "--seconds", "6", "--seed", "5", "-o", "b.mid", "--no-preview"];
    place.gruvy(&args).success();
    assert_eq!(std::fs::read(place.path("b.mid")).unwrap(), midi);
    let doctor = place.gruvy(&["data", "b.mid", "--json"]).json();
    assert_eq!(doctor["files"][0]["verdict"], "ok", "{doctor}");
    let args =
        ["compose", "run", "b.mid", "--seconds", "2", "--voices", "2", "--key", "C", "--json"];
    let on = place.gruvy(&args).json()["pieces"][0].clone();
    assert!(on["primer_seconds"].as_f64().unwrap() > 1.0, "{on}");
    let metrics = place.gruvy(&["eval", "run", "b.mid", "--json"]).json();
    assert!(metrics["nats_per_event"].as_f64().unwrap() > 0.0, "{metrics}");
    place.gruvy(&["inspect", "run", "b.mid", "-q"]).success();
    place.gruvy(&["inspect", "run", "-q"]).success();
    // What events have not.
    place.gruvy(&["compose", "run", "--bars", "4"]).error(&["bars = 4", "seconds"]);
    place.gruvy(&["compose", "run", "--tempo", "90"]).error(&["tempo = 90", "leave it out"]);
    place.gruvy(&["harmonize", "run", "b.mid"]).error(&["head", "joint"]);
    let args = ["train", "music", "--head", "events", "--grid", "1/16", "--out", "no"];
    place.gruvy(&args).error(&["grid = 1/16", "events"]);
}

#[test]
fn a_report_says_what_was_copied() {
    for (head, unit) in [("joint", "step"), ("events", "event")] {
        let place = Place::new();
        trained(&place, head);
        let args = "compose run --seconds 8 --count 2 --seed 1 --no-preview --report r.html --json";
        let report = place.gruvy(&args.split(' ').collect::<Vec<_>>()).json()["report"].clone();
        assert_eq!(
            (&report["unit"], report["pieces"].as_array().unwrap().len()),
            (&unit.into(), 2)
        );
        assert!(report["held_back"]["longest"].as_u64().unwrap() > 0, "{report}");
        let apart = report["distances"].as_array().unwrap();
        let share =
            |of: &serde_json::Value| (0.0..=1.0).contains(&of["composed"].as_f64().unwrap());
        assert!(apart.len() == 5 && apart.iter().all(share), "{report}");
        let page = place.read("r.html");
        assert!(page.contains("Piece 2") && page.contains("first-order Markov chain"));
        let words =
            place.gruvy(&args.split(' ').filter(|arg| *arg != "--json").collect::<Vec<_>>());
        assert!(
            words.out.contains("keys at once") && words.out.contains("r.html"),
            "{}",
            words.out
        );
        // Of a model alone nobody knows what it learned from: nothing is written.
        std::fs::copy(place.path("run/model.safetensors"), place.path("alone.safetensors"))
            .unwrap();
        let args = ["compose", "alone.safetensors", "-o", "no.mid", "--report", "no.html"];
        place.gruvy(&args).error(&["alone.safetensors", "give the folder of the run"]);
        assert!(!place.path("no.mid").exists() && !place.path("no.html").exists());
    }
}

#[test]
fn piano_rolls_are_learned_and_measured_by_part() {
    let place = Place::new();
    let piece = "[60],[60,64],[60,64,67],[],".repeat(5);
    let piece = format!("[{}]", piece.trim_end_matches(','));
    let pieces = |count: usize| vec![piece.clone(); count].join(",");
    let json =
        format!(r#"{{"train":[{}],"valid":[{}],"test":[{}]}}"#, pieces(6), pieces(2), pieces(3));
    place.write("rolls.json", json);
    let args = "train music rolls.json --hidden 16 --epochs 4 --batch 2 --ensemble 2 --out runs";
    place.gruvy(&args.split(' ').collect::<Vec<_>>()).success();
    let steps = |part: &str| {
        let args = ["eval", "runs", "rolls.json", "--part", part, "--json"];
        let metrics = place.gruvy(&args).json();
        assert_eq!(metrics["models"], 2, "{metrics}");
        metrics["steps"].as_u64().unwrap()
    };
    assert_eq!([steps("train"), steps("valid"), steps("test")], [6 * 19, 2 * 19, 3 * 19]);
    place.gruvy(&["eval", "runs"]).error(&["give the music"]);
}

#[test]
fn what_cannot_be_composed_is_said() {
    let place = Place::new();
    trained(&place, "joint");
    place.write("no.mid", "no music");
    place.gruvy(&["compose", "run", "no.mid"]).error(&["no.mid"]);
    place.gruvy(&["compose", "run", "--key", "H dorian"]).error(&["key = H dorian", "F#m"]);
    place
        .gruvy(&["compose", "run", "--bars", "4", "--seconds", "3"])
        .error(&["seconds = 3", "not both"]);
    place
        .gruvy(&["compose", "run", "--bars", "18446744073709551615"])
        .error(&["bars = ", "at most"]);
    place.gruvy(&["compose", "run", "--voices", "89"]).error(&["voices = 89", "at most 88"]);
    place.gruvy(&["compose", "run", "--soundfont", "no.mid"]).error(&["no.mid", "SoundFont"]);
    let args = ["harmonize", "run", "no.mid", "--bars", "4"];
    let said = place.gruvy(&args);
    assert!(said.code == 2 && said.err.contains("unexpected argument '--bars'"), "{}", said.err);
    place.gruvy(&["inspect", "run", "--text", "C D E"]).error(&["MIDI"]);
    let args = ["train", "music", "no.mid", "--out", "other"];
    place.gruvy(&args).error(&["no.mid"]);
}

/// A file of quarters, 480 ticks each, one after another.
fn quarters(keys: &[u8]) -> Piece {
    let note = |(key, start): (&u8, u64)| Note {
        start,
        key: *key,
        end: start + 480,
        velocity: 90,
        channel: 0,
    };
    Piece {
        name: "quarters".into(),
        ticks_per_quarter: 480,
        notes: keys.iter().zip((0..).step_by(480)).map(note).collect(),
        drums: Vec::new(),
        tempos: Vec::new(),
        meters: Vec::new(),
    }
}

#[test]
fn a_primer_keeps_its_tempos_and_meters() {
    let place = Place::new();
    trained(&place, "joint");
    let tempo = |at, quarters_per_minute| Tempo { at, quarters_per_minute };
    let meter = |at, beats| Meter { at, beats, unit: 4 };
    let tempos = vec![tempo(0, 60.0), tempo(1920, 120.0)];
    let meters = vec![meter(0, 4), meter(1920, 3)];
    let keys = [60, 62, 64, 65, 67, 65, 64];
    let primer = Piece { tempos: tempos.clone(), meters: meters.clone(), ..quarters(&keys) };
    place.write("primer.mid", midi::write(&primer));
    let doctor = place.gruvy(&["data", "primer.mid", "--json"]).json()["files"][0].clone();
    assert_eq!((&doctor["length"], &doctor["meter"]), (&5.5.into(), &"3/4, 4/4".into()));
    // Seven quarters, and two bars of three.
    let compose = |more: &[&str]| {
        let args = ["compose", "run", "primer.mid", "--seed", "1", "--json"];
        let made = place.gruvy(&[&args[..], more].concat()).json()["pieces"][0].clone();
        let (piece, mended) = midi::read(&Input::Path(place.path("composition.mid"))).unwrap();
        assert_eq!((mended.len(), &piece.meters), (0, &meters));
        (made["steps"].as_u64().unwrap(), made["seconds"].as_f64().unwrap(), piece.tempos)
    };
    assert_eq!(compose(&["--bars", "2"]), (14 + 12, 5.5 + 3.0, tempos));
    let wav = std::fs::read(place.path("composition.wav")).unwrap();
    let (bytes, rate) = ((wav.len() - 44) as f64, 44_100.0);
    assert!(bytes / 2.0 / rate > 5.5, "{bytes}");
    assert_eq!(compose(&["--seconds", "3", "--no-preview"]).0, 14 + 12);
    let (_, seconds, tempos) = compose(&["--bars", "2", "--tempo", "80", "--no-preview"]);
    assert_eq!((seconds, tempos), (13.0 * 0.75, vec![tempo(0, 80.0)]));
}

#[test]
fn keys_that_were_not_learned_are_said_with_what_helps() {
    let place = Place::new();
    trained(&place, "joint");
    let info = place.gruvy(&["info", "run", "--json"]).json();
    place.gruvy(&["info", "run"]).success().out.find("learned from B2 to Bb5").unwrap();
    let learned = &info["codec"]["learned"];
    assert!(learned["voices"] == 1 && learned["keys"].as_array().unwrap().len() > 20, "{learned}");
    place.write("high.mid", midi::write(&quarters(&[96, 100, 103])));
    place.write("partly.mid", midi::write(&quarters(&[60, 64, 67, 94])));
    for verb in ["compose", "harmonize"] {
        let with = |more: &[&str]| place.gruvy(&[&[verb, "run"], more, &["--no-preview"]].concat());
        with(&["high.mid"]).error(&[
            "music is C7, E7, G7",
            "which the model learned",
            "--transpose -24",
        ]);
        let moved = with(&["high.mid", "--transpose", "-24"]).success();
        assert!(!moved.err.contains("learned"), "{}", moved.err);
        let partly = with(&["partly.mid"]).success();
        for part in ["learned the keys", "of Bb6 means nothing", "--transpose -12"] {
            assert!(partly.err.contains(part), "{part}: {}", partly.err);
        }
        let many = with(&["partly.mid", "--voices", "4", "--transpose", "-12"]).success();
        assert!(many.err.contains("from one key at a time: 4 voices"), "{}", many.err);
        with(&["high.mid", "--transpose", "80"]).error(&["no note on the 88 keys"]);
        let beyond = with(&["partly.mid", "--transpose", "-44"]);
        assert!(beyond.err.contains("left out: 2"), "{}", beyond.err);
    }
}
