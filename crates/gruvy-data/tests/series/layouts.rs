//! How series lie in tables, how columns are found, and what is said of it.
use crate::{format, guessed, is, noted, read, read_files};
use gruvy_data::series::{Layout, SeriesFormat};
use gruvy_runtime::series::Frequency;
use std::f64::consts::PI;

const NAN: f64 = f64::NAN;

#[test]
fn a_long_table_has_a_row_per_observation() {
    let panel = guessed(
        "unique_id,ds,y\nb,2020-01-01,1\nb,2020-02-01,2.5\na,2020-02-01,-3e2\na,2020-03-01,4\n",
    );
    assert_eq!(panel.frequency.to_string(), "MS");
    is(&panel.series[0], "b", "2020-01-01", &[1.0, 2.5]);
    is(&panel.series[1], "a", "2020-02-01", &[-300.0, 4.0]);
    noted(&panel, &["time `ds`", "series `unique_id`", "values `y`"]);
    noted(&panel, &["frequency MS"]);
}

#[test]
fn a_single_series_has_the_name_of_its_column_whatever_its_file() {
    let panel = guessed("Month,#Passengers\n1949-01,112\n1949-02,118\n");
    is(&panel.series[0], "sales", "1949-01-01", &[112.0, 118.0]);
    noted(&panel, &["time `Month`", "values `#Passengers`"]);
    let panel = super::panel_of("air", "Month,#Passengers\n1949-01,112\n1949-02,118\n").unwrap();
    is(&panel.series[0], "#Passengers", "1949-01-01", &[112.0, 118.0]);
}

#[test]
fn without_a_time_the_order_counts() {
    let panel = guessed("Heart rate\n84.2\n84.1\n83.9\n");
    assert_eq!(panel.frequency, Frequency::Index);
    is(&panel.series[0], "sales", "0", &[84.2, 84.1, 83.9]);
    noted(&panel, &["no time, the order of the rows counts"]);
    let panel = guessed("id,y\na,1\nb,5\na,2\nb,6\n");
    is(&panel.series[0], "a", "0", &[1.0, 2.0]);
    is(&panel.series[1], "b", "0", &[5.0, 6.0]);
}

#[test]
fn a_table_of_numbers_is_a_series_per_column() {
    let panel = guessed(
        "date,HUFL,OT\n2016-07-01 00:00:00,1,2\n2016-07-01 01:00:00,3,\n2016-07-01 02:00:00,5,6\n",
    );
    assert_eq!(panel.frequency.to_string(), "h");
    is(&panel.series[0], "HUFL", "2016-07-01", &[1.0, 3.0, 5.0]);
    is(&panel.series[1], "OT", "2016-07-01", &[2.0, NAN, 6.0]);
    noted(&panel, &["a series per column (2)"]);
}

#[test]
fn a_column_without_a_value_is_left_out_of_a_wide_table() {
    let panel = guessed("date,a,b,c\n2020-01-01,1,2,\n2020-01-02,3,4,\n");
    assert_eq!(panel.series.len(), 2);
    noted(&panel, &["left out", "`c`"]);
}

#[test]
fn a_series_per_row_as_in_m4() {
    let panel = guessed("\"V1\",\"V2\",\"V3\",\"V4\"\n\"H1\",\"1\",\"2\",\"3\"\n\"H2\",\"4\",,\n");
    assert_eq!(panel.frequency, Frequency::Index);
    is(&panel.series[0], "H1", "0", &[1.0, 2.0, 3.0]);
    is(&panel.series[1], "H2", "0", &[4.0]);
    noted(&panel, &["a series per row"]);
}

#[test]
fn rows_may_end_early_and_have_gaps() {
    let panel = guessed("id,1,2,3,4\na,1,,3\nb,,2,3,4\n");
    is(&panel.series[0], "a", "0", &[1.0, NAN, 3.0]);
    is(&panel.series[1], "b", "1", &[2.0, 3.0, 4.0]);
}

