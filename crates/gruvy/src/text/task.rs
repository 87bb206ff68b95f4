//! The text task as the training loop sees it.
use super::{
    batches::{Cutter, gather},
    config::{TextConfig, TextRun},
    corpus::Corpus,
    vocabulary,
};
use crate::{
    error::{Error, Result},
    nn::{key::Key, model::SequenceModel},
    settings::run::{Metric, TaskConfig},
    train::{
        config::{MOST, at_most},
        report::Metrics,
        size::Size,
        task::{Carry, Part, Position, Task},
    },
};
use burn::tensor::{Device, Tensor};
use gruvy_runtime::Remark;
use gruvy_runtime::{
    Codec, TaskName,
    model::{Head, Input, ModelFile, Spec, Trained},
    text::{TextCodec, TextMetrics, predicted_chars},
};
use serde_json::Value;
use std::path::PathBuf;

/// Steps of one call when evaluating.
const EVAL_STEPS: usize = 128;
/// Tokens that a row of an evaluation runs over, unscored, before its own: see
/// [`TextTask::evaluate`].
const WARM_STEPS: usize = 64;
/// Fewest tokens of a row of an evaluation.
const LEAST_ROW: usize = 1024;

/// A corpus ready to train on.
#[derive(Debug)]
pub struct TextTask {
    run: TextRun,
    codec: TextCodec,
    train: Tokens,
    valid: Tokens,
    test: Tokens,
    cutter: Cutter,
    fingerprint: String,
    notes: Vec<Remark>,
}

/// One part of the data.
#[derive(Debug)]
struct Tokens {
    tokens: Vec<u32>,
    /// Characters that predicting all but the first token predicts.
    chars: u64,
}

impl TextTask {
    /// Makes the vocabulary from the training part of `corpus`.
    ///
    /// # Errors
    /// [`Error::Data`] if a part is shorter than one sequence; a setting out of range; text that is
    /// not UTF-8 although the unit needs it.
    pub fn new(run: TextRun, corpus: Corpus) -> Result<Self> {
        run.check()?;
        let fingerprint = corpus.fingerprint();
        let codec = vocabulary::build(run.task.unit, run.task.vocab_size, &corpus.train)?;
        let mut notes = corpus.notes;
        let mut part = |name, bytes: &[u8]| -> Result<Tokens> {
            let tokens = codec.encode(bytes)?;
            notes.extend(unseen(&codec, name, &tokens));
            Ok(Tokens { chars: predicted_chars(&codec, &tokens), tokens })
        };
        let train = part("training", &corpus.train)?;
        let valid = part("validation", &corpus.valid)?;
        let test = part("test", &corpus.test)?;
        let seq_len = run.task.seq_len;
        for (name, part) in [("training", &train), ("validation", &valid), ("test", &test)] {
            long_enough(name, part.tokens.len(), seq_len)?;
        }
        let rows = (train.tokens.len() - 1) / seq_len;
        let batch = run.train.batch.min(rows);
        if batch < run.train.batch {
            let why = format!(
                "the training text has {} tokens, enough for a batch of {batch} sequences of \
                 {seq_len} \
                 (batch = {} asked)",
                train.tokens.len(),
                run.train.batch
            );
            notes.push(Remark::chosen("batch", batch, why));
        }
        let cutter = Cutter { tokens: train.tokens.len(), batch, seq_len };
        Ok(Self { run, codec, train, valid, test, cutter, fingerprint, notes })
    }

    /// The settings.
    pub fn run(&self) -> &TextRun {
        &self.run
    }

    /// Text to tokens and back.
    pub fn codec(&self) -> &TextCodec {
        &self.codec
    }

    /// Tokens of a part of the data.
    pub fn tokens(&self, part: Part) -> &[u32] {
        &self.part(part).tokens
    }

    fn part(&self, part: Part) -> &Tokens {
        match part {
            Part::Train => &self.train,
            Part::Valid => &self.valid,
            Part::Test => &self.test,
        }
    }
}

