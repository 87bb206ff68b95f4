//! A piece as sound: a voice of its own, or one from a SoundFont.
use super::font::Font;
use crate::error::{Error, Result};
use gruvy_kernels::random::mix;
use gruvy_runtime::music::{Note, Piece};
use rustysynth::{SoundFont, Synthesizer, SynthesizerSettings};
use std::f64::consts::TAU;
use std::io::Cursor;
use std::sync::Arc;

/// Samples of a second.
const RATE: u32 = 44_100;
/// Seconds behind the last note, in which it fades.
const TAIL: f64 = 1.5;
/// Seconds at the very end in which everything becomes silent.
const FADE: f64 = 0.3;
/// The loudest sample, of 1.
const PEAK: f32 = 0.9;
/// No longer piece is played, in seconds: its samples are held in memory.
const LONGEST: f64 = 1200.0;
/// Of the own voice: overtones, and the seconds in which a note begins and ends.
const OVERTONES: u32 = 6;
const ATTACK: f64 = 0.004;
const RELEASE: f64 = 0.12;
/// Bass drums and hi-hats among the keys of drums.
const BASS_DRUMS: [u8; 2] = [35, 36];
const HATS: [u8; 3] = [42, 44, 46];

/// What plays a piece.
#[derive(Clone, Debug, Default)]
pub enum Voice {
    /// Decaying overtones, and noise for drums. Needs nothing.
    #[default]
    Own,
    /// Instruments of a SoundFont.
    Font(Font),
}

/// Sound.
#[derive(Clone, Debug, PartialEq)]
pub struct Audio {
    /// Samples of a second, of each channel.
    pub sample_rate_hz: u32,
    /// `[channels]`, each `[T]`: values of -1 to 1, alike in length.
    pub channels: Vec<Vec<f32>>,
}

impl Voice {
    /// Plays a piece. The sound is as long as the piece and a tail of 1.5 seconds in which it
    /// fades, and its loudest sample is 0.9.
    ///
    /// # Errors
    /// [`Error::Data`] for a piece of more than 20 minutes.
    pub fn play(&self, piece: &Piece) -> Result<Audio> {
        let seconds = piece.seconds(piece.end());
        if seconds > LONGEST {
            return Err(Error::Data(format!(
                "{} lasts {:.0} minutes; a sound has at most {:.0}: cut it, or leave the sound out",
                piece.name,
                seconds / 60.0,
                LONGEST / 60.0
            )));
        }
        let length = at(seconds + TAIL);
        let mut channels = match self {
            Self::Own => vec![own(piece, length)],
            Self::Font(font) => by_font(&font.0, piece, length)?,
        };
        finish(&mut channels);
        Ok(Audio { sample_rate_hz: RATE, channels })
    }
}

impl Audio {
    /// Seconds.
    pub fn seconds(&self) -> f64 {
        let samples = self.channels.first().map_or(0, Vec::len);
        samples as f64 / f64::from(self.sample_rate_hz)
    }

    /// The content of a WAV file of 16 bits a sample.
    ///
    /// # Errors
    /// [`Error::Data`] for more than 4 GB, which a WAV file cannot hold.
    pub fn to_wav(&self) -> Result<Vec<u8>> {
        let spec = hound::WavSpec {
            channels: self.channels.len() as u16,
            sample_rate: self.sample_rate_hz,
            bits_per_sample: 16,
            sample_format: hound::SampleFormat::Int,
        };
        let write = || -> hound::Result<Vec<u8>> {
            let mut bytes = Cursor::new(Vec::new());
            let mut writer = hound::WavWriter::new(&mut bytes, spec)?;
            for i in 0..self.channels.first().map_or(0, Vec::len) {
                for channel in &self.channels {
                    writer.write_sample((channel[i] * f32::from(i16::MAX)).round() as i16)?;
                }
            }
            writer.finalize()?;
            Ok(bytes.into_inner())
        };
        write().map_err(|error| Error::Data(format!("no WAV file can hold this sound: {error}")))
    }
}

/// The sample at so many seconds.
fn at(seconds: f64) -> usize {
    (seconds * f64::from(RATE)).round() as usize
}

/// Makes the loudest sample [`PEAK`], and the end silent.
fn finish(channels: &mut [Vec<f32>]) {
    let peak = channels.iter().flatten().fold(0.0f32, |peak, x| peak.max(x.abs()));
    let gain = if peak > 0.0 { PEAK / peak } else { 0.0 };
    let fade = at(FADE);
    for channel in channels {
        let length = channel.len();
        for (i, sample) in channel.iter_mut().enumerate() {
            let left = (length - 1 - i).min(fade) as f32 / fade as f32;
            *sample = (*sample * gain * left).clamp(-PEAK, PEAK);
        }
    }
}

