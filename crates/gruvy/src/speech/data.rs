//! Recordings with what is said in them, and what of them is learned from.
use super::config::{Features, Normalise, SpeechRun, Unit};
use super::recordings::{audio, rate_of};
use crate::error::{Error, Result};
use crate::settings::split::Split;
use crate::train::task::Part;
use gruvy_data::examples::{ExampleFormat, read_examples};
use gruvy_data::speech::{Clip, Like, SpeechFormat, read_clips_like};
use gruvy_data::{Input, from_source};
use gruvy_runtime::Remark;
use gruvy_runtime::audio::{Audio, FeatureKind, FrontEnd, Moments, Normalisation};
use gruvy_runtime::items::{Items, Sequences};
use gruvy_runtime::random::{Fnv, mix};
use gruvy_runtime::speech::{Hears, Labels, Scaling, SpeechCodec, Transcriber, plain};
use gruvy_runtime::text::TextUnit;
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// What the division is drawn from, the same for all seeds.
const SEED: u64 = 0xd1f1de;
/// Samples a second that speech needs.
const USUAL_RATE: u32 = 16_000;
/// Mended recordings that are named one by one.
const NAMED: usize = 5;
/// So many different words are learned as words.
const FEW_WORDS: usize = 100;
/// A running mean begins with the weight of two seconds.
const RUNNING_FRAMES: f32 = 200.0;

/// A recording and what is said in it.
#[derive(Clone, Debug, PartialEq)]
pub struct Utterance {
    /// What it is called.
    pub name: String,
    /// How it sounds.
    pub audio: Audio,
    /// What is said.
    pub text: String,
}

/// Recordings of one kind.
#[derive(Clone, Debug, PartialEq)]
pub enum Recordings {
    /// Of sound.
    Sound(Vec<Utterance>),
    /// Sequences of numbers, and what each says.
    Numbers(Sequences, Vec<String>),
}

