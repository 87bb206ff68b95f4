//! Stamps, frequencies and what a network is told of the calendar. Civil time only: no time zones.
//!
//! A [`Frequency`] is written as pandas writes it (`h`, `30min`, `D`, `B`, `MS`, `QE`, …); a stamp
//! as Nixtla's tables have it (`1949-01-01`, `2020-01-01 13:00:00`, `17`).
use jiff::{
    SignedDuration,
    civil::{Date, DateTime},
};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use std::{f64::consts::TAU, fmt, str::FromStr};

const EPOCH: DateTime = DateTime::constant(1970, 1, 1, 0, 0, 0, 0);
const MINUTE: u32 = 60;
const HOUR: u32 = 60 * MINUTE;
/// Seconds of a day.
pub const DAY: u32 = 24 * HOUR;
const WEEK: u32 = 7 * DAY;

/// When an observation was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Stamp {
    /// A position where there is no calendar.
    Index(i64),
    /// A date and time of day.
    Time(DateTime),
}

impl fmt::Display for Stamp {
    /// A date at midnight, else date and time. [`Frequency::written`] writes a whole column alike.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Stamp::Index(index) => write!(f, "{index}"),
            Stamp::Time(at) if seconds_of_day(*at) == 0 => write!(f, "{}", at.date()),
            Stamp::Time(at) => write!(f, "{} {}", at.date(), at.time()),
        }
    }
}

/// The distance between observations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frequency {
    /// No calendar: 0, 1, 2, …
    Index,
    /// No calendar, positions this far apart (at least 2).
    Steps(u64),
    /// Seconds; days and weeks too.
    Seconds(u32),
    /// Monday to Friday.
    BusinessDays,
    /// Months; quarters and years too.
    Months {
        /// How many.
        every: u32,
        /// Stamped with a month's last day, whichever that is.
        end: bool,
    },
    /// Months stamped with their first or last day from Monday to Friday; quarters and years too.
    BusinessMonths {
        /// How many.
        every: u32,
        /// The last, not the first.
        end: bool,
    },
    /// Weeks stamped with their Monday or Friday.
    BusinessWeeks {
        /// How many.
        every: u32,
        /// The Friday, not the Monday.
        end: bool,
    },
    /// Two stamps a month.
    HalfMonths {
        /// The 15th and the last day, not the 1st and the 15th.
        end: bool,
    },
}

impl Frequency {
    /// The stamp `index` steps after `start`; the end of the calendar, should that come first. A
    /// position without a calendar moves by one a step, except with [`Frequency::Steps`].
    pub fn at(self, start: Stamp, index: usize) -> Stamp {
        let steps = i64::try_from(index).unwrap_or(i64::MAX);
        let time = match (self, start) {
            (Frequency::Steps(by), Stamp::Index(at)) => {
                let by = i64::try_from(by).unwrap_or(i64::MAX);
                return Stamp::Index(at.saturating_add(steps.saturating_mul(by)));
            }
            (_, Stamp::Index(at)) => return Stamp::Index(at.saturating_add(steps)),
            (_, Stamp::Time(time)) => time,
        };
        Stamp::Time(match self {
            Frequency::Index | Frequency::Steps(_) => later(time, steps.saturating_mul(DAY.into())),
            Frequency::Seconds(by) => later(time, steps.saturating_mul(by.into())),
            Frequency::BusinessDays => {
                // Counted from the Monday of the week; from a weekend as from its Friday.
                let day = i64::from(time.weekday().to_monday_zero_offset());
                let ahead = steps.saturating_add(day.min(4));
                let days = (ahead / 5).saturating_mul(7).saturating_add(ahead % 5 - day);
                if index == 0 { time } else { later(time, days.saturating_mul(DAY.into())) }
            }
            Frequency::Months { every, end } => {
                months_later(time, steps.saturating_mul(every.into()), end)
            }
            Frequency::BusinessMonths { every, end } => {
                workday(months_later(time, steps.saturating_mul(every.into()), end), end)
            }
            Frequency::BusinessWeeks { every, end } => {
                let days = steps.saturating_mul(i64::from(every)).saturating_mul(7);
                let day = i64::from(time.weekday().to_monday_zero_offset());
                let days = days.saturating_add(if end { 4 } else { 0 } - day);
                later(time, days.saturating_mul(DAY.into()))
            }
            Frequency::HalfMonths { end } => {
                half_later(time, half(time, end).saturating_add(steps), end)
            }
        })
    }

