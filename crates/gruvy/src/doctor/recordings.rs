//! What is in recordings, a block at a time.
use super::spectrogram::Spectrogram;
use super::{Examined, Fact, Verdict};
use gruvy_data::Input;
use gruvy_data::audio::{AudioStream, Wanted};
use gruvy_data::speech::{Like, SpeechFormat, read_clips_like};
use gruvy_runtime::random::Fnv;
use rayon::prelude::*;
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

/// From here on a sample is clipped: the largest that 16 bits hold.
const FULL: f32 = 32_766.0 / 32_768.0;
/// So much of a recording may be clipped before it is said.
const MUCH_CLIPPED: f64 = 0.001;
/// A block whose level is below this is silence, -60 dB.
const SILENT: f64 = 1e-3;
/// Blocks of silence last so many milliseconds.
const BLOCK_MS: usize = 20;
/// No text takes more characters of a table.
const MOST_TEXT: usize = 60;

/// A report of each recording.
///
/// # Errors
/// Why these are no recordings.
pub(super) fn examine(inputs: &[Input]) -> Result<Vec<Examined>, String> {
    let format = SpeechFormat::default();
    let like = Like { known: &format, asked: &format, labelled: false };
    let clips = read_clips_like(inputs, &like).map_err(|error| error.to_string())?;
    let mut texts: BTreeMap<PathBuf, Vec<String>> = BTreeMap::new();
    let with_text = clips.clips.iter().any(|clip| !clip.text.is_empty());
    for clip in clips.clips {
        texts.entry(clip.path).or_default().push(clip.text);
    }
    let texts: Vec<(PathBuf, Vec<String>)> = texts.into_iter().collect();
    let mut all: Vec<Heard> = texts
        .par_iter()
        .map(|(path, texts)| Heard::of(path, with_text.then_some(&texts[..])))
        .collect();
    compare(&mut all);
    Ok(all.into_iter().map(Heard::examined).collect())
}

/// What is known of a recording.
struct Heard {
    path: PathBuf,
    facts: Vec<Fact>,
    picture: Option<String>,
    /// Why it is refused.
    refused: Option<String>,
    mended: Vec<String>,
    doubts: Vec<String>,
    rate: u32,
    /// A number of its samples.
    print: String,
}

impl Heard {
    fn of(path: &Path, texts: Option<&[String]>) -> Self {
        let mut heard = Self {
            path: path.to_owned(),
            facts: Vec::new(),
            picture: None,
            refused: None,
            mended: Vec::new(),
            doubts: Vec::new(),
            rate: 0,
            print: String::new(),
        };
        match heard.listen() {
            Ok(()) => heard.text(texts),
            Err(gruvy_data::Error::File { problem, .. }) => heard.refused = Some(problem),
            Err(gruvy_data::Error::Io { error, .. }) => {
                heard.refused = Some(format!("the file cannot be read: {error}"));
            }
            Err(other) => heard.refused = Some(other.to_string()),
        }
        heard
    }

    fn listen(&mut self) -> gruvy_data::Result<()> {
        let mut stream = AudioStream::open(&self.path.as_path().into(), &Wanted::default())?;
        let rate = stream.sample_rate_hz();
        let mut level = Level::new(rate);
        let mut picture = Spectrogram::new(rate);
        while let Some(samples) = stream.next()? {
            level.push(samples);
            if let Some(picture) = &mut picture {
                picture.push(samples);
            }
        }
        level.finish();
        let seconds = level.samples as f64 / f64::from(rate);
        let (channels, format) = (stream.sound().channels(), stream.sound().format().to_owned());
        (self.rate, self.print, self.mended) = (rate, level.print.to_string(), stream.remarks());
        self.picture = picture.and_then(Spectrogram::finish);
        self.facts = vec![
            Fact::new("length", length(seconds), seconds),
            Fact::new("rate", format!("{rate} Hz"), rate),
            Fact::number("channels", channels),
            Fact::text("format", format),
            decibels("peak", level.peak.into()),
            decibels("level", level.rms()),
            percent("clipped", level.clipped as f64 / level.samples.max(1) as f64),
            percent("silence", level.silent as f64 / level.blocks.max(1) as f64),
        ];
        self.doubts = level.doubts();
        Ok(())
    }

