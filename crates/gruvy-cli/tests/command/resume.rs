//! Killed, interrupted, spread over threads: the run ends with the same bits.
use crate::place::{Place, Said, records, train};
use std::fs;
use std::path::Path;
use std::process::Child;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Long enough to be hit in the middle, with checkpoints at evaluations and between them.
pub const LONG: [&str; 6] = ["--epochs", "10", "--save-every", "0.02", "--patience", "0"];

/// Waits until a run has been evaluated so many times.
pub fn wait_for_evaluations(run: &Path, count: usize, child: &mut Child) {
    let start = Instant::now();
    let lines =
        || fs::read_to_string(run.join("metrics.jsonl")).unwrap_or_default().lines().count();
    while lines() < count {
        assert!(start.elapsed() < Duration::from_secs(60), "no evaluation after a minute");
        assert!(child.try_wait().unwrap().is_none(), "the run ended before it could be hit");
        sleep(Duration::from_millis(2));
    }
}

fn assert_same_run(a: &Path, b: &Path) {
    assert_eq!(records(a), records(b));
    let model = |run: &Path| fs::read(run.join("model.safetensors")).unwrap();
    assert!(model(a) == model(b), "the models differ");
}

#[test]
fn a_killed_run_ends_with_the_same_bits() {
    let place = Place::with_text();
    place.gruvy(&train("whole", &LONG)).success();
    let mut child = place.command(&train("killed", &LONG)).spawn().unwrap();
    for evaluations in [2, 5] {
        wait_for_evaluations(&place.path("killed"), evaluations, &mut child);
        child.kill().unwrap();
        child.wait().unwrap();
        child = place.command(&["train", "--resume", "killed"]).spawn().unwrap();
    }
    assert!(child.wait().unwrap().success());
    assert_same_run(&place.path("whole"), &place.path("killed"));
}

#[cfg(unix)]
#[test]
fn ctrl_c_saves_and_says_how_to_go_on() {
    use std::process::Command;
    let place = Place::with_text();
    place.gruvy(&train("whole", &LONG)).success();
    let mut child = place.piped(&train("stopped", &LONG)).spawn().unwrap();
    wait_for_evaluations(&place.path("stopped"), 2, &mut child);
    Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    let said = Said::from(child.wait_with_output().unwrap()).success();
    assert!(said.out.contains("train --resume stopped"), "{}", said.out);
    place.gruvy(&["train", "--resume", "stopped"]).success();
    assert_same_run(&place.path("whole"), &place.path("stopped"));
}

#[test]
fn threads_do_not_change_the_bits() {
    let place = Place::with_text();
    place.gruvy(&train("one", &["--threads", "1"])).success();
    place.gruvy(&train("three", &["--threads", "3"])).success();
    assert_same_run(&place.path("one"), &place.path("three"));
}

#[test]
fn only_the_limits_can_change_when_resuming() {
    let place = Place::with_model();
    let more = ["train", "text", "--resume", "run", "--epochs", "3"];
    let said = place.gruvy(&[&more[..], &["--json"]].concat()).json();
    assert_eq!(said["outcome"]["ended"], "epochs");
    let epochs: Vec<f64> =
        records(&place.path("run")).iter().map(|r| r["epoch"].as_f64().unwrap()).collect();
    assert_eq!(epochs.last(), Some(&3.0));
    place.gruvy(&[&more[..], &["--hidden", "9"]].concat()).error(&["--resume", "only --epochs"]);
    place.gruvy(&["train", "text", "tales.txt", "--resume", "run"]).error(&["--resume"]);
    let more = ["train", "--resume", "run", "--epochs", "4", "--json"];
    assert_eq!(place.gruvy(&more).json()["outcome"]["ended"], "epochs");
    let epochs = records(&place.path("run")).last().unwrap()["epoch"].clone();
    assert_eq!(epochs, 4.0);
    place.gruvy(&["train", "--epochs", "4", "text"]).error(&["`gruvy train text --epochs 4`"]);
    place.gruvy(&["train", "--resume", "nothing"]).error(&["nothing", "no run"]);
}

#[test]
fn a_run_that_its_time_ended_goes_on_as_it_says() {
    let place = Place::with_text();
    let said = place.gruvy(&train("run", &["--max-minutes", "1e-9"])).success().out;
    let line = said.lines().find_map(|line| line.strip_prefix("go on ")).unwrap();
    let (_, args) = line.split_once(" train ").unwrap();
    let again: Vec<&str> = ["train"].into_iter().chain(args.split(' ')).collect();
    let said = place.gruvy(&again).success().out;
    assert!(said.contains("finished after"), "{said}");
}

/// What a setting names is named from the folder of the first command; run.toml has it from the root.
#[test]
fn a_run_with_files_of_its_own_to_validate_on_goes_on() {
    let place = Place::with_text();
    place.write("valid.txt", place.read("tales.txt"));
    let once = ["--valid", "valid.txt", "--epochs", "400", "--max-minutes", "1e-9"];
    place.gruvy(&train("run", &once)).success();
    let said =
        place.gruvy(&["train", "text", "--resume", "run", "--epochs", "2", "--max-minutes", "0"]);
    said.success();
}
