//! Stamps in a time zone: days stay days, hours are instants, and both are written back.
use crate::{is, noted};
use gruvy_data::Input;
use gruvy_data::series::{Found, SeriesFormat, read_series};
use gruvy_runtime::series::{Panel, Stamp};

fn tried(rows: &[&str], format: &SeriesFormat) -> Result<(Panel, Found), String> {
    let rows: String = rows.iter().enumerate().map(|(t, at)| format!("{at},{t}\n")).collect();
    let input = Input::bytes("z.csv", format!("ds,y\n{rows}").into_bytes());
    read_series(&[input], format).map_err(|error| error.to_string())
}

fn read(rows: &[&str], format: &SeriesFormat) -> (Panel, Found) {
    tried(rows, format).unwrap()
}

fn asked(zone: &str) -> SeriesFormat {
    SeriesFormat { time_zone: Some(zone.to_owned()), ..SeriesFormat::default() }
}

/// The stamps from the first to `more` steps behind the last, as they are written.
fn written(of: &(Panel, Found), more: usize) -> Vec<String> {
    let (panel, found) = of;
    let series = &panel.series[0];
    let at = |step| found.written(panel.frequency, panel.frequency.at(series.start, step));
    (0..series.y.len() + more).map(at).collect()
}

const AUTUMN: [&str; 3] = [
    "2024-10-26 00:00:00+02:00[Europe/Berlin]",
    "2024-10-27 00:00:00+02:00[Europe/Berlin]",
    "2024-10-28 00:00:00+01:00[Europe/Berlin]",
];

#[test]
fn days_begin_at_midnight_of_the_zone_all_year() {
    let days = read(&AUTUMN, &SeriesFormat::default());
    assert_eq!((days.0.frequency.to_string(), days.1.offset), ("D".to_owned(), None));
    is(&days.0.series[0], "y", "2024-10-26", &[0.0, 1.0, 2.0]);
    noted(&days.0, &["`ds` is taken in the time zone Europe/Berlin"]);
    assert_eq!(written(&days, 1)[..3], AUTUMN);
    assert_eq!(written(&days, 160)[162], "2025-04-06 00:00:00+02:00[Europe/Berlin]");
    // The same instants in UTC, and the same dates.
    let utc = ["2024-10-25T22:00:00Z", "2024-10-26T22:00:00Z", "2024-10-27T23:00:00Z"];
    let dates = ["2024-10-26", "2024-10-27", "2024-10-28"];
    for rows in [utc, dates] {
        assert_eq!(written(&read(&rows, &asked("Europe/Berlin")), 0), AUTUMN);
    }
    // A midnight that clocks skip: the day begins at one.
    let beirut = read(&["2024-03-29", "2024-03-30"], &asked("Asia/Beirut"));
    assert_eq!(written(&beirut, 1)[2], "2024-03-31 01:00:00+03:00[Asia/Beirut]");
}

#[test]
fn the_day_on_which_clocks_go_back_has_25_hours() {
    let rows = [
        "2024-10-27T01:00:00+02:00[Europe/Berlin]",
        "2024-10-27T02:00:00+02:00[Europe/Berlin]",
        "2024-10-27T02:00:00+01:00[Europe/Berlin]",
        "2024-10-27T04:00:00+01:00[Europe/Berlin]",
    ];
    let hours = read(&rows, &SeriesFormat::default());
    assert_eq!((hours.0.frequency.to_string(), hours.1.offset), ("h".to_owned(), Some(3600)));
    is(&hours.0.series[0], "y", "2024-10-27", &[0.0, 1.0, 2.0, f64::NAN, 3.0]);
    let stamps = written(&hours, 24 * 155);
    assert_eq!(stamps[..2], rows[..2].iter().map(|row| row.replace('T', " ")).collect::<Vec<_>>());
    assert_eq!(stamps.iter().filter(|at| at.starts_with("2024-10-27")).count(), 24);
    assert_eq!(stamps.iter().filter(|at| at.starts_with("2024-10-28")).count(), 24);
    // And the one on which they go forward has 23.
    assert_eq!(stamps.iter().filter(|at| at.starts_with("2025-03-30")).count(), 23);
    // What is written is read as what it was.
    let again: Vec<&str> = stamps.iter().map(String::as_str).collect();
    let again = read(&again, &SeriesFormat::default());
    assert_eq!(
        (again.0.series[0].start, again.0.frequency),
        (hours.0.series[0].start, hours.0.frequency)
    );
    assert_eq!((again.0.series[0].y.len(), &again.1), (stamps.len(), &hours.1));
    // Without offsets, the first of two hours counts.
    let local = ["2024-10-27 01:00", "2024-10-27 02:00", "2024-10-27 03:00"];
    let local = read(&local, &asked("Europe/Berlin"));
    assert_eq!(written(&local, 0)[2], "2024-10-27 02:00:00+01:00[Europe/Berlin]");
    assert_eq!(local.0.series[0].y.len(), 4);
}

