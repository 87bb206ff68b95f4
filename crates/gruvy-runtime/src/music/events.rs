//! Music as events: what is done on a keyboard, one thing after another (Performance RNN, Oore et
//! al., 1808.03715).
//!
//! ```text
//! token    0 …  87   a key is struck
//!         88 … 175   a key is let go
//!        176 … 275   1 … 100 units of 10 ms go by
//!        276 … 307   keys are struck so hard from now on: velocity in 32 steps
//!        308         the beginning; it is read first and never written
//! ```
//! Each piece is written in one way only, and nothing else can be read: at one moment keys are let
//! go by rising key, then struck by rising key, a velocity stands before a stroke that needs it, and
//! time goes by in whole seconds and a rest. So the likelihoods of all that can be played add up to
//! one, and nothing is drawn that means nothing.
use super::codec::fits_music;
use super::learned::Learned;
use super::piece::{Meter, Note, Piece, Tempo, USUAL_TEMPO};
use super::roll::{KEYS, LOWEST, Roll};
use crate::error::{Error, Result};
use crate::model::spec::{Head, Input, Spec};
use serde::{Deserialize, Serialize};

/// Units of a second.
pub const UNITS: u32 = 100;
/// No piece is longer, in units: a day.
const MOST_UNITS: f64 = (24 * 60 * 60 * UNITS) as f64;
/// Largest shift of time, in units.
const SHIFTS: u32 = 100;
const VELOCITIES: u32 = 32;
/// MIDI velocities that are one.
const STEP: u32 = 128 / VELOCITIES;
const OFF: u32 = KEYS as u32;
const SHIFT: u32 = 2 * KEYS as u32;
const VELOCITY: u32 = SHIFT + SHIFTS;
const START: u32 = VELOCITY + VELOCITIES;
/// Ticks of a quarter note in pieces that are written: one is a millisecond.
const TICKS: u32 = 500;
const TICKS_PER_UNIT: u64 = 10;
/// A sixteenth of a second, at 120 quarters a minute.
const STEPS_PER_QUARTER: u32 = 8;

/// What is done on a keyboard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum Event {
    /// A key, 0 to 87, is struck.
    Strike(u8),
    /// A key is let go.
    LetGo(u8),
    /// So many units of 10 ms go by, 1 to 100.
    Wait(u32),
    /// Keys are struck so hard from now on, 0 to 31.
    Velocity(u32),
}

/// How a model of events reads and writes them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventCodec {
    /// The longest note that was learned from, in units of 10 ms: no key is held longer.
    pub longest: u32,
    /// What sounded in the music that was learned from; none: not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub learned: Option<Learned>,
}

impl Event {
    /// The event of a token; none for the beginning.
    pub fn of(token: u32) -> Option<Self> {
        Some(match token {
            0..OFF => Self::Strike(token as u8),
            OFF..SHIFT => Self::LetGo((token - OFF) as u8),
            SHIFT..VELOCITY => Self::Wait(token - SHIFT + 1),
            VELOCITY..START => Self::Velocity(token - VELOCITY),
            _ => return None,
        })
    }

    /// Its token.
    pub fn token(self) -> u32 {
        match self {
            Self::Strike(key) => u32::from(key),
            Self::LetGo(key) => OFF + u32::from(key),
            Self::Wait(units) => (SHIFT - 1).saturating_add(units),
            Self::Velocity(step) => VELOCITY.saturating_add(step),
        }
    }
}

/// Time that goes by, as events.
fn waits(mut units: u64) -> impl Iterator<Item = Event> {
    std::iter::from_fn(move || {
        let now = units.min(u64::from(SHIFTS));
        units -= now;
        (now > 0).then_some(Event::Wait(now as u32))
    })
}