#[test]
fn rows_take_a_frequency_for_their_season() {
    let format = format(r#"{"freq":"h","layout":"rows","id":"name","ignore":["kind"]}"#);
    let panel = read("name,kind,first,second\na,x,1,2\n", &format).unwrap();
    assert_eq!(panel.frequency.season(), 24);
    is(&panel.series[0], "a", "0", &[1.0, 2.0]);
}

#[test]
fn dates_before_numbered_columns_are_no_names() {
    let panel = guessed("date,0,1\n2020-01-01,1,2\n2020-01-02,3,4\n");
    is(&panel.series[0], "0", "2020-01-01", &[1.0, 3.0]);
    is(&panel.series[1], "1", "2020-01-01", &[2.0, 4.0]);
}

#[test]
fn later_rows_of_a_series_go_on() {
    let files = [
        ("train.csv", "V1,V2,V3,V4\nH1,1,2,\nH2,3,4,5\n"),
        ("test.csv", "V1,V2,V3\nH1,7,8\nH3,9,\n"),
    ];
    let panel = read_files(&files, &SeriesFormat::default()).unwrap();
    is(&panel.series[0], "H1", "0", &[1.0, 2.0, 7.0, 8.0]);
    is(&panel.series[1], "H2", "0", &[3.0, 4.0, 5.0]);
    is(&panel.series[2], "H3", "0", &[9.0]);
    noted(&panel, &["only a later file has", "H3"]);
}

#[test]
fn long_tables_of_several_files_are_joined() {
    let files = [
        ("one.csv", "unique_id,ds,y\na,2020-01-03,3\na,2020-01-04,4\nb,2020-01-04,40\n"),
        ("two.csv", "unique_id;ds;y\na;2020-01-05;5\nc;2020-01-04;400\n"),
        ("old.csv", "unique_id,ds,y\na,2020-01-01,1\nb,2020-01-03,30\n"),
    ];
    let panel = read_files(&files, &SeriesFormat::default()).unwrap();
    is(&panel.series[0], "a", "2020-01-01", &[1.0, NAN, 3.0, 4.0, 5.0]);
    is(&panel.series[1], "b", "2020-01-03", &[30.0, 40.0]);
    is(&panel.series[2], "c", "2020-01-04", &[400.0]);
    noted(&panel, &["only a later file has", "c"]);
    assert!(!panel.notes.iter().any(|note| note.why.contains("out of order")), "{:?}", panel.notes);
}

#[test]
fn without_a_time_later_files_go_on() {
    let files = [("one.csv", "id,y\na,1\na,2\n"), ("two.csv", "id,y\na,3\nb,4\n")];
    let panel = read_files(&files, &SeriesFormat::default()).unwrap();
    is(&panel.series[0], "a", "0", &[1.0, 2.0, 3.0]);
    is(&panel.series[1], "b", "0", &[4.0]);
}

#[test]
fn columns_are_what_they_are_said_to_be() {
    let csv = "when,shop,open,sold\n2020-01-01,a,1,5\n2020-01-02,a,0,6\n";
    let asked = format(r#"{"time":"when","id":"shop","target":["sold"],"ignore":["open"]}"#);
    let panel = read(csv, &asked).unwrap();
    is(&panel.series[0], "a", "2020-01-01", &[5.0, 6.0]);
    let several = format(r#"{"time":"when","id":"shop","target":["sold","open"]}"#);
    let panel = read(csv, &several).unwrap();
    is(&panel.series[0], "a/sold", "2020-01-01", &[5.0, 6.0]);
    is(&panel.series[1], "a/open", "2020-01-01", &[1.0, 0.0]);
    let columns = SeriesFormat { layout: Layout::Columns, ..SeriesFormat::default() };
    let panel = read(csv, &columns).unwrap();
    assert_eq!(panel.series.len(), 2);
    noted(&panel, &["left out", "`shop`"]);
}

#[test]
fn what_is_not_used_is_said() {
    let panel = guessed("No,ds,y,weather\n1,2020-01-01,5,wet\n2,2020-01-02,6,dry\n");
    is(&panel.series[0], "sales", "2020-01-01", &[5.0, 6.0]);
    noted(&panel, &["columns left out: `No`, `weather`"]);
}

#[test]
fn year_month_day_and_hour_are_a_time() {
    let csv =
        "No,year,month,day,hour,pm2.5\n1,2010,1,1,23,NA\n2,2010,1,2,0,129\n3,2010,1,2,1,148\n";
    let panel = guessed(csv);
    assert_eq!(panel.frequency.to_string(), "h");
    is(&panel.series[0], "sales", "2010-01-02", &[129.0, 148.0]);
    noted(&panel, &["time `year`, `month`, `day`, `hour`"]);
}

#[test]
fn a_whole_time_comes_before_its_parts() {
    let panel = guessed("date,year,month,y\n2020-01-01,2020,1,5\n2020-01-02,2020,1,6\n");
    is(&panel.series[0], "sales", "2020-01-01", &[5.0, 6.0]);
}

#[test]
fn the_only_column_of_times_is_the_time() {
    let panel = guessed("Beginn;Verbrauch\n2020-01-01 00:00;1.5\n2020-01-01 00:15;2.5\n");
    assert_eq!(panel.frequency.to_string(), "15min");
    is(&panel.series[0], "sales", "2020-01-01", &[1.5, 2.5]);
}

#[test]
fn integers_are_positions_and_years_only_where_they_can_be() {
    let panel = guessed("unique_id,ds,y\na,1,5\na,2,6\na,4,8\n");
    assert_eq!(panel.frequency, Frequency::Index);
    is(&panel.series[0], "a", "1", &[5.0, 6.0, NAN, 8.0]);
    let panel = guessed("ds,y\n100,5\n110,6\n120,7\n");
    assert_eq!(panel.frequency, Frequency::Steps(10));
    is(&panel.series[0], "sales", "100", &[5.0, 6.0, 7.0]);
    let years = "Year,y\n1749,5\n1750,6\n";
    let panel = guessed(years);
    assert_eq!(panel.frequency.to_string(), "YS");
    is(&panel.series[0], "sales", "1749-01-01", &[5.0, 6.0]);
    noted(&panel, &["`Year` holds years", "setting `freq=1`"]);
    let panel = read(years, &format(r#"{"freq":"1"}"#)).unwrap();
    is(&panel.series[0], "sales", "1749", &[5.0, 6.0]);
}

#[test]
fn separators_marks_quotes_and_line_ends_do_not_matter() {
    let plain = guessed("ds,y\n2020-01-01,3.5\n2020-01-02,4\n");
    for csv in [
        "\u{feff}ds,y\n2020-01-01,3.5\n2020-01-02,4\n",
        "ds;y\r\n2020-01-01;3.5\r\n2020-01-02;4",
        "ds\ty\n2020-01-01\t3.5\n2020-01-02\t4\n",
        "\n\n\"ds\",y \n\n2020-01-01, 3.5 \n\n2020-01-02,4\n\n",
        "\"ds\",\"y\"\r\n\"2020-01-01\",\"3.5\"\r\n\"2020-01-02\",\"4\"\r\n",
    ] {
        assert_eq!(guessed(csv), plain, "{csv:?}");
    }
    let panel = guessed("id,ds,y\n\"a, \"\"b\"\"\nc\",1,5\n\"a, \"\"b\"\"\nc\",2,6\n");
    is(&panel.series[0], "a, \"b\"\nc", "1", &[5.0, 6.0]);
}

#[test]
fn numbers_keep_their_bits() {
    let values = [PI, -1e-300, 1e300, 0.1 + 0.2, 5e-324];
    let rows = values.map(|value| value.to_string()).join("\n");
    is(&guessed(&["y", &rows].join("\n")).series[0], "sales", "0", &values);
}

#[test]
fn a_date_beside_an_hour_and_a_year_beside_a_week_are_a_time() {
    let csv = "date,hour,y\n2020-01-01,22,1\n2020-01-01,23,2\n2020-01-02,0,3\n";
    let panel = guessed(csv);
    assert_eq!(panel.frequency.to_string(), "h");
    is(&panel.series[0], "sales", "2020-01-01 22:00:00", &[1.0, 2.0, 3.0]);
    noted(&panel, &["time `date`, `hour`"]);
    let panel = guessed("Date,Time,y\n13.01.2020,09:00,1\n13.01.2020,09:30,2\n");
    assert_eq!(panel.frequency.to_string(), "30min");
    let panel = guessed("year,week,y\n2020,52,1\n2020,53,2\n2021,1,3\n");
    assert_eq!(panel.frequency.to_string(), "W");
    is(&panel.series[0], "sales", "2020-12-21", &[1.0, 2.0, 3.0]);
    // An hour that tells nothing more is another column.
    let panel = guessed("date,hour,y\n2020-01-01,7,1\n2020-01-02,8,2\n2020-01-03,7,2\n");
    assert_eq!(panel.frequency.to_string(), "D");
    let odd = read(
        "date,hour,y\n2020-01-01,22,1\n2020-01-01,23,2\n2020-01-01,24,3\n",
        &SeriesFormat::default(),
    );
    assert!(odd.is_err());
}

#[test]
fn what_spreadsheets_leave_around_a_table() {
    let plain = guessed("ds,y\n2020-01-01,3.5\n2020-01-02,4\n");
    for csv in [
        "sep=;\nds;y\n2020-01-01;3.5\n2020-01-02;4\n",
        "\u{feff}sep=,\r\nds,y\r\n2020-01-01,3.5\r\n2020-01-02,4\r\n",
        "ds,y,,,\n2020-01-01,3.5,,,\n2020-01-02,4,,,\n",
        "ds,y\n2020-01-01,3.5,,\n2020-01-02,4,\n",
    ] {
        assert_eq!(guessed(csv), plain, "{csv:?}");
    }
    let refuse = |csv: &str, place, parts: &[&str]| {
        crate::refused(read(csv, &SeriesFormat::default()), place, parts);
    };
    refuse(
        "Sales of 2020\nds,y\n2020-01-01,3.5\n",
        "sales.csv, line 1",
        &["a title above the header", "line 2", "delete"],
    );
    refuse(
        "ds,y\n2020-01-01,3\n2020-01-02,4\nTotal,7\n",
        "sales.csv, line 4",
        &["`Total`", "row of totals", "delete"],
    );
    refuse("sep=;\nds;y\n2020-01-01;x\n", "sales.csv, line 3, series `sales`", &["no frequency"]);
}
