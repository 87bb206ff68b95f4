//! The memory tasks, as a user goes.
use crate::place::Place;

/// Arguments of a training of a task that takes well under a second.
fn tiny<'a>(task: &'a str, more: &'a str) -> Vec<&'a str> {
    let mut args = vec!["train", task];
    let small = "--length 6 --train-size 64 --valid-size 10 --test-size 20 --hidden 8 --batch 8";
    args.extend(small.split(' ').chain("--epochs 2 --out run".split(' ')));
    args.extend(more.split_whitespace());
    args
}

#[test]
fn train_eval_info() {
    for (task, metric) in [("adding", "mse"), ("copy", "accuracy")] {
        let place = Place::new();
        let trained = place.gruvy(&tiny(task, "--json")).json();
        let test = trained["outcome"]["test"].clone();
        assert!(test["loss"].is_f64() && test["baseline"].is_f64(), "{test}");
        // Without a seed these are the sequences that the run was tested on.
        let eval = place.gruvy(&["eval", "run", "--count", "20", "--json"]).json();
        assert_eq!(eval, test);
        let other = place.gruvy(&["eval", "run", "--count", "20", "--seed", "5", "--json"]).json();
        assert_ne!(other["loss"], eval["loss"]);
        let words = place.gruvy(&["eval", "run"]).success().out;
        assert!(words.contains("baseline") && words.contains("1,000 sequences"), "{words}");
        assert!(words.contains(metric), "{words}");
        let info = place.gruvy(&["info", "run", "--json"]).json();
        assert_eq!((&info["task"], &info["codec"]["length"]), (&task.into(), &6.into()));
        place.gruvy(&["info", "run"]).success();
        let said = place.gruvy(&["train", "--resume", "run"]).success();
        assert!(said.out.contains("eval run"), "{}", said.out);
        place.gruvy(&["train", task, "--resume", "run", "--epochs", "3"]).success();
    }
}

#[test]
fn what_these_tasks_refuse() {
    let place = Place::with_text();
    let with = |more| place.gruvy(&tiny("adding", more));
    with("--length 1").error(&["length is 1", "2 to"]);
    with("--train-fraction 0.5").error(&["train_fraction = 0.5", "train_size"]);
    with("--label-smoothing 0.1").error(&["label_smoothing = 0.1", "labels"]);
    with("--chrono 2").error(&["chrono = 2", "at least 3"]);
    assert_eq!(with("tales.txt").code, 2, "there is no DATA");
    assert!(!place.path("run").exists(), "a run folder was left behind");
    with("").success();
    place.gruvy(&["generate", "run"]).error(&["run", "`adding`", "`text`"]);
    place.gruvy(&["eval", "run", "tales.txt"]).error(&["tales.txt", "its own data"]);
    place.gruvy(&["eval", "run", "--count", "0"]).error(&["count is 0"]);
    place.gruvy(&["train", "copy", "--resume", "run"]).error(&["run.toml", "`adding`", "`copy`"]);
    place.write("my.toml", "task = \"adding\"\n[data]\npaths = [\"tales.txt\"]\n");
    with("--out other --config my.toml").error(&["tales.txt", "its own data"]);
}

#[test]
fn help_says_each_tasks_own_defaults() {
    let place = Place::new();
    let help = |task| place.gruvy(&["train", task, "--help"]).success().out;
    assert!(help("text").contains("[default: 0.2]"));
    let adding = help("adding");
    assert!(adding.contains("--length <T>") && !adding.contains("[default: 0.2]"), "{adding}");
}
