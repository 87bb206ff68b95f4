//! Files that continue one another, and files under other names.
use crate::panel_of;
use gruvy_data::Input;
use gruvy_data::series::{SeriesFormat, read_panel};
use gruvy_runtime::series::Panel;
use proptest::prelude::*;

/// What is read from parts of a table, each with its header, apart from what is said.
fn parts(header: &str, parts: &[String]) -> Panel {
    let input = |(at, rows): (usize, &String)| {
        Input::bytes(format!("part{at}.csv"), format!("{header}\n{rows}").into_bytes())
    };
    let inputs: Vec<Input> = parts.iter().enumerate().map(input).collect();
    let panel = read_panel(&inputs, &SeriesFormat::default()).unwrap();
    Panel { notes: Vec::new(), ..panel }
}

#[test]
fn a_table_is_read_alike_under_any_name() {
    let csv = "ds,y\n2020-01-01,1\n2020-01-02,2\n";
    assert_eq!(panel_of("sales.csv", csv).unwrap(), panel_of("newer.csv", csv).unwrap());
}

#[test]
fn rows_that_every_file_counts_anew_are_one_series_and_names_that_count_are_several() {
    let months = ["1,2020-01-01,5\n2,2020-01-02,6\n", "1,2020-01-03,7\n2,2020-01-04,8\n"];
    let panel = parts("id,ds,y", &months.map(str::to_owned));
    assert_eq!((panel.series.len(), &panel.series[0].y[..]), (1, &[5.0, 6.0, 7.0, 8.0][..]));
    let days = ["1,2020-01-01,5\n2,2020-01-01,6\n", "1,2020-01-02,7\n2,2020-01-02,8\n"];
    let panel = parts("id,ds,y", &days.map(str::to_owned));
    assert_eq!((panel.series.len(), &panel.series[1].y[..]), (2, &[6.0, 8.0][..]));
}

proptest! {
    #[test]
    fn a_file_split_anywhere_equals_the_whole(
        cut in 1usize..39,
        again in 0usize..40,
        kind in 0usize..5,
    ) {
        let row = |t: usize| match kind {
            0 => format!("2020-{:02}-{:02},{}\n", 1 + t / 28, 1 + t % 28, t * 7 % 11),
            1 => format!("{},2020-01-{:02},{t}\n", ["a", "b"][t % 2], 1 + t / 2),
            // Days above the twelfth come late, and a column that counts the rows is no series.
            2 => format!("{t},{:02}/01/2020,{t}.5\n", 1 + t % 31),
            // No time: the order of the rows.
            3 => format!("{},x{t}\n", t * 3 % 7),
            _ => format!("2020-01-01 {:02}:{:02},{},{}\n", t / 4, t % 4 * 15, t % 5, t % 3),
        };
        let header = ["ds,y", "unique_id,ds,y", "id,Date,y", "y,word", "date,north,south"][kind];
        let steps = if kind == 2 { 31 } else { 40 };
        let rows: Vec<String> = (0..steps).map(row).collect();
        let cut = cut.min(steps - 1);
        let whole = parts(header, &[rows.concat()]);
        let split = parts(header, &[rows[..cut].concat(), rows[cut..].concat()]);
        // Missing values are equal as text.
        prop_assert_eq!(format!("{whole:?}"), format!("{split:?}"));
        // Rows that both files have count once, where a time tells that they are the same.
        let back = cut.saturating_sub(again);
        if kind != 3 {
            let overlapping = parts(header, &[rows[..cut].concat(), rows[back..].concat()]);
            prop_assert_eq!(format!("{whole:?}"), format!("{overlapping:?}"));
        }
    }
}
