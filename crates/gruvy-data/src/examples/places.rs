//! Where items stand, in eight bytes each.
use crate::error::Error;
use crate::error::problem_at;
use std::{
    fmt,
    path::{Path, PathBuf},
};

/// Where each item stands.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Places {
    files: Vec<(PathBuf, Unit)>,
    /// `[N]` the file and the number in it; no number is [`u32::MAX`].
    at: Vec<(u32, u32)>,
}

/// What is counted in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    /// Lines, from 1.
    Line,
    /// Items, from 0.
    Item,
}

/// Where an item stands; shown as `FILE, line 3`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place<'a> {
    /// The file.
    pub file: &'a Path,
    /// The line, from 1, in a file of lines or rows; not in one that is a single text.
    pub line: Option<u64>,
    /// The position, from 0, in a file of arrays.
    pub item: Option<usize>,
}

impl Places {
    /// The places of items in one file.
    pub(crate) fn of(file: &Path, unit: Unit, numbers: impl Iterator<Item = u64>) -> Self {
        let number = |number| u32::try_from(number).unwrap_or(u32::MAX);
        let at = numbers.map(|at| (0, number(at))).collect();
        Self { files: vec![(file.to_owned(), unit)], at }
    }

    /// One more item: a whole file.
    pub(crate) fn push_file(&mut self, file: PathBuf) {
        let number = u32::try_from(self.files.len()).unwrap_or(u32::MAX);
        self.files.push((file, Unit::Line));
        self.at.push((number, u32::MAX));
    }

    /// More items behind these.
    pub(crate) fn append(&mut self, other: Self) {
        let before = u32::try_from(self.files.len()).unwrap_or(u32::MAX);
        self.files.extend(other.files);
        self.at.extend(other.at.iter().map(|(file, at)| (file.saturating_add(before), *at)));
    }

    /// `N`, how many items there are.
    pub fn len(&self) -> usize {
        self.at.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.at.is_empty()
    }

    /// Where an item stands.
    ///
    /// # Panics
    /// If there is no such item.
    pub fn get(&self, i: usize) -> Place<'_> {
        let (file, at) = self.at[i];
        let (file, unit) = &self.files[file as usize];
        let at = Some(at).filter(|at| *at != u32::MAX);
        Place {
            file,
            line: at.filter(|_| *unit == Unit::Line).map(u64::from),
            item: at.filter(|_| *unit == Unit::Item).map(|at| at as usize),
        }
    }
}

impl Place<'_> {
    /// A problem of what stands there.
    pub fn error(&self, problem: String) -> Error {
        match self.item {
            None => problem_at(self.file, self.line, problem),
            Some(item) => {
                let part = Some(format!("item {item}"));
                Error::File { file: self.file.to_owned(), line: None, part, problem }
            }
        }
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        match (self.line, self.item) {
            (Some(line), _) => write!(f, ", line {line}"),
            (_, Some(item)) => write!(f, ", item {item}"),
            _ => Ok(()),
        }
    }
}
