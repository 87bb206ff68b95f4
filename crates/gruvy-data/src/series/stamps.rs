//! Reading of stamps: what people write for a time, all of a column in one way.
use crate::table::rows::missing;
use gruvy_runtime::series::Stamp;
use jiff::civil::{Date, DateTime, Time};

/// What a cell says, as far as it can be told by itself.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Written {
    /// A time.
    Time(DateTime),
    /// An integer: a year, a date without separators or a position.
    Integer(i64),
    /// `a/b/year`: day and month in one order or the other.
    Ambiguous([i64; 3], Time),
}

/// How the stamps of a column are to be understood.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Reading {
    /// `DD/MM/YYYY`, not `MM/DD/YYYY`; none without such dates.
    pub day_first: Option<bool>,
    integers: Integers,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum Integers {
    #[default]
    Positions,
    Years,
    Dates,
}

impl Reading {
    /// How a column of these cells is to be read. `positions`: integers are no years. `known`: whether dates had the day
    /// first in earlier data, for a column that does not tell.
    ///
    /// # Errors
    /// The place of a cell in the iteration, and what is wrong with it.
    pub fn of<'a>(
        cells: impl Iterator<Item = &'a str>,
        positions: bool,
        known: Option<bool>,
    ) -> Result<Self, (usize, String)> {
        let (mut day_first, mut month_first, mut ambiguous) = (None, None, None);
        let (mut years, mut dates, mut integers, mut times) = (true, true, 0, None);
        for (at, cell) in cells.enumerate() {
            match written(cell).map_err(|problem| (at, problem))? {
                Written::Integer(value) => {
                    integers += 1;
                    years &= (1500..=2200).contains(&value);
                    dates &= date_of(value).is_some();
                }
                Written::Time(_) => times = Some(at),
                Written::Ambiguous([a, b, _], _) if a > 12 && b > 12 => {
                    return Err((at, unknown(cell)));
                }
                Written::Ambiguous([a, b, _], _) => {
                    times = Some(at);
                    ambiguous.get_or_insert(at);
                    if a > 12 {
                        day_first.get_or_insert(at);
                    }
                    if b > 12 {
                        month_first.get_or_insert(at);
                    }
                }
            }
        }
        if let (Some(at), true) = (times, integers > 0) {
            return Err((
                at,
                "a date in a column where integers are, too; write all in one way".into(),
            ));
        }
        match (ambiguous, day_first, month_first) {
            (Some(_), Some(a), Some(b)) => {
                let problem = "some dates of this column have the day first and some the month; write them as YYYY-MM-DD";
                return Err((a.max(b), problem.into()));
            }
            (Some(at), None, None) if known.is_none() => {
                let problem = "the date can be DD/MM/YYYY or MM/DD/YYYY, and no date of this column says which; write \
                               them as YYYY-MM-DD";
                return Err((at, problem.into()));
            }
            _ => {}
        }
        let integers = match integers > 0 && !positions {
            true if years => Integers::Years,
            true if dates => Integers::Dates,
            _ => Integers::Positions,
        };
        let told = day_first.map(|_| true).or(month_first.map(|_| false)).or(known);
        Ok(Self { day_first: told, integers })
    }

    /// Whether integers are taken for years.
    pub fn years(self) -> bool {
        self.integers == Integers::Years
    }

    /// Reads a cell.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn stamp(self, cell: &str) -> Result<Stamp, String> {
        match (written(cell)?, self.integers) {
            (Written::Time(time), _) => Ok(time),
            (Written::Integer(at), Integers::Positions) => return Ok(Stamp::Index(at)),
            (Written::Integer(year), Integers::Years) => at(date(year, 1, 1), Time::midnight()),
            (Written::Integer(value), Integers::Dates) => at(date_of(value), Time::midnight()),
            (Written::Ambiguous([a, b, year], time), _) => {
                let (day, month) = if self.day_first == Some(true) { (a, b) } else { (b, a) };
                at(date(year, month, day), time)
            }
        }
        .map(Stamp::Time)
        .map_err(|()| unknown(cell))
    }
}

/// A stamp of columns for year, month and, as far as they are there, day, hour, minute and second.
pub(super) fn of_parts(cells: &[&str]) -> Result<Stamp, String> {
    let shown = || cells.join(" ");
    let mut parts = [0, 1, 1, 0, 0, 0];
    for (part, cell) in parts.iter_mut().zip(cells) {
        *part = cell.parse().map_err(|_| unknown(&shown()))?;
    }
    let [year, month, day, hour, minute, second] = parts;
    let small = |value: i64| i8::try_from(value).map_err(|_| unknown(&shown()));
    let time = Time::new(small(hour)?, small(minute)?, small(second)?, 0);
    let time = time.map_err(|_| unknown(&shown()))?;
    at(date(year, month, day), time).map(Stamp::Time).map_err(|()| unknown(&shown()))
}

