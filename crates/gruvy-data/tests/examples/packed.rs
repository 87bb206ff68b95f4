//! Files packed with gzip and Zstandard, in every reader.
use crate::{are, format, read, refused};
use gruvy_data::Input;
use gruvy_data::examples::{ExampleFormat, read_examples};
use gruvy_data::series::{SeriesFormat, read_panel};
use gruvy_data::text::{TextKind, read_text};
use std::io::Write;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(bytes).unwrap();
    packed.finish().unwrap()
}

fn zstandard(bytes: &[u8]) -> Vec<u8> {
    use ruzstd::encoding::{CompressionLevel, compress_to_vec};
    compress_to_vec(bytes, CompressionLevel::Fastest)
}

type Packer = fn(&[u8]) -> Vec<u8>;
const PACKERS: [(&str, Packer); 2] = [("gz", gzip), ("zst", zstandard)];
const CSV: &[u8] = b"text,label\nfine,good\n\"a, b\",bad\n";

#[test]
fn a_packed_file_is_read_as_the_one_inside() {
    for (end, pack) in PACKERS {
        let examples = |name: &str, bytes: &[u8]| read(name, pack(bytes), &format("{}")).unwrap();
        are(&examples(&format!("a.csv.{end}"), CSV), &[("fine", "good"), ("a, b", "bad")]);
        // What it is packed with is told by its bytes, what it is inside by its name.
        are(&examples("a.csv", CSV), &[("fine", "good"), ("a, b", "bad")]);
        let line = b"{\"text\": \"fine\", \"label\": \"good\"}\n";
        are(&examples(&format!("a.jsonl.{end}"), line), &[("fine", "good")]);
        are(&examples("a", b"__label__good fine\n"), &[("fine", "good")]);
        are(&examples(&format!("a.tsv.{end}"), b"text\tlabel\nfine\tgood\n"), &[("fine", "good")]);

        let input = |name: String, bytes: &[u8]| [Input::bytes(name, pack(bytes))];
        let csv = b"ds,y\n2020-01-01,1\n2020-01-02,3\n";
        let panel = read_panel(&input(format!("y.csv.{end}"), csv), &SeriesFormat::default());
        assert_eq!(panel.unwrap().series[0].y, [1.0, 3.0]);
        for kind in [TextKind::Utf8, TextKind::Bytes] {
            let text = read_text(&input(format!("book.txt.{end}"), "Été\n".as_bytes()), kind);
            assert_eq!(text.unwrap().bytes, "Été\n".as_bytes());
        }
    }
}

#[test]
fn packed_files_in_folders_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: Vec<u8>| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    };
    write("tables/a.csv.gz", gzip(CSV));
    write("tables/b.csv.zst", zstandard(b"text,label\nmore,good\n"));
    write("labels/good/1.txt.gz", gzip(b"fine"));
    write("labels/bad/1.txt", b"dull".to_vec());
    let read = |name: &str| {
        let input = Input::from(folder.path().join(name));
        read_examples(&[input], &ExampleFormat::default()).unwrap()
    };
    are(&read("tables"), &[("fine", "good"), ("a, b", "bad"), ("more", "good")]);
    are(&read("labels"), &[("dull", "bad"), ("fine", "good")]);
    let text = read_text(&[folder.path().join("labels").into()], TextKind::Utf8).unwrap();
    assert_eq!(text.bytes, b"dull\nfine");
}

#[test]
fn what_is_wrong_with_a_packed_file_is_told() {
    for (end, pack) in PACKERS {
        let name = format!("a.csv.{end}");
        let packed = pack(CSV);
        let half = packed[..packed.len() / 2].to_vec();
        let parts = ["packed with", "cut off or damaged", "fetch it or pack it again"];
        refused(read(&name, half, &format("{}")), &name, &parts);
        let twice = pack(&pack(CSV));
        refused(read(&name, twice, &format("{}")), &name, &["packed twice", "unpack it once"]);
        refused(read(&name, pack(b"a\0b"), &format("{}")), &format!("{name}, line 1"), &["byte 0"]);
    }
}