impl TaskConfig for TextConfig {
    const TASK: TaskName = TaskName::Text;
    const UNIT: &'static str = "tokens";
    const METRICS: &'static [Metric] = &[
        Metric { name: "loss", title: "nats", decimals: 3 },
        Metric { name: "bits_per_char", title: "bits/char", decimals: 3 },
        Metric { name: "perplexity", title: "perplexity", decimals: 2 },
    ];
    type Task = TextTask;

    fn run_name(&self) -> String {
        "tales".to_owned()
    }

    fn follow_hidden(run: &mut TextRun) {
        if run.task.tied {
            run.task.embed = run.train.hidden;
        }
    }

    fn paths_mut(&mut self) -> Vec<&mut PathBuf> {
        self.valid.iter_mut().chain(&mut self.test).collect()
    }

    fn check(run: &TextRun) -> Result<()> {
        let (text, hidden) = (&run.task, run.train.hidden);
        let sizes =
            [("embed", text.embed), ("seq_len", text.seq_len), ("vocab_size", text.vocab_size)];
        at_most(&sizes, MOST)?;
        if text.tied && text.embed != hidden {
            let why = format!("tied needs embed equal to hidden, which is {hidden}");
            return Err(Error::setting("embed", text.embed, why));
        }
        Ok(())
    }

    fn load(run: TextRun) -> Result<TextTask> {
        run.check()?;
        let corpus = Corpus::load(&run)?;
        TextTask::new(run, corpus)
    }
}

impl Task for TextTask {
    type Model = SequenceModel;

    fn notes(&self) -> &[Remark] {
        &self.notes
    }

    fn fingerprint(&self) -> String {
        self.fingerprint.clone()
    }

    fn init(&self, key: Key, device: &Device) -> SequenceModel {
        let (train, text, vocab) = (&self.run.train, &self.run.task, self.codec.vocab_size());
        let input = Input::Embedding { vocab, dim: text.embed };
        let head = if text.tied { Head::Tied } else { Head::Linear { outputs: vocab } };
        SequenceModel::new(&input, &train.recurrent(text.embed), &head, key, device)
    }

    fn steps_per_epoch(&self) -> u64 {
        self.cutter.steps() as u64
    }

    fn units_per_step(&self) -> u64 {
        (self.cutter.batch * self.cutter.seq_len) as u64
    }

    fn loss(&self, model: &SequenceModel, at: Position, carry: &mut Carry) -> Tensor<1> {
        let Cutter { batch, seq_len, .. } = self.cutter;
        let starts: Vec<usize> = self.cutter.starts(at.step as usize, at.epoch_seed).collect();
        let next: Vec<usize> = starts.iter().map(|start| start + 1).collect();
        let device = model.device();
        let inputs = gather(&self.train.tokens, &starts, seq_len, &device);
        let targets = gather(&self.train.tokens, &next, seq_len, &device);
        let (x, smoothing) = (model.embed(inputs, batch), self.run.train.label_smoothing);
        let (loss, state) = model.every_loss(x, carry.pop(), targets, smoothing, Some(at.masks));
        *carry = vec![state.detach()];
        loss
    }

    fn train_metrics(&self, loss: f64) -> Metrics {
        let tokens = self.train.tokens.len() as u64 - 1;
        metrics(TextMetrics::new(loss * tokens as f64, tokens, self.train.chars))
    }

    /// Every token but the first is predicted once. For speed the text runs in several rows side by
    /// side; a row starts from the state that the tokens before it lead to, which is what a
    /// single row would have up to what those tokens have forgotten.
    fn evaluate(&self, model: &SequenceModel, _: &Codec, part: Part) -> Result<Option<Metrics>> {
        let part = self.part(part);
        let Some(targets) = part.tokens.len().checked_sub(1).filter(|targets| *targets > 0) else {
            return Ok(None);
        };
        let rows = (targets / LEAST_ROW).clamp(1, self.run.train.batch);
        let length = targets / rows;
        let mut reader = Reader { model, tokens: &part.tokens, state: None, nats: 0.0 };
        if rows > 1 {
            let warm: Vec<usize> = (1..rows).map(|row| row * length - WARM_STEPS).collect();
            reader.run(&warm, WARM_STEPS);
            reader.nats = 0.0;
            reader.state = reader.state.map(|state| {
                let [layers, _, hidden] = state.dims();
                Tensor::cat(vec![Tensor::zeros([layers, 1, hidden], &state.device()), state], 1)
            });
        }
        let starts: Vec<usize> = (0..rows).map(|row| row * length).collect();
        reader.run(&starts, length);
        // The last row goes on over what the division left.
        reader.state = reader.state.map(|state| state.narrow(1, rows - 1, 1));
        reader.run(&[rows * length], targets - rows * length);
        let metrics = metrics(TextMetrics::new(reader.nats, targets as u64, part.chars.max(1)));
        Ok(Some(metrics))
    }

