//! `gruvy inspect`: what a model's gates do on an input, as a page and as pictures.

use crate::args::InspectArgs;
use crate::args::settings::TableFlags;
use crate::input::inputs;
use crate::model;
use crate::screen::Screen;
use crate::task::classify;
use crate::task::forecast::series::{self, Ask};
use anyhow::{Context, Result, bail};
use gruvy::inspect::{Example, Report, ReportConfig, Trace};
use gruvy::music::{MusicPart, pieces_for, rolls_for, tunes_as_files};
use gruvy::speech::audio;
use gruvy::text::EMBEDDED_TALES;
use gruvy_data::Input;
use gruvy_data::music::{Music, read_music};
use gruvy_data::text::{TextKind, read_text};
use gruvy_runtime::{
    Codec,
    classify::Classifier,
    forecast::Forecaster,
    items::Items,
    model::{ModelFile, write_atomic},
    text::{TextCodec, TextUnit},
};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Steps that a model reads at least, if there are so many: what is counted needs more than what is
/// shown.
const READ_STEPS: usize = 400;

/// Runs the subcommand.
///
/// # Errors
/// When a model or the input cannot be read, they do not fit each other, or a file cannot be
/// written.
pub fn run(args: &InspectArgs, seed: Option<u64>, screen: &Screen) -> Result<ExitCode> {
    let (models, input) = sort_out(args)?;
    let source = Source { args, input, seed: seed.unwrap_or(1), screen };
    let report = if args.gradient_flow {
        several(models, &source, args.layer)?
    } else {
        let config = ReportConfig { layer: args.layer, steps: args.steps, units: args.units };
        one(&models[0], &source, &config)?
    };
    let page = args.out.clone().unwrap_or_else(|| default_page(models, args.gradient_flow));
    let mut files = Vec::new();
    if args.out.is_some() || !screen.json() {
        files.push(("page", page, report.to_html().into_bytes()));
    }
    if let Some(path) = &args.svg {
        files.push(("picture", path.clone(), report.to_svg()?.into_bytes()));
    }
    if let Some(path) = &args.png {
        files.push(("picture", path.clone(), report.to_png()?));
    }
    for (what, path, bytes) in &files {
        let flag = if *what == "page" { "--out" } else { "--svg or --png" };
        let place = || format!("the {what} ({flag} chooses another place)");
        write_atomic(path, bytes).with_context(place)?;
    }
    screen.result(|| json!(report), || as_text(&report, &files))?;
    report.notes.iter().for_each(|note| screen.note(note));
    Ok(ExitCode::SUCCESS)
}

/// Where the sequence comes from.
struct Source<'a> {
    /// What was asked; without an input, models of text read the embedded tales.
    args: &'a InspectArgs,
    input: Option<&'a Path>,
    /// For models that make their own.
    seed: u64,
    screen: &'a Screen,
}

