//! What a reader takes of memory is bounded by what it is given: sizes that a file only claims to
//! have cost nothing.
//!
//! One test, as the allocator counts for the whole process.
#![allow(clippy::unwrap_used)]
use flate2::{Compression, write::GzEncoder};
use gruvy_data::examples::{ExampleFormat, read_examples};
use gruvy_data::music::read_music;
use gruvy_data::series::{SeriesFormat, read_panel};
use gruvy_data::speech::{SpeechFormat, read_clips};
use gruvy_data::text::{TextKind, read_text};
use gruvy_data::{Input, midi};
use gruvy_runtime::model::{ModelFile, Network};
use gruvy_runtime::music::Roll;
use peak_alloc::PeakAlloc;
use ruzstd::encoding::{CompressionLevel, compress_to_vec};
use std::io::Write;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// Bytes that a reader may take whatever it reads: tables of zones, of encodings, of decoders.
const CONSTANT: usize = 16 << 20;
/// Bytes that it may take for each byte of a file: a cell of a byte is a text, a number and a place.
const FACTOR: usize = 64;

/// A file, its name, and how many bytes are in it once it is unpacked.
struct File {
    what: &'static str,
    name: &'static str,
    bytes: Vec<u8>,
    content: usize,
}

fn file(what: &'static str, name: &'static str, bytes: impl Into<Vec<u8>>) -> File {
    let bytes = bytes.into();
    File { what, name, content: bytes.len(), bytes }
}

type Reader = fn(&[Input; 1]);

