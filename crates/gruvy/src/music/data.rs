//! Music in parts, on a grid or in its own time.
use super::config::{GRIDS, HeadKind, MusicConfig, MusicRun};
use super::tunes;
use crate::error::{Error, Result};
use crate::settings::split::Split;
use crate::train::task::Part;
use gruvy_data::music::{Content, Music, Rolls, Verdict, read_music};
use gruvy_runtime::Remark;
use gruvy_runtime::music::{EventCodec, MusicCodec, Note, Piece, Quantised, Roll, Sound};
use gruvy_runtime::random::Fnv;
use serde::Serialize;
use std::path::Path;

/// A grid is fine enough if notes begin so near to it in the mean, in quarter notes.
const NEAR: f64 = 1.0 / 64.0;
/// Files that are named one by one.
const NAMED: usize = 5;

/// Music by part.
#[derive(Clone, Debug)]
pub struct Parts<T> {
    /// To learn from.
    pub train: Vec<T>,
    /// To validate on.
    pub valid: Vec<T>,
    /// To test on.
    pub test: Vec<T>,
    /// Whether all are in one key, as the piano rolls of the literature: unless it is asked for,
    /// they are not transposed.
    pub one_key: bool,
    /// What was chosen and found.
    pub notes: Vec<Remark>,
}

impl<T> Parts<T> {
    fn new(notes: Vec<Remark>) -> Self {
        Self { train: Vec::new(), valid: Vec::new(), test: Vec::new(), one_key: false, notes }
    }

    /// One part.
    pub fn of(&self, part: Part) -> &[T] {
        match part {
            Part::Train => &self.train,
            Part::Valid => &self.valid,
            Part::Test => &self.test,
        }
    }

    /// The same parts of other values.
    ///
    /// # Errors
    /// That of `to`.
    pub fn map<U>(&self, to: impl Fn(&T) -> Result<U>) -> Result<Parts<U>> {
        let of = |part: &[T]| part.iter().map(&to).collect::<Result<Vec<U>>>();
        let [train, valid, test] = [of(&self.train)?, of(&self.valid)?, of(&self.test)?];
        Ok(Parts { train, valid, test, one_key: self.one_key, notes: self.notes.clone() })
    }

    /// Divides pieces into parts. Those that are equal by their `print` stay together, so that
    /// nothing that is learned from is tested on.
    fn divide(&mut self, mut pieces: Vec<T>, split: &Split, print: impl Fn(&T) -> u64) {
        pieces.sort_by_cached_key(&print);
        let count = |percent: f64| (pieces.len() as f64 * percent / 100.0).round() as usize;
        let (valid, test) = (count(split.valid), count(split.test));
        let together = |mut at: usize| {
            while at > 0 && at < pieces.len() && print(&pieces[at - 1]) == print(&pieces[at]) {
                at += 1;
            }
            at.min(pieces.len())
        };
        let train = together(pieces.len().saturating_sub(valid + test).max(1));
        let valid = together((train + valid).min(pieces.len()));
        self.test = pieces.split_off(valid);
        self.valid = pieces.split_off(train);
        self.train = pieces;
    }
}

impl Parts<Roll> {
    /// The music of a run on a grid: of nothing, the embedded tunes.
    ///
    /// # Errors
    /// If there is no music, it cannot be read, or a piece is too long.
    pub fn rolls(run: &MusicRun) -> Result<Self> {
        if run.data.paths.is_empty() {
            let grid = if run.task.grid == 0 { tunes::GRID } else { run.task.grid };
            let own = MusicConfig { grid, ..run.task.clone() };
            return Ok(tunes::named(Self::on_grid(&tunes::tunes_as_files(), &own)?));
        }
        Self::on_grid(&read_music(&run.data.inputs()?)?, &run.task)
    }

    /// Puts music on a grid, and divides what is not divided already.
    ///
    /// # Errors
    /// If there is no music, or a piece is too long.
    pub fn on_grid(music: &Music, config: &MusicConfig) -> Result<Self> {
        let (mut parts, pieces) = sorted(music, Roll::clone)?;
        if pieces.is_empty() {
            return Ok(parts);
        }
        let grid = match config.grid {
            0 => by_error(&pieces, &mut parts.notes)?,
            given => given,
        };
        let (rolls, sums) = on_grid(&pieces, grid)?;
        parts.notes.extend(told(&sums, grid));
        parts.divide(rolls, &config.split, fingerprint);
        Ok(parts)
    }

