//! What the network is told before each step.
//!
//! ```text
//! [ sounding 88 │ 1 / (1 + steps since struck) 88 │ place of the next step in the bar
//!               │ sounding keys / 8 │ 1 at the start ]
//! ```
//! The place is one of the steps from the beginning of the bar, and one of those to its end; where
//! the meter is not known, one of 12 and one of 16 steps.
use super::codec::{CYCLES, MusicCodec};
use super::roll::{KEYS, Place, Sound};

/// What was heard so far.
#[derive(Clone, Debug)]
pub struct Ear {
    codec: MusicCodec,
    frame: Vec<Sound>,
    /// Steps since each key was struck.
    since: [Option<u32>; KEYS],
    started: bool,
}

impl Ear {
    /// Before the first frame.
    pub fn new(codec: &MusicCodec) -> Self {
        Self { codec: codec.clone(), frame: Vec::new(), since: [None; KEYS], started: false }
    }

    /// The last frame.
    pub fn frame(&self) -> &[Sound] {
        &self.frame
    }

    /// Hears a frame, of keys below 88.
    pub fn hear(&mut self, frame: &[Sound]) {
        self.started = true;
        for since in self.since.iter_mut().flatten() {
            *since = since.saturating_add(1);
        }
        for sound in frame {
            let held = self.frame.iter().any(|before| before.key == sound.key);
            if !held || (sound.onset && self.codec.onsets) {
                self.since[usize::from(sound.key)] = Some(0);
            }
        }
        self.frame.clear();
        self.frame.extend_from_slice(frame);
    }

    /// The features of the next step, which stands at `place`, into `to [I]`.
    pub fn tell(&self, place: Place, to: &mut [f32]) {
        to.fill(0.0);
        let (keys, rest) = to.split_at_mut(2 * KEYS);
        for sound in &self.frame {
            keys[usize::from(sound.key)] = 1.0;
        }
        for (to, since) in keys[KEYS..].iter_mut().zip(&self.since) {
            if let Some(since) = since {
                *to = 1.0 / (1.0 + *since as f32);
            }
        }
        let last = rest.len() - 2;
        self.place(place, &mut rest[..last]);
        rest[last] = self.frame.len() as f32 / 8.0;
        rest[last + 1] = if self.started { 0.0 } else { 1.0 };
    }

    fn place(&self, place: Place, to: &mut [f32]) {
        match self.codec.bar {
            0 => {
                to[place.step % CYCLES[0]] = 1.0;
                to[CYCLES[0] + place.step % CYCLES[1]] = 1.0;
            }
            bar => {
                let of = place.of.max(1);
                let step = place.step % of;
                to[step.min(bar - 1)] = 1.0;
                to[bar + (of - 1 - step).min(bar - 1)] = 1.0;
            }
        }
    }
}
