//! Music on a grid: which keys sound at each step.
//!
//! ```text
//! notes in ticks ──from_piece──> frames: for each step the keys that sound, struck or held
//!                <──to_piece───
//! ```
use super::piece::{Meter, Note, Piece, Tempo, USUAL_TEMPO};
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};

/// Keys of a piano.
pub const KEYS: usize = 88;
/// The MIDI key of the lowest of them.
pub const LOWEST: u8 = 21;
/// No roll has more steps, that memory is bounded: 24 hours of sixteenths at 180 quarters a minute.
pub const MOST_STEPS: u64 = 1 << 20;
/// How loud notes are that a roll becomes.
const VELOCITY: u8 = 80;

/// A key that sounds at a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Sound {
    /// 0 to 87; the MIDI key less [`LOWEST`].
    pub key: u8,
    /// Whether it is struck at this step, rather than held from the step before.
    pub onset: bool,
}

/// Where a step stands in its bar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Steps since the beginning of the bar; of the piece, where the meter is not known.
    pub step: usize,
    /// Steps of the bar; 0: not known.
    pub of: usize,
}

/// A meter, from a step on, at which a bar begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bar {
    /// The step.
    pub at: usize,
    /// Beats of a bar.
    pub beats: u32,
    /// What a beat is, as a part of a whole note.
    pub unit: u32,
}

/// A tempo, from a step on.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct TempoChange {
    /// The step.
    pub at: usize,
    /// Quarter notes of a minute.
    pub quarters_per_minute: f64,
}

/// A note on the grid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// 0 to 87.
    pub key: u8,
    /// Its first step.
    pub from: usize,
    /// The step after its last.
    pub to: usize,
}

/// Music on a grid.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Roll {
    /// What it is called.
    pub name: String,
    /// The sounds of each step, by rising key, no key twice.
    pub frames: Vec<Vec<Sound>>,
    /// Whether the source tells a repeated note from a held one. Else a key counts as struck where
    /// the frame before lacks it.
    pub onsets: bool,
    /// 0: not known.
    pub steps_per_quarter: u32,
    /// Meters by rising step, the first at step 0; empty: not known.
    pub bars: Vec<Bar>,
    /// Quarter notes of a minute at the start.
    pub tempo: f64,
    /// Other tempos by rising step, above 0 and below the number of frames.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tempo_changes: Vec<TempoChange>,
}

/// What the grid did to the notes of a piece.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Quantised {
    /// Notes that became sounds.
    pub notes: usize,
    /// Mean distance of their starts from the grid, in quarter notes.
    pub error: f64,
    /// The share of starts that a grid of triplets has and this one has not.
    pub triplets: f64,
    /// The share of notes between two beats that come late, as in swing: two thirds into a beat
    /// rather than halfway.
    pub swing: f64,
    /// Notes beyond the 88 keys, which were left out.
    pub beyond: usize,
    /// Notes that fell on a key that was struck at the same step.
    pub merged: usize,
}

