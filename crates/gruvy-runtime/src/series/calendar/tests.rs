//! Frequencies: their names, their steps there and back, their seasons and what they tell of the
//! calendar.
use super::*;
use proptest::prelude::*;

fn time(text: &str) -> Stamp {
    let text = if text.len() == 10 { format!("{text}T00:00") } else { text.replace(' ', "T") };
    Stamp::Time(text.parse().unwrap())
}

fn freq(text: &str) -> Frequency {
    text.parse().unwrap()
}

fn steps(frequency: &str, start: &str, count: usize) -> Vec<String> {
    (0..count).map(|at| freq(frequency).at(time(start), at).to_string()).collect()
}

#[test]
fn frequencies_are_named_as_in_pandas() {
    let names = [
        ("s", "s"),
        ("S", "s"),
        ("T", "min"),
        ("30min", "30min"),
        ("60min", "h"),
        ("H", "h"),
        ("2h", "2h"),
        ("d", "D"),
        ("7D", "W"),
        ("W-SUN", "W"),
        ("b", "B"),
        ("ms", "MS"),
        ("M", "ME"),
        ("3MS", "QS"),
        ("QS-OCT", "QS"),
        ("Q", "QE"),
        ("AS", "YS"),
        ("Y", "YE"),
        ("ye", "YE"),
        ("1", "1"),
        ("index", "1"),
        ("10", "10"),
        ("86400000000000", "86400000000000"),
        ("BM", "BME"),
        ("bms", "BMS"),
        ("BQ", "BQE"),
        ("3BMS", "BQS"),
        ("BA", "BYE"),
        ("bw", "BWE"),
        ("2BWS", "2BWS"),
        ("SM", "SME"),
        ("sms", "SMS"),
    ];
    for (typed, name) in names {
        assert_eq!(freq(typed).to_string(), name, "{typed}");
        assert_eq!(freq(name), freq(typed), "{typed}");
    }
}

#[test]
fn what_is_no_frequency_is_refused_with_those_there_are() {
    for text in ["", "0", "0h", "fortnight", "-1", "2B", "1.5h", "99999999999s", "9999999W", "-"] {
        let problem = text.parse::<Frequency>().unwrap_err();
        assert!(problem.contains(&format!("`{text}`")) && problem.contains("30min"), "{problem}");
    }
}

#[test]
fn frequencies_are_strings_in_files() {
    let json = serde_json::to_string(&freq("30min")).unwrap();
    assert_eq!(json, "\"30min\"");
    assert_eq!(serde_json::from_str::<Frequency>(&json).unwrap(), freq("30min"));
    assert!(serde_json::from_str::<Frequency>("\"soon\"").is_err());
    let stamp = time("2020-02-29 13:30:00");
    let json = serde_json::to_string(&stamp).unwrap();
    assert_eq!(serde_json::from_str::<Stamp>(&json).unwrap(), stamp);
}

#[test]
fn stamps_are_written_as_they_were() {
    assert_eq!(time("1949-01-01").to_string(), "1949-01-01");
    assert_eq!(time("2020-01-01 13:00:00").to_string(), "2020-01-01 13:00:00");
    assert_eq!(Stamp::Index(17).to_string(), "17");
    assert_eq!(freq("h").written(time("2020-01-01")), "2020-01-01 00:00:00");
    assert_eq!(freq("D").written(time("2020-01-01")), "2020-01-01");
    assert_eq!(freq("MS").written(time("2020-01-01")), "2020-01-01");
}

#[test]
fn month_ends_follow_the_lengths_of_months() {
    assert_eq!(
        steps("ME", "2020-01-31", 4),
        ["2020-01-31", "2020-02-29", "2020-03-31", "2020-04-30"]
    );
    assert_eq!(steps("QE", "2020-02-29", 3), ["2020-02-29", "2020-05-31", "2020-08-31"]);
    assert_eq!(steps("YE", "2020-02-29", 3), ["2020-02-29", "2021-02-28", "2022-02-28"]);
    assert_eq!(freq("ME").steps(time("2020-01-31"), time("2020-04-29")), None);
}

#[test]
fn month_starts_keep_their_day() {
    assert_eq!(steps("MS", "2020-11-15", 3), ["2020-11-15", "2020-12-15", "2021-01-15"]);
    assert_eq!(steps("QS", "2020-10-01", 3), ["2020-10-01", "2021-01-01", "2021-04-01"]);
    assert_eq!(steps("YS", "2020-01-01", 2), ["2020-01-01", "2021-01-01"]);
}