impl Source<'_> {
    fn trace<'m>(&self, path: &Path, model: &'m ModelFile) -> Result<Trace<'m>> {
        let steps = self.args.steps.max(READ_STEPS);
        let example = match (&model.codec, self.args.text.is_some() || self.input.is_some()) {
            (Codec::Text(codec), _) => {
                let text = self.text(codec)?;
                Example::of_text(model, &text, steps)?
            }
            (Codec::Classify(_), true) => Example::of_item(model, &self.items(model)?, steps)?,
            (Codec::Classify(_), false) => {
                bail!("a classifier needs an input: give a file of items, or --text TEXT")
            }
            (Codec::Forecast(_), _) if self.args.text.is_some() => {
                bail!("a forecast model reads series, no text: give a table")
            }
            (Codec::Forecast(_), _) => {
                let data: Vec<PathBuf> = self.input.iter().map(|path| path.to_path_buf()).collect();
                let ask = Ask {
                    model: path,
                    file: Some(model),
                    data: &data,
                    format: TableFlags::none(),
                    samples: Forecaster::SAMPLES,
                };
                Example::of_series(model, &series::open(ask, None, self.screen)?.panel)?
            }
            (Codec::Music(_) | Codec::Events(_), _) if self.args.text.is_some() => {
                bail!("a model of music reads MIDI files, no text: give one")
            }
            (Codec::Music(codec), _) => {
                let rolls = rolls_for(codec, &self.music()?, MusicPart::Test)?;
                Example::of_music(model, &rolls[0], steps)?
            }
            (Codec::Events(_), _) => {
                let pieces = pieces_for(&self.music()?, MusicPart::Test)?;
                Example::of_events(model, &pieces[0], steps)?
            }
            (Codec::Speech(codec), true) if self.args.text.is_none() => {
                let input = Input::from(self.input.unwrap_or(Path::new("-")));
                let rate = codec.front_end()?.sample_rate_hz;
                Example::of_sound(model, &audio(&input, Some(rate), [None, None])?.0, steps)?
            }
            (Codec::Speech(_), _) => bail!("a model of speech listens to a recording: give one"),
            (_, false) => Example::generated(model, self.seed)?,
            (codec, true) => bail!(
                "a model of the task `{}` makes its own input: leave INPUT and --text out, --seed \
                 chooses one",
                codec.task()
            ),
        };
        Ok(Trace::new(model, example)?)
    }

    /// What a model of music hears: without an input, the embedded tunes.
    fn music(&self) -> Result<Music> {
        Ok(match self.input {
            Some(path) => read_music(&inputs(&[path.to_path_buf()])?)?,
            None => tunes_as_files(),
        })
    }

    /// What a model of text reads.
    fn text(&self, codec: &TextCodec) -> Result<Vec<u8>> {
        let kind = match codec.unit() {
            TextUnit::Byte => TextKind::Bytes,
            TextUnit::Char | TextUnit::Bpe => TextKind::Utf8,
        };
        match (&self.args.text, self.input) {
            (Some(text), _) => Ok(text.clone().into_bytes()),
            (None, Some(path)) => Ok(read_text(&inputs(&[path.to_path_buf()])?, kind)?.bytes),
            (None, None) => Ok(known_tales(codec)),
        }
    }

    /// What a classifier is asked about.
    fn items(&self, model: &ModelFile) -> Result<Items> {
        if let Some(text) = &self.args.text {
            return Ok(Items::Text(vec![text.clone()]));
        }
        let (classifier, paths) =
            (Classifier::from_file(model)?, self.input.map(Path::to_path_buf));
        let paths: Vec<PathBuf> = paths.into_iter().collect();
        Ok(classify::read(&classifier, &paths, &TableFlags::none(), false, self.screen)?.items)
    }
}

/// The embedded tales without the characters that a model has never seen.
fn known_tales(codec: &TextCodec) -> Vec<u8> {
    let unseen = codec.unseen(EMBEDDED_TALES);
    EMBEDDED_TALES.chars().filter(|c| !unseen.contains(c)).collect::<String>().into_bytes()
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
            "{} paths given; expected a model and an input: --gradient-flow compares several \
             models",
            args.paths.len()
        ),
    }
}

/// One model in detail.
fn one(path: &Path, source: &Source, config: &ReportConfig) -> Result<Report> {
    let model = model::open(path)?.model;
    let name = path.display().to_string();
    let trace = source.trace(path, &model).with_context(|| name.clone())?;
    Ok(Report::new(&name, &trace, config)?)
}

/// The gradient flow of several models.
fn several(paths: &[PathBuf], source: &Source, layer: Option<usize>) -> Result<Report> {
    if layer.is_some() {
        bail!("--layer has no meaning with --gradient-flow, which goes through all layers");
    }
    let open = |path: &PathBuf| Ok((path.display().to_string(), model::open(path)?.model));
    let models = paths.iter().map(open).collect::<Result<Vec<_>>>()?;
    let mut traces = Vec::new();
    for (path, (name, model)) in paths.iter().zip(&models) {
        traces.push((name.clone(), source.trace(path, model).with_context(|| name.clone())?));
    }
    Ok(Report::of_flows(&traces)?)
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
fn as_text(report: &Report, files: &[(&str, PathBuf, Vec<u8>)]) -> String {
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
        if !parts.is_empty() {
            rows.push((format!("layer {}{direction}", layer.layer), parts.join("; ")));
        }
    }
    for line in &report.flow {
        let at = |d: &usize| Some(format!("{:.1e} after {d}", line.norms.get(*d)?));
        let norms: Vec<String> = [1, 10, 100].iter().filter_map(at).collect();
        rows.push((format!("gradient, {}", line.label), norms.join(", ")));
    }
    rows.extend(files.iter().map(|(what, path, _)| ((*what).into(), path.display().to_string())));
    let width = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    let line = |(name, value): &(String, String)| format!("{name:width$}  {value}");
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}
