//! Drawing one frame, and what a frame costs.
use super::codec::MusicCodec;
use super::roll::{KEYS, Sound};
use crate::error::Result;
use crate::model::{network::Network, session::Session};
use crate::text::sampler::Sampler;
use std::sync::Arc;

/// What a drawn frame must keep to.
#[derive(Clone, Debug)]
pub struct Rules {
    /// Keys that may sound.
    pub keys: [bool; KEYS],
    /// Sounds of every frame, as far as the keys allow; none: as the model has it.
    pub voices: Option<usize>,
    /// Sounds that the frame has, by rising key.
    pub given: Vec<Sound>,
}

impl Default for Rules {
    fn default() -> Self {
        Self { keys: [true; KEYS], voices: None, given: Vec::new() }
    }
}

impl Rules {
    /// The given sound of a key.
    fn given(&self, key: usize) -> Option<Sound> {
        self.given.iter().find(|sound| usize::from(sound.key) == key).copied()
    }

    /// Takes back what `allowed [S + 1]` has beyond the rules, in a frame of `count` sounds so far
    /// whose keys are all below `from`. Something stays: if nothing else, the end.
    fn restrict(&self, codec: &MusicCodec, from: usize, count: usize, allowed: &mut [bool]) {
        let end = codec.symbols();
        let due: Vec<usize> =
            self.given.iter().map(|s| usize::from(s.key)).filter(|key| *key >= from).collect();
        let free = |key: &usize| self.keys[*key] && self.given(*key).is_none();
        // How many can still come above a key, and how many must.
        let above = |key: usize| {
            (key + 1..KEYS).filter(free).count() + due.iter().filter(|due| **due > key).count()
        };
        let needed = self.voices.map_or(0, |voices| voices.saturating_sub(count + 1));
        let fits = |symbol: usize| {
            let key = codec.key(symbol as u32);
            // A given key is not passed by, and one that is not given leaves room for those.
            due.first().is_none_or(|next| key <= *next)
                && match self.given(key) {
                    Some(given) => !codec.onsets || codec.symbol(given) == symbol as u32,
                    None => {
                        let room = |voices: usize| count + due.len() < voices;
                        self.keys[key] && self.voices.is_none_or(room)
                    }
                }
        };
        let fitting: Vec<usize> =
            (0..end).filter(|symbol| allowed[*symbol] && fits(*symbol)).collect();
        // Where not so many can come any more, as many as can.
        let room = |symbol: &usize| above(codec.key(*symbol as u32));
        let needed = needed.min(fitting.iter().map(room).max().unwrap_or(0));
        allowed.fill(false);
        for symbol in fitting.iter().filter(|symbol| room(symbol) >= needed) {
            allowed[*symbol] = true;
        }
        let short = self.voices.is_some_and(|voices| count < voices);
        allowed[end] = (due.is_empty() && !short) || fitting.is_empty();
    }
}

/// `log Σ exp` of those of `logits` that are allowed, in nats.
pub(super) fn log_total(logits: &[f32], allowed: &[bool]) -> f64 {
    let among =
        || logits.iter().zip(allowed).filter(|(_, allowed)| **allowed).map(|(l, _)| f64::from(*l));
    let max = among().fold(f64::NEG_INFINITY, f64::max);
    max + among().map(|logit| (logit - max).exp()).sum::<f64>().ln()
}

/// `−log σ(logit)` for yes, `−log(1 − σ(logit))` for no, in nats.
fn answer_nats(logit: f32, yes: bool) -> f64 {
    let logit = f64::from(if yes { -logit } else { logit });
    logit.max(0.0) + (-logit.abs()).exp().ln_1p()
}

/// What a frame costs by the logits `[S]` of its symbols, each by itself, in nats.
///
/// With onsets, a symbol that is held says whether its key sounds, and one that is struck whether a
/// key that sounds on is struck again; that is asked of keys that sounded before alone.
pub(super) fn frame_nats(
    codec: &MusicCodec,
    logits: &[f32],
    before: &[Sound],
    frame: &[Sound],
) -> f64 {
    let find =
        |frame: &[Sound], key: usize| frame.iter().find(|s| usize::from(s.key) == key).copied();
    let per_key = codec.symbols() / KEYS;
    let mut nats = 0.0;
    for key in 0..KEYS {
        let sound = find(frame, key);
        nats += answer_nats(logits[per_key * key], sound.is_some());
        if let (true, Some(sound), Some(_)) = (codec.onsets, sound, find(before, key)) {
            nats += answer_nats(logits[per_key * key + 1], sound.onset);
        }
    }
    nats
}