#[test]
fn business_days_have_no_weekends() {
    // 2020-01-02 is a Thursday.
    assert_eq!(
        steps("B", "2020-01-02", 8),
        [
            "2020-01-02",
            "2020-01-03",
            "2020-01-06",
            "2020-01-07",
            "2020-01-08",
            "2020-01-09",
            "2020-01-10",
            "2020-01-13"
        ]
    );
    assert_eq!(steps("B", "2020-01-04", 2), ["2020-01-04", "2020-01-06"]);
    assert_eq!(freq("B").steps(time("2020-01-02"), time("2020-01-04")), None);
    assert_eq!(freq("B").steps(time("2020-01-02"), time("2020-01-05")), None);
    assert_eq!(freq("B").steps(time("2020-01-02"), time("2021-01-01")), Some(261));
}

#[test]
fn half_months_have_two_stamps() {
    assert_eq!(
        steps("SME", "2024-01-31", 5),
        ["2024-01-31", "2024-02-15", "2024-02-29", "2024-03-15", "2024-03-31"]
    );
    assert_eq!(
        steps("SMS", "2023-12-15", 4),
        ["2023-12-15", "2024-01-01", "2024-01-15", "2024-02-01"]
    );
    assert_eq!(freq("SMS").steps(time("2023-12-15"), time("2024-02-01")), Some(3));
    assert_eq!(freq("SMS").steps(time("2023-12-15"), time("2024-02-02")), None);
    assert_eq!(freq("SMS").nearest(time("2023-12-15"), time("2024-02-02")), Some(3));
    assert_eq!(freq("SMS").season(), 24);
}

#[test]
fn weeks_of_business_days_have_a_monday_or_a_friday() {
    assert_eq!(steps("BWE", "2024-03-28", 3), ["2024-03-29", "2024-04-05", "2024-04-12"]);
    assert_eq!(steps("2BWS", "2024-04-02", 2), ["2024-04-01", "2024-04-15"]);
    let friday = time("2024-03-22");
    assert_eq!(freq("BWE").steps(friday, time("2024-03-28")), None);
    // The last business day before Good Friday.
    assert_eq!(freq("BWE").nearest(friday, time("2024-03-28")), Some(1));
    assert_eq!(freq("W").nearest(friday, time("2024-03-28")), Some(1));
}

#[test]
fn a_stamp_stands_for_the_nearest_step_less_than_a_quarter_off() {
    let start = time("2024-01-01 00:00:00");
    for (stamp, expected) in [
        ("2024-01-01 02:00:03", Some(2)),
        ("2024-01-01 01:50:00", Some(2)),
        ("2024-01-01 01:40:00", None),
        ("2023-12-31 23:00:00", None),
    ] {
        assert_eq!(freq("h").nearest(start, time(stamp)), expected, "{stamp}");
    }
}

#[test]
fn months_of_business_days_end_before_a_weekend_and_begin_after_one() {
    let ends = ["2024-01-31", "2024-02-29", "2024-03-29", "2024-04-30", "2024-05-31", "2024-06-28"];
    assert_eq!(steps("BME", "2024-01-31", 6), ends);
    assert_eq!(
        steps("BMS", "2024-05-01", 5),
        ["2024-05-01", "2024-06-03", "2024-07-01", "2024-08-01", "2024-09-02"]
    );
    assert_eq!(steps("BQE", "2024-03-29", 2), ["2024-03-29", "2024-06-28"]);
    assert_eq!(steps("BYS", "2022-01-03", 2), ["2022-01-03", "2023-01-02"]);
    for (at, end) in ends.iter().enumerate() {
        assert_eq!(freq("BME").steps(time(ends[0]), time(end)), Some(at));
    }
    assert_eq!(freq("BME").steps(time(ends[0]), time("2024-03-31")), None);
    assert_eq!(freq("BME").nearest(time(ends[0]), time("2024-03-31")), Some(2));
    assert_eq!(
        (freq("BME").season(), freq("BQE").season(), freq("BME").calendar_size()),
        (12, 4, 2)
    );
}

#[test]
fn steps_before_the_start_are_none() {
    for frequency in ["h", "D", "W", "B", "MS", "YS"] {
        let (start, before) = (time("2020-06-01"), time("2019-06-01"));
        assert_eq!(freq(frequency).steps(start, before), None, "{frequency}");
    }
    assert_eq!(Frequency::Index.steps(Stamp::Index(3), Stamp::Index(2)), None);
    assert_eq!(freq("10").steps(Stamp::Index(0), Stamp::Index(25)), None);
    assert_eq!(freq("10").steps(Stamp::Index(0), Stamp::Index(30)), Some(3));
    assert_eq!(freq("h").steps(Stamp::Index(0), time("2020-01-01")), None);
}