impl Roll {
    /// The notes of a piece on a grid of so many steps to a quarter note. A note takes at least a
    /// step; one that is struck while its key sounds ends it.
    ///
    /// # Errors
    /// [`Error::Setting`] for a grid of 0 steps, and for more than [`MOST_STEPS`] steps.
    pub fn from_piece(piece: &Piece, steps_per_quarter: u32) -> Result<(Self, Quantised)> {
        if steps_per_quarter == 0 {
            return Err(Error::setting("grid", 0, "at least one step to a quarter note"));
        }
        let grid = Grid { piece, steps: u64::from(steps_per_quarter) };
        let last = grid.step(piece.notes.iter().map(|note| note.end).max().unwrap_or(0)) + 1;
        if last > MOST_STEPS {
            let expected = format!("at most {MOST_STEPS} steps, at which the music ends");
            return Err(Error::setting("music", format!("{last} steps"), expected));
        }
        let mut quantised = Quantised::default();
        let mut frames: Vec<Vec<Sound>> = Vec::new();
        for (key, notes) in by_key(piece, &mut quantised).into_iter().enumerate() {
            let mut starts: Vec<(usize, usize)> = Vec::new();
            for note in notes {
                let start = grid.step(note.start) as usize;
                let end = (grid.step(note.end) as usize).max(start + 1);
                grid.measure(note.start, &mut quantised);
                match starts.last_mut() {
                    Some(last) if last.0 == start => {
                        quantised.merged += 1;
                        last.1 = last.1.max(end);
                    }
                    Some(last) => {
                        last.1 = last.1.min(start);
                        starts.push((start, end));
                    }
                    None => starts.push((start, end)),
                }
            }
            for (start, end) in starts {
                if frames.len() < end {
                    frames.resize_with(end, Vec::new);
                }
                for (step, frame) in frames[start..end].iter_mut().enumerate() {
                    frame.push(Sound { key: key as u8, onset: step == 0 });
                }
            }
        }
        quantised.finish();
        let (tempo, tempo_changes) = grid.tempos(frames.len());
        let roll = Self {
            name: piece.name.clone(),
            frames,
            onsets: true,
            steps_per_quarter,
            bars: grid.bars(),
            tempo,
            tempo_changes,
        };
        Ok((roll, quantised))
    }

    /// The sounds of each key joined to notes, by where they end.
    pub fn spans(&self) -> Vec<Span> {
        let mut spans = Vec::new();
        let mut sounding = [None; KEYS];
        for step in 0..=self.frames.len() {
            let mut here = [None; KEYS];
            for sound in self.frames.get(step).into_iter().flatten() {
                here[usize::from(sound.key)] = Some(sound.onset);
            }
            for ((since, here), key) in sounding.iter_mut().zip(here).zip(0..) {
                if let Some(from) = since.filter(|_| here != Some(false)) {
                    spans.push(Span { key, from, to: step });
                    *since = None;
                }
                if here.is_some() {
                    since.get_or_insert(step);
                }
            }
        }
        spans
    }

    /// The frames as notes. On the same grid, [`from_piece`](Self::from_piece) gives the same
    /// frames again.
    pub fn to_piece(&self) -> Piece {
        let steps = if self.steps_per_quarter == 0 { 4 } else { self.steps_per_quarter };
        // As fine as players take for granted, and a whole number of ticks to a step.
        let ticks = u64::from(480u32.div_ceil(steps));
        let note = |span: Span| Note {
            start: span.from as u64 * ticks,
            key: span.key + LOWEST,
            end: span.to as u64 * ticks,
            velocity: VELOCITY,
            channel: 0,
        };
        let mut notes: Vec<Note> = self.spans().into_iter().map(note).collect();
        notes.sort_unstable();
        let meter =
            |bar: &Bar| Meter { at: bar.at as u64 * ticks, beats: bar.beats, unit: bar.unit };
        Piece {
            name: self.name.clone(),
            ticks_per_quarter: steps * ticks as u32,
            notes,
            drums: Vec::new(),
            tempos: self.tempos().map(|(at, tempo)| tempo_of(at as u64 * ticks, tempo)).collect(),
            meters: self.bars.iter().map(meter).collect(),
        }
    }

    /// Where a step stands in its bar, beyond the last frame too.
    pub fn place(&self, step: usize) -> Place {
        let Some(bar) = self.bars.iter().rev().find(|bar| bar.at <= step) else {
            return Place { step, of: 0 };
        };
        let of = bar.steps(self.steps_per_quarter);
        Place { step: (step - bar.at) % of.max(1), of }
    }

    /// Steps at which a tempo begins, and quarter notes of a minute.
    fn tempos(&self) -> impl DoubleEndedIterator<Item = (usize, f64)> {
        let changes = self.tempo_changes.iter().map(|tempo| (tempo.at, tempo.quarters_per_minute));
        std::iter::once((0, self.tempo)).chain(changes)
    }

    /// The same music at one tempo, in quarter notes of a minute.
    #[must_use]
    pub fn with_tempo(self, tempo: f64) -> Self {
        Self { tempo, tempo_changes: Vec::new(), ..self }
    }

