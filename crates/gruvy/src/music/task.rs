//! The music task as the training loop sees it.
use super::batch::{Batch, Stretch};
use super::config::{HeadKind, MusicConfig, MusicRun};
use super::data::{Parts, fingerprint};
use super::model::MusicModel;
use super::tunes;
use crate::{
    error::{Error, Result},
    nn::{config::RecurrentConfig, key::Key, model::SequenceModel},
    settings::run::{Metric, TaskConfig},
    train::{
        batches,
        config::{MOST, MOST_RUNS, TrainConfig, at_most},
        report::Metrics,
        size::Size,
        task::{Carry, Part, Position, Task},
    },
};
use burn::tensor::{Device, Tensor, TensorData};
use gruvy_data::music::read_music;
use gruvy_runtime::{
    Codec, Remark, TaskName,
    model::{Head, Input, ModelFile, Network, Spec, Trained},
    music::{
        KEYS, MOST_BAR, MusicCodec, MusicMetrics, Place, Roll, USUAL_TEMPO, score, transposed,
    },
    random::{Fnv, mix},
};
use serde_json::Value;
use std::sync::Arc;

/// `E` of the decoder's symbols.
const EMBED: usize = 32;

/// Semitones by which music is transposed while training, up or down.
const TRANSPOSE: usize = 5;

/// How the music that is learned from is heard and written.
fn codec(rolls: &[Roll]) -> MusicCodec {
    let meter = |roll: &Roll| roll.bars.first().map(|bar| [bar.beats, bar.unit]);
    let mut meters: Vec<_> = rolls.iter().filter_map(meter).collect();
    meters.sort_unstable();
    let usual = meters.chunk_by(|a, b| a == b).max_by_key(|alike| alike.len());
    let mut tempos: Vec<f64> = rolls.iter().map(|roll| roll.tempo).collect();
    tempos.sort_by(f64::total_cmp);
    MusicCodec {
        onsets: rolls.iter().any(|roll| roll.onsets),
        steps_per_quarter: rolls.first().map_or(0, |roll| roll.steps_per_quarter),
        bar: rolls.iter().map(Roll::longest_bar).max().unwrap_or(0).min(MOST_BAR),
        meter: usual.map(|alike| alike[0]),
        tempo: tempos.get(tempos.len() / 2).copied().unwrap_or(USUAL_TEMPO),
    }
}

/// Music ready to learn from.
#[derive(Debug)]
pub struct MusicTask {
    run: MusicRun,
    codec: MusicCodec,
    parts: Parts,
    /// `(roll, first step)` of every stretch to learn from.
    stretches: Vec<(usize, usize)>,
    transpose: usize,
    notes: Vec<Remark>,
}

impl MusicTask {
    /// Music that is already read.
    ///
    /// # Errors
    /// If there is nothing to learn from.
    pub fn new(run: MusicRun, parts: Parts) -> Result<Self> {
        let codec = codec(&parts.train);
        let seq_len = run.task.seq_len;
        let rolls = parts.train.iter().enumerate();
        let stretches: Vec<(usize, usize)> = rolls
            .flat_map(|(roll, of)| (0..of.frames.len()).step_by(seq_len).map(move |at| (roll, at)))
            .collect();
        if stretches.is_empty() {
            return Err(Error::Data("there is no music to learn from".into()));
        }
        let mut notes = parts.notes.clone();
        let transpose = run.task.transpose.unwrap_or(if codec.onsets { TRANSPOSE } else { 0 });
        if run.task.transpose.is_none() && transpose > 0 {
            let why = format!("transposed by up to {transpose} semitones while training");
            notes.push(Remark::chosen("transpose", transpose, why));
        }
        let steps = |rolls: &[Roll]| rolls.iter().map(|roll| roll.frames.len()).sum::<usize>();
        notes.push(
            format!(
                "{} pieces of {} steps to learn from, {} of {} to validate on, {} of {} to test on",
                parts.train.len(),
                steps(&parts.train),
                parts.valid.len(),
                steps(&parts.valid),
                parts.test.len(),
                steps(&parts.test)
            )
            .into(),
        );
        Ok(Self { run, codec, parts, stretches, transpose, notes })
    }

    /// The settings.
    pub fn run(&self) -> &MusicRun {
        &self.run
    }

    /// The rolls of a part of the data.
    pub fn rolls(&self, part: Part) -> &[Roll] {
        match part {
            Part::Train => &self.parts.train,
            Part::Valid => &self.parts.valid,
            Part::Test => &self.parts.test,
        }
    }

    fn length(&self, stretch: usize) -> usize {
        let (roll, from) = self.stretches[stretch];
        (self.parts.train[roll].frames.len() - from).min(self.run.task.seq_len)
    }

