//! A network learns from the tales that come with gruvy, and writes.
//!
//! ```text
//! cargo run --release -p gruvy --example write_tales
//! ```
use gruvy::settings::TaskConfig;
use gruvy::text::{TextConfig, TextRun};
use gruvy::train::{RunFolder, Silent, train};
use gruvy_runtime::text::{Sampling, TextModel};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut run = TextRun::default();
    run.train.hidden = 128;
    run.train.epochs = 10;
    let task = TextConfig::load(run.clone())?;

    let out = std::env::temp_dir().join("gruvy-tales");
    let folder = RunFolder::create(out, run.to_toml()?, true)?;
    let outcome = train(&task, &run.train, &folder, &mut Silent, &false.into())?;
    println!("{} steps, on unseen tales: {:?}", outcome.steps, outcome.valid);

    let model = TextModel::open(folder.model_path())?;
    let sampling = Sampling { temperature: 0.6, ..Sampling::default() };
    println!("{}", model.write("Once there was a ", 300, &sampling)?);
    Ok(())
}
