//! Music on a grid, divided into parts.
use super::config::{GRIDS, MusicConfig};
use crate::error::{Error, Result};
use gruvy_data::music::{Content, Music, Verdict};
use gruvy_runtime::Remark;
use gruvy_runtime::music::{MusicCodec, Piece, Quantised, Roll, Sound};
use gruvy_runtime::random::Fnv;
use serde::Serialize;

/// A grid is fine enough if notes begin so near to it in the mean, in quarter notes.
const NEAR: f64 = 1.0 / 64.0;
/// Files that are named one by one.
const NAMED: usize = 5;

/// Rolls by part.
#[derive(Clone, Debug, Default)]
pub struct Parts {
    /// To learn from.
    pub train: Vec<Roll>,
    /// To validate on.
    pub valid: Vec<Roll>,
    /// To test on.
    pub test: Vec<Roll>,
    /// What was chosen and found.
    pub notes: Vec<Remark>,
}

impl Parts {
    /// Puts music on a grid, and divides what is not divided already: equal rolls stay together,
    /// so that nothing that is learned from is tested on.
    ///
    /// # Errors
    /// If there is no music, or a piece is too long.
    pub fn new(music: &Music, config: &MusicConfig) -> Result<Self> {
        music.require()?;
        let mut parts = Self { notes: unread(music), ..Self::default() };
        for rolls in music.rolls() {
            parts.train.extend(rolls.train.iter().cloned());
            parts.valid.extend(rolls.valid.iter().cloned());
            parts.test.extend(rolls.test.iter().cloned());
        }
        let pieces: Vec<&Piece> = music.pieces().filter(|piece| !piece.notes.is_empty()).collect();
        let drums = music.pieces().filter(|piece| piece.notes.is_empty()).count();
        if drums > 0 {
            let why = format!("files of drums alone, which are not learned: {drums}");
            parts.notes.push(why.into());
        }
        if pieces.is_empty() {
            return Ok(parts);
        }
        if !parts.train.is_empty() {
            let why = "MIDI files and piano rolls together: expected one kind";
            return Err(Error::Data(why.into()));
        }
        let grid = match config.grid {
            0 => by_error(&pieces, &mut parts.notes)?,
            given => given,
        };
        let (mut rolls, sums) = on_grid(&pieces, grid)?;
        parts.notes.extend(told(&sums, grid));
        rolls.sort_by_cached_key(fingerprint);
        let count = |percent: f64| (rolls.len() as f64 * percent / 100.0).round() as usize;
        let (valid, test) = (count(config.split.valid), count(config.split.test));
        let train = rolls.len().saturating_sub(valid + test).max(1);
        parts.test = rolls.split_off((train + valid).min(rolls.len()));
        parts.valid = rolls.split_off(train);
        parts.train = rolls;
        Ok(parts)
    }
}

/// Rolls that a model can hear: of MIDI files all of them, of piano rolls those of a part.
///
/// # Errors
/// If there is no music, or none in that part.
pub fn rolls_for(codec: &MusicCodec, music: &Music, part: MusicPart) -> Result<Vec<Roll>> {
    music.require()?;
    let grid = if codec.steps_per_quarter == 0 { 4 } else { codec.steps_per_quarter };
    let mut all = Vec::new();
    for content in music.files.iter().filter_map(|file| file.content.as_ref()) {
        match content {
            Content::Piece(piece) => all.push(Roll::from_piece(piece, grid)?.0),
            Content::Rolls(rolls) => all.extend_from_slice(match part {
                MusicPart::Train => &rolls.train,
                MusicPart::Valid => &rolls.valid,
                MusicPart::Test => &rolls.test,
            }),
        }
    }
    match all.iter().any(|roll| roll.frames.len() > 1) {
        true => Ok(all),
        false => Err(Error::Data("the music has no two steps to measure a model on".into())),
    }
}

/// A part of a file of piano rolls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum MusicPart {
    /// To learn from.
    Train,
    /// To validate on.
    Valid,
    /// To test on.
    #[default]
    Test,
}

