//! A model of events at work.
use super::events::{Event, EventCodec, EventRules, Keyboard, UNITS};
use super::frame::log_total;
use super::learned::may_sound;
use super::piece::Piece;
use super::repeat::Repeats;
use super::roll::{KEYS, Roll};
use super::score::{side_by_side, together};
use crate::codec::Codec;
use crate::error::{Error, Result};
use crate::model::{
    file::ModelFile,
    members::{joined, open_members},
    network::Network,
    session::Session,
};
use crate::remark::Remark;
use crate::task::TaskName;
use crate::text::{Sampler, Sampling};
use serde::Serialize;
use std::path::Path;
use std::sync::Arc;

/// Events of a call.
const EVENTS: usize = 256;
/// Strokes that count as a bar when music goes round in a circle.
const BAR: usize = 16;

/// A model of music as events, ready to run: music in its own time, and how hard it is played.
/// Cheap to clone.
///
/// ```no_run
/// use gruvy_runtime::music::{Performer, Performing};
///
/// let performer = Performer::open("runs/piano")?;
/// let made = performer.perform(None, &Performing { seconds: 20.0, ..Performing::default() })?;
/// println!("{} notes, {:.2} nats an event", made.piece.notes.len(), made.nats_per_event);
/// # Ok::<(), gruvy_runtime::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Performer {
    /// At least one: the first plays, and together they judge.
    networks: Vec<Arc<Network>>,
    codec: EventCodec,
}

/// What is to be played.
#[derive(Clone, Debug, PartialEq)]
pub struct Performing {
    /// Seconds after the primer.
    pub seconds: f64,
    /// How events are drawn.
    pub sampling: Sampling,
    /// Keys that may be struck; none: all 88.
    pub keys: Option<[bool; KEYS]>,
    /// At most so many keys sound; none: as the model has it.
    pub voices: Option<usize>,
}

impl Default for Performing {
    /// 30 seconds as the model has them, seed 0.
    fn default() -> Self {
        Self { seconds: 30.0, sampling: Sampling::default(), keys: None, voices: None }
    }
}

/// What was played.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Performance {
    /// The primer and how it goes on.
    pub piece: Piece,
    /// Seconds of the primer.
    pub primer: f64,
    /// Events of the primer.
    pub given: usize,
    /// Seconds of the whole.
    pub seconds: f64,
    /// Nats of each event under the model.
    pub surprise: Vec<f64>,
    /// Mean nats of the events that were drawn.
    pub nats_per_event: f64,
}

/// How well events are predicted.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct EventMetrics {
    /// Nats of an event, over all events of all pieces.
    pub nats_per_event: f64,
    /// The same nats for each note.
    pub nats_per_note: f64,
    /// Events that were predicted.
    pub events: usize,
}

impl EventMetrics {
    /// Of the events of pieces and the nats of each; none if there is no event.
    pub fn of(events: &[Vec<u32>], nats: &[Vec<f64>]) -> Option<Self> {
        let total: f64 = nats.iter().flatten().sum();
        let count = nats.iter().map(Vec::len).sum();
        let strikes = |token: &&u32| matches!(Event::of(**token), Some(Event::Strike(_)));
        let notes = events.iter().flatten().filter(strikes).count();
        let per = |count: usize| total / count.max(1) as f64;
        (count > 0).then(|| Self {
            nats_per_event: per(count),
            nats_per_note: per(notes),
            events: count,
        })
    }
}

impl Performance {
    /// The piece as frames of a sixteenth of a second, to be looked at, and the frames of the
    /// primer.
    ///
    /// # Errors
    /// As [`EventCodec::roll`].
    pub fn roll(&self) -> Result<(Roll, usize)> {
        Ok((EventCodec::roll(&self.piece)?, (16.0 * self.primer).round() as usize))
    }
}

