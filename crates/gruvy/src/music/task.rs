//! The music task as the training loop sees it.
use super::config::{HeadKind, MusicConfig, MusicRun, grid_name};
use super::data::Parts;
use super::events::Events;
use super::frames::Frames;
use super::material::{Excerpt, Material};
use super::model::MusicModel;
use crate::{
    error::{Error, Result},
    nn::key::Key,
    settings::run::{Metric, TaskConfig},
    train::{
        batches,
        config::{MOST, MOST_RUNS, TrainConfig, at_most},
        report::Metrics,
        size::Size,
        task::{Carry, Part, Position, Task},
    },
};
use burn::tensor::{Device, Tensor};
use gruvy_runtime::{
    Codec, Remark, TaskName,
    model::{ModelFile, Network, Trained},
    music::{Piece, Roll},
    random::{Fnv, mix},
};
use serde_json::Value;
use std::sync::Arc;

/// Semitones by which music is transposed while training, up or down.
const TRANSPOSE: usize = 5;
/// By how much events are played faster or slower while training.
const TEMPO_CHANGE: f64 = 0.05;

/// Semitones by which music is transposed, up or down: unasked, music in one key is not.
fn transpose(run: &MusicRun, one_key: bool) -> usize {
    run.task.transpose.unwrap_or(if one_key { 0 } else { TRANSPOSE })
}

/// Music ready to learn from.
#[derive(Debug)]
pub struct MusicTask {
    run: MusicRun,
    material: Box<dyn Material>,
    /// `(piece, first step)` of every excerpt to learn from.
    excerpts: Vec<(usize, usize)>,
    /// Steps of each piece to learn from.
    lengths: Vec<usize>,
    transpose: usize,
    tempo_change: f64,
    notes: Vec<Remark>,
}

impl MusicTask {
    /// Rolls, for any head.
    ///
    /// # Errors
    /// If there is nothing to learn from.
    pub fn new(run: MusicRun, mut parts: Parts<Roll>) -> Result<Self> {
        if run.task.head == HeadKind::Events {
            return Self::of_pieces(run, parts.map(|roll| Ok(roll.to_piece()))?);
        }
        let notes = std::mem::take(&mut parts.notes);
        let transpose = transpose(&run, parts.one_key);
        let frames = Frames::new(parts, run.task.head == HeadKind::Joint, transpose);
        Self::of(run, Box::new(frames), transpose, notes)
    }

    /// Pieces as events.
    ///
    /// # Errors
    /// If there is nothing to learn from, or a piece is too long.
    pub fn of_pieces(run: MusicRun, mut parts: Parts<Piece>) -> Result<Self> {
        let notes = std::mem::take(&mut parts.notes);
        let transpose = transpose(&run, parts.one_key);
        let events = Events::new(&parts, transpose)?;
        Self::of(run, Box::new(events), transpose, notes)
    }

    fn of(
        run: MusicRun,
        material: Box<dyn Material>,
        transpose: usize,
        mut notes: Vec<Remark>,
    ) -> Result<Self> {
        let lengths = material.lengths(Part::Train);
        let starts = |length: usize| (0..length).step_by(run.task.seq_len);
        let pieces = lengths.iter().enumerate();
        let excerpts: Vec<(usize, usize)> =
            pieces.flat_map(|(piece, of)| starts(*of).map(move |at| (piece, at))).collect();
        if excerpts.is_empty() {
            return Err(Error::Data("there is no music to learn from".into()));
        }
        if run.task.transpose.is_none() && transpose > 0 {
            let why = format!("transposed by up to {transpose} semitones while training");
            notes.push(Remark::chosen("transpose", transpose, why));
        }
        let timed = run.task.head == HeadKind::Events;
        let tempo_change = run.task.tempo_change.unwrap_or(if timed { TEMPO_CHANGE } else { 0.0 });
        if run.task.tempo_change.is_none() && timed {
            let why = format!(
                "played up to {:.0} % faster or slower while training",
                100.0 * tempo_change
            );
            notes.push(Remark::chosen("tempo_change", tempo_change, why));
        }
        let unit = material.unit();
        let [train, valid, test] = [Part::Train, Part::Valid, Part::Test].map(|part| {
            let lengths = material.lengths(part);
            (lengths.len(), lengths.iter().sum::<usize>())
        });
        let said = format!(
            "{} pieces of {} {unit} to learn from, {} of {} to validate on, {} of {} to test on",
            train.0, train.1, valid.0, valid.1, test.0, test.1
        );
        notes.push(said.into());
        Ok(Self { run, material, excerpts, lengths, transpose, tempo_change, notes })
    }