#[test]
fn clocks_on_the_wall_show_another_hour_in_summer() {
    let rows = ["2024-10-26 22:00Z", "2024-10-26 23:00Z", "2024-10-27 00:00Z", "2024-10-27 01:00Z"];
    let hours = read(&rows, &asked("Europe/Berlin"));
    let clock = hours.1.wall_clock(&hours.0);
    let shown = |at: &str| clock.at(Stamp::Time(at.parse().unwrap())).to_string();
    // Stamps are on the clock of winter: 00:30 UTC is 01:30 there, and 02:30 on the wall.
    assert_eq!(shown("2024-10-27T01:30"), "2024-10-27 02:30:00");
    assert_eq!(shown("2024-10-27T02:00"), "2024-10-27 02:00:00");
    assert_eq!(shown("2025-03-30T01:59"), "2025-03-30 01:59:00");
    assert_eq!(shown("2025-03-30T02:00"), "2025-03-30 03:00:00");
    assert_eq!(shown("2016-07-01T11:00"), "2016-07-01 12:00:00");
    assert_eq!(shown("2060-07-01T11:00"), "2060-07-01 12:00:00");
    // It is what is written.
    for step in 0..3 * 8784 {
        let at = hours.0.frequency.at(hours.0.series[0].start, step);
        let written = hours.1.written(hours.0.frequency, at);
        let Stamp::Time(shown) = clock.at(at) else { panic!("{at}") };
        assert!(written.starts_with(&format!("{} {}", shown.date(), shown.time())), "{written}");
    }
    // South of the equator summer is in January; days, and places without summer time, have one clock.
    let sydney = read(&rows, &asked("Australia/Sydney"));
    let clock = sydney.1.wall_clock(&sydney.0);
    let shown = |at: &str| clock.at(Stamp::Time(at.parse().unwrap())).to_string();
    assert_eq!(shown("2025-01-01T12:00"), "2025-01-01 13:00:00");
    assert_eq!(shown("2025-07-01T12:00"), "2025-07-01 12:00:00");
    for of in [read(&AUTUMN, &SeriesFormat::default()), read(&rows, &asked("Asia/Tokyo"))] {
        assert!(of.1.wall_clock(&of.0).is_none());
    }
}

#[test]
fn later_tables_are_read_in_the_zone_of_the_model() {
    let (_, found) = read(&AUTUMN, &SeriesFormat::default());
    let later = SeriesFormat { found: Some(found.clone()), ..SeriesFormat::default() };
    // One day shows no daylight saving, and offsets alone are moved.
    let one = SeriesFormat { freq: Some("D".parse().unwrap()), ..later.clone() };
    assert_eq!(written(&read(&["2024-10-26T22:00Z"], &one), 0), [AUTUMN[1]]);
    assert_eq!(read(&["2024-10-29", "2024-10-30"], &later).1, found);
    let paris = ["2024-10-29 00:00:00+01:00[Europe/Paris]"];
    let problem = tried(&paris, &one).unwrap_err();
    assert!(
        problem.contains("in Europe/Paris") && problem.contains("`time_zone=Europe/Berlin`"),
        "{problem}"
    );
    let moved = SeriesFormat { time_zone: Some("Europe/Berlin".into()), ..one };
    assert_eq!(read(&paris, &moved).1, found);
}

#[test]
fn what_cannot_be_a_time_in_a_zone_is_told() {
    let none = SeriesFormat::default();
    let mixed = [AUTUMN[0], "2024-10-27 00:00:00[Europe/London]", AUTUMN[2]];
    for (rows, format, place, parts) in [
        (
            &mixed[..],
            &none,
            "z.csv, line 3: ",
            &["Europe/Berlin and some in Europe/London", "`time_zone`", "line 2 of z.csv"][..],
        ),
        (&["2024-01-01", "2024-01-02"], &asked("Berlin"), "z.csv, line 2: ", &["`Europe/Berlin`"]),
        (&["2024-01-01[Berlin]"], &none, "z.csv, line 2: ", &["there is no time zone `Berlin`"]),
        (
            &["2024-07-01T00:00+01:00[Europe/Berlin]"],
            &none,
            "z.csv, line 2: ",
            &["the offset +01:00 is not that of Europe/Berlin", "is +02:00"],
        ),
        (
            &["2024-03-31 01:00", "2024-03-31 02:00"],
            &asked("Europe/Berlin"),
            "z.csv, line 3: ",
            &["2024-03-31 02:00:00 is no time in Europe/Berlin", "write the offset"],
        ),
        (
            &["2024-10-27T02:00+02:00", "2024-10-27 03:00"],
            &none,
            "z.csv, line 3: ",
            &["some have none", "line 2 of z.csv"],
        ),
    ] {
        let problem = tried(rows, format).unwrap_err();
        assert!(problem.starts_with(place), "{place}: {problem}");
        parts.iter().for_each(|part| assert!(problem.contains(part), "{part}: {problem}"));
    }
    // Where all are moved, several zones are no error.
    let hourly = SeriesFormat { freq: Some("h".parse().unwrap()), ..asked("Europe/Berlin") };
    let moved = written(&read(&mixed, &hourly), 0);
    assert_eq!(moved[25], "2024-10-27 01:00:00+02:00[Europe/Berlin]");
}
