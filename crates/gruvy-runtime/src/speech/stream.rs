//! Speech as sound comes.
use super::path::{Greedy, log_softmax};
use super::transcriber::Transcriber;
use super::transcript::Transcript;
use crate::audio::FeatureStream;
use crate::error::{Error, Result};
use crate::model::{session::Session, steps::Steps};

/// Listens to one recording as it comes, with the best class of each step. What it says, put
/// together, is what [`Transcriber::transcribe`] says of the whole, to the bit; but a pause always
/// ends a word, even where the model has said no blank.
#[derive(Debug)]
pub struct TranscriptStream {
    transcriber: Transcriber,
    features: FeatureStream,
    session: Session,
    greedy: Greedy,
    /// Steps not yet taken, `[n, I]`.
    steps: Vec<f32>,
    endpoint_steps: usize,
}

/// What a stream has to say.
#[derive(Clone, Debug, PartialEq)]
pub enum Heard {
    /// What was said since the last pause, so far.
    Partial(Transcript),
    /// What was said up to a pause, or to the end.
    Final(Transcript),
}

impl Transcriber {
    /// Listens as sound comes. After a pause of `endpoint_s` seconds, what was said before it is
    /// [final](Heard::Final).
    ///
    /// # Errors
    /// [`Error::Bidirectional`] if the network needs the end first; [`Error::Setting`] for a pause
    /// that is not positive, and for a front end that needs the whole recording.
    pub fn stream(&self, endpoint_s: f64) -> Result<TranscriptStream> {
        if self.network.spec().rnn.bidirectional {
            return Err(Error::Bidirectional { action: "listen as sound comes" });
        }
        if !(endpoint_s > 0.0 && endpoint_s.is_finite()) {
            return Err(Error::setting("endpoint", endpoint_s, "seconds, more than 0"));
        }
        let steps = (endpoint_s / self.step_seconds()).ceil();
        Ok(TranscriptStream {
            features: self.codec.front_end()?.stream()?,
            session: Session::new(self.network.clone(), 1)?,
            greedy: Greedy::default(),
            steps: Vec::new(),
            endpoint_steps: steps.min(f64::from(u32::MAX)) as usize,
            transcriber: self.clone(),
        })
    }
}

impl TranscriptStream {
    /// Takes samples of any number, at the front end's rate; gives what is new: at most one partial
    /// transcript, the last.
    ///
    /// # Errors
    /// [`Error::Audio`] for samples that are not finite. Nothing is taken then.
    pub fn push(&mut self, samples: &[f32]) -> Result<Vec<Heard>> {
        if let Some(bad) = samples.iter().find(|sample| !sample.is_finite()) {
            return Err(Error::audio(format!("a sample is {bad}; expected finite numbers")));
        }
        self.features.push(samples, &mut self.steps);
        self.read()
    }

    /// The end: what was said since the last pause. Nothing is to be pushed after it.
    ///
    /// # Errors
    /// As [`Session::run`].
    pub fn finish(&mut self) -> Result<Vec<Heard>> {
        self.features.finish(&mut self.steps);
        let mut heard = self.read()?;
        heard.retain(|heard| matches!(heard, Heard::Final(_)));
        if !self.greedy.spoken().is_empty() {
            heard.push(Heard::Final(self.transcript()));
            self.greedy.forget();
        }
        Ok(heard)
    }

    fn transcript(&self) -> Transcript {
        let Transcriber { codec, .. } = &self.transcriber;
        Transcript::of(&codec.labels, self.greedy.spoken(), self.transcriber.step_seconds())
    }

    /// Reads the steps that there are.
    fn read(&mut self) -> Result<Vec<Heard>> {
        let classes = self.transcriber.codec.labels.classes();
        let mut heard = Vec::new();
        let before = self.greedy.spoken().len();
        let mut log_p = self.session.run(Steps::Features(&self.steps))?.to_vec();
        self.steps.clear();
        log_softmax(&mut log_p, classes);
        for step in log_p.chunks_exact(classes) {
            self.greedy.push(step);
            let over = self.greedy.silent() >= self.endpoint_steps;
            if over && !self.greedy.spoken().is_empty() {
                heard.push(Heard::Final(self.transcript()));
                self.greedy.forget();
            }
        }
        let now = self.greedy.spoken().len();
        if now > 0 && (now != before || !heard.is_empty()) {
            heard.push(Heard::Partial(self.transcript()));
        }
        Ok(heard)
    }
}
