//! Which frequency stamps have, by the gaps between them.
use gruvy_runtime::series::{DAY, Frequency, Stamp, month, seconds};
use jiff::civil::{DateTime, Weekday};

/// The shortest month, in seconds.
const MONTH: i64 = 28 * DAY as i64;

/// The frequency of stamps in order, one list a series: whatever fits all of them. `None` with
/// fewer than two stamps in every series, or when nothing was found that could fit.
pub(super) fn infer(series: &[Vec<Stamp>]) -> Option<Frequency> {
    let pairs = || series.iter().flat_map(|stamps| stamps.windows(2)).filter(|p| p[0] != p[1]);
    pairs().next()?;
    if matches!(series.iter().flatten().next(), Some(Stamp::Index(_))) {
        let gaps = pairs().filter_map(|pair| match pair {
            [Stamp::Index(a), Stamp::Index(b)] => b.checked_sub(*a),
            _ => None,
        });
        return Some(match common_step(gaps)? {
            1 => Frequency::Index,
            by => Frequency::Steps(by.try_into().ok()?),
        });
    }
    let times: Vec<Vec<DateTime>> = series
        .iter()
        .map(|stamps| {
            let time = |stamp: &Stamp| match stamp {
                Stamp::Time(time) => Some(*time),
                Stamp::Index(_) => None,
            };
            stamps.iter().filter_map(time).collect()
        })
        .collect();
    if let Some(months) = monthly(&times, false) {
        return Some(months);
    }
    if let Some(halves) = half_monthly(&times) {
        return Some(halves);
    }
    if let Some(found) = around_holidays(&times) {
        return Some(found);
    }
    let step = common_step(gaps(&times, seconds))?;
    let fits = gaps(&times, seconds).all(|gap| gap % step == 0);
    if !(fits && step >= MONTH)
        && let Some(months) = monthly(&times, true)
    {
        return Some(months);
    }
    let weekend = |time: &DateTime| matches!(time.weekday(), Weekday::Saturday | Weekday::Sunday);
    let workdays = !times.iter().flatten().any(weekend);
    if step == i64::from(DAY) && workdays && gaps(&times, seconds).any(|gap| gap > step) {
        return Some(Frequency::BusinessDays);
    }
    Some(Frequency::Seconds(step.try_into().ok()?))
}

/// The distances that are there, of each series.
fn gaps(times: &[Vec<DateTime>], of: fn(DateTime) -> i64) -> impl Iterator<Item = i64> {
    let pairs = times.iter().flat_map(|times| times.windows(2));
    pairs.map(move |pair| of(pair[1]) - of(pair[0])).filter(|gap| *gap != 0)
}

/// Months, where all stamps have one day of theirs, or the last. `most`: where more than half of
/// them have; the rest is odd, and will be told so.
fn monthly(times: &[Vec<DateTime>], most: bool) -> Option<Frequency> {
    let enough = |part: usize, whole: usize| part == whole || (most && 2 * part > whole);
    let long = gaps(times, seconds).filter(|gap| *gap >= MONTH).count();
    if !enough(long, gaps(times, seconds).count()) {
        return None;
    }
    let (mut days, mut ends, mut all) = ([0; 32], 0, 0);
    for time in times.iter().flatten() {
        days[time.day().unsigned_abs() as usize] += 1;
        ends += usize::from(time.day() == time.days_in_month());
        all += 1;
    }
    let starts = days[..=28].iter().any(|count| enough(*count, all));
    let every = common_step(gaps(times, month))?.try_into().ok()?;
    if !starts && ends < all {
        // The first or last business days, all of them.
        for end in [false, true] {
            let frequency = Frequency::BusinessMonths { every: 1, end };
            if times.iter().flatten().all(|time| begins_a_step(frequency, *time)) {
                return Some(Frequency::BusinessMonths { every, end });
            }
        }
    }
    if !starts && !enough(ends, all) {
        return None;
    }
    Some(Frequency::Months { every, end: !starts })
}

