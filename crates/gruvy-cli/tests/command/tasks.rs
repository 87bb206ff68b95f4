//! Settings and flags belong to tasks: each takes its own, and refuses those of others with a word.
use crate::place::Place;

#[test]
fn eval_takes_the_flags_of_the_models_task() {
    let place = Place::with_model();
    place.gruvy(&["eval", "run", "tales.txt", "--last", "10"]).success();
    let said = place.gruvy(&["eval", "run", "tales.txt", "--label-column", "x"]);
    said.error(&["--label-column has no meaning", "task `text`", "--last"]);
    place.gruvy(&["eval", "run", "tales.txt", "--count", "3"]).error(&["--count", "`text`"]);
    let tiny =
        "train adding --length 4 --hidden 2 --epochs 1 --train-size 20 --valid-size 5 --out add";
    place.gruvy(&tiny.split(' ').collect::<Vec<_>>()).success();
    place.gruvy(&["eval", "add", "--count", "3", "--seed", "2"]).success();
    let said = place.gruvy(&["eval", "add", "--last", "10"]);
    said.error(&["--last has no meaning", "task `adding`", "--count"]);
}

#[test]
fn settings_are_checked_alike_wherever_they_come_from() {
    let place = Place::with_text();
    let train = |more: &[&str]| {
        place.gruvy(&[&["train", "text", "tales.txt", "--out", "out"][..], more].concat())
    };
    train(&["--hidden", "0"]).error(&["hidden = 0", "at least 1"]);
    train(&["--hidden", "-7"]).error(&["hidden = -7", "at least 1"]);
    train(&["--hidden", "many"]).error(&["hidden = many", "at least 1"]);
    train(&["--dropout", "NaN"]).error(&["dropout = NaN", "less than 1"]);
    train(&["--split", "90/5"]).error(&["split = 90/5", "90/5/5"]);
    std::fs::write(place.path("a.toml"), "task = \"text\"\n[train]\nhidden = 0\n").unwrap();
    train(&["--config", "a.toml"]).error(&["hidden = 0", "at least 1"]);
    assert!(!place.path("out").exists(), "a folder was left behind");
}
