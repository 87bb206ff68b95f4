//! Reading of stamps: what people write for a time, all of a column in one way.
use super::zone;
use crate::table::rows::missing;
use gruvy_runtime::series::Stamp;
use jiff::SignedDuration;
use jiff::civil::{Date, DateTime, ISOWeekDate, Time, Weekday};
use jiff::tz::TimeZone;

/// What a cell says, as far as it can be told by itself.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Written {
    /// A time, and how many seconds its clock is ahead of UTC, where that is written.
    Time(DateTime, Option<i32>),
    /// An integer: a year, a date without separators or a position.
    Integer(i64),
    /// `a/b/year`: day and month in one order or the other.
    Ambiguous([i64; 3], Time, Option<i32>),
}

/// How the stamps of a column are to be understood.
#[derive(Clone, Debug, Default)]
pub(super) struct Reading {
    /// `DD/MM/YYYY`, not `MM/DD/YYYY`; none without such dates.
    pub day_first: Option<bool>,
    integers: Integers,
    zone: Zone,
}

/// What becomes of the offsets from UTC that stamps have.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) enum Zone {
    /// There are none.
    #[default]
    None,
    /// All stamps are moved to this one, in seconds ahead of UTC.
    Offset(i32),
    /// Several at one time of day, as days in a country with summer time have: the dates count.
    Dates,
    /// All stamps are in this zone: on a clock that is so many seconds ahead of UTC all year or,
    /// without that, at one time of day on the zone's own clock.
    Named(TimeZone, Option<i32>),
}

/// What is known of earlier data, and asked for.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Earlier<'a> {
    /// Integers are no years.
    pub positions: bool,
    /// Whether dates had the day first, for a column that does not tell.
    pub day_first: Option<bool>,
    /// Seconds ahead of UTC.
    pub offset: Option<i32>,
    /// The time zone.
    pub zone: Option<&'a str>,
    /// The time zone that is asked for.
    pub asked: Option<&'a str>,
}

/// What is wrong with a cell, by its place in its column, perhaps beside another.
pub(super) type Odd = (usize, Option<usize>, String);

#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum Integers {
    #[default]
    Positions,
    Years,
    Dates,
}

impl Reading {
    /// How a column of these cells is to be read.
    ///
    /// # Errors
    /// What is wrong with a cell.
    pub fn of(cells: &[&str], earlier: Earlier<'_>) -> Result<Self, Odd> {
        let seen = Seen::of(cells)?;
        let day_first = seen.day_first(earlier.day_first)?;
        let integers = if earlier.positions { Integers::Positions } else { seen.integers() };
        let reading = Self { day_first, integers, zone: Zone::None };
        let zone = match zone::of_column(cells, earlier.asked, earlier.zone)? {
            Some(zone) => reading.in_zone(zone, cells, earlier)?,
            None => seen.zones.zone(earlier.offset)?,
        };
        Ok(Self { zone, ..reading })
    }

    /// What becomes of stamps in a zone: those of days stay at their time of day, all others are
    /// instants.
    fn in_zone(&self, zone: TimeZone, cells: &[&str], earlier: Earlier<'_>) -> Result<Zone, Odd> {
        let (mut first, mut clock, mut one) = (None, None, true);
        for (at, cell) in cells.iter().enumerate() {
            let (cell, name) = zone::split(cell);
            let odd = |problem| (at, None, problem);
            let Some((time, offset)) = self.time(cell).map_err(odd)? else { continue };
            let at = zone::instant(&zone, time, offset, name).map_err(odd)?;
            first.get_or_insert(at);
            let time = zone.to_datetime(at).time();
            one &= *clock.get_or_insert(time) == time;
        }
        let fixed = match (earlier.zone, earlier.offset) {
            (Some(_), offset) | (None, offset @ Some(_)) => offset,
            (None, None) => first.filter(|_| !one).map(|first| zone::winter(&zone, first)),
        };
        Ok(Zone::Named(zone, fixed))
    }

    /// Whether integers are taken for years.
    pub fn years(&self) -> bool {
        self.integers == Integers::Years
    }

    /// Seconds that the stamps' clock is ahead of UTC, where that is known.
    pub fn offset(&self) -> Option<i32> {
        match self.zone {
            Zone::Offset(seconds) => Some(seconds),
            Zone::Named(_, fixed) => fixed,
            Zone::None | Zone::Dates => None,
        }
    }