impl Performer {
    /// Opens a model file, the model of a run folder, or the [ensemble](Self::ensemble) of the runs
    /// in a folder.
    ///
    /// # Errors
    /// As [`open_members`] and [`Performer::ensemble`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Self::ensemble(open_members(path, None, Self::from_file)?)
    }

    /// Models of the same music: an event's likelihood is the mean of theirs. The first of them
    /// plays.
    ///
    /// # Errors
    /// [`Error::Setting`] for no model, and for models of different music.
    pub fn ensemble(members: Vec<Self>) -> Result<Self> {
        joined(members, |member| (&member.codec, &mut member.networks))
    }

    /// Makes the model of a file ready.
    ///
    /// # Errors
    /// [`Error::Task`] for a model of another task, [`Error::Setting`] for one of frames, and as
    /// [`Network::new`].
    pub fn from_file(file: &ModelFile) -> Result<Self> {
        match &file.codec {
            Codec::Events(codec) => {
                Ok(Self { networks: vec![Arc::new(Network::new(file)?)], codec: codec.clone() })
            }
            Codec::Music(_) => {
                Err(Error::setting("head", "joint or bernoulli", "events, which are performed"))
            }
            _ => Err(Error::Task { expected: TaskName::Music, got: file.task() }),
        }
    }

    /// Models that judge together: 1, or more in an ensemble.
    pub fn size(&self) -> usize {
        self.networks.len()
    }

    /// How events are read and written.
    pub fn codec(&self) -> &EventCodec {
        &self.codec
    }

    /// The network that plays.
    pub fn network(&self) -> &Arc<Network> {
        &self.networks[0]
    }

    /// The nats of every event of each piece.
    ///
    /// # Errors
    /// As [`EventCodec::encode`].
    pub fn score(&self, pieces: &[Piece]) -> Result<Vec<Vec<f64>>> {
        self.score_events(&self.encode(pieces)?)
    }

    /// How well pieces are predicted.
    ///
    /// # Errors
    /// As [`EventCodec::encode`]; [`Error::Setting`] if no piece has a note.
    pub fn evaluate(&self, pieces: &[Piece]) -> Result<EventMetrics> {
        let events = self.encode(pieces)?;
        EventMetrics::of(&events, &self.score_events(&events)?)
            .ok_or_else(|| Error::setting("music", "no notes", "at least one"))
    }

    fn encode(&self, pieces: &[Piece]) -> Result<Vec<Vec<u32>>> {
        pieces.iter().map(|piece| self.codec.encode(piece)).collect()
    }

    fn score_events(&self, events: &[Vec<u32>]) -> Result<Vec<Vec<f64>>> {
        let of = |network| score_events(network, &self.codec, events);
        Ok(together(self.networks.iter().map(of).collect::<Result<Vec<_>>>()?))
    }

    /// A stream that hears events one by one, or plays them.
    ///
    /// # Errors
    /// As [`Sampling::validate`].
    pub fn stream(&self, sampling: &Sampling) -> Result<EventStream> {
        let mut session = Session::new(self.network().clone(), 1)?;
        session.step(&[self.codec.start()][..])?;
        Ok(EventStream {
            session,
            keyboard: Keyboard::default(),
            sampler: Sampler::new(sampling)?,
            repeats: Repeats::new(BAR),
            allowed: vec![false; self.codec.tokens()],
            masked: Vec::new(),
        })
    }

    /// What is to be said of a primer that is unlike the music the model learned from.
    ///
    /// # Errors
    /// [`Error::Setting`] if none of its keys is among those that were learned; as
    /// [`EventCodec::roll`].
    pub fn remarks(&self, primer: &Piece, how: &Performing) -> Result<Vec<Remark>> {
        let roll = EventCodec::roll(primer)?;
        let learned = self.codec.learned.as_ref();
        learned.map_or(Ok(Vec::new()), |learned| learned.compare(&roll, how.voices))
    }

    /// Goes on from `primer`, or begins a piece. No key is struck that the model never heard. Keys
    /// that sound at the end are let go there.
    ///
    /// # Errors
    /// [`Error::Setting`] for no keys, for a time that is none, and as [`EventCodec::encode`] and
    /// [`Sampling::validate`].
    pub fn perform(&self, primer: Option<&Piece>, how: &Performing) -> Result<Performance> {
        let keys = may_sound(how.keys, self.codec.learned.as_ref())?;
        if !(how.seconds >= 0.0 && how.seconds <= f64::from(u32::MAX)) {
            return Err(Error::setting("seconds", how.seconds, "a number of at least 0"));
        }
        let mut stream = self.stream(&how.sampling)?;
        let mut tokens = primer.map_or(Ok(Vec::new()), |primer| self.codec.encode(primer))?;
        let mut surprise = Vec::new();
        for event in tokens.iter().filter_map(|token| Event::of(*token)) {
            surprise.push(stream.hear(event)?);
        }
        let (given, start) = (tokens.len(), units(&tokens));
        let rules = EventRules {
            keys,
            voices: how.voices.map(|voices| voices.max(1)),
            longest: u64::from(self.codec.longest).max(1),
        };
        // It goes by: at one moment each key is let go once and struck once.
        let mut left = (how.seconds * f64::from(UNITS)).round() as u64;
        while left > 0 {
            let (event, nats) = stream.play(&rules)?;
            surprise.push(nats);
            // What would go by behind the end is cut off.
            let event = match event {
                Event::Wait(units) => Event::Wait(left.min(units.into()) as u32),
                other => other,
            };
            tokens.push(event.token());
            left -= units(&[event.token()]);
        }
        let made = &surprise[given..];
        let mut piece = self.codec.decode(&tokens);
        if let Some(primer) = primer {
            piece.name.clone_from(&primer.name);
        }
        let seconds = |units: u64| units as f64 / f64::from(UNITS);
        Ok(Performance {
            piece,
            primer: seconds(start),
            given,
            seconds: seconds(units(&tokens)),
            nats_per_event: made.iter().sum::<f64>() / made.len().max(1) as f64,
            surprise,
        })
    }
}

