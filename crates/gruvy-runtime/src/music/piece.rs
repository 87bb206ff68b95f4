//! A piece of music as notes.
use serde::{Deserialize, Serialize};

/// A note.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Note {
    /// Where it begins, in ticks.
    pub start: u64,
    /// Its MIDI key, 0 to 127; 60 is the middle C.
    pub key: u8,
    /// Where it ends, in ticks, after its start.
    pub end: u64,
    /// How loud it is struck, 1 to 127.
    pub velocity: u8,
    /// Its MIDI channel, 0 to 15.
    pub channel: u8,
}

/// The name of a MIDI key, such as `C4`, the middle C.
pub fn key_name(key: u8) -> String {
    const NAMES: [&str; 12] = ["C", "C#", "D", "Eb", "E", "F", "F#", "G", "G#", "A", "Bb", "B"];
    format!("{}{}", NAMES[usize::from(key % 12)], i32::from(key / 12) - 1)
}

/// A tempo, from a tick on.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tempo {
    /// In ticks.
    pub at: u64,
    /// Quarter notes of a minute.
    pub quarters_per_minute: f64,
}

/// A meter, from a tick on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meter {
    /// In ticks.
    pub at: u64,
    /// Beats of a bar.
    pub beats: u32,
    /// What a beat is, as a part of a whole note: 4 for a quarter.
    pub unit: u32,
}

/// A piece of music: notes, and how their ticks are to be read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Piece {
    /// What it is called.
    pub name: String,
    /// Ticks of a quarter note, at least 1.
    pub ticks_per_quarter: u32,
    /// By start, then key.
    pub notes: Vec<Note>,
    /// Sounds of the drum channel, by start, then key.
    pub drums: Vec<Note>,
    /// By rising tick; before the first, and without one, 120 quarters a minute.
    pub tempos: Vec<Tempo>,
    /// By rising tick; before the first, and without one, four quarters.
    pub meters: Vec<Meter>,
}

/// The tempo of a file that names none.
pub const USUAL_TEMPO: f64 = 120.0;

/// Tells ticks of a piece in seconds.
#[derive(Clone, Debug)]
pub struct Clock {
    /// `(tick, seconds then, seconds of a tick from then on)`, by rising tick.
    changes: Vec<(u64, f64, f64)>,
}

impl Clock {
    /// Seconds from the beginning to a tick.
    pub fn seconds(&self, tick: u64) -> f64 {
        // The first change is at tick 0.
        let index = self.changes.partition_point(|(at, ..)| *at <= tick).saturating_sub(1);
        let (at, seconds, of_tick) = self.changes[index];
        seconds + (tick - at) as f64 * of_tick
    }
}

impl Piece {
    /// The tick at which the last note, or drum, ends.
    pub fn end(&self) -> u64 {
        self.notes.iter().chain(&self.drums).map(|note| note.end).max().unwrap_or(0)
    }

    /// Seconds from the beginning to a tick. For many ticks, see [`Piece::clock`].
    pub fn seconds(&self, tick: u64) -> f64 {
        self.clock().seconds(tick)
    }

    /// What tells ticks in seconds.
    pub fn clock(&self) -> Clock {
        let quarters = f64::from(self.ticks_per_quarter);
        let mut clock = Clock { changes: vec![(0, 0.0, 60.0 / USUAL_TEMPO / quarters)] };
        for tempo in &self.tempos {
            let now = clock.seconds(tempo.at);
            clock.changes.push((tempo.at, now, 60.0 / tempo.quarters_per_minute / quarters));
        }
        clock
    }

    /// Each note so many semitones higher, but for drums. What leaves the 128 keys is left out.
    #[must_use]
    pub fn transposed(self, by: i32) -> Self {
        let moved = |note: Note| {
            let key = u8::try_from(i32::from(note.key) + by).ok().filter(|key| *key < 128)?;
            Some(Note { key, ..note })
        };
        Self { notes: self.notes.into_iter().filter_map(moved).collect(), ..self }
    }

    /// The most notes that sound at one moment.
    pub fn polyphony(&self) -> usize {
        // At one tick, ends come before starts.
        let ends = self.notes.iter().map(|note| (note.end, false));
        let mut changes: Vec<(u64, bool)> =
            self.notes.iter().map(|note| (note.start, true)).chain(ends).collect();
        changes.sort_unstable();
        let (mut now, mut most) = (0usize, 0);
        for (_, starts) in changes {
            now = if starts { now + 1 } else { now.saturating_sub(1) };
            most = most.max(now);
        }
        most
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(start: u64, end: u64, key: u8) -> Note {
        Note { start, end, key, velocity: 80, channel: 0 }
    }

    fn piece(notes: Vec<Note>) -> Piece {
        let (tempos, meters) = (Vec::new(), Vec::new());
        let name = "piece".into();
        Piece { name, ticks_per_quarter: 480, notes, drums: Vec::new(), tempos, meters }
    }

    #[test]
    fn keys_have_names() {
        assert_eq!([0, 21, 60, 70, 127].map(key_name), ["C-1", "A0", "C4", "Bb4", "G9"]);
    }

    #[test]
    fn seconds_follow_the_tempo() {
        let mut piece = piece(vec![note(0, 960, 60)]);
        assert_eq!(piece.seconds(960), 1.0);
        piece.tempos = vec![
            Tempo { at: 0, quarters_per_minute: 60.0 },
            Tempo { at: 480, quarters_per_minute: 240.0 },
        ];
        assert_eq!([0, 240, 480, 960].map(|tick| piece.seconds(tick)), [0.0, 0.5, 1.0, 1.25]);
    }

    #[test]
    fn polyphony_counts_what_sounds_together() {
        assert_eq!(piece(Vec::new()).polyphony(), 0);
        let chord = vec![note(0, 10, 60), note(0, 10, 64), note(10, 20, 60), note(5, 6, 70)];
        assert_eq!(piece(chord).polyphony(), 3);
    }
}
