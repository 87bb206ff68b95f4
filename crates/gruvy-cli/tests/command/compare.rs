//! Several cells at the same work.
use crate::place::{Place, Said, train};
use crate::resume::wait_for_evaluations;
use serde_json::Value;
use std::fs;

/// Arguments of a comparison that takes about a second.
fn compare<'a>(out: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let mut args = train(out, &["--hidden", "16", "--cells", "gru,gru-v3"]);
    args[0] = "compare";
    args.extend(more);
    args
}

#[test]
fn a_comparison_leaves_a_table_a_picture_and_ordinary_runs() {
    let place = Place::with_text();
    let said = place.gruvy(&compare("out", &["--seeds", "2", "--json"])).json();
    assert_eq!((&said["complete"], &said["match"]), (&true.into(), &"parameters".into()));
    assert_eq!(said["seeds"], serde_json::json!([3, 4]));
    for cell in said["cells"].as_array().unwrap() {
        assert_eq!(cell["runs"].as_array().unwrap().len(), 2);
        for run in cell["runs"].as_array().unwrap() {
            for measure in
                ["epoch_s", "best_s", "train_units_per_s", "inference_steps_per_s", "file_bytes"]
            {
                assert!(run[measure].as_f64().unwrap() > 0.0, "{measure} of {run}");
            }
            assert!(run["train_s"].as_f64().unwrap() < run["elapsed_s"].as_f64().unwrap());
            assert!(run["test"]["loss"].as_f64().unwrap().is_finite());
            assert!(!run["records"].as_array().unwrap().is_empty());
        }
        let losses: Vec<f64> =
            (0..2).map(|i| cell["runs"][i]["valid"]["loss"].as_f64().unwrap()).collect();
        assert_ne!(losses[0], losses[1], "two seeds");
        let spread = &cell["summary"]["valid"]["loss"];
        let mean = (losses[0] + losses[1]) / 2.0;
        assert!((spread["mean"].as_f64().unwrap() - mean).abs() < 1e-12);
        let std = (losses[0] - losses[1]).abs() / 2f64.sqrt();
        assert!((spread["std"].as_f64().unwrap() - std).abs() < 1e-12);
    }
    let file: Value =
        serde_json::from_slice(&fs::read(place.path("out/compare.json")).unwrap()).unwrap();
    assert_eq!(file["cells"], said["cells"]);
    let picture = fs::read_to_string(place.path("out/compare.svg")).unwrap();
    assert!(picture.contains("validation loss (nats)") && picture.contains("gru-v3, 16 units"));
    let info = place.gruvy(&["info", "out/gru-v3-h16-s4", "--json"]).json();
    assert_eq!(
        (&info["spec"]["rnn"]["cell"], &info["trained"]["seed"]),
        (&"gru-v3".into(), &4.into())
    );
    assert_eq!(said["cells"][1]["parameters"], info["parameters"]);
}

#[test]
fn every_cell_can_be_compared_at_equal_hidden_size_too() {
    let place = Place::with_text();
    let cells = "gru,gru-v3,lstm,rnn,rnn-relu,mingru";
    let said =
        place.gruvy(&compare("out", &["--cells", cells, "--match", "hidden", "--json"])).json();
    let parameters: Vec<u64> = (said["cells"].as_array().unwrap().iter())
        .inspect(|cell| assert_eq!(cell["hidden"], 16))
        .map(|cell| cell["parameters"].as_u64().unwrap())
        .collect();
    let [gru, v3, lstm, rnn, relu, mingru] = parameters[..] else { panic!("{parameters:?}") };
    assert!(gru == v3 && rnn == relu && lstm > gru && gru > mingru && gru > rnn, "{parameters:?}");
}

#[test]
fn a_single_training_has_the_same_numbers() {
    let place = Place::with_text();
    let said = place.gruvy(&compare("out", &["--json"])).json();
    let alone =
        place.gruvy(&train("alone", &["--hidden", "16", "--cell", "gru-v3", "--json"])).json();
    for part in ["valid", "test"] {
        assert_eq!(said["cells"][1]["runs"][0][part], alone["outcome"][part], "{part}");
    }
}

#[test]
fn the_same_command_goes_on_and_repeats_nothing() {
    let place = Place::with_text();
    let table = place.gruvy(&compare("out", &[])).success().out;
    for part in ["gru-v3", "validation nats", "s/epoch", "Equal parameters", "compare.svg", "*"] {
        assert!(table.contains(part), "{part} is not in:\n{table}");
    }
    assert!(
        !table.contains('±') && table.lines().all(|line| line.chars().count() <= 80),
        "{table}"
    );

    // As if it had been killed in the middle of the second run, before its first checkpoint.
    let kept = fs::read(place.path("out/gru-h16-s3/result.json")).unwrap();
    for lost in ["result.json", "last.ckpt", "model.safetensors"] {
        fs::remove_file(place.path("out/gru-v3-h16-s3").join(lost)).unwrap();
    }
    let again = place.gruvy(&compare("out", &[])).success();
    assert!(again.err.contains("run 2 of 2") && !again.err.contains("run 1 of 2"), "{}", again.err);
    assert!(fs::read(place.path("out/gru-h16-s3/result.json")).unwrap() == kept);
    let nothing = place.gruvy(&compare("out", &[])).success();
    assert!(!nothing.err.contains("run 1 of 2") && nothing.out == again.out, "{}", nothing.err);

    // More seeds join; other settings do not.
    let more = place.gruvy(&compare("out", &["--seeds", "2"])).success();
    assert!(more.err.contains("run 3 of 4") && !more.err.contains("run 2 of 4"), "{}", more.err);
    place.gruvy(&compare("out", &["--lr", "0.1"])).error(&[
        "out",
        "other settings",
        "another folder",
    ]);
    place.gruvy(&compare("out", &["--match", "hidden"])).error(&["out", "--match"]);
    place.write("tales.txt", "Another text than before. ".repeat(200));
    place.gruvy(&compare("out", &[])).error(&["out", "other data"]);
}

