//! A model of music at work.
use super::codec::MusicCodec;
use super::ear::Ear;
use super::frame::{Pen, Rules};
use super::learned::may_sound;
use super::repeat::Repeats;
use super::roll::{KEYS, Place, Roll, Sound};
use super::score::{Asked, MusicMetrics, costs, score, together};
use crate::codec::Codec;
use crate::error::{Error, Result};
use crate::model::{
    file::ModelFile,
    members::{joined, open_members},
    network::Network,
    session::Session,
    steps::Steps,
};
use crate::remark::Remark;
use crate::task::TaskName;
use crate::text::{Sampler, Sampling};
use serde::Serialize;
use std::path::Path;
use std::sync::Arc;

/// A model of music, ready to run. Cheap to clone.
///
/// ```no_run
/// use gruvy_runtime::music::{Composer, Composing};
///
/// let composer = Composer::open("runs/chorales")?;
/// let piece = composer.compose(None, &Composing { steps: 128, ..Composing::default() })?;
/// println!("{} frames, {:.2} nats a step", piece.roll.frames.len(), piece.nats_per_step);
/// # Ok::<(), gruvy_runtime::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Composer {
    /// At least one: the first composes, and together they judge.
    networks: Vec<Arc<Network>>,
    codec: MusicCodec,
}

/// What is to be composed.
#[derive(Clone, Debug, PartialEq)]
pub struct Composing {
    /// Steps after the primer.
    pub steps: usize,
    /// How sounds are drawn.
    pub sampling: Sampling,
    /// Keys that may sound; none: all 88.
    pub keys: Option<[bool; KEYS]>,
    /// Keys that sound at every step; none: as the model has it.
    pub voices: Option<usize>,
}

impl Default for Composing {
    /// 128 steps as the model has them, seed 0.
    fn default() -> Self {
        Self { steps: 128, sampling: Sampling::default(), keys: None, voices: None }
    }
}

/// What was composed.
#[derive(Clone, Debug, Serialize)]
pub struct Composition {
    /// The primer and how it goes on; or a melody with its harmony.
    pub roll: Roll,
    /// Steps of the primer.
    pub primer: usize,
    /// Nats of each step of the roll under the model.
    pub surprise: Vec<f64>,
    /// Mean nats of the steps that were composed.
    pub nats_per_step: f64,
}

