//! `gruvy compose` and `gruvy harmonize`: music of a model, as MIDI, picture and sound.

use super::flags::{ComposeArgs, HarmonizeArgs, PreviewFlags};
use super::sound;
use crate::input::inputs;
use crate::screen::Screen;
use crate::stop;
use anyhow::{Result, bail};
use gruvy::music::judge::{Composed, Distance, Originality, Report};
use gruvy::music::{
    ComposeConfig, ComposeLength, MusicPart, Parts, picture, pieces_for, rolls_for,
};
use gruvy_data::midi;
use gruvy_data::music::{Music, read_music};
use gruvy_runtime::model::{ModelFile, members, open_members, write_atomic};
use gruvy_runtime::music::{
    Composer, Composition, EventCodec, KEYS, LOWEST, Performance, Performer, Piece, Roll,
};
use gruvy_runtime::{Codec, Remark};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::Ordering;

/// Composes.
///
/// # Errors
/// When the model or the primer cannot be read, or a file cannot be written.
pub fn compose(args: &ComposeArgs, seed: Option<u64>, screen: &Screen) -> Result<ExitCode> {
    let (mut how, mut length) = (ComposeConfig::default(), ComposeLength::default());
    args.how.apply(&mut how)?;
    args.length.apply(&mut length)?;
    let seed = seed.unwrap_or_else(stop::fresh_seed);
    let first = ModelFile::read(&members(&args.model)?[0])?;
    let events = matches!(first.codec, Codec::Events(_));
    let wish = Wish { args, first: &first, how, length, seed, screen };
    let made = if events { wish.events()? } else { wish.frames()? };
    // Said before anything is written.
    let corpus = args.report.as_ref().map(|_| Parts::of_model(&args.model)).transpose()?;
    let (mut written, mut composed) = (Vec::new(), Vec::new());
    let stop = stop::on_ctrl_c()?;
    for number in 0..args.count.get() {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let out = match args.count.get() {
            1 => args.out.clone(),
            _ => numbered(&args.out, number + 1),
        };
        let made = made(seed.wrapping_add(number as u64))?;
        written.push(write(&made, &out, &args.preview)?);
        composed.push(made.composed);
    }
    let (pieces, mut words): (Vec<Value>, Vec<String>) = written.into_iter().unzip();
    let mut json = json!({ "pieces": pieces });
    if let (Some(out), Some(corpus)) = (&args.report, corpus) {
        let report = Report::new(composed, &corpus, events, seed);
        let title = format!("Compositions of {}", args.model.display());
        write_atomic(out, report.to_html(&title)?.as_bytes())?;
        words.push(in_words(&report, out));
        json["report"] = json!(report);
    }
    screen.result(|| json, || words.join("\n"))?;
    Ok(ExitCode::SUCCESS)
}

/// A report in short.
fn in_words(report: &Report, page: &Path) -> String {
    let percent = |of: &Originality| 100.0 * of.copied.share;
    let longest = report.pieces.iter().map(|of| of.copied.longest).max().unwrap_or(0);
    let most = report.pieces.iter().map(percent).fold(0.0, f64::max);
    let usual = report.held_back.as_ref().map_or(String::new(), |of| {
        format!(" (unseen pieces: {} and {:.0} %)", of.copied.longest, percent(of))
    });
    let mut text = format!(
        "\nThe longest passage that also occurs in the training music has {longest} notes or \
         chords, and at most {most:.0} % of a piece is copied{usual}.\nHow far from the training \
         music, beside a first-order Markov chain and unseen pieces:\n\
         \x20                   compositions   chain  unseen",
    );
    for Distance { name, composed, chain, held_back } in &report.distances {
        let held_back = held_back.map_or("-".to_owned(), |of| format!("{of:.3}"));
        text += &format!("\n  {name:<18}{composed:>12.3}{chain:>8.3}{held_back:>8}");
    }
    format!("{text}\nreport: {}", page.display())
}

/// What makes a piece from a seed.
type Maker = Box<dyn Fn(u64) -> Result<Made>>;