/// Units that go by in events.
fn units(tokens: &[u32]) -> u64 {
    let of = |token: &u32| match Event::of(*token) {
        Some(Event::Wait(units)) => u64::from(units),
        _ => 0,
    };
    tokens.iter().map(of).sum()
}

/// The nats of every event of each piece, in order.
///
/// # Errors
/// When the model cannot run.
pub fn score_events(
    network: &Arc<Network>,
    codec: &EventCodec,
    events: &[Vec<u32>],
) -> Result<Vec<Vec<f64>>> {
    side_by_side(events, Vec::len, |rows| score_rows(network, codec, rows))
}

/// Pieces side by side, the longest first.
fn score_rows(
    network: &Arc<Network>,
    codec: &EventCodec,
    rows: &[&Vec<u32>],
) -> Result<Vec<Vec<f64>>> {
    let mut session = Session::new(network.clone(), rows.len())?;
    let mut keyboards = vec![Keyboard::default(); rows.len()];
    let mut nats: Vec<Vec<f64>> = rows.iter().map(|row| Vec::with_capacity(row.len())).collect();
    let longest = rows.first().map_or(0, |row| row.len());
    let mut allowed = vec![false; codec.tokens()];
    for from in (0..longest).step_by(EVENTS) {
        let steps = from..longest.min(from + EVENTS);
        let read = |step: usize, row: &[u32]| match step {
            0 => codec.start(),
            step => row.get(step - 1).copied().unwrap_or(codec.start()),
        };
        let x: Vec<u32> =
            steps.clone().flat_map(|step| rows.iter().map(move |row| read(step, row))).collect();
        let answers = session.run(&x[..])?;
        for (at, logits) in answers.chunks_exact(codec.tokens()).enumerate() {
            let (step, row) = (from + at / rows.len(), at % rows.len());
            let Some(token) = rows[row].get(step) else { continue };
            keyboards[row].allow(&mut allowed);
            nats[row].push(log_total(logits, &allowed) - f64::from(logits[*token as usize]));
            if let Some(event) = Event::of(*token) {
                keyboards[row].take(event);
            }
        }
    }
    Ok(nats)
}

/// Events that come, or are played, one by one.
///
/// Each is either [heard](Self::hear) or [played](Self::play).
#[derive(Debug)]
pub struct EventStream {
    session: Session,
    keyboard: Keyboard,
    sampler: Sampler,
    repeats: Repeats<Option<u8>>,
    allowed: Vec<bool>,
    masked: Vec<f32>,
}

impl EventStream {
    /// The keyboard after the events so far.
    pub fn keyboard(&self) -> &Keyboard {
        &self.keyboard
    }

    /// Takes an event; gives its nats under the model.
    ///
    /// # Errors
    /// [`Error::Setting`] for an event that cannot come here: a key that sounds struck again before
    /// it is let go, say, or one out of the order of [events](crate::music::Event).
    pub fn hear(&mut self, event: Event) -> Result<f64> {
        self.keyboard.allow(&mut self.allowed);
        let token = event.token() as usize;
        // Numbers beyond those of events have the tokens of others.
        if Event::of(event.token()) != Some(event) || !self.allowed[token] {
            let expected = "one that can come here: keys are let go before others are struck, by \
                            rising key";
            return Err(Error::setting("event", format!("{event:?}"), expected));
        }
        let logits = self.session.logits();
        let nats = log_total(logits, &self.allowed) - f64::from(logits[token]);
        self.take(event)?;
        Ok(nats)
    }

    /// Draws an event, and hears it; gives it with its nats under the model. What goes round in a
    /// circle is drawn with a rising temperature until it leaves it.
    ///
    /// # Errors
    /// When the model cannot run.
    pub fn play(&mut self, rules: &EventRules) -> Result<(Event, f64)> {
        self.keyboard.allow(&mut self.allowed);
        let (logits, heat) = (self.session.logits(), self.repeats.heat());
        let total = log_total(logits, &self.allowed);
        self.keyboard.restrict(rules, &mut self.allowed);
        self.masked.clear();
        self.masked.extend(logits.iter().zip(&self.allowed).map(
            |(logit, allowed)| match allowed {
                true => logit / heat,
                false => f32::NEG_INFINITY,
            },
        ));
        let token = self.sampler.sample(&self.masked);
        let nats = total - f64::from(logits[token as usize]);
        let event = Event::of(token).unwrap_or(Event::Wait(1));
        self.take(event)?;
        Ok((event, nats))
    }

    fn take(&mut self, event: Event) -> Result<()> {
        match event {
            Event::Strike(key) => self.repeats.push(Some(key)),
            // A silence that goes on.
            Event::Wait(_) if self.keyboard.sounding().next().is_none() => self.repeats.push(None),
            _ => {}
        }
        self.keyboard.take(event);
        self.session.step(&[event.token()][..])?;
        Ok(())
    }
}