/// Draws the frames of a piece from what the network answers.
#[derive(Debug)]
pub(super) struct Pen {
    codec: MusicCodec,
    decoder: Option<Session>,
    sampler: Sampler,
    allowed: Vec<bool>,
    masked: Vec<f32>,
}

impl Pen {
    pub(super) fn new(
        network: &Arc<Network>,
        codec: &MusicCodec,
        sampler: Sampler,
    ) -> Result<Self> {
        let decoder =
            network.decoder().map(|decoder| Session::new(decoder.clone(), 1)).transpose()?;
        let (allowed, masked) = (vec![false; codec.symbols() + 1], Vec::new());
        Ok(Self { codec: codec.clone(), decoder, sampler, allowed, masked })
    }

    /// A frame after `before` by the network's `answer`, with logits divided by `heat`; and its
    /// cost by the model alone, in nats.
    pub(super) fn draw(
        &mut self,
        answer: &[f32],
        before: &[Sound],
        rules: &Rules,
        heat: f32,
    ) -> Result<(Vec<Sound>, f64)> {
        match self.decoder.is_some() {
            true => self.draw_in_turn(answer, before, rules, heat),
            false => {
                let frame = self.draw_each(answer, before, rules, heat);
                let nats = frame_nats(&self.codec, answer, before, &frame);
                Ok((frame, nats))
            }
        }
    }

    fn draw_in_turn(
        &mut self,
        state: &[f32],
        before: &[Sound],
        rules: &Rules,
        heat: f32,
    ) -> Result<(Vec<Sound>, f64)> {
        let Self { codec, decoder: Some(decoder), sampler, allowed, masked } = self else {
            return Ok((Vec::new(), 0.0));
        };
        decoder.set_state(state)?;
        let (mut frame, mut nats, mut token, mut from) = (Vec::new(), 0.0, codec.end(), 0);
        loop {
            let logits = decoder.step(&[token][..])?;
            codec.allow(before, from, allowed);
            let total = log_total(logits, allowed);
            rules.restrict(codec, from, frame.len(), allowed);
            masked.clear();
            masked.extend(logits.iter().zip(&*allowed).map(|(logit, allowed)| match allowed {
                true => logit / heat,
                false => f32::NEG_INFINITY,
            }));
            token = sampler.sample(masked);
            nats += total - f64::from(logits[token as usize]);
            if token == codec.end() {
                return Ok((frame, nats));
            }
            frame.push(codec.sound(token, before));
            from = codec.key(token) + 1;
        }
    }

    /// Each key by itself. Where a number of voices is asked for, the likeliest keys are taken away
    /// last and added first.
    fn draw_each(
        &mut self,
        logits: &[f32],
        before: &[Sound],
        rules: &Rules,
        heat: f32,
    ) -> Vec<Sound> {
        let per_key = self.codec.symbols() / KEYS;
        let logit = |key: usize| logits[per_key * key];
        let mut yes = |logit: f32| self.sampler.sample(&[0.0, logit / heat]) == 1;
        let drawn: Vec<bool> = (0..KEYS).map(|key| yes(logit(key))).collect();
        let given = |key: usize| rules.given(key).is_some();
        let mut keys: Vec<usize> = (0..KEYS).filter(|k| given(*k) || rules.keys[*k]).collect();
        // First what is given, then what was drawn, then by the logit.
        keys.sort_by(|a, b| {
            let rank = |key: usize| (given(key), drawn[key]);
            rank(*b).cmp(&rank(*a)).then(logit(*b).total_cmp(&logit(*a)))
        });
        let own = keys.iter().filter(|key| given(**key) || drawn[**key]).count();
        keys.truncate(rules.voices.unwrap_or(own).max(rules.given.len()));
        keys.sort_unstable();
        let mut sound = |key: usize| {
            let held = before.iter().any(|before| usize::from(before.key) == key);
            let mut again = || self.codec.onsets && yes(logits[per_key * key + 1]);
            rules.given(key).unwrap_or_else(|| Sound { key: key as u8, onset: !held || again() })
        };
        keys.into_iter().map(&mut sound).collect()
    }
}