    /// A stretch, some semitones higher or lower.
    fn stretch(&self, stretch: usize, by: i32) -> Stretch {
        let (index, from) = self.stretches[stretch];
        let roll = &self.parts.train[index];
        let steps = from..from + self.length(stretch);
        let place = |step: usize| -> Place { roll.place(step) };
        let shift = |frame: &Vec<_>| transposed(frame, by);
        Stretch {
            frames: roll.frames[steps.clone()].iter().map(shift).collect(),
            places: steps.map(place).collect(),
        }
    }

    fn decoder(&self) -> Option<(Input, RecurrentConfig, Head)> {
        let (train, task) = (&self.run.train, &self.run.task);
        let tokens = self.codec.symbols() + 1;
        (task.head == HeadKind::Joint).then(|| {
            let rnn = RecurrentConfig::new(EMBED, task.decoder_hidden)
                .with_cell(train.cell)
                .with_dropout(task.decoder_dropout)
                .with_layer_norm(train.layer_norm);
            let input = Input::Embedding { vocab: tokens, dim: EMBED };
            (input, rnn, Head::Linear { outputs: tokens })
        })
    }

    fn spec(&self) -> Spec {
        let rnn = self.run.train.recurrent(self.codec.features()).spec();
        let decoder = self.decoder().map(|(input, rnn, head)| {
            Box::new(Spec { input, rnn: rnn.spec(), pool: None, head, decoder: None })
        });
        let outputs = decoder.as_ref().map_or(self.codec.symbols(), |decoder| {
            decoder.rnn.num_layers * decoder.rnn.state_size()
        });
        let input = Input::Features { size: self.codec.features() };
        Spec { input, rnn, pool: None, head: Head::Linear { outputs }, decoder }
    }

    /// How often each symbol and the end come, `[S + 1]`, each counted once more; and the frames.
    fn counts(&self) -> (Vec<f64>, f64) {
        let mut counts = vec![1.0; self.codec.symbols() + 1];
        let mut frames = 2.0;
        for frame in self.parts.train.iter().flat_map(|roll| &roll.frames) {
            frames += 1.0;
            counts[self.codec.symbols()] += 1.0;
            for sound in frame {
                counts[self.codec.symbol(*sound) as usize] += 1.0;
            }
        }
        (counts, frames)
    }

    /// The bias of the last head, with which it begins at the frequencies of the training music.
    fn bias(&self) -> Vec<f32> {
        let (counts, frames) = self.counts();
        let all: f64 = counts.iter().sum();
        match self.run.task.head {
            HeadKind::Joint => counts.iter().map(|count| (count / all).ln() as f32).collect(),
            HeadKind::Bernoulli => {
                let odds = |count: &f64| (count / (frames - count)).ln() as f32;
                counts[..self.codec.symbols()].iter().map(odds).collect()
            }
        }
    }
}

impl TaskConfig for MusicConfig {
    const TASK: TaskName = TaskName::Music;
    const UNIT: &'static str = "steps";
    const METRICS: &'static [Metric] = &[
        Metric { name: "loss", title: "nats/step", decimals: 3 },
        Metric { name: "nats_per_note", title: "nats/note", decimals: 3 },
    ];
    type Task = MusicTask;

    fn train_defaults() -> TrainConfig {
        TrainConfig {
            hidden: 300,
            dropout: 0.5,
            input_dropout: 0.2,
            recurrent_dropout: 0.3,
            batch: 16,
            epochs: 100,
            lr: 3e-3,
            ema: 0.99,
            ..TrainConfig::default()
        }
    }

    fn run_name(&self) -> String {
        "tunes".to_owned()
    }

    /// Members of an ensemble differ in their seeds.
    fn members(run: &MusicRun) -> Vec<MusicRun> {
        run.by_seed(run.task.ensemble, |task| task.ensemble = 1)
    }

    fn check(run: &MusicRun) -> Result<()> {
        let task = &run.task;
        at_most(&[("seq_len", task.seq_len), ("decoder_hidden", task.decoder_hidden)], MOST)?;
        at_most(&[("ensemble", task.ensemble)], MOST_RUNS)?;
        at_most(&[("transpose", task.transpose.unwrap_or(0))], 24)
    }

    fn load(run: MusicRun) -> Result<MusicTask> {
        run.check()?;
        if run.data.paths.is_empty() {
            return MusicTask::new(run, tunes::parts()?);
        }
        let music = read_music(&run.data.inputs()?)?;
        let parts = Parts::new(&music, &run.task)?;
        MusicTask::new(run, parts)
    }
}