/// Half months, where all stamps have one of the two days.
fn half_monthly(times: &[Vec<DateTime>]) -> Option<Frequency> {
    let half = 13 * i64::from(DAY)..=17 * i64::from(DAY);
    let halves = gaps(times, seconds).filter(|gap| half.contains(gap)).count();
    if 2 * halves <= gaps(times, seconds).count() {
        return None;
    }
    [false, true].into_iter().map(|end| Frequency::HalfMonths { end }).find(|frequency| {
        let fits = |time: &DateTime| begins_a_step(*frequency, *time);
        let both = |time: &DateTime| time.day() == 15;
        let all = || times.iter().flatten();
        all().all(fits) && all().any(both) && !all().all(both)
    })
}

/// Whether a time is a step of a frequency, whatever the others.
fn begins_a_step(frequency: Frequency, time: DateTime) -> bool {
    frequency.at(Stamp::Time(time), 0) == Stamp::Time(time)
}

/// Weeks or months, where most stamps are their first or last business day, the others are days
/// from Monday to Friday of other weeks or months, and neither one distance between the stamps nor
/// one day of the month explains them.
fn around_holidays(times: &[Vec<DateTime>]) -> Option<Frequency> {
    let all: Vec<DateTime> = times.iter().flatten().copied().collect();
    let weekend = |time: &DateTime| matches!(time.weekday(), Weekday::Saturday | Weekday::Sunday);
    let usual = common_step(gaps(times, seconds))?;
    let regular = gaps(times, seconds).all(|gap| gap % usual == 0);
    if regular || usual < 4 * i64::from(DAY) || all.iter().any(weekend) {
        return None;
    }
    let weeks = [false, true].map(|end| Frequency::BusinessWeeks { every: 1, end });
    let months = [false, true].map(|end| Frequency::BusinessMonths { every: 1, end });
    let fits = |frequency: &Frequency| {
        let apart = |pair: &[DateTime]| {
            let [a, b] = [pair[0], pair[1]].map(Stamp::Time);
            a == b || frequency.nearest(a, b) > Some(0)
        };
        let own = all.iter().filter(|time| begins_a_step(*frequency, **time)).count();
        // Not by chance, as an odd day among the last of months that end in the week is.
        let odd = |time: &DateTime| {
            let last = time.day() == time.days_in_month() || time.day() == 1;
            begins_a_step(*frequency, *time) && !last
        };
        4 * own > 3 * all.len()
            && all.iter().any(odd)
            && times.iter().all(|times| times.windows(2).all(apart))
    };
    weeks.into_iter().chain(months).find(fits)
}

