//! Files packed with gzip or Zstandard, known by their first bytes.
use crate::error::{Error, Result, problem_at};
use flate2::bufread::MultiGzDecoder;
use gruvy_runtime::model::available_bytes;
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};
use std::borrow::Cow;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

const GZIP: &[u8] = b"\x1f\x8b";
const ZSTANDARD: &[u8] = b"\x28\xb5\x2f\xfd";
/// The share of the free memory that an unpacked file may take: what is read from it takes more.
const SHARE: u64 = 4;
/// Free memory where the system does not tell it.
const USUAL_MEMORY: u64 = 1 << 34;

/// Bytes that may be made of a file that is itself much smaller.
pub(crate) fn room() -> u64 {
    available_bytes().unwrap_or(USUAL_MEMORY) / SHARE
}

/// Opens a file to be read a part at a time, unpacking it if it is packed.
///
/// # Errors
/// [`Error::Io`].
pub fn open(path: &Path) -> Result<impl BufRead> {
    let io = |error| Error::Io { action: "read", path: path.to_owned(), error };
    let (_, reader) = File::open(path).and_then(|file| reader(BufReader::new(file))).map_err(io)?;
    Ok(BufReader::new(reader))
}

/// The content of a file: what is packed in it, or its own bytes.
///
/// # Errors
/// For a packed file that is cut off or damaged, or holds more than the memory has room for.
pub(crate) fn unpacked<'a>(file: &Path, bytes: Cow<'a, [u8]>) -> Result<Cow<'a, [u8]>> {
    let most = room();
    let content = match reader(&*bytes) {
        Ok((None, _)) => None,
        Ok((Some(kind), packed)) => Some(all(file, kind, packed, most)?),
        Err(error) => {
            return Err(Error::Io { action: "unpack", path: file.to_owned(), error });
        }
    };
    Ok(content.map_or(bytes, Cow::Owned))
}

/// How a file is packed, if it is, and its content.
fn reader<'a>(
    mut file: impl BufRead + 'a,
) -> io::Result<(Option<&'static str>, Box<dyn Read + 'a>)> {
    let start = file.fill_buf()?;
    Ok(if start.starts_with(GZIP) {
        (Some("gzip"), Box::new(MultiGzDecoder::new(file)))
    } else if start.starts_with(ZSTANDARD) {
        let decoder = FrameDecoder::new();
        (Some("Zstandard"), Box::new(Frames { from: file, decoder, inside: false }))
    } else {
        (None, Box::new(file))
    })
}

/// All that is packed, if it is not more than `most` bytes.
fn all(file: &Path, kind: &str, packed: impl Read, most: u64) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let problem = match packed.take(most.saturating_add(1)).read_to_end(&mut bytes) {
        Ok(_) if bytes.len() as u64 <= most => return Ok(bytes),
        Ok(_) => format!(
            "holds more than {most} bytes, a quarter of the memory that is free; unpack it and \
             take a part of it"
        ),
        Err(error) => format!(
            "is cut off or damaged behind the first {} bytes of its content ({error}); fetch it or \
             pack it again",
            bytes.len()
        ),
    };
    Err(problem_at(file, None, format!("the file is packed with {kind} and {problem}")))
}

/// Frames of Zstandard, one behind the other, as parallel packers write them.
struct Frames<R: BufRead> {
    from: R,
    decoder: FrameDecoder,
    inside: bool,
}

impl<R: BufRead> Frames<R> {
    /// Begins the next frame that has content; false behind the last.
    fn begin(&mut self) -> io::Result<bool> {
        while !self.from.fill_buf()?.is_empty() {
            match self.decoder.init(&mut self.from) {
                Ok(()) => return Ok(true),
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
                    length,
                    ..
                })) => {
                    io::copy(&mut self.from.by_ref().take(length.into()), &mut io::sink())?;
                }
                Err(error) => return Err(io::Error::other(error)),
            }
        }
        Ok(false)
    }
}

impl<R: BufRead> Read for Frames<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while !out.is_empty() {
            if !self.inside && !self.begin()? {
                break;
            }
            self.inside = true;
            while self.decoder.can_collect() == 0 && !self.decoder.is_finished() {
                let one = BlockDecodingStrategy::UptoBlocks(1);
                self.decoder.decode_blocks(&mut self.from, one).map_err(io::Error::other)?;
            }
            let read = self.decoder.read(out)?;
            if read > 0 {
                return Ok(read);
            }
            let written = self.decoder.get_checksum_from_data();
            if written.is_some() && written != self.decoder.get_calculated_checksum() {
                return Err(io::Error::other("its checksum is another"));
            }
            self.inside = false;
        }
        Ok(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ruzstd::encoding::{CompressionLevel, compress_to_vec};
    use std::io::Write;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all(bytes).unwrap();
        packed.finish().unwrap()
    }

    fn zstandard(bytes: &[u8]) -> Vec<u8> {
        compress_to_vec(bytes, CompressionLevel::Fastest)
    }

    fn content(bytes: &[u8]) -> Result<Vec<u8>, String> {
        let read = unpacked(Path::new("a.gz"), Cow::Borrowed(bytes));
        read.map(Cow::into_owned).map_err(|error| error.to_string())
    }

    /// 200,000 bytes, more than a block of either kind.
    fn long() -> Vec<u8> {
        (0..200_000u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 20) as u8).collect()
    }

    #[test]
    fn what_is_packed_is_what_was_there() {
        for pack in [gzip, zstandard] {
            let (long, packed) = (long(), pack(&long()));
            assert_eq!(content(&packed).unwrap(), long);
            // Files packed apart and joined.
            assert_eq!(
                content(&[pack(b"a,b\n"), pack(b""), pack(b"1,2\n")].concat()).unwrap(),
                b"a,b\n1,2\n"
            );
        }
        // A table of contents behind the frames is none of it.
        let contents = b"\x5e\x2a\x4d\x18\x03\0\0\0abc";
        assert_eq!(content(&[&zstandard(b"a,b\n")[..], contents].concat()).unwrap(), b"a,b\n");
        assert_eq!(content(b"a,b\n").unwrap(), b"a,b\n");
        assert_eq!(content(b"").unwrap(), b"");
    }

    #[test]
    fn a_part_of_a_packed_file_is_refused_wherever_it_ends() {
        for (pack, kind) in [(gzip as fn(&[u8]) -> Vec<u8>, "gzip"), (zstandard, "Zstandard")] {
            let packed = pack(b"unique_id,ds,y\na,2020-01-01,1\n");
            for end in 4..packed.len() {
                let problem = content(&packed[..end]).unwrap_err();
                let parts = ["a.gz: ", kind, "is cut off or damaged behind the first ", "again"];
                assert!(parts.iter().all(|part| problem.contains(part)), "{end}: {problem}");
            }
            let mut packed = pack(&long());
            let middle = packed.len() / 2;
            packed[middle] ^= 1;
            assert!(content(&packed).unwrap_err().contains("damaged"), "{kind}");
        }
    }

    #[test]
    fn a_file_that_unpacks_to_more_than_there_is_room_for_is_refused() {
        for packed in [gzip(&[0; 100_000]), zstandard(&[0; 100_000])] {
            let (kind, from) = reader(&packed[..]).unwrap();
            let problem = all(Path::new("zeros.gz"), kind.unwrap(), from, 99_999).unwrap_err();
            assert!(problem.to_string().contains("more than 99999 bytes"), "{problem}");
            let (_, from) = reader(&packed[..]).unwrap();
            assert_eq!(all(Path::new("zeros.gz"), "", from, 100_000).unwrap().len(), 100_000);
        }
    }
}