/// The notes of a piece on the keyboard in units, `[88]`: `(start, end, velocity step)` by rising
/// start, apart from each other.
fn by_key(piece: &Piece) -> Result<Vec<Vec<(u64, u64, u32)>>> {
    let clock = piece.clock();
    let units = |tick: u64| -> Result<u64> {
        let units = clock.seconds(tick) * f64::from(UNITS);
        match units <= MOST_UNITS {
            true => Ok(units.round() as u64),
            false => {
                let got = format!("{:.0} s", units / f64::from(UNITS));
                Err(Error::setting("music", got, "at most a day, after which the music ends"))
            }
        }
    };
    let mut keys = vec![Vec::<(u64, u64, u32)>::new(); KEYS];
    let mut notes: Vec<&Note> = piece.notes.iter().collect();
    notes.sort_unstable();
    for note in notes {
        let key = note.key.checked_sub(LOWEST).map(usize::from);
        let Some(key) = key.and_then(|key| keys.get_mut(key)) else { continue };
        let start = units(note.start)?;
        let end = units(note.end)?.max(start + 1);
        let velocity = u32::from(note.velocity).min(127) / STEP;
        match key.last_mut() {
            Some(last) if last.0 == start => last.1 = last.1.max(end),
            last => {
                if let Some(last) = last {
                    last.1 = last.1.min(start);
                }
                key.push((start, end, velocity));
            }
        }
    }
    Ok(keys)
}

impl EventCodec {
    /// `V`, number of tokens.
    pub const fn tokens(&self) -> usize {
        START as usize + 1
    }

    /// The token that is read first.
    pub const fn start(&self) -> u32 {
        START
    }

    /// The codec of a model that learns from these events, up to so many semitones lower and higher
    /// too.
    pub fn learned_from(pieces: &[Vec<u32>], transpose: usize) -> Self {
        let (mut longest, mut voices, mut keys) = (0, 0, [false; KEYS]);
        for tokens in pieces {
            let mut keyboard = Keyboard::default();
            for event in tokens.iter().filter_map(|token| Event::of(*token)) {
                match event {
                    Event::Strike(key) => keys[usize::from(key)] = true,
                    Event::LetGo(key) => {
                        let age = keyboard.sounding[usize::from(key)];
                        longest = longest.max(age.unwrap_or(0));
                    }
                    _ => {}
                }
                keyboard.take(event);
                voices = voices.max(keyboard.sounding().count());
            }
        }
        Self { longest: longest as u32, learned: Learned::near(&keys, voices, transpose) }
    }

    /// The tokens of a piece, which begins at its first note. Notes beyond the 88 keys of a piano
    /// are left out; of a key that is struck while it sounds, the first note ends.
    ///
    /// # Errors
    /// [`Error::Setting`] for a piece longer than a day.
    pub fn encode(&self, piece: &Piece) -> Result<Vec<u32>> {
        // By time; what is let go before what is struck, by key.
        let mut all: Vec<(u64, bool, u8, u32)> = Vec::new();
        for (key, notes) in (0..).zip(by_key(piece)?) {
            for (start, end, velocity) in notes {
                all.push((start, true, key, velocity));
                all.push((end, false, key, 0));
            }
        }
        all.sort_unstable();
        let mut now = all.first().map_or(0, |first| first.0);
        let (mut velocity, mut tokens) = (None, Vec::with_capacity(2 * all.len()));
        for (time, strike, key, step) in all {
            tokens.extend(waits(time - now).map(Event::token));
            now = time;
            if !strike {
                tokens.push(Event::LetGo(key).token());
                continue;
            }
            if velocity != Some(step) {
                velocity = Some(step);
                tokens.push(Event::Velocity(step).token());
            }
            tokens.push(Event::Strike(key).token());
        }
        Ok(tokens)
    }

    /// The piece of tokens. Keys that sound at the end are let go there; what means nothing is
    /// passed over.
    pub fn decode(&self, tokens: &[u32]) -> Piece {
        let (mut now, mut velocity) = (0, VELOCITIES / 2);
        let mut sounding: [Option<(u64, u32)>; KEYS] = [None; KEYS];
        let mut notes = Vec::new();
        let mut end = |key: usize, since: Option<(u64, u32)>, now: u64| {
            notes.extend(since.filter(|(start, _)| *start < now).map(|(start, velocity)| Note {
                start: start * TICKS_PER_UNIT,
                key: key as u8 + LOWEST,
                end: now * TICKS_PER_UNIT,
                velocity: (velocity * STEP + STEP / 2) as u8,
                channel: 0,
            }));
        };
        for event in tokens.iter().filter_map(|token| Event::of(*token)) {
            match event {
                Event::Wait(units) => now += u64::from(units),
                Event::Velocity(step) => velocity = step,
                Event::LetGo(key) => {
                    end(key.into(), sounding[usize::from(key)].take(), now);
                }
                Event::Strike(key) => {
                    let before = sounding[usize::from(key)].replace((now, velocity));
                    end(key.into(), before, now);
                }
            }
        }
        for (key, since) in sounding.into_iter().enumerate() {
            end(key, since, now.max(since.map_or(0, |(start, _)| start + 1)));
        }
        notes.sort_unstable();
        Piece {
            name: "composition".into(),
            ticks_per_quarter: TICKS,
            notes,
            drums: Vec::new(),
            tempos: vec![Tempo { at: 0, quarters_per_minute: USUAL_TEMPO }],
            meters: vec![Meter { at: 0, beats: 4, unit: 4 }],
        }
    }