    fn text(&mut self, texts: Option<&[String]>) {
        let Some(texts) = texts else { return };
        let empty = texts.iter().filter(|text| text.is_empty()).count();
        if empty > 0 {
            self.doubts.push(match texts {
                [_] => "its text is empty".into(),
                all => format!("the texts of {empty} of its {} parts are empty", all.len()),
            });
        }
        let text = match texts {
            [text] => text.clone(),
            all => format!("{} parts", all.len()),
        };
        let shown = match text.char_indices().nth(MOST_TEXT) {
            Some((end, _)) => format!("{}…", &text[..end]),
            None => text.clone(),
        };
        self.facts.push(Fact::new("text", shown, text));
    }

    fn examined(self) -> Examined {
        let (verdict, reasons) = match (self.refused, self.doubts.is_empty()) {
            (Some(reason), _) => (Verdict::Refused, vec![reason]),
            (None, false) => (Verdict::Doubtful, [self.doubts, self.mended].concat()),
            (None, true) if self.mended.is_empty() => (Verdict::Ok, Vec::new()),
            (None, true) => (Verdict::Mended, self.mended),
        };
        let Self { path, facts, picture, .. } = self;
        Examined { path, verdict, reason: reasons.join("; "), facts, picture }
    }
}

/// What is seen beside others: other rates than most have, and the same sound again.
fn compare(all: &mut [Heard]) {
    let mut rates: BTreeMap<u32, usize> = BTreeMap::new();
    let mut prints: HashMap<String, PathBuf> = HashMap::new();
    let read = || all.iter().filter(|heard| heard.refused.is_none());
    read().for_each(|heard| *rates.entry(heard.rate).or_default() += 1);
    let usual = rates.iter().find(|(_, count)| 2 * **count > read().count()).map(|(rate, _)| *rate);
    for heard in all.iter_mut().filter(|heard| heard.refused.is_none()) {
        if let Some(usual) = usual.filter(|usual| *usual != heard.rate) {
            heard.doubts.push(format!("{} Hz, where most have {usual}", heard.rate));
        }
        match prints.get(&heard.print) {
            Some(first) => heard.doubts.push(format!("the same sound as {}", first.display())),
            None => {
                prints.insert(heard.print.clone(), heard.path.clone());
            }
        }
    }
}

/// How loud a recording is.
struct Level {
    samples: u64,
    peak: f32,
    power: f64,
    clipped: u64,
    /// Samples of a block, and of the one that is being filled.
    block: usize,
    filled: usize,
    power_of_block: f64,
    blocks: u64,
    silent: u64,
    print: Fnv,
}

impl Level {
    fn new(rate: u32) -> Self {
        let block = (rate as usize * BLOCK_MS / 1000).max(1);
        Self {
            samples: 0,
            peak: 0.0,
            power: 0.0,
            clipped: 0,
            block,
            filled: 0,
            power_of_block: 0.0,
            blocks: 0,
            silent: 0,
            print: Fnv::new(),
        }
    }

    fn push(&mut self, samples: &[f32]) {
        self.samples += samples.len() as u64;
        for sample in samples {
            self.print.add(&sample.to_le_bytes());
            self.peak = self.peak.max(sample.abs());
            self.clipped += u64::from(sample.abs() >= FULL);
            self.power_of_block += f64::from(*sample).powi(2);
            self.filled += 1;
            if self.filled == self.block {
                self.finish();
            }
        }
    }

    /// Ends a block.
    fn finish(&mut self) {
        if self.filled == 0 {
            return;
        }
        self.power += self.power_of_block;
        self.blocks += 1;
        let level = (self.power_of_block / self.filled as f64).sqrt();
        self.silent += u64::from(level < SILENT);
        (self.filled, self.power_of_block) = (0, 0.0);
    }

    fn rms(&self) -> f64 {
        (self.power / self.samples.max(1) as f64).sqrt()
    }

    fn doubts(&self) -> Vec<String> {
        let mut doubts = Vec::new();
        if self.silent == self.blocks {
            doubts.push("silence: no part of it is louder than -60 dB".to_owned());
        }
        let share = self.clipped as f64 / self.samples.max(1) as f64;
        if share > MUCH_CLIPPED {
            let percent = 100.0 * share;
            doubts.push(format!("clipped: {percent:.1} % of its samples are at full scale"));
        }
        doubts
    }
}

