//! Every bad input: exit 2, one message that names it, nothing lost.
use crate::place::{Place, train};
use std::fs;

#[test]
fn data_that_cannot_be_learned_from() {
    let place = Place::with_text();
    let with = |file: &'static str, more: &[&'static str]| {
        let mut args = train("run", more);
        args[2] = file;
        place.gruvy(&args)
    };
    place.write("empty.txt", "");
    with("empty.txt", &[]).error(&["empty"]);
    place.write("short.txt", "Too short.");
    with("short.txt", &["--seq-len", "64"]).error(&["9 tokens", "65", "seq_len"]);
    place.write("latin1.txt", [b"caf\xe9 ".repeat(500), b"\n".to_vec()].concat());
    with("latin1.txt", &["--unit", "char"]).error(&["latin1.txt", "UTF-8", "byte 3", "line 1"]);
    with("nowhere.txt", &[]).error(&["nowhere.txt", "No such file"]);
    assert!(!place.path("run").exists(), "a run folder was left behind");
}

#[test]
fn settings_that_make_no_sense() {
    let place = Place::with_text();
    let with = |more: &[&'static str]| place.gruvy(&train("run", more));
    with(&["--hidden", "0"]).error(&["hidden", "at least 1"]);
    with(&["--tied", "--embed", "5"]).error(&["tied", "hidden"]);
    with(&["--zoneout", "1"]).error(&["zoneout", "less than 1"]);
    with(&["--recurrent-dropout=-0.1"]).error(&["recurrent_dropout", "-0.1"]);
    with(&["--candidate-dropout", "1"]).error(&["candidate_dropout", "less than 1"]);
    with(&["--candidate-dropout", "0.3", "--cell", "rnn"])
        .error(&["candidate_dropout = 0.3: expected 0 with rnn", "gru, gru-v3, lstm, mingru"]);
    with(&["--weight-dropout", "NaN"]).error(&["weight_dropout", "NaN"]);
    with(&["--label-smoothing", "1"]).error(&["label_smoothing", "1"]);
    with(&["--train-fraction", "0"]).error(&["train_fraction", "above 0"]);
    place.write("bad.toml", "[train]\nhiden = 8\n");
    with(&["--config", "bad.toml"]).error(&["bad.toml", "hiden"]);
    let said = with(&["--cell", "gruu"]);
    assert_eq!(said.code, 2);
    assert!(said.err.contains("gru-v3"), "{}", said.err);
    with(&["--split", "90/5"]).error(&["split = 90/5: expected three percentages"]);
    with(&["--hidden", "5x"]).error(&["hidden = 5x: expected a whole number, at least 1"]);
    with(&["--epochs", "-7"]).error(&["epochs = -7: expected a whole number, at least 1"]);
    let forecast = ["train", "forecast", "tales.txt", "--freq", "fortnight"];
    place.gruvy(&forecast).error(&["freq = fortnight: expected s, min, h,"]);
    let said = with(&["--threads", "0"]);
    assert_eq!(said.code, 2);
    assert!(said.err.contains("expected a whole number, at least 1"), "{}", said.err);
    place.gruvy(&["train"]).error(&["train text FILE"]);
    assert!(!place.path("run").exists(), "a run folder was left behind");
}

#[test]
fn run_folders_are_not_overwritten_by_accident() {
    let place = Place::with_model();
    let before = fs::read(place.path("run/model.safetensors")).unwrap();
    place.gruvy(&train("run", &[])).error(&["run", "--resume", "--force"]);
    assert!(fs::read(place.path("run/model.safetensors")).unwrap() == before);
    place.gruvy(&train("run", &["--force", "--hidden", "6"])).success();
    let info = place.gruvy(&["info", "run", "--json"]).json();
    assert_eq!(info["spec"]["rnn"]["hidden_size"], 6);
}

#[test]
fn output_that_cannot_be_written() {
    let place = Place::with_text();
    // Below a file there can be no folder, not even for root.
    place.gruvy(&train("tales.txt/run", &[])).error(&["tales.txt/run"]);
    place.gruvy(&train("tales.txt", &[])).error(&["tales.txt"]);
}

#[test]
fn files_that_are_something_else() {
    let place = Place::with_model();
    fs::create_dir(place.path("folder")).unwrap();
    place.gruvy(&["train", "forecast", "folder"]).error(&["folder", "give the files in it"]);
    let classify = ["train", "classify", "--resume", "run"];
    place.gruvy(&classify).error(&["run.toml", "of the task `text`, expected `classify`"]);
    place
        .gruvy(&["train", "text", "tales.txt", "--out", "tales.txt/run"])
        .error(&["tales.txt/run"]);
    let inspect = ["inspect", "run", "--text", "The fox", "--svg", "nowhere/a.svg"];
    place.gruvy(&inspect).error(&["there is no folder nowhere; create it first"]);
}

#[test]
fn damaged_models() {
    let place = Place::with_model();
    let check = |name: &str, parts: &[&str]| {
        place.gruvy(&["generate", name]).error(&[&[name][..], parts].concat());
        place.gruvy(&["info", name]).error(parts);
        place.gruvy(&["eval", name, "tales.txt"]).error(parts);
    };
    let good = fs::read(place.path("run/model.safetensors")).unwrap();
    let edited = |name: &str, edit: fn(&mut serde_json::Value)| {
        place.write(name, &good);
        place.edit_header(name, edit);
    };

    place.write("truncated", &good[..good.len() - 100]);
    check("truncated", &["truncated", "expected"]);
    place.write("head", &good[..good.len().min(40)]);
    check("head", &["truncated"]);
    edited("shape", |header| {
        header["head.weight"]["shape"].as_array_mut().unwrap().reverse();
    });
    check("shape", &["head.weight", "shape", "[8, "]);
    edited("missing", |header| {
        let tensors = header.as_object_mut().unwrap();
        let moved = tensors.remove("head.bias").unwrap();
        tensors.insert("head.bios".into(), moved);
    });
    check("missing", &["head.bias", "missing"]);
    edited("version", |header| {
        let gruvy = header["__metadata__"]["gruvy"].as_str().unwrap();
        let newer = gruvy.replace("\"format_version\":2", "\"format_version\":99");
        assert_ne!(gruvy, newer);
        header["__metadata__"]["gruvy"] = newer.into();
    });
    check("version", &["version 99", "versions 1 to 2"]);
    edited("hidden", |header| {
        let gruvy = header["__metadata__"]["gruvy"].as_str().unwrap();
        let zero = gruvy.replace("\"hidden_size\":8", "\"hidden_size\":0");
        assert_ne!(gruvy, zero);
        header["__metadata__"]["gruvy"] = zero.into();
    });
    check("hidden", &["hidden_size", "0"]);
    let mut nan = good.clone();
    let end = nan.len();
    nan[end - 4..].copy_from_slice(&f32::NAN.to_le_bytes());
    place.write("nan", nan);
    check("nan", &["NaN", "finite"]);
    place.write("text", "This is a letter, not a model. It is long enough to have a length.");
    check("text", &["not a safetensors file"]);
    check("nowhere", &["nowhere", "No such file"]);
    fs::create_dir(place.path("folder")).unwrap();
    check("folder", &["folder", "no model"]);
}

#[test]
fn sampling_that_makes_no_sense() {
    let place = Place::with_model();
    let with = |more: &[&'static str]| place.gruvy(&[&["generate", "run"], more].concat());
    with(&["--temperature=-1"]).error(&["temperature", "-1"]);
    with(&["--top-k", "0"]).error(&["top_k"]);
    with(&["--top-p", "1.5"]).error(&["top_p", "1.5"]);
    assert_eq!(with(&["--samples", "0"]).code, 2);
}

#[test]
fn evaluation_needs_text() {
    let place = Place::with_model();
    place.write("one.txt", "T");
    place.gruvy(&["eval", "run", "one.txt"]).error(&["2", "1"]);
    place.gruvy(&["eval", "run", "nowhere.txt"]).error(&["nowhere.txt"]);
    place.gruvy(&["eval", "run"]).error(&["run", "text model"]);
}

/// Every whole number of every task, as large as it can be typed: an error, or a run that ends.
#[test]
fn numbers_beyond_reason_end_in_a_sentence() {
    let place = Place::new();
    let days = (0..60).map(|t| format!("2024-{:02}-{:02},{}\n", 1 + t / 28, 1 + t % 28, t % 7));
    place.write("series.csv", ["ds,y\n".to_owned()].into_iter().chain(days).collect::<String>());
    let items = (0..40).map(|t| format!("a soup {},{}\n", t % 7, t % 2));
    place.write(
        "items.csv",
        ["text,label\n".to_owned()].into_iter().chain(items).collect::<String>(),
    );
    place.write("text.txt", "the quick brown fox. ".repeat(200));
    let tasks = [
        ("text", "text.txt"),
        ("classify", "items.csv"),
        ("forecast", "series.csv"),
        ("adding", ""),
        ("copy", ""),
    ];
    for (task, data) in tasks {
        let help = place.gruvy(&["train", task, "--help"]).success().out;
        let flags = help.split_whitespace().collect::<Vec<_>>();
        let whole =
            |pair: &&[&str]| pair[0].starts_with("--") && ["<N>", "<T>", "<H>"].contains(&pair[1]);
        for name in flags.windows(2).filter(whole).map(|pair| pair[0]) {
            for value in ["18446744073709551615", "1000000000000"] {
                let mut args = vec!["train", task];
                args.extend([data].into_iter().filter(|data| !data.is_empty()));
                args.extend(["--max-minutes", "0.005", "--out", "run", "--force", "-q"]);
                if data.is_empty() {
                    args.extend(["--length", "5", "--train-size", "20", "--valid-size", "5"]);
                    args.extend(["--test-size", "0"]);
                }
                args.extend(["--hidden", "8", name, value]);
                let said = place.gruvy(&args);
                assert!(matches!(said.code, 0..=2), "{args:?}: {} {}", said.code, said.err);
                assert!(!said.err.contains("panicked"), "{args:?}: {}", said.err);
            }
        }
    }
}

/// As in training, of the commands that use a model: each ends within seconds.
#[test]
fn numbers_beyond_reason_end_whatever_the_command() {
    let place = Place::with_model();
    let days = (0..60).map(|t| format!("2024-{:02}-{:02},{}\n", 1 + t / 28, 1 + t % 28, t % 7));
    place.write("s.csv", ["ds,y\n".to_owned()].into_iter().chain(days).collect::<String>());
    let items = (0..40).map(|t| format!("a soup {},{}\n", t % 7, t % 2));
    place.write("c.csv", ["text,label\n".to_owned()].into_iter().chain(items).collect::<String>());
    for train in [
        "train forecast s.csv --horizon 3 --hidden 4 --epochs 1 --out days",
        "train classify c.csv --hidden 4 --epochs 1 --out items",
        "train adding --length 5 --train-size 20 --valid-size 5 --test-size 0 --hidden 4 \
         --epochs 1 --out sums",
    ] {
        place.gruvy(&train.split_whitespace().collect::<Vec<_>>()).success();
    }
    for (command, more) in [
        ("generate run", "-l 3"),
        ("forecast days", ""),
        ("forecast days", "--paths 2"),
        ("backtest days", "--out page.html"),
        ("eval days", ""),
        ("eval sums", ""),
        ("predict items c.csv", ""),
        ("inspect days", "--out page.html"),
        (
            "compare adding",
            "--length 5 --train-size 20 --valid-size 5 --hidden 4 --max-minutes 0.01",
        ),
        ("bench", "--shapes step --cells gru"),
    ] {
        let name = command.split(' ').next().unwrap();
        let mut help = vec![name, "--help"];
        help.splice(1..1, (name == "compare").then_some("adding"));
        let help = place.gruvy(&help).success().out;
        let words: Vec<&str> = help.split_whitespace().collect();
        let takes = |pair: &&[&str]| {
            pair[0].starts_with("--") && ["<N>", "<T>", "<H>", "<S>"].contains(&pair[1])
        };
        for flag in words.windows(2).filter(takes).map(|pair| pair[0]) {
            for value in ["18446744073709551615", "1000000000000"] {
                let given = command.split(' ').chain(more.split_whitespace());
                let args: Vec<&str> = given.chain(["-q", flag, value]).collect();
                let said = place.gruvy(&args);
                assert!(matches!(said.code, 0..=2), "{args:?}: {} {}", said.code, said.err);
                assert!(!said.err.contains("panicked"), "{args:?}: {}", said.err);
            }
        }
    }
}