    /// How many steps `stamp` lies after `start`; `None` where no step ends there.
    pub fn steps(self, start: Stamp, stamp: Stamp) -> Option<usize> {
        let guess = match (start, stamp) {
            (Stamp::Index(a), Stamp::Index(b)) => match self {
                Frequency::Steps(by) => b.checked_sub(a)?.checked_div(by.try_into().ok()?)?,
                _ => b.checked_sub(a)?,
            },
            (Stamp::Time(a), Stamp::Time(b)) => match self {
                Frequency::Index | Frequency::Steps(_) => return None,
                Frequency::Seconds(by) => (seconds(b) - seconds(a)).checked_div(by.into())?,
                Frequency::BusinessDays => {
                    let days = (seconds(b) - seconds(a)).div_euclid(DAY.into());
                    let [from, to] = [a, b].map(|at| at.weekday().to_monday_zero_offset());
                    (days + i64::from(from) - i64::from(to)) / 7 * 5 + i64::from(to.min(4))
                        - i64::from(from.min(4))
                }
                Frequency::Months { every, .. } | Frequency::BusinessMonths { every, .. } => {
                    (month(b) - month(a)).checked_div(every.into())?
                }
                Frequency::BusinessWeeks { every, .. } => {
                    (week(b) - week(a)).checked_div(every.into())?
                }
                Frequency::HalfMonths { end } => half(b, end) - half(a, end),
            },
            _ => return None,
        };
        let guess = usize::try_from(guess).ok()?;
        (self.at(start, guess) == stamp).then_some(guess)
    }

    /// How many steps after `start` the step lies that `stamp` stands for: that of its month, half
    /// month or week, whatever the day; else the nearest, if it is less than a quarter of a step
    /// off. `None` where there is no such step.
    pub fn nearest(self, start: Stamp, stamp: Stamp) -> Option<usize> {
        let (Stamp::Time(a), Stamp::Time(b)) = (start, stamp) else {
            return self.steps(start, stamp);
        };
        let (units, every) = match self {
            Frequency::Months { every, .. } | Frequency::BusinessMonths { every, .. } => {
                (month(b) - month(a), every)
            }
            Frequency::BusinessWeeks { every, .. } => (week(b) - week(a), every),
            Frequency::HalfMonths { end } => (half(b, end) - half(a, end), 1),
            Frequency::Seconds(by) => {
                let by = i64::from(by);
                let (ahead, slack) =
                    (seconds(b) - seconds(a), if by < WEEK.into() { 4 } else { 2 });
                let steps = (ahead + by / 2).div_euclid(by);
                let near = (ahead - steps * by).abs() * slack < by;
                return usize::try_from(steps).ok().filter(|_| near);
            }
            Frequency::Index | Frequency::Steps(_) | Frequency::BusinessDays => {
                return self.steps(start, stamp);
            }
        };
        let units = usize::try_from(units).ok()?;
        units.is_multiple_of(every as usize).then_some(units / every as usize)
    }

    /// Whether steps are days from Monday to Friday, which holidays move: there a stamp stands for
    /// its week or month.
    pub fn has_holidays(self) -> bool {
        matches!(self, Frequency::BusinessWeeks { .. } | Frequency::BusinessMonths { .. })
    }

    /// A stamp as a column of this frequency has it: below a day, midnight has its time too.
    pub fn written(self, at: Stamp) -> String {
        match (self, at) {
            (Frequency::Seconds(by), Stamp::Time(time)) if by % DAY != 0 => {
                format!("{} {}", time.date(), time.time())
            }
            _ => at.to_string(),
        }
    }

    /// Steps of the usual season: a day for hours and minutes, an hour for seconds, a week for
    /// days, a year for what is longer; 1 where there is none.
    pub fn season(self) -> usize {
        let part = |whole: u32, by: u32| if whole.is_multiple_of(by) { whole / by } else { 1 };
        let steps = match self {
            Frequency::Index | Frequency::Steps(_) => 1,
            Frequency::Seconds(by) if by < MINUTE => part(HOUR, by),
            Frequency::Seconds(by) if by < DAY => part(DAY, by),
            Frequency::Seconds(by) if by < WEEK => part(WEEK, by),
            Frequency::Seconds(by) => part(52 * WEEK, by),
            Frequency::BusinessDays => 5,
            Frequency::Months { every, .. } | Frequency::BusinessMonths { every, .. } => {
                part(12, every)
            }
            Frequency::BusinessWeeks { every, .. } => part(52, every),
            Frequency::HalfMonths { .. } => 24,
        };
        steps as usize
    }

