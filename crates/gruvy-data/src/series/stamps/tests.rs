//! What people write for a time.
use super::*;
use proptest::prelude::*;

/// A column read as one, as stamps written out.
fn read(cells: &[&str]) -> Result<Vec<String>, (usize, String)> {
    let reading =
        Reading::of(cells, Earlier::default()).map_err(|(at, _, problem)| (at, problem))?;
    let stamp = |(at, cell): (usize, &&str)| match reading.stamp(cell) {
        Ok(stamp) => Ok(stamp.to_string()),
        Err(problem) => Err((at, problem)),
    };
    cells.iter().enumerate().map(stamp).collect()
}

#[test]
fn times_are_read_as_they_are_written() {
    let cases = [
        ("2020-03-04", "2020-03-04"),
        ("2020-3-4", "2020-03-04"),
        ("2020-03", "2020-03-01"),
        ("2020/03/04", "2020-03-04"),
        ("04.03.2020", "2020-03-04"),
        ("2020-03-04 13:30", "2020-03-04 13:30:00"),
        ("2020-03-04 13:30:05", "2020-03-04 13:30:05"),
        ("2020-03-04T13:30:05", "2020-03-04 13:30:05"),
        ("2020-03-04T13:30:05.000", "2020-03-04 13:30:05"),
        ("2020-03-04T13:30:05Z", "2020-03-04 13:30:05"),
        ("2020-03-04T13:30:05+02:00", "2020-03-04 13:30:05"),
        ("2020-03-04 13:30:05-0500", "2020-03-04 13:30:05"),
        ("2020-03-04 00:00:00", "2020-03-04"),
        ("1949M02", "1949-02-01"),
        ("1949m2", "1949-02-01"),
        ("1956 Q1", "1956-01-01"),
        ("1956Q4", "1956-10-01"),
        ("1956-Q2", "1956-04-01"),
        (" 1956-05-01 ", "1956-05-01"),
    ];
    for (cell, expected) in cases {
        assert_eq!(read(&[cell]).unwrap(), [expected], "{cell}");
    }
}

#[test]
fn what_is_no_time_is_refused() {
    let cases = [
        "2020-13-01",
        "2020-02-30",
        "2020-03-04 25:00",
        "2020-03-04 13",
        "2020-03-04 13:30:05.5",
        "2020-03-04 13:30+",
        "1956Q5",
        "1956M13",
        "1949.25",
        "yesterday",
        "20-03-04",
        "2020-03-04-05",
        "0000-01-01",
        "9999-01-01",
        "13/13/2020",
    ];
    for cell in cases {
        let (_, problem) = read(&["2020-01-01", cell]).map(|_| cell).unwrap_err();
        assert!(problem.contains(&format!("`{cell}` is no time")), "{problem}");
        assert!(problem.contains("YYYY-MM-DD"), "{problem}");
    }
}

#[test]
fn one_offset_is_kept_and_several_are_instants_in_utc() {
    let offset =
        |cells: &[&str]| Reading::of(cells, Earlier::default()).map(|reading| reading.offset());
    let same = ["2020-03-04T13:30:05+02:00", "2020-03-04T14:30:05+02:00"];
    assert_eq!(offset(&same), Ok(Some(7200)));
    assert_eq!(read(&same).unwrap(), ["2020-03-04 13:30:05", "2020-03-04 14:30:05"]);
    let autumn = ["2024-10-27T02:00:00+02:00", "2024-10-27T02:00:00+01:00", "2024-10-27T03:00+01"];
    assert_eq!(offset(&autumn), Ok(Some(0)));
    let utc = ["2024-10-27", "2024-10-27 01:00:00", "2024-10-27 02:00:00"];
    assert_eq!(read(&autumn).unwrap(), utc);
    let days = ["2024-10-26T00:00+0200", "2024-10-27T00:00+0200", "2024-10-28T00:00+0100"];
    assert_eq!(offset(&days), Ok(None));
    assert_eq!(read(&days).unwrap(), ["2024-10-26", "2024-10-27", "2024-10-28"]);
    let (at, beside, problem) = offset(&["2020-01-01 00:00Z", "2020-01-01 01:00"]).unwrap_err();
    assert!((at, beside) == (1, Some(0)) && problem.contains("some have none"), "{problem}");
    // A model goes on at the offset that it was trained at.
    let earlier = Earlier { offset: Some(3600), ..Earlier::default() };
    let reading = Reading::of(&same, earlier).unwrap();
    assert_eq!(reading.stamp(same[0]).unwrap().to_string(), "2020-03-04 12:30:05");
    assert_eq!([0, 19_800, -12_600].map(offset_text), ["Z", "+05:30", "-03:30"]);
}

