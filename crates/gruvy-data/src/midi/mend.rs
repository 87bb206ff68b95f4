//! What had to be mended in a file, counted by kind.
use std::collections::BTreeMap;

/// A kind of fault that players pass over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Mend {
    /// Bytes before the header.
    Before,
    /// The header's format is none of 0, 1 and 2.
    Format,
    /// Format 0 has one track.
    SingleTrack,
    /// Tracks that the header announces and that are not there.
    Fewer,
    /// Tracks that the header does not announce.
    More,
    /// A chunk that is neither header nor track.
    Chunk,
    /// A track's length leads to no other chunk.
    Length,
    /// The file ends within a track.
    CutOff,
    /// A track without the event that ends it.
    NoEnd,
    /// Bytes behind the event that ends a track.
    AfterEnd,
    /// A message that has no place in a file.
    System,
    /// An event of the file itself with content that makes no sense.
    Meta,
    /// An event whose status was left out where it may not be.
    Status,
    /// A track is read up to a broken event.
    Broken,
    /// A note that nothing ends.
    Endless,
    /// A note that ends where it begins.
    Short,
    /// A tempo of zero.
    Tempo,
    /// A meter that makes no sense.
    Meter,
}

/// How often each was found.
#[derive(Debug, Default)]
pub(super) struct Mended(BTreeMap<Mend, usize>);

impl Mended {
    pub(super) fn add(&mut self, mend: Mend) {
        self.count(mend, 1);
    }

    pub(super) fn count(&mut self, mend: Mend, by: usize) {
        if by > 0 {
            *self.0.entry(mend).or_default() += by;
        }
    }

    /// A sentence each.
    pub(super) fn sentences(&self) -> Vec<String> {
        self.0.iter().map(|(mend, count)| mend.sentence(*count)).collect()
    }
}

impl Mend {
    fn sentence(self, count: usize) -> String {
        let of = |one: &str, many: &str| match count {
            1 => format!("1 {one}"),
            _ => format!("{count} {many}"),
        };
        let (track, event, note) =
            (of("track", "tracks"), of("event", "events"), of("note", "notes"));
        let byte = of("byte", "bytes");
        match self {
            Self::Before => format!("left out {byte} before the header"),
            Self::Format => "unknown format, read as format 1".into(),
            Self::SingleTrack => format!("format 0 with {count} tracks, read as format 1"),
            Self::Fewer => format!("{track} fewer than the header announces"),
            Self::More => format!("{track} more than the header announces"),
            Self::Chunk => format!("left out {} of an unknown kind", of("chunk", "chunks")),
            Self::Length => format!("{track} of a wrong length, read up to the next"),
            Self::CutOff => "the file is cut off, read up to there".into(),
            Self::NoEnd => format!("{track} without an end, ended with the last event"),
            Self::AfterEnd => format!("left out {byte} after the end of a track"),
            Self::System => format!(
                "left out {event} that {} not belong in a file",
                if count == 1 { "does" } else { "do" }
            ),
            Self::Meta => format!("left out {event} with invalid content"),
            Self::Status => format!("{event} without a status, read with the last one"),
            Self::Broken => format!("{track} read only up to a broken event"),
            Self::Endless => format!(
                "{note} without an end, ended after a whole note or at the end of the track"
            ),
            Self::Short => format!("{note} without length, given a tick"),
            Self::Tempo => format!("left out {} of zero", of("tempo", "tempos")),
            Self::Meter => format!("left out {}", of("invalid meter", "invalid meters")),
        }
    }
}
