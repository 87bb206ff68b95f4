//! What names of recordings say: `{label}_{speaker}_{index}.wav`.
use super::sound::without_end;
use crate::error::{Error, Result};
use std::collections::BTreeMap;

/// What can stand in a pattern.
const FIELDS: [&str; 4] = ["text", "label", "speaker", "index"];

/// Fields, and what stands between them.
#[derive(Debug)]
pub(super) struct Pattern {
    /// What stands before each field.
    fields: Vec<(String, &'static str)>,
    /// What stands behind the last.
    end: String,
    words: BTreeMap<String, String>,
}

/// What a name says.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Said {
    pub(super) text: String,
    pub(super) speaker: Option<String>,
}

impl Pattern {
    /// Reads a pattern, and what the parts of a text stand for.
    pub(super) fn new(pattern: &str, words: &[String]) -> Result<Self> {
        let wrong = |expected: &str| Error::setting("pattern", pattern, expected);
        let (mut fields, mut rest) = (Vec::new(), without_end(pattern));
        while let Some((before, from)) = rest.split_once('{') {
            let (name, behind) =
                from.split_once('}').ok_or_else(|| wrong("a `}` behind each `{`"))?;
            let field = FIELDS.into_iter().find(|field| *field == name);
            let field =
                field.ok_or_else(|| wrong("fields out of {text}, {label}, {speaker}, {index}"))?;
            if before.is_empty() && !fields.is_empty() {
                return Err(wrong("something between fields, such as `_`"));
            }
            fields.push((before.to_owned(), field));
            rest = behind;
        }
        let texts = fields.iter().filter(|(_, field)| matches!(*field, "text" | "label")).count();
        if texts != 1 {
            return Err(wrong("{text} or {label} once, such as {label}_{speaker}_{index}.wav"));
        }
        Ok(Self { fields, end: rest.to_owned(), words: Self::words(words)? })
    }

    fn words(words: &[String]) -> Result<BTreeMap<String, String>> {
        let pair = |pair: &String| match pair.split_once('=') {
            Some((code, word)) if !code.trim().is_empty() => {
                Ok((code.trim().to_owned(), word.trim().to_owned()))
            }
            _ => Err(Error::setting("words", pair, "CODE=WORD, such as 0=no,1=yes")),
        };
        words.iter().map(pair).collect()
    }

    /// How many folders a name begins with.
    pub(super) fn folders(&self) -> usize {
        let between = self.fields.iter().map(|(before, _)| before).chain([&self.end]);
        between.map(|between| between.matches('/').count()).sum()
    }

    /// What a name says, if it is as the pattern says. All fields but the first are as short as
    /// they can be.
    pub(super) fn read(&self, name: &str) -> Result<Said, String> {
        let no = || format!("`{name}` is not as the setting `pattern` says");
        let mut rest = without_end(name).strip_suffix(&self.end[..]).ok_or_else(no)?;
        let mut said = Said::default();
        for (at, (before, field)) in self.fields.iter().enumerate().rev() {
            let value = match at {
                0 => rest.strip_prefix(&before[..]).ok_or_else(no)?,
                _ => {
                    let (left, value) = rest.rsplit_once(&before[..]).ok_or_else(no)?;
                    rest = left;
                    value
                }
            };
            if value.is_empty() || *field == "index" && !value.bytes().all(|b| b.is_ascii_digit()) {
                return Err(no());
            }
            match *field {
                "text" => said.text = self.text(value)?,
                "label" => said.text = self.words.get(value).map_or(value, |word| word).to_owned(),
                "speaker" => said.speaker = Some(value.to_owned()),
                _ => {}
            }
        }
        Ok(said)
    }

    /// The words of a part of a name.
    fn text(&self, value: &str) -> Result<String, String> {
        let word = |part: &str| match self.words.get(part) {
            _ if self.words.is_empty() => Ok(part.to_owned()),
            Some(word) => Ok(word.clone()),
            None => {
                Err(format!("`{part}` in `{value}` is none of the setting `words`; add it there"))
            }
        };
        let parts = value.split('_').filter(|part| !part.is_empty());
        Ok(parts.map(word).collect::<Result<Vec<_>, _>>()?.join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pattern: &str, words: &[&str], name: &str) -> Result<(String, Option<String>), String> {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        let pattern = Pattern::new(pattern, &words).map_err(|error| error.to_string())?;
        pattern.read(name).map(|said| (said.text, said.speaker))
    }

    #[test]
    fn names_say_what_is_said() {
        let said = |text: &str, speaker: Option<&str>| Ok((text.into(), speaker.map(Into::into)));
        let digits = "{label}_{speaker}_{index}.wav";
        assert_eq!(read(digits, &[], "0_george_12.wav"), said("0", Some("george")));
        assert_eq!(read(digits, &["0=zero"], "0_george_12.WAV"), said("zero", Some("george")));
        assert_eq!(read(digits, &[], "smart_mirror_ann_1.flac"), said("smart_mirror", Some("ann")));
        assert_eq!(read("{text}", &["0=no", "1=yes"], "0_1_1.wav"), said("no yes yes", None));
        assert_eq!(read("{text}.wav", &[], "turn_left.wav"), said("turn left", None));
        assert_eq!(
            read("{speaker}/x-{text}-{index}", &[], "ann/x-go-3.mp3"),
            said("go", Some("ann"))
        );
    }

    #[test]
    fn names_that_are_otherwise() {
        let digits = "{label}_{speaker}_{index}.wav";
        for name in ["george_12.wav", "0_george_a.wav", "_george_1.wav", "0.wav"] {
            let problem = read(digits, &[], name).unwrap_err();
            assert_eq!(problem, format!("`{name}` is not as the setting `pattern` says"));
        }
        let problem = read("{text}", &["0=no"], "0_2.wav").unwrap_err();
        assert_eq!(problem, "`2` in `0_2` is none of the setting `words`; add it there");
    }

    #[test]
    fn patterns_that_make_no_sense() {
        for (pattern, expected) in [
            ("{name}", "fields out of"),
            ("{label", "a `}` behind each"),
            ("{label}{index}", "something between"),
            ("{speaker}_{index}", "{text} or {label} once"),
            ("{text}_{label}", "{text} or {label} once"),
        ] {
            let problem = read(pattern, &[], "a").unwrap_err();
            assert!(
                problem.starts_with(&format!("pattern is {pattern}; expected {expected}")),
                "{problem}"
            );
        }
        assert!(read("{text}", &["no"], "a").unwrap_err().starts_with("words is no; expected"));
    }
}
