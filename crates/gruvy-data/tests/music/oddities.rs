//! Every oddity of a MIDI file: bytes made here, notes as a player plays them.
use crate::{END, chunk, clean, header, midi, read, refused, times};

/// A quarter of the middle C from the beginning.
const NOTE: [u8; 8] = [0, 0x90, 60, 80, 96, 0x80, 60, 0];

/// The only sentence about a file, and its notes.
fn mended(bytes: &[u8]) -> (String, Vec<(u64, u64, u8)>) {
    let (piece, mended) = read(bytes);
    assert_eq!(mended.len(), 1, "{mended:?}");
    (mended[0].clone(), times(&piece.notes))
}

const ONE: [(u64, u64, u8); 1] = [(0, 96, 60)];

#[test]
fn a_plain_file() {
    let tempo = [0, 0xFF, 0x51, 3, 0x07, 0xA1, 0x20, 96, 0xFF, 0x51, 3, 0x0F, 0x42, 0x40];
    let meter = [0, 0xFF, 0x58, 4, 6, 3, 24, 8];
    let (piece, mended) = read(&midi(&[&tempo, &[&meter[..], &NOTE].concat()]));
    assert_eq!(mended, [""; 0]);
    assert_eq!((piece.name.as_str(), piece.ticks_per_quarter), ("song", 96));
    let note = piece.notes[0];
    assert_eq!((note.key, note.velocity, note.channel), (60, 80, 0));
    let tempos: Vec<_> = piece.tempos.iter().map(|t| (t.at, t.quarters_per_minute)).collect();
    assert_eq!(tempos, [(0, 120.0), (96, 60.0)]);
    assert_eq!((piece.meters[0].beats, piece.meters[0].unit), (6, 8));
    assert_eq!(piece.seconds(192), 1.5);
}

#[test]
fn of_several_changes_at_a_tick_the_last_holds() {
    let tempos = [0, 0xFF, 0x51, 3, 0x07, 0xA1, 0x20, 0, 0xFF, 0x51, 3, 0x0F, 0x42, 0x40];
    let (piece, _) = read(&midi(&[&tempos, &NOTE]));
    assert_eq!(piece.tempos.len(), 1);
    assert_eq!(piece.tempos[0].quarters_per_minute, 60.0);
}

#[test]
fn formats() {
    let track = chunk("MTrk", &[&NOTE[..], &END].concat());
    let two = |format| [header(format, 2, 96), track.clone(), track.clone()].concat();
    let (piece, sentences) = read(&two(1));
    assert_eq!((times(&piece.notes), sentences.len()), (vec![(0, 96, 60), (0, 96, 60)], 0));
    // One after another.
    let (piece, sentences) = read(&two(2));
    assert_eq!((times(&piece.notes), sentences.len()), (vec![(0, 96, 60), (96, 192, 60)], 0));
    assert!(mended(&two(0)).0.contains("format 0 with 2 tracks"));
    assert!(mended(&two(7)).0.contains("unknown format"));
}

#[test]
fn time_in_frames_of_a_film() {
    // 25 frames of 40 ticks, a thousandth of a second each: a note of a tenth of a second.
    let bytes =
        [header(0, 1, 0xE728), chunk("MTrk", &[&[0, 0x90, 60, 80, 100, 60, 0], &END[..]].concat())];
    let (piece, mended) = read(&bytes.concat());
    assert_eq!(mended, [""; 0]);
    assert!((piece.seconds(piece.end()) - 0.1).abs() < 1e-12);
    // 29 stands for 30 frames that take 1.001 seconds.
    let bytes =
        [header(0, 1, 0xE301), chunk("MTrk", &[&[0, 0x90, 60, 80, 30, 60, 0], &END[..]].concat())];
    let (piece, _) = read(&bytes.concat());
    assert!((piece.seconds(piece.end()) - 1.001).abs() < 1e-12);
    assert!(refused(&[header(0, 1, 0xE700), chunk("MTrk", &NOTE)].concat()).contains("0 ticks"));
    assert!(refused(&[header(0, 1, 0), chunk("MTrk", &NOTE)].concat()).contains("0 ticks"));
}

#[test]
fn running_status() {
    assert_eq!(
        clean(&[0, 0x90, 60, 80, 48, 60, 0, 0, 62, 80, 48, 62, 0]),
        [(0, 48, 60), (48, 96, 62)]
    );
    // The standard wants a status behind an event of another kind; players do not.
    let track = [0, 0x90, 60, 80, 48, 0xFF, 1, 1, b'x', 48, 60, 0];
    let (sentence, notes) = mended(&midi(&[&track]));
    assert!(sentence.contains("1 event without a status"), "{sentence}");
    assert_eq!(notes, ONE);
}

