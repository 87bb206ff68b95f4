//! Files and folders of music: every file has a verdict, and a reason.
use crate::midi;
use gruvy_data::Input;
use gruvy_data::music::{Content, Verdict, read_music};
use std::fs;

const NOTE: [u8; 8] = [0, 0x90, 60, 80, 96, 0x80, 60, 0];

#[test]
fn a_folder_is_read_to_the_bottom_and_nothing_is_dropped() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    };
    write("b/deep/song.KAR", &midi(&[&NOTE]));
    write("a.mid", &midi(&[&NOTE]));
    write("cut.midi", &midi(&[&NOTE])[..30]);
    write("no-name", &midi(&[&NOTE]));
    write("notes.txt", b"not music");
    write("empty.mid", b"");
    write("rolls.json", br#"{"train": [[[1]]]}"#);
    write(".hidden", b"x");
    let music = read_music(&[Input::from(folder.path())]).unwrap();
    let verdicts: Vec<_> = music
        .files
        .iter()
        .map(|file| {
            let name = file.path.strip_prefix(folder.path()).unwrap();
            (name.to_str().unwrap().to_owned(), file.verdict().name())
        })
        .collect();
    let expected = [
        ("a.mid", "ok"),
        ("b/deep/song.KAR", "ok"),
        ("cut.midi", "mended"),
        ("empty.mid", "refused"),
        ("no-name", "ok"),
        ("notes.txt", "refused"),
        ("rolls.json", "ok"),
    ];
    assert_eq!(verdicts, expected.map(|(name, verdict)| (name.to_owned(), verdict)));
    let names: Vec<_> = music.pieces().map(|piece| piece.name.as_str()).collect();
    assert_eq!(names, ["a", "song", "cut", "no-name"]);
    assert_eq!(music.rolls().count(), 1);
    let with_reason = |file: &&gruvy_data::music::MusicFile| !file.reasons.is_empty();
    assert_eq!(music.files.iter().filter(with_reason).count(), 3);
    music.require().unwrap();
}

#[test]
fn without_any_music_every_file_has_its_reason() {
    let folder = tempfile::tempdir().unwrap();
    let empty = read_music(&[Input::from(folder.path())]).unwrap_err().to_string();
    assert!(empty.contains("no files") && empty.contains("MIDI"), "{empty}");
    fs::write(folder.path().join("a.txt"), "a text").unwrap();
    fs::write(folder.path().join("b.mid"), midi(&[&[]])).unwrap();
    let music = read_music(&[Input::from(folder.path())]).unwrap();
    let problem = music.require().unwrap_err().to_string();
    for part in ["none of 2 files", "a.txt: not a MIDI file", "`a text`", "b.mid: it has no notes"]
    {
        assert!(problem.contains(part), "{part}: {problem}");
    }
    let gone = read_music(&[Input::from(folder.path().join("gone.mid"))]).unwrap_err().to_string();
    assert!(gone.contains("gone.mid"), "{gone}");
}

#[test]
fn files_too_large_for_music_are_not_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("large.mid");
    fs::File::create(&path).unwrap().set_len(65 << 20).unwrap();
    let music = read_music(&[Input::from(path)]).unwrap();
    assert_eq!(music.files[0].verdict(), Verdict::Refused);
    assert!(music.files[0].reasons[0].contains("65 MB"), "{:?}", music.files[0].reasons);
}

#[test]
fn ten_million_events_fit_into_memory() {
    // Bends of a byte less than 40 MB, and then a note.
    let mut track = vec![0, 0xE0, 0, 0];
    track.resize(4 + 3 * 10_000_000, 0);
    track.extend(NOTE);
    let bytes = midi(&[&track]);
    let read = read_music(&[Input::bytes("bends.mid", bytes)]).unwrap();
    let Some(Content::Piece(piece)) = &read.files[0].content else {
        panic!("{:?}", read.files[0].reasons)
    };
    assert_eq!((piece.notes.len(), piece.notes.capacity() < 100), (1, true));
}
