//! Missing values, gaps, order, frequencies and the ways to fill.
use crate::{format, guessed, is, noted, read, same};
use gruvy_data::series::{Fill, Found, SeriesFormat, read_series};
use gruvy_runtime::series::Panel;

const NAN: f64 = f64::NAN;

#[test]
fn what_people_write_for_a_missing_value_is_missing() {
    for missing in ["", "NA", "NaN", "nan", "null", "NULL", "?", "-", " ", "N/A", "None"] {
        let panel = guessed(&["ds,y\n1,5\n2,", missing, "\n3,7\n"].concat());
        is(&panel.series[0], "sales", "1", &[5.0, NAN, 7.0]);
        noted(&panel, &["missing values that stay so: 1", "setting `fill`"]);
    }
}

#[test]
fn steps_without_a_row_are_missing_and_said_of_five_series() {
    let mut csv = "unique_id,ds,y\n".to_owned();
    for id in 0..7 {
        csv += &["1", "2", "5"].map(|day| format!("s{id},2020-01-0{day},{day}\n")).concat();
    }
    let panel = guessed(&csv);
    assert_eq!(panel.frequency.to_string(), "D");
    is(&panel.series[6], "s6", "2020-01-01", &[1.0, 2.0, NAN, NAN, 5.0]);
    noted(&panel, &["steps without a row", "s0 (2)", "s4 (2)", "and 2 more"]);
}

#[test]
fn business_days_have_no_gap_at_weekends() {
    let panel = guessed("ds,y\n2020-01-02,1\n2020-01-03,2\n2020-01-06,3\n2020-01-08,5\n");
    assert_eq!(panel.frequency.to_string(), "B");
    is(&panel.series[0], "sales", "2020-01-02", &[1.0, 2.0, 3.0, NAN, 5.0]);
}

#[test]
fn month_ends_have_no_gap_in_february() {
    let panel =
        guessed("ds,y\n2019-11-30,1\n2019-12-31,2\n2020-01-31,3\n2020-02-29,4\n2020-04-30,6\n");
    assert_eq!(panel.frequency.to_string(), "ME");
    is(&panel.series[0], "sales", "2019-11-30", &[1.0, 2.0, 3.0, 4.0, NAN, 6.0]);
}

#[test]
fn quarters_are_three_months() {
    let panel = guessed("quarter,beer\n1956 Q1,284\n1956 Q2,213\n1956 Q4,308\n");
    assert_eq!(panel.frequency.to_string(), "QS");
    is(&panel.series[0], "sales", "1956-01-01", &[284.0, 213.0, NAN, 308.0]);
}

#[test]
fn the_order_of_day_and_month_is_that_of_the_file() {
    let panel = guessed("Date,y\n11/02/2020,1\n12/02/2020,2\n13/02/2020,3\n");
    is(&panel.series[0], "sales", "2020-02-11", &[1.0, 2.0, 3.0]);
    let panel = guessed("Date,y\n02/11/2020,1\n02/12/2020,2\n02/13/2020,3\n");
    is(&panel.series[0], "sales", "2020-02-11", &[1.0, 2.0, 3.0]);
}

#[test]
fn rows_out_of_order_are_sorted_and_said() {
    let panel = guessed("ds,y\n2020-01-03,3\n2020-01-01,1\n2020-01-02,2\n");
    is(&panel.series[0], "sales", "2020-01-01", &[1.0, 2.0, 3.0]);
    noted(&panel, &["out of order", "sales"]);
}

#[test]
fn missing_values_at_the_ends_are_left_out() {
    let panel =
        guessed("ds,y\n2020-01-01,\n2020-01-02,2\n2020-01-03,\n2020-01-04,4\n2020-01-05,\n");
    is(&panel.series[0], "sales", "2020-01-02", &[2.0, NAN, 4.0]);
    noted(&panel, &["missing values at the ends", "sales (2)"]);
}

#[test]
fn a_series_without_a_value_is_left_out() {
    let panel = guessed("unique_id,ds,y\na,1,\na,2,\nb,1,5\nb,2,6\n");
    assert_eq!(panel.series.len(), 1);
    noted(&panel, &["without a value", "a"]);
}

