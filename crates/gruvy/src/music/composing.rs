//! Settings of composing.
use crate::error::{Error, Result};
use gruvy_data::settings;
use gruvy_data::settings::{Kind, Range};
use gruvy_runtime::music::{Composing, KEYS, LOWEST, Performing, Roll};
use gruvy_runtime::text::Sampling;

/// Bars that are composed unless it is said otherwise.
const BARS: usize = 16;
/// Seconds that are played unless it is said otherwise.
const SECONDS: f64 = 30.0;
const MOST_SECONDS: f64 = 86_400.0;
/// Nobody waits for more.
const MOST_STEPS: usize = 1 << 20;
/// Semitones of the scales above their root.
const MAJOR: [usize; 7] = [0, 2, 4, 5, 7, 9, 11];
const MINOR: [usize; 7] = [0, 2, 3, 5, 7, 8, 10];

settings! {
    /// How much music is composed.
    pub struct ComposeLength {
        #[serde(skip_serializing_if = "Option::is_none")]
        bars: Option<usize> = None, Kind::Whole(1), "N",
            "Bars to compose, behind a primer if there is one [default: 16; with events, 30 seconds]";
        #[serde(skip_serializing_if = "Option::is_none")]
        seconds: Option<f64> = None, Kind::Number(Range::Positive), "S",
            "Seconds to compose, instead of bars";
    }
}

settings! {
    /// How music is composed.
    pub struct ComposeConfig {
        #[serde(skip_serializing_if = "Option::is_none")]
        tempo: Option<f64> = None, Kind::Number(Range::Positive), "BPM",
            "Quarter notes of a minute [default: the primer's, or that of the training music]";
        temperature: f64 = 1.0, Kind::Number(Range::NotNegative), "T",
            "Below 1 safer, above 1 wilder; 0 always takes the likeliest sounds";
        #[serde(skip_serializing_if = "Option::is_none")]
        top_k: Option<usize> = None, Kind::Whole(1), "N", "Choose among the N likeliest keys only";
        #[serde(skip_serializing_if = "Option::is_none")]
        top_p: Option<f64> = None, Kind::Number(Range::Part), "P",
            "Choose among the likeliest keys that together have probability P";
        #[serde(skip_serializing_if = "Option::is_none")]
        key: Option<String> = None, Kind::Text, "KEY",
            "Let only the notes of a key sound, such as C, F#m or \"Bb minor\"";
        #[serde(skip_serializing_if = "Option::is_none")]
        voices: Option<usize> = None, Kind::Whole(1), "N",
            "Let N keys sound at every step; with events, at most N";
    }
}

impl ComposeLength {
    /// Seconds to play behind a primer, for a model of events.
    ///
    /// # Errors
    /// [`Error::Setting`] for bars, which events have not, and for more than a day.
    pub fn time(&self) -> Result<f64> {
        if let Some(bars) = self.bars {
            let why = "events have no bars: give the setting `seconds` instead";
            return Err(Error::setting("bars", bars, why));
        }
        let seconds = self.seconds.unwrap_or(SECONDS);
        match seconds <= MOST_SECONDS {
            true => Ok(seconds),
            false => Err(Error::setting("seconds", seconds, "expected at most a day, 86400")),
        }
    }

    /// Steps to compose behind `roll`.
    ///
    /// # Errors
    /// [`Error::Setting`] naming a setting that makes no sense.
    pub fn steps(&self, roll: &Roll) -> Result<usize> {
        let (name, value, steps) = match (self.bars, self.seconds) {
            (Some(_), Some(seconds)) => {
                let why = "expected bars or seconds, not both";
                return Err(Error::setting("seconds", seconds, why));
            }
            (None, Some(seconds)) => {
                ("seconds", seconds.to_string(), (seconds / roll.next_seconds()).ceil() as usize)
            }
            (bars, None) => {
                let bars = bars.unwrap_or(BARS);
                ("bars", bars.to_string(), bars.saturating_mul(bar(roll)))
            }
        };
        match steps <= MOST_STEPS {
            true => Ok(steps),
            false => {
                Err(Error::setting(name, value, format!("expected at most {MOST_STEPS} steps")))
            }
        }
    }
}

