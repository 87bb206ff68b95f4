//! Our engine: the kernels, driven line by line over stdin and stdout. The README has the protocol.
//!
//! `gruvy-bench THREADS [CELL [REGULARISER]]`
mod layer;

use anyhow::{Context, Result};
use gruvy_kernels::{Cell, Isa};
use layer::{Buffers, Layer, Mode, Regular};
use serde::Deserialize;
use serde_json::{Value, json};
use std::{
    env, fs,
    io::{self, Write},
    path::PathBuf,
    time::Instant,
};

#[derive(Deserialize)]
#[serde(tag = "op", rename_all = "lowercase")]
enum Request {
    Load { file: PathBuf },
    Answer { mode: Mode, file: PathBuf },
    Time { mode: Mode, calls: usize },
    Peak { mode: Mode },
}

fn time((layer, buffers): &mut (Layer, Buffers), mode: Mode, calls: usize) -> Vec<f64> {
    let call = |_| {
        let start = Instant::now();
        layer.run(buffers, mode);
        start.elapsed().as_secs_f64()
    };
    (0..calls).map(call).collect()
}

/// Bytes that the process holds at the most during a call, beyond those it held before (Linux).
fn peak((layer, buffers): &mut (Layer, Buffers), mode: Mode) -> Result<u64> {
    // The mark of the most so far goes down to what is held now.
    fs::write("/proc/self/clear_refs", "5")?;
    let before = memory("VmRSS")?;
    layer.run(buffers, mode);
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
    let usage = "usage: gruvy-bench THREADS [CELL [REGULARISER]]";
    let threads = args.next().context(usage)?.parse()?;
    let cell = Cell::from_name(args.next().as_deref().unwrap_or("gru")).context("unknown cell")?;
    let regular = Regular::from_name(args.next().as_deref().unwrap_or(""))?;
    rayon::ThreadPoolBuilder::new().num_threads(threads).build_global()?;
    let say = |line: Value| {
        println!("{line}");
        io::stdout().flush()
    };
    let version = format!("{} {:?}", env!("CARGO_PKG_VERSION"), Isa::best());
    say(json!({ "version": version, "modes": Mode::ALL }))?;

    let mut layer = None;
    for line in io::stdin().lines() {
        match serde_json::from_str(&line?)? {
            Request::Load { file } => {
                layer = Some(Layer::read(cell, regular, &file)?);
                say(json!({}))?;
            }
            Request::Answer { mode, file } => {
                let (layer, buffers) = layer.as_mut().context("answer before load")?;
                layer.answer(buffers, mode, &file)?;
                say(json!({}))?;
            }
            Request::Time { mode, calls } => {
                let layer = layer.as_mut().context("time before load")?;
                say(json!({ "seconds": time(layer, mode, calls) }))?;
            }
            Request::Peak { mode } => {
                let layer = layer.as_mut().context("peak before load")?;
                say(json!({ "bytes": peak(layer, mode)? }))?;
            }
        }
    }
    Ok(())
}