/// Whether a cell reads as a time by itself.
pub(super) fn is_time(cell: &str) -> bool {
    matches!(written(cell), Ok(Written::Time(_) | Written::Ambiguous(..)))
}

fn unknown(cell: &str) -> String {
    format!(
        "`{cell}` is no time that can be read; expected an integer or one of YYYY-MM-DD, YYYY-MM-DD HH:MM:SS, YYYY-MM, \
         1956Q1"
    )
}

fn at(date: Option<Date>, time: Time) -> Result<DateTime, ()> {
    date.map(|date| date.to_datetime(time)).ok_or(())
}

fn date(year: i64, month: i64, day: i64) -> Option<Date> {
    // The calendar ends with 9999; steps must fit behind any stamp.
    let year = i16::try_from(year).ok().filter(|year| (1..=9990).contains(year))?;
    Date::new(year, month.try_into().ok()?, day.try_into().ok()?).ok()
}

/// `20200131`.
fn date_of(value: i64) -> Option<Date> {
    (10_000_000..=99_999_999).contains(&value).then_some(())?;
    date(value / 10_000, value / 100 % 100, value % 100)
}

fn written(cell: &str) -> Result<Written, String> {
    let cell = cell.trim();
    if missing(cell) {
        return Err("the time is missing; every row needs one".into());
    }
    if let Ok(value) = cell.parse() {
        return Ok(Written::Integer(value));
    }
    if let Some(time) = month_or_quarter(cell) {
        return Ok(Written::Time(time));
    }
    if names_a_month(cell) {
        return Err(format!(
            "`{cell}` names a month; expected numbers: write the dates as YYYY-MM or YYYY-MM-DD"
        ));
    }
    let (day, time) = match cell.split_once(['T', 't', ' ']) {
        Some((day, time)) => (day, time_of_day(time.trim()).ok_or_else(|| unknown(cell))?),
        None => (cell, Time::midnight()),
    };
    let separator = ['-', '/', '.'].into_iter().find(|separator| day.contains(*separator));
    let parts: Vec<&str> = separator.map(|by| day.split(by).collect()).unwrap_or_default();
    let number = |part: &str| {
        (part.len() <= 4 && part.bytes().all(|b| b.is_ascii_digit())).then(|| part.parse().ok())?
    };
    let numbers: Option<Vec<i64>> = parts.iter().map(|part| number(part)).collect();
    let time = match (numbers.as_deref(), parts.as_slice()) {
        (Some([year, month]), [first, _]) if first.len() == 4 => at(date(*year, *month, 1), time),
        (Some([year, month, day]), [first, ..]) if first.len() == 4 => {
            at(date(*year, *month, *day), time)
        }
        (Some([day, month, year]), [.., last]) if last.len() == 4 => {
            if separator == Some('.') {
                at(date(*year, *month, *day), time)
            } else {
                return Ok(Written::Ambiguous([*day, *month, *year], time));
            }
        }
        _ => Err(()),
    };
    time.map(Written::Time).map_err(|()| unknown(cell))
}

/// `1949M01`, `1956Q1`, `1956 Q1`, `1956-Q1`.
fn month_or_quarter(cell: &str) -> Option<DateTime> {
    let (year, rest) = cell.split_at_checked(4)?;
    let year = year.parse().ok()?;
    let rest = rest.trim_start_matches([' ', '-']);
    let (kind, number) = rest.split_at_checked(1)?;
    let number: i64 = number.parse().ok()?;
    let month = match kind {
        "M" | "m" => number,
        "Q" | "q" if (1..=4).contains(&number) => 3 * number - 2,
        _ => return None,
    };
    at(date(year, month, 1), Time::midnight()).ok()
}

fn names_a_month(cell: &str) -> bool {
    let cell = cell.to_ascii_lowercase();
    let mut words = cell.split(|c: char| !c.is_ascii_alphabetic());
    let months =
        ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    words.any(|word| months.iter().any(|month| word.starts_with(month)))
}

/// `13:00`, `13:00:00`, with zeros behind the seconds, with an offset that is left aside.
fn time_of_day(text: &str) -> Option<Time> {
    let end = text.find(['Z', 'z', '+', '-']).unwrap_or(text.len());
    let (time, offset) = text.split_at(end);
    let well = |c: char| c.is_ascii_digit() || c == ':';
    let zone = offset.len() >= 3 && offset[1..].chars().all(well);
    if !(zone || matches!(offset, "" | "Z" | "z")) {
        return None;
    }
    let (time, fraction) = time.trim_end().split_once('.').unwrap_or((time.trim_end(), "0"));
    if !fraction.bytes().all(|byte| byte == b'0') {
        return None;
    }
    let parts: Option<Vec<i8>> = time.split(':').map(|part| part.parse().ok()).collect();
    match parts?[..] {
        [hour, minute] => Time::new(hour, minute, 0, 0).ok(),
        [hour, minute, second] => Time::new(hour, minute, second, 0).ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
