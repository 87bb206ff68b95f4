//! A few dozen traditional tunes, for the demo: what everybody sings, written down as notes.
use super::data::Parts;
use gruvy_data::music::{Content, Music, MusicFile};
use gruvy_runtime::Remark;
use gruvy_runtime::music::{Meter, Note, Piece, Tempo};

/// Ticks of an eighth.
const EIGHTH: u64 = 240;
/// The grid that they lie on: eighths.
pub(super) const GRID: u32 = 2;
/// How loud every note is.
const VELOCITY: u8 = 80;

/// Name, beats of a bar in quarters, and the melody: `C` to `B` from the middle C on, `c` to `b` an
/// octave higher, `,` behind a letter an octave lower, `^` and `_` before it for a sharp and a flat,
/// `z` for a rest, and behind each how many eighths it lasts (none: 1).
const TUNES: [(&str, u32, &str); 32] = [
    (
        "Twinkle, twinkle",
        4,
        "C2C2G2G2A2A2G4F2F2E2E2D2D2C4G2G2F2F2E2E2D4G2G2F2F2E2E2D4C2C2G2G2A2A2G4F2F2E2E2D2D2C4",
    ),
    ("Frère Jacques", 4, "C2D2E2C2C2D2E2C2E2F2G4E2F2G4GAGFE2C2GAGFE2C2C2G,2C4C2G,2C4"),
    ("Mary had a little lamb", 4, "E2D2C2D2E2E2E4D2D2D4E2G2G4E2D2C2D2E2E2E2E2D2D2E2D2C8"),
    ("London Bridge", 4, "G3AG2F2E2F2G4D2E2F4E2F2G4G3AG2F2E2F2G4D4G4E2C6"),
    ("Row, row, row your boat", 3, "C3C3C2DE3E2DE2FG6cccGGGEEECCCG2FE2DC6"),
    (
        "Ode to Joy",
        4,
        "E2E2F2G2G2F2E2D2C2C2D2E2E3DD4E2E2F2G2G2F2E2D2C2C2D2E2D3CC4D2D2E2C2D2EFE2C2D2EFE2D2C2\
         D2G,4E2E2F2G2G2F2E2D2C2C2D2E2D3CC4",
    ),
    (
        "Au clair de la lune",
        4,
        "C2C2C2D2E4D4C2E2D2D2C8C2C2C2D2E4D4C2E2D2D2C8D2D2D2D2A,4A,4D2C2B,2A,2G,8C2C2C2D2E4D4\
         C2E2D2D2C8",
    ),
    (
        "Hänschen klein",
        4,
        "G2E2E4F2D2D4C2D2E2F2G2G2G4G2E2E4F2D2D4C2E2G2G2C8D2D2D2D2D2E2F4E2E2E2E2E2F2G4G2E2E4F2\
         D2D4C2E2G2G2C8",
    ),
    ("Alle meine Entchen", 4, "C2D2E2F2G4G4A2A2A2A2G8A2A2A2A2G8F2F2F2F2E4E4D2D2D2D2C8"),
    (
        "Jingle Bells",
        4,
        "E2E2E4E2E2E4E2G2C3DE8F2F2F3FF2E2E2EEE2D2D2E2D4G4E2E2E4E2E2E4E2G2C3DE8F2F2F3FF2E2E2EE\
         G2G2F2D2C8",
    ),
    ("Amazing Grace", 3, "D2G4BGB4A2G4E2D4D2G4BGB4A2d8B2d4BGB4A2G4E2D4D2G4BGB4A2G8"),
    (
        "Greensleeves",
        3,
        "A,2C4D2E3^FE2D4B,2G,3A,B,2C4A,2A,3^G,A,2B,4^G,2E,4A,2C4D2E3^FE2D4B,2G,3A,B,2C3B,A,2\
         ^G,3^F,^G,2A,6G6G3^FE2D4B,2G,3A,B,2C4A,2A,3^G,A,2B,4^G,2E,6G6G3^FE2D4B,2G,3A,B,2C3B,\
         A,2^G,3^F,^G,2A,6",
    ),
    (
        "Oh! Susanna",
        4,
        "CDE2G2G3AG2E2C3DE2E2D2C2D6CDE2G2G3AG2E2C3DE2E2D2D2C6z2F4F4A2A4A2G2G2E2C2D6CDE2G2G3A\
         G2E2C3DE2E2D2D2C6",
    ),
    (
        "Yankee Doodle",
        4,
        "c2c2d2e2c2e2d2G2c2c2d2e2c4B4c2c2d2e2f2e2d2c2B2G2A2B2c4c4A3BA2G2A2B2c4G3AG2F2E4G4A3B\
         A2G2A2B2c2A2G2c2B2d2c4c4",
    ),
    (
        "Old MacDonald",
        4,
        "G2G2G2D2E2E2D4B2B2A2A2G6D2G2G2G2D2E2E2D4B2B2A2A2G6DDG2G2G2DDG2G2G4GGG2GGG2GGGGG2G2G2\
         G2G2D2E2E2D4B2B2A2A2G8",
    ),
    ("This old man", 4, "G2E2G4G2E2G4A2G2F2E2D2E2F4EFG2C2CCCDEFG4G2D2D2F2E2D2C8"),
    (
        "Auld Lang Syne",
        4,
        "C2F3EF2A2G3FG2A2F3FA2c2d6d2c3AA2F2G3FG2A2F3DD2C2F6d2c3AA2F2G3FG2d2c3AA2c2d6d2c3AA2F2\
         G3FG2A2F3DD2C2F6",
    ),
    (
        "When the saints",
        4,
        "z2C2E2F2G8z2C2E2F2G8z2C2E2F2G4E4C4E4D8E2E2D2C6C2E4G2G2G2F6z2E2F2G4E4C4D4C8",
    ),
    ("Scarborough Fair", 3, "D4D2A4A2E3FE2D6A2c2d2c4A2B2G2A6d6d4d2c4A2A2G2F2E2C6D4A4G2F4E2D2C2D6"),
    (
        "My Bonnie",
        3,
        "G,2E3DC2D2C2A,2G,2E,6G,2E3DC2C2B,2C2D8G,2E3DC2D2C2A,2G,2E,6G,2A,2D2C2B,2A,2B,2C8G,6\
         A,6B,6C6D3CB,2A,2B,2C2D2E6G,6A,6B,6C6D2C2B,2A,2B,2C6",
    ),
    ("Kum ba yah", 4, "C2E2G4G3GA4A4G8C2E2G4G3GF4E4D8C2E2G4G3GA4A4G8F4E2C2D4D4C8"),
    (
        "Silent Night",
        3,
        "G3AG2E6G3AG2E6d4d2B6c4c2G6A4A2c3BA2G3AG2E6A4A2c3BA2G3AG2E6d4d2f3dB2c6e6c3GE2G3FD2C6",
    ),
    (
        "O Tannenbaum",
        3,
        "C2F3FF4G2A3AA6AGA_B4E2G4F2c2c2A2d4c2c2B2B4B2B2G2c4B2B2A2A4C2F3FF4G2A3AA6AGA_B4E2G4F4",
    ),
    ("Sur le pont d'Avignon", 4, "G2G2G4A2A2A4B2c2d2G2^F2G2A2D2G2G2G4A2A2A4B2c2d2G2A2^F2G4"),
    (
        "Three blind mice",
        3,
        "E3D3C6E3D3C6G3F2FE6G3F2FE5Gc2cBABc2GG2GcccBABc2GG2GcccBABcGGG2FE3D3C6",
    ),
    ("Hot cross buns", 4, "E4D4C8E4D4C8C2C2C2C2D2D2D2D2E4D4C8"),
    (
        "Good King Wenceslas",
        4,
        "G2G2G2A2G2G2D4E2D2E2^F2G4G4G2G2G2A2G2G2D4E2D2E2^F2G4G4d2c2B2A2B2A2G4E2D2E2^F2G4G4D2\
         D2E2^F2G2G2A4d2c2B2A2G4c4G8",
    ),
    ("Go tell Aunt Rhody", 4, "E4E2D2C4C4D4D2F2E2D2C4G4G2F2E4E2C2D2C2D2E2C8"),
    ("Clementine", 3, "F2F2F4C4A2A2A4F4F2A2c4c4_B2A2G8G2A2_B4_B4A2G2A4F4F2A2G4C4E2G2F8"),
    ("Skip to my Lou", 4, "E2E2C2C2E2EEG4D2D2B,2B,2D2DDF4E2E2C2C2E2EEG4D2EFE2D2C4C4"),
    (
        "Pop goes the weasel",
        3,
        "C2CD2DEGEC3C2CD2DE3C3C2CD2DEGEC3A3D2FE3C3c3A2cB2GB3A2AG2AF2AG3C3D2FE3C3",
    ),
    (
        "Simple Gifts",
        4,
        "C2F4FGAFA2_Bcc2_BAG2FGA2G2F2C2F2FGAFG2GAG2E2C2C2F2FEFGA2GGA2_B2c4A2G2G2AGF2F2F2FGA2\
         _B2c4A2GA_BAG2F4",
    ),
];

