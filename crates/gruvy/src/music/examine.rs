//! What is in files of music.
use super::{key::tonality, thumbnail::thumbnail};
use crate::doctor::{Examined, Fact};
use gruvy_data::music::{Content, Music, MusicFile, Rolls};
use gruvy_runtime::music::{LOWEST, Piece, key_name};
use std::collections::BTreeSet;

/// A report of each file.
pub(crate) fn examine(music: &Music) -> Vec<Examined> {
    music.files.iter().map(file).collect()
}

fn file(file: &MusicFile) -> Examined {
    let (facts, picture) = match &file.content {
        None => (Vec::new(), None),
        Some(Content::Piece(piece)) => (of_piece(piece), Some(thumbnail(&piece.notes))),
        Some(Content::Rolls(rolls)) => {
            let first = rolls.all().next().map(|roll| roll.to_piece());
            (of_rolls(rolls), first.map(|piece| thumbnail(&piece.notes)))
        }
    };
    Examined {
        path: file.path.clone(),
        verdict: file.verdict(),
        reason: file.reasons.join("; "),
        facts,
        picture,
    }
}

fn of_piece(piece: &Piece) -> Vec<Fact> {
    let meters: BTreeSet<String> =
        piece.meters.iter().map(|meter| format!("{}/{}", meter.beats, meter.unit)).collect();
    let meters: Vec<String> = meters.into_iter().collect();
    let seconds = piece.seconds(piece.end());
    let key = tonality(&piece.notes).map_or("-".into(), |key| key.to_string());
    let meter = if meters.is_empty() { "-".into() } else { meters.join(", ") };
    vec![
        Fact::number("notes", piece.notes.len()),
        Fact::number("drums", piece.drums.len()),
        Fact::text("range", range(piece.notes.iter().map(|note| note.key))),
        Fact::new("length", minutes(seconds), seconds),
        Fact::number("polyphony", piece.polyphony()),
        Fact::text("meter", meter),
        Fact::text("key", key),
    ]
}

fn of_rolls(rolls: &Rolls) -> Vec<Fact> {
    let sounds = || rolls.all().flat_map(|roll| roll.frames.iter().flatten());
    let frames = || rolls.all().flat_map(|roll| &roll.frames);
    // Repeated notes do not show.
    let notes = sounds().filter(|sound| sound.onset).count();
    let keys = sounds().map(|sound| sound.key + LOWEST);
    let parts = [&rolls.train, &rolls.valid, &rolls.test].map(|part| part.len().to_string());
    vec![
        Fact::number("notes", notes),
        Fact::text("range", range(keys)),
        Fact::new("length", format!("{} steps", frames().count()), frames().count()),
        Fact::number("polyphony", frames().map(Vec::len).max().unwrap_or(0)),
        Fact::text("pieces", parts.join(" + ")),
    ]
}

/// `C2-G5`
fn range(keys: impl Iterator<Item = u8>) -> String {
    let wider = |seen: Option<(u8, u8)>, key: u8| {
        Some(seen.map_or((key, key), |(low, high)| (low.min(key), high.max(key))))
    };
    match keys.fold(None, wider) {
        Some((low, high)) => format!("{}-{}", key_name(low), key_name(high)),
        None => "-".into(),
    }
}

/// `2:05`
fn minutes(seconds: f64) -> String {
    let seconds = seconds.round() as u64;
    format!("{}:{:02}", seconds / 60, seconds % 60)
}

#[cfg(test)]
mod tests {
    use super::*;
    use gruvy_runtime::music::{Meter, Note, Roll, Sound, USUAL_TEMPO};

    fn facts(content: Content) -> Vec<(&'static str, String)> {
        let music = MusicFile { path: "a".into(), content: Some(content), reasons: Vec::new() };
        file(&music).facts.into_iter().map(|fact| (fact.name, fact.text)).collect()
    }

    #[test]
    fn what_is_said_of_a_piece() {
        let note = |start, end, key| Note { start, key, end, velocity: 80, channel: 0 };
        let piece = Piece {
            name: "a".into(),
            ticks_per_quarter: 96,
            notes: vec![note(0, 96, 21), note(48, 25_000, 60), note(96, 100, 108)],
            drums: vec![note(0, 10, 36)],
            tempos: Vec::new(),
            meters: vec![Meter { at: 0, beats: 3, unit: 4 }, Meter { at: 99, beats: 6, unit: 8 }],
        };
        let facts = facts(Content::Piece(piece));
        let expected = [
            ("notes", "3"),
            ("drums", "1"),
            ("range", "A0-C8"),
            ("length", "2:10"),
            ("polyphony", "2"),
            ("meter", "3/4, 6/8"),
            ("key", "C major"),
        ];
        assert_eq!(facts, expected.map(|(name, text)| (name, text.to_owned())));
    }

    #[test]
    fn what_is_said_of_rolls() {
        let frame = |onset| vec![Sound { key: 0, onset }, Sound { key: 39, onset }];
        let roll = Roll {
            name: "b".into(),
            frames: vec![frame(true), frame(false), Vec::new()],
            onsets: false,
            steps_per_quarter: 0,
            bars: Vec::new(),
            tempo: USUAL_TEMPO,
            tempo_changes: Vec::new(),
        };
        let rolls = Rolls { train: vec![roll.clone(), roll], ..Rolls::default() };
        let facts = facts(Content::Rolls(rolls));
        let expected = [
            ("notes", "4"),
            ("range", "A0-C4"),
            ("length", "6 steps"),
            ("polyphony", "2"),
            ("pieces", "2 + 0 + 0"),
        ];
        assert_eq!(facts, expected.map(|(name, text)| (name, text.to_owned())));
    }
}
