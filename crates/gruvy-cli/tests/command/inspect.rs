//! `gruvy inspect`, as a user calls it.
use crate::place::{Place, train};
use std::fs;
use std::io::Write;
use std::process::Stdio;

#[test]
fn a_page_and_pictures_of_a_text_model() {
    let place = Place::with_model();
    let said = place.gruvy(&["inspect", "run", "tales.txt"]).success();
    assert!(
        said.out.contains("half-lives") && said.out.contains("run/inspect.html"),
        "{}",
        said.out
    );
    assert!(said.err.contains("first 400 of"), "{}", said.err);
    let page = fs::read_to_string(place.path("run/inspect.html")).unwrap();
    assert!(page.contains("update gate") && !page.contains("http"));

    // The same text in UTF-16 with its mark.
    let wide = "\u{feff}".to_owned() + &place.read("tales.txt");
    place.write("wide.txt", wide.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>());
    let again = place.gruvy(&["inspect", "run", "wide.txt", "--json"]).json();
    assert_eq!(
        again["losses"],
        place.gruvy(&["inspect", "run", "tales.txt", "--json"]).json()["losses"]
    );

    let files = ["--out", "p.html", "--svg", "p.svg", "--png", "p.png"];
    let text = ["inspect", "run/model.safetensors", "--text", "The fox saw the hen."];
    place.gruvy(&[&text[..], &files].concat()).success();
    assert!(fs::read_to_string(place.path("p.svg")).unwrap().ends_with("</svg>\n"));
    assert_eq!(fs::read(place.path("p.png")).unwrap()[1..4], *b"PNG");
    assert!(place.path("p.html").exists() && !place.path("inspect.html").exists());
    place.gruvy(&text).success();
    assert!(place.path("inspect.html").exists());
}

#[test]
fn the_numbers_come_as_json_and_from_stdin() {
    let place = Place::with_model();
    let args = ["inspect", "run", "-", "--json", "--steps", "9", "--units", "3", "--layer", "0"];
    let mut child = place.piped(&args).stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"The hen saw the fox.\n").unwrap();
    let report: serde_json::Value =
        serde_json::from_slice(&child.wait_with_output().unwrap().stdout).unwrap();
    assert_eq!(report["labels"][0], "T");
    assert_eq!(report["losses"].as_array().unwrap().len(), 9);
    let map = &report["layers"][0]["maps"][1];
    assert_eq!(
        (map["name"].as_str(), map["rows"][2].as_array().unwrap().len()),
        (Some("update gate"), 9)
    );
    assert_eq!(report["layers"][0]["half_lives"].as_array().unwrap().len(), 8);
    assert!(report["flow"][0]["norms"].as_array().unwrap().len() > 5);
    assert!(!place.path("run/inspect.html").exists());
}

#[test]
fn several_models_are_put_side_by_side() {
    let place = Place::with_model();
    place.gruvy(&train("v3", &["--cell", "gru-v3"])).success();
    let args =
        ["inspect", "run", "v3", "--gradient-flow", "--text", "The fox saw the hen and the crow."];
    let said = place.gruvy(&[&args[..], &["--png", "f.png"]].concat()).success();
    assert!(
        said.out.contains("gru, 8 units") && said.out.contains("gru-v3, 8 units"),
        "{}",
        said.out
    );
    assert!(place.path("f.png").exists() && place.path("gradient-flow.html").exists());
}

#[test]
fn a_generated_task_makes_its_own_input() {
    let place = Place::new();
    let train = "train adding --length 12 --hidden 6 --epochs 1 --train-size 40 --valid-size 10 \
                 --test-size 10 --batch 10 --out add -q";
    place.gruvy(&train.split_whitespace().collect::<Vec<_>>()).success();
    let losses = |seed| {
        let report = place.gruvy(&["inspect", "add", "--json", "--seed", seed]).json();
        assert_eq!(report["labels"].as_array().unwrap().len(), 12);
        report["losses"].clone()
    };
    assert_eq!(losses("5"), losses("5"));
    assert_ne!(losses("5"), losses("6"));
    place.gruvy(&["inspect", "add", "--text", "1 + 1"]).error(&["adding", "--seed"]);
}

#[test]
fn a_forecast_model_reads_a_window() {
    let place = Place::new();
    let day = |i: usize| format!("2023-{:02}-{:02},{}\n", 2 + i / 28, 1 + i % 28, i % 7);
    place.write("s.csv", format!("ds,y\n{}", (0..56).map(day).collect::<String>()));
    let train = "train forecast s.csv --horizon 3 --hidden 4 --epochs 1 --out f -q";
    place.gruvy(&train.split(' ').collect::<Vec<_>>()).success();
    let report = place.gruvy(&["inspect", "f", "--json"]).json();
    let labels = report["labels"].as_array().unwrap();
    assert_eq!(labels.last().unwrap(), "-1");
    assert_eq!(report["layers"][0]["norms"].as_array().unwrap().len(), labels.len());
    let said = place.gruvy(&["inspect", "f", "s.csv"]).success();
    assert!(said.out.contains("f/inspect.html"), "{}", said.out);
    assert!(said.err.contains("answers once"), "{}", said.err);
    place.gruvy(&["inspect", "f", "--text", "1, 2"]).error(&["series", "table"]);
}

#[test]
fn inputs_that_cannot_be_inspected() {
    let place = Place::with_model();
    let inspect = |more: &[&str]| place.gruvy(&[&["inspect", "run"], more].concat());
    inspect(&["--text", "The \u{df}"]).error(&["run", "character 5", "seen"]);
    inspect(&["--text", ""]).error(&["0 tokens", "at least 2"]);
    inspect(&["--text", "T"]).error(&["1 tokens", "at least 2"]);
    place.write("latin1.txt", b"The caf\xe9");
    inspect(&["latin1.txt"]).error(&["UTF-8"]);
    inspect(&["nowhere.txt"]).error(&["nowhere.txt", "No such file"]);
    inspect(&["--layer", "1", "--text", "The fox"]).error(&["layer", "0 to 0"]);
    inspect(&["--units", "0", "--text", "The fox"]).error(&["units", "at least 1"]);
    inspect(&["tales.txt", "--text", "The fox"]).error(&["two inputs", "tales.txt"]);
    inspect(&["tales.txt", "run"]).error(&["--gradient-flow"]);
    inspect(&["--gradient-flow", "--text", "Th"]).error(&["longer input"]);
    inspect(&["--gradient-flow", "--layer", "0"]).error(&["--layer"]);
    place.gruvy(&["inspect", "tales.txt", "--text", "The"]).error(&["tales.txt", "safetensors"]);
    inspect(&["--text", "The fox", "--out", "tales.txt/page.html"]).error(&["tales.txt/page.html"]);
    assert!(!place.path("run/inspect.html").exists());

    place.gruvy(&train("bytes", &["--unit", "byte"])).success();
    inspect(&["bytes", "--gradient-flow", "--text", "The fox saw"]).error(&["run", "vocabular"]);
}

#[test]
fn without_an_input_a_model_reads_what_it_knows_of_the_embedded_tales() {
    let place = Place::new();
    // No letter of the tales but these, and no full stop.
    place.write("few.txt", "the hen and the net ".repeat(200));
    let train = "train text few.txt --unit char --hidden 4 --seq-len 16 --epochs 1 --out few";
    place.gruvy(&train.split(' ').collect::<Vec<_>>()).success();
    place.gruvy(&["inspect", "few"]).success();
    let said = place.gruvy(&["inspect", "few", "--text", "the ox"]);
    said.error(&["character 5 of the text is none that the model has seen"]);
}
