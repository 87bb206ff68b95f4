//! `gruvy data`: a verdict for every file.
use crate::place::Place;

/// A file of one note, a quarter of the middle C.
const MIDI: &[u8] = b"MThd\0\0\0\x06\0\0\0\x01\0\x60MTrk\0\0\0\x0c\
                      \0\x90\x3c\x50\x60\x80\x3c\0\0\xff\x2f\0";

fn place() -> Place {
    let place = Place::new();
    place.write("a.mid", MIDI);
    place.write("cut.mid", &MIDI[..MIDI.len() - 4]);
    place.write("notes.mid", "A <b>text</b>.");
    place
}

#[test]
fn a_table_and_json_have_a_verdict_for_every_file() {
    let place = place();
    let said = place.gruvy(&["data", "."]).success();
    for part in [
        "file         verdict   notes   drums   range   length   polyphony   meter       key",
        "./a.mid           ok       1       0   C4-C4     0:01           1       -   C major",
        "./notes.mid  refused       -",
        "./cut.mid: mended: the file is cut off",
        "./notes.mid: refused: not a MIDI file",
        "3 files of music: 1 ok, 1 mended, 1 refused",
    ] {
        assert!(said.out.contains(part), "{part}:\n{}", said.out);
    }
    let json = place.gruvy(&["data", "a.mid", "notes.mid", "cut.mid", "--json"]).json();
    let verdicts: Vec<&str> =
        (0..3).map(|i| json["files"][i]["verdict"].as_str().unwrap()).collect();
    assert_eq!(verdicts, ["ok", "refused", "mended"]);
    assert_eq!(json["kind"], "music");
    assert_eq!(
        (&json["files"][0]["path"], &json["files"][0]["reason"]),
        (&"a.mid".into(), &"".into())
    );
    assert_eq!(json["files"][0]["notes"], 1);
    assert!(json["files"][1]["reason"].as_str().unwrap().contains("begins with `A <b>text"));
}

#[test]
fn a_page_needs_nothing_else() {
    let place = place();
    let said = place.gruvy(&["data", ".", "-o", "page.html"]).success();
    assert!(said.err.contains("page: page.html"), "{}", said.err);
    let page = place.read("page.html");
    for part in ["3 files of music", "<svg class=\"roll\"", "A &lt;b&gt;text", "<dd>C4-C4</dd>"] {
        assert!(page.contains(part), "{part}");
    }
    assert!(!page.contains("{{") && !page.contains("<b>text") && !page.contains("http"));
    // Faults first.
    assert!(page.find("notes.mid") < page.find("a.mid"), "{page}");
}

#[test]
fn data_that_cannot_be_examined() {
    let place = place();
    let said = place.gruvy(&["data", "notes.mid"]);
    assert_eq!(said.code, 1);
    assert!(said.out.contains("refused: not a MIDI file"), "{}", said.out);
    place.write("reviews.csv", "text,label\nfine,good\n");
    place.gruvy(&["data", "reviews.csv"]).error(&["reviews.csv", "no music", "not yet"]);
    place.gruvy(&["data", "nowhere"]).error(&["nowhere", "No such file"]);
    std::fs::create_dir(place.path("empty")).unwrap();
    place.gruvy(&["data", "empty"]).error(&[
        "empty",
        "the folder has no files",
        "MIDI",
        "tables of series are not yet: train on them",
    ]);
    assert_eq!(place.gruvy(&["data"]).code, 2);
}

#[test]
fn awkward_names_stand_where_they_are_written() {
    let place = Place::new();
    std::fs::create_dir(place.path("songs")).unwrap();
    let long = format!("songs/{}.mid", "long ".repeat(30));
    for name in ["two\nlines.mid", "\u{202e}turned.mid", "a\u{301}.mid", "songs/a <b>.mid", &long] {
        place.write(name, MIDI);
    }
    let said = place.gruvy(&["data", "."]).success().out;
    for part in ["./two\\nlines.mid ", "./\\u{202e}turned.mid ", "./a\u{301}.mid "] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let row = said.lines().find(|line| line.contains("long")).unwrap();
    assert!(row.starts_with("./songs/long") && row.contains("…") && row.contains("long .mid "));
    assert!(said.lines().all(|line| line.chars().count() < 140), "{said}");
    // Names below the folder that all have in common.
    place.gruvy(&["data", ".", "-o", "page.html"]).success();
    let page = place.read("page.html");
    assert!(page.contains(">songs/a &lt;b&gt;.mid</h2>") && page.contains(">a\u{301}.mid</h2>"));
    place.gruvy(&["data", "songs", "-o", "page.html"]).success();
    assert!(place.read("page.html").contains(">a &lt;b&gt;.mid</h2>"));
}

#[cfg(unix)]
#[test]
fn names_that_are_no_text_are_said_as_far_as_they_are() {
    use std::os::unix::ffi::OsStrExt;
    let place = Place::new();
    let name = std::ffi::OsStr::from_bytes(b"caf\xe9.mid");
    std::fs::write(place.path("").join(name), MIDI).unwrap();
    let json = place.gruvy(&["data", ".", "--json"]).json();
    assert_eq!(json["files"][0]["path"], "./caf\u{fffd}.mid");
}
