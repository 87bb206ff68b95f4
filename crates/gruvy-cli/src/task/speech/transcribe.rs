//! `gruvy transcribe` and `gruvy align`: what is said in recordings, and when.

use super::flags::{AlignArgs, Format, TranscribeArgs};
use crate::input::inputs;
use crate::screen::Screen;
use anyhow::{Context, Result, bail};
use gruvy::speech::{audio, transcribe_file};
use gruvy_data::Input;
use gruvy_runtime::model::write_atomic;
use gruvy_runtime::speech::{Transcriber, Transcript};
use serde_json::{Value, json};
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

/// Transcribes.
///
/// # Errors
/// When the model or a recording cannot be read, or the file cannot be written.
pub fn transcribe(args: &TranscribeArgs, screen: &Screen) -> Result<ExitCode> {
    let transcriber = Transcriber::open(&args.model)?;
    let how = args.search.decoding()?;
    let (mut all, mut written) = (Vec::new(), Vec::new());
    for (path, input) in args.files.iter().zip(inputs(&args.files)?) {
        let began = Instant::now();
        let done = transcribe_file(&transcriber, &input, &how)?;
        let took = began.elapsed().as_secs_f64();
        for remark in &done.remarks {
            screen.note(format!("{}: {remark}", path.display()));
        }
        screen.note(format!(
            "{}: {:.1} s in {took:.2} s, {:.0} times real time",
            path.display(),
            done.seconds,
            done.seconds / took.max(1e-6)
        ));
        all.push(json!({
            "file": path, "seconds": done.seconds, "took_s": took,
            "text": done.transcript.text, "words": done.transcript.words,
        }));
        let named = args.files.len() > 1 && args.format == Format::Text;
        let name = if named { format!("{}: ", path.display()) } else { String::new() };
        written.push(format!("{name}{}", form(&done.transcript, args.format).trim_end()));
    }
    give(&written.join("\n"), || json!({ "recordings": all }), args.out.as_deref(), screen)
}

/// Aligns.
///
/// # Errors
/// When the model or the recording cannot be read, or the text is none of the recording.
pub fn align(args: &AlignArgs, screen: &Screen) -> Result<ExitCode> {
    let transcriber = Transcriber::open(&args.model)?;
    let text = match (&args.text, &args.text_file) {
        (Some(text), _) => text.clone(),
        (None, Some(path)) => std::fs::read_to_string(path)
            .with_context(|| format!("cannot read {}", path.display()))?,
        (None, None) => bail!("give the text: a file, or --text TEXT"),
    };
    let rate = transcriber.codec().front_end()?.sample_rate_hz;
    let input = Input::from(args.file.as_path());
    let (audio, remarks) = audio(&input, Some(rate), [None, None])?;
    remarks.iter().for_each(|remark| screen.note(remark));
    let aligned = transcriber.align(&audio, &text)?;
    let words = match args.format {
        Format::Text => {
            let line = |word: &gruvy_runtime::speech::Word| {
                format!("{:8.2} {:8.2}  {}", word.start, word.end, word.text)
            };
            aligned.words.iter().map(line).collect::<Vec<_>>().join("\n")
        }
        other => form(&aligned, other),
    };
    give(words.trim_end(), || json!(aligned), args.out.as_deref(), screen)
}

fn form(transcript: &Transcript, format: Format) -> String {
    match format {
        Format::Text => transcript.text.clone(),
        Format::Srt => transcript.to_srt(),
        Format::Vtt => transcript.to_vtt(),
    }
}

fn give(
    text: &str,
    json: impl FnOnce() -> Value,
    out: Option<&Path>,
    screen: &Screen,
) -> Result<ExitCode> {
    if let Some(path) = out {
        write_atomic(path, format!("{text}\n").as_bytes())?;
        screen.note(format!("written to {}", path.display()));
        if !screen.json() {
            return Ok(ExitCode::SUCCESS);
        }
    }
    screen.result(json, || text.to_owned())?;
    Ok(ExitCode::SUCCESS)
}
