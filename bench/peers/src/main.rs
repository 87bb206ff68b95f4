//! Other implementations in Rust, driven line by line over stdin and stdout. The README beside the driver has
//! the protocol.
//!
//! `gruvy-peers ENGINE THREADS [CELL]`
mod burn;
mod case;
mod rten;
mod tract;

use anyhow::{Context, Result, bail};
use case::{Case, Tensor};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::{
    env,
    io::{self, Write},
    path::PathBuf,
    time::Instant,
};

/// What one call does; `infer` has its weights prepared beforehand.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Mode {
    Forward,
    Infer,
    Train,
}

#[derive(Deserialize)]
#[serde(tag = "op", rename_all = "lowercase")]
enum Request {
    Load { file: PathBuf },
    Answer { mode: Mode, file: PathBuf },
    Time { mode: Mode, calls: usize },
}

/// One layer of an implementation with its inputs.
trait Engine: Sized {
    /// The package that does the work, as it is called in `Cargo.lock`.
    const PACKAGE: &str;
    const MODES: &[Mode];
    /// What a call computes: finished, in whatever form is the implementation's own.
    type Computed;

    fn load(cell: &str, threads: usize, case: &Case) -> Result<Self>;
    fn run(&self, mode: Mode) -> Result<Self::Computed>;
    /// By the names and in the layout that the driver compares.
    fn tensors(&self, computed: Self::Computed) -> Result<Vec<(String, Tensor)>>;
}

fn serve<E: Engine>(cell: &str, threads: usize) -> Result<()> {
    let say = |line: Value| {
        println!("{line}");
        io::stdout().flush()
    };
    say(json!({ "version": locked_version(E::PACKAGE), "modes": E::MODES }))?;
    let mut engine = None;
    for line in io::stdin().lines() {
        match serde_json::from_str(&line?)? {
            Request::Load { file } => {
                engine = Some(E::load(cell, threads, &Case::read(&file)?)?);
                say(json!({}))?;
            }
            Request::Answer { mode, file } => {
                let engine = engine.as_ref().context("answer before load")?;
                case::write(&file, engine.tensors(engine.run(mode)?)?)?;
                say(json!({}))?;
            }
            Request::Time { mode, calls } => {
                let engine = engine.as_ref().context("time before load")?;
                let seconds = (0..calls).map(|_| time(engine, mode)).collect::<Result<Vec<_>>>()?;
                say(json!({ "seconds": seconds }))?;
            }
        }
    }
    Ok(())
}

fn time<E: Engine>(engine: &E, mode: Mode) -> Result<f64> {
    let start = Instant::now();
    let computed = engine.run(mode)?;
    let seconds = start.elapsed().as_secs_f64();
    drop(computed);
    Ok(seconds)
}

/// The version that was built, which the manifest alone need not say.
fn locked_version(package: &str) -> &'static str {
    let lock = include_str!("../Cargo.lock");
    let version = lock.split_once(&format!("name = \"{package}\"\nversion = \""));
    version.and_then(|(_, rest)| rest.split('"').next()).unwrap_or("unknown")
}

fn main() -> Result<()> {
    let mut args = env::args().skip(1);
    let usage = "usage: gruvy-peers ENGINE THREADS [CELL]";
    let engine = args.next().context(usage)?;
    let threads = args.next().context(usage)?.parse()?;
    let cell = args.next().unwrap_or("gru".into());
    match engine.as_str() {
        "burn" => serve::<burn::Layer>(&cell, threads),
        "rten" => serve::<rten::Layer>(&cell, threads),
        "tract" => serve::<tract::Layer>(&cell, threads),
        other => bail!("unknown engine {other}: choose burn, rten or tract"),
    }
}