impl ComposeConfig {
    /// What a model is asked for: so many steps, drawn from `seed`.
    ///
    /// # Errors
    /// [`Error::Setting`] naming a setting that makes no sense.
    pub fn composing(&self, steps: usize, seed: u64) -> Result<Composing> {
        let (keys, voices) = (self.keys()?, self.voices()?);
        Ok(Composing { steps, sampling: self.sampling(seed), keys, voices })
    }

    /// What a model of events is asked for: so many seconds, drawn from `seed`.
    ///
    /// # Errors
    /// [`Error::Setting`] naming a setting that makes no sense.
    pub fn performing(&self, seconds: f64, seed: u64) -> Result<Performing> {
        if let Some(tempo) = self.tempo {
            let why = "events have their own timing: leave it out";
            return Err(Error::setting("tempo", tempo, why));
        }
        let (keys, voices) = (self.keys()?, self.voices()?);
        Ok(Performing { seconds, sampling: self.sampling(seed), keys, voices })
    }

    fn sampling(&self, seed: u64) -> Sampling {
        let Self { temperature, top_k, top_p, .. } = *self;
        Sampling { temperature, top_k, top_p, seed }
    }

    fn keys(&self) -> Result<Option<[bool; KEYS]>> {
        self.key.as_deref().map(keys_of).transpose()
    }

    fn voices(&self) -> Result<Option<usize>> {
        match self.voices {
            Some(voices) if voices > KEYS => {
                Err(Error::setting("voices", voices, format!("expected at most {KEYS}")))
            }
            voices => Ok(voices),
        }
    }
}

/// Steps of a bar at the end of a roll.
fn bar(roll: &Roll) -> usize {
    match roll.place(roll.frames.len()).of {
        0 => 16,
        steps => steps,
    }
}

/// The piano keys of a musical key: `C`, `C minor`, `F#m`, `Bb major`.
fn keys_of(name: &str) -> Result<[bool; KEYS]> {
    let unknown = || {
        Error::setting("key", name, "expected a key such as C, F#m, \"Bb minor\" or \"C major\"")
    };
    let text = name.trim().replace('♯', "#").replace('♭', "b");
    let mut letters = text.chars();
    let root = match letters.next().map(|letter| letter.to_ascii_uppercase()) {
        Some('C') => 0,
        Some('D') => 2,
        Some('E') => 4,
        Some('F') => 5,
        Some('G') => 7,
        Some('A') => 9,
        Some('B' | 'H') => 11,
        _ => return Err(unknown()),
    };
    let rest = letters.as_str();
    let (root, rest) = match rest.chars().next() {
        Some('#') => (root + 1, &rest[1..]),
        Some('b') => (root + 11, &rest[1..]),
        _ => (root, rest),
    };
    let scale = match rest.trim().to_ascii_lowercase().as_str() {
        "" | "maj" | "major" => MAJOR,
        "m" | "min" | "minor" => MINOR,
        _ => return Err(unknown()),
    };
    let sounds = |key: usize| {
        let above = (key + usize::from(LOWEST) + 24 - root % 12) % 12;
        scale.contains(&above)
    };
    Ok(std::array::from_fn(sounds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_have_their_notes() {
        let notes = |name: &str| -> Vec<usize> {
            let keys = keys_of(name).unwrap();
            // From the middle C on.
            (0..12).filter(|note| keys[note + 60 - usize::from(LOWEST)]).collect()
        };
        assert_eq!(notes("C"), MAJOR);
        assert_eq!(notes("a minor"), notes("C major"));
        assert_eq!(notes("F#m"), [1, 2, 4, 6, 8, 9, 11]);
        assert_eq!(notes("Bb"), [0, 2, 3, 5, 7, 9, 10]);
        for wrong in ["", "X", "C lydian", "Cmm"] {
            assert!(matches!(keys_of(wrong), Err(Error::Setting { name: "key", .. })), "{wrong}");
        }
    }
}