    /// A piece as frames of a sixteenth of a second, to be looked at and compared.
    ///
    /// # Errors
    /// As [`EventCodec::encode`] and [`Roll::from_piece`].
    pub fn roll(piece: &Piece) -> Result<Roll> {
        let codec = Self::default();
        let in_time = Piece { name: piece.name.clone(), ..codec.decode(&codec.encode(piece)?) };
        Ok(Roll::from_piece(&in_time, STEPS_PER_QUARTER)?.0)
    }

    /// Checks that a network of this spec takes what the codec gives, and gives what it takes.
    pub(crate) fn fits(&self, spec: &Spec) -> Result<()> {
        let fail = |field, got: String, expected: String| Err(Error::Spec { field, got, expected });
        fits_music(spec, self.learned.as_ref())?;
        let tokens = self.tokens();
        if !matches!(spec.input, Input::Embedding { vocab, .. } if vocab == tokens) {
            let expected = format!("an embedding of {tokens} tokens");
            return fail("input", format!("{:?}", spec.input), expected);
        }
        if let Some(decoder) = &spec.decoder {
            return fail("decoder", format!("{decoder:?}"), "none".into());
        }
        let head = Head::Linear { outputs: tokens };
        match spec.head == head || spec.head == Head::Tied {
            true => Ok(()),
            false => fail("head", format!("{:?}", spec.head), format!("{head:?}")),
        }
    }
}

/// How events are played otherwise.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Played {
    /// Semitones higher, unless a key would leave the keyboard.
    pub semitones: i32,
    /// What times are multiplied by; each is at least a unit afterwards.
    pub slower: f64,
}

impl Played {
    /// The events of `tokens` as they are played.
    pub fn apply(&self, tokens: &[u32]) -> Vec<u32> {
        let moved = |key: u8| u8::try_from(i32::from(key) + self.semitones).ok();
        let leaves = |token: &u32| match Event::of(*token) {
            Some(Event::Strike(key) | Event::LetGo(key)) => {
                moved(key).is_none_or(|key| usize::from(key) >= KEYS)
            }
            _ => false,
        };
        let by = if tokens.iter().any(leaves) { 0 } else { self.semitones };
        let moved = |key: u8| (i32::from(key) + by) as u8;
        let (mut to, mut waited) = (Vec::with_capacity(tokens.len()), 0u64);
        let wait = |units: &mut u64, to: &mut Vec<u32>| {
            if *units > 0 {
                let longer = (*units as f64 * self.slower).round().max(1.0);
                to.extend(waits(longer as u64).map(Event::token));
                *units = 0;
            }
        };
        for token in tokens {
            let event = Event::of(*token);
            if let Some(Event::Wait(units)) = event {
                waited += u64::from(units);
                continue;
            }
            wait(&mut waited, &mut to);
            to.push(match event {
                Some(Event::Strike(key)) => Event::Strike(moved(key)).token(),
                Some(Event::LetGo(key)) => Event::LetGo(moved(key)).token(),
                _ => *token,
            });
        }
        wait(&mut waited, &mut to);
        to
    }
}

/// What was done last, as far as it decides what can be done next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Last {
    Start,
    /// All that can go by at once, or less.
    Wait {
        all: bool,
    },
    LetGo(usize),
    Strike(usize),
    /// And the key that was struck last at this moment.
    Velocity(Option<usize>),
}