/// Every reader, as far as it asks nothing.
const READERS: &[(&str, Reader)] = &[
    #[cfg(feature = "audio")]
    ("sound", |input| sound_of(&input[0])),
    ("music", |input| music_of(input)),
    ("series", |input| series_of(input, "{}")),
    ("series by seconds", |input| series_of(input, r#"{"freq":"s"}"#)),
    ("series per column", |input| series_of(input, r#"{"layout":"columns"}"#)),
    ("series per row", |input| series_of(input, r#"{"layout":"rows"}"#)),
    ("examples", |input| examples_of(input, "{}")),
    ("sequences", |input| examples_of(input, r#"{"file_format":"sequences"}"#)),
    ("examples without a header", |input| examples_of(input, r#"{"header":false}"#)),
    ("recordings", |input| {
        let _ = read_clips(input, &SpeechFormat::default());
    }),
    ("text", |input| {
        let _ = read_text(input, TextKind::Utf8);
        let _ = read_text(input, TextKind::Bytes);
    }),
    ("models", |input| {
        let model = ModelFile::from_bytes(&input[0].read().unwrap_or_default());
        let _ = model.map(|model| Network::new(&model));
    }),
];

#[cfg(feature = "audio")]
fn sound_of(input: &Input) {
    use gruvy_data::audio::{AudioStream, Wanted};
    let Ok(mut stream) = AudioStream::open(input, &Wanted::at(16_000)) else { return };
    while let Ok(Some(_)) = stream.next() {}
}

fn music_of(input: &[Input; 1]) {
    let Ok(music) = read_music(input) else { return };
    for piece in music.pieces() {
        for steps_per_quarter in [1, 4, 24] {
            let _ = Roll::from_piece(piece, steps_per_quarter);
        }
        let _ = midi::write(piece);
    }
}

fn series_of(input: &[Input; 1], asked: &str) {
    let format: SeriesFormat = serde_json::from_str(asked).unwrap();
    let _ = read_panel(input, &format);
}

fn examples_of(input: &[Input; 1], asked: &str) {
    let format: ExampleFormat = serde_json::from_str(asked).unwrap();
    let _ = read_examples(input, &format);
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::best());
    packed.write_all(bytes).unwrap();
    packed.finish().unwrap()
}

fn packed() -> Vec<File> {
    let content = 1 << 20;
    let zeros = vec![b'0'; content];
    let mut all = vec![
        File { content, ..file("a gzip bomb", "a.csv.gz", gzip(&zeros)) },
        File { content, ..file("a gzip bomb of music", "a.mid.gz", gzip(&zeros)) },
    ];
    let zstandard = compress_to_vec(&zeros[..], CompressionLevel::Fastest);
    all.push(File { content, ..file("a Zstandard bomb", "a.csv.zst", zstandard) });
    // A frame of one segment with 2^60 bytes; a window of 2^41 bytes.
    let frame = |header: &[u8]| [b"\x28\xb5\x2f\xfd", header, &[0, 0, 0]].concat();
    let size = [&[0xE0][..], &(1u64 << 60).to_le_bytes()].concat();
    all.push(file("a frame that claims 2^60 bytes", "a.zst", frame(&size)));
    all.push(file("a window of 2^41 bytes", "a.zst", frame(&[0x00, 0xFF])));
    all
}

fn midi_file(division: u16, tracks: u16, events: &[u8], length: Option<u32>) -> Vec<u8> {
    let mut bytes = b"MThd\0\0\0\x06\0\x01".to_vec();
    bytes.extend(tracks.to_be_bytes());
    bytes.extend(division.to_be_bytes());
    bytes.extend(b"MTrk");
    bytes.extend(length.unwrap_or(events.len() as u32).to_be_bytes());
    bytes.extend(events);
    bytes
}

fn music() -> Vec<File> {
    let note = b"\0\x90\x3c\x40\x60\x80\x3c\0\0\xff\x2f\0";
    let far = b"\xff\xff\xff\x7f\x90\x3c\x40\xff\xff\xff\x7f\x80\x3c\0\0\xff\x2f\0";
    // A quarter note lasts a millionth of a second, or a quarter of one, and a tick is a quarter.
    let fast = b"\0\xff\x51\x03\0\0\x01\0\x90\x3c\x40\xff\xff\xff\x7f\x80\x3c\0\0\xff\x2f\0";
    let day = b"\0\xff\x51\x03\x03\xd0\x90\0\x90\x3c\x40\x95\x8b\x00\x80\x3c\0\0\xff\x2f\0";
    let sysex = b"\0\xf0\xff\xff\xff\x7f\0\xff\x03\xff\xff\xff\x7f";
    let held: Vec<u8> = (0..20_000u32).flat_map(|at| [0, 0x90, (at % 128) as u8, 0x40]).collect();
    let rolls = |inner: &str| format!("{{\"train\":[[{inner}]]}}");
    vec![
        file("65535 tracks that are not there", "a.mid", midi_file(96, 65535, note, None)),
        file("a track of 4 GB", "a.mid", midi_file(96, 1, note, Some(u32::MAX))),
        file("32767 ticks to a quarter", "a.mid", midi_file(32767, 1, far, None)),
        file("a tick to a quarter, and times far away", "a.mid", midi_file(1, 1, far, None)),
        file("a hundred million quarters", "a.mid", midi_file(1, 1, fast, None)),
        file("a day of quarters", "a.mid", midi_file(1, 1, day, None)),
        file("messages that claim 256 MB", "a.mid", midi_file(96, 1, sysex, None)),
        file("notes that nothing ends", "a.mid", midi_file(96, 1, &held, None)),
        file("huge keys", "a.json", rolls("[99999999999,4294967295,1e300]")),
        file("deep brackets", "a.json", "[".repeat(100_000)),
        file("deep brackets of rolls", "a.json", rolls(&"[".repeat(100_000))),
        file("empty steps", "a.json", rolls(&vec!["[]"; 50_000].join(","))),
    ]
}

fn tables() -> Vec<File> {
    let wide = format!("ds{}\n", (0..20_000).map(|at| format!(",c{at}")).collect::<String>());
    let long = "\n".repeat(20_000);
    let commas = format!("a,b\n{}", ",".repeat(200_000));
    let ids: String = (0..5_000)
        .flat_map(|id| [format!("{id},2024-01-01,1\n"), format!("{id},2051-01-01,1\n")])
        .collect();
    let labels: String = (0..20_000).map(|at| format!("word,{at}\n")).collect();
    let tags = format!("__label__{} a\n", "x __label__".repeat(20_000));
    let steps: String = (0..20_000).map(|at| format!("{at},9223372036854775807,0.5\n")).collect();
    vec![
        file("a wide header alone", "a.csv", wide.clone()),
        file("a wide header and empty rows", "a.csv", wide.clone() + &long),
        file("a wide header and short rows", "a.csv", wide + &"2024-01-01,1\n".repeat(5_000)),
        file("a wide row", "a.csv", commas),
        file(
            "seconds of 8000 years",
            "a.csv",
            "ds,y\n0001-01-01 00:00:00,1\n9990-01-01 00:00:01,2\n",
        ),
        file("positions that are far apart", "a.csv", "ds,y\n0,1\n1,2\n9223372036854775807,3\n"),
        file(
            "an instant of all there is",
            "a.csv",
            "ds,y\n-9223372036854775808,1\n9223372036854775807,2\n",
        ),
        file("many series, each far apart", "a.csv", format!("id,ds,y\n{ids}")),
        file("quotes", "a.csv", "\"".repeat(200_001)),
        file("a class for every item", "a.csv", format!("text,label\n{labels}")),
        file("many labels of a line", "a.txt", tags),
        file("steps that are far away", "a.csv", format!("id,step,x\n{steps}")),
        file(
            "wide characters",
            "a.txt",
            [&b"\xff\xfe"[..], &[0xA4, 0x20].repeat(100_000)].concat(),
        ),
        file("deep JSON", "a.jsonl", "{\"text\":".repeat(50_000)),
        file("an array of numbers", "a.json", format!("[{}", "1,".repeat(100_000))),
        file("a workbook", "a.xlsx", [&b"PK\x03\x04"[..], &[0; 4000], b"xl/"].concat()),
    ]
}

/// A model file whose tensors are not there, or are said to lie elsewhere.
fn models() -> Vec<File> {
    let dims = 16_777_216;
    let gruvy = format!(
        "{{\\\"format_version\\\":1,\\\"task\\\":\\\"copy\\\",\\\"spec\\\":{{\\\"input\\\":\
         {{\\\"embedding\\\":{{\\\"vocab\\\":{dims},\\\"dim\\\":{dims}}}}},\\\"rnn\\\":{{\
         \\\"cell\\\":\\\"gru\\\",\\\"input_size\\\":{dims},\\\"hidden_size\\\":{dims},\
         \\\"num_layers\\\":1024,\\\"bidirectional\\\":false,\\\"bias\\\":true}},\\\"head\\\":\
         {{\\\"linear\\\":{{\\\"outputs\\\":{dims}}}}}}},\\\"codec\\\":{{\\\"task\\\":\\\"copy\\\",\
         \\\"length\\\":10}},\\\"trained\\\":{{\\\"seed\\\":1,\\\"data_fingerprint\\\":\\\"\\\",\
         \\\"steps\\\":1,\\\"metrics\\\":{{}}}}}}"
    );
    let model = |header: String, length: Option<u64>| {
        let length = length.unwrap_or(header.len() as u64);
        [&length.to_le_bytes()[..], header.as_bytes()].concat()
    };
    let metadata = format!("\"__metadata__\":{{\"gruvy\":\"{gruvy}\"}}");
    let tensor = "\"w\":{\"dtype\":\"F32\",\"shape\":[4611686018427387903],\"data_offsets\":[0,18446744073709551612]}";
    vec![
        file("a header of 2^60 bytes", "m", model("{}".into(), Some(1 << 60))),
        file("weights that are not there", "m", model(format!("{{{metadata}}}"), None)),
        file("a tensor of 2^64 bytes", "m", model(format!("{{{metadata},{tensor}}}"), None)),
    ]
}

/// A `.npz` whose array has a header and hardly any values.
#[cfg(feature = "npz")]
fn arrays() -> Vec<File> {
    use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};
    let npz = |header: &str, length: Option<u32>, data: &[u8]| {
        let mut array = b"\x93NUMPY\x02\0".to_vec();
        array.extend(length.unwrap_or(header.len() as u32).to_le_bytes());
        array.extend(header.as_bytes());
        array.extend(data);
        let mut archive = ZipWriter::new(std::io::Cursor::new(Vec::new()));
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
        archive.start_file("x.npy", options).unwrap();
        archive.write_all(&array).unwrap();
        archive.finish().unwrap().into_inner()
    };
    let header = |descr: &str, shape: &str| {
        format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}")
    };
    let small = header("<f4", "(2, 3, 1)");
    let whole = npz(&small, None, &[0; 24]);
    // What the central directory says of sizes, and of how many files there are.
    let mut sizes = whole.clone();
    let central = whole.windows(4).position(|four| four == b"PK\x01\x02").unwrap();
    sizes[central + 20..central + 28].fill(0xFE);
    let mut count = whole.clone();
    let end = whole.len() - 22;
    count[end + 8..end + 12].fill(0xFE);
    let zeros = vec![0; 4 << 20];
    vec![
        file(
            "an array of 10^13 values",
            "a.npz",
            npz(&header("<f8", "(10000000, 1000000, 1)"), None, &[0; 24]),
        ),
        file(
            "an array of none of 2^100 values",
            "a.npz",
            npz(&header("<f8", "(0, 1125899906842624, 1125899906842624)"), None, &[]),
        ),
        file("a header of 4 GB", "a.npz", npz(&small, Some(u32::MAX), &[])),
        file(
            "text of 2^60 characters",
            "a.npz",
            npz(&header("<U1152921504606846976", "(2, 3, 1)"), None, &[0; 24]),
        ),
        file(
            "texts of no character",
            "a.npz",
            npz(&header("|S0", "(1000000000, 1000000000)"), None, &[]),
        ),
        file("a size of 4 GB in the directory", "a.npz", sizes),
        file("65278 files in the directory", "a.npz", count),
        File {
            content: zeros.len(),
            ..file(
                "an array of zeros, packed",
                "a.npz",
                npz(&header("<f4", "(1024, 1024, 1)"), None, &zeros),
            )
        },
    ]
}

/// Recordings that claim more than they have.
#[cfg(feature = "audio")]
fn sounds() -> Vec<File> {
    let chunk = |id: &[u8], size: u32, content: &[u8]| [id, &size.to_le_bytes(), content].concat();
    let wav = |channels: u16, align: u16, size: u32| {
        let rates = [8000u32, 8000 * u32::from(align)].map(u32::to_le_bytes).concat();
        let format =
            [&[1, 0][..], &channels.to_le_bytes(), &rates, &align.to_le_bytes(), &[16, 0]].concat();
        [&b"RIFF\0\0\0\0WAVE"[..], &chunk(b"fmt ", 16, &format), &chunk(b"data", size, &[0; 64])]
            .concat()
    };
    // Comments of 2^32 bytes, a picture of 16 MB, and a table of places to go to.
    let flac = |kind: u8, content: &[u8]| {
        let sound =
            [&[0x10, 0, 0x10, 0][..], &[0; 6], &[0x0A, 0xC4, 0x40, 0xF0], &[0; 20]].concat();
        [b"fLaC\0\0\0\x22", &sound[..], &[0x80 | kind, 0xFF, 0xFF, 0xFF], content].concat()
    };
    // A table of 2^32 sizes in an M4A file.
    let atom = |name: &[u8], content: &[u8]| {
        [&(content.len() as u32 + 8).to_be_bytes()[..], name, content].concat()
    };
    let sizes = atom(b"stsz", &[&[0; 8][..], &[0xFF; 4], &[0; 16]].concat());
    let movie =
        atom(b"moov", &atom(b"trak", &atom(b"mdia", &atom(b"minf", &atom(b"stbl", &sizes)))));
    let m4a = [atom(b"ftyp", b"M4A \0\0\0\0M4A "), movie].concat();
    vec![
        file("samples of 4 GB", "a.wav", wav(1, 2, u32::MAX - 1)),
        file("a frame of 256 channels", "a.wav", wav(256, 512, 64)),
        file("a comment of 4 GB", "a.flac", flac(4, &[0xFF; 8])),
        file("a picture of 4 GB", "a.flac", flac(6, &[0xFF; 64])),
        file("a table of 16 MB", "a.flac", flac(3, &[0xFF; 64])),
        file("2^32 sizes", "a.m4a", m4a),
        file("a tag of 256 MB", "a.mp3", b"ID3\x04\0\0\x7f\x7f\x7f\x7f".repeat(2)),
    ]
}

/// Three hours of telephone sound, most of which is no byte on the disk, take no more than a
/// second of it.
#[cfg(feature = "audio")]
fn hours_take_what_a_block_takes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("long.wav");
    let length = 3 * 3600 * 8000u32;
    let format = [&[7, 0, 1, 0][..], &8000u32.to_le_bytes().repeat(2), &[1, 0, 8, 0]].concat();
    let size = length.to_le_bytes();
    let head = [b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0", &format[..], b"data", &size].concat();
    std::fs::write(&path, head).unwrap();
    let file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
    file.set_len(44 + u64::from(length)).unwrap();
    ALLOCATOR.reset_peak_usage();
    let before = ALLOCATOR.current_usage();
    sound_of(&path.into());
    let taken = ALLOCATOR.peak_usage().saturating_sub(before);
    assert!(taken < 1 << 20, "three hours: {taken} bytes");
}

/// The footer of a table of Parquet, or of one that says so.
#[cfg(feature = "parquet")]
fn parquet() -> Vec<File> {
    let footer =
        |thrift: &[u8], length: u32| [b"PAR1", thrift, &length.to_le_bytes(), b"PAR1"].concat();
    // The version, then a list of 2^31 - 1 structures, of columns or of groups of rows.
    let columns = [0x15, 0x02, 0x19, 0xFC, 0xFF, 0xFF, 0xFF, 0xFF, 0x07];
    let groups = [0x15, 0x02, 0x39, 0xFC, 0xFF, 0xFF, 0xFF, 0xFF, 0x07];
    let name = [0x15, 0x02, 0x19, 0x1C, 0x48, 0xFF, 0xFF, 0xFF, 0xFF, 0x07, b'a'];
    // One structure: its name, and so many children.
    let children =
        [0x15, 0x02, 0x19, 0x1C, 0x48, 1, b'a', 0x15, 0xFE, 0xFF, 0xFF, 0xFF, 0x0F, 0, 0];
    vec![
        file("a footer of 4 GB", "a.parquet", footer(&[0; 64], u32::MAX)),
        file("2^31 columns", "a.parquet", footer(&columns, columns.len() as u32)),
        file("2^31 groups of rows", "a.parquet", footer(&groups, groups.len() as u32)),
        file("a name of 2 GB", "a.parquet", footer(&name, name.len() as u32)),
        file("2^31 children", "a.parquet", footer(&children, children.len() as u32)),
    ]
}

#[test]
fn what_is_read_takes_memory_by_its_size() {
    #[allow(unused_mut)]
    let mut files: Vec<File> =
        [packed(), music(), tables(), models()].into_iter().flatten().collect();
    #[cfg(feature = "npz")]
    files.extend(arrays());
    #[cfg(feature = "parquet")]
    files.extend(parquet());
    #[cfg(feature = "audio")]
    {
        files.extend(sounds());
        hours_take_what_a_block_takes();
    }
    for File { what, name, bytes, content } in files {
        let most = CONSTANT + FACTOR * content.max(bytes.len());
        let input = [Input::bytes(name, bytes)];
        for (reader, read) in READERS {
            ALLOCATOR.reset_peak_usage();
            let before = ALLOCATOR.current_usage();
            read(&input);
            let taken = ALLOCATOR.peak_usage().saturating_sub(before);
            assert!(taken <= most, "{what}: {reader}: {taken} bytes, expected at most {most}");
        }
    }
}