#[test]
fn the_pedal_holds_notes() {
    let (down, up) = ([0xB0, 64, 127], [0xB0, 64, 0]);
    let held = [&[0][..], &down, &NOTE, &[96], &up].concat();
    assert_eq!(clean(&held), [(0, 192, 60)]);
    // Until the key is struck again, and to the end if it is never lifted.
    let again = [&[0][..], &down, &NOTE, &[32, 0x90, 60, 80, 32, 60, 0, 32, 0xB0, 7, 9]].concat();
    assert_eq!(clean(&again), [(0, 128, 60), (128, 192, 60)]);
    // Half a pedal is none, and what ends as it is lifted ends there.
    let half = [&[0, 0xB0, 64, 63][..], &NOTE, &[96], &up].concat();
    assert_eq!(clean(&half), ONE);
    let lifted = [&[0][..], &down, &[0, 0x90, 60, 80, 96, 60, 0, 0], &up, &[50, 0xB0, 7, 9]];
    assert_eq!(clean(&lifted.concat()), ONE);
    // In a track of its own too.
    let pedal = [&[0][..], &down, &[120], &up].concat();
    assert_eq!(times(&read(&midi(&[&pedal, &NOTE])).0.notes), [(0, 120, 60)]);
    // A pedal of another channel is none.
    let other = [0, 0xB1, 64, 127, 120, 0xB1, 64, 0];
    assert_eq!(times(&read(&midi(&[&other, &NOTE])).0.notes), ONE);
}

#[test]
fn drums_stand_apart() {
    let both = [&NOTE[..], &[0, 0x99, 36, 100, 10, 36, 0]].concat();
    let (piece, _) = read(&midi(&[&both]));
    assert_eq!((times(&piece.notes), times(&piece.drums)), (ONE.to_vec(), vec![(96, 106, 36)]));
    let drums = refused(&midi(&[&[0, 0x99, 36, 100, 10, 36, 0]]));
    assert!(
        drums.contains("song.mid") && drums.contains("no notes, only 1 sounds of drums"),
        "{drums}"
    );
}

#[test]
fn overlapping_notes() {
    // A key that is struck while it sounds begins a new note.
    let twice = [0, 0x90, 60, 80, 48, 60, 90, 48, 60, 0, 48, 60, 0];
    assert_eq!(clean(&twice), [(0, 48, 60), (48, 96, 60)]);
    // The new note may stand before the end of the old one.
    let late = [0, 0x90, 60, 80, 48, 60, 90, 0, 60, 0, 48, 60, 0];
    assert_eq!(clean(&late), [(0, 48, 60), (48, 96, 60)]);
    // Struck twice at once, it is one note, as loud as the louder.
    let once = [0, 0x90, 60, 80, 0, 60, 99, 0, 60, 33, 96, 60, 0, 0, 60, 0];
    let (piece, mended) = read(&midi(&[&once]));
    assert_eq!((times(&piece.notes), mended.len()), (ONE.to_vec(), 0));
    assert_eq!(piece.notes[0].velocity, 99);
    // Another channel is another voice.
    let voices = [0, 0x90, 60, 80, 48, 0x91, 60, 80, 48, 0x80, 60, 0, 48, 0x81, 60, 0];
    assert_eq!(clean(&voices), [(0, 96, 60), (48, 144, 60)]);
}

#[test]
fn notes_without_length_or_end() {
    let (sentence, notes) = mended(&midi(&[&[0, 0x90, 60, 80, 0, 60, 0]]));
    assert!(sentence.contains("1 note without length"), "{sentence}");
    assert_eq!(notes, [(0, 1, 60)]);
    let (sentence, notes) = mended(&midi(&[&[0, 0x90, 60, 80, 96, 0xB0, 7, 9]]));
    assert!(sentence.contains("1 note without an end"), "{sentence}");
    assert_eq!(notes, ONE);
    // Not for ever: a whole note.
    let endless = [0, 0x90, 60, 80, 0x87, 0x68, 0xB0, 7, 9];
    assert_eq!(mended(&midi(&[&endless])).1, [(0, 384, 60)]);
    // An end without a note is nothing.
    assert_eq!(clean(&[&[0, 0x80, 50, 0][..], &NOTE].concat()), ONE);
    // All notes of a channel end.
    assert_eq!(clean(&[0, 0x90, 60, 80, 96, 0xB0, 123, 0, 96, 0xB0, 7, 9]), ONE);
}