impl Composer {
    /// Opens a model file, the model of a run folder, or the [ensemble](Self::ensemble) of the runs
    /// in a folder.
    ///
    /// # Errors
    /// As [`open_members`] and [`Composer::ensemble`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Self::ensemble(open_members(path, None, Self::from_file)?)
    }

    /// Models of the same music: a step's likelihood is the mean of theirs. The first of them
    /// composes.
    ///
    /// # Errors
    /// [`Error::Setting`] for no model, and for models of different music.
    pub fn ensemble(members: Vec<Self>) -> Result<Self> {
        joined(members, |member| (&member.codec, &mut member.networks))
    }

    /// Models that judge together: 1, or more in an ensemble.
    pub fn size(&self) -> usize {
        self.networks.len()
    }

    /// Makes the model of a file ready.
    ///
    /// # Errors
    /// [`Error::Task`] for a model of another task, [`Error::Setting`] for one of events, and as
    /// [`Network::new`].
    pub fn from_file(file: &ModelFile) -> Result<Self> {
        match &file.codec {
            Codec::Music(codec) => {
                Ok(Self { networks: vec![Arc::new(Network::new(file)?)], codec: codec.clone() })
            }
            Codec::Events(_) => {
                let expected = "joint or bernoulli, whose music has steps";
                Err(Error::setting("head", "events", expected))
            }
            _ => Err(Error::Task { expected: TaskName::Music, got: file.task() }),
        }
    }

    /// How frames are heard and written.
    pub fn codec(&self) -> &MusicCodec {
        &self.codec
    }

    /// The network that composes.
    pub fn network(&self) -> &Arc<Network> {
        &self.networks[0]
    }

    /// The nats of every step of each roll, `[T]` each.
    ///
    /// # Errors
    /// As [`score`].
    pub fn score(&self, rolls: &[Roll]) -> Result<Vec<Vec<f64>>> {
        let of = |network| score(network, &self.codec, rolls);
        Ok(together(self.networks.iter().map(of).collect::<Result<Vec<_>>>()?))
    }

    /// How well rolls are predicted.
    ///
    /// # Errors
    /// As [`score`]; [`Error::Setting`] if no roll has a second step.
    pub fn evaluate(&self, rolls: &[Roll]) -> Result<MusicMetrics> {
        let nats = self.score(rolls)?;
        MusicMetrics::of(rolls, &nats)
            .ok_or_else(|| Error::setting("music", "no roll of two steps", "at least one"))
    }

    /// A stream that hears music step by step, or makes it.
    ///
    /// # Errors
    /// As [`Sampling::validate`]; [`Error::Setting`] for a limit to the likeliest where each key is
    /// drawn by itself.
    pub fn stream(&self, sampling: &Sampling) -> Result<MusicStream> {
        let sampler = Sampler::new(sampling)?;
        let limit = match *sampling {
            Sampling { top_k: Some(k), .. } => Some(("top_k", k.to_string())),
            Sampling { top_p: Some(p), .. } => Some(("top_p", p.to_string())),
            _ => None,
        };
        if let (None, Some((name, value))) = (self.network().decoder(), limit) {
            let expected = "none: this model's head answers about each key by itself";
            return Err(Error::setting(name, value, expected));
        }
        Ok(MusicStream {
            session: Session::new(self.network().clone(), 1)?,
            pen: Pen::new(self.network(), &self.codec, sampler)?,
            ear: Ear::new(&self.codec),
            repeats: Repeats::new(self.codec.usual_bar()),
            codec: self.codec.clone(),
            features: vec![0.0; self.codec.features()],
            asked: false,
        })
    }

    /// What is to be said of a primer or melody that is unlike the music the model learned from.
    ///
    /// # Errors
    /// [`Error::Setting`] if it is on another grid, or none of its keys is among those that were
    /// learned.
    pub fn remarks(&self, given: &Roll, composing: &Composing) -> Result<Vec<Remark>> {
        self.codec.hears(given)?;
        let learned = self.codec.learned.as_ref();
        learned.map_or(Ok(Vec::new()), |learned| learned.compare(given, composing.voices))
    }

    /// Goes on from `primer`, or begins a piece. No key is drawn that the model never heard.
    ///
    /// # Errors
    /// As [`Composer::remarks`] and [`Sampling::validate`]; [`Error::Setting`] for no keys.
    pub fn compose(&self, primer: Option<&Roll>, composing: &Composing) -> Result<Composition> {
        let mut roll = match primer {
            Some(primer) => primer.clone(),
            None => self.codec.blank(),
        };
        self.remarks(&roll, composing)?;
        let mut stream = self.stream(&composing.sampling)?;
        let primer = roll.frames.len();
        let mut surprise = Vec::with_capacity(primer + composing.steps);
        for (step, frame) in roll.frames.iter().enumerate() {
            surprise.push(stream.hear(roll.place(step), frame)?);
        }
        let rules = composing.rules(&self.codec, Vec::new())?;
        for step in primer..primer + composing.steps {
            let (frame, nats) = stream.play(roll.place(step), &rules)?;
            roll.frames.push(frame);
            surprise.push(nats);
        }
        Ok(Composition::new(roll, primer, surprise))
    }

    /// Adds sounds to every frame of `melody`, which stays: the likeliest of `tries` under the
    /// model. [`Composing::steps`] has no meaning here.
    ///
    /// # Errors
    /// As [`Composer::compose`]; [`Error::Setting`] for an empty melody or 0 tries.
    pub fn harmonize(
        &self,
        melody: &Roll,
        composing: &Composing,
        tries: usize,
    ) -> Result<Composition> {
        self.remarks(melody, composing)?;
        if melody.frames.iter().all(Vec::is_empty) {
            return Err(Error::setting("melody", "no notes", "at least one note"));
        }
        let mut best: Option<Composition> = None;
        for attempt in 0..tries as u64 {
            let seed = gruvy_kernels::random::mix(composing.sampling.seed, attempt);
            let sampling = Sampling { seed, ..composing.sampling.clone() };
            let mut stream = self.stream(&sampling)?;
            let mut roll = Roll { frames: Vec::new(), ..melody.clone() };
            let mut surprise = Vec::with_capacity(melody.frames.len());
            for (step, given) in melody.frames.iter().enumerate() {
                let rules = composing.rules(&self.codec, given.clone())?;
                let (frame, nats) = stream.play(melody.place(step), &rules)?;
                roll.frames.push(frame);
                surprise.push(nats);
            }
            let made = Composition::new(roll, 0, surprise);
            if best.as_ref().is_none_or(|best| made.nats_per_step < best.nats_per_step) {
                best = Some(made);
            }
        }
        best.ok_or_else(|| Error::setting("tries", 0, "at least 1"))
    }
}

