//! A first-order Markov chain over frames: what music sounds like to one who remembers one step.
use gruvy_runtime::music::{Roll, Sound};
use gruvy_runtime::random::SplitMix64;
use std::collections::HashMap;

/// Which frames follow which in some music.
#[derive(Debug)]
pub struct Chain<'a> {
    /// First frames.
    first: Vec<&'a [Sound]>,
    /// Frames that followed each, as often as they did.
    next: HashMap<&'a [Sound], Vec<&'a [Sound]>>,
}

impl<'a> Chain<'a> {
    /// Of the frames of rolls.
    pub fn new(rolls: &'a [Roll]) -> Self {
        let mut next: HashMap<&[Sound], Vec<&[Sound]>> = HashMap::new();
        for pair in rolls.iter().flat_map(|roll| roll.frames.windows(2)) {
            next.entry(&pair[0]).or_default().push(&pair[1]);
        }
        let first = rolls.iter().filter_map(|roll| roll.frames.first()).map(Vec::as_slice);
        Self { first: first.collect(), next }
    }

    /// So many frames, drawn from a seed: after a frame with which a piece ended, a piece begins.
    pub fn compose(&self, steps: usize, seed: u64) -> Vec<Vec<Sound>> {
        let mut random = SplitMix64::new(seed);
        let mut frames: Vec<Vec<Sound>> = Vec::with_capacity(steps);
        while frames.len() < steps {
            let last = frames.last().map(Vec::as_slice);
            let choices = last.and_then(|last| self.next.get(last)).unwrap_or(&self.first);
            let drawn = (random.unit() * choices.len() as f64) as usize;
            let Some(frame) = choices.get(drawn) else { break };
            frames.push(frame.to_vec());
        }
        frames
    }
}