/// What is to be composed, and by what.
struct Wish<'a> {
    args: &'a ComposeArgs,
    /// The first of the models, read already.
    first: &'a ModelFile,
    how: ComposeConfig,
    length: ComposeLength,
    seed: u64,
    screen: &'a Screen,
}

impl Wish<'_> {
    /// By a model of frames.
    fn frames(self) -> Result<Maker> {
        let Self { args, first, how, length, seed, screen } = self;
        let models = open_members(&args.model, Some(first), Composer::from_file)?;
        let composer = Composer::ensemble(models)?;
        let primer = match &args.primer {
            Some(path) => read(&composer, path, args.given.transpose, screen)?,
            None => composer.codec().blank(),
        };
        let primer = in_tempo(primer, how.tempo);
        let steps = length.steps(&primer)?;
        say(&composer.remarks(&primer, &how.composing(steps, seed)?)?, screen);
        Ok(Box::new(move |seed| {
            Ok(Made::of(&composer.compose(Some(&primer), &how.composing(steps, seed)?)?, seed))
        }))
    }

    /// By a model of events.
    fn events(self) -> Result<Maker> {
        let Self { args, first, how, length, seed, screen } = self;
        let models = open_members(&args.model, Some(first), Performer::from_file)?;
        let performer = Performer::ensemble(models)?;
        let (seconds, performing) = (length.time()?, how.performing(length.time()?, seed)?);
        let primer = match &args.primer {
            Some(path) => {
                let primer = pieces_for(&music(path, screen)?, MusicPart::Test)?.swap_remove(0);
                let primer = primer.transposed(args.given.transpose);
                if EventCodec::roll(&primer)?.frames.is_empty() {
                    bail!("{} has no note on the 88 keys of a piano", path.display());
                }
                say(&performer.remarks(&primer, &performing)?, screen);
                Some(primer)
            }
            None => None,
        };
        Ok(Box::new(move |seed| {
            let made = performer.perform(primer.as_ref(), &how.performing(seconds, seed)?)?;
            Made::performed(&made, seed)
        }))
    }
}

/// Harmonises.
///
/// # Errors
/// When the model or the melody cannot be read, or a file cannot be written.
pub fn harmonize(args: &HarmonizeArgs, seed: Option<u64>, screen: &Screen) -> Result<ExitCode> {
    let composer = Composer::open(&args.model)?;
    let mut how = ComposeConfig::default();
    args.how.apply(&mut how)?;
    let melody = read(&composer, &args.melody, args.given.transpose, screen)?;
    let melody = in_tempo(melody, how.tempo);
    let steps = melody.frames.len();
    let composing = how.composing(steps, seed.unwrap_or_else(stop::fresh_seed))?;
    say(&composer.remarks(&melody, &composing)?, screen);
    let made = composer.harmonize(&melody, &composing, args.tries.get())?;
    let (json, words) = write(&Made::of(&made, composing.sampling.seed), &args.out, &args.preview)?;
    screen.result(|| json, || words)?;
    Ok(ExitCode::SUCCESS)
}

/// The music of a file, with what was mended said.
fn music(path: &Path, screen: &Screen) -> Result<Music> {
    let music = read_music(&inputs(&[path.to_owned()])?)?;
    for file in music.files.iter().filter(|file| file.content.is_some()) {
        for reason in &file.reasons {
            screen.note(format!("{}: {reason}", file.path.display()));
        }
    }
    Ok(music)
}

/// The first piece of a file, on the grid of a model, so many semitones higher.
fn read(composer: &Composer, path: &Path, by: i32, screen: &Screen) -> Result<Roll> {
    let music = music(path, screen)?;
    let roll = rolls_for(composer.codec(), &music, MusicPart::Test)?.swap_remove(0).transposed(by);
    if roll.frames.iter().all(Vec::is_empty) {
        bail!("{} has no note on the 88 keys of a piano", path.display());
    }
    let piano = i32::from(LOWEST)..i32::from(LOWEST) + KEYS as i32;
    let notes = music.pieces().next().map_or(&[][..], |piece| &piece.notes);
    match notes.iter().filter(|note| !piano.contains(&(i32::from(note.key) + by))).count() {
        0 => {}
        beyond => screen.note(format!(
            "{}: notes beyond the 88 keys of a piano, left out: {beyond}",
            path.display()
        )),
    }
    Ok(roll)
}

