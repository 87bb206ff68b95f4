//! Nonsense is read or refused; nothing panics, and what is read is regular.
use proptest::prelude::*;

/// Names of files, and how files begin.
const NAMES: [&str; 4] = ["table", "table.csv.gz", "table.parquet", "table.tsv"];
const STARTS: [&[u8]; 7] = [
    b"\xef\xbb\xbf",
    b"\xff\xfe",
    b"PK\x03\x04",
    b"PAR1",
    b"\x1f\x8b\x08\0\0\0\0\0\0\xff",
    b"\x28\xb5\x2f\xfd",
    b"sep=;\n",
];

fn regular(csv: &[u8]) {
    regular_as(NAMES[0], csv);
}

fn regular_as(name: &str, csv: &[u8]) {
    let panel = match super::panel_of(name, csv) {
        Ok(panel) => panel,
        Err(error) => return assert!(error.to_string().contains(name), "{error}"),
    };
    assert!(!panel.series.is_empty());
    for series in &panel.series {
        assert!(!series.y.iter().any(|value| value.is_infinite()));
        for end in [series.y.first(), series.y.last()] {
            assert!(end.is_some_and(|value| !value.is_nan()), "{}", series.id);
        }
        let last = panel.frequency.at(series.start, series.y.len() - 1);
        assert_eq!(panel.frequency.steps(series.start, last), Some(series.y.len() - 1));
    }
}

/// Cells as they may stand in a table, and some that should not.
fn cell() -> impl Strategy<Value = String> {
    const KNOWN: [&str; 36] = [
        "ds",
        "y",
        "id",
        "unique_id",
        "V1",
        "V2",
        "date",
        "year",
        "month",
        "",
        "NA",
        "-1.5",
        "7",
        "8",
        "1999",
        "2020-01-31",
        "2020-02-29",
        "31/12/2020",
        "2020-01-01 10:00",
        "1956Q1",
        "inf",
        "\"",
        "\"a,b\"",
        "a",
        "é",
        "9223372036854775807",
        "-9223372036854775808",
        "20200131",
        "0001-01-01",
        "9990-12-31",
        "2024-10-27T02:30+02:00[Europe/Berlin]",
        "2024-10-27T02:30+01:00[Europe/Berlin]",
        "2024-03-31 02:30[Europe/Berlin]",
        "0001-01-01[Asia/Tokyo]",
        "9990-12-31 23:00[America/New_York]",
        "[",
    ];
    prop::sample::select(&KNOWN[..]).prop_map(str::to_owned)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        regular(&bytes);
    }

    #[test]
    fn any_bytes_behind_a_signature(
        name in prop::sample::select(&NAMES[..]),
        start in prop::sample::select(&STARTS[..]),
        bytes in prop::collection::vec(any::<u8>(), 0..60),
    ) {
        regular_as(name, &[start, &bytes].concat());
    }

    #[test]
    fn any_characters_of_tables(text in "[,;\t\"\r\n0-9a-cyds./: NA-]{0,120}") {
        regular(text.as_bytes());
    }

    #[test]
    fn any_cells(rows in prop::collection::vec(prop::collection::vec(cell(), 1..4), 1..8)) {
        let lines: Vec<String> = rows.iter().map(|row| row.join(",")).collect();
        regular(lines.join("\n").as_bytes());
    }

    #[test]
    fn any_rows_below_a_header(rows in prop::collection::vec((cell(), cell(), cell()), 1..8)) {
        let lines: Vec<String> = rows.iter().map(|(a, b, c)| format!("{a},{b},{c}\n")).collect();
        regular(["unique_id,ds,y\n", &lines.concat()].concat().as_bytes());
    }
}
