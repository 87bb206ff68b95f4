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
    assert!(!asked.notes.iter().any(|note| note.why.contains("UTF-8")));
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
fn other_kinds_of_files_are_known_by_their_first_bytes() {
    for (start, name) in KINDS {
        for file in ["a.csv", "a.txt", "a.jsonl", "stdin"] {
            let bytes = [start, b"rest of it"].concat();
            refused(read(file, &bytes, &format("{}")), file, &[name, "by its first bytes"]);
            let input = gruvy_data::Input::bytes(file, bytes.clone());
            let series =
                gruvy_data::series::read_panel(std::slice::from_ref(&input), &Default::default());
            refused(series.map(|_| unreachable!()).map_err(|e| e.to_string()), file, &[name]);
            let text = gruvy_data::text::read_text(&[input], gruvy_data::text::TextKind::Utf8);
            refused(text.map(|_| unreachable!()).map_err(|e| e.to_string()), file, &[name]);
        }
    }
    // A comma is no signature.
    are(&guessed("a.txt", "BZh is a name\n"), &[("BZh is a name", "")]);
}

const KINDS: [(&[u8], &str); 4] = [
    (b"PK\x03\x04......xl/workbook.xml", "an Excel workbook (.xlsx)"),
    (b"PK\x03\x04xx", "a zip archive"),
    (b"%PDF-1.7", "a PDF file"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "Office"),
];

#[test]
fn utf16_is_read_by_every_reader() {
    let utf16 = |text: &str| -> Vec<u8> {
        format!("\u{feff}{text}").encode_utf16().flat_map(u16::to_le_bytes).collect()
    };
    are(&guessed("a.csv", utf16("text,label\né,b\n")), &[("é", "b")]);
    let table = utf16("ds,größe\n2024-01-01,1\n2024-01-02,2\n2024-01-03,4\n");
    let input = gruvy_data::Input::bytes("größe.csv", table);
    let panel = gruvy_data::series::read_panel(&[input], &Default::default()).unwrap();
    assert_eq!(panel.series[0].y, [1.0, 2.0, 4.0]);
    use gruvy_data::text::{TextKind, read_text};
    for kind in [TextKind::Utf8, TextKind::Bytes] {
        for book in [utf16("été\n"), "\u{feff}été\n".into(), "été\n".into()] {
            let read = read_text(&[gruvy_data::Input::bytes("book.txt", book)], kind).unwrap();
            assert_eq!(read.bytes, "été\n".as_bytes());
        }
    }
    let odd = gruvy_data::Input::bytes("odd", &b"\xff\xfe\x00"[..]);
    assert_eq!(
        read_text(std::slice::from_ref(&odd), TextKind::Bytes).unwrap().bytes,
        b"\xff\xfe\x00"
    );
    let error = read_text(&[odd], TextKind::Utf8).unwrap_err().to_string();
    assert!(error.contains("UTF-16"), "{error}");
    let error = read_text(&[gruvy_data::Input::bytes("m", "\u{feff}".as_bytes())], TextKind::Utf8);
    assert!(error.unwrap_err().to_string().contains("empty"));
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