impl Recordings {
    /// How many there are.
    pub fn len(&self) -> usize {
        match self {
            Self::Sound(utterances) => utterances.len(),
            Self::Numbers(_, texts) => texts.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What is said in one.
    pub fn text(&self, at: usize) -> &str {
        match self {
            Self::Sound(utterances) => &utterances[at].text,
            Self::Numbers(_, texts) => &texts[at],
        }
    }

    /// The numbers of one: samples `[N]`, or `[T, I]`.
    fn values(&self, at: usize) -> &[f32] {
        match self {
            Self::Sound(utterances) => utterances[at].audio.samples(),
            Self::Numbers(all, _) => all.item(at),
        }
    }

    /// What one is called.
    pub fn name(&self, at: usize) -> String {
        match self {
            Self::Sound(utterances) => utterances[at].name.clone(),
            Self::Numbers(..) => format!("item {}", at + 1),
        }
    }

    fn append(&mut self, other: Self, path: &Path) -> Result<()> {
        match (self, other) {
            (Self::Sound(all), Self::Sound(more)) => all.extend(more),
            (Self::Numbers(all, texts), Self::Numbers(more, of))
                if all.features == more.features =>
            {
                all.append(&more);
                texts.extend(of);
            }
            _ => {
                let what = "holds recordings of another kind than the training data: give sound \
                            beside sound, and arrays with as many numbers a step beside arrays";
                return Err(Error::Data(format!("{} {what}", path.display())));
            }
        }
        Ok(())
    }
}

/// Recordings in parts.
#[derive(Clone, Debug)]
pub struct Divided {
    /// All of them.
    pub recordings: Recordings,
    /// The recordings of each part, as indices.
    parts: [Vec<usize>; 3],
}

impl Divided {
    /// The data of a run, and how they lie in their files.
    ///
    /// # Errors
    /// If they cannot be read, or there is nothing to learn from.
    pub fn load(run: &SpeechRun, notes: &mut Vec<Remark>) -> Result<(Self, SpeechFormat)> {
        let task = &run.task;
        let how = How {
            known: SpeechFormat::default(),
            asked: task.format.clone(),
            rate: task.rate,
            labelled: true,
        };
        let (mut recordings, format) = match run.data.paths.is_empty() {
            true => (super::synthetic(), SpeechFormat::default()),
            false => read(&run.data.inputs()?, &how, notes)?,
        };
        let own = recordings.len();
        let mut of_files = [0, 0];
        for (count, path) in of_files.iter_mut().zip([&task.valid, &task.test]) {
            let Some(path) = path else { continue };
            let rate = rate(&recordings);
            let how = How { known: format.clone(), rate, ..how.clone() };
            let (more, _) = read(&[path.as_path().into()], &how, notes)?;
            *count = more.len();
            recordings.append(more, path)?;
        }
        let mut parts = divide(own, &task.split, [task.valid.is_some(), task.test.is_some()]);
        parts[1].extend(own..own + of_files[0]);
        parts[2].extend(own + of_files[0]..recordings.len());
        let kept = (parts[0].len() as f64 * run.train.train_fraction).ceil() as usize;
        parts[0].truncate(kept);
        if parts[0].is_empty() {
            return Err(Error::Data("there are no recordings to learn from".into()));
        }
        Ok((Self { recordings, parts }, format))
    }

    /// The recordings of a part.
    pub fn part(&self, part: Part) -> &[usize] {
        match part {
            Part::Train => &self.parts[0],
            Part::Valid => &self.parts[1],
            Part::Test => &self.parts[2],
        }
    }

    /// Leaves recordings out of the part that is learned from.
    pub fn leave_out(&mut self, out: &BTreeSet<usize>) {
        self.parts[0].retain(|item| !out.contains(item));
    }

    /// All of it as a number.
    pub fn print(&self) -> Fnv {
        let mut print = Fnv::new();
        for at in 0..self.recordings.len() {
            print.add(self.recordings.text(at).as_bytes());
            print.add(&[0]);
            let values = self.recordings.values(at);
            values.iter().for_each(|value| print.add(&value.to_le_bytes()));
        }
        for part in &self.parts {
            print.add_number(part.len() as u64);
            part.iter().for_each(|item| print.add_number(*item as u64));
        }
        print
    }
}

/// The rate of recordings that are read.
fn rate(recordings: &Recordings) -> Option<u32> {
    match recordings {
        Recordings::Sound(all) => all.first().map(|one| one.audio.sample_rate_hz()),
        Recordings::Numbers(..) => None,
    }
}

/// Divides so many recordings; parts that have files of their own get none.
fn divide(count: usize, split: &Split, files: [bool; 2]) -> [Vec<usize>; 3] {
    let mut order: Vec<usize> = (0..count).collect();
    order.sort_by_key(|item| mix(SEED, *item as u64));
    let share = |percent: f64, file: bool| match file {
        true => 0,
        false => (count as f64 * percent / 100.0).round() as usize,
    };
    let (valid, test) = (share(split.valid, files[0]), share(split.test, files[1]));
    let most = count.saturating_sub(1);
    let test = order.split_off(count - test.min(most));
    let valid = order.split_off(order.len() - valid.min(order.len().saturating_sub(1)));
    let mut parts = [order, valid, test];
    parts.iter_mut().for_each(|part| part.sort_unstable());
    parts
}

/// How recordings are to be read.
#[derive(Clone, Debug)]
pub struct How {
    /// What was found when others were read, which these are to be like.
    pub known: SpeechFormat,
    /// What is said of these.
    pub asked: SpeechFormat,
    /// Samples a second; none: that of most of them, at most 16,000.
    pub rate: Option<u32>,
    /// Whether texts are needed.
    pub labelled: bool,
}

impl How {
    /// As those that a model learned from.
    pub fn like(transcriber: &Transcriber, asked: SpeechFormat) -> Self {
        let rate = match &transcriber.codec().hears {
            Hears::Sound(front_end) => Some(front_end.sample_rate_hz),
            Hears::Numbers(_) => None,
        };
        Self { known: from_source(transcriber.source()), asked, rate, labelled: true }
    }
}

/// Reads recordings with their texts: sound, or arrays of numbers (`.npz`). Also gives how they
/// lie in their files.
///
/// # Errors
/// If they cannot be read.
pub fn read(
    inputs: &[Input],
    how: &How,
    notes: &mut Vec<Remark>,
) -> Result<(Recordings, SpeechFormat)> {
    let npz =
        |input: &Input| input.name().extension().is_some_and(|end| end.eq_ignore_ascii_case("npz"));
    if inputs.iter().any(npz) {
        let examples = read_examples(inputs, &ExampleFormat::default())?;
        notes.extend(examples.notes);
        let texts: Vec<String> = examples.labels.iter().map(|labels| labels.join(" ")).collect();
        return match examples.items {
            Items::Sequences(all) if texts.len() == all.len() => {
                Ok((Recordings::Numbers(all, texts), SpeechFormat::default()))
            }
            _ => Err(Error::Data("expected the arrays `x`, `lengths` and `y`, the texts".into())),
        };
    }
    let like = Like { known: &how.known, asked: &how.asked, labelled: how.labelled };
    let clips = read_clips_like(inputs, &like)?;
    notes.extend(clips.notes);
    let rate = match how.rate {
        Some(rate) => rate,
        None => usual_rate(&clips.clips, notes)?,
    };
    let one = |clip: &Clip| -> Result<(Utterance, Vec<String>)> {
        let input = Input::from(clip.path.as_path());
        let part = [clip.offset_s, clip.duration_s.filter(|_| clip.offset_s.is_some())];
        let (audio, mended) = audio(&input, Some(rate), part)?;
        let name = match clip.offset_s {
            Some(offset) => format!("{} at {offset} s", clip.path.display()),
            None => clip.path.display().to_string(),
        };
        let mended = mended.into_iter().map(|what| format!("{name}: {what}")).collect();
        Ok((Utterance { name, audio, text: clip.text.clone() }, mended))
    };
    let all: Vec<_> = clips.clips.par_iter().map(one).collect::<Result<_>>()?;
    let (all, mended): (Vec<_>, Vec<_>) = all.into_iter().unzip();
    let mended: Vec<String> = mended.concat();
    notes.extend(mended.iter().take(NAMED).map(|what| what.clone().into()));
    if mended.len() > NAMED {
        let rest = mended.len() - NAMED;
        notes.push(format!("and {rest} more: `gruvy data` has all of them").into());
    }
    Ok((Recordings::Sound(all), clips.format))
}

/// The rate of most recordings, at most that which is usual for speech.
fn usual_rate(clips: &[Clip], notes: &mut Vec<Remark>) -> Result<u32> {
    let mut counts: BTreeMap<u32, usize> = BTreeMap::new();
    let rates: Vec<u32> =
        clips.par_iter().map(|clip| rate_of(&clip.path)).collect::<Result<_>>()?;
    rates.into_iter().for_each(|rate| *counts.entry(rate).or_default() += 1);
    let most = counts.iter().max_by_key(|(rate, count)| (**count, **rate));
    let own = most.map_or(USUAL_RATE, |(rate, _)| *rate);
    let rate = own.min(USUAL_RATE);
    let why = match counts.len() {
        0 | 1 if rate == own => format!("the recordings have {rate} samples a second"),
        _ => format!("the sound is heard at {rate} samples a second: most recordings have {own}"),
    };
    notes.push(Remark::chosen("rate", rate, why));
    Ok(rate)
}

/// The codec that training recordings ask for.
///
/// # Errors
/// If a setting does not suit them.
pub(super) fn codec(
    run: &SpeechRun,
    data: &Divided,
    notes: &mut Vec<Remark>,
) -> Result<SpeechCodec> {
    let task = &run.task;
    let train = data.part(Part::Train);
    let texts: Vec<String> =
        train.iter().map(|at| plain(data.recordings.text(*at), task.lowercase)).collect();
    Ok(SpeechCodec {
        hears: hears(run, data, notes)?,
        labels: labels(run, &texts, notes)?,
        lowercase: task.lowercase,
    })
}

fn labels(run: &SpeechRun, texts: &[String], notes: &mut Vec<Remark>) -> Result<Labels> {
    let words: BTreeSet<&str> = texts.iter().flat_map(|text| text.split(' ')).collect();
    let words: BTreeSet<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
    if words.is_empty() {
        return Err(Error::Data(
            "nothing is said in any of the recordings to learn from: give their texts".into(),
        ));
    }
    let unit = run.task.unit.unwrap_or_else(|| {
        let (unit, name) = match words.len() <= FEW_WORDS {
            true => (Unit::Word, "word"),
            false => (Unit::Char, "char"),
        };
        let why = format!("{} different words: a label is a {name}", words.len());
        notes.push(Remark::chosen("unit", name, why));
        unit
    });
    let text = || texts.join("\n");
    Ok(match unit {
        Unit::Word => Labels::Words(words.into_iter().map(str::to_owned).collect()),
        Unit::Char => Labels::Text(vocabulary(TextUnit::Char, 0, &texts.join(" "))?),
        Unit::Bpe => Labels::Text(vocabulary(TextUnit::Bpe, run.task.vocab_size, &text())?),
    })
}

fn vocabulary(unit: TextUnit, size: usize, text: &str) -> Result<gruvy_runtime::text::TextCodec> {
    Ok(crate::text::vocabulary::build(unit, size, text.as_bytes())?.composed())
}

fn hears(run: &SpeechRun, data: &Divided, notes: &mut Vec<Remark>) -> Result<Hears> {
    let task = &run.task;
    let train = data.part(Part::Train);
    let all = match &data.recordings {
        Recordings::Sound(all) => all,
        Recordings::Numbers(all, _) => {
            let mut moments = Moments::new(all.features.len());
            train.iter().for_each(|at| moments.add(all.item(*at)));
            let Normalisation::Training { mean, deviation } = moments.training() else {
                unreachable!("moments give this");
            };
            return Ok(Hears::Numbers(Scaling { mean, deviation }));
        }
    };
    let rate = all[0].audio.sample_rate_hz();
    let mut front_end = FrontEnd {
        kind: match task.features {
            Features::LogMel => FeatureKind::LogMel,
            Features::Mfcc => FeatureKind::Mfcc { coefficients: task.mels.min(13) },
        },
        mels: task.mels,
        deltas: task.deltas,
        stack: task.stack,
        stride: task.stride,
        normalisation: Normalisation::Utterance,
        ..FrontEnd::new(rate)
    };
    front_end.check()?;
    let mut moments = Moments::new(front_end.frame_width());
    for at in train {
        moments.add(&front_end.frames(&all[*at].audio, 1.0)?);
    }
    front_end.normalisation = match (task.normalise, moments.training()) {
        (Normalise::Running, Normalisation::Training { mean, deviation }) => {
            Normalisation::Running { mean, deviation, weight: RUNNING_FRAMES }
        }
        (Normalise::Utterance, _) => Normalisation::Utterance,
        (_, training) => training,
    };
    let seconds: f64 = train.iter().map(|at| all[*at].audio.seconds()).sum();
    let told = format!(
        "{:.1} minutes to learn from at {rate} Hz, a step every {:.0} ms",
        seconds / 60.0,
        1000.0 * front_end.step_seconds()
    );
    notes.push(told.into());
    Ok(Hears::Sound(front_end))
}

/// How many recordings to validate and test on are among those to learn from too.
pub(super) fn shared(data: &Divided) -> usize {
    let print = |at: &usize| {
        let mut print = Fnv::new();
        let values = data.recordings.values(*at);
        values.iter().for_each(|value| print.add(&value.to_le_bytes()));
        print.to_string()
    };
    let seen: BTreeSet<String> = data.part(Part::Train).iter().map(print).collect();
    let others = data.part(Part::Valid).iter().chain(data.part(Part::Test));
    others.filter(|at| seen.contains(&print(at))).count()
}