#[test]
fn tracks_without_an_end_or_cut_off() {
    let whole = midi(&[&NOTE]);
    let endless = [header(1, 1, 96), chunk("MTrk", &NOTE)].concat();
    let (sentence, notes) = mended(&endless);
    assert!(sentence.contains("1 track without an end") && notes == ONE, "{sentence}");
    // Cut off behind the note.
    let (piece, sentences) = read(&whole[..whole.len() - 3]);
    assert!(sentences[0].contains("cut off"), "{sentences:?}");
    assert_eq!(times(&piece.notes), ONE);
    // And within its end.
    let (piece, sentences) = read(&whole[..whole.len() - 5]);
    assert!(sentences.iter().any(|s| s.contains("note without an end")), "{sentences:?}");
    assert_eq!(times(&piece.notes), ONE);
    for length in 0..whole.len() {
        // Whatever is left is read or refused.
        let _ = gruvy_data::midi::read(&gruvy_data::Input::bytes("a", &whole[..length]));
    }
}

#[test]
fn lengths_that_are_wrong() {
    let track = |length: u32| [b"MTrk", &length.to_be_bytes()[..], &NOTE, &END].concat();
    let file = |length| [header(1, 2, 96), track(length), track(12)].concat();
    let (piece, sentences) = read(&file(12));
    assert_eq!((piece.notes.len(), sentences.len()), (2, 0));
    for length in [0, 5, 11, 13, 17, 30, 1000, u32::MAX] {
        let (sentence, notes) = mended(&file(length));
        assert!(sentence.contains("1 track of a wrong length"), "{length}: {sentence}");
        assert_eq!(notes, [(0, 96, 60), (0, 96, 60)], "{length}");
    }
    // Of the last track, as far as there are events.
    let last = [header(1, 1, 96), track(5)].concat();
    assert_eq!(times(&read(&last).0.notes), ONE);
}

#[test]
fn bytes_that_do_not_belong() {
    let whole = midi(&[&NOTE]);
    let (sentence, notes) = mended(&[&whole[..], b"junk \0\0\xFF"].concat());
    assert!(sentence.contains("after the end of a track") && notes == ONE, "{sentence}");
    let (sentence, notes) = mended(&[&[0; 128][..], &whole].concat());
    assert!(
        sentence.contains("left out 128 bytes before the header") && notes == ONE,
        "{sentence}"
    );
    let (head, tail) = whole.split_at(14);
    let (sentence, notes) = mended(&[head, &chunk("Junk", &[1, 2, 3]), tail].concat());
    assert!(sentence.contains("1 chunk of an unknown kind") && notes == ONE, "{sentence}");
    let (sentence, _) = mended(&[header(1, 30, 96), tail.to_vec()].concat());
    assert!(sentence.contains("29 tracks fewer"), "{sentence}");
    // A longer header than today's.
    let long = [chunk("MThd", &[0, 1, 0, 1, 0, 96, 7, 7]), tail.to_vec()].concat();
    assert_eq!(read(&long).1, [""; 0]);
}

#[test]
fn riff_files() {
    let riff = |id: &str, content: &[u8]| {
        [id.as_bytes(), &(content.len() as u32).to_le_bytes(), content].concat()
    };
    let inside = [
        b"RMID".to_vec(),
        riff("DISP", &[0; 20]),
        riff("data", &midi(&[&NOTE])),
        riff("LIST", b"INFO"),
    ];
    let (piece, mended) = read(&riff("RIFF", &inside.concat()));
    assert_eq!((times(&piece.notes), mended.len()), (ONE.to_vec(), 0));
    // Writers that cannot go back leave the sizes as they are.
    for size in 0..14u32 {
        let before = [b"RIFF\0\0\0\0RMIDdata", &size.to_le_bytes()[..]].concat();
        let (piece, mended) = read(&[before, midi(&[&NOTE])].concat());
        assert_eq!((times(&piece.notes), mended.len()), (ONE.to_vec(), 0), "size {size}");
    }
    assert!(refused(b"RIFF\x10\0\0\0WAVEfmt and so on").contains("not a MIDI file"));
}

