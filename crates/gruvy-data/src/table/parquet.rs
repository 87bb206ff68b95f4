//! Parquet files as tables of text.
mod footer;

use crate::error::{Result, problem_at};
use arrow_cast::display::{ArrayFormatter, FormatOptions};
use arrow_schema::DataType;
use csv::StringRecord;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use std::{panic::catch_unwind, path::Path};

/// Reads a whole file: the names of its columns, and its rows.
pub(super) fn read(path: &Path, bytes: Vec<u8>) -> Result<(Vec<String>, Vec<StringRecord>)> {
    // Of files with damage in them, the library refuses most; at some it panics.
    let rows = catch_unwind(|| rows(bytes)).unwrap_or_else(|_| Err("the file is damaged".into()));
    rows.map_err(|problem| {
        let problem = format!(
            "cannot be read as Parquet: {problem}; write it again, or save the table as CSV"
        );
        problem_at(path, None, problem)
    })
}

/// The names of the columns and the rows.
fn rows(bytes: Vec<u8>) -> Result<(Vec<String>, Vec<StringRecord>), Box<dyn std::error::Error>> {
    footer::check(&bytes)?;
    let builder = ParquetRecordBatchReaderBuilder::try_new(bytes::Bytes::from(bytes))?;
    let names: Vec<String> =
        builder.schema().fields().iter().map(|field| field.name().clone()).collect();
    let reader = builder.build()?;
    let mut rows = Vec::new();
    let options = FormatOptions::default().with_display_error(false);
    for batch in reader {
        let batch = batch?;
        let (mut columns, mut utc) = (Vec::new(), Vec::new());
        for column in batch.columns() {
            // A stamp with a zone is an instant, written in UTC.
            let zoned = matches!(column.data_type(), DataType::Timestamp(_, Some(_)));
            utc.push(zoned);
            columns.push(match column.data_type() {
                DataType::Timestamp(unit, Some(_)) => {
                    let plain = DataType::Timestamp(*unit, None);
                    arrow_cast::cast(column, &plain)?
                }
                _ => column.clone(),
            });
        }
        let formatters: Vec<ArrayFormatter<'_>> = columns
            .iter()
            .map(|column| ArrayFormatter::try_new(column.as_ref(), &options))
            .collect::<Result<_, _>>()?;
        for row in 0..batch.num_rows() {
            let mut record = StringRecord::new();
            for (formatter, utc) in formatters.iter().zip(&utc) {
                let mut cell = formatter.value(row).try_to_string()?;
                if *utc && !cell.is_empty() {
                    cell.push('Z');
                }
                record.push_field(&cell);
            }
            rows.push(record);
        }
    }
    Ok((names, rows))
}
