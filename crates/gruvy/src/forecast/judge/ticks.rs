//! Where labels stand on an axis, and what they say.
//!
//! Ticks of time are so many steps apart that their labels have room, by preference whole seasons,
//! and begin where the calendar does: labels that end like the first of a month or midnight. What
//! all labels end with alike in that way is left out: `1958-01-01, 1959-01-01` read `1958, 1959`.

use std::ops::Range;

/// Ends of labels that say "from the beginning": of the month or year, of the minute or hour, of
/// the day.
const BEGINNINGS: [&str; 3] = ["-01", ":00", " 00"];
/// Pixels that a letter takes, and those between two labels.
const LETTER: u32 = 7;
const GAP: u32 = 18;

/// An axis over the steps `start..end` of a series.
pub(super) struct TimeAxis {
    pub start: usize,
    pub end: usize,
    /// Steps of a season; 1: none.
    pub season: usize,
    /// In pixels.
    pub width: u32,
}

impl TimeAxis {
    /// The steps that have a label, and the labels.
    pub fn ticks(&self, label: &dyn Fn(usize) -> String) -> Vec<(usize, String)> {
        let mut coarsest = Vec::new();
        for stride in strides(self.season) {
            if stride >= 2 * (self.end - self.start) {
                break;
            }
            // Far too many to be tried.
            if (self.end - self.start) / stride > (self.width / (LETTER + GAP)) as usize {
                continue;
            }
            let ticks = self.every(stride, label);
            let longest = ticks.iter().map(|(_, text)| text.chars().count()).max().unwrap_or(0);
            let room = f64::from(self.width) * stride as f64 / (self.end - self.start) as f64;
            let fits = room >= f64::from(longest as u32 * LETTER + GAP);
            if !ticks.is_empty() {
                coarsest = ticks;
            }
            if fits {
                break;
            }
        }
        coarsest
    }

    fn every(&self, stride: usize, label: &dyn Fn(usize) -> String) -> Vec<(usize, String)> {
        let first = self.start.next_multiple_of(stride);
        let begins = |t: &usize| (roundness(&label(*t)), *t == first, std::cmp::Reverse(*t));
        let candidates = self.start..self.end.min(self.start + stride);
        let Some(best) = candidates.max_by_key(begins) else { return Vec::new() };
        let ticks = (best..self.end).step_by(stride).map(|t| (t, label(t)));
        let mut ticks: Vec<(usize, String)> = ticks.collect();
        let alike = |ticks: &[(usize, String)]| {
            let all = |end: &&&str| ticks.iter().all(|(_, text)| text.ends_with(**end));
            BEGINNINGS.iter().find(all).map(|end| end.len())
        };
        while ticks.len() > 1
            && let Some(len) = alike(&ticks)
        {
            ticks.iter_mut().for_each(|(_, text)| text.truncate(text.len() - len));
        }
        ticks
    }
}

/// Numbers of steps, growing: parts of a season, then seasons.
fn strides(season: usize) -> impl Iterator<Item = usize> {
    let parts = (1..season).filter(move |part| season.is_multiple_of(*part));
    let powers = (0..12).map(|power| 10usize.pow(power));
    let many = powers.flat_map(|power| [power, 2 * power, 5 * power]);
    parts.chain(many.map(move |n| n * season.max(1)))
}

/// How many beginnings coincide at a label.
fn roundness(label: &str) -> usize {
    let strip =
        |text: &&'_ str| BEGINNINGS.iter().find_map(|end| text.strip_suffix(end)).map(str::len);
    let mut text = label;
    let mut count = 0;
    while let Some(len) = strip(&text) {
        text = &label[..len];
        count += 1;
    }
    count
}

/// A number of an axis: as many decimals as tell about six ticks apart, millions as such unless
/// that takes more than three decimals, and powers of ten for what is very large or small.
pub(super) fn tick_number(value: f64, axis: &Range<f64>) -> String {
    let most = axis.start.abs().max(axis.end.abs());
    let step = (axis.end - axis.start) / 6.0;
    if value.abs() < 1e-6 * step {
        return "0".to_owned();
    }
    if !(1e-4..1e15).contains(&most) {
        let decimals = (most / step).log10().ceil().clamp(1.0, 16.0) as usize;
        return format!("{value:.decimals$e}");
    }
    let decimals = |unit: f64| (-(step / unit).log10()).ceil().clamp(0.0, 9.0) as usize;
    let units = [(1e9, "G"), (1e6, "M"), (1.0, "")];
    let fits = |(unit, _): &&(f64, &str)| most >= *unit && decimals(*unit) <= 3;
    let (unit, letter) = units.iter().find(fits).copied().unwrap_or((1.0, ""));
    let text = format!("{:.*}", decimals(unit), value / unit);
    let zero = text.chars().all(|c| "-0.".contains(c));
    if zero { "0".to_owned() } else { format!("{text}{letter}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(axis: TimeAxis, label: &dyn Fn(usize) -> String) -> Vec<String> {
        axis.ticks(label).into_iter().map(|(_, text)| text).collect()
    }

    #[test]
    fn years_of_months() {
        let month = |t: usize| format!("{}-{:02}-01", 1949 + (t + 3) / 12, (t + 3) % 12 + 1);
        let axis = TimeAxis { start: 96, end: 144, season: 12, width: 500 };
        assert_eq!(labels(axis, &month), ["1958", "1959", "1960", "1961"]);
        let narrow = TimeAxis { start: 96, end: 144, season: 12, width: 110 };
        assert_eq!(labels(narrow, &month), ["1958", "1960"]);
        let few = TimeAxis { start: 96, end: 102, season: 12, width: 800 };
        let first = ["1957-04", "1957-05", "1957-06", "1957-07", "1957-08", "1957-09"];
        assert_eq!(labels(few, &month), first);
    }

    #[test]
    fn days_of_hours() {
        let hour = |t: usize| format!("2020-03-{:02} {:02}:00:00", 1 + (t + 5) / 24, (t + 5) % 24);
        let axis = TimeAxis { start: 100, end: 244, season: 24, width: 700 };
        let ticks = axis.ticks(&hour);
        assert_eq!(ticks[0], (115, "2020-03-06".to_owned()));
        assert_eq!(ticks.len(), 6);
    }

    #[test]
    fn numbered_steps_without_a_season() {
        let axis = TimeAxis { start: 95, end: 150, season: 1, width: 300 };
        assert_eq!(labels(axis, &|t| t.to_string()), ["100", "110", "120", "130", "140"]);
        let one = TimeAxis { start: 3, end: 4, season: 1, width: 300 };
        assert_eq!(labels(one, &|t| t.to_string()), ["3"]);
    }

    #[test]
    fn numbers_have_the_digits_they_need() {
        let cases = [
            (100.0, 100.0..600.0, "100"),
            (0.2, 0.0..1.0, "0.2"),
            (2_500_000.0, 0.0..4e6, "2.5M"),
            (0.0, 0.0..4e6, "0"),
            (-0.001, -0.002..0.008, "-0.001"),
            (980_000.0, 9e5..1.1e6, "0.98M"),
            (1_000_000_020.0, 999_999_990.0..1_000_000_130.0, "1000000020"),
            (1.2e-17, 1.0e-17..1.6e-17, "1.20e-17"),
            (0.0, -1.0e-17..1.6e-17, "0"),
            (2e15, 0.0..6e15, "2.0e15"),
        ];
        for (value, axis, text) in cases {
            assert_eq!(tick_number(value, &axis), text);
        }
    }
}
