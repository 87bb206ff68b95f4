//! What is wanted of a file: what a person says of it, and what is known of other data that it must
//! be like.
use super::format::{Encoding, ExampleFormat, FileFormat};

/// How other data were read, which these must be like.
#[derive(Clone, Copy, Debug)]
pub struct Like<'a> {
    /// What was found when the other data were read:
    /// [`Examples::format`](super::Examples::format).
    pub known: &'a ExampleFormat,
    /// What is said of these data. It counts more than what is known.
    pub asked: &'a ExampleFormat,
    /// Whether labels are read. Without, there may be none, or only some.
    pub labelled: bool,
}

/// What is wanted of a file.
pub(crate) struct Wanted {
    /// Columns and all else; what is not said is guessed, unless it is known.
    pub format: ExampleFormat,
    /// What a person says of it; part of `format`.
    pub asked: ExampleFormat,
    /// Whether the columns of `format` were found in other data: no others are guessed.
    pub known: bool,
    /// Whether labels are read.
    pub labelled: bool,
}

impl Wanted {
    /// What is said, and nothing known.
    pub fn new(asked: &ExampleFormat) -> Self {
        Self { format: asked.clone(), asked: asked.clone(), known: false, labelled: true }
    }

    /// What is said over what is known.
    pub fn like(like: &Like<'_>) -> Self {
        let format = like.asked.over(like.known);
        let known = like.known.is_found();
        Self { format, asked: like.asked.clone(), known, labelled: like.labelled }
    }

    /// What is said alone.
    pub fn unlike(like: &Like<'_>) -> Self {
        Self { labelled: like.labelled, ..Self::new(like.asked) }
    }

    /// Whether the columns have names in the other data, not numbers.
    pub fn by_name(&self) -> bool {
        self.known && self.format.header == Some(true)
    }

    /// What kind of file it is, as far as that is said. What kind the other data were says nothing
    /// of these.
    pub fn file_format(&self) -> FileFormat {
        if self.known { self.asked.file_format } else { self.format.file_format }
    }

    /// Whether rows are steps of sequences.
    pub fn sequences(&self) -> bool {
        !self.format.feature_columns.is_empty()
    }

    /// What is wanted of a folder.
    pub fn of_folder(&self) -> ExampleFormat {
        ExampleFormat {
            file_format: self.file_format(),
            encoding: self.encoding(),
            ..if self.known { self.asked.clone() } else { self.format.clone() }
        }
    }

    /// How characters are written. That other data were found to be Latin-1 makes no other encoding
    /// an error.
    pub fn encoding(&self) -> Encoding {
        match self.format.encoding {
            Encoding::Latin1 if self.known => self.asked.encoding,
            encoding => encoding,
        }
    }
}

impl ExampleFormat {
    /// These settings, and where they say nothing, those of `base`.
    pub(super) fn over(&self, base: &Self) -> Self {
        let some = |a: &Option<String>, b: &Option<String>| a.clone().or_else(|| b.clone());
        let list =
            |a: &Vec<String>, b: &Vec<String>| if a.is_empty() { b.clone() } else { a.clone() };
        let auto = self.file_format == FileFormat::Auto;
        Self {
            file_format: if auto { base.file_format } else { self.file_format },
            text_column: some(&self.text_column, &base.text_column),
            label_column: list(&self.label_column, &base.label_column),
            id_column: some(&self.id_column, &base.id_column),
            step_column: some(&self.step_column, &base.step_column),
            feature_columns: list(&self.feature_columns, &base.feature_columns),
            ignore_columns: list(&self.ignore_columns, &base.ignore_columns),
            label_separator: self.label_separator.or(base.label_separator),
            header: self.header.or(base.header),
            encoding: if self.encoding == Encoding::Auto { base.encoding } else { self.encoding },
        }
    }

    /// Whether this is what was found in labelled data with columns, and not only what somebody
    /// said of them.
    pub(super) fn is_found(&self) -> bool {
        let items = self.text_column.is_some()
            || self.id_column.is_some() && !self.feature_columns.is_empty();
        items && self.header.is_some() && !self.label_column.is_empty()
    }
}
