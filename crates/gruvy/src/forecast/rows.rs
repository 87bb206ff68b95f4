//! Forecasts, courses and intervals as the rows of a table.
use super::applied::Applied;
use crate::error::{Error, Result};
use gruvy_runtime::forecast::Forecast;
use serde::Serialize;
use serde::ser::SerializeMap;

/// Rows of numbers under names, one a series and step.
#[derive(Clone, Debug, PartialEq)]
pub struct Rows {
    /// The names of the columns: `unique_id`, `ds`, and those of the numbers.
    pub columns: Vec<String>,
    /// The rows.
    pub rows: Vec<Row>,
}

/// What is said of a step of a series.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The series.
    pub id: String,
    /// The stamp of the step, as the series' tables have it.
    pub ds: String,
    /// What was observed, NaN where it is missing; written as it is.
    pub observed: Vec<f64>,
    /// What the model says, written with digits by the swing of the series.
    pub said: Vec<f64>,
    swing: f64,
}

impl Row {
    fn new(
        applied: &Applied,
        index: usize,
        step: usize,
        observed: Vec<f64>,
        said: Vec<f64>,
    ) -> Self {
        let id = applied.panel.series[index].id.clone();
        let (ds, swing) = (applied.written(index, step), applied.swing(index));
        Self { id, ds, observed, said, swing }
    }

    /// All its numbers, in the order of the columns.
    pub fn numbers(&self) -> impl Iterator<Item = f64> {
        self.observed.iter().chain(&self.said).copied()
    }

    /// All its cells, in the order of the columns: a missing number is empty.
    pub fn cells(&self) -> Vec<String> {
        let texts = [self.id.clone(), self.ds.clone()].into_iter();
        let observed = self.observed.iter().map(|value| exact(*value));
        let said = self.said.iter().map(|value| rounded(*value, self.swing));
        texts.chain(observed).chain(said).collect()
    }
}

impl Rows {
    fn new(numbers: impl IntoIterator<Item = String>) -> Self {
        let columns = ["unique_id".to_owned(), "ds".to_owned()].into_iter().chain(numbers);
        Self { columns: columns.collect(), rows: Vec::new() }
    }

    /// Mean and quantiles of every step ahead.
    pub fn of_forecasts(applied: &Applied, forecasts: &[Forecast]) -> Self {
        let levels = &applied.forecaster.codec().levels;
        let names = levels.iter().map(|level| format!("q{}", short(100.0 * level)));
        let mut table = Self::new(["mean".to_owned()].into_iter().chain(names));
        for forecast in forecasts {
            let Some(index) = applied.index(&forecast.id) else { continue };
            for step in 0..forecast.horizon() {
                let quantiles = forecast.quantiles.iter().map(|values| values[step]);
                let said = [forecast.mean[step]].into_iter().chain(quantiles).collect();
                let at = forecast.origin + step;
                table.rows.push(Row::new(applied, index, at, Vec::new(), said));
            }
        }
        table
    }

    /// `count` possible courses of these series from their ends on.
    ///
    /// # Errors
    /// [`Error::Setting`] for no course, and more than there is memory for.
    pub fn of_paths(applied: &Applied, of: &[usize], count: usize) -> Result<Self> {
        if count == 0 {
            return Err(Error::setting("paths", 0, "expected at least 1"));
        }
        // Asked first: it refuses more than there is memory for.
        let courses = applied.forecaster.paths(&applied.ends(of), count)?;
        let mut table = Self::new((1..=count).map(|n| format!("path{n}")));
        for (index, course) in of.iter().zip(courses) {
            for step in 0..applied.forecaster.codec().horizon {
                let said = course.paths.iter().map(|path| path[step]).collect();
                let at = course.origin + step;
                table.rows.push(Row::new(applied, *index, at, Vec::new(), said));
            }
        }
        Ok(table)
    }
}

/// Observations beside what the forecast one step before expected.
#[derive(Clone, Debug, PartialEq)]
pub struct Anomalies {
    /// Every observation, `y`, with the central interval of the forecast one step before, `low` and
    /// `high`, and whether it lies outside, `anomaly`.
    pub rows: Rows,
    /// Observations outside of their interval.
    pub outside: usize,
    /// Observations that have an interval.
    pub of: usize,
}

