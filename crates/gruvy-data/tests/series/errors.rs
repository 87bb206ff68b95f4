//! What cannot be right: each error says where, what, and what to do.
use crate::{format, guessed, read, read_files, refused};
use gruvy_data::series::SeriesFormat;
use gruvy_runtime::series::Panel;

fn tried(csv: &str) -> Result<Panel, String> {
    read(csv, &SeriesFormat::default())
}

#[test]
fn an_empty_file() {
    for csv in ["", "\n\n", "\u{feff}", "\r\n"] {
        refused(tried(csv), "sales.csv", &["the file is empty", "expected a header and rows"]);
    }
}

#[test]
fn a_header_and_nothing_else() {
    refused(tried("ds,y\n"), "sales.csv", &["a header and no row below it"]);
}

#[test]
fn no_header() {
    refused(tried("1,2\n3,4\n"), "sales.csv, line 1", &["no header", "write the columns' names"]);
}

#[test]
fn two_columns_of_one_name() {
    refused(tried("ds,y,y\n1,2,3\n"), "sales.csv", &["two columns are named `y`"]);
}

#[test]
fn a_ragged_row() {
    refused(
        tried("ds,y\n1,2\n\n2,3,4\n"),
        "sales.csv, line 4",
        &["3 cells, the header 2", "quotes"],
    );
    refused(tried("ds,y\n1\n"), "sales.csv, line 2", &["1 cells, the header 2"]);
    refused(
        tried("id,1,2\na,1,2,3\n"),
        "sales.csv, line 2, series `a`",
        &["4 cells, the header 3"],
    );
}

#[test]
fn a_quote_that_stays_open() {
    refused(tried("ds,y\n1,2\n\"2,3\n3,4\n"), "sales.csv, line 3", &["never closed", "close it"]);
}

#[test]
fn a_line_after_a_value_of_several_lines() {
    refused(
        tried("ds,y,note\n1,2,\"a\nb\"\n2,x,c\n"),
        "sales.csv, line 4, series `sales`",
        &["column `y` is `x`"],
    );
}

#[test]
fn text_that_is_not_utf8() {
    refused(
        read(b"ds,y\n1,2\n2,\xff3\n", &SeriesFormat::default()),
        "sales.csv, line 3",
        &["not valid UTF-8", "save the table as UTF-8"],
    );
}

#[test]
fn a_column_that_is_not_there() {
    for asked in [
        r#"{"target":["sold"]}"#,
        r#"{"id":"sold"}"#,
        r#"{"time":"sold"}"#,
        r#"{"past":["sold"]}"#,
        r#"{"ignore":["sold"]}"#,
        r#"{"layout":"rows","id":"sold"}"#,
    ] {
        let result = read("ds,y\n1,2\n", &format(asked));
        refused(result, "sales.csv", &["no column `sold`", "there are `ds`, `y`"]);
    }
}

#[test]
fn a_later_file_without_the_column_of_the_series() {
    let files = [("one.csv", "unique_id,ds,y\na,1,1\na,2,2\n"), ("two.csv", "ds,y\n1,2\n")];
    refused(
        read_files(&files, &SeriesFormat::default()),
        "two.csv",
        &["no column `unique_id`", "there are `ds`, `y`"],
    );
}

#[test]
fn a_value_that_is_no_number() {
    refused(
        tried("unique_id,ds,y\na,1,2\na,2,many\n"),
        "sales.csv, line 3, series `a`",
        &["column `y` is `many`", "expected a number"],
    );
    refused(tried("sold\n2\n1,5\n"), "sales.csv, line 3", &["2 cells, the header 1"]);
    refused(
        tried("ds;sold\n1;2,5\n"),
        "sales.csv, line 2, series `sales`",
        &["`2,5`", "decimal point"],
    );
    refused(tried("id,1,2\na,1,x\n"), "sales.csv, line 2, series `a`", &["column `2` is `x`"]);
}

#[test]
fn an_infinite_value() {
    for value in ["inf", "-Infinity", "1e999"] {
        refused(
            tried(&["ds,y\n1,2\n2,", value, "\n"].concat()),
            "sales.csv, line 3, series `sales`",
            &["column `y` is ", "expected a finite number"],
        );
    }
}

#[test]
fn several_columns_of_numbers_and_no_target() {
    refused(
        tried("ds,sold,price,wind\n1,2,3,NW\n2,3,4,NE\n"),
        "sales.csv",
        &[
            "several columns hold numbers: `sold`, `price`",
            "`wind` does not: `NW` in line 2",
            "setting `target`",
        ],
    );
    refused(
        tried("unique_id,ds,sold,price\na,1,2,3\na,2,3,4\n"),
        "sales.csv",
        &["`sold`, `price`;", "setting `target`"],
    );
}

#[test]
fn no_column_of_numbers() {
    refused(
        tried("ds,wind,rain\n1,NW,no\n2,NE,no\n"),
        "sales.csv",
        &["no column is left that holds numbers", "setting `target`"],
    );
}

