//! Parquet files, written here with the same library.
use crate::{format, is, names, noted, read_files, refused, same};
use gruvy_data::series::SeriesFormat;
use parquet::{
    basic::{Compression, ZstdLevel},
    data_type::{ByteArray, ByteArrayType, DataType, DoubleType, FloatType, Int32Type, Int64Type},
    file::{
        properties::WriterProperties,
        writer::{SerializedFileWriter, SerializedRowGroupWriter},
    },
    schema::parser::parse_message_type,
};
use std::sync::Arc;

const NAN: f64 = f64::NAN;

type Writer = SerializedFileWriter<Vec<u8>>;
type Group<'a> = SerializedRowGroupWriter<'a, Vec<u8>>;

/// A file of columns that may have nulls.
fn create(columns: &[&str], compression: Compression) -> Writer {
    let columns: String = columns.iter().map(|column| format!("OPTIONAL {column}; ")).collect();
    let schema = parse_message_type(&format!("message table {{ {columns} }}")).unwrap();
    let properties = WriterProperties::builder().set_compression(compression).build();
    SerializedFileWriter::new(Vec::new(), Arc::new(schema), Arc::new(properties)).unwrap()
}

/// The next column of a group of rows.
fn column<T: DataType>(group: &mut Group<'_>, values: &[Option<T::T>]) {
    let mut column = group.next_column().unwrap().unwrap();
    let levels: Vec<i16> = values.iter().map(|value| value.is_some().into()).collect();
    let values: Vec<T::T> = values.iter().flatten().cloned().collect();
    column.typed::<T>().write_batch(&values, Some(&levels), None).unwrap();
    column.close().unwrap();
}

fn words(words: &[&str]) -> Vec<Option<ByteArray>> {
    words.iter().map(|word| Some(ByteArray::from(*word))).collect()
}

/// A table of a single column of times, `stamps`, beside the values 1, 2, ….
fn times<T: DataType>(stamp: &str, stamps: &[T::T]) -> Vec<u8> {
    let mut file = create(&[stamp, "DOUBLE y"], Compression::UNCOMPRESSED);
    let mut group = file.next_row_group().unwrap();
    column::<T>(&mut group, &stamps.iter().cloned().map(Some).collect::<Vec<_>>());
    let values: Vec<Option<f64>> = (1..=stamps.len()).map(|value| Some(value as f64)).collect();
    column::<DoubleType>(&mut group, &values);
    group.close().unwrap();
    file.into_inner().unwrap()
}

/// A long table with two groups of rows.
fn shops(compression: Compression) -> Vec<u8> {
    let columns = ["BINARY unique_id (UTF8)", "INT32 ds (DATE)", "DOUBLE y", "INT64 promo"];
    let mut file = create(&columns, compression);
    let mut group = file.next_row_group().unwrap();
    column::<ByteArrayType>(&mut group, &words(&["a", "a", "a", "a"]));
    column::<Int32Type>(&mut group, &[18262, 18263, 18264, 18265].map(Some));
    column::<DoubleType>(&mut group, &[Some(0.1 + 0.2), None, Some(-1e-300), Some(NAN)]);
    column::<Int64Type>(&mut group, &[Some(0), Some(1), None, Some(1)]);
    group.close().unwrap();
    let mut group = file.next_row_group().unwrap();
    column::<ByteArrayType>(&mut group, &words(&["b", "b"]));
    column::<Int32Type>(&mut group, &[18263, 18264].map(Some));
    column::<DoubleType>(&mut group, &[Some(1e300), Some(5e-324)]);
    column::<Int64Type>(&mut group, &[Some(1), Some(0)]);
    group.close().unwrap();
    file.into_inner().unwrap()
}

#[test]
fn a_long_table() {
    let zstd = Compression::ZSTD(ZstdLevel::default());
    for compression in [Compression::UNCOMPRESSED, Compression::SNAPPY, zstd] {
        let format = SeriesFormat { future: names(&["promo"]), ..SeriesFormat::default() };
        let panel = read_files(&[("shops.parquet", shops(compression))], &format).unwrap();
        assert_eq!(panel.frequency.to_string(), "D");
        is(&panel.series[0], "a", "2020-01-01", &[0.1 + 0.2, NAN, -1e-300]);
        same(&panel.series[0].future[0], &[0.0, 1.0, NAN, 1.0]);
        is(&panel.series[1], "b", "2020-01-02", &[1e300, 5e-324]);
        noted(&panel, &["time `ds`", "series `unique_id`", "values `y`"]);
    }
}

