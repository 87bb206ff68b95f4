//! How characters are written.
use crate::{are, folder, format, guessed, noted, read, read_in, refused};

const LATIN: &[u8] = b"text,label\nplain,a\ncaf\xe9 \x93so\x94,b\n";

#[test]
fn what_is_not_utf8_is_latin_1_and_said() {
    let examples = guessed("a.csv", LATIN);
    are(&examples, &[("plain", "a"), ("café “so”", "b")]);
    noted(&examples, &["a.csv is not valid UTF-8 (line 3)", "Latin-1"]);
    let asked = read("a.csv", LATIN, &format(r#"{"encoding":"latin-1"}"#)).unwrap();
    are(&asked, &[("plain", "a"), ("café “so”", "b")]);
    assert!(!asked.notes.iter().any(|note| note.contains("UTF-8")));
    let strict = read("a.csv", LATIN, &format(r#"{"encoding":"utf-8"}"#));
    refused(strict, "a.csv, line 3", &["not valid UTF-8", "`encoding=latin-1`"]);
}

#[test]
fn utf8_can_be_read_as_latin_1() {
    let read = |encoding| {
        let asked = format(&format!(r#"{{"encoding":"{encoding}"}}"#));
        read("a.txt", "é", &asked).unwrap()
    };
    are(&read("auto"), &[("é", "")]);
    are(&read("utf-8"), &[("é", "")]);
    are(&read("latin-1"), &[("Ã©", "")]);
}

#[test]
fn marks_at_the_beginning() {
    are(&guessed("a.csv", "\u{feff}text,label\nx,1\n"), &[("x", "1")]);
    for big in [false, true] {
        let words = "\u{feff}text\tlabel\né…\tb\n".encode_utf16();
        let order = |word: u16| if big { word.to_be_bytes() } else { word.to_le_bytes() };
        let bytes: Vec<u8> = words.flat_map(order).collect();
        are(&guessed("a.tsv", &bytes), &[("é…", "b")]);
        refused(read("a.tsv", &bytes[..bytes.len() - 1], &format("{}")), "a.tsv", &["UTF-16"]);
    }
}

#[test]
fn bytes_that_are_no_text() {
    refused(read("a.bin", b"ab\ncd\0e", &format("{}")), "a.bin, line 2", &["not a text file"]);
    refused(
        read("a.csv", b"text\n\0", &format(r#"{"encoding":"latin-1"}"#)),
        "a.csv, line 2",
        &["not a text"],
    );
}

#[test]
fn files_of_a_folder_are_counted() {
    let folder = folder(&[("a/1.txt", &b"\xe9"[..]), ("a/2.txt", b"x"), ("b/1.txt", b"\xe8")]);
    let examples = read_in(&folder, &[""], &format("{}")).unwrap();
    are(&examples, &[("é", "a"), ("x", "a"), ("è", "b")]);
    noted(&examples, &["2 files are not valid UTF-8", "a/1.txt"]);
}