#[test]
fn a_step_of_nothing_fits_nothing() {
    let none = [Frequency::Seconds(0), Frequency::Months { every: 0, end: false }];
    for frequency in none {
        assert_eq!(frequency.steps(time("2020-01-01"), time("2020-01-01")), None);
    }
    assert_eq!(Frequency::Steps(0).steps(Stamp::Index(1), Stamp::Index(1)), None);
}

#[test]
fn the_calendar_ends_without_a_panic() {
    for frequency in ["s", "W", "B", "MS", "ME", "YS"] {
        let end = freq(frequency).at(time("9990-12-31"), usize::MAX);
        assert!(end >= time("9990-12-31"), "{frequency}: {end}");
    }
    assert_eq!(freq("7").at(Stamp::Index(i64::MAX), usize::MAX), Stamp::Index(i64::MAX));
}

#[test]
fn seasons_are_the_usual_ones() {
    let seasons = [
        ("s", 3600),
        ("min", 1440),
        ("10min", 144),
        ("30min", 48),
        ("h", 24),
        ("2h", 12),
        ("7h", 1),
        ("D", 7),
        ("2D", 1),
        ("W", 52),
        ("B", 5),
        ("MS", 12),
        ("ME", 12),
        ("QS", 4),
        ("YE", 1),
        ("1", 1),
        ("5", 1),
    ];
    for (frequency, season) in seasons {
        assert_eq!(freq(frequency).season(), season, "{frequency}");
    }
}

#[test]
fn the_calendar_turns_with_its_cycles() {
    let of = |frequency: &str, at: &str| {
        let mut out = Vec::new();
        freq(frequency).calendar(time(at), &mut out);
        out
    };
    let close = |got: &[f32], expected: &[f32]| {
        assert_eq!(got.len(), expected.len());
        assert!(got.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6), "{got:?}");
    };
    // Six o'clock, a Monday: a quarter of the day, 6 hours into the week.
    let hours = of("h", "2020-01-06 06:00:00");
    let week = std::f32::consts::TAU * 0.25 / 7.0;
    close(&hours[..4], &[1.0, 0.0, week.sin(), week.cos()]);
    assert_eq!(hours.len(), 6);
    close(&of("MS", "2020-07-01"), &[0.0, -1.0]);
    close(&of("QE", "2020-04-30"), &[1.0, 0.0]);
    assert!(of("YS", "2020-01-01").is_empty());
    assert_eq!(of("10min", "2020-01-01").len(), 8);
    assert_eq!(of("B", "2020-01-01").len(), 4);
    let mut out = vec![7.0];
    freq("h").calendar(Stamp::Index(3), &mut out);
    assert_eq!(out, [7.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
}

fn any_frequency() -> impl Strategy<Value = Frequency> {
    prop_oneof![
        Just(Frequency::Index),
        (2_u64..1000).prop_map(Frequency::Steps),
        (1_u32..4 * WEEK).prop_map(Frequency::Seconds),
        prop::sample::select(vec![MINUTE, HOUR, DAY, WEEK]).prop_map(Frequency::Seconds),
        Just(Frequency::BusinessDays),
        (1_u32..25, any::<bool>()).prop_map(|(every, end)| Frequency::Months { every, end }),
        (1_u32..25, any::<bool>())
            .prop_map(|(every, end)| Frequency::BusinessMonths { every, end }),
    ]
}

proptest! {
    #[test]
    fn steps_rise_and_are_found_again(
        frequency in any_frequency(),
        from in 0_i64..8_000_000_000,
        index in 0_usize..3000,
    ) {
        let start = match frequency {
            Frequency::Index | Frequency::Steps(_) => Stamp::Index(from - 4_000_000_000),
            // A month's end starts at one.
            _ => frequency.at(Stamp::Time(later(EPOCH, from)), usize::from(matches!(
                frequency, Frequency::Months { end: true, .. } | Frequency::BusinessDays | Frequency::BusinessMonths { .. }
            ))),
        };
        let at = frequency.at(start, index);
        prop_assert!(at < frequency.at(start, index + 1), "{frequency}, {start}, {index}");
        prop_assert_eq!(frequency.steps(start, at), Some(index), "{}, {}", frequency, start);
        prop_assert_eq!(frequency.to_string().parse(), Ok(frequency));
        let mut features = Vec::new();
        frequency.calendar(at, &mut features);
        prop_assert_eq!(features.len(), frequency.calendar_size());
        prop_assert!(features.iter().all(|value| value.abs() <= 1.0));
    }

    #[test]
    fn any_text_is_a_frequency_or_refused(text in ".{0,12}") {
        if let Ok(frequency) = text.parse::<Frequency>() {
            prop_assert_eq!(frequency.to_string().parse(), Ok(frequency));
        }
    }
}
