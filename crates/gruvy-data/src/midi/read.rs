//! A MIDI file as a piece.
use super::LONGEST;
use super::mend::{Mend, Mended};
use super::notes::{Notes, Sounding, bounded};
use super::track::{Track, find, tracks};
use crate::error::{Result, problem_at};
use crate::input::Input;
use gruvy_runtime::music::{Meter, Piece, Tempo, USUAL_TEMPO};
use midly::{MetaMessage, TrackEventKind};

/// Bytes of a header's beginning, and how many bytes may stand before it.
const HEADER: &[u8] = b"MThd";
const BEFORE: usize = 4096;

/// Reads a MIDI file: formats 0, 1 and 2, alone or in a RIFF file. Notes that the sustain pedal
/// holds last until it is lifted; the sounds of channel 10 are [drums](Piece::drums). Gives a
/// sentence for each kind of fault that was mended.
///
/// # Errors
/// [`Error::Io`](crate::Error::Io); [`Error::File`](crate::Error::File) for what is not a MIDI
/// file, has no notes or is longer than a day, or has more than a million notes.
pub fn read(input: &Input) -> Result<(Piece, Vec<String>)> {
    let name = input.name();
    let stem = name.file_stem().unwrap_or_default().to_string_lossy();
    parse(&stem, &input.read()?).map_err(|problem| problem_at(name, None, problem))
}

/// Whether bytes begin as a MIDI file does.
pub(crate) fn is_midi(bytes: &[u8]) -> bool {
    start(bytes).is_some()
}

/// A file's content; the error says why it cannot be read.
pub(crate) fn parse(name: &str, bytes: &[u8]) -> Result<(Piece, Vec<String>), String> {
    let mut mended = Mended::default();
    let header = Header::read(bytes, &mut mended)?;
    let tracks = tracks(header.rest, &mut mended);
    mended.count(Mend::Fewer, header.tracks.saturating_sub(tracks.len()));
    mended.count(Mend::More, tracks.len().saturating_sub(header.tracks));
    if header.format == 0 && tracks.len() > 1 {
        mended.count(Mend::SingleTrack, tracks.len());
    }
    let mut reading = Reading::new(&header);
    let mut from = 0;
    for bytes in tracks {
        let end = reading.track(bytes, from, &mut mended)?;
        reading.last = reading.last.max(end);
        // The tracks of format 2 are played one after another.
        from = if header.format == 2 { end } else { 0 };
    }
    let piece = reading.piece(name, &header, &mut mended)?;
    let seconds = piece.seconds(piece.end());
    match seconds <= LONGEST {
        true => Ok((piece, mended.sentences())),
        false => Err(format!(
            "it lasts {:.1} hours; expected at most 24: its times are damaged, or it needs cutting",
            seconds / 3600.0
        )),
    }
}

struct Header<'a> {
    format: u16,
    tracks: usize,
    ticks_per_quarter: u32,
    /// Of time that is counted in frames of a film: ticks are halved, and this is the tempo.
    film: Option<f64>,
    /// The chunks behind the header.
    rest: &'a [u8],
}

/// Where the header is, and where the file ends that it begins.
fn start(bytes: &[u8]) -> Option<(usize, usize)> {
    if bytes.starts_with(HEADER) {
        return Some((0, bytes.len()));
    }
    if bytes.starts_with(b"RIFF") {
        let at = find(bytes, HEADER)?;
        let size = bytes.get(at.checked_sub(4)?..at)?.try_into().ok()?;
        // A size that holds no header is one that was never filled in.
        let end = match u32::from_le_bytes(size) as usize {
            0..14 => bytes.len(),
            size => at.saturating_add(size),
        };
        return Some((at, end.min(bytes.len())));
    }
    let at = find(&bytes[..bytes.len().min(BEFORE)], b"MThd\0\0\0\x06")?;
    Some((at, bytes.len()))
}

impl<'a> Header<'a> {
    fn read(bytes: &'a [u8], mended: &mut Mended) -> Result<Self, String> {
        let (at, end) = start(bytes).ok_or_else(|| not_midi(bytes))?;
        if !bytes.starts_with(b"RIFF") {
            mended.count(Mend::Before, at);
        }
        let chunk = &bytes[at + HEADER.len()..end];
        let (length, body) = chunk.split_first_chunk::<4>().ok_or("the header is cut off")?;
        let length = (u32::from_be_bytes(*length) as usize).max(6);
        let short = || "the header is cut off".to_owned();
        let number = |at: usize| {
            let two = body.get(at..at + 2).ok_or_else(short)?;
            Ok::<_, String>(u16::from(two[0]) << 8 | u16::from(two[1]))
        };
        let (format, tracks, division) = (number(0)?, usize::from(number(2)?), number(4)?);
        if format > 2 {
            mended.add(Mend::Format);
        }
        let [frames, ticks] = division.to_be_bytes();
        let (ticks_per_quarter, film) = match frames {
            0..0x80 => (u32::from(division), None),
            _ => {
                // Two quarters a second. A film of 29 frames a second has 30 that last longer.
                let (frames, tempo) = match frames.wrapping_neg() {
                    29 => (30, 6e7 / 500_500.0),
                    frames => (frames, USUAL_TEMPO),
                };
                (u32::from(frames) * u32::from(ticks), Some(tempo))
            }
        };
        if ticks_per_quarter == 0 {
            return Err("its time has no unit: the header has 0 ticks to a quarter note".into());
        }
        let rest = body.get(length..).unwrap_or_default();
        Ok(Self { format, tracks, ticks_per_quarter, film, rest })
    }
}

