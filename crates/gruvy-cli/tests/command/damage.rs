//! Two commands at one folder, sizes beyond the memory, data that are gone: a clear word, and
//! nothing is lost.
use crate::place::{Place, Said, train};
use crate::resume::{LONG, wait_for_evaluations};
use std::fs;
use std::io::Write;
use std::process::Stdio;

#[test]
fn a_run_that_is_going_on_is_not_resumed_or_replaced() {
    let place = Place::with_text();
    let mut child = place.command(&train("run", &LONG)).spawn().unwrap();
    wait_for_evaluations(&place.path("run"), 1, &mut child);
    let holder = format!("process {}", child.id());
    place.gruvy(&["train", "--resume", "run"]).error(&["run is in use by", &holder, "--out"]);
    place.gruvy(&train("run", &["--force"])).error(&["run is in use by", &holder]);
    child.kill().unwrap();
    child.wait().unwrap();
    place.gruvy(&["train", "--resume", "run"]).success();
    assert!(!place.path("run/.lock").exists());
}

#[test]
fn trainings_at_the_same_time_choose_different_names() {
    let place = Place::with_text();
    let mut args = train("run", &[]);
    args.drain(3..5);
    let children: Vec<_> = (0..3).map(|_| place.piped(&args).spawn().unwrap()).collect();
    for child in children {
        Said::from(child.wait_with_output().unwrap()).success();
    }
    for name in ["tales", "tales-2", "tales-3"] {
        assert!(place.path("runs").join(name).join("model.safetensors").exists(), "{name}");
    }
    assert_eq!(fs::read_dir(place.path("runs")).unwrap().count(), 3);
}

#[test]
fn a_training_that_never_started_leaves_no_folder() {
    let place = Place::with_text();
    place.gruvy(&["train", "text", "no.txt"]).error(&["no.txt"]);
    place.gruvy(&train("deep/run", &["--seq-len", "1000000"])).error(&["seq_len"]);
    assert!(!place.path("runs").exists() && !place.path("deep").exists());
}

#[test]
fn a_network_beyond_the_memory_is_refused_before_it_is_made() {
    let place = Place::with_text();
    place.gruvy(&train("run", &["--hidden", "5000000"])).error(&["takes at least", "of memory"]);
    place.gruvy(&train("run", &["--hidden", "18446744073709551615"])).error(&["hidden", "at most"]);
    assert!(!place.path("run").exists());
}

#[test]
fn suggested_commands_can_be_copied() {
    let place = Place::with_text();
    let said = place.gruvy(&train("my run", &[])).success();
    assert!(said.out.contains("generate 'my run'"), "{}", said.out);
    place.gruvy(&["generate", "my run", "-t", "-1"]).error(&["temperature"]);
    let said = place.gruvy(&["--version"]).success();
    assert!(said.out.starts_with("gruvy "), "{}", said.out);
}

#[test]
fn data_that_came_through_standard_input_are_asked_for() {
    let place = Place::new();
    let days = (1..29).map(|day| format!("2024-02-{day:02},{}\n", 100 + day % 7));
    let table = format!("ds,y\n{}", days.collect::<String>());
    let mut args = vec!["train", "forecast", "-", "--out", "run"];
    args.extend("--horizon 2 --hidden 4 --epochs 1".split(' '));
    let mut child = place.piped(&args).stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(table.as_bytes()).unwrap();
    Said::from(child.wait_with_output().unwrap()).success();
    place.gruvy(&["forecast", "run"]).error(&["standard input", "give the series"]);
    place.write("days.csv", &table);
    let many = ["forecast", "run", "days.csv", "--paths", "18446744073709551615"];
    place.gruvy(&many).error(&["takes at least", "of memory"]);
}
