//! How likely music is under a model.
use super::codec::MusicCodec;
use super::ear::Ear;
use super::frame::{frame_nats, log_total};
use super::roll::{Roll, Sound};
use crate::error::Result;
use crate::model::{network::Network, session::Session, steps::Steps};
use serde::Serialize;
use std::sync::Arc;

/// Pieces that run side by side.
const ROWS: usize = 16;
/// Frames that the decoder reads side by side.
const FRAMES: usize = 1024;
/// Steps of a call.
const STEPS: usize = 256;

/// How well music is predicted.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct MusicMetrics {
    /// Nats of a step, over all steps but the first of each piece: the protocol of the literature.
    pub nats_per_step: f64,
    /// Nats of a sounding key, over the same steps.
    pub nats_per_note: f64,
    /// Steps that were predicted.
    pub steps: usize,
}

impl MusicMetrics {
    /// Of the nats of every step `[T]` of each roll; none if no roll has a second step.
    pub fn of(rolls: &[Roll], nats: &[Vec<f64>]) -> Option<Self> {
        let steps: usize = nats.iter().map(|nats| nats.len().saturating_sub(1)).sum();
        let total: f64 = nats.iter().flat_map(|nats| nats.iter().skip(1)).sum();
        let notes: usize =
            rolls.iter().flat_map(|roll| roll.frames.iter().skip(1)).map(Vec::len).sum();
        let per = |count: usize| total / count.max(1) as f64;
        (steps > 0).then(|| Self { nats_per_step: per(steps), nats_per_note: per(notes), steps })
    }
}

/// The nats of every step of each roll, `[T]` each, in order.
///
/// # Errors
/// [`Error::Setting`](crate::Error::Setting) for a roll on another grid.
pub fn score(network: &Arc<Network>, codec: &MusicCodec, rolls: &[Roll]) -> Result<Vec<Vec<f64>>> {
    rolls.iter().try_for_each(|roll| codec.hears(roll))?;
    side_by_side(rolls, |roll| roll.frames.len(), |rows| score_rows(network, codec, rows))
}

/// What `score` gives of each piece, in order; it is given a few of like length at once, the longest
/// first.
pub(super) fn side_by_side<T>(
    pieces: &[T],
    length: impl Fn(&T) -> usize,
    score: impl Fn(&[&T]) -> Result<Vec<Vec<f64>>>,
) -> Result<Vec<Vec<f64>>> {
    let mut order: Vec<usize> = (0..pieces.len()).collect();
    order.sort_by_key(|index| std::cmp::Reverse(length(&pieces[*index])));
    let mut all = vec![Vec::new(); pieces.len()];
    for group in order.chunks(ROWS) {
        let rows: Vec<&T> = group.iter().map(|index| &pieces[*index]).collect();
        for (index, nats) in group.iter().zip(score(&rows)?) {
            all[*index] = nats;
        }
    }
    Ok(all)
}

/// The nats of models together, whose likelihood is the mean of theirs, from those of each.
pub(super) fn together(models: Vec<Vec<Vec<f64>>>) -> Vec<Vec<f64>> {
    let count = (models.len() as f64).ln();
    let mut models = models.into_iter();
    let mut sum = models.next().unwrap_or_default();
    // −log Σ exp(−nats), then less the logarithm of their number.
    for nats in models {
        for (sum, nats) in sum.iter_mut().flatten().zip(nats.into_iter().flatten()) {
            let least = sum.min(nats);
            *sum = least - (-(sum.max(nats) - least)).exp().ln_1p();
        }
    }
    sum.iter_mut().flatten().for_each(|nats| *nats += count);
    sum
}

/// Rolls side by side, the longest first.
fn score_rows(
    network: &Arc<Network>,
    codec: &MusicCodec,
    rolls: &[&Roll],
) -> Result<Vec<Vec<f64>>> {
    let mut session = Session::new(network.clone(), rolls.len())?;
    let mut ears: Vec<Ear> = rolls.iter().map(|_| Ear::new(codec)).collect();
    let mut nats: Vec<Vec<f64>> =
        rolls.iter().map(|roll| Vec::with_capacity(roll.frames.len())).collect();
    let (width, outputs) = (codec.features(), network.spec().outputs());
    let longest = rolls.first().map_or(0, |roll| roll.frames.len());
    let mut x = Vec::new();
    for from in (0..longest).step_by(STEPS) {
        let to = longest.min(from + STEPS);
        x.clear();
        x.resize((to - from) * rolls.len() * width, 0.0);
        for (at, x) in x.chunks_exact_mut(width).enumerate() {
            let (step, row) = (from + at / rolls.len(), at % rolls.len());
            if let Some(frame) = rolls[row].frames.get(step) {
                ears[row].tell(rolls[row].place(step), x);
                ears[row].hear(frame);
            }
        }
        let answers = session.run(Steps::Features(&x))?;
        let mut asked = Vec::new();
        for (at, answer) in answers.chunks_exact(outputs).enumerate() {
            let (step, row) = (from + at / rolls.len(), at % rolls.len());
            if let Some(frame) = rolls[row].frames.get(step) {
                let before = step.checked_sub(1).map_or(&[][..], |step| &rolls[row].frames[step]);
                asked.push(Asked { row, answer, before, frame });
            }
        }
        for asked in asked.chunks(FRAMES) {
            for (asked, cost) in asked.iter().zip(costs(network, codec, asked)?) {
                nats[asked.row].push(cost);
            }
        }
    }
    Ok(nats)
}

/// A frame, and what the network answered before it.
pub(super) struct Asked<'a> {
    /// Of which row it is.
    pub row: usize,
    pub answer: &'a [f32],
    pub before: &'a [Sound],
    pub frame: &'a [Sound],
}

/// What each frame costs, in nats.
pub(super) fn costs(
    network: &Arc<Network>,
    codec: &MusicCodec,
    asked: &[Asked<'_>],
) -> Result<Vec<f64>> {
    let Some(decoder) = network.decoder() else {
        let cost = |asked: &Asked<'_>| frame_nats(codec, asked.answer, asked.before, asked.frame);
        return Ok(asked.iter().map(cost).collect());
    };
    let rnn = &decoder.spec().rnn;
    let mut session = Session::new(decoder.clone(), asked.len())?;
    let parts = 0..rnn.num_layers;
    let state: Vec<f32> = parts
        .flat_map(|layer| {
            let at = layer * rnn.state_size();
            asked.iter().flat_map(move |asked| &asked.answer[at..at + rnn.state_size()])
        })
        .copied()
        .collect();
    session.set_state(&state)?;
    let symbol = |asked: &Asked<'_>, index: usize| {
        asked.frame.get(index).map_or(codec.end(), |sound| codec.symbol(*sound))
    };
    let longest = asked.iter().map(|asked| asked.frame.len()).max().unwrap_or(0);
    let mut allowed = vec![false; codec.symbols() + 1];
    let (mut costs, mut from) = (vec![0.0; asked.len()], vec![0; asked.len()]);
    let mut tokens = vec![codec.end(); asked.len()];
    for index in 0..=longest {
        let logits = session.step(&tokens[..])?;
        for (row, logits) in logits.chunks_exact(codec.symbols() + 1).enumerate() {
            let asked = &asked[row];
            if index > asked.frame.len() {
                continue;
            }
            tokens[row] = symbol(asked, index);
            codec.allow(asked.before, from[row], &mut allowed);
            costs[row] += log_total(logits, &allowed) - f64::from(logits[tokens[row] as usize]);
            from[row] = codec.key(tokens[row]) + 1;
        }
    }
    Ok(costs)
}