    /// The settings.
    pub fn run(&self) -> &MusicRun {
        &self.run
    }

    fn length(&self, excerpt: usize) -> usize {
        let (piece, from) = self.excerpts[excerpt];
        (self.lengths[piece] - from).min(self.run.task.seq_len)
    }

    /// An excerpt, as it is played in an epoch.
    fn excerpt(&self, index: usize, epoch_seed: u64) -> Excerpt {
        let (piece, from) = self.excerpts[index];
        let drawn = mix(epoch_seed, index as u64);
        let range = 2 * self.transpose as u64 + 1;
        // In −1 … 1.
        let share = (mix(drawn, 1) >> 11) as f64 / (1u64 << 52) as f64 - 1.0;
        Excerpt {
            piece,
            steps: from..from + self.length(index),
            semitones: (drawn % range) as i32 - self.transpose as i32,
            slower: 1.0 + share * self.tempo_change,
        }
    }
}

impl TaskConfig for MusicConfig {
    const TASK: TaskName = TaskName::Music;
    const UNIT: &'static str = "steps";
    const METRICS: &'static [Metric] = &[
        Metric { name: "loss", title: "nats", decimals: 3 },
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
        at_most(&[("transpose", task.transpose.unwrap_or(0))], 24)?;
        match task.head {
            HeadKind::Events if task.grid != 0 => {
                let why = "events have their own timing and no grid: leave it out";
                Err(Error::setting("grid", grid_name(task.grid), why))
            }
            HeadKind::Joint | HeadKind::Bernoulli if task.tempo_change.is_some() => {
                let change = task.tempo_change.unwrap_or_default();
                let why = "frames are on a grid: only the head `events` takes it";
                Err(Error::setting("tempo_change", change, why))
            }
            _ => Ok(()),
        }
    }

    fn load(run: MusicRun) -> Result<MusicTask> {
        run.check()?;
        match run.task.head {
            HeadKind::Events => {
                let parts = Parts::pieces(&run)?;
                MusicTask::of_pieces(run, parts)
            }
            _ => {
                let parts = Parts::rolls(&run)?;
                MusicTask::new(run, parts)
            }
        }
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
            self.material.print(part, &mut print);
            print.add(&[part as u8]);
        }
        print.to_string()
    }

    fn init(&self, key: Key, device: &Device) -> MusicModel {
        self.material.init(&self.run, key, device)
    }

    fn steps_per_epoch(&self) -> u64 {
        self.excerpts.len().div_ceil(self.run.train.batch) as u64
    }

    fn units_per_step(&self) -> u64 {
        let steps: usize = (0..self.excerpts.len()).map(|index| self.length(index)).sum();
        (steps as u64).div_ceil(self.steps_per_epoch())
    }

    fn loss(&self, model: &MusicModel, at: Position, _: &mut Carry) -> Tensor<1> {
        let all: Vec<usize> = (0..self.excerpts.len()).collect();
        let length = |index: usize| self.length(index);
        let batches = batches::epoch(length, &all, self.run.train.batch, at.epoch_seed);
        let batch = batches[at.step as usize].iter();
        let excerpts: Vec<Excerpt> =
            batch.map(|index| self.excerpt(*index, at.epoch_seed)).collect();
        self.material.loss(model, &excerpts, Some(at.masks))
    }

    fn train_metrics(&self, loss: f64) -> Metrics {
        Metrics::from([("loss".to_owned(), loss)])
    }

    fn evaluate(&self, model: &MusicModel, _: &Codec, part: Part) -> Result<Option<Metrics>> {
        if part == Part::Train {
            return Ok(None);
        }
        let network = Arc::new(Network::from_tensors(&model.spec(), &model.tensors())?);
        self.material.measure(&network, part)
    }

    fn floor(&self) -> Option<f64> {
        self.material.floor()
    }

    fn size(&self) -> Option<Size> {
        let seq_len = (0..self.excerpts.len()).map(|index| self.length(index)).max()?;
        Some(Size { spec: self.material.spec(&self.run), batch: self.run.train.batch, seq_len })
    }

    fn settings(&self) -> Value {
        self.run.bound()
    }

    fn fresh_codec(&self) -> Codec {
        self.material.codec()
    }

    fn export(&self, model: &MusicModel, codec: Codec, trained: Trained) -> ModelFile {
        let source = Value::Null;
        ModelFile { spec: model.spec(), codec, source, trained, tensors: model.tensors() }
    }

    fn import(&self, file: &ModelFile, device: &Device) -> Result<MusicModel> {
        self.init(Key::new(file.trained.seed), device).with_tensors(file)
    }
}