/// A level beside full scale.
fn decibels(name: &'static str, level: f64) -> Fact {
    match level > 0.0 {
        true => {
            let decibels = 20.0 * level.log10();
            Fact::new(name, format!("{decibels:.1} dB"), decibels)
        }
        false => Fact::new(name, "-".into(), serde_json::Value::Null),
    }
}

fn percent(name: &'static str, share: f64) -> Fact {
    Fact::new(name, format!("{:.1} %", 100.0 * share), share)
}

/// `0.52 s`, `2:05`
fn length(seconds: f64) -> String {
    match seconds < 60.0 {
        true => format!("{seconds:.2} s"),
        false => {
            let seconds = seconds.round() as u64;
            format!("{}:{:02}", seconds / 60, seconds % 60)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A WAV file of 16 bits and one channel.
    fn wav(rate: u32, samples: impl Iterator<Item = f32>) -> Vec<u8> {
        let data: Vec<u8> =
            samples.flat_map(|sample| ((sample * 32_767.0) as i16).to_le_bytes()).collect();
        let format =
            [&[1, 0, 1, 0][..], &rate.to_le_bytes(), &(2 * rate).to_le_bytes(), &[2, 0, 16, 0]];
        let size = (data.len() as u32).to_le_bytes();
        [b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0", &format.concat()[..], b"data", &size, &data].concat()
    }

    fn tone(hz: f32, loud: f32) -> impl Iterator<Item = f32> {
        (0..8000).map(move |at| loud * (at as f32 * hz * std::f32::consts::TAU / 8000.0).sin())
    }

    #[test]
    fn each_recording_has_its_verdict() {
        let folder = tempfile::tempdir().unwrap();
        let files = [
            ("a.wav", wav(8000, tone(440.0, 0.5))),
            ("b.wav", wav(8000, tone(440.0, 0.5))),
            ("c.wav", wav(8000, tone(440.0, 4.0).map(|sample| sample.clamp(-1.0, 1.0)))),
            ("d.wav", wav(8000, std::iter::repeat_n(0.0, 8000))),
            ("e.wav", wav(16_000, tone(300.0, 0.5))),
            ("f.wav", wav(8000, tone(300.0, 0.5))[..8044].to_vec()),
            ("g.wav", b"text".to_vec()),
        ];
        let mut list = "path,text\n".to_owned();
        for (name, bytes) in &files {
            std::fs::write(folder.path().join(name), bytes).unwrap();
            list += &format!("{name},{}\n", if *name == "e.wav" { "" } else { "said" });
        }
        std::fs::write(folder.path().join("list.csv"), list).unwrap();
        let all = examine(&[folder.path().join("list.csv").into()]).unwrap();
        let said: Vec<(Verdict, String)> = all
            .iter()
            .map(|file| {
                let above = format!("{}/", folder.path().display());
                (file.verdict, file.reason.replace(&above, ""))
            })
            .collect();
        let expected = [
            (Verdict::Ok, ""),
            (Verdict::Doubtful, "the same sound as a.wav"),
            (Verdict::Doubtful, "clipped: "),
            (Verdict::Doubtful, "silence: no part of it is louder than -60 dB"),
            (Verdict::Doubtful, "its text is empty; 16000 Hz, where most have 8000"),
            (Verdict::Mended, "the file is cut off, read up to there: 0.50 of 1.00 s"),
            (Verdict::Refused, "not a recording: it begins with `text`"),
        ];
        for ((verdict, reason), (expected, begins)) in said.iter().zip(expected) {
            assert!(*verdict == expected && reason.starts_with(begins), "{verdict:?}: {reason}");
        }
        let fact = |name| all[0].facts.iter().find(|fact| fact.name == name).unwrap().text.clone();
        let facts =
            ["length", "rate", "channels", "format", "peak", "level", "clipped", "silence", "text"];
        let expected = [
            "1.00 s",
            "8000 Hz",
            "1",
            "WAV, 16 bits",
            "-6.0 dB",
            "-9.0 dB",
            "0.0 %",
            "0.0 %",
            "said",
        ];
        assert_eq!(facts.map(fact), expected);
    }

    #[test]
    fn what_is_no_recording_is_left_to_others() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a.mid"), "MThd").unwrap();
        assert!(examine(&[folder.path().into()]).is_err());
    }
}