impl Task for MusicTask {
    type Model = MusicModel;

    fn notes(&self) -> &[Remark] {
        &self.notes
    }

    fn fingerprint(&self) -> String {
        let mut print = Fnv::new();
        for part in [Part::Train, Part::Valid, Part::Test] {
            for roll in self.rolls(part) {
                print.add(&fingerprint(roll).to_le_bytes());
            }
            print.add(&[part as u8]);
        }
        print.to_string()
    }

    fn init(&self, key: Key, device: &Device) -> MusicModel {
        let spec = self.spec();
        let rnn = self.run.train.recurrent(self.codec.features());
        let frames = SequenceModel::new(&spec.input, &rnn, &spec.head, key, device);
        let decoder = self.decoder().map(|(input, rnn, head)| {
            SequenceModel::new(&input, &rnn, &head, key.named("decoder"), device)
        });
        let bias = self.bias();
        let bias = TensorData::new(bias.clone(), [bias.len()]);
        match decoder {
            None => MusicModel { frames: frames.with_bias(bias), decoder: None },
            Some(decoder) => MusicModel { frames, decoder: Some(decoder.with_bias(bias)) },
        }
    }

    fn steps_per_epoch(&self) -> u64 {
        self.stretches.len().div_ceil(self.run.train.batch) as u64
    }

    fn units_per_step(&self) -> u64 {
        let steps: usize = (0..self.stretches.len()).map(|index| self.length(index)).sum();
        (steps as u64).div_ceil(self.steps_per_epoch())
    }

    fn loss(&self, model: &MusicModel, at: Position, _: &mut Carry) -> Tensor<1> {
        let all: Vec<usize> = (0..self.stretches.len()).collect();
        let length = |index: usize| self.length(index);
        let batches = batches::epoch(length, &all, self.run.train.batch, at.epoch_seed);
        let shift = |index: usize| {
            let range = 2 * self.transpose as u64 + 1;
            (mix(at.epoch_seed, index as u64) % range) as i32 - self.transpose as i32
        };
        let batch = batches[at.step as usize].iter();
        let stretches = batch.map(|index| self.stretch(*index, shift(*index))).collect();
        Batch::new(&self.codec, stretches).loss(model, Some(at.masks))
    }

    fn train_metrics(&self, loss: f64) -> Metrics {
        Metrics::from([("loss".to_owned(), loss)])
    }

    /// By the runtime, as anyone who uses the model would measure it.
    fn evaluate(&self, model: &MusicModel, _: &Codec, part: Part) -> Result<Option<Metrics>> {
        let rolls = self.rolls(part);
        if part == Part::Train {
            return Ok(None);
        }
        let network = Arc::new(Network::from_tensors(&model.spec(), &model.tensors())?);
        let nats = score(&network, &self.codec, rolls)?;
        Ok(MusicMetrics::of(rolls, &nats).map(|metrics| {
            Metrics::from([
                ("loss".to_owned(), metrics.nats_per_step),
                ("nats_per_note".to_owned(), metrics.nats_per_note),
            ])
        }))
    }

    /// Each key by itself, as often as in the training music.
    fn floor(&self) -> Option<f64> {
        let (counts, frames) = self.counts();
        let mut share = vec![0.0; KEYS];
        for symbol in 0..self.codec.symbols() {
            share[self.codec.key(symbol as u32)] += counts[symbol] / frames;
        }
        let silent: f64 = share.iter().map(|p| -(1.0 - p).ln()).sum();
        let frames = || self.parts.valid.iter().flat_map(|roll| roll.frames.iter().skip(1));
        let odds = |key: u8| -> f64 {
            let p: f64 = share[usize::from(key)];
            ((1.0 - p) / p).ln()
        };
        let total: f64 = frames().flatten().map(|sound| odds(sound.key)).sum();
        let count = frames().count();
        (count > 0).then(|| silent + total / count as f64)
    }

    fn size(&self) -> Option<Size> {
        let seq_len = (0..self.stretches.len()).map(|index| self.length(index)).max()?;
        Some(Size { spec: self.spec(), batch: self.run.train.batch, seq_len })
    }

    fn settings(&self) -> Value {
        self.run.bound()
    }

    fn fresh_codec(&self) -> Codec {
        Codec::Music(self.codec.clone())
    }

    fn export(&self, model: &MusicModel, codec: Codec, trained: Trained) -> ModelFile {
        let source = Value::Null;
        ModelFile { spec: model.spec(), codec, source, trained, tensors: model.tensors() }
    }

    fn import(&self, file: &ModelFile, device: &Device) -> Result<MusicModel> {
        self.init(Key::new(file.trained.seed), device).with_tensors(file)
    }
}