fn not_midi(bytes: &[u8]) -> String {
    let begins: String = String::from_utf8_lossy(&bytes[..bytes.len().min(16)])
        .chars()
        .flat_map(char::escape_debug)
        .collect();
    match bytes.is_empty() {
        true => "the file is empty".into(),
        false => format!("not a MIDI file: it begins with `{begins}`, not with `MThd` or `RIFF`"),
    }
}

/// What was read so far.
struct Reading {
    notes: Notes,
    tempos: Vec<Tempo>,
    meters: Vec<Meter>,
    events: usize,
    /// Where the last track ended, in ticks.
    last: u64,
    /// What ticks are multiplied by.
    scale: u64,
    whole: u64,
}

impl Reading {
    fn new(header: &Header<'_>) -> Self {
        Self {
            notes: Notes::new(),
            tempos: Vec::new(),
            meters: Vec::new(),
            events: 0,
            last: 0,
            scale: if header.film.is_some() { 2 } else { 1 },
            whole: 4 * u64::from(header.ticks_per_quarter),
        }
    }

    /// Reads a track that begins at a tick, and says where it ends.
    fn track(&mut self, bytes: &[u8], from: u64, mended: &mut Mended) -> Result<u64, String> {
        let (mut track, mut sounding) = (Track::new(bytes), Sounding::new());
        while let Some(event) = track.next(mended) {
            self.events += 1;
            let at = from + self.scale * track.tick;
            match event {
                TrackEventKind::Midi { channel, message } => {
                    self.notes.message(&mut sounding, at, channel.as_int(), message)?;
                }
                TrackEventKind::Meta(MetaMessage::Tempo(micros)) => match micros.as_int() {
                    0 => mended.add(Mend::Tempo),
                    micros => {
                        let quarters_per_minute = 6e7 / f64::from(micros);
                        self.tempos.push(Tempo { at, quarters_per_minute });
                    }
                },
                TrackEventKind::Meta(MetaMessage::TimeSignature(beats, power, ..)) => {
                    match (beats, power) {
                        (1.., 0..=6) => {
                            let (beats, unit) = (u32::from(beats), 1 << power);
                            self.meters.push(Meter { at, beats, unit });
                        }
                        _ => mended.add(Mend::Meter),
                    }
                }
                _ => {}
            }
            bounded(self.tempos.len().max(self.meters.len()), "changes of tempo or meter")?;
        }
        let end = from + self.scale * track.tick;
        self.notes.end_track(sounding, end, self.whole, mended)?;
        Ok(end)
    }

    fn piece(
        mut self,
        name: &str,
        header: &Header<'_>,
        mended: &mut Mended,
    ) -> Result<Piece, String> {
        let (bends, events) = (self.notes.bends, self.events);
        let (notes, drums) = self.notes.finish(self.last, mended);
        if notes.is_empty() {
            return Err(match (drums.len(), bends) {
                (0, 0) if events == 0 => "it has no notes, and no other events".into(),
                (0, 0) => format!("it has no notes, only {events} other events"),
                (0, bends) => {
                    format!("it has no notes, only {events} other events, {bends} of them bends")
                }
                (hits, _) => format!("it has no notes, only {hits} sounds of drums (channel 10)"),
            });
        }
        latest(&mut self.tempos, |tempo| tempo.at);
        latest(&mut self.meters, |meter| meter.at);
        if let Some(quarters_per_minute) = header.film {
            self.tempos = vec![Tempo { at: 0, quarters_per_minute }];
        }
        let ticks_per_quarter = header.ticks_per_quarter;
        let (tempos, meters) = (self.tempos, self.meters);
        Ok(Piece { name: name.into(), ticks_per_quarter, notes, drums, tempos, meters })
    }
}

/// Puts changes into order. Of several at one tick the last holds.
fn latest<T>(changes: &mut Vec<T>, at: impl Fn(&T) -> u64) {
    changes.sort_by_key(&at);
    changes.reverse();
    changes.dedup_by_key(|change| at(change));
    changes.reverse();
}
