//! The `gruvy` command: arguments to library calls, results to the screen.
//!
//! What was typed ([`args::Cli`]) becomes a [`screen::Screen`] and one library call per subcommand,
//! each in its own file. Data goes to stdout, everything else to stderr. Exit status: 0 success, 1
//! a negative answer, 2 an error with one clear message.

mod args;
mod command;
mod input;
mod model;
mod progress;
mod screen;
mod stop;
mod table;
mod task;
mod training;

use anyhow::{Context, Result};
use args::{Cli, Command};
use screen::Screen;
use std::io;
use std::num::NonZero;
use std::process::ExitCode;
use std::thread::available_parallelism;

fn main() -> ExitCode {
    match run(Cli::typed()) {
        Ok(code) => code,
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("gruvy: {}{}", screen::readable(&error), hint(&error));
            ExitCode::from(2)
        }
    }
}

fn run(cli: Cli) -> Result<ExitCode> {
    // More threads than cores only wait for each other.
    let cores = available_parallelism().map_or(usize::MAX, NonZero::get);
    let threads = cli.common.threads.map_or(0, |threads| threads.get().min(cores));
    // This thread is one of the pool: what it has divided it begins at once, where a thread outside
    // would sleep until another has been woken to begin for it. 0: as many as the process may
    // use cores.
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .use_current_thread()
        .build_global()
        .context("could not start threads")?;
    let screen = Screen::new(&cli.common);
    match cli.command {
        Command::Train(args) => command::train::run(*args, cli.common.seed, &screen),
        Command::Compare(args) => command::compare::run(*args, cli.common.seed, &screen),
        Command::Generate(args) => task::text::generate::run(&args, cli.common.seed, &screen),
        Command::Predict(args) => task::classify::predict::run(*args, &screen),
        Command::Explain(args) => task::classify::explain::run(&args, &screen),
        Command::Forecast(args) => task::forecast::run(*args, cli.common.seed, &screen),
        Command::Backtest(args) => task::forecast::backtest::run(*args, cli.common.seed, &screen),
        Command::Compose(args) => task::music::compose::compose(&args, cli.common.seed, &screen),
        Command::Harmonize(args) => {
            task::music::compose::harmonize(&args, cli.common.seed, &screen)
        }
        Command::Transcribe(args) => task::speech::transcribe::transcribe(&args, &screen),
        Command::Align(args) => task::speech::transcribe::align(&args, &screen),
        Command::Listen(args) => task::speech::listen::run(&args, &screen),
        Command::Eval(args) => command::eval::run(&args, cli.common.seed, &screen),
        Command::Data(args) => command::data::run(&args, &screen),
        Command::Info(args) => command::info::run(&args, &screen),
        Command::Inspect(args) => command::inspect::run(&args, cli.common.seed, &screen),
        Command::Demo(args) => command::demo::run(&args, cli.common.seed, &screen),
        Command::Bench(args) => command::bench::run(args, &screen),
    }
}

/// The flags for what an error of the library says can be done.
fn hint(error: &anyhow::Error) -> &'static str {
    use gruvy::Error;
    match error.chain().find_map(|cause| cause.downcast_ref::<Error>()) {
        Some(Error::RunExists(_)) => " (--resume, --force, --out)",
        Some(Error::InUse { .. } | Error::DataChanged { .. }) => " (--out)",
        Some(Error::Runtime(gruvy_runtime::Error::Memory { .. })) => {
            ": smaller values of --hidden and --batch take less"
        }
        _ => "",
    }
}

/// Whoever read our output stopped reading (`gruvy generate m | head`): no error of ours.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    use gruvy_runtime::Error;
    error.chain().any(|cause| {
        let written = match cause.downcast_ref::<Error>() {
            Some(Error::Io { error, .. }) => Some(error),
            _ => cause.downcast_ref::<io::Error>(),
        };
        written.is_some_and(|e| e.kind() == io::ErrorKind::BrokenPipe)
    })
}