impl Anomalies {
    /// Of these series, by the central interval of `share`.
    ///
    /// # Errors
    /// If a series cannot be forecast.
    pub fn of(applied: &Applied, of: &[usize], share: f64) -> Result<Self> {
        let rows = Rows::new(["y", "low", "high", "anomaly"].map(str::to_owned));
        let mut all = Self { rows, outside: 0, of: 0 };
        for index in of {
            let series = &applied.panel.series[*index];
            let intervals = applied.forecaster.intervals(&applied.series[*index], share)?;
            for (step, (y, interval)) in series.y.iter().zip(intervals).enumerate() {
                let [low, high] = interval.unwrap_or([f64::NAN; 2]);
                let outside = *y < low || *y > high;
                all.outside += usize::from(outside);
                all.of += usize::from(!y.is_nan() && !low.is_nan());
                let said = vec![low, high, f64::from(u8::from(outside))];
                all.rows.rows.push(Row::new(applied, *index, step, vec![*y], said));
            }
        }
        Ok(all)
    }
}

/// A row as a map of its columns.
struct Named<'a> {
    columns: &'a [String],
    row: &'a Row,
}

impl Serialize for Named<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.columns.len()))?;
        let texts = [&self.row.id, &self.row.ds];
        for (name, text) in self.columns.iter().zip(texts) {
            map.serialize_entry(name, text)?;
        }
        for (name, number) in self.columns.iter().skip(texts.len()).zip(self.row.numbers()) {
            map.serialize_entry(name, &number)?;
        }
        map.end()
    }
}

impl Serialize for Rows {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let columns = &self.columns;
        serializer.collect_seq(self.rows.iter().map(|row| Named { columns, row }))
    }
}

/// A number of few digits, such as a level in per cent.
pub fn short(value: f64) -> String {
    exact(format!("{value:.6e}").parse::<f64>().unwrap_or(value))
}

/// The shortest text that reads as this number; none for a missing one.
fn exact(value: f64) -> String {
    if value.is_nan() {
        return String::new();
    }
    let text = format!("{value:?}");
    text.strip_suffix(".0").map(str::to_owned).unwrap_or(text)
}

/// Seven significant digits of a series that swings by so much: as many as a model's numbers have.
/// A number that is large beside the swing has more.
fn rounded(value: f64, swing: f64) -> String {
    let (size, swing) = (value.abs().log10().floor(), swing.log10().floor());
    let more = if size.is_finite() && swing.is_finite() { (size - swing).max(0.0) } else { 0.0 };
    let decimals = (6.0 + more).min(16.0) as usize;
    exact(format!("{value:.decimals$e}").parse::<f64>().unwrap_or(value))
}

#[cfg(test)]
mod tests {
    use super::{exact, rounded};

    #[test]
    fn observed_numbers_are_written_as_they_are() {
        for value in [0.0, 112.0, -0.1, 1e9 + 0.125, 1e-30, 1.7e200, 1_000_000_020.0] {
            assert_eq!(exact(value).parse::<f64>().unwrap(), value);
        }
        assert_eq!((exact(112.0), exact(0.1 + 0.2)), ("112".into(), "0.30000000000000004".into()));
        assert_eq!(exact(f64::NAN), "");
    }

    #[test]
    fn forecasts_have_the_digits_that_tell_the_values_of_a_series_apart() {
        assert_eq!(rounded(123.456_789_12, 40.0), "123.45679");
        assert_eq!(rounded(1e9 + 17.123_456_789, 40.0), "1000000017.12346");
        assert_eq!(rounded(1.234_567_89e-17, 1e-18), "1.2345679e-17");
        assert_eq!(rounded(0.000_123_456_789, 40.0), "0.0001234568");
        assert_eq!((rounded(0.0, 1.0), rounded(5.5, 0.0)), ("0".into(), "5.5".into()));
    }
}
