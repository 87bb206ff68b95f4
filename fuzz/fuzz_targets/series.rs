//! Any bytes as a table of series, of the name and with the settings that the first two bytes
//! choose; what is read is regular, and its stamps are written.
#![no_main]
mod quiet;

use gruvy_data::Input;
use gruvy_data::series::{SeriesFormat, read_series};
use libfuzzer_sys::fuzz_target;

const NAMES: [&str; 5] = ["table", "table.csv", "table.tsv", "table.parquet", "table.csv.gz"];
const ASKED: [&str; 12] = [
    "{}",
    r#"{"time_zone":"Europe/Berlin"}"#,
    r#"{"time_zone":"America/New_York","freq":"h"}"#,
    r#"{"layout":"columns"}"#,
    r#"{"layout":"rows"}"#,
    r#"{"layout":"long","fill":"seasonal"}"#,
    r#"{"freq":"D","fill":"linear"}"#,
    r#"{"freq":"BM"}"#,
    r#"{"freq":"SM"}"#,
    r#"{"id":"id","time":"ds","target":["y","z"],"statics":["s"],"past":["p"],"future":["f"]}"#,
    r#"{"found":{"layout":"long","time":["ds"],"target":["y"],"day_first":true,"offset":3600,"zone":"Europe/Berlin","name":"a"}}"#,
    r#"{"found":{"layout":"columns","time":["year","month"],"target":["y","z"]}}"#,
];

fuzz_target!(init: quiet::parquet(), |bytes: &[u8]| {
    let [name, asked, bytes @ ..] = bytes else { return };
    let name = NAMES[usize::from(*name) % NAMES.len()];
    let asked = ASKED[usize::from(*asked) % ASKED.len()];
    let format: SeriesFormat = serde_json::from_str(asked).expect("the settings are right");
    let Ok((panel, found)) = read_series(&[Input::bytes(name, bytes)], &format) else { return };
    assert!(!panel.series.is_empty());
    for series in &panel.series {
        assert!(!series.y.iter().any(|value| value.is_infinite()));
        let last = panel.frequency.at(series.start, series.y.len() - 1);
        assert_eq!(panel.frequency.steps(series.start, last), Some(series.y.len() - 1));
        assert!(!found.written(panel.frequency, last).is_empty());
    }
});
