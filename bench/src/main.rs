//! Our engine: the kernels, driven line by line over stdin and stdout. The README has the protocol.
//!
//! `gruvy-bench THREADS [CELL [REGULARISER]]`, or `gruvy-bench THREADS ctc`
mod ctc;
mod layer;
mod work;

use anyhow::{Context, Result};
use ctc::Loss;
use gruvy_kernels::{Cell, Isa};
use layer::{Layer, Mode, Regular};
use serde::Deserialize;
use serde_json::{Value, json};
use std::{
    env, fs,
    io::{self, Write},
    path::{Path, PathBuf},
    time::Instant,
};
use work::Work;

/// Reads a case of the driver.
type Read = Box<dyn Fn(&Path) -> Result<Box<dyn Work>>>;

#[derive(Deserialize)]
#[serde(tag = "op", rename_all = "lowercase")]
enum Request {
    Load { file: PathBuf },
    Answer { mode: Mode, file: PathBuf },
    Time { mode: Mode, calls: usize },
    Peak { mode: Mode },
}

fn time(work: &mut dyn Work, mode: Mode, calls: usize) -> Vec<f64> {
    let call = |_| {
        let start = Instant::now();
        work.run(mode);
        start.elapsed().as_secs_f64()
    };
    (0..calls).map(call).collect()
}

/// Bytes that the process holds at the most during a call, beyond those it held before (Linux).
fn peak(work: &mut dyn Work, mode: Mode) -> Result<u64> {
    // The mark of the most so far goes down to what is held now.
    fs::write("/proc/self/clear_refs", "5")?;
    let before = memory("VmRSS")?;
    work.run(mode);
    Ok(memory("VmHWM")? - before)
}

/// A size in `/proc/self/status`, in bytes.
fn memory(name: &str) -> Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find(|line| line.starts_with(name)).context("no such size")?;
    let kib: u64 = line.split_whitespace().nth(1).context("no number")?.parse()?;
    Ok(kib * 1024)
}

fn main() -> Result<()> {
    let mut args = env::args().skip(1);
    let usage = "usage: gruvy-bench THREADS [CELL [REGULARISER] | ctc]";
    let threads = args.next().context(usage)?.parse()?;
    let cell = args.next().unwrap_or("gru".to_owned());
    let regular = Regular::from_name(args.next().as_deref().unwrap_or(""))?;
    let (modes, read): (&[Mode], Read) = match &cell[..] {
        "ctc" => (&Loss::MODES, Box::new(|file| Ok(Box::new(Loss::read(file)?)))),
        cell => {
            let cell = Cell::from_name(cell).context("unknown cell")?;
            (&Mode::ALL, Box::new(move |file| Ok(Box::new(Layer::read(cell, regular, file)?))))
        }
    };
    rayon::ThreadPoolBuilder::new().num_threads(threads).build_global()?;
    let say = |line: Value| {
        println!("{line}");
        io::stdout().flush()
    };
    let version = format!("{} {:?}", env!("CARGO_PKG_VERSION"), Isa::best());
    say(json!({ "version": version, "modes": modes }))?;

    let mut work = None;
    for line in io::stdin().lines() {
        match serde_json::from_str(&line?)? {
            Request::Load { file } => {
                work = Some(read(&file)?);
                say(json!({}))?;
            }
            Request::Answer { mode, file } => {
                let work = work.as_mut().context("answer before load")?;
                work.answer(mode, &file)?;
                say(json!({}))?;
            }
            Request::Time { mode, calls } => {
                let work = work.as_mut().context("time before load")?;
                say(json!({ "seconds": time(work.as_mut(), mode, calls) }))?;
            }
            Request::Peak { mode } => {
                let work = work.as_mut().context("peak before load")?;
                say(json!({ "bytes": peak(work.as_mut(), mode)? }))?;
            }
        }
    }
    Ok(())
}
