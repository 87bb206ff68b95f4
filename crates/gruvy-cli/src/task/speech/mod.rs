//! Speech on the command line.

pub mod demo;
pub mod flags;
pub mod listen;
pub mod transcribe;

use self::flags::EvalFlags;
use super::door::{Asked, Demo, Task};
use crate::input::inputs;
use crate::screen::Screen;
use anyhow::{Result, bail};
use gruvy::speech::{How, Judged, SpeechConfig, judge, read};
use gruvy_data::speech::SpeechFormat;
use gruvy_runtime::Remark;
use gruvy_runtime::speech::{Hears, SpeechCodec, Transcriber};
use serde_json::{Value, json};

/// The speech task.
#[derive(Debug)]
pub struct Speech;

impl Task for Speech {
    type Config = SpeechConfig;
    type Eval = EvalFlags;
    type Report = ();
    const ABOUT: &'static str = "Learn to transcribe speech";
    const HEADING: &'static str = "Speech";
    const DATA: Option<&'static str> = Some(
        "Recordings with their texts: JSON Lines, CSV or TSV with paths and texts, folders, or \
         .npz; nothing: an embedded synthetic set",
    );
    const USE: [&'static str; 2] = ["transcribe", "transcribe"];
    const DEMO: Option<Demo> = Some(demo::run);

    fn eval(asked: Asked<'_>, flags: EvalFlags, screen: &Screen) -> Result<()> {
        if asked.data.is_empty() {
            bail!(
                "{} is a model of speech: give the recordings to measure it on, with their texts",
                asked.path.display()
            );
        }
        let transcriber = Transcriber::from_file(asked.model)?;
        let how = flags.search.decoding()?;
        let mut notes = Vec::new();
        let mut format = SpeechFormat::default();
        flags.format.apply(&mut format)?;
        let how_read = How::like(&transcriber, format);
        let (recordings, _) = read(&inputs(asked.data)?, &how_read, &mut notes)?;
        Remark::sentences(&notes).into_iter().for_each(|note| screen.note(note));
        let all: Vec<usize> = (0..recordings.len()).collect();
        let judged = judge(&transcriber, &recordings, &all, &how)?;
        screen.result(|| in_full(&judged), || in_words(&judged))
    }
}

fn in_full(judged: &Judged) -> Value {
    let words = judged.words();
    json!({
        "wer": words.rate(), "cer": judged.chars().rate(), "words": words.reference,
        "substitutions": words.substitutions, "insertions": words.insertions,
        "deletions": words.deletions, "recordings": judged.all.len(),
        "worst": judged.worst(20),
    })
}

fn in_words(judged: &Judged) -> String {
    let words = judged.words();
    let mut text = format!(
        "word error rate {:.2} % (substituted {}, inserted {}, deleted {}, of {} words in {} \
         recordings), character error rate {:.2} %",
        100.0 * words.rate(),
        words.substitutions,
        words.insertions,
        words.deletions,
        words.reference,
        judged.all.len(),
        100.0 * judged.chars().rate()
    );
    if words.reference > 0 && judged.said() == 0.0 {
        text += "\nThe model says nothing at any step: models of speech begin so. Train longer \
                 (--epochs), or on more recordings.";
    }
    for one in judged.worst(5) {
        text +=
            &format!("\n  {}\n    said:  {}\n    heard: {}", one.name, one.text, one.heard.text);
    }
    text
}

/// What `gruvy info` says of the codec.
pub fn info(codec: &SpeechCodec) -> (Value, String) {
    let hears = match &codec.hears {
        Hears::Sound(front_end) => format!(
            "sound at {} Hz, a step of {} values every {:.0} ms",
            front_end.sample_rate_hz,
            front_end.width(),
            1000.0 * front_end.step_seconds()
        ),
        Hears::Numbers(scaling) => format!("{} numbers a step", scaling.mean.len()),
    };
    (json!(codec), format!("{hears}; {} labels", codec.labels.classes() - 1))
}