/// The tunes, one voice each.
pub fn tunes() -> Vec<Piece> {
    TUNES.iter().map(|(name, beats, melody)| piece(name, *beats, melody)).collect()
}

/// The tunes as if they had been read from files.
pub fn tunes_as_files() -> Music {
    let file = |piece: Piece| MusicFile {
        path: piece.name.clone().into(),
        content: Some(Content::Piece(piece)),
        reasons: Vec::new(),
    };
    Music { files: tunes().into_iter().map(file).collect() }
}

/// Says that parts are of the tunes.
pub(super) fn named<T>(mut parts: Parts<T>) -> Parts<T> {
    let said = format!("no music given: learning from {} traditional tunes", TUNES.len());
    parts.notes.insert(0, Remark::from(said));
    parts
}

fn piece(name: &str, beats: u32, melody: &str) -> Piece {
    let (mut notes, mut at, mut rest) = (Vec::new(), 0, melody);
    while !rest.is_empty() {
        let (key, eighths, behind) = next(rest);
        let end = at + eighths * EIGHTH;
        if let Some(key) = key {
            notes.push(Note { start: at, key, end, velocity: VELOCITY, channel: 0 });
        }
        (at, rest) = (end, behind);
    }
    Piece {
        name: name.to_owned(),
        ticks_per_quarter: 2 * EIGHTH as u32,
        notes,
        drums: Vec::new(),
        tempos: vec![Tempo { at: 0, quarters_per_minute: 120.0 }],
        meters: vec![Meter { at: 0, beats, unit: 4 }],
    }
}

