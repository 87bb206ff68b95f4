//! `gruvy inspect`: what a model's gates do on an input, as a page and as pictures.

use crate::args::InspectArgs;
use crate::model;
use crate::screen::Screen;
use anyhow::{Context, Result, bail};
use gruvy::inspect::{Example, Report, ReportConfig, Trace};
use gruvy::tasks::text::EMBEDDED_TALES;
use gruvy_runtime::{ModelFile, write_atomic};
use serde_json::json;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Steps that a model reads at least, if there are so many: what is counted needs more than what is shown.
const READ_STEPS: usize = 400;

/// Runs the subcommand.
///
/// # Errors
/// When a model or the input cannot be read, they do not fit each other, or a file cannot be written.
pub fn run(args: &InspectArgs, screen: &Screen) -> Result<ExitCode> {
    let (models, input) = sort_out(args)?;
    let text = read(args, input)?;
    let report = if args.gradient_flow {
        several(models, &text, args)?
    } else {
        one(&models[0], &text, args)?
    };
    let page = args.out.clone().unwrap_or_else(|| default_page(models, args.gradient_flow));
    let mut written = Vec::new();
    if args.out.is_some() || !screen.json() {
        written.push(("page", page.as_path(), report.to_html().into_bytes()));
    }
    if let Some(path) = &args.svg {
        written.push(("picture", path, report.to_svg()?.into_bytes()));
    }
    for (_, path, bytes) in &written {
        write_atomic(path, bytes)?;
    }
    let files: Vec<_> = written.iter().map(|(what, path, _)| (*what, *path)).collect();
    screen.result(|| json!(report), || as_text(&report, &files))?;
    report.notes.iter().for_each(|note| screen.note(note));
    Ok(ExitCode::SUCCESS)
}

/// Which of the paths are models, and which is the input.
fn sort_out(args: &InspectArgs) -> Result<(&[PathBuf], Option<&Path>)> {
    let input = args.input.as_deref();
    match args.paths.as_slice() {
        models if args.gradient_flow => Ok((models, input)),
        [model] => Ok((std::slice::from_ref(model), input)),
        [model, file] if args.text.is_none() && input.is_none() => {
            Ok((std::slice::from_ref(model), Some(file)))
        }
        [_, file] => bail!(
            "there are two inputs: {} and that of {}",
            file.display(),
            if args.text.is_some() { "--text" } else { "--input" }
        ),
        _ => bail!(
            "{} paths given; expected a model and an input: --gradient-flow compares several models",
            args.paths.len()
        ),
    }
}

/// The text to read.
fn read(args: &InspectArgs, input: Option<&Path>) -> Result<Vec<u8>> {
    match (&args.text, input) {
        (Some(text), _) => Ok(text.clone().into_bytes()),
        (None, Some(path)) if path == Path::new("-") => {
            let mut text = Vec::new();
            io::stdin().read_to_end(&mut text).context("could not read the input from stdin")?;
            Ok(text)
        }
        (None, Some(path)) => {
            fs::read(path).with_context(|| format!("cannot read {}", path.display()))
        }
        (None, None) => Ok(EMBEDDED_TALES.into()),
    }
}

/// One model in detail.
fn one(path: &Path, text: &[u8], args: &InspectArgs) -> Result<Report> {
    let model = model::open(path)?.model;
    let trace = trace(&model, text, args).with_context(|| path.display().to_string())?;
    let config = ReportConfig { layer: args.layer, steps: args.steps, units: args.units };
    Ok(Report::new(&path.display().to_string(), &trace, &config)?)
}

/// The gradient flow of several models.
fn several(paths: &[PathBuf], text: &[u8], args: &InspectArgs) -> Result<Report> {
    if args.layer.is_some() {
        bail!("--layer has no meaning with --gradient-flow, which goes through all layers");
    }
    let open = |path: &PathBuf| Ok((path.display().to_string(), model::open(path)?.model));
    let models = paths.iter().map(open).collect::<Result<Vec<_>>>()?;
    let trace = |(name, model)| {
        let trace = trace(model, text, args).with_context(|| String::clone(name))?;
        Ok((name.clone(), trace))
    };
    let pairs = models.iter().map(|(name, model)| (name, model));
    Ok(Report::of_flows(&pairs.map(trace).collect::<Result<Vec<_>>>()?)?)
}

fn trace<'m>(model: &'m ModelFile, text: &[u8], args: &InspectArgs) -> Result<Trace<'m>> {
    let example = Example::of_text(model, text, args.steps.max(READ_STEPS))?;
    Ok(Trace::new(model, example)?)
}

/// In the run folder of a model; else, and for several, in the current folder.
fn default_page(models: &[PathBuf], gradient_flow: bool) -> PathBuf {
    match models {
        _ if gradient_flow => "gradient-flow.html".into(),
        [run] if run.is_dir() => run.join("inspect.html"),
        _ => "inspect.html".into(),
    }
}

/// The numbers that fit in a few lines, and the files.
fn as_text(report: &Report, files: &[(&str, &Path)]) -> String {
    let mut rows: Vec<(String, String)> = Vec::new();
    for model in &report.models {
        let loss = model.mean_loss.map_or(String::new(), |loss| format!(", mean loss {loss:.4}"));
        let shape = format!("{}, {} x {} units{loss}", model.cell, model.layers, model.hidden);
        rows.push((model.name.clone(), shape));
    }
    for layer in &report.layers {
        let direction = if layer.reverse { " reverse" } else { "" };
        let mut parts = Vec::new();
        if let (Some(longest), Some(middle)) =
            (layer.half_lives.first(), layer.half_lives.get(layer.half_lives.len() / 2))
        {
            let lives = format!("half-lives up to {:.1} steps, median {:.1}", longest.1, middle.1);
            parts.push(lives);
        }
        let gates = layer.maps.iter().filter_map(|map| Some((&map.name, map.saturation?)));
        parts.extend(gates.map(|(name, [low, high])| {
            format!("{name} {:.0} % low, {:.0} % high", low * 100.0, high * 100.0)
        }));
        rows.push((format!("layer {}{direction}", layer.layer), parts.join("; ")));
    }
    for line in &report.flow {
        let at = |d: &usize| Some(format!("{:.1e} after {d}", line.norms.get(*d)?));
        let norms: Vec<String> = [1, 10, 100].iter().filter_map(at).collect();
        rows.push((format!("gradient, {}", line.label), norms.join(", ")));
    }
    rows.extend(files.iter().map(|(what, path)| ((*what).into(), path.display().to_string())));
    let width = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    let line = |(name, value): &(String, String)| format!("{name:width$}  {value}");
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}
