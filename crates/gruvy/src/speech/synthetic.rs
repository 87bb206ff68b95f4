//! The embedded set: sentences of made-up words, synthesised, for want of recordings that could be
//! given away.
//!
//! ```text
//! harmonics of a falling pitch, each as loud as three formants let it be; noise for consonants
//! ```
//! Synthetic, and easy: every speaker says a word alike but for pitch, length of the vocal tract and
//! tempo. It shows that everything works, and says nothing of real speech.
use super::data::{Recordings, Utterance};
use gruvy_runtime::audio::Audio;
use gruvy_runtime::random::{SplitMix64, mix};

/// Sentences of the set.
const SENTENCES: u64 = 400;
const RATE: u32 = 8000;
/// What the set is drawn from.
const SEED: u64 = 0x5b3e_ec11;

/// The words, each of sounds below.
const WORDS: [(&str, &str); 8] = [
    ("masi", "masi"),
    ("tulo", "tulo"),
    ("nefa", "nefa"),
    ("rusko", "rusko"),
    ("imet", "imet"),
    ("soba", "soba"),
    ("kilun", "kilun"),
    ("aro", "aro"),
];

/// Formants in Hz, or where noise is; how loud it is and how long, in seconds.
struct Sound {
    formants: [f64; 3],
    noise_hz: f64,
    loud: f64,
    seconds: f64,
}

fn sound(letter: char) -> Sound {
    let voiced = |formants, loud, seconds| Sound { formants, noise_hz: 0.0, loud, seconds };
    let noise = |noise_hz, loud, seconds| Sound { formants: [0.0; 3], noise_hz, loud, seconds };
    match letter {
        'a' => voiced([750.0, 1250.0, 2500.0], 1.0, 0.13),
        'e' => voiced([480.0, 1900.0, 2600.0], 0.9, 0.11),
        'i' => voiced([280.0, 2300.0, 3000.0], 0.8, 0.11),
        'o' => voiced([450.0, 850.0, 2500.0], 0.9, 0.12),
        'u' => voiced([310.0, 720.0, 2300.0], 0.8, 0.11),
        'm' | 'n' => {
            voiced([250.0, if letter == 'm' { 1000.0 } else { 1500.0 }, 2300.0], 0.35, 0.08)
        }
        'l' => voiced([350.0, 1150.0, 2700.0], 0.5, 0.07),
        'r' => voiced([400.0, 1200.0, 1600.0], 0.5, 0.07),
        'b' => voiced([200.0, 700.0, 2000.0], 0.15, 0.06),
        's' => noise(3200.0, 0.5, 0.1),
        'f' => noise(2200.0, 0.2, 0.09),
        't' => noise(3000.0, 0.4, 0.04),
        _ => noise(1500.0, 0.4, 0.05),
    }
}

/// How somebody speaks.
struct Voice {
    pitch_hz: f64,
    tract: f64,
    slowness: f64,
}

/// The embedded recordings.
pub fn synthetic() -> Recordings {
    let utterance = |number: u64| {
        let mut random = SplitMix64::new(mix(SEED, number));
        let speaker = random.below(12);
        let mut voice = SplitMix64::new(mix(SEED ^ 1, speaker));
        let voice = Voice {
            pitch_hz: 90.0 + 140.0 * voice.unit(),
            tract: 0.85 + 0.3 * voice.unit(),
            slowness: (0.8 + 0.4 * voice.unit()) * (0.9 + 0.2 * random.unit()),
        };
        let words: Vec<usize> =
            (0..2 + random.below(3)).map(|_| random.below(WORDS.len() as u64) as usize).collect();
        let samples = spoken(&words, &voice, &mut random);
        let audio = Audio::new(samples, RATE).expect("finite samples");
        let text = words.iter().map(|word| WORDS[*word].0).collect::<Vec<_>>().join(" ");
        let name = format!("speaker {}, sentence {}", speaker + 1, number + 1);
        Utterance { name, audio, text }
    };
    Recordings::Sound((0..SENTENCES).map(utterance).collect())
}

fn spoken(words: &[usize], voice: &Voice, random: &mut SplitMix64) -> Vec<f32> {
    let mut samples = Vec::new();
    let pause = |samples: &mut Vec<f32>, seconds: f64| {
        samples.resize(samples.len() + (seconds * f64::from(RATE)) as usize, 0.0);
    };
    pause(&mut samples, 0.1 + 0.2 * random.unit());
    for (at, word) in words.iter().enumerate() {
        let pitch = voice.pitch_hz * (1.1 - 0.25 * at as f64 / words.len() as f64);
        for letter in WORDS[*word].1.chars() {
            say(&sound(letter), pitch, voice, random, &mut samples);
        }
        pause(&mut samples, 0.05 + 0.2 * random.unit());
    }
    // A room is never quiet.
    let noise = 10f64.powf(-2.0 - random.unit());
    samples.iter_mut().for_each(|s| *s = 0.3 * *s + (noise * (random.unit() - 0.5)) as f32);
    samples
}

/// Puts a sound behind the samples.
fn say(sound: &Sound, pitch: f64, voice: &Voice, random: &mut SplitMix64, to: &mut Vec<f32>) {
    let count = (sound.seconds * voice.slowness * f64::from(RATE)) as usize;
    let turn = std::f64::consts::TAU / f64::from(RATE);
    let resonance = |hz: f64| -> f64 {
        let each = sound.formants.iter().zip([90.0, 110.0, 160.0]).map(|(formant, width)| {
            let off = (hz - formant * voice.tract) / width;
            1.0 / (1.0 + off * off)
        });
        each.sum()
    };
    let harmonics = (f64::from(RATE) / 2.0 / pitch) as usize;
    let loud: Vec<f64> = (1..harmonics).map(|h| resonance(h as f64 * pitch) / h as f64).collect();
    let total: f64 = loud.iter().sum::<f64>().max(1e-3);
    // White noise through two poles at the frequency.
    let (radius, angle) = (0.9, sound.noise_hz * turn);
    let (mut before, mut last) = (0.0, 0.0);
    for n in 0..count {
        let edge = (n.min(count - 1 - n) as f64 / (0.012 * f64::from(RATE))).min(1.0);
        let value = match sound.noise_hz > 0.0 {
            true => {
                let white = random.unit() - 0.5;
                let next = white + 2.0 * radius * angle.cos() * last - radius * radius * before;
                (before, last) = (last, next);
                0.2 * next
            }
            false => {
                let wave =
                    |(h, a): (usize, &f64)| a * (turn * pitch * (h + 1) as f64 * n as f64).sin();
                loud.iter().enumerate().map(wave).sum::<f64>() / total
            }
        };
        to.push((value * edge * sound.loud) as f32);
    }
}
