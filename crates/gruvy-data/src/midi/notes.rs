//! Events to notes: which note ends where, and how long the pedal holds it.
use super::mend::{Mend, Mended};
use super::{DRUMS, MOST};
use gruvy_runtime::music::Note;
use midly::MidiMessage;

const PEDAL: u8 = 64;
/// Controllers that end all sound of a channel: 120, and 123 to 127 beside what else they do.
const SILENCE: [u8; 6] = [120, 123, 124, 125, 126, 127];
const RESET: u8 = 121;

/// A note that has not ended.
#[derive(Clone, Copy)]
struct Open {
    start: u64,
    velocity: u8,
    /// It ended another at its start: an end at that tick is the other's.
    again: bool,
}

/// The notes of all tracks.
pub(super) struct Notes {
    notes: Vec<Note>,
    /// `[16]` for each channel, where the pedal was pressed (true) or lifted.
    pedals: [Vec<(u64, bool)>; 16],
    pub bends: usize,
}

/// The notes of a track that have not ended, `[16 · 128]` by channel and key.
pub(super) struct Sounding(Vec<Option<Open>>);

impl Sounding {
    pub(super) fn new() -> Self {
        Self(vec![None; 16 * 128])
    }
}

impl Notes {
    pub(super) fn new() -> Self {
        Self { notes: Vec::new(), pedals: Default::default(), bends: 0 }
    }

    /// Takes a message of a channel; the error says what there is too much of.
    pub(super) fn message(
        &mut self,
        sounding: &mut Sounding,
        tick: u64,
        channel: u8,
        message: MidiMessage,
    ) -> Result<(), String> {
        match message {
            MidiMessage::NoteOn { key, vel } if vel > 0 => {
                let open = &mut sounding.0[place(channel, key.as_int())];
                let before = open.take();
                let (again, velocity) = (before.is_some_and(|b| b.start < tick), vel.as_int());
                // Struck twice at one tick it is one note, as loud as the louder.
                let velocity =
                    before.filter(|_| !again).map_or(velocity, |b| b.velocity.max(velocity));
                *open = Some(Open { start: tick, velocity, again });
                before
                    .filter(|_| again)
                    .map_or(Ok(()), |open| self.end(open, tick, channel, key.as_int()))
            }
            MidiMessage::NoteOn { key, .. } | MidiMessage::NoteOff { key, .. } => {
                let slot = &mut sounding.0[place(channel, key.as_int())];
                match slot {
                    Some(open) if open.again && open.start == tick => open.again = false,
                    _ => {
                        if let Some(open) = slot.take() {
                            self.end(open, tick, channel, key.as_int())?;
                        }
                    }
                }
                Ok(())
            }
            MidiMessage::Controller { controller, value } => {
                self.controller(sounding, tick, channel, [controller.as_int(), value.as_int()])
            }
            MidiMessage::PitchBend { .. } => {
                self.bends += 1;
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn controller(
        &mut self,
        sounding: &mut Sounding,
        tick: u64,
        channel: u8,
        [controller, value]: [u8; 2],
    ) -> Result<(), String> {
        if controller == PEDAL || controller == RESET {
            let pedal = &mut self.pedals[usize::from(channel)];
            let pressed = controller == PEDAL && value >= 64;
            if pedal.last().is_some_and(|last| last.1) != pressed {
                pedal.push((tick, pressed));
            }
            return bounded(pedal.len(), "movements of the pedal");
        }
        if SILENCE.contains(&controller) {
            for key in 0..128 {
                if let Some(open) = sounding.0[place(channel, key)].take() {
                    self.end(open, tick, channel, key)?;
                }
            }
        }
        Ok(())
    }

    fn end(&mut self, open: Open, end: u64, channel: u8, key: u8) -> Result<(), String> {
        let Open { start, velocity, .. } = open;
        self.notes.push(Note { start, key, end, velocity, channel });
        bounded(self.notes.len(), "notes")
    }

    /// Ends what still sounds at the end of a track, or after a whole note.
    pub(super) fn end_track(
        &mut self,
        sounding: Sounding,
        tick: u64,
        whole: u64,
        mended: &mut Mended,
    ) -> Result<(), String> {
        for (place, open) in sounding.0.into_iter().enumerate() {
            if let Some(open) = open {
                mended.add(Mend::Endless);
                let end = tick.min(open.start + whole);
                self.end(open, end, (place / 128) as u8, (place % 128) as u8)?;
            }
        }
        Ok(())
    }

    /// Notes and drums, by start and key; `last` is where the pedal is lifted at the latest.
    pub(super) fn finish(mut self, last: u64, mended: &mut Mended) -> (Vec<Note>, Vec<Note>) {
        self.notes.sort_unstable_by_key(|note| (note.channel, note.key, note.start, note.end));
        for pedal in &mut self.pedals {
            pedal.sort_by_key(|change| change.0);
        }
        let pedals = &self.pedals;
        for same in self.notes.chunk_by_mut(|a, b| (a.channel, a.key) == (b.channel, b.key)) {
            hold(same, &pedals[usize::from(same[0].channel)], last);
        }
        for note in &mut self.notes {
            if note.end <= note.start {
                mended.add(Mend::Short);
                note.end = note.start + 1;
            }
        }
        self.notes.sort_unstable();
        self.notes.into_iter().partition(|note| note.channel != DRUMS)
    }
}

/// Lengthens notes of one key, by start, that the pedal holds: until it is lifted, or the key is
/// struck again.
fn hold(same: &mut [Note], pedal: &[(u64, bool)], last: u64) {
    if pedal.is_empty() || same[0].channel == DRUMS {
        return;
    }
    let starts: Vec<u64> = same.iter().map(|note| note.start).collect();
    for (i, note) in same.iter_mut().enumerate() {
        let later = pedal.partition_point(|change| change.0 <= note.end);
        if later > 0 && pedal[later - 1].1 {
            let lifted = pedal[later..].iter().find(|change| !change.1);
            let lifted = lifted.map_or(last, |change| change.0);
            let from = i + 1 + starts[i + 1..].partition_point(|start| *start < note.end);
            let again = starts.get(from).copied().unwrap_or(u64::MAX);
            note.end = note.end.max(lifted.min(again));
        }
    }
}

fn place(channel: u8, key: u8) -> usize {
    usize::from(channel) * 128 + usize::from(key)
}

/// An error that names what there are too many of.
pub(super) fn bounded(count: usize, what: &str) -> Result<(), String> {
    match count <= MOST {
        true => Ok(()),
        false => Err(format!("it has more than {MOST} {what}; expected a piece of music: cut it")),
    }
}