#[test]
fn no_value_at_all() {
    refused(tried("unique_id,ds,y\na,1,NA\na,2,\n"), "sales.csv", &["no series has a value"]);
}

#[test]
fn a_row_without_the_name_of_its_series() {
    let asked = format(r#"{"id":"unique_id"}"#);
    refused(
        read("unique_id,ds,y\na,1,2\n,2,3\n", &asked),
        "sales.csv, line 3",
        &["the series has no name"],
    );
    refused(tried("id,1,2\na,1,2\n,1,2\n"), "sales.csv, line 3", &["the series has no name"]);
}

#[test]
fn a_row_of_a_series_that_is_there() {
    refused(
        tried("id,1,2\na,1,2\nb,1,2\na,3,4\n"),
        "sales.csv, line 4, series `a`",
        &["there twice, first in line 2"],
    );
}

#[test]
fn a_stamp_that_is_there_twice() {
    refused(
        tried("unique_id,ds,y\na,2020-01-02,1\nb,2020-01-01,1\na,2020-01-01,2\na,2020-01-02,3\n"),
        "sales.csv, line 5, series `a`",
        &["2020-01-02 is there twice, first in line 2", "keep one row", "setting `id`"],
    );
}

#[test]
fn a_stamp_between_the_steps() {
    refused(
        tried("unique_id,ds,y\na,2020-01-01,1\na,2020-02-01,2\na,2020-03-01,3\na,2020-03-15,4\n"),
        "sales.csv, line 5, series `a`",
        &["mixed frequencies", "2020-03-15", "use the setting `freq`"],
    );
}

#[test]
fn series_of_other_frequencies() {
    let mut csv = "unique_id,ds,y\n".to_owned();
    for day in 1..=9 {
        csv += &format!("daily,2020-01-0{day},1\n");
    }
    for day in [1, 8, 15, 22] {
        csv += &format!("weekly,2020-01-{day:02},1\n");
    }
    refused(
        tried(&csv),
        "sales.csv, line 12, series `weekly`",
        &["mixed frequencies", "7 of D", "use the setting `freq`"],
    );
    let daily = read(&csv, &format(r#"{"freq":"D"}"#)).unwrap();
    assert_eq!(daily.series[1].y.len(), 22);
}

#[test]
fn one_stamp_shows_no_frequency() {
    refused(
        tried("ds,y\n2020-01-01,1\n"),
        "sales.csv, line 2, series `sales`",
        &["show no frequency", "setting `freq`"],
    );
    assert_eq!(guessed("ds,y\n1,5\n").series[0].y, [5.0]);
}

#[test]
fn a_frequency_that_the_stamps_do_not_have() {
    for (freq, name) in [("1", "1"), ("10", "10")] {
        refused(
            read("ds,y\n2020-01-01,1\n2020-02-01,2\n", &format(&format!(r#"{{"freq":"{freq}"}}"#))),
            "sales.csv, line 2, series `sales`",
            &[
                "2020-01-01 is no stamp of the frequency ",
                name,
                "another value of the setting `freq`",
            ],
        );
    }
}

#[test]
fn stamps_far_apart() {
    refused(
        tried("ds,y\n1,1\n2,2\n3,2\n900000000000,3\n"),
        "sales.csv, line 5, series `sales`",
        &["4 rows spread over 900000000000 steps", "correct the stamps"],
    );
}

#[test]
fn a_time_that_cannot_be_read() {
    refused(tried("ds,y\n2020-01-01,1\nsoon,2\n"), "sales.csv, line 3", &["`soon` is no time"]);
    refused(tried("Month,y\n1-Jan,1\n1-Feb,2\n"), "sales.csv, line 2", &["`1-Jan` names a month"]);
    refused(tried("ds,y\n2020-01-01,1\n,2\n"), "sales.csv, line 3", &["the time is missing"]);
    refused(
        tried("year,month,y\n2010,1,1\n2010,13,2\n"),
        "sales.csv, line 3",
        &["`2010 13` is no time"],
    );
}

#[test]
fn a_date_that_can_be_two() {
    refused(
        tried("ds,y\n01/02/2020,1\n01/03/2020,2\n"),
        "sales.csv, line 2",
        &["DD/MM/YYYY or MM/DD/YYYY", "write them as YYYY-MM-DD"],
    );
    let files =
        [("one.csv", "ds,y\n2020-02-01,1\n"), ("two.csv", "ds,y\n2020-02-02,1\n01/02/2020,2\n")];
    refused(
        read_files(&files, &SeriesFormat::default()),
        "two.csv, line 3",
        &["DD/MM/YYYY or MM/DD/YYYY"],
    );
}

#[cfg(not(feature = "parquet"))]
#[test]
fn a_parquet_file_without_parquet() {
    for name in ["sales.parquet", "sales.PQ", "sales.dat"] {
        refused(
            read_files(&[(name, "PAR1")], &SeriesFormat::default()),
            name,
            &["built without Parquet", "the feature `parquet`"],
        );
    }
}
