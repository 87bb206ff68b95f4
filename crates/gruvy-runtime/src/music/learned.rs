//! Which keys a model has learned, and music that has others.
use super::piece::key_name;
use super::roll::{KEYS, LOWEST, Roll};
use crate::error::{Error, Result};
use crate::remark::Remark;
use serde::{Deserialize, Serialize};

/// Keys that are named one by one.
const NAMED: usize = 6;
const OCTAVE: i32 = 12;

/// What sounded in the music that a model learned from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Learned {
    /// Every key that sounded, 0 to 87, rising.
    pub keys: Vec<u8>,
    /// The most that sounded at one step.
    pub voices: usize,
}

impl Learned {
    /// Of rolls that are also heard up to so many semitones lower and higher; none: nothing sounds.
    pub fn new(rolls: &[Roll], transpose: usize) -> Option<Self> {
        let frames = || rolls.iter().flat_map(|roll| &roll.frames);
        let own = sounding(frames().flatten().map(|sound| sound.key));
        Self::near(&own, frames().map(Vec::len).max().unwrap_or(0), transpose)
    }

    /// Keys so near to those that sounded, at most `voices` at once; none: nothing did.
    pub(super) fn near(own: &[bool; KEYS], voices: usize, transpose: usize) -> Option<Self> {
        let near = |key: &u8| {
            let key = usize::from(*key);
            own[key.saturating_sub(transpose)..KEYS.min(key + transpose + 1)].contains(&true)
        };
        let keys = (0..KEYS as u8).filter(near).collect();
        (voices > 0).then_some(Self { keys, voices })
    }

    /// Whether this can be what sounded in some music.
    pub(super) fn is_sound(&self) -> bool {
        let rises = self.keys.is_sorted_by(|a, b| a < b);
        let known = self.keys.last().is_some_and(|last| usize::from(*last) < KEYS);
        rises && known && (1..=KEYS).contains(&self.voices)
    }

    /// Which of the 88 keys sounded.
    pub fn known(&self) -> [bool; KEYS] {
        sounding(self.keys.iter().copied())
    }

    /// The lowest and the highest key, such as `C2 to G5`.
    pub fn span(&self) -> String {
        let [low, high] = self.range();
        format!("{} to {}", name(low), name(high))
    }

    fn range(&self) -> [u8; 2] {
        [self.keys[0], self.keys[self.keys.len() - 1]]
    }

    /// What is to be said of music that a model is given and of the number of voices that it is
    /// asked for: which keys lie below or above all that it learned, and what would help.
    ///
    /// # Errors
    /// [`Error::Setting`] if that is where all of them lie.
    pub fn compare(&self, given: &Roll, voices: Option<usize>) -> Result<Vec<Remark>> {
        let [low, high] = self.range();
        let learned = self.span();
        let given = sounding(given.frames.iter().flatten().map(|sound| sound.key));
        let keys: Vec<u8> = (0..KEYS as u8).filter(|key| given[usize::from(*key)]).collect();
        let beyond: Vec<u8> =
            keys.iter().copied().filter(|key| *key < low || *key > high).collect();
        if !keys.is_empty() && beyond.len() == keys.len() {
            let expected =
                format!("keys of {learned}, which the model learned: {}", self.way(&keys));
            return Err(Error::setting("music", names(&beyond), expected));
        }
        let mut remarks = Vec::new();
        if !beyond.is_empty() {
            remarks.push(Remark::from(format!(
                "the model learned the keys {learned}, and what it hears of {} means nothing to it: \
                 {}",
                names(&beyond),
                self.way(&keys)
            )));
        }
        if let Some(voices) = voices.filter(|voices| *voices > self.voices) {
            let learned = match self.voices {
                1 => "one key at a time".to_owned(),
                most => format!("at most {most} keys at once"),
            };
            let why = format!("the model learned from {learned}: {voices} voices are a guess");
            remarks.push(why.into());
        }
        Ok(remarks)
    }

    /// How keys, at least one, come to lie among those that were learned.
    fn way(&self, keys: &[u8]) -> String {
        let [low, high] = self.range().map(i32::from);
        let (lowest, highest) = (i32::from(keys[0]), i32::from(keys[keys.len() - 1]));
        // Semitones that bring the lowest in from below, and the highest from above.
        let (least, most) = (low - lowest, high - highest);
        if least > most {
            let (wide, learned) = (highest - lowest, high - low);
            return format!(
                "leave those notes out, as the music spans {wide} semitones and the model \
                 learned {learned}"
            );
        }
        let nearest = 0.clamp(least, most);
        let away = (nearest.abs() + OCTAVE - 1) / OCTAVE * OCTAVE * nearest.signum();
        let by = if (least..=most).contains(&away) { away } else { nearest };
        format!("the setting `transpose={by}` moves the music there")
    }
}