    /// Sine and cosine of the place in each cycle that is longer than a step: hour, day, week and
    /// year, as far as they say something at this frequency. [`Self::calendar_size`] values in
    /// [-1, 1]; zeros for a stamp without a calendar.
    pub fn calendar(self, at: Stamp, out: &mut Vec<f32>) {
        let Stamp::Time(at) = at else {
            out.resize(out.len() + self.calendar_size(), 0.0);
            return;
        };
        let day = f64::from(seconds_of_day(at)) / f64::from(DAY);
        let phases = [
            f64::from(seconds_of_day(at) % HOUR) / f64::from(HOUR),
            day,
            (f64::from(at.weekday().to_monday_zero_offset()) + day) / 7.0,
            match self {
                Frequency::Months { .. } | Frequency::BusinessMonths { .. } => {
                    (f64::from(at.month()) - 1.0) / 12.0
                }
                _ => (f64::from(at.day_of_year()) - 1.0 + day) / f64::from(at.days_in_year()),
            },
        ];
        for (phase, used) in phases.into_iter().zip(self.cycles()) {
            if used {
                let (sin, cos) = (phase * TAU).sin_cos();
                out.extend([sin as f32, cos as f32]);
            }
        }
    }

    /// Values that [`Self::calendar`] gives for a stamp.
    pub fn calendar_size(self) -> usize {
        2 * self.cycles().into_iter().filter(|used| *used).count()
    }

    /// Which of hour, day, week and year say something at this frequency.
    fn cycles(self) -> [bool; 4] {
        match self {
            Frequency::Index | Frequency::Steps(_) => [false; 4],
            Frequency::Seconds(by) => [by < HOUR, by < DAY, by < WEEK, true],
            Frequency::BusinessDays => [false, false, true, true],
            Frequency::Months { every, .. } | Frequency::BusinessMonths { every, .. } => {
                [false, false, false, !every.is_multiple_of(12)]
            }
            Frequency::BusinessWeeks { .. } | Frequency::HalfMonths { .. } => {
                [false, false, false, true]
            }
        }
    }
}

impl fmt::Display for Frequency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut write = |units: &[(u32, &str)], count: u32| {
            let fits = |(size, _): &&(u32, &str)| count.is_multiple_of(*size);
            let (size, name) = units.iter().find(fits).copied().unwrap_or((1, ""));
            match count / size {
                1 => write!(f, "{name}"),
                many => write!(f, "{many}{name}"),
            }
        };
        match *self {
            Frequency::Index => write!(f, "1"),
            Frequency::Steps(by) => write!(f, "{by}"),
            Frequency::Seconds(by) => {
                write(&[(WEEK, "W"), (DAY, "D"), (HOUR, "h"), (MINUTE, "min"), (1, "s")], by)
            }
            Frequency::BusinessDays => write!(f, "B"),
            Frequency::Months { every, end: false } => {
                write(&[(12, "YS"), (3, "QS"), (1, "MS")], every)
            }
            Frequency::Months { every, end: true } => {
                write(&[(12, "YE"), (3, "QE"), (1, "ME")], every)
            }
            Frequency::BusinessMonths { every, end: false } => {
                write(&[(12, "BYS"), (3, "BQS"), (1, "BMS")], every)
            }
            Frequency::BusinessMonths { every, end: true } => {
                write(&[(12, "BYE"), (3, "BQE"), (1, "BME")], every)
            }
            Frequency::BusinessWeeks { every, end: false } => write(&[(1, "BWS")], every),
            Frequency::BusinessWeeks { every, end: true } => write(&[(1, "BWE")], every),
            Frequency::HalfMonths { end: false } => write!(f, "SMS"),
            Frequency::HalfMonths { end: true } => write!(f, "SME"),
        }
    }
}

impl FromStr for Frequency {
    type Err = String;

    /// As pandas writes it, in any case; an anchor (`W-SUN`, `QS-OCT`) is left to the data. A
    /// number is a distance between positions without a calendar.
    fn from_str(text: &str) -> Result<Self, String> {
        let unknown = || {
            format!(
                "unknown frequency `{text}`: expected s, min, h, D, B, W, MS, ME, QS, QE, YS or \
                 YE, with a B before the last six for business days (BME), BWS or BWE for weeks \
                 of business days, SMS or SME for half months, with a number before it for several \
                 (30min), or a number alone for positions without a calendar"
            )
        };
        let alias = text.trim().to_ascii_lowercase();
        let alias = alias.split_once('-').map_or(alias.as_str(), |(name, _anchor)| name);
        let digits = alias.bytes().take_while(u8::is_ascii_digit).count();
        let (count, name) = alias.split_at(digits);
        if name.is_empty()
            && let Ok(by @ 2..) = count.parse::<u64>()
            && i64::try_from(by).is_ok()
        {
            return Ok(Frequency::Steps(by));
        }
        let count: u32 = if digits == 0 { 1 } else { count.parse().map_err(|_| unknown())? };
        let frequency = match (name, digits) {
            _ if count == 0 => None,
            ("index", 0) | ("", 1..) => Some(Frequency::Index),
            _ => Frequency::named(name, count),
        };
        frequency.ok_or_else(unknown)
    }
}