    /// Seconds of all frames.
    pub fn seconds(&self) -> f64 {
        let (mut seconds, mut to) = (0.0, self.frames.len());
        for (at, tempo) in self.tempos().rev() {
            seconds += to.saturating_sub(at) as f64 * self.step_seconds(tempo);
            to = to.min(at);
        }
        seconds
    }

    /// Seconds of a step behind the last frame.
    pub fn next_seconds(&self) -> f64 {
        self.step_seconds(self.tempos().next_back().map_or(self.tempo, |(_, tempo)| tempo))
    }

    fn step_seconds(&self, tempo: f64) -> f64 {
        let steps = if self.steps_per_quarter == 0 { 4 } else { self.steps_per_quarter };
        60.0 / tempo / f64::from(steps)
    }

    /// Each key so many semitones higher. What leaves the 88 keys is left out.
    #[must_use]
    pub fn transposed(&self, by: i32) -> Self {
        let frames = self.frames.iter().map(|frame| transposed(frame, by)).collect();
        Self { frames, ..self.clone() }
    }

    /// Steps of the longest bar; 0: the meter is not known.
    pub fn longest_bar(&self) -> usize {
        self.bars.iter().map(|bar| bar.steps(self.steps_per_quarter)).max().unwrap_or(0)
    }
}

fn tempo_of(at: u64, quarters_per_minute: f64) -> Tempo {
    Tempo { at, quarters_per_minute }
}

/// A frame so many semitones higher. What leaves the 88 keys is left out.
pub fn transposed(frame: &[Sound], by: i32) -> Vec<Sound> {
    let moved = |sound: &Sound| {
        let key = u8::try_from(i32::from(sound.key) + by).ok()?;
        (usize::from(key) < KEYS).then_some(Sound { key, ..*sound })
    };
    frame.iter().filter_map(moved).collect()
}

impl Bar {
    /// Steps of a bar, at least one.
    pub fn steps(&self, steps_per_quarter: u32) -> usize {
        let steps = 4 * u64::from(steps_per_quarter) * u64::from(self.beats);
        usize::try_from(steps / u64::from(self.unit.max(1))).unwrap_or(usize::MAX).max(1)
    }
}

/// The piano keys' notes, `[88]`, each by start.
fn by_key(piece: &Piece, quantised: &mut Quantised) -> Vec<Vec<Note>> {
    let mut keys = vec![Vec::new(); KEYS];
    for note in &piece.notes {
        match note.key.checked_sub(LOWEST).and_then(|key| keys.get_mut(usize::from(key))) {
            Some(notes) => notes.push(*note),
            None => quantised.beyond += 1,
        }
    }
    keys.iter_mut().for_each(|notes| notes.sort_unstable());
    keys
}

struct Grid<'a> {
    piece: &'a Piece,
    /// To a quarter note.
    steps: u64,
}

