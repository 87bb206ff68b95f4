//! How often what comes in music.
use crate::music::key::tonality;
use gruvy_runtime::music::Roll;
use serde::Serialize;

/// Widest interval that is told from wider ones, in semitones.
const WIDEST: i32 = 12;
/// Longest note that is told from longer ones, in steps.
const LONGEST: usize = 32;
/// Most keys at once that are told from more.
const THICKEST: usize = 8;
/// Farthest bars that are compared.
const BARS: usize = 8;
/// Steps of a bar where the meter is not known.
const USUAL_BAR: usize = 16;

/// A measure of music.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Statistic {
    /// What is measured.
    pub name: &'static str,
    /// The same in a sentence.
    pub says: &'static str,
    /// What each value is of.
    pub labels: Vec<String>,
    /// Shares, which add up to one; or, of `likeness of bars`, values in 0 to 1 each, NaN where no
    /// piece is long enough.
    pub values: Vec<f64>,
}

impl Statistic {
    /// How far two of them are apart: of shares, the share that would have to move; of `likeness
    /// of bars`, the mean difference where both are known.
    pub fn distance(&self, other: &Self) -> f64 {
        let apart = self.values.iter().zip(&other.values).map(|(a, b)| (a - b).abs());
        let apart: Vec<f64> = apart.filter(|apart| !apart.is_nan()).collect();
        let total: f64 = apart.iter().sum();
        match self.name {
            LIKENESS => total / apart.len().max(1) as f64,
            _ => total / 2.0,
        }
    }

    /// Counts of what is labelled from `first` on, as shares.
    fn shares(name: &'static str, says: &'static str, first: i32, mut counts: Vec<f64>) -> Self {
        let total: f64 = counts.iter().sum();
        counts.iter_mut().for_each(|count| *count /= total.max(1.0));
        Self { name, says, labels: labels(first, counts.len()), values: counts }
    }
}

const LIKENESS: &str = "likeness of bars";

fn labels(first: i32, count: usize) -> Vec<String> {
    (first..).take(count).map(|value| value.to_string()).collect()
}

