//! NumPy's files of arrays, written here byte by byte.
use crate::{any_bytes::fits, format, guessed, noted, read, refused, sequences};
use gruvy_data::examples::Examples;
use proptest::prelude::*;
use std::io::{Cursor, Write};
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

/// An array with its header, as `numpy.save` writes it.
fn npy(descr: &str, fortran: bool, shape: &str, data: &[u8]) -> Vec<u8> {
    let order = if fortran { "True" } else { "False" };
    let mut header =
        format!("{{'descr': '{descr}', 'fortran_order': {order}, 'shape': {shape}, }}")
            .into_bytes();
    header.resize((header.len() + 11).next_multiple_of(64) - 11, b' ');
    header.push(b'\n');
    let length = u16::try_from(header.len()).unwrap().to_le_bytes();
    [b"\x93NUMPY\x01\x00", &length[..], &header, data].concat()
}

/// An archive of arrays.
fn npz(arrays: &[(&str, Vec<u8>)], method: CompressionMethod) -> Vec<u8> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(method).large_file(true);
    for (name, bytes) in arrays {
        archive.start_file(format!("{name}.npy"), options).unwrap();
        archive.write_all(bytes).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

fn stored(arrays: &[(&str, Vec<u8>)]) -> Vec<u8> {
    npz(arrays, CompressionMethod::Stored)
}

fn floats(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

fn longs(values: &[i64]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

/// `x [2, 3, 2]`.
fn x() -> Vec<u8> {
    let values: Vec<f32> = (0..12).map(|value| value as f32 / 2.0).collect();
    npy("<f4", false, "(2, 3, 2)", &floats(&values))
}

fn tried(arrays: &[(&str, Vec<u8>)]) -> Result<Examples, String> {
    read("a.npz", stored(arrays), &format("{}"))
}

#[test]
fn arrays_stored_and_deflated() {
    for method in [CompressionMethod::Stored, CompressionMethod::Deflated] {
        let y = npy("<i8", false, "(2,)", &longs(&[7, -1]));
        let lengths = npy("<i8", false, "(2,)", &longs(&[2, 3]));
        let bytes = npz(&[("y", y), ("x", x()), ("lengths", lengths), ("more", vec![])], method);
        for name in ["a.npz", "stdin"] {
            let examples = guessed(name, &bytes);
            let all = sequences(&examples);
            assert_eq!(
                (&all.features[..], &all.offsets[..]),
                (&["0".to_owned(), "1".to_owned()][..], &[0, 2, 5][..])
            );
            assert_eq!(all.item(0), [0.0, 0.5, 1.0, 1.5]);
            assert_eq!(all.item(1), [3.0, 3.5, 4.0, 4.5, 5.0, 5.5]);
            assert_eq!(examples.labels, [["7"], ["-1"]]);
            assert_eq!(examples.places.get(1).to_string(), format!("{name}, item 1"));
            noted(&examples, &["2 sequences of 3 steps and 2 features", "`lengths`", "`y`"]);
            noted(&examples, &["arrays left out: `more`"]);
        }
    }
}

#[test]
fn fortran_order() {
    // In Fortran order the first dimension runs fastest.
    let value = |n: i32, t: i32, i: i32| (100 * n + 10 * t + i) as f32;
    let mut values = Vec::new();
    for i in 0..2 {
        for t in 0..3 {
            for n in 0..2 {
                values.push(value(n, t, i));
            }
        }
    }
    let y = npy("|u1", true, "(2, 2)", &[1, 0, 1, 1]);
    let x = npy("<f4", true, "(2, 3, 2)", &floats(&values));
    let examples = tried(&[("x", x), ("y", y)]).unwrap();
    assert_eq!(sequences(&examples).item(1), [100.0, 101.0, 110.0, 111.0, 120.0, 121.0]);
    // Columns of y: [1, 0], [1, 1].
    assert_eq!(examples.labels, [vec!["0", "1"], vec!["1"]]);
}

#[test]
fn every_type_of_number() {
    for (descr, data) in [
        ("<f4", floats(&[1.0, 2.0])),
        ("<f8", [1.0_f64, 2.0].iter().flat_map(|v| v.to_le_bytes()).collect()),
        ("|i1", vec![1, 2]),
        ("<i2", vec![1, 0, 2, 0]),
        ("<i4", vec![1, 0, 0, 0, 2, 0, 0, 0]),
        ("<i8", longs(&[1, 2])),
        ("|u1", vec![1, 2]),
        ("<u2", vec![1, 0, 2, 0]),
        ("<u4", vec![1, 0, 0, 0, 2, 0, 0, 0]),
        ("<u8", longs(&[1, 2])),
    ] {
        let [x, y] = ["(2, 1)", "(2, 1)"].map(|shape| npy(descr, false, shape, &data));
        let examples = tried(&[("x", x), ("y", y)]).unwrap();
        assert_eq!(sequences(&examples).values, [1.0, 2.0], "{descr}");
        assert_eq!(sequences(&examples).features, ["0"], "{descr}");
        assert_eq!(examples.labels, [["1"], ["2"]], "{descr}");
    }
    let x = npy("|b1", false, "(1, 2)", &[0, 1]);
    assert_eq!(sequences(&tried(&[("X", x)]).unwrap()).values, [0.0, 1.0]);
    let x = npy("|i1", false, "(1, 2)", &[0xff, 0x80]);
    assert_eq!(sequences(&tried(&[("x", x)]).unwrap()).values, [-1.0, -128.0]);
}

#[test]
fn labels_of_text() {
    let wide: Vec<u8> = "pos\u{e9}"
        .chars()
        .chain("no\0\0".chars())
        .flat_map(|c| u32::from(c).to_le_bytes())
        .collect();
    let wide = npy("<U4", false, "(2,)", &wide);
    assert_eq!(tried(&[("x", x()), ("y", wide)]).unwrap().labels, [["posé"], ["no"]]);
    let bytes = npy("|S3", false, "(2,)", b"posno\0");
    assert_eq!(tried(&[("x", x()), ("y", bytes)]).unwrap().labels, [["pos"], ["no"]]);
    let none = npy("<U0", false, "(2,)", b"");
    refused(tried(&[("x", x()), ("y", none)]), "a.npz, item 0", &["the label is missing"]);
}

#[test]
fn arrays_that_do_not_fit() {
    let long = |shape: &str, values: &[i64]| npy("<i8", false, shape, &longs(values));
    refused(tried(&[("arr_0", x())]), "a.npz", &["no array `x`", "there are `arr_0`", "np.savez"]);
    for (shape, part) in [("(12,)", "[12]"), ("(2, 3, 2, 1)", "[2, 3, 2, 1]"), ("()", "[]")] {
        let x = npy("|u1", false, shape, &[0; 12][..if shape == "()" { 1 } else { 12 }]);
        refused(tried(&[("x", x)]), "a.npz", &[&format!("`x` has the shape {part}"), "expected"]);
    }
    refused(tried(&[("x", npy("<f4", false, "(2, 0, 3)", b""))]), "a.npz", &["`x` is empty"]);
    for (shape, lengths, place, part) in [
        ("(2,)", [1, 4], "a.npz, item 1", "its length is 4; expected an integer from 1 to 3"),
        ("(2,)", [0, 1], "a.npz, item 0", "its length is 0"),
        ("(2,)", [-1, 1], "a.npz, item 0", "its length is -1"),
        ("(1, 2)", [1, 1], "a.npz", "`lengths` has the shape [1, 2]; expected [2]"),
    ] {
        refused(tried(&[("x", x()), ("lengths", long(shape, &lengths))]), place, &[part]);
    }
    refused(
        tried(&[("x", x()), ("y", long("(3,)", &[1, 2, 3]))]),
        "a.npz",
        &["`y` has the shape [3]; expected [2]"],
    );
    let y = npy("<f4", false, "(2,)", &floats(&[1.0, 0.5]));
    refused(tried(&[("x", x()), ("y", y)]), "a.npz, item 1", &["its label in `y` is 0.5"]);
    refused(
        tried(&[("x", x()), ("y", long("(2, 2)", &[1, 0, 2, 0]))]),
        "a.npz, item 1",
        &["`y` is 2 for label 0"],
    );
}

#[test]
fn values_that_are_no_finite_numbers() {
    for value in [f32::NAN, f32::INFINITY] {
        let mut values = [0.0; 12];
        values[9] = value;
        let x = npy("<f4", false, "(2, 3, 2)", &floats(&values));
        refused(tried(&[("x", x.clone())]), "a.npz, item 1", &["at step 1, feature 1", "finite"]);
        // Padding may be anything.
        let lengths = npy("<i8", false, "(2,)", &longs(&[3, 1]));
        assert!(tried(&[("x", x), ("lengths", lengths)]).is_ok());
    }
    let x = npy("<f8", false, "(1, 1)", &1e300_f64.to_le_bytes());
    refused(tried(&[("x", x)]), "a.npz, item 0", &["fits in 32 bits"]);
}

#[test]
fn types_that_are_not_read() {
    for (descr, part) in [
        (">f4", "big-endian (`>f4`); save it with .astype('<f4')"),
        ("|O", "Python objects"),
        ("<c8", "type `<c8`"),
        ("<f2", "type `<f2`"),
        ("<M8[ns]", "type `<M8[ns]`"),
        ("", "type ``"),
    ] {
        refused(
            tried(&[("x", npy(descr, false, "(1, 2)", &[0; 8]))]),
            "a.npz",
            &["array `x`", part],
        );
    }
    refused(tried(&[("x", npy("<U1", false, "(1, 2)", &[0; 8]))]), "a.npz", &["`x` holds text"]);
}

#[test]
fn damaged_files() {
    let good = stored(&[("x", x())]);
    refused(
        read("a.npz", &good[..good.len() - 30], &format("{}")),
        "a.npz",
        &["cannot be read as a .npz"],
    );
    refused(read("a.npz", b"", &format("{}")), "a.npz", &["cannot be read as a .npz file"]);
    let mut flipped = good.clone();
    let at = flipped.windows(4).position(|four| four == 5.5_f32.to_le_bytes()).unwrap();
    flipped[at] ^= 1;
    refused(
        read("a.npz", &flipped, &format("{}")),
        "a.npz",
        &["array `x`: cannot be read", "hecksum"],
    );
    for (array, part) in [
        (npy("<f4", false, "(2, 3, 2)", &[0; 47]), "fewer bytes"),
        (npy("<f4", false, "(2, 3, 2)", &[0; 49]), "more bytes"),
        (npy("<f4", false, "(4294967296, 4294967296)", b""), "too large"),
        (npy("<f4", false, "(2, x)", b""), "its shape cannot be read"),
        (b"\x93NUMPY\x02\x00\xff\xff\xff\xff{".to_vec(), "header is damaged"),
        (b"\x93NUMPY\x01\x00\x02\x00{}".to_vec(), "no `descr`"),
        (b"something else".to_vec(), "not an array of NumPy"),
        (b"x".to_vec(), "cannot be read"),
    ] {
        refused(tried(&[("x", array)]), "a.npz", &["array `x`", part]);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn a_changed_byte_is_no_panic(at in 0_usize..10_000, byte in any::<u8>(), cut in 0_usize..10_000) {
        let y = npy("<i8", false, "(2, 2)", &longs(&[1, 0, 1, 1]));
        for method in [CompressionMethod::Stored, CompressionMethod::Deflated] {
            let mut bytes = npz(&[("x", x()), ("y", y.clone())], method);
            let length = bytes.len();
            bytes[at % length] = byte;
            fits("a.npz", &bytes, "{}");
            fits("a.npz", &bytes[..cut % length], "{}");
        }
    }

    #[test]
    fn any_header(header in "[\\{'a-z<>|0-9:, ()TrueFls\\}]{0,80}", data in prop::collection::vec(any::<u8>(), 0..40)) {
        let array = |header: &str| {
            let length = u16::try_from(header.len()).unwrap().to_le_bytes();
            [b"\x93NUMPY\x01\x00", &length[..], header.as_bytes(), &data].concat()
        };
        fits("a.npz", &stored(&[("x", array(&header))]), "{}");
        let shaped = format!("{{'descr': '<u1', 'fortran_order': False, 'shape': {header}");
        fits("a.npz", &stored(&[("x", array(&shaped))]), "{}");
    }
}