impl Composition {
    fn new(roll: Roll, primer: usize, surprise: Vec<f64>) -> Self {
        let made = &surprise[primer..];
        let nats_per_step = made.iter().sum::<f64>() / made.len().max(1) as f64;
        Self { roll, primer, surprise, nats_per_step }
    }
}

impl Composing {
    fn rules(&self, codec: &MusicCodec, given: Vec<Sound>) -> Result<Rules> {
        let keys = may_sound(self.keys, codec.learned.as_ref())?;
        Ok(Rules { keys, voices: self.voices, given })
    }
}

/// Music that comes, or is made, step by step.
///
/// Each step is either [heard](Self::hear) or [played](Self::play).
#[derive(Debug)]
pub struct MusicStream {
    session: Session,
    pen: Pen,
    ear: Ear,
    repeats: Repeats<Vec<u8>>,
    codec: MusicCodec,
    features: Vec<f32>,
    /// Whether the session has taken the step that is to be heard or played.
    asked: bool,
}

impl MusicStream {
    /// Takes the frame of a step; gives its nats under the model.
    ///
    /// # Errors
    /// [`Error::Setting`] for a key beyond the 88.
    pub fn hear(&mut self, place: Place, frame: &[Sound]) -> Result<f64> {
        if let Some(sound) = frame.iter().find(|sound| usize::from(sound.key) >= KEYS) {
            return Err(Error::setting("key", sound.key, "0 to 87, from the lowest of a piano"));
        }
        self.ask(place)?;
        let (answer, before) = (self.session.logits(), self.ear.frame());
        let asked = Asked { row: 0, answer, before, frame };
        let nats = costs(self.session.network(), &self.codec, &[asked])?;
        self.take(frame);
        Ok(nats.into_iter().sum())
    }

    /// Draws the frame of a step, and hears it; gives it with its nats under the model. What goes
    /// round in a circle is drawn with a rising temperature until it leaves it.
    ///
    /// # Errors
    /// When the model cannot run.
    pub fn play(&mut self, place: Place, rules: &Rules) -> Result<(Vec<Sound>, f64)> {
        self.ask(place)?;
        let heat = self.repeats.heat();
        let (frame, nats) = self.pen.draw(self.session.logits(), self.ear.frame(), rules, heat)?;
        self.take(&frame);
        Ok((frame, nats))
    }

    fn ask(&mut self, place: Place) -> Result<()> {
        if !self.asked {
            self.ear.tell(place, &mut self.features);
            self.session.step(Steps::Features(&self.features))?;
            self.asked = true;
        }
        Ok(())
    }

    fn take(&mut self, frame: &[Sound]) {
        self.ear.hear(frame);
        self.repeats.push(frame.iter().map(|sound| sound.key).collect());
        self.asked = false;
    }
}