#[test]
fn years_and_dates_without_separators_are_times() {
    assert_eq!(read(&["1749", "1750"]).unwrap(), ["1749-01-01", "1750-01-01"]);
    assert_eq!(read(&["20200131", "20200201"]).unwrap(), ["2020-01-31", "2020-02-01"]);
}

#[test]
fn other_integers_are_positions() {
    assert_eq!(read(&["1", "2"]).unwrap(), ["1", "2"]);
    assert_eq!(read(&["-3", "0"]).unwrap(), ["-3", "0"]);
    assert_eq!(read(&["1999", "2000", "2201"]).unwrap(), ["1999", "2000", "2201"]);
    assert_eq!(read(&["20200131", "20200132"]).unwrap(), ["20200131", "20200132"]);
    let positions =
        Reading::of(&["1749", "1750"], Earlier { positions: true, ..Earlier::default() }).unwrap();
    assert_eq!(positions.stamp("1749"), Ok(Stamp::Index(1749)));
}

#[test]
fn a_day_after_the_twelfth_tells_the_order() {
    assert_eq!(read(&["01/02/2020", "13/02/2020"]).unwrap(), ["2020-02-01", "2020-02-13"]);
    assert_eq!(read(&["01/02/2020", "02/13/2020"]).unwrap(), ["2020-01-02", "2020-02-13"]);
    assert_eq!(
        read(&["1-2-2020 13:00", "13-2-2020 14:00"]).unwrap(),
        ["2020-02-01 13:00:00", "2020-02-13 14:00:00"]
    );
}

#[test]
fn an_order_that_nothing_tells_is_refused() {
    let (at, problem) = read(&["2020-01-01", "01/02/2020", "02/03/2020"]).unwrap_err();
    assert_eq!(at, 1);
    assert!(problem.contains("DD/MM/YYYY or MM/DD/YYYY") && problem.contains("YYYY-MM-DD"));
}

#[test]
fn two_orders_in_a_column_are_refused() {
    let (at, problem) = read(&["01/02/2020", "13/02/2020", "02/13/2020"]).unwrap_err();
    assert_eq!(at, 2);
    assert!(problem.contains("some dates") && problem.contains("YYYY-MM-DD"), "{problem}");
}

#[test]
fn names_of_months_are_refused() {
    for cell in ["1-Jan", "Jan 1949", "1 February 2020", "1949 Mar", "Sept-20"] {
        let (at, problem) = read(&["2020-01-01", cell]).unwrap_err();
        assert_eq!(at, 1);
        assert!(problem.contains(&format!("`{cell}` names a month")), "{problem}");
    }
}

#[test]
fn a_missing_time_is_refused() {
    for cell in ["", "NA", "NaT", "null", "?", "-"] {
        let (at, problem) = read(&["2020-01-01", cell]).unwrap_err();
        assert_eq!(at, 1, "{cell}");
        assert!(problem.contains("the time is missing"), "{problem}");
    }
}

#[test]
fn dates_among_integers_are_refused() {
    let (at, problem) = read(&["1", "2", "2020-01-01"]).unwrap_err();
    assert_eq!(at, 2);
    assert!(problem.contains("write all in one way"), "{problem}");
}

#[test]
fn parts_make_a_time() {
    let of = |cells: &[&str]| of_parts(cells).map(|stamp| stamp.to_string());
    assert_eq!(of(&["2010", "1"]).unwrap(), "2010-01-01");
    assert_eq!(of(&["2010", "12", "31", "23"]).unwrap(), "2010-12-31 23:00:00");
    for cells in [["2010", "13", "1"], ["2010", "2", "30"], ["2010", "x", "1"], ["2010", "", "1"]] {
        assert!(of(&cells).unwrap_err().contains(&cells.join(" ")), "{cells:?}");
    }
    assert!(of(&["2010", "1", "1", "24"]).is_err());
}

proptest! {
    #[test]
    fn any_cell_is_a_time_or_refused(cell in ".{0,24}", near in "[0-9QMT:/. +Zé-]{0,20}") {
        for cell in [cell.as_str(), near.as_str()] {
            if let Err((_, problem)) = read(&[cell]) {
                prop_assert!(!problem.is_empty());
            }
            let _ = is_time(cell);
            let _ = of_parts(&[cell, cell]);
        }
    }
}