/// The first note of a melody, how many eighths it lasts, and what is behind it.
fn next(melody: &str) -> (Option<u8>, u64, &str) {
    let letter = melody.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(0);
    let name = melody.as_bytes().get(letter).copied().unwrap_or(b'z');
    let mut behind = melody.get(letter + 1..).unwrap_or_default();
    let mut shift = match &melody[..letter] {
        "^" => 1,
        "_" => -1,
        _ => 0,
    };
    while let Some(lower) = behind.strip_prefix(',') {
        (behind, shift) = (lower, shift - 12);
    }
    let digits = behind.bytes().take_while(u8::is_ascii_digit).count();
    let eighths = behind[..digits].parse().unwrap_or(1);
    let above = match name.to_ascii_uppercase() {
        b'C' => 0,
        b'D' => 2,
        b'E' => 4,
        b'F' => 5,
        b'G' => 7,
        b'A' => 9,
        b'B' => 11,
        _ => return (None, eighths, &behind[digits..]),
    };
    let octave = if name.is_ascii_lowercase() { 72 } else { 60 };
    (Some((octave + above + shift) as u8), eighths, &behind[digits..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notation_is_read() {
        let keys = |melody: &str| -> Vec<(u8, u64, u64)> {
            piece("", 4, melody).notes.iter().map(|n| (n.key, n.start / 240, n.end / 240)).collect()
        };
        assert_eq!(
            keys("C2z2c_B3G,^F"),
            [(60, 0, 2), (72, 4, 5), (70, 5, 8), (55, 8, 9), (66, 9, 10)]
        );
    }

    #[test]
    fn every_tune_is_a_tune() {
        for tune in tunes() {
            let name = &tune.name;
            assert!(tune.notes.len() >= 17, "{name}: {}", tune.notes.len());
            assert!(tune.notes.iter().all(|note| (50..=80).contains(&note.key)), "{name}");
            assert_eq!(tune.polyphony(), 1, "{name}");
            let eighths = tune.end() / EIGHTH;
            assert!((40..=260).contains(&eighths), "{name}: {eighths}");
        }
    }
}
