//! The command as a user runs it, in a folder of its own.
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

/// A folder in which the command runs.
pub struct Place(TempDir);

/// What a command left behind.
pub struct Said {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Place {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.path(name), content).unwrap();
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// A text with something to learn, about 4 kB, as `tales.txt`.
    pub fn with_text() -> Self {
        let place = Self::new();
        let animals = ["fox", "hen", "crow", "old goat"];
        let text: String = (0..100)
            .map(|i| format!("The {} saw the {}.\n", animals[i % 4], animals[i * i % 3]))
            .collect();
        place.write("tales.txt", text);
        place
    }

    /// A model of eight units in the run folder `run`, trained on `tales.txt`.
    pub fn with_model() -> Self {
        let place = Self::with_text();
        place.gruvy(&train("run", &[])).success();
        place
    }

    /// The command, silent and deaf.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gruvy"));
        command.args(args).current_dir(self.0.path());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    /// The command, heard but deaf.
    pub fn piped(&self, args: &[&str]) -> Command {
        let mut command = self.command(args);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    pub fn gruvy(&self, args: &[&str]) -> Said {
        self.piped(args).output().unwrap().into()
    }

    /// Changes the header of a model file, as parsed JSON, and keeps its data.
    pub fn edit_header(&self, name: &str, edit: impl FnOnce(&mut Value)) {
        let bytes = fs::read(self.path(name)).unwrap();
        let (length, rest) = bytes.split_first_chunk::<8>().unwrap();
        let (header, data) = rest.split_at(u64::from_le_bytes(*length) as usize);
        let mut json: Value = serde_json::from_slice(header).unwrap();
        edit(&mut json);
        let header = json.to_string().into_bytes();
        let length = (header.len() as u64).to_le_bytes();
        self.write(name, [&length, header.as_slice(), data].concat());
    }
}

impl From<Output> for Said {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let code = output.status.code().unwrap_or(-1);
        Self { code, out: text(output.stdout), err: text(output.stderr) }
    }
}

impl Said {
    pub fn success(self) -> Self {
        assert_eq!(self.code, 0, "stderr: {}", self.err);
        self
    }

    /// Exit 2, nothing on stdout, one message that contains every part.
    pub fn error(self, parts: &[&str]) {
        assert_eq!(self.code, 2, "stdout: {} stderr: {}", self.out, self.err);
        assert_eq!(self.out, "");
        let start = self.err.find("gruvy: ").expect("a message");
        let message = &self.err[start..];
        for part in parts {
            assert!(message.contains(part), "{part:?} is not in: {}", self.err);
        }
    }

    pub fn json(self) -> Value {
        serde_json::from_str(&self.success().out).unwrap()
    }
}

/// Arguments of a training that takes well under a second; of a flag given twice the last counts.
pub fn train<'a>(out: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let tiny = "--hidden 8 --embed 4 --batch 4 --seq-len 16 --epochs 2 --warmup 2 --seed 3";
    let mut args = vec!["train", "text", "tales.txt", "--out", out];
    args.extend(tiny.split(' '));
    args.extend(more);
    args
}

/// The evaluations of a run without the time they took, which no two runs share.
pub fn records(run: &Path) -> Vec<Value> {
    let text = fs::read_to_string(run.join("metrics.jsonl")).unwrap();
    let parse = |line| {
        let mut record: Value = serde_json::from_str(line).unwrap();
        for clock in ["elapsed_s", "train_s"] {
            record.as_object_mut().unwrap().remove(clock).unwrap();
        }
        record
    };
    text.lines().map(parse).collect()
}