/// The step that gaps are made of: the most usual one, or the smallest where it is not rare (one
/// gap in twenty) and the usual one does not divide the rest.
fn common_step(gaps: impl Iterator<Item = i64>) -> Option<i64> {
    let mut counts = std::collections::BTreeMap::<i64, usize>::new();
    gaps.for_each(|gap| *counts.entry(gap).or_default() += 1);
    let total: usize = counts.values().sum();
    let (usual, _) = counts.iter().max_by_key(|(gap, count)| (**count, -**gap))?;
    let (least, often) = counts.first_key_value()?;
    let fits = counts.keys().all(|gap| gap % usual == 0);
    let step = if fits || often * 20 < total { usual } else { least };
    (*step > 0).then_some(*step)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> Stamp {
        let text = if text.len() == 10 { format!("{text}T00:00") } else { text.replace(' ', "T") };
        Stamp::Time(text.parse().unwrap())
    }

    fn freq(text: &str) -> Frequency {
        text.parse().unwrap()
    }

    #[test]
    fn the_most_usual_gap_is_the_frequency() {
        let of = |stamps: &[&str]| infer(&[stamps.iter().map(|text| time(text)).collect()]);
        let cases: [(&str, &[&str]); 23] = [
            ("s", &["2020-01-01 00:00:00", "2020-01-01 00:00:01", "2020-01-01 00:00:03"]),
            ("30min", &["2020-01-01 23:30:00", "2020-01-02", "2020-01-02 00:30:00"]),
            ("h", &["2020-01-01 00:00:00", "2020-01-01 01:00:00"]),
            ("D", &["2020-02-28", "2020-02-29", "2020-03-01", "2020-03-04"]),
            ("B", &["2020-01-02", "2020-01-03", "2020-01-06"]),
            ("W", &["2020-01-05", "2020-01-12", "2020-01-26"]),
            ("MS", &["2020-01-01", "2020-02-01", "2020-05-01"]),
            ("ME", &["2019-12-31", "2020-01-31", "2020-02-29"]),
            ("QS", &["2020-01-01", "2020-04-01", "2020-07-01"]),
            ("QE", &["2020-03-31", "2020-06-30", "2020-12-31"]),
            ("YS", &["2020-01-01", "2021-01-01", "2023-01-01"]),
            ("BME", &["2024-01-31", "2024-02-29", "2024-03-29", "2024-04-30", "2024-06-28"]),
            ("BMS", &["2024-05-01", "2024-06-03", "2024-07-01", "2024-09-02"]),
            ("SMS", &["2024-01-01", "2024-01-15", "2024-02-01", "2024-03-15"]),
            ("SME", &["2024-01-31", "2024-02-15", "2024-02-29", "2024-03-15"]),
            ("2W", &["2024-01-01", "2024-01-15", "2024-01-29", "2024-02-12"]),
            ("SMS", &["2024-01-15", "2024-02-01", "2024-02-15", "2024-03-15"]),
            ("SME", &["2024-01-31", "2024-02-15", "2024-02-29", "2024-03-31", "2024-04-15"]),
            // Fridays and Mondays, and the days that holidays make of some.
            ("BWE", &["2024-03-15", "2024-03-22", "2024-03-28", "2024-04-05", "2024-04-19"]),
            ("BWS", &["2024-03-18", "2024-03-25", "2024-04-02", "2024-04-08", "2024-04-15"]),
            ("W", &["2024-03-15", "2024-03-22", "2024-03-29", "2024-04-12"]),
            (
                "BME",
                &[
                    "2024-01-31",
                    "2024-02-29",
                    "2024-03-28",
                    "2024-04-30",
                    "2024-05-31",
                    "2024-06-28",
                ],
            ),
            ("BQE", &["2024-03-29", "2024-06-28", "2024-09-30", "2025-03-31"]),
        ];
        for (frequency, stamps) in cases {
            assert_eq!(of(stamps), Some(freq(frequency)), "{frequency}");
        }
        assert_eq!(of(&["2020-01-01"]), None);
        let index = |all: &[i64]| infer(&[all.iter().map(|at| Stamp::Index(*at)).collect()]);
        assert_eq!(index(&[1, 2, 3, 7]), Some(Frequency::Index));
        assert_eq!(index(&[0, 10, 20, 40]), Some(Frequency::Steps(10)));
    }

    #[test]
    fn an_odd_stamp_does_not_hide_the_frequency() {
        let of = |stamps: &[&str]| infer(&[stamps.iter().map(|text| time(text)).collect()]);
        let months = ["2020-01-01", "2020-02-01", "2020-03-01", "2020-03-15", "2020-05-01"];
        assert_eq!(of(&months), Some(freq("MS")));
        let ends = ["2020-01-31", "2020-02-27", "2020-03-31", "2020-04-30"];
        assert_eq!(of(&ends), Some(freq("ME")));
        // Every 28 days, and every 365: no months, though most of the latter fall on a first.
        assert_eq!(of(&["2020-01-01", "2020-01-29", "2020-02-26"]), Some(freq("4W")));
        let days = ["2001-01-01", "2002-01-01", "2003-01-01", "2004-01-01", "2004-12-31"];
        assert_eq!(of(&days), Some(freq("365D")));
    }
}
