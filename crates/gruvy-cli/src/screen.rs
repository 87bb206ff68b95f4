//! Where the output goes: data to stdout, words about it to stderr, one JSON object instead of
//! data.

use crate::args::common::Common;
use anyhow::Result;
use gruvy_runtime::Remark;
use serde_json::Value;
use std::ffi::OsStr;
use std::io::{self, IsTerminal, Write};

/// How much is said, and in what form.
#[derive(Clone, Copy, Debug)]
pub struct Screen {
    json: bool,
    quiet: bool,
    verbose: bool,
    terminal: bool,
}

impl Screen {
    /// The screen that the common flags ask for.
    pub fn new(common: &Common) -> Self {
        Self {
            json: common.json,
            quiet: common.quiet,
            verbose: common.verbose,
            terminal: io::stderr().is_terminal(),
        }
    }

    /// Results are one JSON object.
    pub fn json(&self) -> bool {
        self.json
    }

    /// More detail is wanted.
    pub fn verbose(&self) -> bool {
        self.verbose
    }

    /// A progress bar makes sense: someone looks at a terminal and wants words.
    pub fn shows_bar(&self) -> bool {
        self.terminal && !self.quiet
    }

    /// Words about the work, to stderr; silent under `--quiet`.
    pub fn note(&self, text: impl AsRef<str>) {
        if !self.quiet {
            say(text.as_ref());
        }
    }

    /// What was chosen or noticed, as [`note`](Self::note).
    pub fn remarks(&self, remarks: &[Remark]) {
        Remark::sentences(remarks).into_iter().for_each(|sentence| self.note(sentence));
    }

    /// Something is likely not as meant, to stderr, always.
    pub fn warn(&self, text: impl AsRef<str>) {
        say(&format!("warning: {}", text.as_ref()));
    }

    /// The result: `json` under `--json`, else `text`, to stdout with a line end.
    ///
    /// # Errors
    /// When stdout cannot be written.
    pub fn result(
        &self,
        json: impl FnOnce() -> Value,
        text: impl FnOnce() -> String,
    ) -> Result<()> {
        let mut out = io::stdout().lock();
        if self.json {
            writeln!(out, "{:#}", json())?;
        } else {
            writeln!(out, "{}", text())?;
        }
        Ok(out.flush()?)
    }
}

/// One line to stderr. Nobody reading it is no reason to stop working.
fn say(text: &str) {
    let _ = writeln!(io::stderr(), "{}", as_flags(text));
}

/// The library speaks of settings, a person on a command line types flags: ``the setting `fill` ``
/// is `--fill`, and ``the setting `fill=zero` `` is `--fill zero`.
pub fn as_flags(text: &str) -> String {
    const MARK: &str = "the setting `";
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(MARK) {
        out.push_str(before);
        let name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        let end = after.find(|c| !name(c)).unwrap_or(after.len());
        let (setting, tail) = after.split_at(end);
        let flag = setting.replace('_', "-");
        if let Some(tail) = tail.strip_prefix('`').filter(|_| !setting.is_empty()) {
            out.push_str(&format!("--{flag}"));
            rest = tail;
        } else if let Some((value, tail)) = tail
            .strip_prefix('=')
            .and_then(|tail| tail.split_once('`'))
            .filter(|_| !setting.is_empty())
        {
            out.push_str(&format!("--{flag} {value}"));
            rest = tail;
        } else {
            out.push_str(MARK);
            rest = after;
        }
    }
    out.push_str(rest);
    out
}

/// How this command was called, for lines that can be copied: the way to it may not be on the path.
pub fn me() -> String {
    quoted(std::env::args().next().unwrap_or_else(|| "gruvy".to_owned()))
}

/// A word as a shell takes it, for lines that can be copied.
pub fn quoted(word: impl AsRef<OsStr>) -> String {
    let word = word.as_ref().to_string_lossy();
    let plain = |c: char| c.is_alphanumeric() || "-_./,=+:@%".contains(c);
    match !word.is_empty() && word.chars().all(plain) {
        true => word.into_owned(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

/// The chain of causes as one readable line, each said once.
pub fn readable(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain().map(ToString::to_string) {
        let cause = cause.trim_end();
        if text.is_empty() {
            text.push_str(cause);
        } else if !text.contains(cause) {
            text.push_str(": ");
            text.push_str(cause);
        }
    }
    as_flags(&text)
}

/// `1234567` as `1,234,567`.
pub fn thousands(n: usize) -> String {
    let digits = n.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Bytes in the unit that keeps the number short.
pub fn bytes(n: u64) -> String {
    match n {
        0..1_000 => format!("{n} bytes"),
        1_000..1_000_000 => format!("{:.1} kB", n as f64 / 1e3),
        _ => format!("{:.1} MB", n as f64 / 1e6),
    }
}

/// Seconds as a person says them.
pub fn duration(seconds: f64) -> String {
    let seconds = seconds.round() as u64;
    let minutes = seconds / 60;
    match minutes {
        0 => format!("{seconds} s"),
        1..60 => format!("{minutes} min {:02} s", seconds % 60),
        _ => format!("{} h {:02} min", minutes / 60, minutes % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_flags() {
        for (text, flags) in [
            ("name it with the setting `label_column`, or", "name it with --label-column, or"),
            ("the setting `freq=1` takes them", "--freq 1 takes them"),
            ("the setting `a` and the setting `b_c=d e`.", "--a and --b-c d e."),
            ("the setting `` stays, the setting `Hm", "the setting `` stays, the setting `Hm"),
            ("a column `id`", "a column `id`"),
        ] {
            assert_eq!(as_flags(text), flags);
        }
    }

    #[test]
    fn numbers_are_readable() {
        assert_eq!(thousands(0), "0");
        assert_eq!(thousands(999), "999");
        assert_eq!(thousands(1000), "1,000");
        assert_eq!(thousands(1234567), "1,234,567");
        assert_eq!(bytes(999), "999 bytes");
        assert_eq!(bytes(1_500), "1.5 kB");
        assert_eq!(duration(59.4), "59 s");
        assert_eq!(duration(59.9), "1 min 00 s");
        assert_eq!(duration(61.0), "1 min 01 s");
        assert_eq!(duration(3_700.0), "1 h 01 min");
    }

    #[test]
    fn words_are_quoted_where_a_shell_would_take_them_apart() {
        for (word, expected) in [
            ("runs/book-2", "runs/book-2"),
            ("my run", "'my run'"),
            ("it's", r"'it'\''s'"),
            ("$HOME", "'$HOME'"),
            ("", "''"),
        ] {
            assert_eq!(quoted(word), expected);
        }
    }

    #[test]
    fn the_chain_is_said_once() {
        let error = anyhow::anyhow!("no such file").context("m: no such file").context("eval");
        assert_eq!(readable(&error), "eval: m: no such file");
    }
}
