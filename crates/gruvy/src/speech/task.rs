//! The speech task as the training loop sees it.
use super::batch::{Encoded, Read, batch, silence, steps};
use super::config::{SpeechConfig, SpeechRun, Unit};
use super::data::{Divided, Recordings, codec, shared};
use super::judge::{Judged, judge};
use super::recordings::read_background;
use crate::audio::AugmentConfig;
use crate::{
    error::{Error, Result},
    nn::{key::Key, model::SequenceModel},
    ops::ctc_loss,
    settings::run::{Metric, TaskConfig},
    train::{
        batches,
        config::{MOST, TrainConfig, at_most},
        report::Metrics,
        size::Size,
        task::{Carry, Part, Position, Task},
    },
};
use burn::tensor::{Device, Tensor};
use gruvy_data::settings::{Setting, Settings};
use gruvy_data::speech::SpeechFormat;
use gruvy_data::to_source;
use gruvy_kernels::Ctc;
use gruvy_runtime::audio::Audio;
use gruvy_runtime::{
    Codec, Remark, TaskName,
    model::{Head, Input, ModelFile, Network, Spec, Trained},
    random::mix,
    speech::{Hears, SpeechCodec, Transcriber},
};
use rayon::prelude::*;
use serde_json::Value;
use std::{path::PathBuf, sync::Arc};

/// Fewest recordings in an epoch, so that few are learned from in as many steps as many are.
const LEAST_HEARD: usize = 200;

/// Recordings ready to learn from.
#[derive(Debug)]
pub struct SpeechTask {
    run: SpeechRun,
    codec: SpeechCodec,
    data: Divided,
    encoded: Encoded,
    /// How the recordings lie in their files.
    format: SpeechFormat,
    /// Noise that is mixed in.
    background: Vec<Audio>,
    /// The recordings of an epoch.
    heard: Vec<usize>,
    /// Items of silence in a batch.
    silent: usize,
    notes: Vec<Remark>,
}

impl SpeechTask {
    fn load_data(run: SpeechRun) -> Result<Self> {
        let mut notes = Vec::new();
        let (mut data, format) = Divided::load(&run, &mut notes)?;
        let codec = codec(&run, &data, &mut notes)?;
        let encoded = Encoded::new(&mut data, &codec, &mut notes)?;
        let [train, valid, test] =
            [Part::Train, Part::Valid, Part::Test].map(|part| data.part(part).len());
        notes.push(
            format!(
                "{train} recordings to learn from, {valid} to validate on, {test} to test on; {} \
                 labels",
                codec.labels.classes() - 1
            )
            .into(),
        );
        let twice = shared(&data);
        if twice > 0 {
            let what =
                "of the recordings to validate and test on are among those to learn from too";
            notes.push(format!("{twice} {what}: what is measured on them says little").into());
        }
        let sound = matches!(codec.hears, Hears::Sound(_));
        let silent = match sound {
            true => (run.task.silence * run.train.batch as f64).ceil() as usize,
            false => 0,
        };
        let train = data.part(Part::Train);
        let repeats = run.task.repeats.unwrap_or_else(|| {
            let repeats = LEAST_HEARD.div_ceil(train.len());
            if repeats > 1 {
                let why = format!("each recording is heard {repeats} times in an epoch");
                notes.push(Remark::chosen("repeats", repeats, why));
            }
            repeats
        });
        let heard = train.repeat(repeats);
        let background = background(&run, &codec)?;
        Ok(Self { run, codec, data, encoded, format, background, heard, silent, notes })
    }

    /// The settings.
    pub fn run(&self) -> &SpeechRun {
        &self.run
    }

    /// What the model hears and says.
    pub fn codec(&self) -> &SpeechCodec {
        &self.codec
    }

    /// The recordings.
    pub fn data(&self) -> &Divided {
        &self.data
    }

    /// How well a model transcribes a part.
    ///
    /// # Errors
    /// If the model cannot be run, as its weights are not finite.
    pub fn judge(&self, model: &SequenceModel, part: Part) -> Result<Judged> {
        let network = Arc::new(Network::from_tensors(&model.spec(), &model.tensors())?);
        let transcriber = Transcriber::new(network, self.codec.clone())?;
        judge(&transcriber, &self.data.recordings, self.data.part(part), &Default::default())
    }

    /// What the network reads of a recording, as it is changed at this seed. A change that leaves
    /// too few steps for the labels is not made.
    fn read(&self, item: usize, seed: u64) -> Result<Read> {
        let labels = self.encoded.labels[item].clone();
        let (Recordings::Sound(all), Hears::Sound(front_end)) =
            (&self.data.recordings, &self.codec.hears)
        else {
            return Ok(Read { steps: steps(&self.data.recordings, &self.codec, item)?, labels });
        };
        let augment = &self.run.task.augment;
        let (audio, warp) = augment.apply(&all[item].audio, &self.background, seed);
        let mut steps = front_end.of_frames(front_end.frames(&audio, warp)?)?;
        if steps.len() / front_end.width() < Ctc::fewest_steps(&labels).max(1) {
            steps = front_end.features(&all[item].audio)?;
        }
        let values = front_end.frame_width() / (1 + front_end.deltas);
        let step_ms = 1000.0 * front_end.step_seconds();
        augment.mask(&mut steps, front_end.width(), values, step_ms, seed);
        Ok(Read { steps, labels })
    }

    fn spec(&self) -> Spec {
        let (input, outputs) =
            (Input::Features { size: self.width() }, self.codec.labels.classes());
        let rnn = self.run.train.recurrent(self.width());
        let rnn = rnn.with_bidirectional(self.run.task.bidirectional).spec();
        Spec { input, rnn, pool: None, head: Head::Linear { outputs }, decoder: None }
    }

