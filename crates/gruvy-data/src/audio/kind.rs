//! Which kind of file is it? By its first bytes.
use super::source::Source;
use std::io::{self, Seek, SeekFrom};

/// Bytes that are looked at.
const HEAD: u64 = 4096;
/// Tags before the sound that are stepped over.
const MOST_TAGS: usize = 8;

/// A kind of file that can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Wav,
    Flac,
    Mp3,
    Ogg,
    Aiff,
    Mp4,
    Adts,
}

/// The kind of a file, whose source then stands where its sound begins; the error says what it is
/// instead.
pub(super) fn recognise(source: &mut Source) -> io::Result<Result<Kind, String>> {
    let mut start = 0;
    for _ in 0..MOST_TAGS {
        source.begin_at(start)?;
        let head = source.head(HEAD)?;
        let Some(length) = tag(&head) else {
            source.rewind()?;
            return Ok(kind(&head));
        };
        start += length;
    }
    source.seek(SeekFrom::Start(0))?;
    Ok(Err("the file has more tags than any player takes; convert it to WAV".into()))
}

/// The length of an ID3v2 tag, which stands before the sound of MP3 files, and some others.
fn tag(head: &[u8]) -> Option<u64> {
    let [b'I', b'D', b'3', major, _, flags, size @ ..] = head else { return None };
    let size = size.first_chunk::<4>().filter(|size| size.iter().all(|byte| *byte < 0x80))?;
    let size = size.iter().fold(0u64, |size, byte| size << 7 | u64::from(*byte));
    let footer = if *major == 4 && flags & 0x10 != 0 { 10 } else { 0 };
    Some(10 + size + footer)
}

fn kind(head: &[u8]) -> Result<Kind, String> {
    let at = |place: usize, bytes: &[u8]| head.get(place..).is_some_and(|h| h.starts_with(bytes));
    let riff = [b"RIFF", b"RIFX", b"RF64", b"BW64"].iter().any(|id| at(0, *id));
    if riff && (at(8, b"WAVE") || head.len() < 12) {
        return Ok(Kind::Wav);
    }
    if at(0, b"fLaC") {
        return Ok(Kind::Flac);
    }
    if at(0, b"OggS") {
        return ogg(head);
    }
    if at(0, b"FORM") && (at(8, b"AIFF") || at(8, b"AIFC")) {
        return Ok(Kind::Aiff);
    }
    if at(4, b"ftyp") {
        return Ok(Kind::Mp4);
    }
    mpeg(head).unwrap_or_else(|| Err(other(head)))
}

/// Frames of MPEG begin with eleven ones; their layer says which kind they are.
fn mpeg(head: &[u8]) -> Option<Result<Kind, String>> {
    // Encoders of old put zeros before the first frame.
    let begin = head.iter().position(|byte| *byte != 0)?;
    let [0xFF, second, third, ..] = head[begin..] else { return None };
    let (version, layer) = (second >> 3 & 3, second >> 1 & 3);
    if second & 0xE0 != 0xE0 || version == 1 {
        return None;
    }
    let (bit_rate, sample_rate) = (third >> 4, third >> 2 & 3);
    match layer {
        0 if second & 0xF0 == 0xF0 => Some(Ok(Kind::Adts)),
        0 => None,
        _ if bit_rate == 15 || sample_rate == 3 => None,
        1 => Some(Ok(Kind::Mp3)),
        _ => Some(Err(unsupported("the file is MPEG audio of layer I or II"))),
    }
}

/// What is in an Ogg file.
fn ogg(head: &[u8]) -> Result<Kind, String> {
    // The first packet stands behind a table of as many bytes as the 27th says.
    let table = head.get(26).map_or(0, |segments| usize::from(*segments));
    let packet = head.get(27 + table..).unwrap_or_default();
    let codecs: [(&[u8], &str); 4] = [
        (b"OpusHead", "Opus"),
        (b"Speex   ", "Speex"),
        (b"\x80theora", "video"),
        (b"fishead\0", "a skeleton of several streams"),
    ];
    match codecs.iter().find(|(begin, _)| packet.starts_with(begin)) {
        Some((_, name)) => Err(unsupported(&format!("an Ogg file with {name}"))),
        None => Ok(Kind::Ogg),
    }
}

/// What to do with sound that cannot be read.
pub(super) fn unsupported(what: &str) -> String {
    format!("{what}, which is not supported; convert it to WAV or FLAC: {CONVERT}")
}

/// A command that makes a file that can be read of any other.
pub(super) const CONVERT: &str = "`ffmpeg -i IN OUT.wav`";

fn other(head: &[u8]) -> String {
    let known: [(&[u8], &str); 13] = [
        (b"\x1a\x45\xdf\xa3", "a Matroska or WebM file"),
        (b"caff", "a CAF file"),
        (b".snd", "an AU file"),
        (b"wvpk", "a WavPack file"),
        (b"MAC ", "a Monkey's Audio file"),
        (b"riff", "a Wave64 file"),
        (b"#!AMR", "an AMR file"),
        (b"\x30\x26\xb2\x75", "a Windows Media file"),
        (b"NIST_1A", "a NIST SPHERE file"),
        (b"ADIF", "an AAC file without frames (ADIF)"),
        (b"RIFF", "a RIFF file other than WAVE"),
        (b"FORM", "an IFF file other than AIFF"),
        (b"FLV\x01", "a Flash video"),
    ];
    if head.is_empty() {
        return "the file is empty; expected a recording (WAV, FLAC, MP3, Ogg Vorbis, AIFF, M4A)"
            .into();
    }
    if let Some((_, name)) = known.iter().find(|(begin, _)| head.starts_with(begin)) {
        return unsupported(&format!("the file is {name}"));
    }
    let packed: [(&[u8], &str, &str); 3] = [
        (b"\x1f\x8b", "gzip", "gunzip"),
        (b"\x28\xb5\x2f\xfd", "Zstandard", "unzstd"),
        (b"PK\x03\x04", "ZIP", "unzip"),
    ];
    if let Some((_, name, tool)) = packed.iter().find(|(begin, ..)| head.starts_with(begin)) {
        return format!("the file is packed with {name}; unpack it with `{tool}`");
    }
    if head.starts_with(b"MThd") {
        return "the file is MIDI, which is notes and not sound; `gruvy train music` learns it"
            .into();
    }
    let begins: String = String::from_utf8_lossy(&head[..head.len().min(16)])
        .chars()
        .flat_map(char::escape_debug)
        .collect();
    format!(
        "not a recording: it begins with `{begins}`; expected WAV, FLAC, MP3, Ogg Vorbis, AIFF or \
         M4A. Samples without a header become one with `ffmpeg -f s16le -ar RATE -ac CHANNELS -i \
         IN OUT.wav`"
    )
}
