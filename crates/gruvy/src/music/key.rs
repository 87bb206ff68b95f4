//! In which key a piece is, by how long it dwells on each of the twelve notes.
use gruvy_runtime::music::Note;
use std::fmt;

/// How well each note fits a key, from its tonic on. C. L. Krumhansl and E. J. Kessler, Tracing the
/// dynamic changes in perceived tonal organization, 1982.
const MAJOR: [f64; 12] = [6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88];
const MINOR: [f64; 12] = [6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17];
const NAMES: [[&str; 12]; 2] = [
    ["C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B"],
    ["C", "C#", "D", "Eb", "E", "F", "F#", "G", "G#", "A", "Bb", "B"],
];

/// A key such as G major.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tonality {
    /// Semitones of its first note above C, 0 to 11.
    pub tonic: u8,
    /// Minor rather than major.
    pub minor: bool,
}

impl fmt::Display for Tonality {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = NAMES[usize::from(self.minor)][usize::from(self.tonic) % 12];
        write!(to, "{name} {}", if self.minor { "minor" } else { "major" })
    }
}

/// The likeliest key of notes, by their lengths; none where all notes last alike, as without notes.
pub fn tonality(notes: &[Note]) -> Option<Tonality> {
    let mut shares = [0.0; 12];
    for note in notes {
        shares[usize::from(note.key % 12)] += (note.end - note.start) as f64;
    }
    let keys = (0..12).flat_map(|tonic| [false, true].map(|minor| Tonality { tonic, minor }));
    let fit = |key: Tonality| {
        let profile = if key.minor { MINOR } else { MAJOR };
        let turned: [f64; 12] = std::array::from_fn(|i| shares[(i + usize::from(key.tonic)) % 12]);
        correlation(&turned, &profile)
    };
    let fits = keys.map(|key| (fit(key), key)).filter(|(fit, _)| fit.is_finite());
    fits.max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, key)| key)
}

fn correlation(a: &[f64; 12], b: &[f64; 12]) -> f64 {
    let mean = |values: &[f64; 12]| values.iter().sum::<f64>() / 12.0;
    let (ma, mb) = (mean(a), mean(b));
    let sum =
        |f: &dyn Fn(f64, f64) -> f64| a.iter().zip(b).map(|(a, b)| f(a - ma, b - mb)).sum::<f64>();
    sum(&|a, b| a * b) / (sum(&|a, _| a * a) * sum(&|_, b| b * b)).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notes(keys: &[u8]) -> Vec<Note> {
        let note = |(i, key): (usize, &u8)| {
            let start = 10 * i as u64;
            Note { start, key: *key, end: start + 10, velocity: 80, channel: 0 }
        };
        keys.iter().enumerate().map(note).collect()
    }

    #[test]
    fn scales_and_chords_have_their_keys() {
        let named = |keys: &[u8]| tonality(&notes(keys)).map(|key| key.to_string());
        let scale = [60, 62, 64, 65, 67, 69, 71, 72, 67, 64, 60];
        assert_eq!(named(&scale).as_deref(), Some("C major"));
        assert_eq!(named(&scale.map(|key| key + 7)).as_deref(), Some("G major"));
        // Harmonic minor.
        let minor = [57, 59, 60, 62, 64, 65, 68, 69, 64, 60, 57];
        assert_eq!(named(&minor).as_deref(), Some("A minor"));
        assert_eq!(named(&minor.map(|key| key + 1)).as_deref(), Some("Bb minor"));
        assert_eq!(named(&[]), None);
        assert_eq!(named(&(60..72).collect::<Vec<u8>>()), None);
    }
}