#[test]
fn a_frequency_that_is_said_counts() {
    let csv = "ds,y\n2020-01-01,1\n2020-01-03,3\n";
    assert_eq!(guessed(csv).frequency.to_string(), "2D");
    let panel = read(csv, &format(r#"{"freq":"D"}"#)).unwrap();
    is(&panel.series[0], "sales", "2020-01-01", &[1.0, NAN, 3.0]);
    let panel = read("ds,y\n2020-01-01,1\n", &format(r#"{"freq":"MS"}"#)).unwrap();
    is(&panel.series[0], "sales", "2020-01-01", &[1.0]);
}

#[test]
fn gaps_are_filled_as_asked_and_ends_are_not() {
    let csv = "id,ds,y,price\na,2020-01-01,,1\na,2020-01-02,2,\na,2020-01-05,8,3\na,2020-01-06,,4\nb,2020-01-02,1,1\n";
    let read = |fill| {
        let past = vec!["price".to_owned()];
        let format = SeriesFormat { fill, past, ..SeriesFormat::default() };
        read(csv, &format).unwrap()
    };
    let cases = [
        (Fill::None, [NAN, NAN]),
        (Fill::Zero, [0.0, 0.0]),
        (Fill::Forward, [2.0, 2.0]),
        (Fill::Linear, [4.0, 6.0]),
        (Fill::Mean, [5.0, 5.0]),
        (Fill::Seasonal, [4.0, 6.0]),
    ];
    for (fill, [third, fourth]) in cases {
        let panel = read(fill);
        is(&panel.series[0], "a", "2020-01-02", &[2.0, third, fourth, 8.0]);
        is(&panel.series[1], "b", "2020-01-02", &[1.0]);
        same(&panel.series[0].past[0], &[NAN, NAN, NAN, 3.0]);
        let said = panel.notes.iter().any(|note| note.why.contains("setting `fill`"));
        assert_eq!(said, fill == Fill::None, "{fill:?}");
    }
}

#[test]
fn seasons_fill_gaps_with_the_week_before() {
    let days = (1..=16).map(|day| match day {
        9 | 10 => format!("2020-01-{day:02},\n"),
        _ => format!("2020-01-{day:02},{}\n", day % 7 * 10 + day / 7),
    });
    let csv: String = std::iter::once("ds,y\n".to_owned()).chain(days).collect();
    let panel = read(csv, &format(r#"{"fill":"seasonal"}"#)).unwrap();
    same(&panel.series[0].y[8..10], &[20.0, 30.0]);
}

fn found_in(csv: &str, format: &SeriesFormat) -> (Panel, Found) {
    let input = gruvy_data::Input::bytes("sales.csv", csv.as_bytes());
    read_series(&[input], format).unwrap()
}

#[test]
fn offsets_are_instants_and_are_kept() {
    let read = found_in;
    // The night in which a clock is put back: hours in UTC.
    let hours =
        ["00:00:00+02:00", "01:00:00+02:00", "02:00:00+02:00", "02:00:00+01:00", "03:00:00+01:00"];
    let rows: String =
        hours.iter().enumerate().map(|(t, hour)| format!("2024-10-27T{hour},{t}\n")).collect();
    let (panel, found) = read(&format!("ds,y\n{rows}"), &SeriesFormat::default());
    assert_eq!(panel.frequency.to_string(), "h");
    is(&panel.series[0], "y", "2024-10-26 22:00:00", &[0.0, 1.0, 2.0, 3.0, 4.0]);
    noted(&panel, &["`ds` is taken in UTC"]);
    let at = panel.frequency.at(panel.series[0].start, 5);
    assert_eq!(found.written(panel.frequency, at), "2024-10-27 03:00:00Z");
    // One offset stays, for later tables at another, too.
    let (panel, found) = read(
        "ds,y\n2024-07-01T00:00+05:30,1\n2024-07-02T00:00+05:30,2\n",
        &SeriesFormat::default(),
    );
    is(&panel.series[0], "y", "2024-07-01", &[1.0, 2.0]);
    let at = panel.frequency.at(panel.series[0].start, 2);
    assert_eq!(found.written(panel.frequency, at), "2024-07-03 00:00:00+05:30");
    noted(&panel, &["+05:30"]);
    let format = SeriesFormat { found: Some(found), ..SeriesFormat::default() };
    let (panel, _) = read("ds,y\n2024-07-01T18:30Z,1\n2024-07-02T18:30Z,2\n", &format);
    is(&panel.series[0], "y", "2024-07-02", &[1.0, 2.0]);
    // Midnights in a country with summer time are days.
    let (panel, found) = read(
        "ds,y\n2024-10-26T00:00+02:00,1\n2024-10-27T00:00+02:00,2\n2024-10-28T00:00+01:00,3\n",
        &SeriesFormat::default(),
    );
    assert_eq!((panel.frequency.to_string(), found.offset), ("D".to_owned(), None));
    noted(&panel, &["several offsets", "the dates count"]);
}

#[test]
fn steps_of_nanoseconds_are_steps() {
    for unit in [1i64, 1000, 1_000_000_000] {
        let rows: String =
            (0..40).map(|t| format!("{},{t}\n", (1_700_000_000 + t * 86_400) * unit)).collect();
        let panel = guessed(&format!("timestamp,y\n{rows}"));
        assert_eq!(panel.frequency.to_string(), (86_400 * unit).to_string());
        assert_eq!(panel.series[0].y.len(), 40);
        assert_eq!(panel.frequency.to_string().parse(), Ok(panel.frequency));
    }
}

#[test]
fn last_business_days_are_found_and_months_that_are_asked_for_take_any_day() {
    let csv = "ds,y\n2024-01-31,1\n2024-02-29,2\n2024-03-29,3\n2024-04-30,4\n2024-06-28,6\n";
    let panel = guessed(csv);
    assert_eq!(panel.frequency.to_string(), "BME");
    is(&panel.series[0], "sales", "2024-01-31", &[1.0, 2.0, 3.0, 4.0, NAN, 6.0]);
    let panel = read(csv, &format(r#"{"freq":"ME"}"#)).unwrap();
    is(&panel.series[0], "sales", "2024-01-31", &[1.0, 2.0, 3.0, 4.0, NAN, 6.0]);
    assert_eq!(panel.frequency.at(panel.series[0].start, 2).to_string(), "2024-03-31");
    noted(&panel, &["stand for their month (ME): 2"]);
    // Two days of one month are two values of a step.
    crate::refused(
        read("ds,y\n2024-01-30,1\n2024-01-31,2\n2024-02-29,2\n", &format(r#"{"freq":"ME"}"#)),
        "sales.csv, line 3, series `sales`",
        &["on the step of an earlier row (the frequency is ME): 1 of 3, 2024-01-31 (line 3)"],
    );
}

#[test]
fn a_frequency_that_is_asked_for_ends_the_discussion() {
    // The last business day of each week, with Good Friday and a missing week.
    let csv = "ds,y\n2024-03-22,1\n2024-03-28,2\n2024-04-05,3\n2024-04-19,5\n";
    for freq in ["BWE", "W"] {
        let panel = read(csv, &format(&format!(r#"{{"freq":"{freq}"}}"#))).unwrap();
        is(&panel.series[0], "sales", "2024-03-22", &[1.0, 2.0, 3.0, NAN, 5.0]);
        assert_eq!(panel.frequency.at(panel.series[0].start, 5).to_string(), "2024-04-26");
    }
    let half = guessed("ds,y\n2024-01-15,1\n2024-01-31,2\n2024-02-15,3\n2024-03-15,5\n");
    assert_eq!(half.frequency.to_string(), "SME");
    is(&half.series[0], "sales", "2024-01-15", &[1.0, 2.0, 3.0, NAN, 5.0]);
    // A clock that is some seconds off.
    let late = "ds,y\n2024-01-01 00:00:00,1\n2024-01-01 01:00:02,2\n2024-01-01 01:59:58,3\n";
    let panel = read(late, &format(r#"{"freq":"h"}"#)).unwrap();
    is(&panel.series[0], "sales", "2024-01-01", &[1.0, 2.0, 3.0]);
    noted(&panel, &["moved to the nearest step (h): 2"]);
    // What cannot be meant is listed.
    let odd =
        "ds,y\n2024-01-01 00:00,1\n2024-01-01 01:30,2\n2024-01-01 02:00,3\n2024-01-01 02:30,4\n";
    crate::refused(
        read(odd, &format(r#"{"freq":"h"}"#)),
        "sales.csv, line 3, series `sales`",
        &[
            "2024-01-01 01:30:00",
            "nor are 2024-01-01 02:30:00 (line 5)",
            "another value of the setting `freq`",
        ],
    );
}

#[test]
fn a_named_time_zone_is_kept_and_its_clock_changes_are_no_gaps() {
    // The night to 27 October 2024 has its third hour twice.
    let hours = [
        "2024-10-27T01:00+02:00",
        "2024-10-27T02:00+02:00",
        "2024-10-27T02:00+01:00",
        "2024-10-27T03:00+01:00",
    ];
    let rows: String =
        (0..).zip(hours).map(|(y, at)| format!("{at}[Europe/Berlin],{y}\n")).collect();
    let (panel, found) = found_in(&format!("ds,y\n{rows}"), &SeriesFormat::default());
    assert_eq!((panel.frequency.to_string(), panel.series[0].y.len()), ("h".to_owned(), 4));
    noted(&panel, &["in the time zone Europe/Berlin"]);
    let written = |found: &Found, panel: &Panel, step: usize| {
        found.written(panel.frequency, panel.frequency.at(panel.series[0].start, step))
    };
    assert_eq!(written(&found, &panel, 2), "2024-10-27 02:00:00+01:00[Europe/Berlin]");
    assert_eq!(written(&found, &panel, 4), "2024-10-27 04:00:00+01:00[Europe/Berlin]");
    // A later table is read as the first one was.
    let later = "ds,y\n2025-03-30T01:00+01:00[Europe/Berlin],1\n\
                 2025-03-30T03:00+02:00[Europe/Berlin],2\n";
    let (next, again) =
        found_in(later, &SeriesFormat { found: Some(found.clone()), ..SeriesFormat::default() });
    is(&next.series[0], "y", &panel.frequency.at(next.series[0].start, 0).to_string(), &[1.0, 2.0]);
    assert_eq!(written(&again, &next, 1), "2025-03-30 03:00:00+02:00[Europe/Berlin]");
}

#[test]
fn days_in_a_named_time_zone_begin_at_its_midnight() {
    let csv = "ds,y\n2024-10-26,1\n2024-10-27,2\n2024-10-28,3\n";
    let asked = SeriesFormat { time_zone: Some("Europe/Berlin".into()), ..SeriesFormat::default() };
    let (panel, found) = found_in(csv, &asked);
    assert_eq!(panel.frequency.to_string(), "D");
    let at = panel.frequency.at(panel.series[0].start, 2);
    assert_eq!(found.written(panel.frequency, at), "2024-10-28 00:00:00+01:00[Europe/Berlin]");
    let wrong = SeriesFormat { time_zone: Some("Mars/Olympus".into()), ..SeriesFormat::default() };
    crate::refused(read(csv, &wrong), "sales.csv, line 2", &["no time zone `Mars/Olympus`"]);
}

#[test]
fn weeks_with_holidays_are_found_and_stand_on_the_grid_of_most() {
    // A Thursday before Good Friday, and one before a week that is missing.
    let csv = "ds,y\n2024-03-15,1\n2024-03-22,2\n2024-03-28,3\n2024-04-05,4\n2024-04-19,6\n";
    let panel = guessed(csv);
    assert_eq!(panel.frequency.to_string(), "BWE");
    is(&panel.series[0], "sales", "2024-03-15", &[1.0, 2.0, 3.0, 4.0, NAN, 6.0]);
    noted(&panel, &["stand for their week (BWE): 1"]);
    // The first stamp is the odd one, and forecasts are of Fridays all the same.
    let csv = "ds,y\n2024-03-28,3\n2024-04-05,4\n2024-04-12,6\n";
    let panel = read(csv, &format(r#"{"freq":"W"}"#)).unwrap();
    is(&panel.series[0], "sales", "2024-03-29", &[3.0, 4.0, 6.0]);
    noted(&panel, &["moved to the nearest step (W): 1"]);
}
