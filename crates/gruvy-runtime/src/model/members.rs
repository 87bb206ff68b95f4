//! The models of a folder: a run, or several runs side by side.
use super::file::{MODEL_FILE_NAME, ModelFile};
use super::network::Network;
use crate::error::{Error, Result};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The model files that a person means by `path`: the file itself, that of a run folder, or those of
/// the runs `1`, `2`, … in a folder, which are the members of an ensemble or the folds of a
/// cross-validation. There is at least one.
///
/// # Errors
/// [`Error::NoModel`] for a folder in which there is none.
pub fn members(path: impl AsRef<Path>) -> Result<Vec<PathBuf>> {
    let path = path.as_ref();
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let own = path.join(MODEL_FILE_NAME);
    // Of a folder that may not be looked into, nobody knows what is in it.
    let there = own.try_exists().map_err(|error| Error::Io {
        action: "read the model",
        path: own.clone(),
        error,
    })?;
    if there {
        return Ok(vec![own]);
    }
    let numbered = (1..).map(|n: usize| path.join(n.to_string()).join(MODEL_FILE_NAME));
    let found: Vec<PathBuf> = numbered.take_while(|file| file.exists()).collect();
    match found.is_empty() {
        true => Err(Error::NoModel { path: path.to_owned() }),
        false => Ok(found),
    }
}

/// What `open` makes of each of the [`members`] of `path`. `first`: the first of them, if it has
/// been read already.
///
/// # Errors
/// As [`members`] and [`ModelFile::read`]; those of `open`, with the path of the file.
pub fn open_members<T>(
    path: impl AsRef<Path>,
    first: Option<&ModelFile>,
    open: impl Fn(&ModelFile) -> Result<T>,
) -> Result<Vec<T>> {
    let each = |(number, path): (usize, &PathBuf)| {
        let made = match first.filter(|_| number == 0) {
            Some(file) => open(file),
            None => open(&ModelFile::read(path)?),
        };
        made.map_err(|error| error.at(path))
    };
    members(path)?.iter().enumerate().map(each).collect()
}

/// Models of the same codec as one; `parts` gives the codec of a model, and its networks.
///
/// # Errors
/// [`Error::Setting`] for no model, and for models of different codecs.
pub(crate) fn joined<T, C: PartialEq>(
    members: Vec<T>,
    parts: fn(&mut T) -> (&C, &mut Vec<Arc<Network>>),
) -> Result<T> {
    let count = members.len();
    let mut members = members.into_iter();
    let Some(mut all) = members.next() else {
        return Err(Error::setting("ensemble", "empty", "at least one model"));
    };
    let (codec, networks) = parts(&mut all);
    for (at, mut member) in members.enumerate() {
        let (other, more) = parts(&mut member);
        if other != codec {
            let got = format!("member {} of {count} with another codec", at + 2);
            return Err(Error::setting("ensemble", got, "models of the same data and settings"));
        }
        networks.append(more);
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_folder_has_its_model_or_those_of_its_runs() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        assert!(matches!(members(path), Err(Error::NoModel { .. })));
        for run in ["1", "2", "4"] {
            fs::create_dir(path.join(run)).unwrap();
            fs::write(path.join(run).join(MODEL_FILE_NAME), "").unwrap();
        }
        let file = |run: &str| path.join(run).join(MODEL_FILE_NAME);
        assert_eq!(members(path).unwrap(), [file("1"), file("2")]);
        assert_eq!(members(path.join("4")).unwrap(), [file("4")]);
        assert_eq!(members(file("2")).unwrap(), [file("2")]);
        fs::write(path.join(MODEL_FILE_NAME), "").unwrap();
        assert_eq!(members(path).unwrap(), [path.join(MODEL_FILE_NAME)]);
    }
}
