//! Separated text: rows of cells, and the line each row stands on.
use crate::error::{Result, problem_at};
use crate::input::line_at;
use csv::StringRecord;
use std::path::Path;

/// The rows of separated text, which is UTF-8, and the line of each, from 1. Without `quotes`, a
/// quote is a character like any other.
pub(crate) fn records(
    file: &Path,
    bytes: &[u8],
    delimiter: u8,
    quotes: bool,
) -> Result<(Vec<StringRecord>, Vec<u64>)> {
    if let Some(line) = open_quote(bytes, delimiter).filter(|_| quotes) {
        let problem =
            "a quote (`\"`) is opened and never closed; close it, or double it inside a value";
        return Err(problem_at(file, Some(line), problem.into()));
    }
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter)
        .quoting(quotes)
        .from_reader(bytes);
    let (mut rows, mut lines) = (Vec::new(), Vec::new());
    let (mut line, mut seen) = (1, 0);
    let mut row = StringRecord::new();
    while reader.read_record(&mut row).map_err(|e| problem_at(file, None, e.to_string()))? {
        let mut start = row.position().map_or(seen, |at| at.byte() as usize);
        while bytes.get(start).is_some_and(|byte| matches!(byte, b'\r' | b'\n')) {
            start += 1;
        }
        line += bytes[seen..start].iter().filter(|byte| **byte == b'\n').count() as u64;
        seen = start;
        // The record itself keeps the room that its widest row took.
        rows.push(row.iter().collect());
        lines.push(line);
    }
    Ok((rows, lines))
}

/// The separator, of those `among` which to look, that the first line with anything in it has most
/// of, outside of quotes; the last where it has none. `None` without such a line.
pub(crate) fn delimiter(bytes: &[u8], among: &[u8]) -> Option<u8> {
    let header = bytes.split(|byte| matches!(byte, b'\n' | b'\r')).find(|line| !line.is_empty())?;
    let mut quoted = false;
    let mut counts: Vec<(usize, u8)> = among.iter().map(|delimiter| (0, *delimiter)).collect();
    for byte in header {
        quoted ^= *byte == b'"';
        if let Some((count, _)) = counts.iter_mut().find(|(_, known)| known == byte && !quoted) {
            *count += 1;
        }
    }
    counts.into_iter().max_by_key(|(count, _)| *count).map(|(_, delimiter)| delimiter)
}

/// The line of a quote that no other closes.
fn open_quote(bytes: &[u8], delimiter: u8) -> Option<u64> {
    let (mut quote, mut start) = (None, true);
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        match quote {
            Some(_) if *byte == b'"' && bytes.get(at + 1) == Some(&b'"') => at += 1,
            Some(_) if *byte == b'"' => quote = None,
            None if *byte == b'"' && start => quote = Some(at),
            _ => {}
        }
        start = *byte == delimiter || matches!(byte, b'\n' | b'\r');
        at += 1;
    }
    quote.map(|at| line_at(bytes, at))
}
