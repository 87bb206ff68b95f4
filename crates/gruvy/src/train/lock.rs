//! One writer a folder.
//!
//! The lock is the system's lock on a file `.lock`, which holds the number of the process. It ends
//! with the process, however that ends, so nothing is ever locked by a process that is gone.
use crate::error::{Error, Result};
use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Read, Seek, Write},
    path::{Path, PathBuf},
};

const LOCK: &str = ".lock";
/// How often a folder is made that others take away.
const MOST_TRIES: usize = 100;

/// The right to write into a folder, as long as this lives. No other handle can have it meanwhile,
/// of this process or of another.
///
/// A folder that was made for the lock, and into which nothing was written, goes with it.
#[derive(Debug)]
pub struct FolderLock {
    folder: PathBuf,
    /// Closed, and so unlocked, after its name is gone.
    _file: File,
    /// The folders that were made for it, the outermost first.
    made: Vec<PathBuf>,
}

impl FolderLock {
    /// Locks `folder`, which is made if it is not there.
    ///
    /// # Errors
    /// [`Error::InUse`] if it is locked; [`Error::Io`] if it cannot be made or written.
    pub fn take(folder: impl Into<PathBuf>) -> Result<Self> {
        let folder = folder.into();
        let made = make(&folder).map_err(Error::io("create the run folder", &folder))?;
        Self::lock(folder, made)
    }

    /// Makes and locks a new folder in `parent`: `name`, or `name-2`, `name-3`, … if that is taken.
    /// Two that do so at the same time get different ones.
    ///
    /// # Errors
    /// [`Error::Io`] if it cannot be made or written.
    pub fn take_new(parent: &Path, name: &str) -> Result<Self> {
        let mut made = make(parent).map_err(Error::io("create the run folder", parent))?;
        for number in 1u64.. {
            let folder = match number {
                1 => parent.join(name),
                _ => parent.join(format!("{name}-{number}")),
            };
            match fs::create_dir(&folder) {
                Ok(()) => made.push(folder.clone()),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
                Err(error) => return Err(Error::io("create the run folder", &folder)(error)),
            }
            match Self::lock(folder, made.clone()) {
                // Somebody was told this very name, and was faster.
                Err(Error::InUse { .. }) => made.truncate(made.len() - 1),
                other => return other,
            }
        }
        unreachable!("numbers do not end")
    }

    fn lock(folder: PathBuf, made: Vec<PathBuf>) -> Result<Self> {
        let path = folder.join(LOCK);
        let wrong = |error| Error::io("lock", &path)(error);
        loop {
            let mut options = OpenOptions::new();
            options.read(true).write(true).create(true).truncate(false);
            let mut file = match options.open(&path) {
                // Whoever had made the folder has just taken it away.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    make(&folder).map_err(wrong)?;
                    continue;
                }
                other => other.map_err(wrong)?,
            };
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => {
                    let mut holder = String::new();
                    // Not every system lets us read what is locked.
                    let _ = file.read_to_string(&mut holder);
                    return Err(Error::InUse { path: folder, holder: holder.trim().parse().ok() });
                }
                // A file system without locks.
                Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => {}
                Err(TryLockError::Error(error)) => return Err(wrong(error)),
            }
            if !is_at(&file, &path) {
                continue;
            }
            let holder = std::process::id();
            let written = file.set_len(0).and_then(|()| file.rewind());
            written.and_then(|()| writeln!(file, "{holder}")).map_err(wrong)?;
            return Ok(Self { folder, _file: file, made });
        }
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.folder
    }
}

impl Drop for FolderLock {
    fn drop(&mut self) {
        // What is in use stays, and what stays does no harm.
        let _ = fs::remove_file(self.folder.join(LOCK));
        for folder in self.made.iter().rev() {
            let _ = fs::remove_dir(folder);
        }
    }
}

/// Makes `folder` and those above it. Gives those that were not there, the outermost first.
fn make(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let above = folder.ancestors().filter(|path| !path.as_os_str().is_empty());
    let mut missing: Vec<PathBuf> =
        above.take_while(|path| !path.exists()).map(Path::to_owned).collect();
    missing.reverse();
    // Another holder may take a folder away between two looks at it.
    let mut tries = 0..MOST_TRIES;
    loop {
        use io::ErrorKind::{AlreadyExists, NotFound};
        match fs::create_dir_all(folder) {
            Ok(()) => return Ok(missing),
            Err(error)
                if matches!(error.kind(), AlreadyExists | NotFound)
                    && !folder.is_file()
                    && tries.next().is_some() =>
            {
                std::thread::yield_now();
            }
            Err(error) => return Err(error),
        }
    }
}

/// Whether the file still has its name: the holder before may have removed it between opening and
/// locking.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let identity = |found: fs::Metadata| (found.dev(), found.ino());
    match (file.metadata(), fs::metadata(path)) {
        (Ok(file), Ok(there)) => identity(file) == identity(there),
        _ => false,
    }
}

/// Other systems do not remove a file that is open.
#[cfg(not(unix))]
fn is_at(_file: &File, _path: &Path) -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{collections::HashSet, thread};

    #[test]
    fn the_second_is_told_who_holds_it() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("a/b");
        let first = FolderLock::take(&folder).unwrap();
        let error = FolderLock::take(&folder).unwrap_err();
        assert!(error.to_string().contains(&std::process::id().to_string()), "{error}");
        drop(first);
        assert!(!place.path().join("a").exists(), "an unused folder was left behind");
        drop(FolderLock::take(place.path()).unwrap());
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 0);
    }

    #[test]
    fn what_was_written_stays() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("a");
        let lock = FolderLock::take(&folder).unwrap();
        fs::write(folder.join("file"), "x").unwrap();
        drop(lock);
        assert_eq!(fs::read(folder.join("file")).unwrap(), b"x");
        assert!(!folder.join(LOCK).exists());
    }

    #[test]
    fn new_names_are_taken_once() {
        let place = tempfile::tempdir().unwrap();
        let runs = place.path().join("runs");
        let take = || FolderLock::take_new(&runs, "book").unwrap();
        let locks: Vec<FolderLock> = thread::scope(|scope| {
            let all: Vec<_> = (0..16).map(|_| scope.spawn(take)).collect();
            all.into_iter().map(|one| one.join().unwrap()).collect()
        });
        let paths: HashSet<&Path> = locks.iter().map(FolderLock::path).collect();
        assert_eq!(paths.len(), locks.len());
    }

    #[test]
    fn one_of_many_holds_it_at_a_time() {
        use std::sync::atomic::{AtomicUsize, Ordering};
        let place = tempfile::tempdir().unwrap();
        let (folder, holders) = (place.path().join("run"), AtomicUsize::new(0));
        let work = || {
            for _ in 0..200 {
                match FolderLock::take(&folder) {
                    Ok(_lock) => {
                        assert_eq!(holders.fetch_add(1, Ordering::SeqCst), 0);
                        holders.fetch_sub(1, Ordering::SeqCst);
                    }
                    Err(Error::InUse { .. }) => thread::yield_now(),
                    Err(other) => panic!("{other}"),
                }
            }
        };
        thread::scope(|scope| (0..4).for_each(|_| drop(scope.spawn(work))));
    }
}
