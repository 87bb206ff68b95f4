//! Who wins, in plain words.
use super::{metrics::Metrics, row::Row};

type Measure = (&'static str, fn(&Metrics) -> Option<f64>);

/// Scaled errors, or relative ones where nothing can be scaled.
const POINT: [Measure; 2] = [("MASE", |m| m.mase), ("sMAPE", |m| m.smape)];
const SPREAD: Measure = ("CRPS", |m| m.crps);

/// The model's value of a measure, and the best of the simple methods.
struct Duel<'a> {
    measure: &'static str,
    own: f64,
    other: f64,
    method: &'a str,
}

impl<'a> Duel<'a> {
    fn new(rows: &'a [Row], (measure, value): Measure) -> Option<Self> {
        let (model, others) = rows.split_first()?;
        let others = others.iter().filter_map(|row| Some((value(&row.metrics)?, &row.method)));
        let (other, method) = others.min_by(|a, b| a.0.total_cmp(&b.0))?;
        Some(Self { measure, own: value(&model.metrics)?, other, method })
    }

    /// Whether the model wins; none for numbers that read alike.
    fn won(&self) -> Option<bool> {
        let [own, other] = [self.own, self.other].map(number);
        (own != other).then_some(self.own < self.other)
    }

    /// "MASE (0.910 against 1.020)", the better one first.
    fn words(&self) -> String {
        let (low, high) = (self.own.min(self.other), self.own.max(self.other));
        format!("{} ({} against {})", self.measure, number(low), number(high))
    }
}

/// Three digits after the point, of small numbers three that count, of large ones whole numbers.
pub(super) fn number(value: f64) -> String {
    match value.abs() {
        1e7.. => format!("{value:.3e}"),
        1e3.. => format!("{value:.0}"),
        0.0 | 0.1.. => format!("{value:.3}"),
        small => {
            let decimals = (3.0 - small.log10().floor()).clamp(4.0, 12.0) as usize - 1;
            format!("{value:.decimals$}")
        }
    }
}

/// By MASE and CRPS, or what there is of them.
pub(super) fn sentence(rows: &[Row]) -> String {
    let Some(model) = rows.first().map(|row| row.method.as_str()) else { return String::new() };
    let point = POINT.into_iter().find_map(|measure| Duel::new(rows, measure));
    let duels: Vec<Duel<'_>> = point.into_iter().chain(Duel::new(rows, SPREAD)).collect();
    let those = |won: Option<bool>| duels.iter().filter(move |duel| duel.won() == won);
    let by = |duels: &[&Duel<'_>]| {
        duels.iter().map(|duel| duel.words()).collect::<Vec<_>>().join(" and by ")
    };
    let mut sentences = Vec::new();
    let won: Vec<&Duel<'_>> = those(Some(true)).collect();
    if !won.is_empty() {
        sentences.push(format!("{model} is better than every simple method by {}.", by(&won)));
    }
    let lost: Vec<&Duel<'_>> = those(Some(false)).collect();
    for same in lost.chunk_by(|a, b| a.method == b.method) {
        let advice = if same.len() == duels.len() { ": use it" } else { "" };
        sentences.push(format!(
            "{} is better than {model} by {}{advice}.",
            same[0].method,
            by(same)
        ));
    }
    for Duel { measure, own, method, .. } in those(None) {
        sentences.push(format!("{method} is as good as {model} by {measure} ({}).", number(*own)));
    }
    // A name such as gru-v3 stays as it is at the beginning of a sentence; others are plain words.
    let named = |sentence: &str| sentence.starts_with(model) && !model.starts_with("this ");
    let sentences = sentences.into_iter().map(|s| if named(&s) { s } else { capital(&s) });
    sentences.collect::<Vec<_>>().join(" ")
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(values: &[(&str, f64, f64)]) -> Vec<Row> {
        let row = |(name, mase, crps): &(&str, f64, f64)| Row {
            method: (*name).to_owned(),
            metrics: Metrics { mase: Some(*mase), crps: Some(*crps), ..Metrics::default() },
            by_step: Vec::new(),
        };
        values.iter().map(row).collect()
    }

    #[test]
    fn a_baseline_that_wins_is_recommended() {
        let text = sentence(&rows(&[
            ("this model", 1.02, 0.05),
            ("naive", 3.0, 0.2),
            ("seasonal naive", 0.91, 0.04),
        ]));
        assert_eq!(
            text,
            "Seasonal naive is better than this model by MASE (0.910 against 1.020) and by CRPS \
             (0.0400 against \
             0.0500): use it."
        );
    }

    #[test]
    fn a_model_that_wins_is_praised_with_the_next_best() {
        let text = sentence(&rows(&[("gru", 0.8, 0.1), ("naive", 3.0, 0.2), ("ETS", 0.9, 0.3)]));
        assert_eq!(
            text,
            "gru is better than every simple method by MASE (0.800 against 0.900) and by CRPS \
             (0.100 against 0.200)."
        );
    }

    #[test]
    fn a_draw_is_told_apart() {
        let text = sentence(&rows(&[("gru", 0.8, 0.1), ("naive", 0.7, 0.2)]));
        assert_eq!(
            text,
            "gru is better than every simple method by CRPS (0.100 against 0.200). Naive is \
             better than gru by MASE \
             (0.700 against 0.800)."
        );
        let text = sentence(&rows(&[("gru", 0.80001, 0.1), ("naive", 0.80002, 0.1)]));
        assert_eq!(
            text,
            "Naive is as good as gru by MASE (0.800). Naive is as good as gru by CRPS (0.100)."
        );
        let text = sentence(&rows(&[("gru", 0.8, 0.3), ("naive", 0.7, 0.2), ("ETS", 0.75, 0.1)]));
        assert_eq!(
            text,
            "Naive is better than gru by MASE (0.700 against 0.800). ETS is better than gru by \
             CRPS (0.100 against \
             0.300)."
        );
    }

    #[test]
    fn without_scaled_errors_relative_ones_decide() {
        let mut rows = rows(&[("this model", 0.0, 0.1), ("naive", 0.0, 0.2)]);
        for (row, smape) in rows.iter_mut().zip([12.5, 10.0]) {
            row.metrics = Metrics { smape: Some(smape), ..Metrics::default() };
        }
        assert_eq!(
            sentence(&rows),
            "Naive is better than this model by sMAPE (10.000 against 12.500): use it."
        );
        assert_eq!(sentence(&rows[..1]), "", "nothing beside it");
    }

    #[test]
    fn numbers_keep_three_digits() {
        let found = [0.0, 0.5, 12.3456, 0.012345, 0.00045678, 1234.56, 57_543_043.7].map(number);
        assert_eq!(found, ["0.000", "0.500", "12.346", "0.0123", "0.000457", "1235", "5.754e7"]);
    }
}