/// Says in what the given music is unlike that which the model learned from.
fn say(remarks: &[Remark], screen: &Screen) {
    Remark::sentences(remarks).into_iter().for_each(|remark| screen.note(remark));
}

fn in_tempo(roll: Roll, tempo: Option<f64>) -> Roll {
    match tempo {
        Some(tempo) => roll.with_tempo(tempo),
        None => roll,
    }
}

/// `out.mid` as `out-2.mid`.
fn numbered(out: &Path, number: usize) -> PathBuf {
    let stem = out.file_stem().unwrap_or_default().to_string_lossy();
    let end = out.extension().map(|end| format!(".{}", end.to_string_lossy())).unwrap_or_default();
    out.with_file_name(format!("{stem}-{number}{end}"))
}

/// A piece, ready to be written.
pub struct Made {
    piece: Piece,
    /// As it is drawn and judged.
    composed: Composed,
    facts: Value,
    words: String,
}

impl Made {
    /// Of what was composed from a seed.
    pub fn of(made: &Composition, seed: u64) -> Self {
        let piece = made.roll.to_piece();
        let seconds = made.roll.seconds();
        let facts = json!({
            "seed": seed, "steps": made.roll.frames.len(), "primer_steps": made.primer,
            "notes": piece.notes.len(), "seconds": seconds, "nats_per_step": made.nats_per_step,
        });
        let notes = piece.notes.len();
        let words = format!(
            "{notes} notes, {seconds:.1} s, {:.2} nats a step, --seed {seed}",
            made.nats_per_step
        );
        let (roll, primer) = (made.roll.clone(), made.primer);
        let surprise = made.surprise[primer..].to_vec();
        Self { piece, composed: Composed { roll, primer, surprise }, facts, words }
    }

    /// Of what was performed from a seed.
    ///
    /// # Errors
    /// When it is too long to be drawn.
    pub fn performed(made: &Performance, seed: u64) -> Result<Self> {
        let (notes, seconds) = (made.piece.notes.len(), made.seconds);
        let facts = json!({
            "seed": seed, "events": made.surprise.len(), "primer_seconds": made.primer,
            "notes": notes, "seconds": seconds, "nats_per_event": made.nats_per_event,
        });
        let words = format!(
            "{notes} notes, {seconds:.1} s, {:.2} nats an event, --seed {seed}",
            made.nats_per_event
        );
        let (roll, primer) = made.roll()?;
        let surprise = made.surprise[made.given..].to_vec();
        let composed = Composed { roll, primer, surprise };
        Ok(Self { piece: made.piece.clone(), composed, facts, words })
    }
}

/// Writes a piece; gives what is said of it as JSON and in words.
///
/// # Errors
/// When a file cannot be written.
pub fn write(made: &Made, out: &Path, preview: &PreviewFlags) -> Result<(Value, String)> {
    write_atomic(out, &midi::write(&made.piece))?;
    let mut files = vec![out.to_owned()];
    if !preview.no_preview {
        files.extend(beside(made, out, preview.soundfont.as_deref())?);
    }
    let names: Vec<String> = files.iter().map(|file| file.display().to_string()).collect();
    let mut json = made.facts.clone();
    json["files"] = json!(files);
    Ok((json, format!("{}: {}", made.words, names.join(", "))))
}

/// Writes pictures and sound beside a MIDI file.
fn beside(made: &Made, out: &Path, font: Option<&Path>) -> Result<Vec<PathBuf>> {
    let drawn = picture(&made.composed.roll, made.composed.primer);
    let mut files = vec![
        (out.with_extension("svg"), drawn.to_svg()?.into_bytes()),
        (out.with_extension("png"), drawn.to_png()?),
    ];
    let wav = sound::wav(&made.piece, font)?;
    files.extend(wav.map(|wav| (out.with_extension("wav"), wav)));
    for (path, bytes) in &files {
        write_atomic(path, bytes)?;
    }
    Ok(files.into_iter().map(|(path, _)| path).collect())
}