    fn width(&self) -> usize {
        self.codec.hears.width()
    }
}

impl TaskConfig for SpeechConfig {
    const TASK: TaskName = TaskName::Speech;
    const UNIT: &'static str = "recordings";
    const NESTED: &'static [(&'static str, &'static [Setting])] =
        &[("format", SpeechFormat::SETTINGS), ("augment", AugmentConfig::SETTINGS)];
    const METRICS: &'static [Metric] = &[
        Metric { name: "loss", title: "nats/label", decimals: 4 },
        Metric { name: "wer", title: "word errors", decimals: 4 },
        Metric { name: "cer", title: "char errors", decimals: 4 },
        Metric { name: "said", title: "words said", decimals: 2 },
    ];
    type Task = SpeechTask;

    fn train_defaults() -> TrainConfig {
        TrainConfig {
            hidden: 128,
            dropout: 0.2,
            batch: 16,
            epochs: 40,
            lr: 3e-3,
            ema: 0.99,
            patience: 0,
            ..TrainConfig::default()
        }
    }

    fn run_name(&self) -> String {
        "speech".to_owned()
    }

    fn paths_mut(&mut self) -> Vec<&mut PathBuf> {
        self.valid.iter_mut().chain(&mut self.test).chain(&mut self.augment.background).collect()
    }

    fn check(run: &SpeechRun) -> Result<()> {
        let task = &run.task;
        at_most(&[("mels", task.mels), ("stack", task.stack), ("stride", task.stride)], 256)?;
        at_most(&[("vocab_size", task.vocab_size)], MOST)?;
        at_most(&[("repeats", task.repeats.unwrap_or(1))], 10_000)?;
        if task.unit == Some(Unit::Bpe) && task.vocab_size < 257 {
            let why = "expected at least 257 for the unit bpe, which has all bytes";
            return Err(Error::setting("vocab_size", task.vocab_size, why));
        }
        task.augment.check()?;
        if run.train.label_smoothing > 0.0 {
            let why = "expected 0: labels of speech have no steps of their own to be smoothed at";
            return Err(Error::setting("label_smoothing", run.train.label_smoothing, why));
        }
        Ok(())
    }

    fn load(run: SpeechRun) -> Result<SpeechTask> {
        run.check()?;
        SpeechTask::load_data(run)
    }
}

impl Task for SpeechTask {
    type Model = SequenceModel;

    fn notes(&self) -> &[Remark] {
        &self.notes
    }

    fn fingerprint(&self) -> String {
        self.data.print().to_string()
    }

    fn init(&self, key: Key, device: &Device) -> SequenceModel {
        let (input, outputs) =
            (Input::Features { size: self.width() }, self.codec.labels.classes());
        let rnn = self.run.train.recurrent(self.width());
        let rnn = rnn.with_bidirectional(self.run.task.bidirectional);
        SequenceModel::new(&input, &rnn, &Head::Linear { outputs }, key, device)
    }

    fn steps_per_epoch(&self) -> u64 {
        self.heard.len().div_ceil(self.run.train.batch) as u64
    }

    fn units_per_step(&self) -> u64 {
        self.run.train.batch as u64
    }

    fn loss(&self, model: &SequenceModel, at: Position, _: &mut Carry) -> Tensor<1> {
        let length = |item: usize| self.encoded.lengths[item];
        let batches = batches::epoch(length, &self.heard, self.run.train.batch, at.epoch_seed);
        let items = &batches[at.step as usize];
        let seed = |row: usize| mix(mix(at.epoch_seed, at.step), row as u64);
        let read = |row: usize| match (items.get(row), &self.codec.hears) {
            (None, Hears::Sound(front_end)) => silence(front_end, &self.background, seed(row)),
            (item, _) => self.read(item.copied().unwrap_or(items[0]), seed(row)),
        };
        let all: Result<Vec<Read>> =
            (0..items.len() + self.silent).into_par_iter().map(read).collect();
        let all = all.expect("as when they were loaded");
        let batch = batch(all, self.width(), &model.rnn.memory, &model.device());
        let logits = model.ragged(batch.x, &batch.lengths, Some(at.masks));
        ctc_loss(logits, batch.asked)
    }

    fn train_metrics(&self, loss: f64) -> Metrics {
        [("loss".to_owned(), loss)].into()
    }

    fn size(&self) -> Option<Size> {
        let longest = self.encoded.lengths.iter().copied().max()?;
        Some(Size {
            spec: self.spec(),
            batch: self.run.train.batch + self.silent,
            seq_len: longest,
        })
    }

    fn settings(&self) -> Value {
        self.run.bound()
    }

    fn fresh_codec(&self) -> Codec {
        Codec::Speech(Box::new(self.codec.clone()))
    }

    fn evaluate(&self, model: &SequenceModel, _: &Codec, part: Part) -> Result<Option<Metrics>> {
        if part == Part::Train || self.data.part(part).is_empty() {
            return Ok(None);
        }
        Ok(Some(self.judge(model, part)?.metrics()))
    }

    fn export(&self, model: &SequenceModel, codec: Codec, trained: Trained) -> ModelFile {
        let source = to_source(&self.format);
        ModelFile { spec: model.spec(), codec, source, trained, tensors: model.tensors() }
    }

    fn import(&self, file: &ModelFile, device: &Device) -> Result<SequenceModel> {
        self.init(Key::new(file.trained.seed), device).with_tensors(file)
    }
}

/// The recordings of noise that are mixed in.
fn background(run: &SpeechRun, codec: &SpeechCodec) -> Result<Vec<Audio>> {
    let (Some(path), Hears::Sound(front_end)) = (&run.task.augment.background, &codec.hears) else {
        return Ok(Vec::new());
    };
    read_background(path, front_end.sample_rate_hz)
}
