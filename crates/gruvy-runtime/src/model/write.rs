//! Files that are whole at every moment.
use crate::error::{Error, Result};
use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

/// Distinguishes the temporary files of one process.
static COUNTER: AtomicU64 = AtomicU64::new(0);

/// Ends the name of a temporary file.
const TEMPORARY: &str = ".tmp";

/// Writes `bytes` to `path` so that a process killed at any moment leaves either the old file or
/// the new one: into a temporary file of the same folder, synced, renamed, and the folder synced.
///
/// A symbolic link stays a link: the file that it leads to is written. What is no file, such as a
/// pipe, a terminal or `/dev/stdout`, cannot be replaced and is written into.
///
/// # Errors
/// [`Error::Io`] naming the file; the old file is then untouched.
pub fn write_atomic(path: &Path, bytes: &[u8]) -> Result<()> {
    let fail = |action| move |error| Error::Io { action, path: path.to_owned(), error };
    match destination(path).map_err(fail("write"))? {
        Destination::Stream => append(path, bytes).map_err(fail("write")),
        Destination::File(file) => {
            replace(&file, bytes)
                .map_err(|error| without_folder(&file, error))
                .map_err(fail("write"))?;
            sync_folder(folder_of(&file)).map_err(fail("sync the folder of"))
        }
    }
}

/// The error of a file that cannot be written, as its folder is not there.
fn without_folder(file: &Path, error: io::Error) -> io::Error {
    let folder = folder_of(file);
    if error.kind() != io::ErrorKind::NotFound || folder.exists() {
        return error;
    }
    let problem = format!("there is no folder {}; create it first", folder.display());
    io::Error::new(io::ErrorKind::NotFound, problem)
}

/// Removes what writers that were killed left of the file `path`. Whoever calls this must be the
/// only writer of that file.
///
/// # Errors
/// [`Error::Io`] if the folder cannot be read or a file in it not be removed.
pub fn remove_leftovers(path: &Path) -> Result<()> {
    let fail =
        |error| Error::Io { action: "remove what is left over of", path: path.to_owned(), error };
    let Some(name) = path.file_name().and_then(|name| name.to_str()) else { return Ok(()) };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let left_over = |other: &str| {
        let unique = other.strip_prefix('.').and_then(|rest| rest.strip_prefix(name));
        let unique = unique.and_then(|rest| rest.strip_prefix('.')?.strip_suffix(TEMPORARY));
        unique.and_then(|rest| rest.split_once('-')).is_some_and(|(a, b)| digits(a) && digits(b))
    };
    for entry in fs::read_dir(folder_of(path)).map_err(fail)? {
        let entry = entry.map_err(fail)?;
        if entry.file_name().to_str().is_some_and(left_over) {
            fs::remove_file(entry.path()).map_err(fail)?;
        }
    }
    Ok(())
}

/// Where bytes for a path go.
enum Destination {
    /// A file that is replaced as a whole, or that is not there yet.
    File(PathBuf),
    /// A pipe, a device, or a file that somebody holds open for us.
    Stream,
}

/// Follows the links from `path`.
fn destination(path: &Path) -> io::Result<Destination> {
    match fs::metadata(path) {
        Ok(found) if found.is_dir() => Err(io::ErrorKind::IsADirectory.into()),
        Ok(found) if !found.is_file() => Ok(Destination::Stream),
        Ok(_) => {
            let file = fs::canonicalize(path)?;
            Ok(if is_open_file(path)? { Destination::Stream } else { Destination::File(file) })
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let mut file = path.to_owned();
            for _ in 0..MOST_LINKS {
                match fs::read_link(&file) {
                    Ok(next) => file = folder_of(&file).join(next),
                    Err(_) => return Ok(Destination::File(file)),
                }
            }
            Err(error)
        }
        Err(error) => Err(error),
    }
}

/// Whether `path` leads through `/proc` to a file that a process has open, as `/dev/stdout` does:
/// the process goes on with the file it has open, not with one that takes its name.
fn is_open_file(path: &Path) -> io::Result<bool> {
    let mut path = std::path::absolute(path)?;
    for _ in 0..MOST_LINKS {
        if path.starts_with("/proc") || path.starts_with("/dev/fd") {
            return Ok(true);
        }
        match fs::read_link(&path) {
            Ok(next) => path = folder_of(&path).join(next),
            Err(_) => return Ok(false),
        }
    }
    Ok(false)
}

/// More links than a system follows.
const MOST_LINKS: usize = 40;

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

fn append(path: &Path, bytes: &[u8]) -> io::Result<()> {
    // A pipe has no end to append to, and takes it all the same.
    OpenOptions::new().append(true).open(path)?.write_all(bytes)
}

fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?;
    let mut temporary = std::ffi::OsString::from(".");
    temporary.push(name);
    let unique = COUNTER.fetch_add(1, Ordering::Relaxed);
    temporary.push(format!(".{}-{unique}{TEMPORARY}", std::process::id()));
    let temporary = folder_of(path).join(temporary);
    let written = fill(&temporary, bytes).and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        // The first error is the one to report; there may be nothing to remove.
        let _ = fs::remove_file(&temporary);
    }
    written
}

fn fill(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// The rename is durable once the folder is.
#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Other systems do not open folders as files; the rename is left to their journal.
#[cfg(not(unix))]
fn sync_folder(_folder: &Path) -> io::Result<()> {
    Ok(())
}
