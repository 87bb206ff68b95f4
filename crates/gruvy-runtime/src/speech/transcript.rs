//! What was said, and when; and how it is written.
use super::labels::Labels;
use super::path::Spoken;
use serde::Serialize;
use std::fmt::Write;

/// A word.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Word {
    /// As it is written.
    pub text: String,
    /// When it begins, in seconds from the start of the recording.
    pub start: f64,
    /// When it ends.
    pub end: f64,
    /// The geometric mean of the probabilities of its labels, each where it is largest: 0 to 1.
    pub confidence: f64,
}

/// What was said.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Transcript {
    /// The words with blanks between them.
    pub text: String,
    /// One after another.
    pub words: Vec<Word>,
}

impl Transcript {
    /// Of labels at steps, each `step_s` long.
    pub(super) fn of(labels: &Labels, spoken: &[Spoken], step_s: f64) -> Self {
        let classes: Vec<u32> = spoken.iter().map(|label| label.class).collect();
        let mut words: Vec<Word> = Vec::new();
        // ln p and number of the labels of the word that is not over yet.
        let (mut sum, mut count) = (0.0, 0);
        let mut open = false;
        for (piece, label) in labels.pieces(&classes).iter().zip(spoken) {
            let (start, end) = (label.from as f64 * step_s, label.to as f64 * step_s);
            // A piece may hold blanks anywhere.
            for (at, part) in piece.split(char::is_whitespace).enumerate() {
                open &= at == 0;
                if part.is_empty() {
                    continue;
                }
                if !open {
                    (sum, count) = (0.0, 0);
                    words.push(Word { text: String::new(), start, end, confidence: 0.0 });
                }
                let Some(word) = words.last_mut() else { continue };
                word.text.push_str(part);
                word.end = end;
                sum += f64::from(label.log_p);
                count += 1;
                word.confidence = (sum / f64::from(count)).exp();
                open = true;
            }
        }
        Self::of_words(words)
    }

    fn of_words(words: Vec<Word>) -> Self {
        let text = words.iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(" ");
        Self { text, words }
    }

    /// This and what was said later.
    pub fn then(mut self, later: Self) -> Self {
        self.words.extend(later.words);
        Self::of_words(self.words)
    }

    /// Lines for subtitles: words that follow one another without a pause, at most so many
    /// characters and seconds.
    fn cues(&self) -> Vec<&[Word]> {
        /// Of a line that can be read at once.
        const CHARS: usize = 42;
        const SECONDS: f64 = 6.0;
        const PAUSE: f64 = 0.8;
        let mut cues: Vec<&[Word]> = Vec::new();
        let mut from = 0;
        for at in 0..self.words.len() {
            let word = &self.words[at];
            let chars: usize =
                self.words[from..=at].iter().map(|word| word.text.chars().count() + 1).sum();
            let pause = at > from && word.start - self.words[at - 1].end > PAUSE;
            let long = chars > CHARS + 1 || word.end - self.words[from].start > SECONDS;
            if at > from && (pause || long) {
                cues.push(&self.words[from..at]);
                from = at;
            }
        }
        if from < self.words.len() {
            cues.push(&self.words[from..]);
        }
        cues
    }

    /// As a SubRip file.
    pub fn to_srt(&self) -> String {
        let mut srt = String::new();
        for (number, cue) in self.cues().iter().enumerate() {
            let (from, to) = (clock(cue[0].start, ','), clock(cue[cue.len() - 1].end, ','));
            let _ = write!(srt, "{}\n{from} --> {to}\n{}\n\n", number + 1, line(cue));
        }
        srt
    }

    /// As a WebVTT file.
    pub fn to_vtt(&self) -> String {
        let mut vtt = "WEBVTT\n\n".to_owned();
        for cue in self.cues() {
            let (from, to) = (clock(cue[0].start, '.'), clock(cue[cue.len() - 1].end, '.'));
            let text = line(cue).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
            let _ = write!(vtt, "{from} --> {to}\n{text}\n\n");
        }
        vtt
    }
}

fn line(cue: &[Word]) -> String {
    cue.iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(" ")
}

/// `00:01:02,345`
fn clock(seconds: f64, point: char) -> String {
    let ms = (seconds * 1000.0).round() as u64;
    let (hours, minutes) = (ms / 3_600_000, ms / 60_000 % 60);
    format!("{hours:02}:{minutes:02}:{:02}{point}{:03}", ms / 1000 % 60, ms % 1000)
}
