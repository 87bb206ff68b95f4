//! Model files of every version of the format load, and answer what they answered when they were
//! made.
//!
//! `testdata/models/README.md` says what they are.
use crate::place::{Place, Said};
use gruvy_runtime::model::FORMAT_VERSION;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Numbers of an answer may differ by this share, as instruction sets round differently; `make.py`
/// has the same.
const TOLERANCE: f64 = 1e-4;
/// Numbers nearer to 0 may differ by that share of this.
const LEAST: f64 = 1e-2;

/// `testdata/models`, with a folder for each version.
fn models() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/models")
}

/// The versions that there are files of, in their order.
fn versions() -> BTreeSet<u64> {
    let names = fs::read_dir(models()).unwrap().map(|entry| entry.unwrap().file_name());
    names.filter_map(|name| name.to_str()?.strip_prefix('v')?.parse().ok()).collect()
}

fn json(path: &Path) -> Value {
    let text =
        fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The strings in an array.
fn strings(value: &Value) -> Vec<&str> {
    value.as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect()
}

/// The cases of a version, at least one, and of every model file in its folder.
fn cases(folder: &Path) -> Vec<Value> {
    let list = json(&folder.join("cases.json"));
    let cases = list.as_array().expect("a list of cases").clone();
    assert!(!cases.is_empty(), "{}: no cases", folder.display());
    let asked: BTreeSet<&str> = cases.iter().map(|case| case["model"].as_str().unwrap()).collect();
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
    let files: BTreeSet<String> = files.map(|name| name.into_string().unwrap()).collect();
    for file in files.iter().filter(|name| name.ends_with(".safetensors")) {
        assert!(asked.contains(file.as_str()), "{}: no case of {file}", folder.display());
    }
    for file in asked {
        assert!(files.contains(file), "{}: there is no {file}", folder.display());
    }
    cases
}

/// The version that the header of a model file names.
fn version_of(model: &Path) -> u64 {
    let bytes = fs::read(model).unwrap();
    let (length, rest) = bytes.split_first_chunk::<8>().unwrap();
    let header = &rest[..u64::from_le_bytes(*length) as usize];
    let header: Value = serde_json::from_slice(header).unwrap();
    let own = header["__metadata__"]["gruvy"].as_str().unwrap();
    let own: Value = serde_json::from_str(own).unwrap();
    own["format_version"].as_u64().unwrap()
}

/// Where two answers differ, from `at` on, a line each.
fn compare(got: &Value, want: &Value, at: &str, found: &mut Vec<String>) {
    match (got, want) {
        (Value::Object(got), Value::Object(want)) => {
            for (key, want) in want {
                match got.get(key) {
                    Some(got) => compare(got, want, &format!("{at}/{key}"), found),
                    None => found.push(format!("{at}/{key}: not there, expected {want}")),
                }
            }
            for (key, got) in got.iter().filter(|(key, _)| !want.contains_key(*key)) {
                found.push(format!("{at}/{key}: {got}, expected no such key"));
            }
        }
        (Value::Array(got), Value::Array(want)) if got.len() == want.len() => {
            for (index, (got, want)) in got.iter().zip(want).enumerate() {
                compare(got, want, &format!("{at}/{index}"), found);
            }
        }
        (Value::Array(got), Value::Array(want)) => {
            found.push(format!("{at}: {} elements, expected {}", got.len(), want.len()));
        }
        _ if got == want || close(got, want) => {}
        _ => found.push(format!("{at}: {got}, expected {want}")),
    }
}

/// Whether two values are numbers, not both whole, that differ by rounding alone.
fn close(got: &Value, want: &Value) -> bool {
    let (Some(a), Some(b)) = (got.as_f64(), want.as_f64()) else { return false };
    (got.is_f64() || want.is_f64()) && (a - b).abs() <= TOLERANCE * a.abs().max(b.abs()).max(LEAST)
}

/// What a case answers otherwise than it did, a line each.
fn ask(place: &Place, folder: &Path, case: &Value) -> Vec<String> {
    let out = place.path("out");
    let args: Vec<&str> = strings(&case["args"])
        .into_iter()
        .map(|arg| if arg == "OUT" { out.to_str().unwrap() } else { arg })
        .collect();
    let output = place.piped(&args).current_dir(folder).output().unwrap();
    let said = Said::from(output);
    if said.code != 0 {
        return vec![format!("exit {}: {}", said.code, said.err.trim())];
    }
    let mut got = said.json();
    for path in strings(&case["leave_out"]) {
        let (at, key) = path.rsplit_once('/').unwrap_or(("", path));
        let at = if at.is_empty() { String::new() } else { format!("/{at}") };
        got.pointer_mut(&at).unwrap().as_object_mut().unwrap().remove(key);
    }
    let want = json(&folder.join(case["answer"].as_str().unwrap()));
    let mut found = Vec::new();
    compare(&got, &want, "", &mut found);
    found
}

#[test]
fn files_of_every_version_answer_as_they_did() {
    let (place, versions) = (Place::new(), versions());
    for version in (1..FORMAT_VERSION).chain([1]) {
        assert!(versions.contains(&version), "no model files of version {version}");
    }
    let mut found = Vec::new();
    for version in versions {
        let folder = models().join(format!("v{version}"));
        for case in cases(&folder) {
            let name = case["name"].as_str().unwrap();
            let model = folder.join(case["model"].as_str().unwrap());
            assert_eq!(version_of(&model), version, "the version of {}", model.display());
            let lines = ask(&place, &folder, &case);
            found.extend(lines.into_iter().map(|line| format!("v{version}, {name}: {line}")));
        }
    }
    assert!(found.is_empty(), "{} differences\n{}", found.len(), found.join("\n"));
}

#[test]
fn answers_are_compared_to_the_last_key() {
    let want = serde_json::json!({ "a": [1, 2.0, "x"], "b": { "c": null, "d": 1e-9 } });
    let lines = |got: Value| {
        let mut found = Vec::new();
        compare(&got, &want, "", &mut found);
        found
    };
    let same = serde_json::json!({ "a": [1, 2.0001, "x"], "b": { "c": null, "d": 5e-7 } });
    assert_eq!(lines(same), Vec::<String>::new());
    for (path, value) in [("/a/0", 2.into()), ("/a/1", 2.001.into()), ("/a/2", "y".into())] {
        let mut got = want.clone();
        *got.pointer_mut(path).unwrap() = value;
        assert!(lines(got).concat().starts_with(path));
    }
    let mut got = want.clone();
    got["b"]["e"] = 0.into();
    got["b"].as_object_mut().unwrap().remove("c");
    assert_eq!(lines(got), ["/b/c: not there, expected null", "/b/e: 0, expected no such key"]);
    let mut got = want.clone();
    got["a"].as_array_mut().unwrap().push(0.into());
    assert_eq!(lines(got), ["/a: 4 elements, expected 3"]);
}