    /// The name of the stamps' time zone.
    pub fn zone(&self) -> Option<&str> {
        match &self.zone {
            Zone::Named(zone, _) => zone.iana_name(),
            _ => None,
        }
    }

    /// What is to be said of the offsets.
    pub fn said(&self, name: &str) -> Option<String> {
        match &self.zone {
            Zone::Named(..) => Some(format!(
                "`{name}` is taken in the time zone {}, and forecasts are stamped so",
                self.zone().unwrap_or_default()
            )),
            Zone::None => None,
            Zone::Dates => Some(format!(
                "`{name}` has stamps with several offsets from UTC at one time of day: the dates \
                 count, and forecasts have no \
                 offset"
            )),
            Zone::Offset(0) => {
                Some(format!("`{name}` is taken in UTC, and forecasts are stamped so"))
            }
            Zone::Offset(seconds) => Some(format!(
                "`{name}` is taken at the offset {} from UTC, and forecasts are stamped so",
                offset_text(*seconds)
            )),
        }
    }

    /// A time at its offset or in the zone that is `named` beside it, moved to that of all.
    fn moved(
        &self,
        time: DateTime,
        offset: Option<i32>,
        named: Option<&str>,
    ) -> Result<DateTime, String> {
        match (&self.zone, offset) {
            (Zone::Named(zone, fixed), _) => {
                let at = zone::instant(zone, time, offset, named)?;
                Ok(fixed.map_or_else(|| zone.to_datetime(at), |offset| zone::clock(at, offset)))
            }
            (Zone::Offset(to), Some(from)) => {
                Ok(time.saturating_add(SignedDuration::from_secs(i64::from(to - from))))
            }
            _ => Ok(time),
        }
    }

    /// Reads a cell.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn stamp(&self, cell: &str) -> Result<Stamp, String> {
        let (time, name) = zone::split(cell);
        if let (Written::Integer(at), Integers::Positions) = (written(time)?, self.integers) {
            return Ok(Stamp::Index(at));
        }
        let (time, offset) = self.time(time)?.ok_or_else(|| unknown(cell))?;
        self.moved(time, offset, name).map(Stamp::Time)
    }

    /// The time that a cell without a zone says, and its offset; none for a position.
    fn time(&self, cell: &str) -> Result<Option<(DateTime, Option<i32>)>, String> {
        let (date, time, offset) = match (written(cell)?, self.integers) {
            (Written::Time(time, offset), _) => return Ok(Some((time, offset))),
            (Written::Integer(_), Integers::Positions) => return Ok(None),
            (Written::Integer(year), Integers::Years) => (date(year, 1, 1), Time::midnight(), None),
            (Written::Integer(value), Integers::Dates) => (date_of(value), Time::midnight(), None),
            (Written::Ambiguous([a, b, year], time, offset), _) => {
                let (day, month) = if self.day_first == Some(true) { (a, b) } else { (b, a) };
                (date(year, month, day), time, offset)
            }
        };
        at(date, time).map(|time| Some((time, offset))).map_err(|()| unknown(cell))
    }
}

/// What the cells of a column say, each by itself, and where it was first or last said.
struct Seen {
    zones: Zones,
    /// The first date that can have either order, the first that must begin with the day, and the
    /// first that must begin with the month.
    ambiguous: Option<usize>,
    day_first: Option<usize>,
    month_first: Option<usize>,
    /// The last time and the last integer.
    time: Option<usize>,
    integer: Option<usize>,
    /// Whether all integers can be years, and dates.
    years: bool,
    dates: bool,
}

impl Seen {
    fn of(cells: &[&str]) -> Result<Self, Odd> {
        let mut seen = Self {
            zones: Zones::default(),
            ambiguous: None,
            day_first: None,
            month_first: None,
            time: None,
            integer: None,
            years: true,
            dates: true,
        };
        for (at, cell) in cells.iter().enumerate() {
            match written(zone::split(cell).0).map_err(|problem| (at, None, problem))? {
                Written::Integer(value) => {
                    seen.integer = Some(at);
                    seen.years &= (1500..=2200).contains(&value);
                    seen.dates &= date_of(value).is_some();
                }
                Written::Time(time, offset) => {
                    seen.time = Some(at);
                    seen.zones.add(at, time.time(), offset);
                }
                Written::Ambiguous([a, b, _], ..) if a > 12 && b > 12 => {
                    return Err((at, None, unknown(cell)));
                }
                Written::Ambiguous([a, b, _], time, offset) => {
                    seen.time = Some(at);
                    seen.zones.add(at, time, offset);
                    seen.ambiguous.get_or_insert(at);
                    if a > 12 {
                        seen.day_first.get_or_insert(at);
                    }
                    if b > 12 {
                        seen.month_first.get_or_insert(at);
                    }
                }
            }
        }
        match (seen.time, seen.integer) {
            (Some(at), Some(integer)) => {
                let problem = "a date in a column where integers are, too; write all in one way";
                Err((at, Some(integer), problem.into()))
            }
            _ => Ok(seen),
        }
    }