/// Five measures of rolls together:
///
/// * `notes`: how often each of the twelve notes is struck, from the tonic of its piece on;
/// * `intervals`: between successive strokes of the highest keys, in semitones;
/// * `durations` of notes, in steps;
/// * `keys at once`: how many sound at a step;
/// * `likeness of bars`: the share of keys that sound in both of two steps, among those that sound
///   in one, 1 to 8 bars apart.
pub fn statistics(rolls: &[Roll]) -> Vec<Statistic> {
    let mut notes = vec![0.0; 12];
    let mut intervals = vec![0.0; 2 * WIDEST as usize + 1];
    let mut durations = vec![0.0; LONGEST];
    let mut at_once = vec![0.0; THICKEST + 1];
    let mut likeness = [(0.0, 0.0); BARS];
    for roll in rolls {
        let piece = roll.to_piece();
        let tonic = tonality(&piece.notes).map_or(0, |key| key.tonic);
        for note in &piece.notes {
            notes[usize::from((note.key + 12 - tonic) % 12)] += 1.0;
        }
        for span in roll.spans() {
            durations[(span.to - span.from).clamp(1, LONGEST) - 1] += 1.0;
        }
        let mut before: Option<u8> = None;
        for frame in &roll.frames {
            at_once[frame.len().min(THICKEST)] += 1.0;
            if let Some(top) = frame.iter().filter(|sound| sound.onset).map(|sound| sound.key).max()
            {
                if let Some(before) = before {
                    let interval = (i32::from(top) - i32::from(before)).clamp(-WIDEST, WIDEST);
                    intervals[(interval + WIDEST) as usize] += 1.0;
                }
                before = Some(top);
            }
        }
        let bar = Some(roll.longest_bar()).filter(|bar| *bar > 0).unwrap_or(USUAL_BAR);
        for (bars, (sum, count)) in (1..).zip(&mut likeness) {
            for (a, b) in roll.frames.iter().zip(roll.frames.iter().skip(bars * bar)) {
                let both = a.iter().filter(|a| b.iter().any(|b| b.key == a.key)).count();
                let either = a.len() + b.len() - both;
                if either > 0 {
                    *sum += both as f64 / either as f64;
                    *count += 1.0;
                }
            }
        }
    }
    vec![
        Statistic::shares("notes", "The twelve notes, in semitones above the tonic", 0, notes),
        Statistic::shares(
            "intervals",
            "Intervals of the highest voice, in semitones",
            -WIDEST,
            intervals,
        ),
        Statistic::shares(
            "durations",
            "Lengths of notes, in steps of the grid (the last: or longer)",
            1,
            durations,
        ),
        Statistic::shares(
            "keys at once",
            "Keys that sound at the same time (the last: or more)",
            0,
            at_once,
        ),
        Statistic {
            name: LIKENESS,
            says: "How much of what sounds, sounds again so many bars later",
            labels: labels(1, BARS),
            values: likeness.map(|(sum, count): (f64, f64)| sum / count).to_vec(),
        },
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use gruvy_runtime::music::{Bar, Sound};

    fn roll(frames: Vec<Vec<Sound>>) -> Roll {
        Roll {
            name: "roll".into(),
            frames,
            onsets: true,
            steps_per_quarter: 1,
            bars: vec![Bar { at: 0, beats: 2, unit: 4 }],
            tempo: 120.0,
            tempo_changes: Vec::new(),
        }
    }

    fn sound(key: u8, onset: bool) -> Sound {
        Sound { key, onset }
    }

    fn values(rolls: &[Roll], name: &str) -> Vec<(String, f64)> {
        let all = statistics(rolls);
        let of = all.iter().find(|statistic| statistic.name == name).unwrap();
        let pairs = of.labels.iter().cloned().zip(of.values.iter().copied());
        pairs.filter(|(_, value)| *value > 0.0).collect()
    }

    #[test]
    fn each_measure_counts_what_it_says() {
        // A C that is struck twice and held, an E and a G above it; C major.
        let (c, e, g) = (39, 43, 46);
        let rolls = [roll(vec![
            vec![sound(c, true), sound(e, true)],
            vec![sound(c, false)],
            vec![sound(c, true), sound(g, true)],
            vec![],
        ])];
        let of = |name| values(&rolls, name);
        let share = |label: &str, value| (label.to_owned(), value);
        assert_eq!(of("notes"), [share("0", 0.5), share("4", 0.25), share("7", 0.25)]);
        assert_eq!(of("intervals"), [share("3", 1.0)]);
        assert_eq!(of("durations"), [share("1", 0.75), share("2", 0.25)]);
        assert_eq!(of("keys at once"), [share("0", 0.25), share("1", 0.25), share("2", 0.5)]);
        // {C, E} and {C, G} share one of three; {C} and nothing, none of one.
        assert_eq!(of("likeness of bars"), [share("1", (1.0 / 3.0) / 2.0)]);
    }

    #[test]
    fn distances_are_shares_that_move() {
        let a = roll(vec![vec![sound(39, true)], vec![sound(39, true), sound(43, true)]]);
        let b = roll(vec![vec![sound(39, true)], vec![sound(39, true)]]);
        let (a, b) = (statistics(&[a]), statistics(&[b]));
        let apart: Vec<f64> = a.iter().zip(&b).map(|(a, b)| a.distance(b)).collect();
        assert!((apart[0] - 1.0 / 3.0).abs() < 1e-12 && apart[1] == 1.0 && apart[3] == 0.5);
        assert!(a.iter().all(|a| a.distance(a) == 0.0));
        // Of a piece of a bar nobody knows how like its next would be: it is not far from any.
        let bars = |count: usize| roll(vec![vec![sound(39, true)]; 2 * count]);
        let [short, long] = [1, 9].map(|count| statistics(&[bars(count)]).swap_remove(4));
        assert!(short.values.iter().all(|value| value.is_nan()));
        assert_eq!((long.values.as_slice(), short.distance(&long)), (&[1.0; 8][..], 0.0));
        let four = statistics(&[roll(vec![vec![]; 2]), bars(4)]).swap_remove(4);
        assert_eq!((four.values[2], four.values[3].is_nan()), (1.0, true));
        // Nothing is no reason to fail.
        assert!(statistics(&[]).iter().all(|s| s.distance(s) == 0.0));
    }
}