/// A keyboard on which events happen: what can come next.
#[derive(Clone, Debug)]
pub struct Keyboard {
    /// How long each key has sounded, in units.
    sounding: [Option<u64>; KEYS],
    velocity: Option<u32>,
    last: Last,
}

impl Default for Keyboard {
    fn default() -> Self {
        Self { sounding: [None; KEYS], velocity: None, last: Last::Start }
    }
}

impl Keyboard {
    /// Marks the tokens `[V]` that can come next.
    pub fn allow(&self, to: &mut [bool]) {
        to.fill(false);
        let struck = match self.last {
            Last::Strike(key) => Some(key),
            Last::Velocity(key) => key,
            _ => None,
        };
        let free = |key: &usize| self.sounding[*key].is_none();
        let strikes = (struck.map_or(0, |key| key + 1)..KEYS).filter(free);
        let any = strikes.clone().next().is_some();
        if self.velocity.is_some() {
            strikes.for_each(|key| to[key] = true);
        }
        if matches!(self.last, Last::Velocity(_)) {
            return;
        }
        let from = match self.last {
            Last::LetGo(key) => key + 1,
            Last::Strike(_) => KEYS,
            _ => 0,
        };
        for key in (from..KEYS).filter(|key| !free(key)) {
            to[OFF as usize + key] = true;
        }
        let steps = (0..VELOCITIES).filter(|step| any && self.velocity != Some(*step));
        steps.for_each(|step| to[(VELOCITY + step) as usize] = true);
        if !matches!(self.last, Last::Start | Last::Wait { all: false }) {
            to[SHIFT as usize..VELOCITY as usize].fill(true);
        }
    }

    /// Takes an event.
    pub fn take(&mut self, event: Event) {
        self.last = match event {
            Event::Strike(key) => {
                self.sounding[usize::from(key)] = Some(0);
                Last::Strike(key.into())
            }
            Event::LetGo(key) => {
                self.sounding[usize::from(key)] = None;
                Last::LetGo(key.into())
            }
            Event::Wait(units) => {
                for age in self.sounding.iter_mut().flatten() {
                    *age = age.saturating_add(units.into());
                }
                Last::Wait { all: units == SHIFTS }
            }
            Event::Velocity(step) => {
                self.velocity = Some(step);
                Last::Velocity(match self.last {
                    Last::Strike(key) => Some(key),
                    _ => None,
                })
            }
        };
    }

    /// Keys that sound.
    pub fn sounding(&self) -> impl Iterator<Item = u8> {
        (0..).zip(&self.sounding).filter(|(_, age)| age.is_some()).map(|(key, _)| key)
    }

    /// Takes back what `allowed [V]` has beyond the rules.
    pub(super) fn restrict(&self, rules: &EventRules, allowed: &mut [bool]) {
        let over = |age: &Option<u64>| age.is_some_and(|age| age >= rules.longest);
        if let Some(key) = self.sounding.iter().position(over) {
            let due = OFF as usize + key;
            if allowed[due] {
                allowed.fill(false);
                allowed[due] = true;
                return;
            }
        }
        let full = rules.voices.is_some_and(|voices| self.sounding().count() >= voices);
        for (allowed, may) in allowed.iter_mut().zip(&rules.keys) {
            *allowed &= *may && !full;
        }
        // A velocity is for a stroke that can come.
        let struck = if let Last::Strike(key) = self.last { key + 1 } else { 0 };
        let can = |key: usize| rules.keys[key] && self.sounding[key].is_none();
        if full || !(struck..KEYS).any(can) {
            allowed[VELOCITY as usize..START as usize].fill(false);
        }
        let oldest = self.sounding.iter().flatten().max();
        let hold = oldest.map_or(u64::MAX, |age| rules.longest.saturating_sub(*age).max(1));
        for units in 1..=SHIFTS {
            allowed[(SHIFT + units - 1) as usize] &= u64::from(units) <= hold;
        }
    }
}

/// What drawn events must keep to.
#[derive(Clone, Debug)]
pub struct EventRules {
    /// Keys that may be struck.
    pub keys: [bool; KEYS],
    /// At most so many keys sound.
    pub voices: Option<usize>,
    /// No key is held longer, in units.
    pub longest: u64,
}
