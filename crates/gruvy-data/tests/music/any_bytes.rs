//! Nonsense is read or refused; nothing panics, and what is read fits together.
use crate::{END, chunk, header};
use gruvy_data::Input;
use gruvy_data::music::{Content, Verdict, read_music};
use gruvy_runtime::music::{KEYS, Piece};
use proptest::prelude::*;

fn fits(name: &str, bytes: Vec<u8>) {
    let music = read_music(&[Input::bytes(name, bytes)]).unwrap();
    let [file] = &music.files[..] else { panic!("{}", music.files.len()) };
    assert!(file.reasons.iter().all(|reason| !reason.is_empty()));
    match &file.content {
        None => {
            assert_eq!((file.verdict(), file.reasons.len()), (Verdict::Refused, 1));
            assert!(music.require().unwrap_err().to_string().contains(name));
        }
        Some(Content::Piece(piece)) => piece_fits(piece),
        Some(Content::Rolls(rolls)) => {
            let sounds = rolls.all().flat_map(|roll| roll.frames.iter().flatten());
            assert!(sounds.into_iter().all(|sound| usize::from(sound.key) < KEYS));
        }
    }
}

fn piece_fits(piece: &Piece) {
    assert!(!piece.notes.is_empty() && piece.ticks_per_quarter > 0);
    assert!(piece.notes.is_sorted() && piece.drums.is_sorted());
    for note in piece.notes.iter().chain(&piece.drums) {
        assert!(note.start < note.end && note.key < 128 && note.channel < 16);
        assert!((1..128).contains(&note.velocity));
    }
    assert!(piece.tempos.is_sorted_by(|a, b| a.at < b.at));
    assert!(piece.meters.is_sorted_by(|a, b| a.at < b.at));
    assert!(piece.tempos.iter().all(|tempo| tempo.quarters_per_minute > 0.0));
    assert!(piece.meters.iter().all(|meter| meter.beats > 0 && meter.unit.is_power_of_two()));
    // What was read is written, and read again without a fault.
    let bytes = gruvy_data::midi::write(piece);
    let name = format!("{}.mid", piece.name);
    let (again, mended) = gruvy_data::midi::read(&Input::bytes(name, bytes)).unwrap();
    assert_eq!((&again, mended.len()), (piece, 0));
}

/// Events, most of which are right.
fn event() -> impl Strategy<Value = Vec<u8>> {
    let seven = 0u8..128;
    prop_oneof![
        8 => (seven.clone(), 0x80u8..0xA0, 58u8..64, seven.clone())
            .prop_map(|(time, status, key, velocity)| vec![time, status, key, velocity]),
        2 => (seven.clone(), 58u8..64, seven.clone()).prop_map(|(time, key, v)| vec![time, key, v]),
        2 => (seven.clone(), 0xB0u8..0xB3, 60u8..68, seven.clone())
            .prop_map(|(time, status, number, value)| vec![time, status, number, value]),
        1 => (seven, any::<u8>(), prop::collection::vec(any::<u8>(), 0..6))
            .prop_map(|(time, kind, content)| {
                [vec![time, 0xFF, kind, content.len() as u8], content].concat()
            }),
        1 => prop::collection::vec(any::<u8>(), 0..5),
    ]
}

proptest! {
    #[test]
    fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        fits("a.mid", bytes);
    }

    #[test]
    fn any_tracks(
        tracks in prop::collection::vec(prop::collection::vec(event(), 0..30), 0..4),
        format in 0u16..4,
        division: u16,
        lie in prop_oneof![3 => Just(None), 1 => any::<u8>().prop_map(Some)],
        cut in prop_oneof![3 => Just(None), 1 => (0usize..400).prop_map(Some)],
    ) {
        let mut bytes = header(format, tracks.len() as u16, division);
        for track in tracks {
            let at = bytes.len();
            bytes.extend(chunk("MTrk", &[track.concat(), END.to_vec()].concat()));
            if let Some(lie) = lie {
                bytes[at + 7] = lie;
            }
        }
        bytes.truncate(cut.unwrap_or(usize::MAX));
        fits("a.mid", bytes);
    }

    #[test]
    fn any_json(json in r#"\{("train"|"valid"): ?\[([\[\]0-9,\-nul. ]{0,40})\]\}"#) {
        fits("a.json", json.into_bytes());
    }
}
