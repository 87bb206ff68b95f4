//! Frames of music to numbers and back.
use super::learned::Learned;
use super::roll::{Bar, KEYS, Roll, Sound};
use crate::error::{Error, Result};
use crate::model::spec::{Head, Input, Spec};
use serde::{Deserialize, Serialize};

/// Steps after which music of an unknown meter may come round again: of bars of three and of four.
pub(super) const CYCLES: [usize; 2] = [12, 16];
/// No bar has more steps.
pub const MOST_BAR: usize = 256;

/// How a model of music hears a frame, and what its answers stand for.
///
/// A *symbol* is a key that sounds in a frame: with [`onsets`](Self::onsets) one symbol for a key
/// that is held and one for a key that is struck, else one for both. A frame is a set of symbols,
/// no two of the same key.
///
/// * Without a decoder the network answers with a logit of each symbol, each by itself.
/// * With one, the head gives the state from which the decoder writes the symbols of the frame, by
///   rising key, and then the end: [`end`](Self::end), which is also what it reads first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MusicCodec {
    /// Whether a struck key is told from a held one.
    pub onsets: bool,
    /// Steps of a quarter note; 0: not known.
    pub steps_per_quarter: u32,
    /// Steps of the longest bar that was learned from; 0: the meter is not known.
    pub bar: usize,
    /// The meter of music that the model begins, beats and what a beat is; none: not known.
    pub meter: Option<[u32; 2]>,
    /// Quarter notes of a minute, of music that the model begins.
    pub tempo: f64,
    /// What sounded in the music that was learned from; none: not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub learned: Option<Learned>,
}

impl MusicCodec {
    /// `S`, number of symbols.
    pub fn symbols(&self) -> usize {
        if self.onsets { 2 * KEYS } else { KEYS }
    }

    /// The token with which the decoder ends a frame, and begins one.
    pub fn end(&self) -> u32 {
        self.symbols() as u32
    }

    /// The symbol of a sound.
    pub fn symbol(&self, sound: Sound) -> u32 {
        match self.onsets {
            true => 2 * u32::from(sound.key) + u32::from(sound.onset),
            false => u32::from(sound.key),
        }
    }

    /// The sound of a symbol, in the frame after `before`.
    pub fn sound(&self, symbol: u32, before: &[Sound]) -> Sound {
        match self.onsets {
            true => Sound { key: (symbol / 2) as u8, onset: symbol % 2 == 1 },
            false => {
                let key = symbol as u8;
                Sound { key, onset: !before.iter().any(|sound| sound.key == key) }
            }
        }
    }

    /// The key of a symbol.
    pub fn key(&self, symbol: u32) -> usize {
        symbol as usize / if self.onsets { 2 } else { 1 }
    }

    /// Marks the tokens `[S + 1]` that can come next in the frame after `before`, when the last
    /// symbol was of the key below `from`: what can be decoded. A key is held only if it sounded.
    pub fn allow(&self, before: &[Sound], from: usize, to: &mut [bool]) {
        to.fill(false);
        for symbol in 0..self.end() {
            let (key, held) = (self.key(symbol), self.onsets && symbol % 2 == 0);
            to[symbol as usize] =
                key >= from && (!held || before.iter().any(|sound| usize::from(sound.key) == key));
        }
        to[self.symbols()] = true;
    }

    /// `I`, numbers that the network reads at a step.
    pub fn features(&self) -> usize {
        let bar = if self.bar == 0 { CYCLES.iter().sum() } else { 2 * self.bar };
        2 * KEYS + bar + 2
    }

    /// Checks that a network of this spec takes what the codec gives, and gives what it takes.
    pub(crate) fn fits(&self, spec: &Spec) -> Result<()> {
        let fail = |field, got: String, expected: String| Err(Error::Spec { field, got, expected });
        if self.bar > MOST_BAR || !(self.tempo.is_finite() && self.tempo > 0.0) {
            let reason = format!("a bar of {} steps at a tempo of {}", self.bar, self.tempo);
            return Err(Error::Header { reason });
        }
        fits_music(spec, self.learned.as_ref())?;
        let input = Input::Features { size: self.features() };
        if spec.input != input {
            return fail("input", format!("{:?}", spec.input), format!("{input:?}"));
        }
        let (last, tokens) = match &spec.decoder {
            None => (spec, self.symbols()),
            Some(decoder) => (&**decoder, self.symbols() + 1),
        };
        if spec.decoder.is_some()
            && !matches!(last.input, Input::Embedding { vocab, .. } if vocab == tokens)
        {
            let expected = format!("an embedding of {tokens} tokens");
            return fail("decoder.input", format!("{:?}", last.input), expected);
        }
        let head = Head::Linear { outputs: tokens };
        match last.head == head {
            true => Ok(()),
            false => fail("head", format!("{:?}", last.head), format!("{head:?}")),
        }
    }

    /// A roll without frames, as the model begins one.
    pub fn blank(&self) -> Roll {
        let bars = self.meter.map(|[beats, unit]| Bar { at: 0, beats, unit });
        Roll {
            name: "composition".into(),
            frames: Vec::new(),
            onsets: self.onsets,
            steps_per_quarter: self.steps_per_quarter,
            bars: bars.into_iter().collect(),
            tempo: self.tempo,
            tempo_changes: Vec::new(),
        }
    }

    /// Steps of a usual bar.
    pub(super) fn usual_bar(&self) -> usize {
        let steps = |bar: &Bar| bar.steps(self.steps_per_quarter);
        self.blank().bars.first().map_or(16, steps)
    }

    /// Checks that the codec can hear a roll.
    ///
    /// # Errors
    /// [`Error::Setting`] if the roll is on another grid.
    pub fn hears(&self, roll: &Roll) -> Result<()> {
        let (got, own) = (roll.steps_per_quarter, self.steps_per_quarter);
        match got == own || got == 0 || own == 0 {
            true => Ok(()),
            false => Err(Error::setting(
                "grid",
                got,
                format!("{own} steps of a quarter note, as the model was trained"),
            )),
        }
    }
}

/// Checks what holds for every network of music.
pub(super) fn fits_music(spec: &Spec, learned: Option<&Learned>) -> Result<()> {
    let fail = |field, got: String, expected: &str| {
        Err(Error::Spec { field, got, expected: expected.to_owned() })
    };
    if let Some(learned) = learned.filter(|learned| !learned.is_sound()) {
        return Err(Error::Header { reason: format!("not what can be learned: {learned:?}") });
    }
    if spec.rnn.bidirectional {
        return fail("rnn.bidirectional", "true".into(), "false");
    }
    match spec.pool {
        Some(pool) => fail("pool", format!("{pool:?}"), "none"),
        None => Ok(()),
    }
}
