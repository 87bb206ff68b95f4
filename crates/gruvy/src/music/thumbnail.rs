//! A piece at a glance: a small piano roll.
use gruvy_runtime::music::Note;
use std::fmt::Write;

const WIDTH: usize = 240;
const HEIGHT: usize = 56;

/// Notes as a small SVG picture: time from left to right, the lowest key at the bottom. It has the
/// colour of the text around it.
pub(super) fn thumbnail(notes: &[Note]) -> String {
    let low = notes.iter().map(|note| note.key).min().unwrap_or(0);
    let high = notes.iter().map(|note| note.key).max().unwrap_or(0);
    let last = notes.iter().map(|note| note.end).max().unwrap_or(1).max(1);
    // An octave fills the picture at most, so that a tune of three notes is no poster.
    let rows = usize::from(high - low).max(11) + 1;
    let column = |tick: u64| (u128::from(tick) * WIDTH as u128 / u128::from(last)) as usize;
    let mut cells = vec![[false; WIDTH]; rows];
    for note in notes {
        let from = column(note.start).min(WIDTH - 1);
        let to = column(note.end).clamp(from + 1, WIDTH);
        cells[usize::from(note.key - low)][from..to].fill(true);
    }
    let thick = HEIGHT as f64 / rows as f64;
    let mut path = String::new();
    for (row, cells) in cells.iter().enumerate() {
        let y = HEIGHT as f64 - (row as f64 + 0.5) * thick;
        let mut x = 0;
        for run in cells.chunk_by(|a, b| a == b) {
            if run[0] {
                let _ = write!(path, "M{x} {y:.1}h{}", run.len());
            }
            x += run.len();
        }
    }
    format!(
        "<svg class=\"roll\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" preserveAspectRatio=\"none\" \
         role=\"img\" aria-label=\"piano roll\"><path d=\"{path}\" stroke=\"currentColor\" \
         stroke-width=\"{thick:.1}\" fill=\"none\"/></svg>"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(start: u64, end: u64, key: u8) -> Note {
        Note { start, key, end, velocity: 80, channel: 0 }
    }

    #[test]
    fn notes_stand_where_they_sound() {
        let svg = thumbnail(&[note(0, 50, 60), note(50, 100, 71), note(25, 26, 71)]);
        // Twelve rows of 4.7: the lowest ends at the bottom.
        for part in ["M0 53.7h120", "M120 2.3h120", "M60 2.3h2", "stroke-width=\"4.7\""] {
            assert!(svg.contains(part), "{part}: {svg}");
        }
        assert_eq!(svg.matches('M').count(), 3);
    }

    #[test]
    fn a_piece_of_many_notes_is_still_small() {
        let notes: Vec<Note> =
            (0..100_000).map(|i| note(i * 7, i * 7 + 5, (i * 37 % 88 + 21) as u8)).collect();
        let svg = thumbnail(&notes);
        assert!(svg.len() < 120_000, "{}", svg.len());
        assert!(thumbnail(&[]).contains("<svg"));
    }
}
