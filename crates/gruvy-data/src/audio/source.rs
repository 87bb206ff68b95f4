//! The bytes of a recording, in a file or in memory.
use crate::error::{Error, Result};
use crate::input::{Input, read_file};
use std::fs::File;
use std::io::{self, BufReader, Cursor, Read, Seek, SeekFrom};
use std::sync::Arc;
use symphonia::core::io::MediaSource;

/// Bytes that can be read from any place. Places count from `start`: what stands before it is no
/// part of the sound.
pub(super) struct Source {
    bytes: Bytes,
    start: u64,
    length: u64,
}

enum Bytes {
    File(BufReader<File>),
    Memory(Cursor<Arc<[u8]>>),
}

impl Source {
    /// Opens a file, or takes bytes as they are. What is not a regular file, a pipe say, is read
    /// into memory first.
    pub(super) fn open(input: &Input) -> Result<Self> {
        let bytes = match input {
            Input::Bytes { bytes, .. } => Bytes::Memory(Cursor::new(bytes.clone())),
            Input::Path(path) if path.is_file() => {
                let io = |error| Error::Io { action: "read", path: path.clone(), error };
                Bytes::File(BufReader::new(File::open(path).map_err(io)?))
            }
            Input::Path(path) => Bytes::Memory(Cursor::new(read_file(path)?.into())),
        };
        let mut source = Self { bytes, start: 0, length: 0 };
        let io = |error| Error::Io { action: "read", path: input.name().to_owned(), error };
        source.length = source.seek(SeekFrom::End(0)).map_err(io)?;
        source.rewind().map_err(io)?;
        Ok(source)
    }

    /// Bytes from the start.
    pub(super) fn length(&self) -> u64 {
        self.length - self.start
    }

    /// Leaves out what stands before `start`, and goes there.
    pub(super) fn begin_at(&mut self, start: u64) -> io::Result<()> {
        self.start = start.min(self.length);
        self.rewind()
    }

    /// Up to `most` bytes from here.
    pub(super) fn head(&mut self, most: u64) -> io::Result<Vec<u8>> {
        let mut head = Vec::new();
        self.take(most).read_to_end(&mut head)?;
        Ok(head)
    }

    fn inner(&mut self) -> &mut dyn ReadSeek {
        match &mut self.bytes {
            Bytes::File(file) => file,
            Bytes::Memory(memory) => memory,
        }
    }
}

trait ReadSeek: Read + Seek {}
impl<T: Read + Seek> ReadSeek for T {}

impl Read for Source {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.inner().read(out)
    }
}

impl Seek for Source {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let start = self.start;
        let to = match to {
            SeekFrom::Start(at) => SeekFrom::Start(start.saturating_add(at)),
            to => to,
        };
        let at = self.inner().seek(to)?;
        at.checked_sub(start).ok_or_else(|| io::Error::other("a place before the start"))
    }
}

impl MediaSource for Source {
    fn is_seekable(&self) -> bool {
        true
    }

    fn byte_len(&self) -> Option<u64> {
        Some(self.length())
    }
}