    /// What the model of a run folder, or the first of several in a folder, was trained on, as
    /// rolls: of a model of events, in sixteenths of a second.
    ///
    /// # Errors
    /// If it is no run folder, or the music cannot be read any more.
    pub fn of_model(path: &Path) -> Result<Self> {
        let Some(run) = MusicRun::of_folder(path)? else {
            let why = format!(
                "{} is no run folder, so the music that it was trained on is not known: give the \
                 folder of the run",
                path.display()
            );
            return Err(Error::Data(why));
        };
        match run.task.head {
            HeadKind::Events => Parts::pieces(&run)?.map(|piece| Ok(EventCodec::roll(piece)?)),
            _ => Self::rolls(&run),
        }
    }
}

impl Parts<Piece> {
    /// The music of a run in its own time: of nothing, the embedded tunes.
    ///
    /// # Errors
    /// If there is no music, or it cannot be read.
    pub fn pieces(run: &MusicRun) -> Result<Self> {
        if run.data.paths.is_empty() {
            return Ok(tunes::named(Self::in_time(&tunes::tunes_as_files(), &run.task)?));
        }
        Self::in_time(&read_music(&run.data.inputs()?)?, &run.task)
    }

    /// Divides what is not divided already.
    ///
    /// # Errors
    /// If there is no music.
    pub fn in_time(music: &Music, config: &MusicConfig) -> Result<Self> {
        let (mut parts, pieces) = sorted(music, Roll::to_piece)?;
        if pieces.is_empty() {
            return Ok(parts);
        }
        let pieces = pieces.into_iter().cloned().collect();
        parts.divide(pieces, &config.split, |piece: &Piece| {
            let numbers = |note: &Note| [note.start, note.end, u64::from(note.key)];
            let bytes = piece.notes.iter().flat_map(numbers).flat_map(u64::to_le_bytes);
            Fnv::of(&bytes.collect::<Vec<u8>>())
        });
        Ok(parts)
    }
}

/// Piano rolls by part, as `to` makes them; and the pieces of MIDI files that have notes.
fn sorted<T>(music: &Music, to: impl Fn(&Roll) -> T) -> Result<(Parts<T>, Vec<&Piece>)> {
    music.require()?;
    let mut parts = Parts::new(unread(music));
    for rolls in music.rolls() {
        parts.train.extend(rolls.train.iter().map(&to));
        parts.valid.extend(rolls.valid.iter().map(&to));
        parts.test.extend(rolls.test.iter().map(&to));
        parts.one_key |= rolls.train.iter().any(|roll| !roll.onsets);
    }
    let pieces: Vec<&Piece> = music.pieces().filter(|piece| !piece.notes.is_empty()).collect();
    let drums = music.pieces().filter(|piece| piece.notes.is_empty()).count();
    if drums > 0 {
        let why = format!("files of drums alone, which are not learned: {drums}");
        parts.notes.push(why.into());
    }
    if !parts.train.is_empty() && !pieces.is_empty() {
        let why = "MIDI files and piano rolls together: expected one kind";
        return Err(Error::Data(why.into()));
    }
    Ok((parts, pieces))
}

/// Pieces that a model of events can hear: of MIDI files all of them, of piano rolls those of a
/// part.
///
/// # Errors
/// If there is no music, or none in that part.
pub fn pieces_for(music: &Music, part: MusicPart) -> Result<Vec<Piece>> {
    music.require()?;
    let mut all = Vec::new();
    for content in music.files.iter().filter_map(|file| file.content.as_ref()) {
        match content {
            Content::Piece(piece) => all.push(piece.clone()),
            Content::Rolls(rolls) => all.extend(part.of(rolls).iter().map(Roll::to_piece)),
        }
    }
    match all.iter().any(|piece| !piece.notes.is_empty()) {
        true => Ok(all),
        false => Err(Error::Data("the music has no notes to measure a model on".into())),
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
            Content::Rolls(rolls) => all.extend_from_slice(part.of(rolls)),
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

    fn of(self, rolls: &Rolls) -> &[Roll] {
        match self {
            Self::Train => &rolls.train,
            Self::Valid => &rolls.valid,
            Self::Test => &rolls.test,
        }
    }
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
