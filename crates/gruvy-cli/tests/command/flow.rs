//! From a text file to generated text, as a user goes.
use crate::place::{Place, Said, records, train};
use std::fs;
use std::io::{Read, Write};
use std::process::Stdio;

#[test]
fn train_generate_eval_info() {
    let place = Place::with_text();
    let trained = place.gruvy(&train("run", &["--json"])).json();
    assert_eq!(trained["outcome"]["ended"], "epochs");
    for file in ["model.safetensors", "last.ckpt", "metrics.jsonl", "run.toml", "curves.svg"] {
        assert!(place.path("run").join(file).exists(), "{file}");
    }

    let write = |seed| {
        place.gruvy(&["generate", "run", "-p", "The ", "-l", "80", "--seed", seed]).success().out
    };
    let text = write("1");
    assert!(text.starts_with("The "), "{text}");
    // The prompt, eighty characters and a line end.
    assert_eq!(text.chars().count(), 4 + 80 + 1);
    assert_eq!(text, write("1"));
    assert_ne!(text, write("2"));

    let eval = place.gruvy(&["eval", "run", "tales.txt", "--json"]).json();
    let value = |name: &str| eval[name].as_f64().unwrap();
    let length = fs::metadata(place.path("tales.txt")).unwrap().len();
    assert_eq!(eval["tokens"].as_u64().unwrap(), length - 1);
    assert!((value("perplexity") - value("loss_nats").exp()).abs() < 1e-9);
    let bits = value("loss_nats") / std::f64::consts::LN_2;
    assert!((value("bits_per_char") - bits).abs() < 1e-9);
    // The validation loss of the training is that of the exported model on the same part.
    assert!(value("loss_nats") < 3.0, "{eval}");
    let last = place.gruvy(&["eval", "run", "tales.txt", "--last", "10", "--json"]).json();
    assert_eq!(last["tokens"].as_u64().unwrap(), (length as f64 * 0.1).round() as u64 - 1);

    let info = place.gruvy(&["info", "run/model.safetensors", "--json"]).json();
    assert_eq!(info["spec"]["rnn"]["hidden_size"], 8);
    assert_eq!(info["trained"]["seed"], 3);
    assert!(place.gruvy(&["info", "run"]).success().out.contains("8 units"));
}

#[test]
fn every_sample_is_that_of_its_own_seed() {
    let place = Place::with_model();
    let samples = |seed: &str, n: &str| {
        let args = ["generate", "run", "-l", "40", "--json", "--seed", seed, "--samples", n];
        place.gruvy(&args).json()["samples"].as_array().unwrap().clone()
    };
    let three = samples("5", "3");
    assert_eq!(three.len(), 3);
    assert_ne!(three[0]["text"], three[1]["text"]);
    assert_eq!(three[2], samples("7", "1")[0]);
}

#[test]
fn settings_come_from_the_file_and_flags_lie_on_top() {
    let place = Place::with_text();
    place.write("my.toml", "[train]\nhidden = 6\nlayers = 2\n[text]\nseq_len = 16\n");
    let args = "train text tales.txt --config my.toml --layers 1 --batch 4 --epochs 1 --out run -q";
    place.gruvy(&args.split(' ').collect::<Vec<_>>()).success();
    let info = place.gruvy(&["info", "run", "--json"]).json();
    assert_eq!(info["spec"]["rnn"]["hidden_size"], 6);
    assert_eq!(info["spec"]["rnn"]["num_layers"], 1);
}

#[test]
fn every_unit_can_be_trained_and_written() {
    let place = Place::with_text();
    for unit in ["byte", "bpe"] {
        place.gruvy(&train(unit, &["--unit", unit, "--vocab-size", "270"])).success();
        let said = place.gruvy(&["generate", unit, "-p", "The f\u{f6}x", "-l", "9", "--seed", "1"]);
        assert!(said.success().out.starts_with("The f\u{f6}x"));
    }
}

#[test]
fn data_can_come_from_stdin() {
    let place = Place::with_text();
    let mut args = train("run", &[]);
    args[2] = "-";
    let mut child = place.command(&args).stdin(Stdio::piped()).spawn().unwrap();
    let text = fs::read(place.path("tales.txt")).unwrap();
    child.stdin.take().unwrap().write_all(&text).unwrap();
    assert!(child.wait().unwrap().success());
    place.gruvy(&train("file", &[])).success();
    assert_eq!(records(&place.path("run")), records(&place.path("file")));
}

#[test]
fn unseen_characters_are_named_and_harmless() {
    let place = Place::with_model();
    let said = place.gruvy(&["generate", "run", "-p", "The \u{df}?", "-l", "5"]).success();
    assert!(said.err.contains("'\u{df}'") && said.err.contains("'?'"), "{}", said.err);
    assert!(said.out.starts_with("The \u{df}?"));
}

#[test]
fn a_reader_that_leaves_is_no_error() {
    let place = Place::with_model();
    let mut child = place.piped(&["generate", "run", "-l", "100000"]).spawn().unwrap();
    let mut some = [0; 10];
    child.stdout.take().unwrap().read_exact(&mut some).unwrap();
    let said = Said::from(child.wait_with_output().unwrap()).success();
    assert_eq!(said.err, "");
}
