//! How much of a piece stands in others note for note, in whatever key.
use gruvy_runtime::music::Roll;
use gruvy_runtime::random::{Fnv, mix};
use serde::Serialize;
use std::collections::{HashMap, HashSet};

/// So many notes or chords that follow one another in both are a copied passage.
pub const LEAST: usize = 8;

/// The moments of a piece at which keys are struck, each as it differs from the one before: what
/// does not change when the whole is transposed.
#[derive(Clone, Debug)]
pub struct Strokes {
    /// What the piece is called.
    pub name: String,
    /// The step of each moment.
    steps: Vec<usize>,
    /// Of each moment: its chord alone, and its chord with the way from the moment before.
    chords: Vec<(u64, u64)>,
}

/// How much of a piece is copied.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Copied {
    /// Moments at which keys are struck: notes and chords.
    pub moments: usize,
    /// Most of them in a row that stand in one of the others as they are.
    pub longest: usize,
    /// Where those are; none if there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub row: Option<Row>,
    /// The share of moments that are in a row of at least [`LEAST`] that stands in another.
    pub share: f64,
}

/// A row of moments that stands in two pieces.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Row {
    /// Its first step.
    pub from: usize,
    /// Its last.
    pub to: usize,
    /// The piece in which it stands as well.
    pub piece: String,
    /// Its first step there.
    pub there: usize,
}

impl Strokes {
    /// Of a roll; `timed`: with the steps between strokes, else without regard to time.
    pub fn new(roll: &Roll, timed: bool) -> Self {
        let (mut steps, mut chords) = (Vec::new(), Vec::new());
        let mut before: Option<(u8, usize)> = None;
        for (step, frame) in roll.frames.iter().enumerate() {
            let struck: Vec<u8> =
                frame.iter().filter(|sound| sound.onset).map(|sound| sound.key).collect();
            let Some(lowest) = struck.first().copied() else { continue };
            let above: Vec<u8> = struck.iter().map(|key| key - lowest).collect();
            let chord = Fnv::of(&above);
            let (from, at) = before.unwrap_or((lowest, step));
            let waited = if timed { (step - at) as u64 } else { 0 };
            let way = mix(u64::from(lowest.wrapping_sub(from)), waited);
            steps.push(step);
            chords.push((chord, mix(chord, way)));
            before = Some((lowest, step));
        }
        Self { name: roll.name.clone(), steps, chords }
    }

    /// Each row of `length` moments by a number that is the same for the same row.
    fn rows(&self, length: usize) -> impl Iterator<Item = u64> {
        self.chords.windows(length.max(1)).map(|row| {
            let (first, rest) = (row[0].0, &row[1..]);
            rest.iter().fold(mix(first, 0), |row, (_, way)| mix(row, *way))
        })
    }
}

impl Copied {
    /// How much of `piece` stands in `others`.
    pub fn from(piece: &Strokes, others: &[Strokes]) -> Self {
        let moments = piece.chords.len();
        let found = |length: usize| -> HashSet<u64> {
            let own: HashSet<u64> = piece.rows(length).collect();
            let rows = others.iter().flat_map(|other| other.rows(length));
            rows.filter(|row| own.contains(row)).collect()
        };
        // A row stands there only if its beginning does: search by halves.
        let (mut longest, mut too_long) = (0, moments + 1);
        while longest + 1 < too_long {
            let middle = longest.midpoint(too_long);
            match found(middle).is_empty() {
                true => too_long = middle,
                false => longest = middle,
            }
        }
        let mut copied = vec![false; moments];
        let short = found(LEAST);
        for (at, row) in piece.rows(LEAST).enumerate() {
            if short.contains(&row) {
                copied[at..at + LEAST].fill(true);
            }
        }
        let share = copied.iter().filter(|copied| **copied).count() as f64 / moments.max(1) as f64;
        Self { moments, longest, row: Self::row(piece, others, longest), share }
    }

    /// Where the longest row stands, in the piece and in another.
    fn row(piece: &Strokes, others: &[Strokes], longest: usize) -> Option<Row> {
        if longest == 0 {
            return None;
        }
        let own: HashMap<u64, usize> =
            piece.rows(longest).enumerate().map(|(at, row)| (row, at)).collect();
        others.iter().find_map(|other| {
            let mut rows = other.rows(longest).enumerate();
            let (there, row) = rows.find(|(_, row)| own.contains_key(row))?;
            let from = own[&row];
            Some(Row {
                from: piece.steps[from],
                to: piece.steps[from + longest - 1],
                piece: other.name.clone(),
                there: other.steps[there],
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gruvy_runtime::music::Sound;

    /// A melody with a bass an octave and a fifth below, a stroke every `pace` steps.
    fn roll(name: &str, keys: &[u8], pace: usize) -> Roll {
        let frame = |key: u8, step: usize| {
            [key - 19, key].map(|key| Sound { key, onset: step == 0 }).to_vec()
        };
        let frames = keys.iter().flat_map(|key| (0..pace).map(move |step| frame(*key, step)));
        Roll {
            name: name.into(),
            frames: frames.collect(),
            onsets: true,
            steps_per_quarter: 4,
            bars: Vec::new(),
            tempo: 120.0,
            tempo_changes: Vec::new(),
        }
    }

    const TUNE: [u8; 12] = [40, 42, 44, 45, 47, 49, 51, 52, 50, 48, 46, 44];

    #[test]
    fn copies_are_found_in_any_key() {
        let all = [
            roll("other", &[40, 40, 41, 41, 40, 40, 41, 41, 42, 42, 40], 2),
            roll("tune", &TUNE, 2),
        ]
        .map(|roll| Strokes::new(&roll, true));
        // Ten moments of the tune a fourth higher, behind three of its own.
        let own: Vec<u8> =
            [60, 30, 55].into_iter().chain(TUNE[1..11].iter().map(|key| key + 5)).collect();
        let copied = Copied::from(&Strokes::new(&roll("mine", &own, 2), true), &all);
        assert_eq!((copied.moments, copied.longest), (13, 10));
        let row = Row { from: 6, to: 24, piece: "tune".to_owned(), there: 2 };
        assert_eq!(copied.row, Some(row));
        assert!((copied.share - 10.0 / 13.0).abs() < 1e-12);
        // At another pace it is the same only to one who does not regard time.
        let slow = roll("mine", &own, 3);
        let timed = Copied::from(&Strokes::new(&slow, true), &all);
        assert_eq!((timed.longest, timed.share), (1, 0.0));
        let others = [roll("tune", &TUNE, 2)].map(|roll| Strokes::new(&roll, false));
        assert_eq!(Copied::from(&Strokes::new(&slow, false), &others).longest, 10);
    }

    #[test]
    fn short_rows_and_empty_pieces_are_no_copies() {
        let all = [Strokes::new(&roll("tune", &TUNE, 1), true)];
        let own: Vec<u8> = TUNE[..7].iter().copied().chain([30, 60, 33]).collect();
        let copied = Copied::from(&Strokes::new(&roll("mine", &own, 1), true), &all);
        assert_eq!((copied.longest, copied.share), (7, 0.0));
        let silence = Copied::from(&Strokes::new(&roll("mine", &[], 1), true), &all);
        assert_eq!(silence, Copied::default());
        let alone = Copied::from(&Strokes::new(&roll("mine", &own, 1), true), &[]);
        assert_eq!((alone.longest, alone.row), (0, None));
    }
}
