//! Tables whose best values are marked.

/// What counts as the best of a column.
#[derive(Clone, Copy)]
pub enum Best {
    /// The smallest value.
    Least,
    /// The largest value.
    Most,
}

/// A column of a table.
pub struct Column {
    /// What stands above it.
    pub title: String,
    /// Which value is marked, if any.
    pub best: Option<Best>,
    /// Of each row the text, and the value that is judged, if there is one.
    pub rows: Vec<(String, Option<f64>)>,
}

impl Column {
    /// The text of the best value, if there is something to choose from: what reads alike is
    /// equally good.
    fn winner(&self) -> Option<&str> {
        let values = self.rows.iter().filter_map(|(text, value)| Some((text, (*value)?)));
        let order = |a: &(_, f64), b: &(_, f64)| a.1.total_cmp(&b.1);
        let (text, _) = match self.best? {
            Best::Least => values.min_by(order),
            Best::Most => values.max_by(order),
        }?;
        self.rows.iter().any(|(other, _)| other != text).then_some(text)
    }
}

/// The columns side by side, the first flush left, the others flush right. The best of a column is
/// bold, for terminals, or else has a star.
pub fn table(columns: &[Column], bold: bool) -> String {
    let length = |text: &str| text.chars().count();
    let widths = columns.iter().map(|column| {
        let cells = column.rows.iter().map(|(text, _)| length(text));
        cells.fold(length(&column.title), usize::max)
    });
    let widths: Vec<usize> = widths.collect();
    let winners: Vec<Option<&str>> = columns.iter().map(Column::winner).collect();
    let rows = columns[0].rows.len();
    let mut text = String::new();
    for row in 0..=rows {
        let mut line = String::new();
        for (i, column) in columns.iter().enumerate() {
            let cell = if row == 0 { &column.title } else { &column.rows[row - 1].0 };
            let space = " ".repeat(widths[i] - length(cell));
            let best = row > 0 && winners[i] == Some(cell);
            let (before, after) = match (best, bold) {
                (true, true) => ("\x1b[1m", "\x1b[0m "),
                (true, false) => ("", "*"),
                (false, _) => ("", " "),
            };
            line += &match i {
                0 => format!("{cell}{space}"),
                _ => format!("  {space}{before}{cell}{after}"),
            };
        }
        text += line.trim_end();
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(title: &str, best: Option<Best>, rows: [(&str, Option<f64>); 3]) -> Column {
        Column { title: title.into(), best, rows: rows.map(|(t, v)| (t.to_owned(), v)).into() }
    }

    #[test]
    fn the_best_is_marked_and_columns_are_aligned() {
        let columns = [
            column("cell", None, [("gru", None), ("lstm", None), ("rnn", None)]),
            column(
                "loss",
                Some(Best::Least),
                [("1.5 ± 0.1", Some(1.5)), ("9", Some(9.0)), ("-", None)],
            ),
            column(
                "speed",
                Some(Best::Most),
                [("2", Some(2.0)), ("10", Some(10.0)), ("10", Some(9.9))],
            ),
            column(
                "size",
                Some(Best::Least),
                [("3", Some(3.0)), ("3", Some(3.1)), ("3", Some(3.2))],
            ),
        ];
        let plain = "cell       loss   speed   size\n\
                     gru   1.5 ± 0.1*      2      3\n\
                     lstm          9      10*     3\n\
                     rnn           -      10*     3\n";
        assert_eq!(table(&columns, false), plain);
        let shown = table(&columns, true).replace("\x1b[1m", "").replace("\x1b[0m", "");
        let same = |text: &str| text.lines().map(|l| l.trim_end().to_owned()).collect::<Vec<_>>();
        assert_eq!(same(&shown), same(&plain.replace('*', " ")));
    }
}