    /// The tokens are predicted by their share of the training text, each counted once more.
    fn floor(&self) -> Option<f64> {
        let mut counts = vec![1u64; self.codec.vocab_size()];
        self.train.tokens.iter().for_each(|token| counts[*token as usize] += 1);
        let all: u64 = counts.iter().sum();
        let predicted = self.valid.tokens.get(1..).filter(|tokens| !tokens.is_empty())?;
        let nats = |token: &u32| (all as f64 / counts[*token as usize] as f64).ln();
        Some(predicted.iter().map(nats).sum::<f64>() / predicted.len() as f64)
    }

    fn size(&self) -> Option<Size> {
        let (train, text, vocab) = (&self.run.train, &self.run.task, self.codec.vocab_size());
        let input = Input::Embedding { vocab, dim: text.embed };
        let head = if text.tied { Head::Tied } else { Head::Linear { outputs: vocab } };
        let rnn = train.recurrent(text.embed).spec();
        let Cutter { batch, seq_len, .. } = self.cutter;
        Some(Size { spec: Spec { input, rnn, pool: None, head, decoder: None }, batch, seq_len })
    }

    fn settings(&self) -> Value {
        self.run.bound()
    }

    fn fresh_codec(&self) -> Codec {
        Codec::Text(self.codec.clone())
    }

    fn export(&self, model: &SequenceModel, codec: Codec, trained: Trained) -> ModelFile {
        let source = Value::Null;
        ModelFile { spec: model.spec(), codec, source, trained, tensors: model.tensors() }
    }

    fn import(&self, file: &ModelFile, device: &Device) -> Result<SequenceModel> {
        self.init(Key::new(file.trained.seed), device).with_tensors(file)
    }
}

/// Runs over rows of a text and adds up what it costs.
struct Reader<'a> {
    model: &'a SequenceModel,
    tokens: &'a [u32],
    state: Option<Tensor<3>>,
    nats: f64,
}

impl Reader<'_> {
    /// Predicts the `length` tokens after each of `starts`.
    fn run(&mut self, starts: &[usize], length: usize) {
        let device = self.model.device();
        for done in (0..length).step_by(EVAL_STEPS) {
            let steps = EVAL_STEPS.min(length - done);
            let inputs: Vec<usize> = starts.iter().map(|start| start + done).collect();
            let targets: Vec<usize> = inputs.iter().map(|input| input + 1).collect();
            let inputs = gather(self.tokens, &inputs, steps, &device);
            let targets = gather(self.tokens, &targets, steps, &device);
            let x = self.model.embed(inputs, starts.len());
            let (loss, state) = self.model.every_loss(x, self.state.take(), targets, 0.0, None);
            self.state = Some(state);
            self.nats += f64::from(loss.into_scalar::<f32>()) * (steps * starts.len()) as f64;
        }
    }
}

/// Perplexity is left out where it is beyond all numbers.
fn metrics(text: TextMetrics) -> Metrics {
    let all = [
        ("loss", text.loss_nats),
        ("bits_per_char", text.bits_per_char),
        ("perplexity", text.perplexity),
    ];
    all.into_iter()
        .filter(|(name, value)| *name == "loss" || value.is_finite())
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

/// A part that is not empty needs a whole sequence and the token after it.
fn long_enough(name: &str, tokens: usize, seq_len: usize) -> Result<()> {
    let needed = seq_len + 1;
    if tokens >= needed || (tokens == 0 && name != "training") {
        return Ok(());
    }
    Err(Error::Data(format!(
        "the {name} text has {tokens} tokens; expected at least {needed}, one sequence (seq_len = \
         {seq_len}) and the token after it: give more text, a smaller value of the setting \
         `seq_len`, or \
         another division (the setting `split=100/0/0` trains on all of it)"
    )))
}

/// A sentence on tokens that the vocabulary does not have.
fn unseen(codec: &TextCodec, name: &str, tokens: &[u32]) -> Option<Remark> {
    let unknown = codec.unknown_token()?;
    let count = tokens.iter().filter(|token| **token == unknown).count();
    (count > 0).then(|| {
        format!(
            "{count} of {} characters of the {name} text do not occur in the training text and \
             are read \
             as unknown",
            tokens.len()
        )
        .into()
    })
}