/// All notes and drums by the own voice.
fn own(piece: &Piece, length: usize) -> Vec<f32> {
    let mut samples = vec![0.0; length];
    for note in &piece.notes {
        add_note(&mut samples, note, piece.seconds(note.start), piece.seconds(note.end));
    }
    for drum in &piece.drums {
        add_drum(&mut samples, drum, at(piece.seconds(drum.start)));
    }
    samples
}

fn level(note: &Note) -> f64 {
    (f64::from(note.velocity) / 127.0).powf(1.5)
}

/// Overtones that decay, the higher the faster, as those of a string.
fn add_note(samples: &mut [f32], note: &Note, start: f64, end: f64) {
    let pitch = 440.0 * ((f64::from(note.key) - 69.0) / 12.0).exp2();
    let (rate, end) = (f64::from(RATE), end - start);
    let to = samples.len().min(at(start + end + RELEASE));
    for overtone in 1..=OVERTONES {
        let frequency = pitch * f64::from(overtone);
        if frequency > rate * 0.45 {
            break;
        }
        let loud = level(note) / f64::from(overtone).powf(1.6);
        let decay = -(0.7 + 0.5 * f64::from(overtone)) * (pitch / 440.0).sqrt();
        // One step of the oscillation, and of its decay.
        let (sin, cos) = (TAU * frequency / rate).sin_cos();
        let shrink = (decay / rate).exp();
        let (mut re, mut im) = (loud, 0.0);
        for (i, sample) in samples[at(start).min(to)..to].iter_mut().enumerate() {
            let t = i as f64 / rate;
            let begun = (t / ATTACK).min(1.0);
            let left = ((end + RELEASE - t) / RELEASE).clamp(0.0, 1.0);
            *sample += (im * begun * left) as f32;
            (re, im) = ((re * cos - im * sin) * shrink, (re * sin + im * cos) * shrink);
        }
    }
}

/// A low tone for a bass drum, noise for the others.
fn add_drum(samples: &mut [f32], drum: &Note, start: usize) {
    let bass = BASS_DRUMS.contains(&drum.key);
    let seconds = if HATS.contains(&drum.key) { 0.03 } else { 0.08 };
    let loud = 0.5 * level(drum);
    let to = samples.len().min(start + at(8.0 * seconds));
    for (i, sample) in samples[start.min(to)..to].iter_mut().enumerate() {
        let t = i as f64 / f64::from(RATE);
        let wave = match bass {
            true => (TAU * 60.0 * t).sin() * 2.0,
            false => (mix(u64::from(drum.key), i as u64) >> 11) as f64 / (1u64 << 52) as f64 - 1.0,
        };
        *sample += (loud * wave * (-t / seconds).exp()) as f32;
    }
}

