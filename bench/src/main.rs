//! Our engine: the kernels, driven line by line over stdin and stdout. The README has the protocol.
//!
//! `gruvy-bench THREADS`
mod layer;

use anyhow::{Context, Result};
use gruvy_kernels::Isa;
use layer::{Layer, Mode};
use serde::Deserialize;
use serde_json::{Value, json};
use std::{
    env,
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
}

fn time(layer: &mut Layer, mode: Mode, calls: usize) -> Vec<f64> {
    let call = |_| {
        let start = Instant::now();
        layer.run(mode);
        start.elapsed().as_secs_f64()
    };
    (0..calls).map(call).collect()
}

fn main() -> Result<()> {
    let threads = env::args().nth(1).context("usage: gruvy-bench THREADS")?.parse()?;
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
                layer = Some(Layer::read(&file)?);
                say(json!({}))?;
            }
            Request::Answer { mode, file } => {
                layer.as_mut().context("answer before load")?.answer(mode, &file)?;
                say(json!({}))?;
            }
            Request::Time { mode, calls } => {
                let layer = layer.as_mut().context("time before load")?;
                say(json!({ "seconds": time(layer, mode, calls) }))?;
            }
        }
    }
    Ok(())
}