impl Grid<'_> {
    /// The step nearest to a tick.
    fn step(&self, tick: u64) -> u64 {
        let ticks = u128::from(self.piece.ticks_per_quarter.max(1));
        ((u128::from(tick) * u128::from(self.steps) * 2 + ticks) / (2 * ticks)) as u64
    }

    /// Adds how far a start is from the grid to the sums.
    fn measure(&self, tick: u64, sums: &mut Quantised) {
        let quarters = tick as f64 / f64::from(self.piece.ticks_per_quarter.max(1));
        let off = |steps: f64| ((quarters * steps).round() / steps - quarters).abs();
        let own = off(self.steps as f64);
        sums.notes += 1;
        sums.error += own;
        if off(3.0) < 0.02 && own > 0.02 {
            sums.triplets += 1.0;
        }
        let into = quarters.fract();
        if (into - 2.0 / 3.0).abs() < 0.06 {
            sums.swing += 1.0;
        }
    }

    /// The tempo at the start, and the changes before the last of so many steps. Of several at one
    /// step the last holds.
    fn tempos(&self, steps: usize) -> (f64, Vec<TempoChange>) {
        let mut all = vec![TempoChange { at: 0, quarters_per_minute: USUAL_TEMPO }];
        for tempo in &self.piece.tempos {
            let at = self.step(tempo.at) as usize;
            if all.last().is_some_and(|last| last.at == at) {
                all.pop();
            }
            all.push(TempoChange { at, quarters_per_minute: tempo.quarters_per_minute });
        }
        all.dedup_by_key(|tempo| tempo.quarters_per_minute);
        all.retain(|tempo| tempo.at < steps.max(1));
        (all.remove(0).quarters_per_minute, all)
    }

    /// The meters, on the grid. A meter that begins within a bar begins a new one.
    fn bars(&self) -> Vec<Bar> {
        let bar =
            |at, meter: &Meter| Bar { at, beats: meter.beats.max(1), unit: meter.unit.max(1) };
        let mut bars = vec![Bar { at: 0, beats: 4, unit: 4 }];
        for meter in &self.piece.meters {
            let at = self.step(meter.at) as usize;
            if bars.last().is_some_and(|last| last.at == at) {
                bars.pop();
            }
            bars.push(bar(at, meter));
        }
        bars.dedup_by(|next, last| {
            (next.beats, next.unit) == (last.beats, last.unit)
                && (next.at - last.at).is_multiple_of(last.steps(self.steps as u32))
        });
        bars
    }
}