#[test]
fn a_parquet_file_needs_no_name_of_one() {
    let bytes = shops(Compression::SNAPPY);
    let panel = read_files(&[("shops", bytes)], &format(r#"{"ignore":["promo"]}"#)).unwrap();
    assert_eq!(panel.series.len(), 2);
}

#[test]
fn parquet_and_csv_are_joined() {
    let csv = b"unique_id,ds,y\nb,2020-01-04,7\n".to_vec();
    let files = [("shops.parquet", shops(Compression::SNAPPY)), ("new.csv", csv)];
    let panel = read_files(&files, &SeriesFormat::default()).unwrap();
    is(&panel.series[1], "b", "2020-01-02", &[1e300, 5e-324, 7.0]);
}

#[test]
fn times_of_all_units() {
    let hours = |unit: i64| [0, 1, 2].map(|hour| (1_577_880_000 + hour * 3600) * unit);
    for (kind, unit) in [("MILLIS", 1000), ("MICROS", 1_000_000), ("NANOS", 1_000_000_000)] {
        for zone in ["true", "false"] {
            let stamp = format!("INT64 ds (TIMESTAMP({kind},{zone}))");
            let bytes = times::<Int64Type>(&stamp, &hours(unit));
            let panel = read_files(&[("hours.parquet", bytes)], &SeriesFormat::default()).unwrap();
            assert_eq!(panel.frequency.to_string(), "h", "{stamp}");
            is(&panel.series[0], "sales", "2020-01-01 12:00:00", &[1.0, 2.0, 3.0]);
            let utc = panel.notes.iter().any(|note| note.why.contains("in UTC"));
            assert_eq!(utc, zone == "true", "{stamp}: {:?}", panel.notes);
        }
    }
}

#[test]
fn times_as_text_and_integers() {
    let text = ["2020-01-31", "2020-02-29"].map(ByteArray::from);
    let bytes = times::<ByteArrayType>("BINARY ds (UTF8)", &text);
    let panel = read_files(&[("ends.parquet", bytes)], &SeriesFormat::default()).unwrap();
    assert_eq!(panel.frequency.to_string(), "ME");
    is(&panel.series[0], "sales", "2020-01-31", &[1.0, 2.0]);
    let bytes = times::<Int64Type>("INT64 ds", &[5, 6]);
    let panel = read_files(&[("places.parquet", bytes)], &SeriesFormat::default()).unwrap();
    is(&panel.series[0], "sales", "5", &[1.0, 2.0]);
}

#[test]
fn numbers_of_all_kinds() {
    let mut file = create(
        &["INT32 ds", "FLOAT a", "INT32 b", "INT64 c (INTEGER(64,false))"],
        Compression::UNCOMPRESSED,
    );
    let mut group = file.next_row_group().unwrap();
    column::<Int32Type>(&mut group, &[1, 2].map(Some));
    column::<FloatType>(&mut group, &[Some(0.5), Some(-1.25e-20)]);
    column::<Int32Type>(&mut group, &[Some(i32::MIN), Some(7)]);
    column::<Int64Type>(&mut group, &[Some(0), Some(1 << 53)]);
    group.close().unwrap();
    let bytes = file.into_inner().unwrap();
    let panel = read_files(&[("kinds.parquet", bytes)], &SeriesFormat::default()).unwrap();
    is(&panel.series[0], "a", "1", &[0.5, -1.25e-20]);
    is(&panel.series[1], "b", "1", &[f64::from(i32::MIN), 7.0]);
    is(&panel.series[2], "c", "1", &[0.0, (1_u64 << 53) as f64]);
}

#[test]
fn errors_name_the_row() {
    let bytes = times::<Int64Type>("INT64 ds", &[1, 2, 2]);
    refused(
        read_files(&[("twice.parquet", bytes)], &SeriesFormat::default()),
        "twice.parquet, line 3, series `sales`",
        &["2 is there twice, first in line 2"],
    );
    let mut file = create(&["INT64 ds", "DOUBLE y"], Compression::UNCOMPRESSED);
    let mut group = file.next_row_group().unwrap();
    column::<Int64Type>(&mut group, &[Some(1), Some(2)]);
    column::<DoubleType>(&mut group, &[Some(1.0), Some(f64::INFINITY)]);
    group.close().unwrap();
    refused(
        read_files(&[("inf.pq", file.into_inner().unwrap())], &SeriesFormat::default()),
        "inf.pq, line 2, series `sales`",
        &["column `y` is inf", "finite"],
    );
}

#[test]
fn a_table_without_rows() {
    let bytes = create(&["INT64 ds", "DOUBLE y"], Compression::UNCOMPRESSED).into_inner().unwrap();
    refused(
        read_files(&[("none.parquet", bytes)], &SeriesFormat::default()),
        "none.parquet",
        &["no row below it"],
    );
}

#[test]
fn what_is_no_parquet() {
    let whole = shops(Compression::SNAPPY);
    let cases = [&whole[..0], &whole[..4], &whole[..whole.len() / 2], &whole[..whole.len() - 1]];
    for bytes in cases.into_iter().chain([&b"ds,y\n1,2\n"[..]]) {
        refused(
            read_files(&[("bad.parquet", bytes)], &SeriesFormat::default()),
            "bad.parquet",
            &["cannot be read as Parquet"],
        );
    }
}

#[test]
fn a_damaged_byte_is_no_panic() {
    let whole = shops(Compression::SNAPPY);
    for at in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x40;
        if let Err(problem) = read_files(&[("shops.parquet", bytes)], &SeriesFormat::default()) {
            assert!(problem.starts_with("shops.parquet"), "{problem}");
        }
    }
}