#[test]
fn messages_that_no_file_may_have() {
    for message in [&[0xF1, 1][..], &[0xF2, 1, 2], &[0xF3, 1], &[0xF4], &[0xF6], &[0xF8], &[0xFE]] {
        // Its time counts.
        let track = [&[0, 0x90, 60, 80, 48][..], message, &[48, 60, 0]].concat();
        let (piece, sentences) = read(&midi(&[&track]));
        assert!(sentences[0].contains("left out 1 event that does not belong"), "{sentences:?}");
        assert_eq!(times(&piece.notes), ONE, "{message:?}");
    }
    // Content that makes no sense is left out, whatever follows is read.
    for meta in [&[0xFF, 0x59, 0][..], &[0xFF, 0x54, 5, 99, 99, 99, 99, 99]] {
        let (sentence, notes) = mended(&midi(&[&[&[0][..], meta, &NOTE].concat()]));
        assert!(sentence.contains("left out 1 event with invalid content"), "{sentence}");
        assert_eq!(notes, ONE);
    }
    let (sentence, _) = mended(&midi(&[&[0, 0xFF, 0x51, 3, 0, 0, 0], &NOTE]));
    assert!(sentence.contains("1 tempo of zero"), "{sentence}");
    let (sentence, _) = mended(&midi(&[&[0, 0xFF, 0x58, 4, 0, 2, 24, 8], &NOTE]));
    assert!(sentence.contains("left out 1 invalid meter"), "{sentence}");
}

#[test]
fn lyrics_and_sysex_are_nothing() {
    let lyric = [0, 0xFF, 5, 3, b'l', b'a', b' ', 0, 0xF0, 5, 0x7E, 0x7F, 9, 1, 0xF7];
    assert_eq!(clean(&[&lyric[..], &NOTE].concat()), ONE);
}

#[test]
fn a_track_is_read_up_to_a_broken_event() {
    let broken = [&NOTE[..], &[0, 0x90, 0xC0, 0xC0, 0, 0x90, 70, 80]].concat();
    let (sentence, notes) = mended(&midi(&[&broken]));
    assert!(sentence.contains("1 track read only up to a broken event"), "{sentence}");
    assert_eq!(notes, ONE);
}

#[test]
fn files_without_notes() {
    assert!(refused(&[]).contains("empty"));
    assert!(refused(b"Not a MIDI file").contains("it begins with `Not a MIDI file`"));
    assert!(refused(&midi(&[&[]])).contains("no notes, and no other events"));
    let bends = refused(&midi(&[&[0, 0xE0, 0, 64, 9, 0, 80, 9, 0, 64]]));
    assert!(bends.contains("no notes, only 3 other events, 3 of them bends"), "{bends}");
    assert!(refused(&header(1, 1, 96)[..12]).contains("header is cut off"));
    assert!(refused(&header(1, 1, 96)).contains("no notes, and no other events"));
}

#[test]
fn music_without_end_is_refused() {
    // 24 hours of quarters at 120 are 172,800.
    let last = |quarters: u64| {
        let ticks = quarters * 96 - 96;
        let wait = [(ticks >> 21) as u8 | 0x80, (ticks >> 14) as u8 | 0x80];
        let rest = [(ticks >> 7) as u8 | 0x80, ticks as u8 & 0x7F];
        midi(&[
            &[&[0, 0x90, 50, 1, 96, 50, 0][..], &wait, &rest, &[0x90, 60, 80, 96, 60, 0]].concat()
        ])
    };
    let (piece, _) = read(&last(172_799));
    assert_eq!(piece.seconds(piece.end()), 86_400.0);
    let problem = refused(&last(172_800));
    assert!(problem.contains("24.0 hours") && problem.contains("at most 24"), "{problem}");
}

#[test]
fn a_million_notes_are_too_many() {
    let note = [0, 0x90, 60, 80, 1, 60, 0];
    let mut track = note.to_vec();
    for _ in 1..1 << 20 {
        track.extend([0, 60, 80, 1, 60, 0]);
    }
    assert_eq!(read(&midi(&[&track])).0.notes.len(), 1 << 20);
    track.extend([0, 60, 80, 1, 60, 0]);
    assert!(refused(&midi(&[&track])).contains("more than 1048576 notes"));
    let pedal = [0, 0xB0, 64, 127, 0, 0xB0, 64, 0].repeat((1 << 19) + 1);
    assert!(refused(&midi(&[&NOTE, &pedal])).contains("movements of the pedal"));
    let tempo = [0, 0xFF, 0x51, 3, 7, 7, 7].repeat((1 << 20) + 1);
    assert!(refused(&midi(&[&NOTE, &tempo])).contains("changes of tempo"));
}
