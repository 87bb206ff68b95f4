//! `gruvy compose` and `gruvy harmonize`: music of a model, as MIDI, picture and sound.

use super::flags::{ComposeArgs, HarmonizeArgs, PreviewFlags};
use super::sound;
use crate::input::inputs;
use crate::screen::Screen;
use crate::stop;
use anyhow::{Result, bail};
use gruvy::music::{ComposeConfig, ComposeLength, MusicPart, picture, rolls_for};
use gruvy_data::midi;
use gruvy_data::music::read_music;
use gruvy_runtime::model::write_atomic;
use gruvy_runtime::music::{Composer, Composing, Composition, Piece, Roll};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::Ordering;

/// Composes.
///
/// # Errors
/// When the model or the primer cannot be read, or a file cannot be written.
pub fn compose(args: &ComposeArgs, seed: Option<u64>, screen: &Screen) -> Result<ExitCode> {
    let composer = Composer::open(&args.model)?;
    let (mut how, mut length) = (ComposeConfig::default(), ComposeLength::default());
    args.how.apply(&mut how)?;
    args.length.apply(&mut length)?;
    let primer = match &args.primer {
        Some(path) => read(&composer, path, screen)?,
        None => composer.codec().blank(),
    };
    let primer = Roll { tempo: how.tempo.unwrap_or(primer.tempo), ..primer };
    let (steps, seed) = (length.steps(&primer)?, seed.unwrap_or_else(stop::fresh_seed));
    let stop = stop::on_ctrl_c()?;
    let mut written = Vec::new();
    for number in 0..args.count.get() {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let composing = how.composing(steps, seed.wrapping_add(number as u64))?;
        let made = composer.compose(Some(&primer), &composing)?;
        let out = match args.count.get() {
            1 => args.out.clone(),
            _ => numbered(&args.out, number + 1),
        };
        written.push(write(&made, &composing, &out, &args.preview)?);
    }
    screen.result(
        || json!({ "pieces": written.iter().map(|(json, _)| json).collect::<Vec<_>>() }),
        || written.iter().map(|(_, words)| words.as_str()).collect::<Vec<_>>().join("\n"),
    )?;
    Ok(ExitCode::SUCCESS)
}

/// Harmonises.
///
/// # Errors
/// When the model or the melody cannot be read, or a file cannot be written.
pub fn harmonize(args: &HarmonizeArgs, seed: Option<u64>, screen: &Screen) -> Result<ExitCode> {
    let composer = Composer::open(&args.model)?;
    let mut how = ComposeConfig::default();
    args.how.apply(&mut how)?;
    let melody = read(&composer, &args.melody, screen)?;
    let melody = Roll { tempo: how.tempo.unwrap_or(melody.tempo), ..melody };
    let steps = melody.frames.len();
    let composing = how.composing(steps, seed.unwrap_or_else(stop::fresh_seed))?;
    let made = composer.harmonize(&melody, &composing, args.tries.get())?;
    let (json, words) = write(&made, &composing, &args.out, &args.preview)?;
    screen.result(|| json, || words)?;
    Ok(ExitCode::SUCCESS)
}

/// The first piece of a file, on the grid of a model.
fn read(composer: &Composer, path: &Path, screen: &Screen) -> Result<Roll> {
    let music = read_music(&inputs(&[path.to_owned()])?)?;
    for file in music.files.iter().filter(|file| file.content.is_some()) {
        for reason in &file.reasons {
            screen.note(format!("{}: {reason}", file.path.display()));
        }
    }
    let mut rolls = rolls_for(composer.codec(), &music, MusicPart::Test)?;
    if rolls[0].frames.iter().all(Vec::is_empty) {
        bail!("{} has no note on the 88 keys of a piano", path.display());
    }
    Ok(rolls.swap_remove(0))
}

/// `out.mid` as `out-2.mid`.
fn numbered(out: &Path, number: usize) -> PathBuf {
    let stem = out.file_stem().unwrap_or_default().to_string_lossy();
    let end = out.extension().map(|end| format!(".{}", end.to_string_lossy())).unwrap_or_default();
    out.with_file_name(format!("{stem}-{number}{end}"))
}

/// Writes a piece; gives what is said of it as JSON and in words.
///
/// # Errors
/// When a file cannot be written.
pub fn write(
    made: &Composition,
    composing: &Composing,
    out: &Path,
    preview: &PreviewFlags,
) -> Result<(Value, String)> {
    let piece = made.roll.to_piece();
    write_atomic(out, &midi::write(&piece))?;
    let mut files = vec![out.to_owned()];
    if !preview.no_preview {
        files.extend(beside(made, &piece, out, preview.soundfont.as_deref())?);
    }
    let seconds = made.roll.frames.len() as f64 * made.roll.step_seconds();
    let names: Vec<String> = files.iter().map(|file| file.display().to_string()).collect();
    let json = json!({
        "files": files, "seed": composing.sampling.seed, "steps": made.roll.frames.len(),
        "primer_steps": made.primer, "notes": piece.notes.len(), "seconds": seconds,
        "nats_per_step": made.nats_per_step,
    });
    let words = format!(
        "{} notes, {seconds:.1} s, {:.2} nats a step, --seed {}: {}",
        piece.notes.len(),
        made.nats_per_step,
        composing.sampling.seed,
        names.join(", ")
    );
    Ok((json, words))
}

/// Writes pictures and sound beside a MIDI file.
fn beside(
    made: &Composition,
    piece: &Piece,
    out: &Path,
    font: Option<&Path>,
) -> Result<Vec<PathBuf>> {
    let drawn = picture(&made.roll, made.primer);
    let mut files = vec![
        (out.with_extension("svg"), drawn.to_svg()?.into_bytes()),
        (out.with_extension("png"), drawn.to_png()?),
    ];
    let wav = sound::wav(piece, font)?;
    files.extend(wav.map(|wav| (out.with_extension("wav"), wav)));
    for (path, bytes) in &files {
        write_atomic(path, bytes)?;
    }
    Ok(files.into_iter().map(|(path, _)| path).collect())
}
