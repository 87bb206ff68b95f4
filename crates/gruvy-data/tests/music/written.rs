//! What is written is read again.
use crate::read;
use gruvy_runtime::music::{Meter, Note, Piece, Tempo};
use proptest::prelude::*;

fn notes(drums: bool, disjoint: bool) -> impl Strategy<Value = Vec<Note>> {
    let note = (0u64..5000, 1u64..600, 0u8..128, 1u8..128, 0u8..16).prop_map(
        move |(start, length, key, velocity, channel)| Note {
            start,
            key,
            end: start + length,
            velocity,
            channel: if drums {
                9
            } else if channel == 9 {
                10
            } else {
                channel
            },
        },
    );
    let size = if disjoint { 1..40 } else { 0..10 };
    prop::collection::vec(note, size).prop_map(|mut notes| {
        notes.sort_unstable();
        notes
    })
}

prop_compose! {
    fn piece()(
        notes in notes(false, true),
        drums in notes(true, false),
        ticks_per_quarter in 1u32..=32_767,
        tempos in prop::collection::btree_map(0u64..9000, 1u32..1 << 24, 0..5),
        meters in prop::collection::btree_map(0u64..9000, (1u32..=255, 0u32..7), 0..5),
    ) -> Piece {
        let tempos = tempos.into_iter().map(|(at, micros)| Tempo {
            at,
            quarters_per_minute: 6e7 / f64::from(micros),
        });
        let meters = meters.into_iter().map(|(at, (beats, power))| Meter {
            at,
            beats,
            unit: 1 << power,
        });
        Piece {
            name: "song".into(),
            ticks_per_quarter,
            notes,
            drums,
            tempos: tempos.collect(),
            meters: meters.collect(),
        }
    }
}

proptest! {
    #[test]
    fn a_piece_is_the_same_after_a_file(piece in piece()) {
        let (again, mended) = read(&gruvy_data::midi::write(&piece));
        prop_assert_eq!(again, piece);
        prop_assert_eq!(mended, [""; 0]);
    }
}

fn note(start: u64, end: u64, key: u8) -> Note {
    Note { start, key, end, velocity: 80, channel: 0 }
}

fn with(ticks_per_quarter: u32, notes: Vec<Note>) -> Piece {
    let (drums, tempos, meters) = (Vec::new(), Vec::new(), Vec::new());
    Piece { name: "song".into(), ticks_per_quarter, notes, drums, tempos, meters }
}

#[test]
fn notes_of_one_key_overlap_in_tracks_of_their_own() {
    let piece =
        with(96, vec![note(0, 100, 60), note(0, 300, 60), note(50, 60, 60), note(100, 200, 60)]);
    let bytes = gruvy_data::midi::write(&piece);
    // The one of tempo and meter, and three of notes.
    assert_eq!(bytes[10..12], [0, 4]);
    assert_eq!(read(&bytes).0, piece);
}

#[test]
fn what_the_format_cannot_hold_is_brought_into_bounds() {
    let wild = Note { start: 0, key: 200, end: 0, velocity: 0, channel: 9 };
    let piece = with(40_000, vec![wild, note(40_000, 80_000, 60)]);
    let (again, _) = read(&gruvy_data::midi::write(&piece));
    assert_eq!(again.ticks_per_quarter, 20_000);
    assert_eq!((again.notes[0].key, again.notes[0].velocity, again.notes[0].channel), (127, 1, 10));
    assert_eq!((again.notes[1].start, again.notes[1].end), (20_000, 40_000));
    assert!(again.drums.is_empty());
    // A pause that one event cannot hold.
    let mut far = with(32_767, vec![note(0, 1, 60), note(1 << 30, (1 << 30) + 1, 60)]);
    far.tempos = vec![Tempo { at: 0, quarters_per_minute: 120.0 }];
    assert_eq!(read(&gruvy_data::midi::write(&far)).0, far);
}
