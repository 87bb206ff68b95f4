//! Reading a corpus and dividing it.
use super::config::TextRun;
use crate::error::Result;
use gruvy_data::Input;
use gruvy_data::text::{TextKind, read_text};
use gruvy_runtime::Remark;
use gruvy_runtime::random::Fnv;
use gruvy_runtime::text::TextUnit;
use std::path::PathBuf;

/// The embedded corpus: short tales, written for this project.
pub const EMBEDDED_TALES: &str = include_str!("tales.txt");

/// A text, divided.
#[derive(Clone, Debug, Default)]
pub struct Corpus {
    /// Learned from.
    pub train: Vec<u8>,
    /// Validated on; may be empty.
    pub valid: Vec<u8>,
    /// Tested on; may be empty.
    pub test: Vec<u8>,
    /// What a person should know about how it was read.
    pub notes: Vec<Remark>,
}

impl Corpus {
    /// Reads the files and folders of `run.data`, the embedded tales if there
    /// are none; then divides the text by `run.task.split`. Where `run.task.valid` or `test` names
    /// a file or folder, the share of that part stays with the training text. Of the training
    /// text only the first `run.train.train_fraction` is kept: nothing is learned from the
    /// rest, not even its characters.
    ///
    /// A folder stands for all files in it and below that are UTF-8, sorted by path, hidden ones
    /// left out. Files are joined with a line break between them.
    ///
    /// # Errors
    /// A file that is missing, empty, or not UTF-8 although the unit needs it; a folder without
    /// text.
    pub fn load(run: &TextRun) -> Result<Self> {
        let (data, text) = (&run.data, &run.task);
        let mut notes = Vec::new();
        let kind = if text.unit == TextUnit::Byte { TextKind::Bytes } else { TextKind::Utf8 };
        let mut read = |inputs: &[Input]| -> Result<Vec<u8>> {
            let read = read_text(inputs, kind)?;
            notes.extend(read.notes);
            Ok(read.bytes)
        };
        let body =
            if data.paths.is_empty() { EMBEDDED_TALES.into() } else { read(&data.inputs()?)? };
        let mut part = |path: &Option<PathBuf>| {
            path.as_deref().map(|path| read(&[Input::from(path)])).transpose()
        };
        let (valid, test) = (part(&text.valid)?, part(&text.test)?);
        if data.paths.is_empty() {
            notes.push(
                format!(
                    "no data given: learning from the embedded tales ({} KB)",
                    body.len() / 1000
                )
                .into(),
            );
        }
        let mut corpus = Self::divide(run, &body, valid, test);
        corpus.notes = notes;
        Ok(corpus)
    }

    /// Divides `body` as [`Corpus::load`] does.
    pub fn divide(
        run: &TextRun,
        body: &[u8],
        valid: Option<Vec<u8>>,
        test: Option<Vec<u8>>,
    ) -> Self {
        let split = run.task.split;
        let share = |percent: f64, given: bool| if given { 0.0 } else { percent };
        let (of_valid, of_test) =
            (share(split.valid, valid.is_some()), share(split.test, test.is_some()));
        let test_at = cut(body, 100.0 - of_test);
        let valid_at = cut(body, 100.0 - of_test - of_valid);
        let train = &body[..valid_at];
        Self {
            train: train[..cut(train, 100.0 * run.train.train_fraction)].to_vec(),
            valid: valid.unwrap_or_else(|| body[valid_at..test_at].to_vec()),
            test: test.unwrap_or_else(|| body[test_at..].to_vec()),
            notes: Vec::new(),
        }
    }

    /// Identifies the text and its division: FNV-1a, 64 bits, over the length and bytes of each
    /// part.
    pub fn fingerprint(&self) -> String {
        let mut print = Fnv::new();
        for part in [&self.train, &self.valid, &self.test] {
            print.add_number(part.len() as u64);
            print.add(part);
        }
        print.to_string()
    }
}

/// Byte at `percent` of the text, moved back to the start of its character.
fn cut(text: &[u8], percent: f64) -> usize {
    // One part in 1e9 of slack, so that 100 − 5 − 5 percent is 90 and not a byte less.
    let mut at = ((text.len() as f64 * percent / 100.0) * (1.0 + 1e-9)).floor() as usize;
    at = at.min(text.len());
    let inside = |at: usize| text.get(at).is_some_and(|byte| byte & 0b1100_0000 == 0b1000_0000);
    for _ in 0..3 {
        if at > 0 && inside(at) {
            at -= 1;
        }
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::split::Split;

    fn run(split: &str) -> TextRun {
        let mut run = TextRun::default();
        run.task.split = split.parse().unwrap();
        run
    }

    fn lengths(c: &Corpus) -> [usize; 3] {
        [c.train.len(), c.valid.len(), c.test.len()]
    }

    #[test]
    fn parts_are_the_first_the_next_and_the_last() {
        let body: Vec<u8> = (0..200).collect();
        let corpus = Corpus::divide(&run("90/5/5"), &body, None, None);
        // 180 = 0b10110100 and 190 are continuation bytes, so the cuts move back, by three at most.
        assert_eq!([&corpus.train[..], &corpus.valid, &corpus.test].concat(), body);
        let text = "x".repeat(1000);
        for (split, expected) in
            [("90/5/5", [900, 50, 50]), ("90/0/10", [900, 0, 100]), ("100/0/0", [1000, 0, 0])]
        {
            let corpus = Corpus::divide(&run(split), text.as_bytes(), None, None);
            assert_eq!(lengths(&corpus), expected, "{split}");
        }
    }

    #[test]
    fn a_given_part_leaves_its_share_to_training() {
        let text = "x".repeat(1000);
        let given = Some(b"valid".to_vec());
        let corpus = Corpus::divide(&run("90/5/5"), text.as_bytes(), given.clone(), None);
        assert_eq!(lengths(&corpus), [950, 5, 50]);
        let corpus = Corpus::divide(&run("90/5/5"), text.as_bytes(), given.clone(), given);
        assert_eq!(lengths(&corpus), [1000, 5, 5]);
    }

    #[test]
    fn a_cut_never_goes_through_a_character() {
        let text = "ä€𝄞".repeat(37);
        for percent in 1..100 {
            let at = cut(text.as_bytes(), f64::from(percent));
            assert!(text.is_char_boundary(at), "{percent} %: {at}");
        }
    }

    #[test]
    fn split_refuses_what_does_not_sum_to_100() {
        assert_eq!("80/10/10".parse(), Ok(Split { train: 80.0, valid: 10.0, test: 10.0 }));
        for wrong in ["", "90/5", "90/5/5/0", "90/5/6", "0/50/50", "110/-5/-5", "a/b/c", "NaN/5/5"]
        {
            let error = wrong.parse::<Split>().unwrap_err();
            assert!(error.contains("90/5/5"), "{wrong}: {error}");
        }
    }

    #[test]
    fn fingerprints_differ_by_content_and_by_division() {
        let corpus = |train: &str, valid: &str| Corpus {
            train: train.into(),
            valid: valid.into(),
            ..Corpus::default()
        };
        let prints = [corpus("ab", "c"), corpus("a", "bc"), corpus("abc", ""), corpus("ab", "d")]
            .map(|c| c.fingerprint());
        for (i, a) in prints.iter().enumerate() {
            assert!(prints[..i].iter().all(|b| a != b));
        }
        assert_eq!(corpus("ab", "c").fingerprint(), prints[0]);
    }
}
