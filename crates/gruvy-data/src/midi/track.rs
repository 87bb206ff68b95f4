//! The chunks of a MIDI file, and the events of a track; what breaks the standard is stepped over.
use super::mend::{Mend, Mended};
use midly::{EventIter, TrackEventKind};

const TRACK: &[u8] = b"MTrk";
/// More tracks the header cannot announce.
const MOST_TRACKS: usize = u16::MAX as usize;

/// The contents of the tracks among the chunks of `rest`.
pub(super) fn tracks<'a>(mut rest: &'a [u8], mended: &mut Mended) -> Vec<&'a [u8]> {
    let mut tracks = Vec::new();
    while let Some((id, length, body)) = head(rest) {
        let after = body.get(length..);
        let size = if after.is_some_and(|after| after.is_empty() || head(after).is_some()) {
            length
        } else if let Some(next) = find(body, TRACK) {
            mended.add(Mend::Length);
            next
        } else if id == TRACK {
            // What follows its length is events, or bytes after the track's end.
            mended.count(Mend::CutOff, usize::from(after.is_none()));
            body.len()
        } else {
            break;
        };
        match id == TRACK && tracks.len() < MOST_TRACKS {
            true => tracks.push(&body[..size]),
            false => mended.add(Mend::Chunk),
        }
        rest = &body[size..];
    }
    mended.count(Mend::AfterEnd, rest.len());
    tracks
}

/// The name of a chunk, its length as it says, and all that follows; none if that is no chunk.
fn head(bytes: &[u8]) -> Option<(&[u8], usize, &[u8])> {
    let (id, rest) = bytes.split_at_checked(4)?;
    let (length, body) = rest.split_first_chunk::<4>()?;
    let named = id.iter().all(|byte| byte.is_ascii_graphic() || *byte == b' ');
    named.then_some((id, u32::from_be_bytes(*length) as usize, body))
}

/// Where `what` first is.
pub(super) fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}

/// The events of a track.
pub(super) struct Track<'a> {
    events: EventIter<'a>,
    /// The last status of a channel.
    status: Option<u8>,
    /// Whether another event came since, behind which the standard has a status again.
    stale: bool,
    /// Ticks so far.
    pub tick: u64,
}

impl<'a> Track<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { events: EventIter::new(bytes), status: None, stale: false, tick: 0 }
    }

    /// The next event, at [`tick`](Self::tick).
    pub(super) fn next(&mut self, mended: &mut Mended) -> Option<TrackEventKind<'a>> {
        loop {
            let before = self.events.unread();
            if before.is_empty() {
                mended.add(Mend::NoEnd);
                return None;
            }
            let Some(Ok(event)) = self.events.next() else {
                self.step_over(before, mended)?;
                continue;
            };
            self.tick += u64::from(event.delta.as_int());
            match event.kind {
                TrackEventKind::Midi { .. } => {
                    let bare = quantity(before).1.first().is_some_and(|byte| *byte < 0x80);
                    mended.count(Mend::Status, usize::from(self.stale && bare));
                    self.status = self.events.running_status();
                }
                TrackEventKind::Meta(midly::MetaMessage::EndOfTrack) => {
                    mended.count(Mend::AfterEnd, self.events.unread().len());
                    return None;
                }
                _ => *self.events.running_status_mut() = self.status,
            }
            self.stale = !matches!(event.kind, TrackEventKind::Midi { .. });
            return Some(event.kind);
        }
    }

    /// Goes on behind a broken event; none if it is not known where that is.
    fn step_over(&mut self, before: &'a [u8], mended: &mut Mended) -> Option<()> {
        let (delta, event) = quantity(before);
        let (mend, rest) = match event {
            [0xF1 | 0xF3, _, rest @ ..] | [0xF2, _, _, rest @ ..] => (Mend::System, Some(rest)),
            [0xF4..=0xF6 | 0xF8..=0xFE, rest @ ..] => (Mend::System, Some(rest)),
            [0xFF, _, rest @ ..] => {
                let (length, content) = quantity(rest);
                (Mend::Meta, content.get(length as usize..))
            }
            // Two numbers at most follow a status.
            _ if event.len() < 3 => (Mend::CutOff, None),
            _ => (Mend::Broken, None),
        };
        mended.add(mend);
        self.tick += u64::from(delta);
        self.events = EventIter::new(rest?);
        *self.events.running_status_mut() = self.status;
        self.stale = true;
        Some(())
    }
}

/// A number of up to four bytes, of seven bits each, and what follows.
fn quantity(bytes: &[u8]) -> (u32, &[u8]) {
    let last = bytes.iter().take(4).position(|byte| *byte < 0x80);
    let (number, rest) = bytes.split_at(last.map_or(bytes.len().min(4), |last| last + 1));
    (number.iter().fold(0, |sum, byte| sum << 7 | u32::from(byte & 0x7F)), rest)
}