impl MusicPart {
    /// All of them, by name.
    pub const ALL: [(&'static str, Self); 3] =
        [("train", Self::Train), ("valid", Self::Valid), ("test", Self::Test)];
}

/// Identifies the frames of a roll.
pub(super) fn fingerprint(roll: &Roll) -> u64 {
    let sound = |sound: &Sound| 2 * sound.key + u8::from(sound.onset);
    let frame = |frame: &Vec<Sound>| [0xff].into_iter().chain(frame.iter().map(sound)).collect();
    Fnv::of(&roll.frames.iter().map(frame).collect::<Vec<Vec<u8>>>().concat())
}

/// What is said of files that were mended or refused.
fn unread(music: &Music) -> Vec<Remark> {
    let of = |verdict: Verdict, what: &str| {
        let files: Vec<String> = music
            .files
            .iter()
            .filter(|file| file.verdict() == verdict)
            .map(|file| format!("{} ({})", file.path.display(), file.reasons.join("; ")))
            .collect();
        let more = match files.len().saturating_sub(NAMED) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let named = files.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
        (!files.is_empty()).then(|| Remark::from(format!("{} {what}: {named}{more}", files.len())))
    };
    [(Verdict::Refused, "files were left out"), (Verdict::Mended, "files were mended")]
        .into_iter()
        .filter_map(|(verdict, what)| of(verdict, what))
        .collect()
}

/// The coarsest grid that the notes lie on, or the nearest.
fn by_error(pieces: &[&Piece], notes: &mut Vec<Remark>) -> Result<u32> {
    let mut best = (f64::INFINITY, GRIDS[0]);
    for (name, steps) in GRIDS.into_iter().filter(|(_, steps)| *steps >= 4) {
        let (_, sums) = on_grid(pieces, steps)?;
        if sums.error < NEAR {
            best = (sums.error, (name, steps));
            break;
        }
        if sums.error < best.0 {
            best = (sums.error, (name, steps));
        }
    }
    let (_, (name, steps)) = best;
    let why = format!("a grid of {name} notes, by where notes begin");
    notes.push(Remark::chosen("grid", name, why));
    Ok(steps)
}

/// The pieces on a grid, and what it did to all their notes.
fn on_grid(pieces: &[&Piece], steps: u32) -> Result<(Vec<Roll>, Quantised)> {
    let (mut rolls, mut sums) = (Vec::with_capacity(pieces.len()), Quantised::default());
    for piece in pieces {
        let (roll, of) = Roll::from_piece(piece, steps)
            .map_err(|error| Error::Data(format!("{}: {error}", piece.name)))?;
        rolls.push(roll);
        let weight = of.notes as f64;
        sums.error += of.error * weight;
        sums.triplets += of.triplets * weight;
        sums.swing += of.swing * weight;
        sums.notes += of.notes;
        sums.beyond += of.beyond;
        sums.merged += of.merged;
    }
    let count = sums.notes.max(1) as f64;
    (sums.error, sums.triplets) = (sums.error / count, sums.triplets / count);
    sums.swing /= count;
    Ok((rolls, sums))
}

/// What is to be said of the grid.
fn told(sums: &Quantised, steps: u32) -> Vec<Remark> {
    let mut notes = vec![Remark::from(format!(
        "{} notes; they begin {:.3} quarter notes off the grid in the mean",
        sums.notes, sums.error
    ))];
    if sums.triplets > 0.05 && !steps.is_multiple_of(3) {
        let why = format!(
            "{:.0} % of the notes are triplets, which the grid has not: a value of the setting \
             `grid` such as 1/24 does",
            100.0 * sums.triplets
        );
        notes.push(why.into());
    } else if sums.swing > 0.1 && !steps.is_multiple_of(3) {
        let why = format!(
            "{:.0} % of the notes come late between two beats, as in swing: the grid evens them",
            100.0 * sums.swing
        );
        notes.push(why.into());
    }
    if sums.beyond > 0 {
        let why = format!("notes beyond the 88 keys of a piano, left out: {}", sums.beyond);
        notes.push(why.into());
    }
    if sums.merged > 0 {
        let why = format!("notes that began at one step of the same key, joined: {}", sums.merged);
        notes.push(why.into());
    }
    notes
}
