//! `gruvy listen`: what is said, as sound comes.

use super::flags::ListenArgs;
use crate::screen::Screen;
use crate::stop;
use anyhow::{Context, Result};
use gruvy::speech::Blocks;
use gruvy_data::Input;
use gruvy_runtime::speech::{Heard, Transcriber, TranscriptStream};
use serde_json::json;
use std::io::{self, IsTerminal, Read, Write};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Listens.
///
/// # Errors
/// When the model or the recording cannot be read, or the model needs the end first.
pub fn run(args: &ListenArgs, screen: &Screen) -> Result<ExitCode> {
    let transcriber = Transcriber::open(&args.model)?;
    let rate = transcriber.codec().front_end()?.sample_rate_hz;
    let mut listener = Listener {
        stream: transcriber.stream(args.endpoint)?,
        rate,
        samples: 0,
        computed: Duration::ZERO,
        screen,
        stop: stop::on_ctrl_c()?,
    };
    match &args.file {
        Some(path) => {
            let mut blocks = Blocks::open(&Input::from(path.as_path()), rate)?;
            let began = Instant::now();
            while let Some(block) = blocks.next()? {
                // As a sound card gives it: a twentieth of a second at a time.
                for part in block.chunks((rate as usize / 20).max(1)) {
                    if !listener.take(part)? {
                        return listener.end();
                    }
                    let due = Duration::from_secs_f64(listener.samples as f64 / f64::from(rate));
                    if args.live {
                        std::thread::sleep(due.saturating_sub(began.elapsed()));
                    }
                }
            }
            blocks.remarks().iter().for_each(|remark| screen.note(remark));
        }
        None => listener.stdin()?,
    }
    listener.end()
}

struct Listener<'a> {
    stream: TranscriptStream,
    rate: u32,
    samples: u64,
    /// Time that was spent on all samples.
    computed: Duration,
    screen: &'a Screen,
    stop: std::sync::Arc<AtomicBool>,
}

impl Listener<'_> {
    /// Samples of standard input, as they come.
    fn stdin(&mut self) -> Result<()> {
        if io::stdin().is_terminal() {
            anyhow::bail!(
                "sound is expected on stdin, as from: arecord -q -f S16_LE -r {} -c 1 -t raw | …, or \
                 give a file",
                self.rate
            );
        }
        let mut input = io::stdin().lock();
        let (mut bytes, mut buffer) = (Vec::new(), [0; 4096]);
        loop {
            let count = input.read(&mut buffer).context("cannot read standard input")?;
            if count == 0 {
                return Ok(());
            }
            bytes.extend_from_slice(&buffer[..count]);
            let (whole, _) = bytes.as_chunks::<2>();
            let sample = |two: &[u8; 2]| f32::from(i16::from_le_bytes(*two)) / 32_768.0;
            let samples: Vec<f32> = whole.iter().map(sample).collect();
            bytes.drain(..2 * samples.len());
            if !self.take(&samples)? {
                return Ok(());
            }
        }
    }

    /// Takes samples; whether to go on.
    fn take(&mut self, samples: &[f32]) -> Result<bool> {
        let began = Instant::now();
        let heard = self.stream.push(samples)?;
        self.computed += began.elapsed();
        self.samples += samples.len() as u64;
        self.say(&heard)?;
        Ok(!self.stop.load(Ordering::Relaxed))
    }

    fn say(&self, heard: &[Heard]) -> Result<()> {
        let mut out = io::stdout().lock();
        let seconds = self.samples as f64 / f64::from(self.rate);
        for one in heard {
            match (one, self.screen.json()) {
                (Heard::Partial(said), true) => {
                    writeln!(
                        out,
                        "{}",
                        json!({ "event": "partial", "at": seconds, "text": said.text })
                    )?;
                }
                (Heard::Final(said), true) => {
                    let event = json!({
                        "event": "final", "at": seconds, "text": said.text, "words": said.words,
                    });
                    writeln!(out, "{event}")?;
                }
                (Heard::Partial(_), false) => {}
                (Heard::Final(said), false) => writeln!(out, "{}", said.text)?,
            }
        }
        Ok(out.flush()?)
    }

    fn end(mut self) -> Result<ExitCode> {
        let heard = self.stream.finish()?;
        self.say(&heard)?;
        let seconds = self.samples as f64 / f64::from(self.rate);
        let factor = self.computed.as_secs_f64() / seconds.max(1e-9);
        self.screen.note(format!(
            "{seconds:.1} s heard; real-time factor {factor:.4} (a second of sound takes {:.1} ms)",
            1000.0 * factor
        ));
        Ok(ExitCode::SUCCESS)
    }
}
