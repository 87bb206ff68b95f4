//! `gruvy generate`: text from a model, shown as it comes.

use super::flags::GenerateArgs;
use crate::model;
use crate::screen::Screen;
use crate::stop;
use anyhow::{Context, Result};
use gruvy::text::Generating;
use gruvy_runtime::text::{Sampling, TextCodec, TextModel};
use serde_json::json;
use std::io::{self, Read, Write};
use std::ops::ControlFlow;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};

/// Runs the subcommand.
///
/// # Errors
/// When the model cannot be read, a setting is impossible or stdout cannot be written.
pub fn run(args: &GenerateArgs, seed: Option<u64>, screen: &Screen) -> Result<ExitCode> {
    let opened = model::open(&args.model)?;
    let model =
        TextModel::from_file(&opened.model).with_context(|| opened.path.display().to_string())?;
    let stop = stop::on_ctrl_c()?;
    let prompt = read_prompt(args.prompt.as_deref())?;
    warn_unseen(model.codec(), &prompt, screen);
    let mut how = Generating::default();
    args.how.apply(&mut how)?;
    how.check()?;
    let sampling = how.sampling(seed.unwrap_or_else(stop::fresh_seed));
    let mut samples = Vec::new();
    for index in 0..how.samples {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        if index > 0 && !screen.json() {
            println_stdout("----")?;
        }
        let sampling = Sampling { seed: sampling.seed.wrapping_add(index), ..sampling.clone() };
        let sample = write_sample(&model, &sampling, &prompt, how.length, screen.json(), &stop)?;
        samples
            .push(json!({ "text": sample.text, "tokens": sample.tokens, "seed": sampling.seed }));
    }
    if screen.json() {
        screen.result(
            || json!({ "model": args.model, "prompt": prompt, "samples": samples }),
            String::new,
        )?;
    } else if seed.is_none() && screen.verbose() {
        screen.note(format!("--seed {} writes the same again", sampling.seed));
    }
    Ok(ExitCode::SUCCESS)
}

/// A text that a model wrote.
pub struct Sample {
    /// What follows the prompt.
    pub text: String,
    /// Tokens drawn.
    pub tokens: usize,
}

/// Lets the model go on from `prompt`, on stdout token by token unless `silent`, until `length`
/// tokens are there or `stop` is set.
///
/// # Errors
/// When a setting is impossible or stdout cannot be written.
pub fn write_sample(
    model: &TextModel,
    sampling: &Sampling,
    prompt: &str,
    length: usize,
    silent: bool,
    stop: &AtomicBool,
) -> Result<Sample> {
    let mut generator = model.stream(sampling, 1)?;
    generator.prompt(prompt)?;
    let mut out = io::stdout().lock();
    let mut show = |text: &str| -> io::Result<()> {
        if silent || text.is_empty() {
            return Ok(());
        }
        out.write_all(text.as_bytes())?;
        out.flush()
    };
    show(prompt)?;
    let (mut text, mut shown) = (String::new(), Ok(()));
    let tokens = generator.generate(length, |_, piece| {
        text.push_str(piece);
        shown = show(piece);
        if shown.is_err() || stop.load(Ordering::Relaxed) {
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    })?;
    shown?;
    show("\n")?;
    Ok(Sample { text, tokens })
}

fn read_prompt(prompt: Option<&str>) -> Result<String> {
    match prompt {
        Some("-") => {
            let mut text = String::new();
            io::stdin()
                .read_to_string(&mut text)
                .context("could not read the prompt from stdin")?;
            Ok(text)
        }
        Some(text) => Ok(text.to_owned()),
        None => Ok(String::new()),
    }
}

/// Says which characters of the prompt the model has never seen.
fn warn_unseen(codec: &TextCodec, prompt: &str, screen: &Screen) {
    let unseen = codec.unseen(prompt);
    if !unseen.is_empty() {
        let list: Vec<String> = unseen.iter().map(|c| format!("{c:?}")).collect();
        screen.warn(format!(
            "the model has never seen {}, which the prompt contains: read as an unknown character",
            list.join(", ")
        ));
    }
}

fn println_stdout(line: &str) -> io::Result<()> {
    writeln!(io::stdout(), "{line}")
}