impl Frequency {
    /// `count` times the frequency of a name, in lowercase.
    fn named(name: &str, count: u32) -> Option<Self> {
        let seconds = |unit: u32| count.checked_mul(unit).map(Frequency::Seconds);
        let every = |unit: u32| count.checked_mul(unit).filter(|every| *every <= 12_000);
        let months = |unit, end| Some(Frequency::Months { every: every(unit)?, end });
        let business = |unit, end| Some(Frequency::BusinessMonths { every: every(unit)?, end });
        let weeks = |end| {
            let every = Some(count).filter(|every| *every <= 52_000);
            every.map(|every| Frequency::BusinessWeeks { every, end })
        };
        match name {
            "s" | "sec" => seconds(1),
            "min" | "t" => seconds(MINUTE),
            "h" => seconds(HOUR),
            "d" => seconds(DAY),
            "w" => seconds(WEEK),
            "b" if count == 1 => Some(Frequency::BusinessDays),
            "bws" => weeks(false),
            "bw" | "bwe" => weeks(true),
            "sms" if count == 1 => Some(Frequency::HalfMonths { end: false }),
            "sm" | "sme" if count == 1 => Some(Frequency::HalfMonths { end: true }),
            "bms" => business(1, false),
            "bm" | "bme" => business(1, true),
            "bqs" => business(3, false),
            "bq" | "bqe" => business(3, true),
            "bys" | "bas" => business(12, false),
            "by" | "bye" | "ba" => business(12, true),
            "ms" => months(1, false),
            "m" | "me" => months(1, true),
            "qs" => months(3, false),
            "q" | "qe" => months(3, true),
            "ys" | "as" => months(12, false),
            "y" | "ye" | "a" => months(12, true),
            _ => None,
        }
    }
}

impl Serialize for Frequency {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Frequency {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(D::Error::custom)
    }
}

/// Seconds since 1970.
pub fn seconds(at: DateTime) -> i64 {
    at.duration_since(EPOCH).as_secs()
}

fn seconds_of_day(at: DateTime) -> u32 {
    (at.hour() as u32 * 60 + at.minute() as u32) * 60 + at.second() as u32
}

/// Months since the year 0.
pub fn month(at: DateTime) -> i64 {
    i64::from(at.year()) * 12 + i64::from(at.month()) - 1
}

/// Weeks since the Monday of the week in which 1970 began.
fn week(at: DateTime) -> i64 {
    let days = seconds(at).div_euclid(DAY.into());
    // 1970 began on a Thursday.
    (days + 3).div_euclid(7)
}

/// Half months since the year 0: that which begins, or with `end` ends, at the step for which a
/// stamp stands.
fn half(at: DateTime, end: bool) -> i64 {
    2 * month(at) + i64::from(if end { at.day() > 15 } else { at.day() >= 15 })
}

/// The stamp of a half month, at the time of day of `at`.
fn half_later(at: DateTime, half: i64, end: bool) -> DateTime {
    let first = at.with().day(1).build().unwrap_or(at);
    let of_month = months_later(first, half.div_euclid(2).saturating_sub(month(at)), false);
    let day = match (half.rem_euclid(2), end) {
        (0, false) => 1,
        (0, true) | (_, false) => 15,
        (_, true) => of_month.days_in_month(),
    };
    of_month.with().day(day).build().unwrap_or(of_month)
}

fn later(at: DateTime, seconds: i64) -> DateTime {
    at.saturating_add(SignedDuration::from_secs(seconds))
}

/// The same day of a later month, or that month's last day.
fn months_later(at: DateTime, months: i64, end: bool) -> DateTime {
    let months = month(at).saturating_add(months);
    let year = i16::try_from(months.div_euclid(12)).unwrap_or(i16::MAX);
    let Ok(first) = Date::new(year, (months.rem_euclid(12) + 1) as i8, 1) else {
        return DateTime::MAX;
    };
    let day = if end { first.days_in_month() } else { at.day().min(first.days_in_month()) };
    Date::new(first.year(), first.month(), day).unwrap_or(first).to_datetime(at.time())
}

/// The first or last day from Monday to Friday of a month.
fn workday(at: DateTime, end: bool) -> DateTime {
    let days = i64::from(at.days_in_month());
    let first = i64::from(at.day()) - 1;
    let at = later(at, -first * i64::from(DAY));
    let (mut day, step) = if end { (days - 1, -1) } else { (0, 1) };
    loop {
        let found = later(at, day * i64::from(DAY));
        if found.weekday().to_monday_zero_offset() < 5 || !(0..days).contains(&(day + step)) {
            return found;
        }
        day += step;
    }
}

#[cfg(test)]
mod tests;
