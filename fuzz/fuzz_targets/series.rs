//! Any bytes as a table of series; what is read is regular.
#![no_main]
use gruvy_data::Input;
use gruvy_data::series::{SeriesFormat, read_panel};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|csv: &[u8]| {
    let Ok(panel) = read_panel(&[Input::bytes("table", csv)], &SeriesFormat::default()) else { return };
    assert!(!panel.series.is_empty());
    for series in &panel.series {
        assert!(!series.y.iter().any(|value| value.is_infinite()));
        let last = panel.frequency.at(series.start, series.y.len() - 1);
        assert_eq!(panel.frequency.steps(series.start, last), Some(series.y.len() - 1));
    }
});