/// Which keys may sound: those that are asked for, as far as they were learned.
///
/// # Errors
/// [`Error::Setting`] if that is none.
pub(super) fn may_sound(
    asked: Option<[bool; KEYS]>,
    learned: Option<&Learned>,
) -> Result<[bool; KEYS]> {
    let mut keys = asked.unwrap_or([true; KEYS]);
    if let Some(learned) = learned {
        keys.iter_mut().zip(learned.known()).for_each(|(may, known)| *may &= known);
    }
    match keys.contains(&true) {
        true => Ok(keys),
        false => {
            let expected = "at least one that may sound, and that the model learned";
            Err(Error::setting("keys", "none", expected))
        }
    }
}

fn sounding(keys: impl Iterator<Item = u8>) -> [bool; KEYS] {
    let mut all = [false; KEYS];
    keys.for_each(|key| all[usize::from(key)] = true);
    all
}

fn name(key: u8) -> String {
    key_name(key + LOWEST)
}

/// `C6, D6 and 3 more keys`
fn names(keys: &[u8]) -> String {
    let named: Vec<String> = keys.iter().take(NAMED).map(|key| name(*key)).collect();
    let more = match keys.len().saturating_sub(NAMED) {
        0 => String::new(),
        1 => " and 1 more key".into(),
        more => format!(" and {more} more keys"),
    };
    named.join(", ") + &more
}

#[cfg(test)]
mod tests {
    use super::super::roll::Sound;
    use super::*;

    /// Frames of MIDI keys.
    fn roll(frames: &[&[u8]]) -> Roll {
        let sound = |key: &u8| Sound { key: key - LOWEST, onset: true };
        Roll {
            name: "roll".into(),
            frames: frames.iter().map(|keys| keys.iter().map(sound).collect()).collect(),
            onsets: true,
            steps_per_quarter: 4,
            bars: Vec::new(),
            tempo: 120.0,
            tempo_changes: Vec::new(),
        }
    }

    fn chords() -> Learned {
        Learned::new(&[roll(&[&[48, 55, 64], &[]]), roll(&[&[72]])], 0).unwrap()
    }

    fn said(frames: &[&[u8]], voices: Option<usize>) -> String {
        let said = chords().compare(&roll(frames), voices);
        said.map_or_else(|error| error.to_string(), |said| Remark::sentences(&said).join("\n"))
    }

    #[test]
    fn what_sounded_was_learned() {
        let learned = chords();
        assert_eq!(learned, Learned { keys: vec![27, 34, 43, 51], voices: 3 });
        assert_eq!(learned.known().iter().filter(|known| **known).count(), 4);
        let moved = Learned::new(&[roll(&[&[21, 60], &[108]])], 2).unwrap();
        assert_eq!(moved.keys, [0, 1, 2, 37, 38, 39, 40, 41, 85, 86, 87]);
        assert_eq!(Learned::new(&[roll(&[&[]])], 2), None);
        assert!(learned.is_sound());
        for (keys, voices) in
            [(vec![], 1), (vec![3, 3], 1), (vec![4, 3], 1), (vec![88], 1), (vec![3], 0)]
        {
            assert!(!Learned { keys, voices }.is_sound());
        }
    }

    #[test]
    fn music_within_is_passed_over() {
        assert_eq!(said(&[&[48, 50, 72], &[]], Some(3)), "");
        assert_eq!(said(&[], None), "");
    }

    #[test]
    fn keys_beyond_are_named_with_what_helps() {
        let part = said(&[&[60], &[74, 76]], None);
        for part_of in ["C3 to C5", "D5, E5 means", "the setting `transpose=-12` moves"] {
            assert!(part.contains(part_of), "{part}");
        }
        // An octave would be too far.
        let low = said(&[&[47, 69]], None);
        assert!(low.contains("of B2 means") && low.contains("`transpose=1`"), "{low}");
        let wide = said(&[&[40, 60, 76]], None);
        for part_of in ["E2, E5", "leave those notes out", "36 semitones", "learned 24"] {
            assert!(wide.contains(part_of), "{wide}");
        }
        let all = said(&[&[84, 85, 86, 87, 88, 89, 90, 91]], None);
        for part_of in
            ["music is C6, C#6, D6, Eb6, E6, F6 and 2 more", "C3 to C5", "`transpose=-24`"]
        {
            assert!(all.contains(part_of), "{all}");
        }
    }

    #[test]
    fn more_voices_than_were_learned_are_guesses() {
        let said = said(&[&[60]], Some(5));
        assert!(said.contains("at most 3 keys") && said.contains("5 voices"), "{said}");
    }
}
