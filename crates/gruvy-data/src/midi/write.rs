//! A piece as a MIDI file.
use super::DRUMS;
use gruvy_runtime::music::{Note, Piece};
use midly::num::{u4, u7, u15, u24, u28};
use midly::{
    Format, Header, MetaMessage, MidiMessage, Smf, Timing, Track, TrackEvent, TrackEventKind,
};

/// The longest time between two events of a file, in ticks.
const FURTHEST: u64 = (1 << 28) - 1;
/// The most ticks of a quarter note.
const FINEST: u32 = (1 << 15) - 1;

/// So many notes of one key and channel at once are kept apart.
const MOST_LAYERS: usize = 64;

type Kind<'a> = TrackEventKind<'a>;

/// The content of a MIDI file of format 1: a track of tempo and meter, then one of the notes, and
/// more where notes of one key and channel overlap, which no track can hold.
///
/// What the format cannot hold is brought into its bounds: keys and velocities of more than 7 bits,
/// meters of beats that are not a half, a quarter and so on, more than 32,767 ticks to a quarter.
/// Notes of channel 10, which is the drums', go to channel 11.
pub fn write(piece: &Piece) -> Vec<u8> {
    let scale = piece.ticks_per_quarter.div_ceil(FINEST).max(1);
    let time = |tick: u64| tick / u64::from(scale);
    let ticks = (piece.ticks_per_quarter / scale).clamp(1, FINEST);
    let mut tracks = vec![track(conductor(piece), time)];
    for notes in layers(piece) {
        tracks.push(track(voices(&notes), time));
    }
    let header = Header::new(Format::Parallel, Timing::Metrical(u15::new(ticks as u16)));
    let mut bytes = Vec::new();
    // A vector takes whatever is written.
    let _ = Smf { header, tracks }.write_std(&mut bytes);
    bytes
}

/// Name, tempos and meters.
fn conductor(piece: &Piece) -> Vec<(u64, Kind<'_>)> {
    let mut events = vec![(0, Kind::Meta(MetaMessage::TrackName(piece.name.as_bytes())))];
    for meter in &piece.meters {
        let beats = meter.beats.clamp(1, 255) as u8;
        let power = meter.unit.clamp(1, 64).ilog2() as u8;
        // 24 clocks of a metronome, and 8 thirty-seconds, to a quarter.
        events.push((meter.at, Kind::Meta(MetaMessage::TimeSignature(beats, power, 24, 8))));
    }
    for tempo in &piece.tempos {
        let micros = (6e7 / tempo.quarters_per_minute).round().clamp(1.0, f64::from((1 << 24) - 1));
        events.push((tempo.at, Kind::Meta(MetaMessage::Tempo(u24::new(micros as u32)))));
    }
    events.sort_by_key(|event| event.0);
    events
}

/// Notes and drums, such that in none of the layers two of one key and channel overlap.
fn layers(piece: &Piece) -> Vec<Vec<Note>> {
    let channel = |note: &Note| if note.channel == DRUMS { DRUMS + 1 } else { note.channel & 15 };
    let notes = piece.notes.iter().map(|note| Note { channel: channel(note), ..*note });
    let drums = piece.drums.iter().map(|note| Note { channel: DRUMS, ..*note });
    let mut all: Vec<Note> = notes.chain(drums).map(bounded).collect();
    all.sort_unstable();
    // For each layer, where the last note of each channel and key ends.
    let mut ends: Vec<Vec<u64>> = Vec::new();
    let mut layers: Vec<Vec<Note>> = Vec::new();
    for note in all {
        let place = usize::from(note.channel) * 128 + usize::from(note.key);
        let free = ends.iter().position(|ends| ends[place] <= note.start).unwrap_or(ends.len());
        let free = free.min(MOST_LAYERS - 1);
        if free == ends.len() {
            ends.push(vec![0; 16 * 128]);
            layers.push(Vec::new());
        }
        ends[free][place] = note.end;
        layers[free].push(note);
    }
    layers
}

fn bounded(note: Note) -> Note {
    let (key, velocity) = (note.key.min(127), note.velocity.clamp(1, 127));
    Note { key, velocity, end: note.end.max(note.start.saturating_add(1)), ..note }
}

/// The messages of notes. At one tick ends come before starts.
fn voices(notes: &[Note]) -> Vec<(u64, Kind<'static>)> {
    let mut messages: Vec<(u64, bool, Note)> = Vec::with_capacity(2 * notes.len());
    for note in notes {
        messages.extend([(note.start, true, *note), (note.end, false, *note)]);
    }
    messages.sort_unstable();
    let kind = |(tick, starts, note): (u64, bool, Note)| {
        let (key, velocity) = (u7::new(note.key), u7::new(note.velocity));
        let message = match starts {
            true => MidiMessage::NoteOn { key, vel: velocity },
            // With this velocity the status need not be repeated.
            false => MidiMessage::NoteOn { key, vel: u7::new(0) },
        };
        (tick, Kind::Midi { channel: u4::new(note.channel), message })
    };
    messages.into_iter().map(kind).collect()
}

/// Events by tick as a track. Longer times than the format has are divided by empty texts.
fn track<'a>(events: Vec<(u64, Kind<'a>)>, time: impl Fn(u64) -> u64) -> Track<'a> {
    let mut track = Track::with_capacity(events.len() + 1);
    let mut now = 0;
    for (tick, kind) in events {
        let mut delta = time(tick) - now;
        now += delta;
        while delta > FURTHEST {
            let nothing = Kind::Meta(MetaMessage::Text(b""));
            track.push(TrackEvent { delta: u28::new(FURTHEST as u32), kind: nothing });
            delta -= FURTHEST;
        }
        track.push(TrackEvent { delta: u28::new(delta as u32), kind });
    }
    let kind = Kind::Meta(MetaMessage::EndOfTrack);
    track.push(TrackEvent { delta: u28::new(0), kind });
    track
}