#[cfg(unix)]
#[test]
fn ctrl_c_stops_in_a_run_and_the_same_command_goes_on_in_it() {
    use std::process::Command;
    let place = Place::with_text();
    let long = ["--epochs", "10", "--patience", "0"];
    place.gruvy(&compare("whole", &long)).success();
    let mut child = place.piped(&compare("stopped", &long)).spawn().unwrap();
    wait_for_evaluations(&place.path("stopped/gru-h16-s3"), 2, &mut child);
    Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    let said = Said::from(child.wait_with_output().unwrap()).success();
    assert!(said.out.contains("go on with") && said.out.contains("--out stopped"), "{}", said.out);
    place.gruvy(&compare("stopped", &long)).success();
    for run in ["gru-h16-s3", "gru-v3-h16-s3"] {
        let model = |out: &str| fs::read(place.path(out).join(run).join("model.safetensors"));
        assert!(model("whole").unwrap() == model("stopped").unwrap(), "{run}");
    }
}

#[test]
fn runs_that_time_ends_are_tested_as_well() {
    let place = Place::with_text();
    let said = place.gruvy(&compare("out", &["--max-minutes", "1e-9", "--json"])).json();
    assert_eq!(said["complete"], true);
    let run = &said["cells"][1]["runs"][0];
    assert_eq!(
        (&run["ended"], &run["steps"], &run["epoch_s"]),
        (&"time".into(), &0.into(), &Value::Null)
    );
    assert!(run["test"]["loss"].as_f64().unwrap() > 0.0);
}

#[test]
fn a_task_that_makes_its_own_data_needs_no_more() {
    let place = Place::new();
    let args = "compare adding --length 10 --cells gru,gru-v3 --hidden 8 --epochs 1 --train-size 100 \
                --valid-size 50 --test-size 50 --out out --json";
    let said = place.gruvy(&args.split_whitespace().collect::<Vec<_>>()).json();
    assert_eq!((&said["unit"], &said["loss"]), (&"sequences".into(), &"mse".into()));
    for cell in said["cells"].as_array().unwrap() {
        assert!(cell["summary"]["inference_steps_per_s"]["mean"].as_f64().unwrap() > 0.0);
    }
}

#[test]
fn a_tied_embedding_follows_the_hidden_size() {
    let place = Place::with_text();
    let more = ["--tied", "--embed", "16", "--cells", "gru-v3,gru", "--json"];
    let said = place.gruvy(&compare("out", &more)).json();
    assert_eq!(said["complete"], true);
}

#[test]
fn a_cell_that_diverges_does_not_end_the_comparison() {
    let place = Place::with_text();
    let more = ["--lr", "1e38", "--clip", "0", "--json", "--warmup", "0"];
    let without_json: Vec<&str> = more.into_iter().filter(|arg| *arg != "--json").collect();
    let said = place.gruvy(&compare("out", &more)).json();
    assert_eq!(said["complete"], true);
    for cell in said["cells"].as_array().unwrap() {
        assert!(cell["runs"][0]["diverged"].as_str().unwrap().contains("diverged"), "{cell}");
    }
    assert!(place.gruvy(&compare("out", &without_json)).success().out.contains("diverged after"));
}

#[test]
fn what_is_no_comparison_is_refused() {
    let place = Place::with_text();
    let with = |more: &[&'static str]| place.gruvy(&compare("out", more));
    with(&["--cells", "gru"]).error(&["cells", "at least two", "gru-v3"]);
    with(&["--cells", "gru,gru-v3,gru"]).error(&["cells", "gru is there again"]);
    with(&["--seeds", "0"]).error(&["seeds", "at least 1"]);
    with(&["--cell", "gru"]).error(&["--cells"]);
    with(&["--hidden", "0"]).error(&["hidden"]);
    with(&["--hidden", "1", "--cells", "rnn,lstm"]).error(&["hidden = 1", "too small", "lstm"]);
    let candidate = ["--candidate-dropout", "0.3", "--cells", "gru,rnn,rnn-relu"];
    with(&candidate).error(&["expected 0 with rnn and rnn-relu", "works with gru, gru-v3"]);
    let said = with(&["--cells", "gru,gro"]);
    assert_eq!(said.code, 2);
    assert!(said.err.contains("gro") && said.err.contains("gru-v3"), "{}", said.err);
    assert_eq!(with(&["--resume", "out"]).code, 2);
    let mut stdin = compare("out", &[]);
    stdin[2] = "-";
    place.gruvy(&stdin).error(&["standard input"]);
    assert!(!place.path("out").exists(), "a folder was left behind");
    place.gruvy(&train("run", &[])).success();
    place.gruvy(&compare("run", &[])).error(&["run", "single run"]);
}
