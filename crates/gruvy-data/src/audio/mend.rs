//! What had to be mended in a recording, as sentences without a full stop.

/// What was found so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Mended {
    sentences: Vec<String>,
    /// Packets that could not be decoded.
    pub(super) damaged: u64,
}

impl Mended {
    /// Adds a sentence that is not there yet.
    pub(super) fn say(&mut self, sentence: impl Into<String>) {
        let sentence = sentence.into();
        if !self.sentences.contains(&sentence) {
            self.sentences.push(sentence);
        }
    }

    /// The file ends before it should.
    pub(super) fn cut_off(&mut self, frames: u64, expected: Option<u64>, sample_rate_hz: u32) {
        let seconds = |frames: u64| frames as f64 / f64::from(sample_rate_hz);
        let of = expected.map(|all| format!(" of {:.2}", seconds(all))).unwrap_or_default();
        self.say(format!("the file is cut off, read up to there: {:.2}{of} s", seconds(frames)));
    }

    pub(super) fn sentences(&self) -> Vec<String> {
        let mut all = self.sentences.clone();
        if self.damaged > 0 {
            let packets = if self.damaged == 1 { "packet" } else { "packets" };
            all.push(format!("{} damaged {packets}, read as silence", self.damaged));
        }
        all
    }
}
