//! What stands for labels.
use super::format::ExampleFormat;
use crate::error::Error;
use crate::table::rows::Table;
use gruvy_runtime::Remark;

/// A label without blanks around it; whole numbers without `.0`, as tables have them that know only
/// floats.
pub(super) fn label(cell: &str) -> &str {
    let cell = cell.trim();
    match cell.split_once('.') {
        Some((whole, zeros)) if !zeros.is_empty() && zeros.bytes().all(|byte| byte == b'0') => {
            let digits = whole.strip_prefix('-').unwrap_or(whole);
            let number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
            if number { whole } else { cell }
        }
        _ => cell,
    }
}

/// The labels of a cell, in their order, none twice.
pub(super) fn split(cell: &str, separator: char) -> Vec<String> {
    let mut labels: Vec<String> = Vec::new();
    for part in cell.split(separator).map(label).filter(|part| !part.is_empty()) {
        if !labels.iter().any(|known| known == part) {
            labels.push(part.to_owned());
        }
    }
    labels
}

/// Whether a cell of 0 and 1 says yes.
pub(super) fn yes(cell: &str) -> Option<bool> {
    match label(cell) {
        "1" => Some(true),
        "0" => Some(false),
        word if word.eq_ignore_ascii_case("true") => Some(true),
        word if word.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}

/// What to do about an item without a label.
pub(super) const NO_LABEL: &str =
    "the label is missing; label every item, or leave the label out everywhere";

/// The labels of a row: of one column, or the names of the columns that say yes.
pub(super) fn of_row(
    table: &Table,
    row: usize,
    columns: &[usize],
    format: &ExampleFormat,
) -> Result<Vec<String>, Error> {
    if let [column] = columns {
        let cell = table.cell(row, *column);
        return match format.label_separator {
            Some(separator) => Ok(split(cell, separator)),
            None if cell.is_empty() => {
                let problem = format!("column `{}`: {NO_LABEL}", table.names[*column]);
                Err(table.error(Some(row), None, problem))
            }
            None => Ok(vec![label(cell).to_owned()]),
        };
    }
    let mut labels = Vec::new();
    for column in columns {
        let (cell, name) = (table.cell(row, *column), &table.names[*column]);
        match yes(cell) {
            Some(true) => labels.push(name.clone()),
            Some(false) => {}
            None => {
                let problem = format!(
                    "column `{name}` is `{cell}`; with several columns of labels each says 0 or 1 \
                     (true or false)"
                );
                return Err(table.error(Some(row), None, problem));
            }
        }
    }
    Ok(labels)
}

/// A label column without a single label is none: the labels are yet to be found.
pub(super) fn unless_empty(table: &Table, labels: &mut Vec<usize>, notes: &mut Vec<Remark>) {
    if let [label] = labels[..]
        && (0..table.rows.len()).all(|row| table.cell(row, label).is_empty())
    {
        notes.push(format!("column `{}` is empty: no labels", table.names[label]).into());
        labels.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_numbers_lose_their_zeros() {
        for (cell, expected) in [
            (" pos ", "pos"),
            ("1.0", "1"),
            ("-3.00", "-3"),
            ("1.5", "1.5"),
            ("1.", "1."),
            (".0", ".0"),
            ("-.0", "-.0"),
            ("v1.0", "v1.0"),
            ("1.0.0", "1.0.0"),
        ] {
            assert_eq!(label(cell), expected, "{cell}");
        }
    }
}
