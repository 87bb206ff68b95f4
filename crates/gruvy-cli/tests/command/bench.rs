//! How fast the kernels are. What they reach is no test's business.
use crate::place::Place;

#[test]
fn a_row_for_each_shape_work_and_cell() {
    let place = Place::new();
    let args = ["bench", "--cells", "gru,lstm,mingru", "--shapes", "step,series"];
    let few = ["--seconds", "0.0001", "--threads", "1"];
    let said = place.gruvy(&[&args[..], &few, &["--json"]].concat());
    assert!(said.err.contains("measuring series train"), "{}", said.err);
    let said = said.json();
    assert_eq!(said["threads"], 1);
    let roof = said["roof_gflops"].as_f64().unwrap();
    let rows = said["rows"].as_array().unwrap();
    let name = |row: &serde_json::Value| {
        [&row["shape"]["name"], &row["work"], &row["cell"]].map(|v| v.as_str().unwrap().to_owned())
    };
    let names: Vec<_> = rows.iter().map(name).collect();
    let expected = [("step", "step"), ("series", "forward"), ("series", "train")];
    let expected = expected.into_iter().flat_map(|(shape, work)| {
        ["gru", "lstm", "mingru"].map(|cell| [shape, work, cell].map(str::to_owned))
    });
    assert_eq!(names, expected.collect::<Vec<_>>());
    for row in rows {
        let number = |key: &str| row[key].as_f64().unwrap();
        assert!(0.0 < number("min_s") && number("min_s") <= number("median_s"), "{row}");
        assert!((number("share_of_roof") - number("gflops") / roof).abs() < 1e-9, "{row}");
        assert_eq!(number("over_lstm") == 1.0, row["cell"] == "lstm", "{row}");
    }
    let said = place.gruvy(&[&args[..], &few].concat()).success();
    for word in ["roof: ", "1 thread,", "series 64, 168, 16, 64", "mingru", "of LSTM's time"] {
        assert!(said.out.contains(word), "{word}: {}", said.out);
    }
}

#[test]
fn wrong_values_are_named() {
    let place = Place::new();
    place.gruvy(&["bench", "--seconds", "0"]).error(&["seconds", "above 0"]);
    place.gruvy(&["bench", "--seconds", "NaN"]).error(&["seconds"]);
    for (flag, value, hint) in [
        ("--shapes", "huge", "charlm"),
        ("--cells", "gruu", "gru-v3"),
        ("--seconds", "x", "--seconds"),
    ] {
        let said = place.gruvy(&["bench", flag, value]);
        assert_eq!(said.code, 2);
        assert!(said.err.contains(value) && said.err.contains(hint), "{}", said.err);
    }
}