/// Both channels of a SoundFont's instruments.
fn by_font(font: &Arc<SoundFont>, piece: &Piece, length: usize) -> Result<Vec<Vec<f32>>> {
    let settings = SynthesizerSettings::new(RATE as i32);
    let mut synthesizer = Synthesizer::new(font, &settings)
        .map_err(|error| Error::Data(format!("the SoundFont cannot be played: {error}")))?;
    let mut messages: Vec<(usize, bool, &Note)> = Vec::new();
    for note in piece.notes.iter().chain(&piece.drums) {
        messages.push((at(piece.seconds(note.start)), true, note));
        messages.push((at(piece.seconds(note.end)), false, note));
    }
    messages.sort_unstable();
    let (mut left, mut right) = (vec![0.0; length], vec![0.0; length]);
    let mut from = 0;
    for (to, starts, note) in messages {
        synthesizer.render(&mut left[from..to], &mut right[from..to]);
        from = to;
        let (channel, key) = (i32::from(note.channel), i32::from(note.key));
        match starts {
            true => synthesizer.note_on(channel, key, i32::from(note.velocity)),
            false => synthesizer.note_off(channel, key),
        }
    }
    synthesizer.render(&mut left[from..], &mut right[from..]);
    Ok(vec![left, right])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piece(notes: &[(u64, u64, u8)], drums: &[(u64, u64, u8)]) -> Piece {
        // A tick is a thousandth of a second.
        let list = |notes: &[(u64, u64, u8)], channel| {
            let note = |(start, end, key): &(u64, u64, u8)| Note {
                start: *start,
                key: *key,
                end: *end,
                velocity: 90,
                channel,
            };
            notes.iter().map(note).collect()
        };
        let (tempos, meters) = (Vec::new(), Vec::new());
        let (notes, drums) = (list(notes, 0), list(drums, 9));
        Piece { name: "a".into(), ticks_per_quarter: 500, notes, drums, tempos, meters }
    }

    fn sound(piece: &Piece) -> Vec<f32> {
        Voice::Own.play(piece).unwrap().channels.remove(0)
    }

    /// The power of samples at a frequency.
    fn power(samples: &[f32], frequency: f64) -> f64 {
        let turn = |i: usize| TAU * frequency * i as f64 / f64::from(RATE);
        let sum = |f: fn(f64) -> f64| {
            let wave = samples.iter().enumerate().map(|(i, x)| f64::from(*x) * f(turn(i)));
            wave.sum::<f64>()
        };
        sum(f64::sin).powi(2) + sum(f64::cos).powi(2)
    }

    fn loudness(samples: &[f32]) -> f64 {
        let squares = samples.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>();
        (squares / samples.len() as f64).sqrt()
    }

    #[test]
    fn a_played_a_sounds_at_440_hz() {
        let samples = sound(&piece(&[(0, 1000, 69)], &[]));
        let second = &samples[..RATE as usize];
        let best = (100..2000)
            .max_by(|a, b| power(second, f64::from(*a)).total_cmp(&power(second, f64::from(*b))));
        assert_eq!(best, Some(440));
        // With overtones, and nothing between them.
        let [own, octave, between] = [440.0, 880.0, 660.0].map(|f| power(second, f));
        assert!(octave > own / 100.0 && between < own / 1e4, "{own} {octave} {between}");
    }

    #[test]
    fn levels_lengths_and_tails() {
        let chord: Vec<_> = (40..88).map(|key| (0, 3000, key)).collect();
        for piece in [piece(&chord, &[(0, 1, 36), (0, 1, 42)]), piece(&[(500, 700, 21)], &[])] {
            let audio = Voice::Own.play(&piece).unwrap();
            let samples = &audio.channels[0];
            let seconds = piece.seconds(piece.end()) + TAIL;
            assert!((audio.seconds() - seconds).abs() < 1e-4, "{} {seconds}", audio.seconds());
            let peak = samples.iter().fold(0.0f32, |peak, x| peak.max(x.abs()));
            assert!((0.899..=0.9).contains(&peak), "{peak}");
            assert_eq!(samples.last(), Some(&0.0));
            // Behind the end of the last note there is silence.
            let end = at(seconds - TAIL + RELEASE) + 1;
            assert!(samples[end..].iter().all(|x| x.abs() < 1e-4));
        }
        let rest = sound(&piece(&[(500, 700, 60)], &[]));
        assert!(rest[..at(0.5)].iter().all(|x| *x == 0.0) && rest[at(0.55)] != 0.0);
    }

    #[test]
    fn no_note_begins_or_ends_with_a_click() {
        let samples = sound(&piece(&[(100, 600, 45)], &[]));
        let steepest = samples.windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(0.0, f32::max);
        // The steepest slope of this tone, within its first tenth of a second.
        let within = samples[at(0.105)..at(0.2)].windows(2);
        let slope = within.map(|pair| (pair[1] - pair[0]).abs()).fold(0.0, f32::max);
        assert!(steepest <= 1.1 * slope, "{steepest} {slope}");
    }

    #[test]
    fn drums_are_heard() {
        let samples = sound(&piece(&[(0, 10, 60)], &[(1000, 1010, 38)]));
        let [before, hit] = [&samples[at(0.8)..at(0.99)], &samples[at(1.0)..at(1.1)]];
        assert!(loudness(before) < 1e-4 && loudness(hit) > 0.05, "{}", loudness(hit));
        let bass = sound(&piece(&[(0, 10, 60)], &[(1000, 1010, 36)]));
        let hit = &bass[at(1.0)..at(1.3)];
        assert!(power(hit, 60.0) > 100.0 * power(hit, 1000.0));
    }

    #[test]
    fn a_wav_file_holds_the_samples() {
        let audio = Voice::Own.play(&piece(&[(0, 100, 69)], &[])).unwrap();
        let bytes = audio.to_wav().unwrap();
        let mut reader = hound::WavReader::new(&bytes[..]).unwrap();
        assert_eq!((reader.spec().channels, reader.spec().sample_rate), (1, RATE));
        let read: Vec<i16> = reader.samples().map(Result::unwrap).collect();
        assert_eq!(read.len(), audio.channels[0].len());
        let off = read.iter().zip(&audio.channels[0]);
        assert!(off.into_iter().all(|(a, b)| (f32::from(*a) / 32_767.0 - b).abs() < 1e-4));
        assert!(read.iter().any(|x| x.abs() > 29_000) && read.iter().all(|x| x.abs() < 29_492));
    }

    #[test]
    fn what_cannot_be_played_is_said() {
        let long = Voice::Own.play(&piece(&[(0, 1_300_000, 60)], &[])).unwrap_err().to_string();
        assert!(long.contains("22 minutes") && long.contains("at most 20"), "{long}");
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "no font").unwrap();
        let problem = Font::open(file.path()).unwrap_err().to_string();
        assert!(problem.contains("SoundFont") && problem.contains(".sf2"), "{problem}");
        let nowhere = std::path::Path::new("nowhere.sf2");
        assert!(Font::open(nowhere).unwrap_err().to_string().contains("nowhere"));
    }
}
