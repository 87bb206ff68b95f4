//! Writing: whole files, through links, and into what is no file.
#![allow(clippy::unwrap_used)] // Helpers of tests stop at the first surprise, as tests do.
#![cfg(unix)]
use gruvy_runtime::model::{remove_leftovers, write_atomic};
use std::{fs, io::Read, os::unix::fs::symlink, path::Path, thread};

fn names(folder: &Path) -> Vec<String> {
    let name = |entry: fs::DirEntry| entry.file_name().into_string().unwrap();
    let mut names: Vec<_> = fs::read_dir(folder).unwrap().map(|e| name(e.unwrap())).collect();
    names.sort();
    names
}

#[test]
fn a_link_stays_and_its_file_is_written() {
    let place = tempfile::tempdir().unwrap();
    let path = |name: &str| place.path().join(name);
    fs::create_dir(path("far")).unwrap();
    fs::write(path("far/target"), "old").unwrap();
    symlink("far/target", path("first")).unwrap();
    symlink("first", path("second")).unwrap();
    write_atomic(&path("second"), b"new").unwrap();
    assert_eq!(fs::read(path("far/target")).unwrap(), b"new");
    for link in ["first", "second"] {
        assert!(fs::symlink_metadata(path(link)).unwrap().is_symlink(), "{link}");
    }
    assert_eq!(names(&path("far")), ["target"]);
}

#[test]
fn a_link_to_nothing_makes_the_file() {
    let place = tempfile::tempdir().unwrap();
    let link = place.path().join("link");
    symlink("target", &link).unwrap();
    write_atomic(&link, b"new").unwrap();
    assert_eq!(fs::read(place.path().join("target")).unwrap(), b"new");
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
}

#[test]
fn a_circle_of_links_and_a_folder_are_refused() {
    let place = tempfile::tempdir().unwrap();
    let link = place.path().join("link");
    symlink("link", &link).unwrap();
    write_atomic(&link, b"new").unwrap_err();
    let error = write_atomic(place.path(), b"new").unwrap_err().to_string();
    assert!(error.contains("directory"), "{error}");
    assert_eq!(names(place.path()), ["link"]);
}

#[test]
fn a_pipe_is_written_into() {
    let place = tempfile::tempdir().unwrap();
    let pipe = place.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let reader = pipe.clone();
    let reader = thread::spawn(move || {
        let mut text = String::new();
        fs::File::open(reader).unwrap().read_to_string(&mut text).unwrap();
        text
    });
    write_atomic(&pipe, b"through").unwrap();
    assert_eq!(reader.join().unwrap(), "through");
    assert_eq!(names(place.path()), ["pipe"]);
}

#[test]
fn a_device_stays_a_device() {
    use std::os::unix::fs::FileTypeExt;
    write_atomic(Path::new("/dev/null"), b"gone").unwrap();
    assert!(fs::metadata("/dev/null").unwrap().file_type().is_char_device());
}

#[cfg(target_os = "linux")]
#[test]
fn a_file_that_is_open_is_written_into() {
    use std::os::fd::AsRawFd;
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("out");
    let open = fs::OpenOptions::new().append(true).create(true).open(&path).unwrap();
    write_atomic(Path::new(&format!("/proc/self/fd/{}", open.as_raw_fd())), b"new").unwrap();
    assert_eq!(open.metadata().unwrap().len(), 3, "the open file was replaced");
    assert_eq!(fs::read(&path).unwrap(), b"new");
}

#[test]
fn leftovers_of_this_file_alone_are_removed() {
    let place = tempfile::tempdir().unwrap();
    let keep = [".a.ckpt.1-2.bak", ".a.ckpt.tmp", ".b.ckpt.1-2.tmp", "a.ckpt", "a.ckpt.1-2.tmp"];
    for name in keep.into_iter().chain([".a.ckpt.17-0.tmp", ".a.ckpt.4711-33.tmp"]) {
        fs::write(place.path().join(name), "").unwrap();
    }
    remove_leftovers(&place.path().join("a.ckpt")).unwrap();
    assert_eq!(names(place.path()), keep);
}

#[test]
fn a_folder_that_is_not_there_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("none/a.csv");
    let problem = write_atomic(&path, b"a").unwrap_err().to_string();
    let expected = format!("there is no folder {}", folder.path().join("none").display());
    assert!(problem.contains(&expected) && problem.contains("create it"), "{problem}");
}
