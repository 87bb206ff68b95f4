//! Music, as a user goes.
use crate::place::Place;

/// A model of the embedded tunes that takes about a second.
fn trained(place: &Place, head: &str) {
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