impl Quantised {
    /// Sums to means.
    fn finish(&mut self) {
        let count = self.notes.max(1) as f64;
        self.error /= count;
        self.triplets /= count;
        self.swing /= count;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn note(start: u64, end: u64, key: u8) -> Note {
        Note { start, key, end, velocity: 80, channel: 0 }
    }

    fn piece(notes: Vec<Note>, meters: Vec<Meter>) -> Piece {
        let (name, tempos) = ("piece".into(), Vec::new());
        Piece { name, ticks_per_quarter: 480, notes, drums: Vec::new(), tempos, meters }
    }

    fn sounds(frame: &[Sound]) -> Vec<(u8, bool)> {
        frame.iter().map(|sound| (sound.key, sound.onset)).collect()
    }

    #[test]
    fn notes_become_frames_and_repeated_notes_stay_notes() {
        let notes = vec![
            note(0, 240, 60),
            note(240, 480, 60),
            note(0, 480, 64),
            note(470, 475, 20),
            note(362, 363, 67),
            note(0, 100, 64),
        ];
        let (roll, quantised) = Roll::from_piece(&piece(notes, Vec::new()), 4).unwrap();
        let frames: Vec<_> = roll.frames.iter().map(|frame| sounds(frame)).collect();
        let (c, e, g) = (39, 43, 46);
        assert_eq!(
            frames,
            [
                vec![(c, true), (e, true)],
                vec![(c, false), (e, false)],
                vec![(c, true), (e, false)],
                vec![(c, false), (e, false), (g, true)],
            ]
        );
        assert_eq!((quantised.beyond, quantised.merged, quantised.notes), (1, 1, 5));
        let expected = 2.0 / 480.0 / 5.0;
        assert!((quantised.error - expected).abs() < 1e-12, "{}", quantised.error);
    }

    #[test]
    fn triplets_are_seen_on_a_grid_that_has_none() {
        let notes = (0..6).map(|n| note(n * 160, n * 160 + 100, 60)).collect();
        let piece = piece(notes, Vec::new());
        let (_, sixteenths) = Roll::from_piece(&piece, 4).unwrap();
        assert!((sixteenths.triplets - 4.0 / 6.0).abs() < 1e-9, "{sixteenths:?}");
        let (_, triplets) = Roll::from_piece(&piece, 3).unwrap();
        assert_eq!((triplets.triplets, triplets.error < 1e-12), (0.0, true));
        assert!((triplets.swing - 2.0 / 6.0).abs() < 1e-9);
    }

    #[test]
    fn bars_follow_the_meters() {
        let three = Meter { at: 1920, beats: 3, unit: 4 };
        let six = Meter { at: 1920 + 2 * 1440, beats: 6, unit: 8 };
        let piece = piece(vec![note(0, 10_000, 60)], vec![three, six]);
        let (roll, _) = Roll::from_piece(&piece, 4).unwrap();
        let place = |step| (roll.place(step).step, roll.place(step).of);
        assert_eq!([0, 15, 16, 27, 28].map(place), [(0, 16), (15, 16), (0, 12), (11, 12), (0, 12)]);
        assert_eq!(place(16 + 24 + 13), (1, 12));
        assert_eq!(roll.longest_bar(), 16);
        assert_eq!(roll.to_piece().meters.len(), 3);
    }

    #[test]
    fn tempos_stay_with_their_beats() {
        let mut piece = piece(vec![note(0, 960, 60), note(1440, 1920, 62)], Vec::new());
        // The second is between two steps, and two are at one.
        let tempos =
            [(0, 60.0), (470, 30.0), (960, 100.0), (965, 240.0), (1440, 240.0), (1920, 1.0)];
        piece.tempos = tempos.map(|(at, tempo)| tempo_of(at, tempo)).to_vec();
        let (roll, _) = Roll::from_piece(&piece, 4).unwrap();
        let changes = [(4, 30.0), (8, 240.0)];
        let changes =
            changes.map(|(at, quarters_per_minute)| TempoChange { at, quarters_per_minute });
        assert_eq!((roll.tempo, &roll.tempo_changes[..]), (60.0, &changes[..]));
        assert_eq!((roll.seconds(), roll.next_seconds()), (1.0 + 2.0 + 0.5, 0.0625));
        let again = roll.to_piece();
        assert_eq!(
            again.tempos,
            [(0, 60.0), (480, 30.0), (960, 240.0)].map(|(a, t)| tempo_of(a, t))
        );
        assert_eq!(again.seconds(again.end()), roll.seconds());
        assert_eq!(roll.clone().with_tempo(120.0).seconds(), 2.0);
        // Without a tempo at the start it is the usual one.
        piece.tempos = vec![tempo_of(480, 60.0)];
        let (roll, _) = Roll::from_piece(&piece, 4).unwrap();
        assert_eq!((roll.tempo, roll.seconds()), (USUAL_TEMPO, 0.5 + 3.0));
        piece.notes.clear();
        assert_eq!(Roll::from_piece(&piece, 4).unwrap().0.seconds(), 0.0);
    }

    #[test]
    fn what_is_too_long_is_refused() {
        let endless = piece(vec![note(0, u64::MAX / 2, 60)], Vec::new());
        assert!(matches!(Roll::from_piece(&endless, 4), Err(Error::Setting { .. })));
        assert!(Roll::from_piece(&endless, 0).is_err());
    }

    proptest! {
        #[test]
        fn frames_become_notes_and_the_same_frames(
            keys in prop::collection::vec(prop::collection::btree_map(0u8..88, any::<bool>(), 0..6), 0..40),
            steps in 1u32..=16,
        ) {
            let mut frames: Vec<Vec<Sound>> = Vec::new();
            for frame in keys {
                let before = frames.last();
                let held = |key: u8| before.is_some_and(|b| b.iter().any(|s| s.key == key));
                let frame = frame.into_iter()
                    .map(|(key, onset)| Sound { key, onset: onset || !held(key) })
                    .collect();
                frames.push(frame);
            }
            while frames.last().is_some_and(Vec::is_empty) {
                frames.pop();
            }
            let roll = Roll {
                name: "roll".into(),
                frames,
                onsets: true,
                steps_per_quarter: steps,
                bars: vec![Bar { at: 0, beats: 4, unit: 4 }],
                tempo: 96.0,
                tempo_changes: Vec::new(),
            };
            let (again, quantised) = Roll::from_piece(&roll.to_piece(), steps).unwrap();
            prop_assert_eq!(&again, &roll);
            prop_assert!(quantised.error < 1e-9);
        }
    }
}