    /// Whether dates have the day first; `known`: whether earlier ones had.
    fn day_first(&self, known: Option<bool>) -> Result<Option<bool>, Odd> {
        match (self.ambiguous, self.day_first, self.month_first) {
            (Some(_), Some(a), Some(b)) => {
                let problem = "some dates of this column have the day first and some the month; \
                               write them as YYYY-MM-DD";
                Err((a.max(b), Some(a.min(b)), problem.into()))
            }
            (Some(at), None, None) if known.is_none() => {
                let problem = "the date can be DD/MM/YYYY or MM/DD/YYYY, and no date of this column \
                               says which; write them as YYYY-MM-DD";
                Err((at, None, problem.into()))
            }
            (_, Some(_), _) => Ok(Some(true)),
            (_, _, Some(_)) => Ok(Some(false)),
            _ => Ok(known),
        }
    }

    fn integers(&self) -> Integers {
        match self.integer {
            Some(_) if self.years => Integers::Years,
            Some(_) if self.dates => Integers::Dates,
            _ => Integers::Positions,
        }
    }
}

/// The offsets of a column's stamps.
#[derive(Default)]
struct Zones {
    /// The first stamp with an offset, and the first without.
    with: Option<usize>,
    without: Option<usize>,
    /// The offset that all have so far; none: several.
    one: Option<i32>,
    /// The time of day that all have so far; none: several.
    clock: Option<Time>,
}

impl Zones {
    fn add(&mut self, at: usize, time: Time, offset: Option<i32>) {
        let first = self.with.is_none() && self.without.is_none();
        self.clock = Some(time).filter(|time| first || self.clock == Some(*time));
        let Some(offset) = offset else {
            self.without.get_or_insert(at);
            return;
        };
        self.one = Some(offset).filter(|_| self.with.is_none() || self.one == Some(offset));
        self.with.get_or_insert(at);
    }

    fn zone(&self, earlier: Option<i32>) -> Result<Zone, Odd> {
        match (self.with, self.without) {
            (None, _) => Ok(earlier.map_or(Zone::None, Zone::Offset)),
            (Some(a), Some(b)) => {
                let problem = "some stamps of this column have an offset from UTC and some have none, so their order is not \
                               known; write all in one way";
                Err((a.max(b), Some(a.min(b)), problem.into()))
            }
            (Some(_), None) => Ok(match (earlier, self.one, self.clock) {
                (Some(offset), ..) | (None, Some(offset), _) => Zone::Offset(offset),
                (None, None, Some(_)) => Zone::Dates,
                (None, None, None) => Zone::Offset(0),
            }),
        }
    }
}

/// `+02:00`, `Z`.
pub(super) fn offset_text(seconds: i32) -> String {
    let (sign, size) = (if seconds < 0 { '-' } else { '+' }, seconds.abs());
    if size == 0 {
        "Z".to_owned()
    } else {
        format!("{sign}{:02}:{:02}", size / 3600, size / 60 % 60)
    }
}

/// One cell of those for year, month and, as far as they are there, day, hour, minute and second.
pub(super) fn of_parts(cells: &[&str]) -> Result<String, String> {
    let shown = || cells.join(" ");
    let mut parts = [0, 1, 1, 0, 0, 0];
    for (part, cell) in parts.iter_mut().zip(cells) {
        *part = cell.parse().map_err(|_| unknown(&shown()))?;
    }
    let [year, month, day, hour, minute, second] = parts;
    let small = |value: i64| i8::try_from(value).map_err(|_| unknown(&shown()));
    let time = Time::new(small(hour)?, small(minute)?, small(second)?, 0);
    let time = time.map_err(|_| unknown(&shown()))?;
    let stamp = at(date(year, month, day), time).map(Stamp::Time);
    stamp.map(|stamp| stamp.to_string()).map_err(|()| unknown(&shown()))
}

/// One cell of two: a date and the hour or time of the day, or a year and its ISO week, whose
/// Monday counts.
pub(super) fn of_date(cells: &[&str], week: bool) -> Result<String, String> {
    let [date, rest] = cells else { return Err(unknown(&cells.join(" "))) };
    if week {
        let number = |cell: &str| cell.trim_start_matches(['W', 'w']).parse::<i16>().ok();
        let monday = || {
            let week = number(rest)?.try_into().ok()?;
            ISOWeekDate::new(number(date)?, week, Weekday::Monday).ok()
        };
        let monday =
            monday().ok_or_else(|| format!("`{date}`, `{rest}` is no year with its week"))?;
        return Ok(monday.date().to_string());
    }
    if let Ok(hour) = rest.parse::<i8>() {
        return match hour {
            0..=23 => Ok(format!("{date} {hour:02}:00")),
            _ => Err(format!("`{rest}` is no hour from 0 to 23")),
        };
    }
    let known = time_of_day(rest).map(|_| format!("{date} {rest}"));
    known.ok_or_else(|| format!("`{rest}` is no time of the day, such as 13:00"))
}

/// Whether a cell reads as a time by itself.
pub(super) fn is_time(cell: &str) -> bool {
    matches!(written(zone::split(cell).0), Ok(Written::Time(..) | Written::Ambiguous(..)))
}

fn unknown(cell: &str) -> String {
    let lower = cell.to_lowercase();
    if ["total", "sum", "gesamt", "insgesamt"].iter().any(|word| lower.contains(word)) {
        return format!("`{cell}` is no time, and may be a row of totals; delete it");
    }
    format!(
        "`{cell}` is no time that can be read; expected an integer or one of YYYY-MM-DD, \
         YYYY-MM-DD HH:MM:SS, YYYY-MM, \
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
        return Ok(Written::Time(time, None));
    }
    if names_a_month(cell) {
        return Err(format!(
            "`{cell}` names a month; expected numbers: write the dates as YYYY-MM or YYYY-MM-DD"
        ));
    }
    let (day, (time, offset)) = match cell.split_once(['T', 't', ' ']) {
        Some((day, time)) => (day, time_of_day(time.trim()).ok_or_else(|| unknown(cell))?),
        None => (cell, (Time::midnight(), None)),
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
                return Ok(Written::Ambiguous([*day, *month, *year], time, offset));
            }
        }
        _ => Err(()),
    };
    time.map(|time| Written::Time(time, offset)).map_err(|()| unknown(cell))
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

/// `13:00`, `13:00:00`, with zeros behind the seconds, perhaps with an offset from UTC, in seconds.
fn time_of_day(text: &str) -> Option<(Time, Option<i32>)> {
    let end = text.find(['Z', 'z', '+', '-']).unwrap_or(text.len());
    let (time, offset) = text.split_at(end);
    let offset = match offset {
        "" => None,
        "Z" | "z" => Some(0),
        signed => Some(offset_of(signed)?),
    };
    let (time, fraction) = time.trim_end().split_once('.').unwrap_or((time.trim_end(), "0"));
    if !fraction.bytes().all(|byte| byte == b'0') {
        return None;
    }
    let parts: Option<Vec<i8>> = time.split(':').map(|part| part.parse().ok()).collect();
    let time = match parts?[..] {
        [hour, minute] => Time::new(hour, minute, 0, 0).ok(),
        [hour, minute, second] => Time::new(hour, minute, second, 0).ok(),
        _ => None,
    };
    Some((time?, offset))
}

/// `+02`, `+0200`, `-05:30`, in seconds.
fn offset_of(signed: &str) -> Option<i32> {
    let digits: String = signed[1..].chars().filter(|c| *c != ':').collect();
    let well = signed[1..].chars().all(|c| c.is_ascii_digit() || c == ':');
    if !well || !matches!(digits.len(), 2 | 4) {
        return None;
    }
    let number = |part: &str| if part.is_empty() { Some(0) } else { part.parse::<i32>().ok() };
    let (hours, minutes) = (number(&digits[..2])?, number(&digits[2..])?);
    let size = (hours <= 23 && minutes <= 59).then_some(hours * 3600 + minutes * 60)?;
    Some(if signed.starts_with('-') { -size } else { size })
}

#[cfg(test)]
mod tests;
